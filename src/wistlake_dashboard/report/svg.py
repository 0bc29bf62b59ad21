"""Charts as SVG, drawn here: no script, no network. Colours are classes, so that light and dark both work."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from wistlake_dashboard import words
from wistlake_dashboard.html import Markup, join, tag
from wistlake_dashboard.sparkline import stroke
from wistlake_dashboard.ticks import clock_steps, steps

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
    """One line: its class names the colour, None is a gap. The points numbered in `open` are hollow."""

    name: str
    class_: str
    values: Sequence[float | None]
    open: Sequence[int] = ()


def lines(
    title: str,
    drawn: Sequence[Line],
    labels: Sequence[str],
    write: Write,
    size: Size = WIDE,
    notes: Sequence[tuple[int, str]] = (),
    tips: Sequence[str] = (),
) -> Markup:
    """A line chart. `labels` name the points, `write` spells a mark of the vertical axis, `notes` are (point,
    text) flags, `tips` are shown wherever a pointer is nearest to their point."""
    most = max((v for line in drawn for v in line.values if v is not None), default=0)
    points, place = len(labels), _Place(size, most)

    def x(at: float) -> float:
        return round(size.left + (place.width * at / (points - 1) if points > 1 else place.width / 2), 1)

    parts = [*place.marks(write), *place.labels(labels, x, edges=True)]
    for number, (at, text) in enumerate(notes, 1):
        flag = join(
            tag("title", text),
            tag("line", x1=x(at), x2=x(at), y1=_TOP, y2=place.bottom, class_="note"),
            tag("text", str(number), x=x(at) + 3, y=_TOP + 9, class_="flag"),
        )
        parts.append(tag("g", flag))
    parts += [_path(line, x, place.y) for line in drawn]
    band = place.width / max(1, points - 1)
    parts += [
        tag("rect", tag("title", tip), x=round(x(at) - band / 2, 1), y=_TOP, width=round(band, 1),
            height=place.height, class_="hit")
        for at, tip in enumerate(tips)
    ]  # fmt: skip
    return _chart(title, size, parts)


def curve(
    title: str,
    drawn: Sequence[Line],
    seconds: float,
    marks: Sequence[tuple[float, float, str, str]],
    clock: Write,
) -> Markup:
    """Shares over a media's length, at round times; `marks` are (start, end, what, class) stretches of it."""
    size, most = SMALL, max((v for line in drawn for v in line.values if v is not None), default=0)
    place = _Place(size, most)

    def at_time(time: float) -> float:
        return round(size.left + place.width * min(1.0, time / seconds if seconds else 0.0), 1)

    parts = []
    for start, end, what, class_ in marks:
        left, width = at_time(start), round(max(2.0, at_time(end) - at_time(start)), 1)
        mark = tag(
            "rect", tag("title", what), x=left, y=_TOP, width=width, height=place.height, class_=class_
        )
        parts.append(mark)
    parts += place.marks(lambda value: f"{100 * value:.0f} %")
    for time in clock_steps(seconds):
        near = at_time(time)
        anchor = "start" if not time else "end" if near > size.width - 2 * _RIGHT else "middle"
        parts.append(tag("text", clock(time), x=near, y=size.height - 6, text_anchor=anchor))
    for line in drawn:
        step = seconds / max(1, len(line.values) - 1)
        parts.append(_path(line, partial(_scaled, at_time, step), place.y, dots=False))
    return _chart(title, size, parts)


def _scaled(at_time: Callable[[float], float], step: float, at: float) -> float:
    return at_time(step * at)


def stack(
    title: str, bars: Sequence[tuple[str, Sequence[int]]], labels: Sequence[str], tips: Sequence[str]
) -> Markup:
    """A stacked bar for each label, with its tip: `bars` are (class, values), from the bottom up."""
    size, totals = WIDE, [sum(of_label) for of_label in zip(*(values for _, values in bars), strict=True)]
    place = _Place(size, max(totals, default=0))
    band = place.width / max(1, len(labels))

    def middle(at: float) -> float:
        return round(size.left + band * (at + 0.5), 1)

    parts = [*place.marks(words.count), *place.labels(labels, middle)]
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
        shown = [at for at in range(0, points, every) if at < every or labels[at] != labels[at - every]]
        return [
            # On a phone every other label is left out.
            tag("text", labels[at], x=x(at), y=self._size.height - 6,
                text_anchor=_anchor(at, points) if edges else "middle",
                class_="odd" if points > 3 * every and at // every % 2 else None)
            for at in shown
        ]  # fmt: skip


def _anchor(at: int, points: int) -> str:
    if points == 1:
        return "middle"
    return "start" if at == 0 else "end" if at == points - 1 else "middle"


def _chart(title: str, size: Size, parts: Sequence[Markup]) -> Markup:
    return tag("svg", *parts, viewBox=f"0 0 {size.width} {size.height}", role="img", aria_label=title,
               class_="chart small" if size is SMALL else "chart")  # fmt: skip


def _path(
    line: Line, x: Callable[[float], float], y: Callable[[float], float], *, dots: bool = True
) -> Markup:
    drawn = [
        tag(
            "circle",
            cx=x(at),
            cy=y(value),
            r=3.2,
            class_="open" if at in line.open else None,
        )
        for at, value in enumerate(line.values)
        if value is not None and dots and len(line.values) <= MOST_DOTS and line.class_ != "past"
    ]
    return tag("g", tag("path", d=stroke(line.values, x, y)), *drawn, class_=f"line {line.class_}")


def bar(portion: float, class_: str = "") -> Markup:
    """A horizontal bar, 0..1 of its width; its number stands beside it."""
    return tag(
        "svg",
        tag("rect", x=0, y=0, width=100, height=10, class_="trough"),
        tag("rect", x=0, y=0, width=round(100 * portion, 2), height=10, class_=f"fill {class_}".strip()),
        viewBox="0 0 100 10", preserveAspectRatio="none", class_="bar", aria_hidden="true",
    )  # fmt: skip
