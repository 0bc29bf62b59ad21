"""The report's sections, each a function of figures."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from wistlake_dashboard import figures, words
from wistlake_dashboard.definitions import definition
from wistlake_dashboard.figures import Comparison, Pair, Retention, Row, Totals
from wistlake_dashboard.report import svg
from wistlake_dashboard.report.html import Markup, tag
from wistlake_dashboard.report.parts import Head, folded, heads, key, table, term
from wistlake_dashboard.scope import Scope
from wistlake_dashboard.tiles import TILES, Tile

MOST_CURVES, MOST_MEDIA = 8, 50
Names = Mapping[str, str]
SHARE = Head("Share", "Of all plays in sessions of these days.")


def tiles(whole: Pair) -> Markup:
    """The headline numbers, and what changed."""
    return tag("dl", *(_tile(whole, t) for t in TILES), class_="tiles")


def _tile(whole: Pair, tile: Tile) -> Markup:
    moved = tile.moved(whole)
    direction = "up" if moved.startswith("+") else "down" if moved.startswith("−") else "soft"
    title, meaning = term(tile.title, definition(tile.metric), f"tile-{tile.metric}")
    return tag(
        "div",
        tag("dt", title, meaning),
        tag("dd", tile.now(whole), class_="value"),
        tag("dd", moved, tag("span", " on the period before", class_="aside"), class_=f"change {direction}")
        if moved
        else None,
        class_="tile",
    )


def by_day(found: Mapping[date, Totals], scope: Scope, shaded: int, notes: Sequence[Row]) -> Markup:
    """Plays and viewers, hours and play rate, day by day; the first `shaded` days lie before the period."""
    days = scope.days
    labels = [f"{d.day} {d:%b}" for d in days]

    def line(name: str, class_: str, of: Callable[[Totals], float | None], write: svg.Write) -> svg.Line:
        values = [of(found[d]) if d in found else None for d in days]
        tips = [f"{label}: {write(v)}, {name.lower()}" for label, v in zip(labels, values, strict=True)]
        return svg.Line(name, class_, values, tips)

    counts = [
        line("Plays", "a", lambda t: t.plays, words.count),
        line("Unique viewers", "b", lambda t: t.unique_viewers, words.count),
    ]
    hours = [line("Hours watched", "a", lambda t: t.watch_hours, _hours)]
    rates = [line("Play rate (est.)", "a", lambda t: t.play_rate, words.share)]
    flags = [
        (days.index(n["day"]), f"{n['title'] or n['media_id']}: {n['what']}")
        for n in notes
        if n["day"] in days
    ]
    before = tag("p", "The shaded days are the period before.", class_="soft") if shaded else None
    head = heads(
        "Day", ("Plays", "plays"), ("Unique viewers", "unique_viewers"), ("Loads", "loads"),
        ("Play rate (est.)", "play_rate_estimated"), ("Watch time", "watch_seconds"),
        ("Completion", "completion_share"),
    )  # fmt: skip
    rows = [(words.day(d), *_numbers(found[d])) for d in days if d in found]
    return tag(
        "section",
        tag("h2", "By day"),
        key(counts),
        svg.lines("Plays and unique viewers by day", counts, labels, words.count, svg.WIDE, flags, shaded),
        before,
        tag(
            "div",
            tag("div", tag("h3", "Hours watched"),
                svg.lines("Hours watched by day", hours, labels, _hours, svg.SMALL, (), shaded)),
            tag("div", tag("h3", "Play rate (est.)"),
                svg.lines("Play rate (estimate) by day", rates, labels, _whole, svg.SMALL, (), shaded)),
            class_="grid2",
        ),
        folded("As a table", table("days", "By day", head, rows)),
    )  # fmt: skip


def _numbers(t: Totals) -> tuple[str, ...]:
    return (
        words.count(t.plays), words.count(t.unique_viewers), words.count(t.loads), words.share(t.play_rate),
        words.duration(t.watch_seconds), words.share(t.completion),
    )  # fmt: skip


def _hours(value: float | None) -> str:
    if value is None:
        return words.NOTHING
    return f"{value:,.1f}".removesuffix(".0") if value >= 1 else f"{value:.2g}"


def _whole(value: float | None) -> str:
    return words.NOTHING if value is None else f"{100 * value:.0f} %"


def media(compared: Comparison, names: Names) -> Markup:
    """Every media's numbers, most played first."""
    ordered = sorted(compared.media.items(), key=lambda m: (-(m[1].now.plays or 0), m[0]))
    rows = [
        (names.get(m, m), *_numbers(p.now)[:1], words.change(p.now.plays, p.before.plays) if p.before else "",
         *_numbers(p.now)[1:])
        for m, p in ordered[:MOST_MEDIA]
    ]  # fmt: skip
    head = heads(
        "Media", ("Plays", "plays"), ("Change", "plays"), ("Viewers", "unique_viewers"), ("Loads", "loads"),
        ("Play rate (est.)", "play_rate_estimated"), ("Watch time", "watch_seconds"),
        ("Completion", "completion_share"),
    )  # fmt: skip
    head[2] = Head("Change", "Plays against the period before.")
    left = len(ordered) - MOST_MEDIA
    rest = tag("p", f"And {words.plural(left, 'other')}.", class_="soft") if left > 0 else None
    return tag("section", tag("h2", "Media"), table("media", "Media", head, rows), rest)


def movers(compared: Comparison, names: Names) -> Markup | None:
    """The media that gained or lost the most."""
    moved = figures.movers(compared)
    if not moved:
        return None
    rows = [
        (names.get(m, m), words.signed(change), words.count(p.before.plays if p.before else None),
         words.count(p.now.plays))
        for m, change, p in moved
    ]  # fmt: skip
    head = heads("Media", ("Change in plays", "plays"), ("Before", "plays"), ("Now", "plays"))
    return tag("section", tag("h2", "Top movers"), table("movers", "Top movers", head, rows))


def retention(curves: Mapping[str, Retention], compared: Comparison, names: Names) -> Markup | None:
    """The curves of the most played media, and how they moved."""

    def plays(media_id: str) -> int:
        pair = compared.media.get(media_id)
        return (pair.now.plays or 0) if pair else 0

    ordered = sorted(curves.values(), key=lambda c: (-plays(c.media_id), c.media_id))
    if not ordered:
        return None
    left = len(ordered) - MOST_CURVES
    said = "Views of each second per play: over the media's life, and in these days alone."
    if left > 0:
        said += f" The {MOST_CURVES} most played media; {words.plural(left, 'other')} left out."
    return tag(
        "section",
        tag("h2", "Retention"),
        tag("p", said, class_="soft"),
        tag("div", *(_curve(c, names) for c in ordered[:MOST_CURVES]), class_="grid2"),
    )


def _curve(curve: Retention, names: Names) -> Markup:
    points = len(curve.ever)
    length = curve.duration_seconds or points
    labels = [words.clock(length * at / max(1, points - 1)) for at in range(points)]
    drawn = [svg.Line("Ever", "c", curve.ever)]
    if curve.lately is not None:
        drawn.append(svg.Line("These days", "a", curve.lately))
    name = names.get(curve.media_id, curve.media_id)
    marks = [round(share * (points - 1)) for share in (0, 0.25, 0.5, 0.75, 1)]
    rows = [(labels[at], *(words.share(line.values[at]) for line in drawn)) for at in dict.fromkeys(marks)]
    head = [Head("At"), *(Head(line.name, "Views of this second per play.") for line in drawn)]
    return tag(
        "div",
        tag("h3", name),
        key(drawn),
        svg.lines(f"Retention of {name}", drawn, labels, _whole, svg.SMALL),
        tag("p", curve.moved, class_="soft"),
        folded("As a table", table(f"curve-{curve.media_id}", f"Retention of {name}", head, rows)),
    )


def breakdown(name: str, title: str, one: str, found: Sequence[Row]) -> Markup:
    """Shares of plays by one dimension."""
    shares = figures.shares(found)
    rows = [
        (label, words.count(n), words.share(portion), svg.bar(portion, _tone(label)))
        for label, n, portion in shares
    ]
    head = [*heads(one, ("Plays in sessions", "plays_from_events")), SHARE, Head("")]
    shown = table(name, title, head, rows) if rows else tag("p", "Nothing played.", class_="soft")
    return tag("div", tag("h2", title), _unclassified(shares) if name == "channel" and rows else None, shown)


def _tone(label: str) -> str:
    return "warn" if label == figures.UNCLASSIFIED else ""


def _unclassified(shares: Sequence[tuple[str, int, float]]) -> Markup:
    share = next((s for name, _, s in shares if name == figures.UNCLASSIFIED), 0.0)
    said = f"{words.share(share)} unclassified. Plays in a platform's own player are invisible to Wistia."
    return tag("p", said, class_="soft")


def changes(notes: Sequence[Row], names: Names) -> Markup | None:
    """What changed about media, day by day; the numbers are those of the chart's flags."""
    if not notes:
        return None
    rows = [(words.day(n["day"]), names.get(n["media_id"], n["media_id"]), str(n["what"])) for n in notes]
    head = [Head("Day"), Head("Media"), Head("What")]
    return tag(
        "section",
        tag("h2", "Changes to media"),
        table("changes", "Changes to media", head, rows),
        class_="text",
    )
