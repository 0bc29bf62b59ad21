"""The report: one HTML file that asks no network and opens from an e-mail."""

from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from itertools import groupby
from typing import TYPE_CHECKING

from wistlake.quality.metrics import definition
from wistlake.quality.scope import Scope, default_scope
from wistlake_dashboard import locales, words
from wistlake_dashboard.html import Markup, join, tag
from wistlake_dashboard.pictures import SOURCES
from wistlake_dashboard.reader import Reader, extent
from wistlake_dashboard.report.render import drawn
from wistlake_dashboard.sections import APPENDIX, REPORT, Section, View, view
from wistlake_dashboard.tiles import HEADLINE, TILES
from wistlake_dashboard.trust import Trust

if TYPE_CHECKING:
    from wistlake.ports import Query

# Nothing may be loaded, sent or executed: only what stands in the file is shown.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src {images}; base-uri 'none'; form-action 'none'"
)
TITLE = "Wistia engagement"
WEEK = 7  # days of a report, unless others are asked for


def newest_scope(query: "Query") -> Scope | None:
    """The newest days; None while nothing is published."""
    published = extent(query)
    return default_scope(*published, (), WEEK) if published else None


def page(query: "Query", scope: Scope | None, locale: str | None = None, *, pictures: bool = False) -> str:
    """The whole file, with numbers, days and countries as readers of the locale write them. With `pictures`, who opens
    it asks Wistia for those of the videos."""
    with locales.written_for(locale):
        body = _empty() if scope is None else _full(view(Reader(query), scope, pictures=pictures))
    style = resources.files("wistlake_dashboard.report").joinpath("style.css").read_text(encoding="utf-8")
    head = join(
        tag("meta", charset="utf-8"),
        tag(
            "meta",
            http_equiv="Content-Security-Policy",
            content=POLICY.format(images=SOURCES if pictures else "data:"),
        ),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("title", TITLE),
        tag("style", Markup(style)),
    )
    return "<!doctype html>\n" + tag("html", tag("head", head), tag("body", tag("main", body)), lang="en")


def _empty() -> Markup:
    text = "Nothing is published yet: the first finished day appears after the first run."
    return join(tag("h1", TITLE), tag("p", text, class_="empty"))


def _full(view: View) -> Markup:
    gaps, trusted = view.gaps(compared=True), view.trust
    appendix = (
        tag("h3", "Definitions"),
        _definitions(),
        tag("h3", "Data quality"),
        tag("p", trusted.summary, class_=f"trust {trusted.tone}".strip()),
        tag("ul", *(tag("li", line) for line in gaps), class_="gaps") if gaps else None,
        *_sections(view, APPENDIX, "h3"),
        tag(
            "footer",
            "Plays and loads are Wistia's own daily counts; viewers and watch time come from its sessions. "
            "Days are in your account's time zone.",
        ),
    )
    return join(
        tag("p", TITLE, _chip(trusted, gaps), class_="top"),
        *_sections(view, REPORT, "h2"),
        tag("section", tag("h2", "Appendix"), *appendix, class_="page"),
    )


def _chip(trusted: Trust, gaps: Sequence[str]) -> Markup:
    """What a reader must know before any number, in a few words; the appendix says the rest."""
    chips = [tag("span", "simulated data", class_="chip warn")] if trusted.is_simulated else []
    if gaps:
        chips.append(tag("span", words.plural(len(gaps), "gap"), ", see the appendix", class_="chip warn"))
    if trusted.tone == "bad":
        chips.append(tag("span", "failed days, see the appendix", class_="chip bad"))
    elif trusted.broken or trusted.quarantined:
        chips.append(tag("span", "broken checks, see the appendix", class_="chip warn"))
    return join(*(join(" ", chip) for chip in chips))


def _sections(view: View, sections: Iterable[Section], level: str) -> Iterator[Markup]:
    shown = [(section, content) for section in sections if (content := section.blocks(view))]
    for half, group in groupby(shown, lambda pair: pair[0].half):
        parts = [
            tag("div" if half else "section", tag(level, s.title) if s.title else None, *drawn(content))
            for s, content in group
        ]
        yield tag("section", *parts, class_="grid2") if half else join(*parts)


def _definitions() -> Markup:
    shown = dict.fromkeys((*HEADLINE, *TILES))
    terms = [part for t in shown for part in (tag("dt", t.title), tag("dd", definition(t.metric)))]
    return tag("dl", *terms, class_="defs")
