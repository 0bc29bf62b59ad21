"""The sentence that answers: what moved, by how much, whether that is more than the usual noise, and why.

Figures in, words out: every rule is a function of a few numbers. `findings.py` reads them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log

from wistlake_dashboard import names, noise, words

SMALL = 0.03  # a change below this share is flat, however steady the days are
_CAUSES = {
    "loads": ("fewer loads", "more loads"),
    "plays per load": ("fewer plays per load", "more plays per load"),
    "engagement": ("less of it watched", "more of it watched"),
}


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of a period and of the one it is compared with, and how far the two may lie apart without a cause."""

    now: float
    before: float
    noise: float = 0.0

    @property
    def change(self) -> float:
        """How much it moved."""
        return self.now - self.before

    @property
    def is_small(self) -> bool:
        """Whether it hardly moved."""
        return abs(self.change) <= SMALL * abs(self.before)

    @property
    def is_clear(self) -> bool:
        """Whether it moved by more than the usual noise."""
        return not self.is_small and abs(self.change) > self.noise


@dataclass(frozen=True, slots=True)
class Moved:
    """What moved of a media, or of all of them; None where it is not known."""

    plays: Measure
    loads: Measure | None = None
    watched: Measure | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel's period: plays by day; sessions, and the mean and variance of the share that they watched."""

    name: str
    plays: tuple[int, ...]
    sessions: int = 0
    mean: float = 0.0
    variance: float = 0.0


@dataclass(frozen=True, slots=True)
class Findings:
    """What the sentence is made of. `before` says what the period is compared with, empty if with nothing."""

    plays: int
    before: str = ""
    whole: Moved | None = None
    media: Mapping[str, Moved] = field(default_factory=dict)
    channels: Sequence[Channel] = ()


def sentence(findings: Findings, titles: Mapping[str, str]) -> str:
    """The answer, in a sentence or two of plain text; `titles` are people's."""
    first = "; ".join(part for part in (_whole(findings), between(findings.channels)) if part)
    moved = "; ".join(movers(findings.media, titles)) if findings.whole else ""
    return " ".join(f"{part}." for part in (first, moved) if part)


def _whole(findings: Findings) -> str:
    plays = words.plural(findings.plays, "play") if findings.plays else "no plays"
    plays = plays[0].upper() + plays[1:]
    if findings.whole is None:
        return plays
    return f"{plays}, {against(findings.whole, findings.before)}"


def against(moved: Moved, before: str) -> str:
    """How plays moved, against what came before."""
    plays = moved.plays
    if max(plays.now, plays.before) < words.LEAST_PLAYS or not plays.before:
        return f"{words.signed(round(plays.change))} on {before}" if plays.change else f"as many as {before}"
    if plays.is_small:
        return f"flat against {before}"
    share = abs(plays.change) / plays.before
    by = f"{words.whole_share(share)} on {before}"
    if not plays.is_clear:
        return f"{'+' if plays.change > 0 else '−'}{by}, within the usual noise"
    reason = cause(moved)
    return f"{'up' if plays.change > 0 else 'down'} {by}{f' ({reason})' if reason else ''}"


def cause(moved: Moved, *, of_watch_time: bool = False) -> str:
    """Why plays (or watch time) moved: the factor that moved them furthest in their direction; empty if unknown.
    Plays are loads x plays per load, watch time is plays x what was watched of each."""
    factors = _factors(moved, of_watch_time=of_watch_time)
    whole = sum(factors.values())
    if not whole or moved.loads is None:
        return ""
    name = max(factors, key=lambda f: factors[f] if whole > 0 else -factors[f])
    return _CAUSES[name][whole > 0]


def _factors(moved: Moved, *, of_watch_time: bool) -> dict[str, float]:
    """By how much each factor grew, as logarithms: they add up to the growth of the whole."""
    plays, loads = _growth(moved.plays), _growth(moved.loads)
    factors = {"loads": loads, "plays per load": plays - loads}
    if of_watch_time:
        factors["engagement"] = _growth(moved.watched) - plays
    return factors


def _growth(measure: Measure | None) -> float:
    if measure is None or measure.now <= 0 or measure.before <= 0:
        return 0.0
    return log(measure.now / measure.before)


def movers(media: Mapping[str, Moved], titles: Mapping[str, str]) -> list[str]:
    """The media that gained and the one that lost the most plays, or else watch time, beyond the usual noise."""
    clear = sorted((m for m in media if media[m].plays.is_clear), key=lambda m: (media[m].plays.change, m))
    gained = [m for m in clear[-1:] if media[m].plays.change > 0]
    lost = [m for m in clear[:1] if media[m].plays.change < 0]
    extremes = (*gained, *lost)
    clauses = [_mover(media[m], titles.get(m, m)) for m in extremes]
    others = {m: w for m in media if m not in extremes and (w := media[m].watched) and w.is_clear}
    if len(clauses) < 2 and others:
        m = max(others, key=lambda m: (abs(others[m].change), m))
        reason = cause(media[m], of_watch_time=True)
        verb = "gained" if others[m].change > 0 else "lost"
        clauses.append(
            f"{names.quoted(titles.get(m, m))} {verb} watch time{f' ({reason})' if reason else ''}"
        )
    return clauses or ["No video moved more than usual"]


def _mover(moved: Moved, title: str) -> str:
    reason = moved.note or cause(moved)
    by = words.signed(round(moved.plays.change))
    return (
        f"{names.quoted(title)} {by} {'play' if by[1:] == '1' else 'plays'}{f' ({reason})' if reason else ''}"
    )


def between(channels: Sequence[Channel]) -> str:
    """Which channel wins, in plays and in engagement; empty with fewer than two that have enough plays."""
    competing = [
        c
        for c in channels
        if c.name != names.UNCLASSIFIED and sum(c.plays) >= words.LEAST_PLAYS and c.sessions
    ]
    if len(competing) < 2:
        return ""
    plays, engagement = _most_played(competing), _most_watched(competing)
    if plays and engagement and plays[:2] == engagement[:2]:
        first, second, counts = plays
        return f"{first} beats {second}: more plays ({counts}), higher average engagement ({engagement[2]})"
    clauses = []
    if plays:
        clauses.append(f"{plays[0]} beats {plays[1]} in plays ({plays[2]})")
    if engagement:
        clauses.append(f"{engagement[0]} beats {engagement[1]} in average engagement ({engagement[2]})")
    if len(clauses) == 1:
        clauses.append(f"no clear difference in {'average engagement' if plays else 'plays'}")
    if clauses:
        return ", ".join(clauses)
    who = " and ".join(names.channel(c.name) for c in competing) if len(competing) == 2 else "the channels"
    return f"no clear difference between {who}"


_Lead = tuple[str, str, str]  # who leads whom, and by which figures


def _most_played(channels: Sequence[Channel]) -> _Lead | None:
    first, second = sorted(channels, key=lambda c: (-sum(c.plays), c.name))[:2]
    now, then = sum(first.plays), sum(second.plays)
    lead = Measure(now, then, noise.of_sums(first.plays, second.plays, noise.STRICT))
    figures = f"{words.count(now)} to {words.count(then)}"
    return (names.channel(first.name), names.channel(second.name), figures) if lead.is_clear else None


def _most_watched(channels: Sequence[Channel]) -> _Lead | None:
    first, second = sorted(channels, key=lambda c: (-c.mean, c.name))[:2]
    chance = noise.of_samples((first.variance, second.variance), (first.sessions, second.sessions))
    figures = f"{words.share(first.mean)} to {words.share(second.mean)}"
    lead = Measure(first.mean, second.mean, chance)
    return (names.channel(first.name), names.channel(second.name), figures) if lead.is_clear else None
