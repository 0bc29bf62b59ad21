"""Lines as SVG, and the smallest of them: the one in a headline number's tile, of report and app alike."""

from collections.abc import Callable, Sequence

from wistlake_dashboard.html import Markup, tag

Place = Callable[[float], float]


def stroke(values: Sequence[float | None], x: Place, y: Place) -> str:
    """The path through the values, lifted over a gap."""
    pieces, pen = [], "M"
    for at, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        pieces.append(f"{pen}{x(at)} {y(value)}")
        pen = "L"
    return " ".join(pieces)


def spark(values: Sequence[float | None]) -> Markup:
    """A small line without axes, for a tile; the number stands beside it, so nothing is read out here."""
    numbers = [v for v in values if v is not None]
    low, high = min(numbers, default=0), max(numbers, default=0)
    step, span = 100 / max(1, len(values) - 1), (high - low) or 1
    drawn = stroke(values, lambda at: round(step * at, 1), lambda v: round(22 - 20 * (v - low) / span, 1))
    line = tag("g", tag("path", d=drawn), class_="line a")
    return tag(
        "svg", line, viewBox="0 0 100 24", preserveAspectRatio="none", class_="sparkline", aria_hidden="true"
    )
