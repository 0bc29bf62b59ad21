"""What is always told first: a period's headline numbers, and how far they can be trusted."""

from collections.abc import Callable
from dataclasses import dataclass

from wistlake_dashboard import words
from wistlake_dashboard.figures import Pair, Totals, Trust
from wistlake_dashboard.scope import Scope


@dataclass(frozen=True, slots=True)
class Tile:
    """A headline number: `metric` names its definition, `value` finds it, `write` spells it."""

    title: str
    metric: str
    value: Callable[[Totals], float | None]
    write: Callable[[float | None], str]

    def now(self, whole: Pair) -> str:
        """The number, for people."""
        return self.write(self.value(whole.now))

    def moved(self, whole: Pair) -> str:
        """How it changed since the period before; empty if there is nothing to compare with."""
        if whole.before is None:
            return ""
        now, before = self.value(whole.compared), self.value(whole.before)
        if self.write is words.share:
            return words.change_in_share(now, before, min(whole.compared.played, whole.before.played))
        basis = min(whole.before.played, before or 0) if self.write is words.count else whole.before.played
        return words.change(now, before, basis, self.write)


TILES = (
    Tile("Plays", "plays", lambda t: t.plays, words.count),
    Tile("Unique viewers", "unique_viewers", lambda t: t.unique_viewers, words.count),
    Tile("Loads", "loads", lambda t: t.loads, words.count),
    Tile("Viewers per load", "viewers_per_load", lambda t: t.viewers_per_load, words.share),
    Tile("Watch time", "watch_seconds", lambda t: t.watch_seconds, words.duration),
    Tile("Average seen", "average_viewed_share", lambda t: t.average_viewed, words.share),
    Tile("Completion", "completion_share", lambda t: t.completion, words.share),
    Tile("Conversions", "conversions", lambda t: t.conversions, words.count),
)
# Wistia counts loads and plays by media alone: of a channel, sessions are known.
OF_CHANNELS = (
    Tile("Plays in sessions", "plays_from_events", lambda t: t.plays_from_events, words.count),
    *(t for t in TILES if t.metric not in ("plays", "loads", "viewers_per_load")),
)


def tiles(scope: Scope) -> tuple[Tile, ...]:
    """The tiles that the scope has an answer for."""
    return OF_CHANNELS if scope.channels else TILES


def trust_line(trust: Trust) -> tuple[str, str]:
    """Its tone ("", "warn" or "bad"), and the certified days, the last run, and what is provisional, in words."""
    troubles = [
        words.plural(number, noun)
        for number, noun in (
            (trust.broken, "broken check"),
            (trust.quarantined, "refused record"),
            (trust.failed, "failed interval"),
        )
        if number
    ]
    said = [f"{trust.certified:,} of {words.plural(trust.media_days, 'media day')} certified."]
    if trust.provisional:
        said.append(f"Provisional, may still move: {words.span(*trust.provisional)}.")
    if trust.last_run:
        said.append(f"Last run {trust.last_run['status']}, {words.moment(trust.last_run['started_at'])}.")
    if troubles:
        said.append(f"Look at: {', '.join(troubles)}.")
    failed = trust.failed or (trust.last_run or {}).get("status") == "failed"
    return ("bad" if failed else "warn" if troubles or trust.provisional else ""), " ".join(said)
