"""Blocks as HTML."""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial, singledispatch

from wistlake_dashboard import blocks, words
from wistlake_dashboard.blocks import Block, Column, Kind, Number, spelled
from wistlake_dashboard.figures import UNCLASSIFIED
from wistlake_dashboard.report import svg
from wistlake_dashboard.report.html import Markup, join, tag


def drawn(blocks: Iterable[Block]) -> list[Markup]:
    """Every block, one below the other."""
    return [html(block) for block in blocks]


@singledispatch
def html(block: Block) -> Markup:
    """The block as HTML."""
    raise TypeError(type(block))


@html.register
def _(block: blocks.Text) -> Markup:
    return tag("p", block.line, class_="soft")


@html.register
def _(block: blocks.Heading) -> Markup:
    return tag("h3", block.line)


@html.register
def _(block: blocks.Numbers) -> Markup:
    return tag("dl", *map(_tile, block.numbers), class_="tiles")


def _tile(number: Number) -> Markup:
    change, direction = number.change, {"+": "up", "−": "down"}.get(number.change[:1], "soft")
    aside = tag("span", " on the period before", class_="aside")
    return tag(
        "div",
        tag("dt", *_term(number.title, number.meaning, f"tile-{number.title}")),
        tag("dd", number.value, class_="value"),
        tag("dd", change, aside, class_=f"change {direction}") if change else None,
        class_="tile",
    )


def _term(title: str, meaning: str, name: str) -> tuple[Markup, Markup]:
    """A word that can be hovered and reached by keyboard, and the definition that then appears. `name` tells
    it from the page's other terms."""
    about = f"tip-{name}".lower().replace(" ", "-")
    return (
        tag("span", title, class_="term", tabindex=0, aria_describedby=about),
        tag("span", meaning, class_="tip", role="tooltip", id=about),
    )


@html.register
def _(block: blocks.Table) -> Markup:
    selected = block.rows[:: block.step]
    rows = [block.spelled(row) for row in selected[: block.printed]]
    rest = len(selected) - len(rows)
    more = tag("p", f"And {words.plural(rest, 'other')}.", class_="soft") if rest > 0 else None
    inside = join(_table(block.name, block.title, block.columns, rows), more)
    return tag("details", tag("summary", "As a table"), inside) if block.folded else inside


def _table(
    name: str, title: str, columns: Sequence[Column], rows: Iterable[Sequence[str | Markup]]
) -> Markup:
    """A table that scrolls sideways where it must. `name` is unique on the page, `title` is read out."""
    top = tag("tr", *(_heading(name, column) for column in columns))
    body = (
        tag(
            "tr",
            *(_cell(at, column, value) for at, (column, value) in enumerate(zip(columns, row, strict=True))),
        )
        for row in rows
    )
    inside = tag("table", tag("thead", top), tag("tbody", *body), aria_label=title)
    return tag("div", inside, class_="scroll", tabindex=0, role="region", aria_label=title)


def _heading(name: str, column: Column) -> Markup:
    title = _term(column.title, column.meaning, f"{name}-{column.key}") if column.meaning else (column.title,)
    return tag("th", *title, scope="col", class_="n" if column.kind.is_number else None)


def _cell(at: int, column: Column, value: str | Markup) -> Markup:
    if isinstance(value, Markup):
        return tag("td", value, class_="w")
    if at == 0:
        return tag("th", value, scope="row")
    return tag("td", value, class_="n" if column.kind.is_number else None)


@html.register
def _(block: blocks.Bars) -> Markup:
    columns = (block.column, block.unit, block.share, Column("bar", ""))
    rows = [
        (name, spelled(block.unit.kind, number), spelled(block.share.kind, share), _bar(name, share))
        for name, number, share in block.bars
    ]
    return _table(f"bars-{block.title}", block.title, columns, rows)


def _bar(name: str, share: float) -> Markup:
    return svg.bar(share, "warn" if name == UNCLASSIFIED else "")


@html.register
def _(block: blocks.Days) -> Markup:
    labels = _labels(block.days)
    lines = [
        svg.Line(
            name,
            class_,
            values,
            [f"{at}: {spelled(block.kind, v)}, {name.lower()}" for at, v in zip(labels, values, strict=True)],
        )
        for (name, values), class_ in zip(block.lines.items(), "ab", strict=False)
    ]
    size = svg.WIDE if len(lines) > 1 else svg.SMALL
    chart = svg.lines(block.title, lines, labels, _mark(block.kind), size, _flags(block), block.shaded)
    return join(_key((line.name, line.class_) for line in lines) if len(lines) > 1 else None, chart)


def _labels(days: Sequence[date]) -> list[str]:
    return [f"{day.day} {day:%b}" for day in days]


def _mark(kind: Kind) -> svg.Write:
    """How marks of an axis are spelled: shares as whole percents."""
    return (lambda value: f"{100 * value:.0f} %") if kind is Kind.SHARE else partial(spelled, kind)


def _flags(block: blocks.Days) -> list[tuple[int, str]]:
    """One flag for all that changed on a day: two on one spot could not be read."""
    texts: dict[int, list[str]] = {}
    for flag in block.flags:
        texts.setdefault(block.days.index(flag.day), []).append(f"{flag.name}: {flag.what}")
    return [(at, "; ".join(texts[at])) for at in sorted(texts)]


def _key(names: Iterable[tuple[str, str]], kind: str = "key") -> Markup:
    """What the lines or colours of a chart are."""
    return tag("ul", *(tag("li", name, class_=class_) for name, class_ in names), class_=kind)


@html.register
def _(block: blocks.Curve) -> Markup:
    points = max(len(values) for values in block.lines.values())
    labels = [words.clock(block.seconds * at / max(1, points - 1)) for at in range(points)]
    classes = {"Ever": "c"}
    lines = [svg.Line(name, classes.get(name, "a"), values) for name, values in block.lines.items()]
    chart = svg.lines(block.title, lines, labels, _mark(Kind.SHARE), svg.SMALL)
    return join(_key((line.name, line.class_) for line in lines), chart)


@html.register
def _(block: blocks.Stack) -> Markup:
    tones = block.tones or {name: f"s{at % svg.COLOURS}" for at, name in enumerate(block.parts)}
    bars = [(tones[name], [of_day.get(day, 0) for day in block.days]) for name, of_day in block.parts.items()]
    tips = [
        f"{label}: "
        + ", ".join(f"{of_day[day]:,} {name}" for name, of_day in block.parts.items() if day in of_day)
        for day, label in zip(block.days, _labels(block.days), strict=True)
    ]
    return join(_key(tones.items(), "key squares"), svg.stack(block.title, bars, _labels(block.days), tips))


@html.register
def _(block: blocks.Grid) -> Markup:
    days = sorted({day for _, day in block.squares})
    rows = {
        name: [block.squares.get((name, day), "") for day in days]
        for name in sorted({name for name, _ in block.squares})
    }
    chart = svg.grid(block.title, rows, _labels(days), block.tones)
    return join(_key(block.tones.items(), "key squares"), chart)


@html.register
def _(block: blocks.Beside) -> Markup:
    halves = (tag("div", *drawn(half)) for half in (block.left, block.right) if half)
    return tag("div", *halves, class_="grid2")
