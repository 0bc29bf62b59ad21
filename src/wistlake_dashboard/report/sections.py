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


def by_day(
    found: Mapping[date, Totals], scope: Scope, shaded: int, notes: Sequence[Row], names: Names
) -> Markup:
    """Plays and viewers, hours and viewers per load, day by day; the first `shaded` days lie before the period."""
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
    rates = [line("Viewers per load", "a", lambda t: t.viewers_per_load, words.share)]
    flags = _flags(days, notes, names)
    before = tag("p", "The shaded days are the period before.", class_="soft") if shaded else None
    head = heads(
        "Day", ("Plays", "plays"), ("Unique viewers", "unique_viewers"), ("Loads", "loads"),
        ("Viewers per load", "viewers_per_load"), ("Watch time", "watch_seconds"),
        ("Completion", "completion_share"),
    )  # fmt: skip
    rows = [(words.day(d), *(_numbers(found[d]) if d in found else _ABSENT)) for d in days]
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
            tag("div", tag("h3", "Viewers per load"),
                svg.lines("Viewers per load by day", rates, labels, _whole, svg.SMALL, (), shaded)),
            class_="grid2",
        ),
        folded("As a table", table("days", "By day", head, rows)),
    )  # fmt: skip


def _flags(days: Sequence[date], notes: Sequence[Row], names: Names) -> list[tuple[int, str]]:
    """One flag for all that changed on a day: two on one spot could not be read."""
    texts: dict[date, list[str]] = {}
    for n in notes:
        texts.setdefault(n["day"], []).append(f"{names.get(n['media_id'], n['media_id'])}: {n['what']}")
    return [(at, "; ".join(texts[day])) for at, day in enumerate(days) if day in texts]


def _numbers(t: Totals) -> tuple[str, ...]:
    return (
        words.count(t.plays), words.count(t.unique_viewers), words.count(t.loads), words.share(t.viewers_per_load),
        words.duration(t.watch_seconds), words.share(t.completion),
    )  # fmt: skip


_ABSENT = (words.NOTHING,) * len(_numbers(Totals()))


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
        (names.get(m, m), *_numbers(p.now)[:1], _change(p, compared.coverage.standing.get(m, "")),
         *_numbers(p.now)[1:])
        for m, p in ordered[:MOST_MEDIA]
    ]  # fmt: skip
    head = heads(
        "Media", ("Plays", "plays"), ("Change", "plays"), ("Viewers", "unique_viewers"), ("Loads", "loads"),
        ("Viewers per load", "viewers_per_load"), ("Watch time", "watch_seconds"),
        ("Completion", "completion_share"),
    )  # fmt: skip
    head[2] = Head(
        "Change", f"Plays against the period before; no percentage of fewer than {words.LEAST_PLAYS}."
    )
    left = len(ordered) - MOST_MEDIA
    rest = tag("p", f"And {words.plural(left, 'other')}.", class_="soft") if left > 0 else None
    return tag("section", tag("h2", "Media"), table("media", "Media", head, rows), rest)


def _change(pair: Pair, standing: str) -> str:
    """The change, and in a word what it must not be taken for."""
    return ", ".join(part for part in (TILES[0].moved(pair), standing.split(",", maxsplit=1)[0]) if part)


def movers(compared: Comparison, names: Names) -> Markup | None:
    """The media that gained or lost the most."""
    moved = figures.movers(compared)
    if not moved:
        return None
    rows = [
        (names.get(m, m), words.signed(change), words.count(p.before.plays if p.before else None),
         words.count(p.compared.plays), compared.coverage.standing.get(m, ""))
        for m, change, p in moved
    ]  # fmt: skip
    head = heads("Media", ("Change in plays", "plays"), ("Before", "plays"), ("Now", "plays"))
    head.append(Head("Note", "New in these days, deleted, or followed in a part of the two periods only."))
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
    said = "Share of plays that saw each second: over the media's life, and in these days alone."
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
    head = [Head("At"), *(Head(line.name, "Share of plays that saw this second.") for line in drawn)]
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
    return tag("div", tag("h2", title), _unclassified(found) if name == "channel" and rows else None, shown)


def _tone(label: str) -> str:
    return "warn" if label == figures.UNCLASSIFIED else ""


def _unclassified(found: Sequence[Row]) -> Markup:
    share = words.share(figures.share_of(found, figures.UNCLASSIFIED))
    said = f"{share} unclassified. Plays in a platform's own player are invisible to Wistia."
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
