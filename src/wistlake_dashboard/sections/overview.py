"""How a period went: the sentence that answers, headline numbers, days, movers and the most played videos."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

from wistlake.quality.scope import Against, Grain, Scope
from wistlake_dashboard import answer, blocks, figures, gaps, pictures, words
from wistlake_dashboard.answer import Findings
from wistlake_dashboard.blocks import Block, Column, Days, Kind, Table, Text, measure
from wistlake_dashboard.changes import changes
from wistlake_dashboard.coverage import Coverage
from wistlake_dashboard.figures import Comparison, Totals
from wistlake_dashboard.findings import findings
from wistlake_dashboard.names import unique
from wistlake_dashboard.reader import Row
from wistlake_dashboard.sections.section import DAY, MEDIA, Section, View, listing
from wistlake_dashboard.tiles import PLAYS, PLAYS_IN_SESSIONS, headline, tiles, versus
from wistlake_dashboard.traffic import described
from wistlake_dashboard.trust import Trust, trust

if TYPE_CHECKING:
    from wistlake.ports import Query

TOP = 10
REASON = "What moved plays: loads of the player, or plays per load. Of what is within the usual noise, nothing is said."


def _answer(view: View, analysis: Findings, trusted: Trust, compared: Comparison) -> list[Block]:
    sentence = (
        answer.sentence(analysis, view.names) if trusted.published else "Nothing is published of these days."
    )
    return [blocks.Answer(sentence, _note(view.scope, trusted, compared.coverage))]


def _note(scope: Scope, trusted: Trust, cover: Coverage) -> str:
    """How far the numbers reach, which of them may still change, and what is missing."""
    period = f"{words.span(scope.start, scope.end)} (through {words.weekday(scope.end)})"
    if not trusted.published:
        return f"{period}."
    stability = trusted.stability(scope, cover)
    return f"{period}; {stability}." if trusted.open else f"{period}. {stability[0].upper()}{stability[1:]}."


def daily(query: "Query", scope: Scope) -> dict[date, Totals]:
    """Each day of both periods."""
    return figures.by_day(query, replace(scope.with_before, grain=Grain.DAY))


def _by_grain(query: "Query", scope: Scope) -> tuple[dict[date, Totals], dict[date, Totals]]:
    """The period and the one before by the chosen grain."""
    return figures.by_day(query, scope), figures.by_day(query, scope.before)


def _headline(view: View, compared: Comparison, by_day: Mapping[date, Totals]) -> list[Block]:
    shown = headline(view.scope, compared.whole)
    numbers = blocks.Numbers([t.number(compared.whole, view.scope, by_day) for t in shown])
    return [numbers, *([] if compared.is_possible else [Text(gaps.NO_COMPARISON)])]


_Both = tuple[Mapping[date, Totals], Mapping[date, Totals]]


def _by_day(
    view: View, compared: Comparison, totals: _Both, events: Sequence[Row], trusted: Trust
) -> list[Block]:
    scope, (now, before) = view.scope, totals
    plays, *others = tiles(scope)
    points, points_before = _points(scope, now), _points(scope.before, before)
    flags = [
        blocks.Flag(_point(points, e["day"]), view.name(e["media_id"]), e["what"]) for e in events if points
    ]
    compare = compared.is_possible
    chart = Days(
        f"{plays.title} by {scope.grain}", points, {plays.title: [_value(now, d, plays.metric) for d in points]},
        Kind.COUNT, flags,
        {plays.title: [_value(before, d, plays.metric) for d in points_before[: len(points)]]} if compare else {},
        points_before[: len(points)] if compare else (),
        frozenset(_point(points, d) for d in trusted.open) if points else frozenset(),
        _clicks(scope, points),
    )  # fmt: skip
    rows: list[Row] = [
        {"day": d, "before": _value(before, b, plays.metric) if b and compare else None}
        | {t.metric: _value(now, d, t.metric) for t in (plays, *others)}
        for d, b in zip_longest(points, points_before[: len(points)])
    ]
    earlier = replace(plays.column, key="before", title=f"{plays.title} before")
    columns = (DAY, plays.column, earlier, *(t.column for t in others))
    note = ["Hollow: may still change."] if chart.open else []
    note += [f"Dashed: {_dashed(scope)}."] if compare else []
    return [
        chart,
        *([Text(" ".join(note))] if note else []),
        *_notes(flags),
        Table("days", f"By {scope.grain}", columns, rows, folded=True, printed=len(rows)),
    ]


def _dashed(scope: Scope) -> str:
    period = words.span(scope.before.start, scope.before.end)
    return (
        f"the same days a year before ({period})"
        if scope.against is Against.YEAR
        else f"previous period ({period})"
    )


def _clicks(scope: Scope, points: Sequence[date]) -> dict[int, blocks.Click]:
    """What each point stands for: its days, unless they are all that is shown."""
    if len(points) < 2:
        return {}
    lasts = [*(day - timedelta(days=1) for day in points[1:]), scope.end]
    return {n: ("days", f"{max(points[n], scope.start)}/{last}") for n, last in enumerate(lasts)}


MOST_NOTES = 6


def _notes(flags: Sequence[blocks.Flag]) -> list[Block]:
    """What happened on which day, in the order of the flags' numbers."""
    days = list(dict.fromkeys(f.day for f in sorted(flags, key=lambda f: f.day)))
    lines = [
        f"{n}. {words.day(day)}: {'; '.join(f'{f.name}: {f.what}' for f in flags if f.day == day)}"
        for n, day in enumerate(days, 1)
    ]
    rest = len(lines) - MOST_NOTES
    if rest > 0:
        lines = [*lines[:MOST_NOTES], f"And {words.plural(rest, 'other day')} with changes."]
    return [blocks.Notes(lines)] if lines else []


def _points(scope: Scope, totals: Mapping[date, Totals]) -> list[date]:
    """The points of an axis: every day, or the first days of weeks or months."""
    if scope.grain is Grain.DAY:
        return scope.days
    if scope.grain is Grain.WEEK:
        return scope.days[::7]
    return sorted(totals)


def _point(points: Sequence[date], day: date) -> date:
    """The point that a day belongs to."""
    return max((p for p in points if p <= day), default=points[0])


def _value(totals: Mapping[date, Totals], day: date, metric: str) -> float | None:
    return getattr(totals[day], metric) if day in totals else None


def _movers(view: View, compared: Comparison, analysis: Findings) -> list[Block]:
    rows = [
        {
            "media_id": m, "media": view.name(m), "change": change,
            "before": pair.before.played if pair.before else None, "now": pair.compared.played,
            "why": _reason(analysis, m, compared.coverage.notes.get(m, "")),
        }
        for m, change, pair in figures.movers(compared)
    ]  # fmt: skip
    plays = (PLAYS_IN_SESSIONS if view.scope.channels else PLAYS).metric
    columns = (
        MEDIA, replace(measure(plays, "Change in plays", "change"), kind=Kind.CHANGE),
        measure(plays, "Before", "before"), measure(plays, "Now", "now"), Column("why", "Why", meaning=REASON),
    )  # fmt: skip
    return [Table("movers", "Movers", columns, rows)] if rows else []


def _reason(analysis: Findings, media_id: str, note: str) -> str:
    if note:
        return note
    moved = analysis.media.get(media_id)
    if moved is None:
        return ""
    return answer.cause(moved) if moved.plays.is_clear else "within the usual noise"


def _media(
    view: View, compared: Comparison, media: Mapping[str, Row], *, most: int | None = None
) -> list[Block]:
    notes, (plays, *others) = compared.coverage.notes, tiles(view.scope)
    ordered = sorted(compared.media.items(), key=lambda m: (-m[1].now.played, m[0]))[:most]
    shorter = unique({m: view.name(m) for m, _ in ordered}, 80)
    rows = [
        {"media_id": m, "media": shorter[m], "change": _change(plays.change(pair), notes.get(m, ""))}
        | {"link": (media.get(m) or {}).get("url"), "picture": _picture(view, media, m)}
        | {t.metric: t.value(pair.now) for t in (plays, *others)}
        for m, pair in ordered
    ]
    meaning = f"Plays {versus(view.scope)}; no percentage of fewer than {words.LEAST_PLAYS}."
    shown = [t for t in others if most is None or t.metric in ("average_viewed_share", "watch_seconds")]
    columns = (
        MEDIA,
        *([Column("picture", "Picture", Kind.PICTURE)] if any(r["picture"] for r in rows) else []),
        replace(plays.column, bar=True),
        Column("change", "Change", Kind.CHANGE_IN_WORDS, meaning),
        *(t.column for t in shown),
        *([Column("link", "At Wistia", Kind.LINK)] if any(r["link"] for r in rows) else []),
    )
    rest = len(compared.media) - len(rows)
    more = (
        [Text(f"{words.plural(rest, 'other video')}: in the dashboard, and in its CSV file.")] if rest else []
    )
    name = "media" if most is None else "top"
    return [Table(name, "Videos", columns, rows, opens="media_id", printed=len(rows)), *more] if rows else []


def _picture(view: View, media: Mapping[str, Row], media_id: str) -> str | None:
    return pictures.address(media[media_id]["thumbnail_url"]) if view.pictures and media_id in media else None


def of_one_media(view: View, media: Mapping[str, Row]) -> list[Block]:
    """The picture of the video that is looked at."""
    return [blocks.Picture(url, view.name(m)) for m in view.scope.media if (url := _picture(view, media, m))]


def _change(change: str, note: str) -> str:
    """The change, and in a word what it must not be taken for."""
    return ", ".join(part for part in (change, note.split(",", maxsplit=1)[0]) if part)


PICTURE = Section("", (described,), of_one_media, empty="")
ANSWER = Section("", (findings, trust, figures.compare), _answer)
HEADLINE = Section("", (figures.compare, daily), _headline)
BY_DAY = Section("Plays over time", (figures.compare, _by_grain, changes, trust), _by_day)
MOVERS = Section(
    "What moved", (figures.compare, findings), _movers,
    empty="No plays changed, or there is nothing to compare with.",
)  # fmt: skip
TOP_TEN = Section("Top ten videos", (figures.compare, described), partial(_media, most=TOP))
VIDEOS = (
    Section(
        "All videos", (figures.compare, described), _media, "The box at the left of a row opens the video."
    ),
)
CHANGES = listing(
    "What changed at Wistia", changes, "changes", (DAY, MEDIA, Column("what", "What")),
    empty="No media changed in these days.",
)  # fmt: skip
OVERVIEW = (ANSWER, HEADLINE, BY_DAY, MOVERS, TOP_TEN)
