"""The report: one HTML file that asks no network and opens from an e-mail."""

from collections.abc import Iterable, Sequence
from datetime import date
from importlib import resources
from typing import TYPE_CHECKING

from wistlake_dashboard import figures, words
from wistlake_dashboard.definitions import definition
from wistlake_dashboard.figures import Comparison, Pair, Retention, Row, Trust
from wistlake_dashboard.periods import usual
from wistlake_dashboard.report import svg
from wistlake_dashboard.report.html import Markup, join, tag
from wistlake_dashboard.scope import Scope
from wistlake_dashboard.tiles import TILES, Tile, trust_line

if TYPE_CHECKING:
    from wistlake.ports import Query

# Nothing may be loaded, sent or executed: only what stands in the file is shown.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
BREAKDOWNS = (
    ("channel", "Channels"),
    ("country", "Countries"),
    ("device", "Devices"),
    ("embed", "Embedded on"),
)
MOST_CURVES = 8


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
        tag("title", "Wistia engagement"),
        tag("style", Markup(style)),
    )
    return "<!doctype html>\n" + tag("html", tag("head", head), tag("body", tag("main", body)), lang="en")


def _empty() -> Markup:
    return join(
        tag("h1", "Wistia engagement"),
        tag(
            "p",
            "Nothing is published yet: the first finished day appears after the first run.",
            class_="empty",
        ),
    )


def _full(query: "Query", scope: Scope) -> Markup:
    names = {m: row["title"] or m for m, row in figures.media(query).items()}
    compared = figures.compare(query, scope)
    notes = figures.changes(query, scope)
    return join(
        tag("h1", "Wistia engagement"),
        tag("p", words.span(scope.start, scope.end), class_="soft"),
        _trust(figures.trust(query, scope)),
        _tiles(compared.whole),
        _by_day(query, scope, notes),
        _media(compared, names),
        _movers(compared, names),
        _retention(figures.retention(query, scope), names),
        tag("section", *(_breakdown(query, scope, *b) for b in BREAKDOWNS), class_="grid2"),
        _changes(notes, names),
        _definitions(),
        tag(
            "footer",
            "Plays and loads are Wistia's own daily counts; viewers and watch time come from its sessions. "
            "Days are the account's.",
        ),
    )


def _trust(trust: Trust) -> Markup:
    tone, said = trust_line(trust)
    badge = tag("span", "simulated data", class_="badge") if trust.is_simulated else None
    return tag("p", badge, " " if badge else None, said, class_=f"trust {tone}".strip(), role="status")


def _tiles(whole: Pair) -> Markup:
    return tag("dl", *(_tile(whole, t) for t in TILES), class_="tiles")


def _tile(whole: Pair, tile: Tile) -> Markup:
    moved = tile.moved(whole)
    direction = "up" if moved.startswith("+") else "down" if moved.startswith("−") else "soft"
    return tag(
        "div",
        tag("dt", tile.title),
        tag("dd", tile.now(whole), class_="value"),
        tag("dd", f"{moved} on the period before" if moved else "", class_=f"change {direction}"),
        tag("dd", definition(tile.metric), class_="tip", role="tooltip"),
        class_="tile",
        tabindex=0,
    )


def _by_day(query: "Query", scope: Scope, notes: Sequence[Row]) -> Markup:
    found = figures.by_day(query, scope)
    days = scope.days
    labels = [f"{d.day} {d:%b}" for d in days]
    plays = [found[d].plays if d in found else None for d in days]
    viewers = [found[d].unique_viewers if d in found else None for d in days]
    drawn = [
        svg.Line("Plays", "a", plays, _tips(labels, plays, "plays")),
        svg.Line("Unique viewers", "b", viewers, _tips(labels, viewers, "viewers")),
    ]
    flags = [
        (days.index(n["day"]), f"{n['title'] or n['media_id']}: {n['what']}")
        for n in notes
        if n["day"] in days
    ]
    rows = [
        (words.day(d), words.count(found[d].plays), words.count(found[d].unique_viewers),
         words.share(found[d].play_rate), words.duration(found[d].watch_seconds))
        for d in days if d in found
    ]  # fmt: skip
    head = ("Day", "Plays", "Unique viewers", "Play rate (estimate)", "Watch time")
    return tag(
        "section",
        tag("h2", "Plays and viewers by day"),
        _key(drawn),
        svg.lines("Plays and unique viewers by day", drawn, labels, words.count, flags),
        tag("details", tag("summary", "As a table"), _table(head, rows)),
    )


def _tips(labels: Sequence[str], values: Sequence[float | None], noun: str) -> list[str]:
    return [f"{label}: {words.count(value)} {noun}" for label, value in zip(labels, values, strict=True)]


def _key(drawn: Iterable[svg.Line]) -> Markup:
    return tag("ul", *(tag("li", line.name, class_=line.class_) for line in drawn), class_="key")


def _media(compared: Comparison, names: dict[str, str]) -> Markup:
    ordered = sorted(compared.media.items(), key=lambda m: (-(m[1].now.plays or 0), m[0]))
    rows = [
        (names.get(m, m), words.count(p.now.plays), words.count(p.now.unique_viewers), words.share(p.now.play_rate),
         words.duration(p.now.watch_seconds), words.share(p.now.completion))
        for m, p in ordered
    ]  # fmt: skip
    head = ("Media", "Plays", "Viewers", "Play rate (estimate)", "Watch time", "Completion")
    return tag("section", tag("h2", "Media"), _table(head, rows))


def _movers(compared: Comparison, names: dict[str, str]) -> Markup | None:
    moved = figures.movers(compared)
    if not moved:
        return None
    rows = [
        (names.get(m, m), words.signed(change), words.count(p.before.plays if p.before else None),
         words.count(p.now.plays))
        for m, change, p in moved
    ]  # fmt: skip
    return tag(
        "section", tag("h2", "Top movers"), _table(("Media", "Change in plays", "Before", "Now"), rows)
    )


def _retention(curves: dict[str, Retention], names: dict[str, str]) -> Markup | None:
    shown = list(curves.values())[:MOST_CURVES]
    if not shown:
        return None
    return tag(
        "section",
        tag("h2", "Retention"),
        tag("p", "Views of each second per play: over the media's life, and in this period.", class_="soft"),
        tag("div", *(_curve(c, names) for c in shown), class_="grid2"),
    )


def _curve(curve: Retention, names: dict[str, str]) -> Markup:
    points = len(curve.ever)
    length = curve.duration_seconds or points
    labels = [words.clock(length * at / max(1, points - 1)) for at in range(points)]
    drawn = [svg.Line("ever", "c", curve.ever)]
    if curve.lately is not None:
        drawn.append(svg.Line("this period", "a", curve.lately))
    why = (
        None if curve.lately is not None else tag("p", f"This period alone: {curve.verdict}.", class_="soft")
    )
    name = names.get(curve.media_id, curve.media_id)
    return tag(
        "div",
        tag("h3", name),
        _key(drawn),
        svg.lines(f"Retention of {name}", drawn, labels, words.share),
        why,
    )


def _breakdown(query: "Query", scope: Scope, name: str, title: str) -> Markup:
    found = figures.shares(figures.breakdown(query, name, scope))
    rows = [
        (
            label,
            words.count(n),
            words.share(portion),
            svg.bar(portion, "warn" if label == figures.UNCLASSIFIED else ""),
        )
        for label, n, portion in found
    ]
    shown = _table(("", "Plays", "Share", ""), rows) if rows else tag("p", "Nothing played.", class_="soft")
    return tag("div", tag("h2", title), shown)


def _changes(notes: Sequence[Row], names: dict[str, str]) -> Markup | None:
    if not notes:
        return None
    rows = [
        (words.day(n["day"]), str(names.get(n["media_id"], n["media_id"])), str(n["what"])) for n in notes
    ]
    return tag("section", tag("h2", "Changes to media"), _table(("Day", "Media", "What"), rows))


def _definitions() -> Markup:
    terms = [part for t in TILES for part in (tag("dt", t.title), tag("dd", definition(t.metric)))]
    return tag("section", tag("h2", "Definitions"), tag("dl", *terms, class_="defs"))


def _table(head: Sequence[str], rows: Iterable[Sequence[str | Markup]]) -> Markup:
    top = tag(
        "tr", *(tag("th", name, scope="col", class_="n" if at else None) for at, name in enumerate(head))
    )
    body = [tag("tr", *(_cell(at, value) for at, value in enumerate(row))) for row in rows]
    return tag("div", tag("table", tag("thead", top), tag("tbody", *body)), class_="scroll")


def _cell(at: int, value: str | Markup) -> Markup:
    if isinstance(value, Markup):
        return tag("td", value, class_="w")
    return tag("td", value, class_="n" if at else None)
