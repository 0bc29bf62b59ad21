"""The report: one HTML file that asks no network and opens from an e-mail."""

from datetime import date
from importlib import resources
from typing import TYPE_CHECKING

from wistlake_dashboard import figures, gaps, words
from wistlake_dashboard.changes import changes
from wistlake_dashboard.definitions import definition
from wistlake_dashboard.figures import Comparison, Pair, Trust
from wistlake_dashboard.periods import usual
from wistlake_dashboard.report import sections
from wistlake_dashboard.report.html import Markup, join, tag
from wistlake_dashboard.scope import Scope
from wistlake_dashboard.tiles import TILES, trust_line

if TYPE_CHECKING:
    from wistlake.ports import Query

# Nothing may be loaded, sent or executed: only what stands in the file is shown.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
BREAKDOWNS = (
    ("channel", "Channels", "Channel"),
    ("country", "Countries", "Country"),
    ("device", "Devices", "Device"),
    ("embed", "Embedded on", "Host"),
)
TITLE = "Wistia engagement"


def chosen_scope(
    query: "Query", start: date | None = None, end: date | None = None, media: tuple[str, ...] = ()
) -> Scope | None:
    """The days asked for, or the usual newest ones; None while nothing is published."""
    extent = figures.extent(query)
    if extent is None:
        return None
    last = end or extent[1]
    return Scope(start, last, media) if start else usual(extent[0], max(extent[0], last), media)


def page(query: "Query", scope: Scope | None) -> str:
    """The whole file."""
    body = _empty() if scope is None else _full(query, scope)
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
    return join(
        tag("h1", TITLE),
        tag(
            "p",
            "Nothing is published yet: the first finished day appears after the first run.",
            class_="empty",
        ),
    )


def _full(query: "Query", scope: Scope) -> Markup:
    names = figures.names(query)
    compared = figures.compare(query, scope)
    drawn = scope.with_before if compared.whole.before else scope
    notes = changes(query, scope)
    shaded = drawn.length - scope.length
    return join(
        tag("h1", TITLE),
        tag("p", _period(scope, compared.whole), class_="soft"),
        _trust(figures.trust(query, scope)),
        _gaps(compared, names),
        sections.tiles(compared.whole),
        sections.by_day(figures.by_day(query, drawn), drawn, shaded, notes, names),
        sections.movers(compared, names),
        sections.media(compared, names),
        sections.retention(figures.retention(query, scope), compared, names),
        tag(
            "section",
            *(sections.breakdown(*b, figures.breakdown(query, b[0], scope)) for b in BREAKDOWNS),
            class_="grid2",
        ),
        sections.changes(notes, names),
        _definitions(),
        tag(
            "footer",
            "Plays and loads are Wistia's own daily counts; viewers and watch time come from its sessions. "
            "Days are the account's.",
        ),
    )


def _period(scope: Scope, whole: Pair) -> str:
    said = words.span(scope.start, scope.end)
    return f"{said}, beside {words.span(scope.before.start, scope.before.end)}" if whole.before else said


def _gaps(compared: Comparison, names: sections.Names) -> Markup | None:
    """What the figures below lack, or None."""
    is_compared = compared.whole.before is not None
    lines = gaps.sentences(compared.coverage, names, compared=is_compared)
    if not is_compared:
        lines.append(gaps.NO_COMPARISON)
    return tag("ul", *(tag("li", line) for line in lines), class_="gaps") if lines else None


def _trust(trust: Trust) -> Markup:
    tone, said = trust_line(trust)
    badge = tag("span", "simulated data", class_="badge") if trust.is_simulated else None
    return tag("p", badge, " " if badge else None, said, class_=f"trust {tone}".strip(), role="status")


def _definitions() -> Markup:
    terms = [part for t in TILES for part in (tag("dt", t.title), tag("dd", definition(t.metric)))]
    return tag("section", tag("h2", "Definitions"), tag("dl", *terms, class_="defs"))
