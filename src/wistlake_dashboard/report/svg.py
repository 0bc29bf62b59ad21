"""Charts as SVG, drawn here: no script, no network. Colours are classes, so that light and dark both work."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wistlake_dashboard.report.html import Markup, join, tag

Write = Callable[[float | None], str]


@dataclass(frozen=True, slots=True)
class Size:
    """A chart's own units: it is drawn as wide as its place, and its text grows and shrinks with it."""

    width: int
    height: int
    left: int


WIDE, SMALL = Size(720, 220, 56), Size(400, 170, 46)
_RIGHT, _TOP, _BOTTOM = 14, 16, 26
MOST_DOTS = 92  # more would run into each other


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its class names the colour, None is a gap. `tips` are shown on hover, point by point."""

    name: str
    class_: str
    values: Sequence[float | None]
    tips: Sequence[str] = ()


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


def lines(
    title: str,
    drawn: Sequence[Line],
    labels: Sequence[str],
    write: Write,
    size: Size = WIDE,
    notes: Sequence[tuple[int, str]] = (),
    shaded: int = 0,
) -> Markup:
    """A line chart. `labels` name the points, `write` spells a mark of the vertical axis, `notes` are (point,
    text) flags, and the first `shaded` points lie before the period."""
    known = [v for line in drawn for v in line.values if v is not None]
    most = max(known, default=0)
    marks = steps(most)
    top = max(marks[-1], most)
    points = len(labels)
    inner_w, inner_h = size.width - size.left - _RIGHT, size.height - _TOP - _BOTTOM
    right, bottom = size.width - _RIGHT, size.height - _BOTTOM

    def x(at: float) -> float:
        return round(size.left + (inner_w * at / (points - 1) if points > 1 else inner_w / 2), 1)

    def y(value: float) -> float:
        return round(_TOP + inner_h * (1 - value / top), 1)

    parts: list[Markup] = []
    if shaded:
        past = round(x(shaded - 0.5) - size.left, 1)
        parts.append(tag("rect", x=size.left, y=_TOP, width=past, height=inner_h, class_="past"))
    for mark in marks:
        parts.append(tag("line", x1=size.left, x2=right, y1=y(mark), y2=y(mark), class_="grid"))
        parts.append(tag("text", write(mark), x=size.left - 6, y=y(mark) + 4, text_anchor="end"))
    every = max(1, -(-points // (4 if size is SMALL else 6)))
    parts += [
        # On a phone every other label is left out.
        tag("text", labels[at], x=x(at), y=size.height - 6, text_anchor=_anchor(at, points),
            class_="odd" if points > 3 * every and at // every % 2 else None)
        for at in range(0, points, every)
    ]  # fmt: skip
    for number, (at, text) in enumerate(notes, 1):
        flag = join(
            tag("title", text),
            tag("line", x1=x(at), x2=x(at), y1=_TOP, y2=bottom, class_="note"),
            tag("text", str(number), x=x(at) + 3, y=_TOP + 9, class_="flag"),
        )
        parts.append(tag("g", flag))
    for line in drawn:
        parts.append(_path(line, x, y))
    return tag("svg", *parts, viewBox=f"0 0 {size.width} {size.height}", role="img", aria_label=title,
               class_="chart small" if size is SMALL else "chart")  # fmt: skip


def _anchor(at: int, points: int) -> str:
    if points == 1:
        return "middle"
    return "start" if at == 0 else "end" if at == points - 1 else "middle"


def _path(line: Line, x: Callable[[float], float], y: Callable[[float], float]) -> Markup:
    pieces, pen = [], "M"
    for at, value in enumerate(line.values):
        if value is None:
            pen = "M"
            continue
        pieces.append(f"{pen}{x(at)} {y(value)}")
        pen = "L"
    dots = [
        tag("circle", tag("title", tip), cx=x(at), cy=y(value), r=3)
        for at, (value, tip) in enumerate(zip(line.values, line.tips, strict=False))
        if value is not None and len(line.values) <= MOST_DOTS
    ]
    return tag("g", tag("path", d=" ".join(pieces)), *dots, class_=f"line {line.class_}")


def bar(portion: float, class_: str = "") -> Markup:
    """A horizontal bar, 0..1 of its width; its number stands beside it."""
    return tag(
        "svg",
        tag("rect", x=0, y=0, width=100, height=10, class_="trough"),
        tag("rect", x=0, y=0, width=round(100 * portion, 2), height=10, class_=f"fill {class_}".strip()),
        viewBox="0 0 100 10", preserveAspectRatio="none", class_="bar", aria_hidden="true",
    )  # fmt: skip
