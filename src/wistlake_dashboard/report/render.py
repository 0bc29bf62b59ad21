"""Blocks as HTML."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial, singledispatch

from wistlake_dashboard import blocks, words
from wistlake_dashboard.blocks import Block, Column, Kind, Number, spelled
from wistlake_dashboard.html import Markup, join, picture, tag
from wistlake_dashboard.names import OTHER
from wistlake_dashboard.reader import Row
from wistlake_dashboard.report import svg
from wistlake_dashboard.sparkline import spark


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
def _(block: blocks.Picture) -> Markup:
    return picture(block.url, block.what)


@html.register
def _(block: blocks.Answer) -> Markup:
    return join(tag("h1", block.sentence, class_="answer"), tag("p", block.note, class_="soft note-line"))


@html.register
def _(block: blocks.Notes) -> Markup:
    return tag("ul", *(tag("li", line) for line in block.lines), class_="notes")


@html.register
def _(block: blocks.Numbers) -> Markup:
    return tag("dl", *map(_tile, block.numbers), class_="tiles")


def _tile(number: Number) -> Markup:
    change = number.change
    direction = {"+": "up", "−": "down"}.get(change[:1], "soft") if number.clear else "soft"
    return tag(
        "div",
        tag("dt", *_term(number.title, number.meaning, f"tile-{number.title}")),
        tag("dd", number.value, class_="value"),
        tag("dd", change, tag("span", f" {number.against}", class_="against"), class_=f"change {direction}")
        if change
        else None,
        tag("dd", spark(number.spark), class_="spark") if number.spark else None,
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
    most = {c.key: max((row[c.key] or 0 for row in block.rows), default=0) for c in block.columns if c.bar}
    rows = [[_value(c, row, most) for c in block.columns] for row in selected[: block.printed]]
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


def _value(column: Column, row: Row, most: Mapping[str, float]) -> str | Markup:
    value = row[column.key]
    if column.kind is Kind.LINK and value and value.startswith("https://"):
        return tag("a", "open", href=value, rel="noopener noreferrer", class_="link")
    if column.kind is Kind.PICTURE and value:
        return picture(value)
    if column.bar and value and most[column.key]:
        bar = svg.bar(value / most[column.key])
        return tag("span", bar, tag("span", column.spelled(value)), class_="barred")
    return words.NOTHING if column.kind is Kind.LINK else column.spelled(value)


def _cell(at: int, column: Column, value: str | Markup) -> Markup:
    if at == 0:
        return tag("th", value, scope="row")
    if isinstance(value, Markup) and column.kind is Kind.TEXT:
        return tag("td", value, class_="w")
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
    return svg.bar(share, "warn" if name == OTHER else "")


@html.register
def _(block: blocks.Days) -> Markup:
    labels, many = _labels(block.days), len(block.lines) > 1
    lines = [
        svg.Line(name, class_, values, [at for at, day in enumerate(block.days) if day in block.open])
        for (name, values), class_ in zip(block.lines.items(), "ab", strict=False)
    ]
    earlier = [svg.Line(name, "past", values) for name, values in block.before.items()]
    tips = [_tip(block, at, label) for at, label in enumerate(labels)]
    key = [(line.name, line.class_) for line in lines] if many or earlier else []
    chart = svg.lines(
        block.title, [*earlier, *lines], labels, _mark(block.kind), svg.WIDE, _flags(block), tips
    )
    return join(_key([*key, *([("Before", "past")] if earlier else [])]) if key else None, chart)


def _tip(block: blocks.Days, at: int, label: str) -> str:
    """What stands at a point: the day's values and, under its own day, those before."""
    now = [f"{spelled(block.kind, v[at])} {name.lower()}" for name, v in block.lines.items()]
    then = [
        f"{words.day(block.days_before[at])}: {spelled(block.kind, v[at])}"
        for v in block.before.values()
        if at < len(block.days_before)
    ]
    changes = " (may still change)" if block.days[at] in block.open else ""
    return "; ".join((f"{label}: {', '.join(now)}{changes}", *then))


def _labels(days: Sequence[date]) -> list[str]:
    length = (days[-1] - days[0]).days + 1 if days else 0
    return [words.tick(day, length) for day in days]


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
    classes = {"All time": "c"}
    lines = [svg.Line(name, classes.get(name, "a"), values) for name, values in block.lines.items()]
    marks = [(mark.start, mark.end, mark.what, mark.kind) for mark in block.marks]
    chart = svg.curve(block.title, lines, block.seconds, marks, words.clock)
    return join(_key((line.name, line.class_) for line in lines), chart)


@html.register
def _(block: blocks.Stack) -> Markup:
    tones = block.tones or {name: f"s{at % svg.COLOURS}" for at, name in enumerate(block.parts)}
    bars = [(tones[name], [of_day.get(day, 0) for day in block.days]) for name, of_day in block.parts.items()]
    tips = [
        f"{label}: "
        + ", ".join(
            f"{words.count(of_day[day])} {name}" for name, of_day in block.parts.items() if day in of_day
        )
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
