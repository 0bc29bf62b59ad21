"""Round marks of axes: both renderers draw the same."""

_CLOCK = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
MOST_TICKS = 6


def steps(most: float) -> list[float]:
    """Round marks from 0 to about `most`, two to six of them."""
    if most <= 0:
        return [0.0, 1.0]
    if 0.8 < most <= 1.1:  # shares of 1
        return [0.0, 0.25, 0.5, 0.75, 1.0]
    size = 10.0 ** (len(str(int(most))) - 1) if most >= 1 else 0.1
    for factor in (0.1, 0.2, 0.5, 1, 2, 5, 10):
        if most / (size * factor) <= 5:
            size *= factor
            break
    marks = [0.0]
    while marks[-1] < most:
        marks.append(round(marks[-1] + size, 6))
    return marks


def clock_steps(seconds: float) -> list[float]:
    """Round times from 0 to about `seconds`: 0:00, 0:30, 1:00."""
    size = next((s for s in _CLOCK if seconds / s <= MOST_TICKS), 3600 * -(-seconds // (3600 * MOST_TICKS)))
    return [n * size for n in range(int(seconds // size) + 1)]
