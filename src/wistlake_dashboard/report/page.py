"""The report: one HTML file that asks no network and opens from an e-mail."""

from collections.abc import Iterable, Iterator
from datetime import date
from importlib import resources
from itertools import groupby
from typing import TYPE_CHECKING

from wistlake.quality.metrics import definition
from wistlake_dashboard import words
from wistlake_dashboard.reader import Reader, extent
from wistlake_dashboard.report.html import Markup, join, tag
from wistlake_dashboard.report.render import drawn
from wistlake_dashboard.scope import Scope, default_scope
from wistlake_dashboard.sections import PAGES, Section, View, view
from wistlake_dashboard.tiles import TILES
from wistlake_dashboard.trust import Trust

if TYPE_CHECKING:
    from wistlake.ports import Query

# Nothing may be loaded, sent or executed: only what stands in the file is shown.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
TITLE = "Wistia engagement"


def requested_scope(
    query: "Query", start: date | None = None, end: date | None = None, media: tuple[str, ...] = ()
) -> Scope | None:
    """The days asked for, or the newest ones; None while nothing is published."""
    published = extent(query)
    if published is None:
        return None
    first, last = published[0], end or published[1]
    return Scope(start, last, media) if start else default_scope(first, max(first, last), media)


def page(query: "Query", scope: Scope | None) -> str:
    """The whole file."""
    body = _empty() if scope is None else _full(view(Reader(query), scope))
    style = resources.files("wistlake_dashboard.report").joinpath("style.css").read_text(encoding="utf-8")
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("title", TITLE),
        tag("style", Markup(style)),
    )
    return "<!doctype html>\n" + tag("html", tag("head", head), tag("body", tag("main", body)), lang="en")


def _empty() -> Markup:
    text = "Nothing is published yet: the first finished day appears after the first run."
    return join(tag("h1", TITLE), tag("p", text, class_="empty"))


def _full(view: View) -> Markup:
    gaps = view.gaps(compared=True)
    return join(
        tag("h1", TITLE),
        tag("p", words.span(view.scope.start, view.scope.end), class_="soft"),
        _trust(view.trust),
        tag("ul", *(tag("li", line) for line in gaps), class_="gaps") if gaps else None,
        *_pages(view),
        _definitions(),
        tag(
            "footer",
            "Plays and loads are Wistia's own daily counts; viewers and watch time come from its sessions. "
            "Days are the account's.",
        ),
    )


def _trust(trust: Trust) -> Markup:
    badge = tag("span", "simulated data", class_="badge") if trust.is_simulated else None
    text = trust.summary
    return tag("p", badge, " " if badge else None, text, class_=f"trust {trust.tone}".strip(), role="status")


def _pages(view: View) -> Iterator[Markup]:
    """All pages one after the other; what several pages show is shown once."""
    shown: set[Section] = set()
    for page in PAGES:
        sections = [section for section in page.sections if section not in shown]
        shown.update(sections)
        inside = _sections(view, sections)
        yield (
            tag("details", tag("summary", tag("h2", page.title)), *inside, class_="page")
            if page.folded
            else join(*inside)
        )


def _sections(view: View, sections: Iterable[Section]) -> Iterator[Markup]:
    for half, group in groupby(sections, lambda section: section.half):
        parts = [
            tag("div" if half else "section", tag("h2", s.title) if s.title else None, *drawn(s.blocks(view)))
            for s in group
        ]
        yield tag("section", *parts, class_="grid2") if half else join(*parts)


def _definitions() -> Markup:
    terms = [part for t in TILES for part in (tag("dt", t.title), tag("dd", definition(t.metric)))]
    return tag("section", tag("h2", "Definitions"), tag("dl", *terms, class_="defs"))
