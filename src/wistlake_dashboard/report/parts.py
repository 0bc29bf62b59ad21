"""Pieces of the report: terms that carry their definition, tables, keys of charts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wistlake_dashboard.definitions import definition
from wistlake_dashboard.report.html import Markup, tag
from wistlake_dashboard.report.svg import Line


@dataclass(frozen=True, slots=True)
class Head:
    """A column's heading, and what its numbers mean (empty where there are none)."""

    title: str
    meaning: str = ""


def heads(first: str, *metrics: tuple[str, str]) -> list[Head]:
    """Headings of a table whose numbers are metrics: (title, metric), after the rows' own name."""
    return [Head(first), *(Head(title, definition(metric)) for title, metric in metrics)]


def term(title: str, meaning: str, name: str) -> tuple[Markup, Markup]:
    """A word that can be hovered and reached by keyboard, and the definition that then appears. `name` tells
    it from the page's other terms."""
    about = f"tip-{name}"
    return (
        tag("span", title, class_="term", tabindex=0, aria_describedby=about),
        tag("span", meaning, class_="tip", role="tooltip", id=about),
    )


def table(name: str, title: str, head: Sequence[Head], rows: Iterable[Sequence[str | Markup]]) -> Markup:
    """A table that scrolls sideways where it must. `name` is unique on the page, `title` is read out."""
    top = tag("tr", *(_heading(name, at, column) for at, column in enumerate(head)))
    body = [tag("tr", *(_cell(at, value) for at, value in enumerate(row))) for row in rows]
    drawn = tag("table", tag("thead", top), tag("tbody", *body), aria_label=title)
    return tag("div", drawn, class_="scroll", tabindex=0, role="region", aria_label=title)


def _heading(name: str, at: int, head: Head) -> Markup:
    said = term(head.title, head.meaning, f"{name}-{at}") if head.meaning else (head.title,)
    return tag("th", *said, scope="col", class_="n" if at else None)


def _cell(at: int, value: str | Markup) -> Markup:
    if isinstance(value, Markup):
        return tag("td", value, class_="w")
    if at == 0:
        return tag("th", value, scope="row")
    return tag("td", value, class_="n")


def key(drawn: Iterable[Line]) -> Markup:
    """What the lines of a chart are."""
    return tag("ul", *(tag("li", line.name, class_=line.class_) for line in drawn), class_="key")


def folded(title: str, inside: Markup) -> Markup:
    """Something that is there for those who ask."""
    return tag("details", tag("summary", title), inside)
