"""How a period went: headline numbers, days, media, and how far people came."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import zip_longest
from typing import TYPE_CHECKING

from wistlake_dashboard import blocks, figures, gaps, words
from wistlake_dashboard.blocks import Block, Column, Days, Heading, Kind, Table, Text, measure
from wistlake_dashboard.changes import changes
from wistlake_dashboard.figures import Comparison, Totals
from wistlake_dashboard.reader import Row
from wistlake_dashboard.retention import Retention, retention
from wistlake_dashboard.scope import Scope
from wistlake_dashboard.sections.section import DAY, MEDIA, Section, View, listing
from wistlake_dashboard.tiles import PLAYS, PLAYS_IN_SESSIONS, tiles

if TYPE_CHECKING:
    from wistlake.ports import Query

MOST_CURVES = 8


def _headline(view: View, compared: Comparison) -> list[Block]:
    before = view.scope.before
    against = f"Changes are against {words.span(before.start, before.end)}."
    return [
        blocks.Numbers([tile.number(compared.whole) for tile in tiles(view.scope)]),
        Text(against if compared.is_possible else gaps.NO_COMPARISON),
    ]


def _both_periods(query: "Query", scope: Scope) -> dict[date, Totals]:
    return figures.by_day(query, scope.with_before)


def _by_day(
    view: View, compared: Comparison, totals: Mapping[date, Totals], events: Sequence[Row]
) -> list[Block]:
    scope = view.scope.with_before if compared.is_possible else view.scope
    days, shaded, shown = scope.days, scope.length - view.scope.length, tiles(view.scope)
    rows: list[Row] = [
        {"day": d} | {t.metric: t.value(totals[d]) if d in totals else None for t in shown} for d in days
    ]
    flags = [blocks.Flag(e["day"], view.name(e["media_id"]), e["what"]) for e in events]
    plays, viewers = shown[:2]
    rate = next(t for t in shown if t.column.kind is Kind.SHARE)
    counts = {t.title: [row[t.metric] for row in rows] for t in (plays, viewers)}
    hours = [None if row["watch_seconds"] is None else row["watch_seconds"] / 3600 for row in rows]
    rates = [row[rate.metric] for row in rows]
    return [
        Days(f"{plays.title} and {viewers.title.lower()} by day", days, counts, Kind.COUNT, shaded, flags),
        *([Text("The shaded days are the period before.")] if shaded else []),
        blocks.Beside(
            _alone("Hours watched", days, hours, Kind.HOURS, shaded),
            _alone(rate.title, days, rates, Kind.SHARE, shaded),
        ),
        Table("days", "By day", (DAY, *(t.column for t in shown)), rows, folded=True, printed=len(rows)),
    ]  # fmt: skip


def _alone(
    title: str, days: Sequence[date], values: Sequence[float | None], kind: Kind, shaded: int
) -> list[Block]:
    return [Heading(title), Days(f"{title} by day", days, {title: values}, kind, shaded)]


def _movers(view: View, compared: Comparison) -> list[Block]:
    rows = [
        {
            "media_id": m, "media": view.name(m), "change": change,
            "before": pair.before.played if pair.before else None, "now": pair.compared.played,
            "note": compared.coverage.notes.get(m, ""),
        }
        for m, change, pair in figures.movers(compared)
    ]  # fmt: skip
    plays = (PLAYS_IN_SESSIONS if view.scope.channels else PLAYS).metric
    note = "New in these days, deleted, or followed in a part of the two periods only."
    columns = (
        MEDIA, replace(measure(plays, "Change in plays", "change"), kind=Kind.CHANGE),
        measure(plays, "Before", "before"), measure(plays, "Now", "now"), Column("note", "Note", meaning=note),
    )  # fmt: skip
    return [Table("movers", "Top movers", columns, rows)] if rows else []


def _media(view: View, compared: Comparison) -> list[Block]:
    notes, (plays, *others) = compared.coverage.notes, tiles(view.scope)
    ordered = sorted(compared.media.items(), key=lambda m: (-m[1].now.played, m[0]))
    rows = [
        {"media_id": m, "media": view.name(m), "change": _change(plays.change(pair), notes.get(m, ""))}
        | {t.metric: t.value(pair.now) for t in (plays, *others)}
        for m, pair in ordered
    ]
    meaning = f"Plays against the period before; no percentage of fewer than {words.LEAST_PLAYS}."
    columns = (
        MEDIA,
        plays.column,
        Column("change", "Change", Kind.CHANGE_IN_WORDS, meaning),
        *(t.column for t in others),
    )
    return [Table("media", "Media", columns, rows)] if rows else []


def _change(change: str, note: str) -> str:
    """The change, and in a word what it must not be taken for."""
    return ", ".join(part for part in (change, note.split(",", maxsplit=1)[0]) if part)


def _funnel(view: View, compared: Comparison) -> list[Block]:
    names = {"loads": "Loads", "plays": "Plays", "sessions": "Sessions"} | {
        f"reached_{mark}": f"Saw {mark} %" for mark in figures.MARKS
    }
    steps = [(names[metric], number) for metric, number in figures.funnel(compared.whole.now)]
    first = steps[0][1]
    if not first:
        return []
    bars = [(name, number, number / first) for name, number in steps]
    of_first = Column("share", "Of the first", Kind.SHARE, "Of the funnel's first step.")
    number = Column("number", "Number", Kind.COUNT, "Loads and plays are times; the marks are sessions.")
    rows = [{"step": name, "number": n, "share": share} for name, n, share in bars]
    caption = (
        "From the sessions of the channels chosen: Wistia's loads and plays are not known by channel."
        if view.scope.channels
        else "Loads and plays are Wistia's daily counts; how far people came is from sessions."
    )
    step = Column("step", "Step")
    return [
        blocks.Bars("How far people came", step, number, of_first, bars),
        Text(caption),
        Table("funnel", "Funnel", (step, number, of_first), rows, folded=True),
    ]


def _retention(view: View, curves: Mapping[str, Retention], compared: Comparison) -> list[Block]:
    def plays(media_id: str) -> int:
        pair = compared.media.get(media_id)
        return pair.now.played if pair else 0

    ordered = sorted(curves.values(), key=lambda c: (-plays(c.media_id), c.media_id))
    columns = [_curve(view, curve) for curve in ordered[:MOST_CURVES]]
    if len(columns) == 1:
        return columns[0]
    rest = len(ordered) - MOST_CURVES
    more = f"The {MOST_CURVES} most played media; {words.plural(rest, 'other')} left out."
    pairs = [
        blocks.Beside(left, right) for left, right in zip_longest(columns[::2], columns[1::2], fillvalue=())
    ]
    return [*([Text(more)] if rest > 0 else []), *pairs]


def _curve(view: View, curve: Retention) -> list[Block]:
    name, last = view.name(curve.media_id), max(1, len(curve.ever) - 1)
    seconds = curve.duration_seconds or len(curve.ever)
    lines = {"Ever": curve.ever} | ({} if curve.lately is None else {"These days": curve.lately})
    meaning = "Share of plays that saw this second."
    columns = (
        Column("second", "At", Kind.CLOCK, "Time into the media."),
        *(Column(line, line, Kind.SHARE, meaning) for line in lines),
    )
    rows = [
        {"second": round(seconds * n / last, 1)} | {line: values[n] for line, values in lines.items()}
        for n in range(len(curve.ever))
    ]
    title = f"Retention of {name}"
    return [
        Heading(name),
        blocks.Curve(title, seconds, lines),
        Text(curve.summary),
        Table(f"retention-{curve.media_id}", title, columns, rows, folded=True, step=max(1, last // 4)),
    ]


HEADLINE = Section("", (figures.compare,), _headline)
BY_DAY = Section("By day", (figures.compare, _both_periods, changes), _by_day)
OVERVIEW = (
    HEADLINE,
    BY_DAY,
    Section(
        "Top movers", (figures.compare,), _movers,
        empty="No plays changed, or there is nothing to compare with.",
    ),
    Section("Media", (figures.compare,), _media),
    listing(
        "Changes to media", changes, "changes", (DAY, MEDIA, Column("what", "What")),
        empty="No media changed in these days.",
    ),
)  # fmt: skip
OF_ONE_MEDIA = (
    HEADLINE,
    BY_DAY,
    Section("Funnel", (figures.compare,), _funnel, empty="Nothing was loaded or played in these days."),
    Section(
        "Retention", (retention, figures.compare), _retention,
        "Share of plays that saw each second: over the media's life, and in these days alone.",
        "No snapshot of the engagement curve in these days, or never played.",
        by_channel=False,
    ),
)  # fmt: skip
