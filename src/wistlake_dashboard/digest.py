"""The week in a message: how it went, which media moved, how far it can be trusted. Plain text, bounded."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wistlake_dashboard import figures, gaps, words
from wistlake_dashboard.figures import Comparison, Pair, Trust
from wistlake_dashboard.names import unique
from wistlake_dashboard.scope import last_days
from wistlake_dashboard.tiles import TILES, trust_line

if TYPE_CHECKING:
    from wistlake.ports import Query

DAYS = 7
MOVERS = 5
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
    extent = figures.extent(query)
    if extent is None:
        return Digest("Wistia: nothing is published yet", ("The first finished day appears after a run.",))
    scope = last_days(extent[1], DAYS)
    compared = figures.compare(query, scope)
    titles = {media_id: str(row["title"]) for media_id, row in figures.media(query).items()}
    names = unique(titles, LONGEST_TITLE)
    trust = figures.trust(query, scope)
    return Digest(
        f"Wistia, {words.span(scope.start, scope.end)}",
        (*_whole(compared.whole), *_movers(compared, names), *_gaps(compared, names), _trusted(trust)),
        doubtful=bool(trust.failed or trust.broken),
    )


def _whole(pair: Pair) -> list[str]:
    tiles = [(tile, tile.moved(pair)) for tile in TILES if tile.metric in SHOWN]
    return [f"{tile.title}: {tile.now(pair)}{f' ({moved})' if moved else ''}" for tile, moved in tiles]


def _movers(compared: Comparison, names: dict[str, str]) -> list[str]:
    if compared.whole.before is None:
        return ["The week before is not wholly published: there is nothing to compare with."]
    moved = figures.movers(compared, MOVERS)
    if not moved:
        return ["No media moved."]
    return ["Moved the most, in plays:"] + [
        f"  {words.signed(by)} {names.get(media_id, media_id)} ({words.count(pair.now.plays)})"
        f"{_standing(compared, media_id)}"
        for media_id, by, pair in moved
    ]


def _standing(compared: Comparison, media_id: str) -> str:
    standing = compared.coverage.standing.get(media_id)
    return f", {standing}" if standing else ""


def _gaps(compared: Comparison, names: dict[str, str]) -> list[str]:
    return gaps.sentences(compared.coverage, names, compared=compared.whole.before is not None)


def _trusted(trust: Trust) -> str:
    _, said = trust_line(trust)
    return f"Simulated data. {said}" if trust.is_simulated else said
