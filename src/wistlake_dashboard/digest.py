"""The week in a message: how it went, which media moved, how far it can be trusted. Plain text, bounded."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wistlake_dashboard import figures, words
from wistlake_dashboard.figures import Comparison, Pair, Totals, Trust
from wistlake_dashboard.scope import last_days
from wistlake_dashboard.tiles import trust_line

if TYPE_CHECKING:
    from wistlake.ports import Query

DAYS = 7
MOVERS = 5
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
    extent = figures.extent(query)
    if extent is None:
        return Digest("Wistia: nothing is published yet", ("The first finished day appears after a run.",))
    scope = last_days(extent[1], DAYS)
    compared = figures.compare(query, scope)
    names = {media_id: row["title"] for media_id, row in figures.media(query).items()}
    trust = figures.trust(query, scope)
    return Digest(
        f"Wistia, {words.span(scope.start, scope.end)}",
        (*_whole(compared.whole), *_movers(compared, names), _trusted(trust)),
        doubtful=bool(trust.failed or trust.broken),
    )


def _whole(pair: Pair) -> list[str]:
    now, before = pair.now, pair.before or Totals(plays=None, loads=None)
    moved = pair.before is not None
    told = [
        ("Plays", words.count(now.plays), words.change(now.plays, before.plays)),
        (
            "Unique viewers",
            words.count(now.unique_viewers),
            words.change(now.unique_viewers, before.unique_viewers),
        ),
        (
            "Watch time",
            words.duration(now.watch_seconds),
            words.change(now.watch_seconds, before.watch_seconds),
        ),
        ("Completion", words.share(now.completion), words.change_in_share(now.completion, before.completion)),
    ]
    return [f"{name}: {value}{f' ({by})' if moved and by else ''}" for name, value, by in told]


def _movers(compared: Comparison, names: dict[str, str]) -> list[str]:
    if compared.whole.before is None:
        return ["The week before is not wholly published: there is nothing to compare with."]
    moved = figures.movers(compared, MOVERS)
    if not moved:
        return ["No media moved."]
    return ["Moved the most, in plays:"] + [
        f"  {words.signed(by)} {_short(names.get(media_id) or media_id)} ({words.count(pair.now.plays)})"
        for media_id, by, pair in moved
    ]


def _short(title: str) -> str:
    plain = " ".join(title.split())
    return plain if len(plain) <= LONGEST_TITLE else f"{plain[: LONGEST_TITLE - 1]}…"


def _trusted(trust: Trust) -> str:
    _, said = trust_line(trust)
    return f"Simulated data. {said}" if trust.is_simulated else said
