"""The week in a message: how it went, which media moved, how far it can be trusted. Plain text, bounded."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wistlake.contracts.conversion_daily import DAY
from wistlake.quality.scope import Scope, last_days
from wistlake_dashboard import analytics, figures, gaps, words
from wistlake_dashboard.figures import Comparison, Pair
from wistlake_dashboard.names import unique
from wistlake_dashboard.reader import extent, titles
from wistlake_dashboard.sections.analytics import UNKNOWN, kind
from wistlake_dashboard.tiles import TILES
from wistlake_dashboard.trust import Trust, trust

if TYPE_CHECKING:
    from wistlake.ports import Query

DAYS = 7
MOVERS, REFERRERS = 5, 3
SHOWN = ("plays", "unique_viewers", "watch_seconds", "completion_share")
LONGEST_TITLE = 60
LONGEST = 2500  # characters; Slack folds longer messages


@dataclass(frozen=True, slots=True)
class Digest:
    """A message. `doubtful`: something in the week failed or does not add up."""

    title: str
    lines: tuple[str, ...]
    doubtful: bool = False

    @property
    def text(self) -> str:
        """The lines, cut at `LONGEST` characters."""
        whole = "\n".join(self.lines)
        return whole if len(whole) <= LONGEST else f"{whole[: LONGEST - 1]}…"


def digest(query: "Query") -> Digest:
    """The newest seven published days, beside the seven before."""
    published = extent(query)
    if published is None:
        return Digest("Wistia: nothing is published yet", ("The first finished day appears after a run.",))
    scope = last_days(published[1], DAYS)
    compared = figures.compare(query, scope)
    names = unique(titles(query), LONGEST_TITLE)
    trusted = trust(query, scope)
    return Digest(
        f"Wistia, {words.span(scope.start, scope.end)}",
        (
            *_whole(compared.whole), *_actions(query, scope), *_referrers(query, scope),
            *_movers(compared, names), *_gaps(compared, names), _trust(trusted),
        ),
        doubtful=bool(trusted.failed or trusted.broken),
    )  # fmt: skip


def _whole(pair: Pair) -> list[str]:
    numbers = [tile.number(pair) for tile in TILES if tile.metric in SHOWN]
    return [f"{n.title}: {n.value}{f' ({n.change})' if n.change else ''}" for n in numbers]


def _actions(query: "Query", scope: Scope) -> list[str]:
    """Calls to action and forms: by day, or between lifetime figures where nothing else is known."""
    counted = analytics.actions(query, scope)
    rows = [r for r in counted if r["basis"] == DAY] or counted
    return [
        f"{kind(r['kind'])}: {words.count(r['actions'])}"
        + (
            f" of {words.count(r['impressions'])} ({words.share(r['action_rate'])})"
            if r["impressions"]
            else ""
        )
        for r in rows
    ]


def _referrers(query: "Query", scope: Scope) -> list[str]:
    """The pages before that brought the most plays."""
    rows = analytics.breakdown(query, scope, dimension="referrer_domain")
    named = [(r["value"] or UNKNOWN, r["analytics_plays"]) for r in rows[:REFERRERS] if r["analytics_plays"]]
    listed = "; ".join(f"{name[: LONGEST_TITLE // 2]} {words.count(plays)}" for name, plays in named)
    return [f"Referrers, in plays: {listed}"] if named else []


def _movers(compared: Comparison, names: dict[str, str]) -> list[str]:
    if not compared.is_possible:
        return ["The week before is not wholly published: there is nothing to compare with."]
    moved = figures.movers(compared, MOVERS)
    if not moved:
        return ["No media moved."]
    return ["Moved the most, in plays:"] + [
        f"  {words.signed(by)} {names.get(media_id, media_id)} ({words.count(pair.now.plays)})"
        f"{_note(compared, media_id)}"
        for media_id, by, pair in moved
    ]


def _note(compared: Comparison, media_id: str) -> str:
    note = compared.coverage.notes.get(media_id)
    return f", {note}" if note else ""


def _gaps(compared: Comparison, names: dict[str, str]) -> list[str]:
    return gaps.sentences(compared.coverage, names, compared=compared.is_possible)


def _trust(trust: Trust) -> str:
    return f"Simulated data. {trust.summary}" if trust.is_simulated else trust.summary
