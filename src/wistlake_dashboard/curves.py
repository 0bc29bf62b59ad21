"""What is to be seen in an engagement curve: where viewers leave, and what they watch again. Pure."""

from collections.abc import Iterator, Sequence

from wistlake_dashboard import words
from wistlake_dashboard.blocks import Mark

LEAST_DROP = 0.05  # of all plays; less is the usual trickle
LEAST_REPLAY = 0.03
WINDOWS = 40  # a drop lasts a fortieth of the media, or four seconds
SHORTEST = 4.0
_PEAK = 1.5  # times the average of what is watched again


def drops(values: Sequence[float], seconds: float, most: int = 1) -> list[Mark]:
    """The steepest falls of the curve, steepest first: "12 % leave between 0:08 and 0:12"."""
    step = _step(values, seconds)
    width = max(1, round(max(SHORTEST, seconds / WINDOWS) / step)) if step else 0
    falls = [(values[n] - values[n + width], n) for n in range(max(0, len(values) - width))] if width else []
    return [
        _mark(n, n + width, step, f"{words.whole_share(fall)} leave", "drop")
        for fall, n in _apart(falls, width, LEAST_DROP, most)
    ]


def replays(again: Sequence[float], seconds: float, most: int = 1) -> list[Mark]:
    """What is watched again the most: "6 % watch again between 1:10 and 1:14"."""
    step = _step(again, seconds)
    width = max(1, round(max(SHORTEST, seconds / WINDOWS) / step)) if step else 0
    sums = (
        [(sum(again[n : n + width]) / width, n) for n in range(max(0, len(again) - width + 1))]
        if width
        else []
    )
    usual = sum(again) / len(again) if again else 0.0
    return [
        _mark(n, n + width, step, f"{words.whole_share(share)} watch again", "replay")
        for share, n in _apart(sums, width, max(LEAST_REPLAY, _PEAK * usual), most)
    ]


def _step(values: Sequence[float], seconds: float) -> float:
    """Seconds between two points of the curve."""
    return seconds / (len(values) - 1) if len(values) > 1 else 0.0


def _apart(
    candidates: Sequence[tuple[float, int]], width: int, least: float, most: int
) -> Iterator[tuple[float, int]]:
    """The greatest that do not overlap."""
    taken: list[int] = []
    for value, n in sorted(candidates, key=lambda f: (-f[0], f[1])):
        if len(taken) == most or value < least:
            return
        if all(abs(n - other) > width for other in taken):
            taken.append(n)
            yield value, n


def _mark(first: int, last: int, step: float, what: str, kind: str) -> Mark:
    start, end = first * step, last * step
    return Mark(start, end, f"{what} between {words.clock(start)} and {words.clock(end)}", kind)
