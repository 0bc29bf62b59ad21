"""Charts as SVG, drawn here: no script, no network. Colours are classes, so that light and dark both work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from wistlake_dashboard.report.html import Markup, join, tag

Write = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Size:
    """A chart's own units: it is drawn as wide as its place, and its text grows and shrinks with it."""

    width: int
    height: int
    left: int


WIDE, SMALL = Size(720, 220, 56), Size(400, 170, 46)
_RIGHT, _TOP, _BOTTOM = 14, 16, 26
MOST_DOTS = 92  # more would run into each other
COLOURS = 7  # classes s0 to s6 of the style sheet


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
    most = max((v for line in drawn for v in line.values if v is not None), default=0)
    points, place = len(labels), _Place(size, most)

    def x(at: float) -> float:
        return round(size.left + (place.width * at / (points - 1) if points > 1 else place.width / 2), 1)

    parts: list[Markup] = []
    if shaded:
        past = round(x(shaded - 0.5) - size.left, 1)
        parts.append(tag("rect", x=size.left, y=_TOP, width=past, height=place.height, class_="past"))
    parts += place.marks(write)
    parts += place.labels(labels, x, edges=True)
    for number, (at, text) in enumerate(notes, 1):
        flag = join(
            tag("title", text),
            tag("line", x1=x(at), x2=x(at), y1=_TOP, y2=place.bottom, class_="note"),
            tag("text", str(number), x=x(at) + 3, y=_TOP + 9, class_="flag"),
        )
        parts.append(tag("g", flag))
    for line in drawn:
        parts.append(_path(line, x, place.y))
    return _chart(title, size, parts)


def stack(
    title: str, bars: Sequence[tuple[str, Sequence[int]]], labels: Sequence[str], tips: Sequence[str]
) -> Markup:
    """A stacked bar for each label, with its tip: `bars` are (class, values), from the bottom up."""
    size, totals = WIDE, [sum(of_label) for of_label in zip(*(values for _, values in bars), strict=True)]
    place = _Place(size, max(totals, default=0))
    band = place.width / max(1, len(labels))

    def middle(at: float) -> float:
        return round(size.left + band * (at + 0.5), 1)

    parts = [*place.marks(lambda value: f"{value:,.0f}"), *place.labels(labels, middle)]
    for at, tip in enumerate(tips):
        below, pieces = 0, [tag("title", tip)]
        for class_, values in bars:
            top, height = place.y(below + values[at]), place.y(below) - place.y(below + values[at])
            below += values[at]
            left, width = round(middle(at) - 0.36 * band, 1), round(0.72 * band, 1)
            pieces.append(tag("rect", x=left, y=top, width=width, height=round(height, 1), class_=class_))
        parts.append(tag("g", *pieces))
    return _chart(title, size, parts)


def grid(
    title: str, rows: Mapping[str, Sequence[str]], labels: Sequence[str], tones: Mapping[str, str]
) -> Markup:
    """A square for each row and label, of the class that `tones` gives its state; none where the state is ""."""
    height, left = 22, 210  # room for names in a phone's larger letters
    size = Size(WIDE.width, _TOP + height * len(rows) + _BOTTOM, left)
    place = _Place(size, 1)
    band = place.width / max(1, len(labels))
    parts = place.labels(labels, lambda at: round(left + band * (at + 0.5), 1))
    for row, (name, states) in enumerate(rows.items()):
        top = _TOP + height * row
        parts.append(tag("text", name, x=left - 8, y=top + 15, text_anchor="end"))
        parts += [
            tag("rect", tag("title", f"{name}, {label}: {state}"), x=round(left + band * at + 1, 1), y=top + 1,
                width=round(band - 2, 1), height=height - 2, class_=tones[state])
            for at, (state, label) in enumerate(zip(states, labels, strict=True))
            if state
        ]  # fmt: skip
    return _chart(title, size, parts)


class _Place:
    """Where a chart draws: its inner box, and the vertical axis from 0 to about `most`."""

    def __init__(self, size: Size, most: float) -> None:
        self._size = size
        self._marks = steps(most)
        self._top = max(self._marks[-1], most)
        self.width, self.height = size.width - size.left - _RIGHT, size.height - _TOP - _BOTTOM
        self.bottom = size.height - _BOTTOM

    def y(self, value: float) -> float:
        """The height at which a value is drawn."""
        return round(_TOP + self.height * (1 - value / self._top), 1)

    def marks(self, write: Write) -> list[Markup]:
        """Round values of the vertical axis, each with its line."""
        left, right = self._size.left, self._size.width - _RIGHT
        return [
            part
            for mark in self._marks
            for part in (
                tag("line", x1=left, x2=right, y1=self.y(mark), y2=self.y(mark), class_="grid"),
                tag("text", write(mark), x=left - 6, y=self.y(mark) + 4, text_anchor="end"),
            )
        ]

    def labels(
        self, labels: Sequence[str], x: Callable[[float], float], *, edges: bool = False
    ) -> list[Markup]:
        """Names of points, of many a few. With `edges` the first and the last point lie on the box's edges."""
        points = len(labels)
        every = max(1, -(-points // (4 if self._size is SMALL else 6)))
        return [
            # On a phone every other label is left out.
            tag("text", labels[at], x=x(at), y=self._size.height - 6,
                text_anchor=_anchor(at, points) if edges else "middle",
                class_="odd" if points > 3 * every and at // every % 2 else None)
            for at in range(0, points, every)
        ]  # fmt: skip


def _anchor(at: int, points: int) -> str:
    if points == 1:
        return "middle"
    return "start" if at == 0 else "end" if at == points - 1 else "middle"


def _chart(title: str, size: Size, parts: Sequence[Markup]) -> Markup:
    return tag("svg", *parts, viewBox=f"0 0 {size.width} {size.height}", role="img", aria_label=title,
               class_="chart small" if size is SMALL else "chart")  # fmt: skip


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
