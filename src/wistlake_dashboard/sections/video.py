"""One video: how far people came, where they left, before and after a change, and among its like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import zip_longest
from typing import TYPE_CHECKING

from wistlake.quality.scope import Against, Scope
from wistlake_dashboard import blocks, curves, figures, traffic, words
from wistlake_dashboard.blocks import Block, Column, Heading, Kind, Table, Text
from wistlake_dashboard.changes import SWAPPED, changes
from wistlake_dashboard.figures import Comparison
from wistlake_dashboard.reader import Row, extent, once
from wistlake_dashboard.retention import Retention, retention
from wistlake_dashboard.sections.overview import BY_DAY, HEADLINE, PICTURE
from wistlake_dashboard.sections.section import Section, View
from wistlake_dashboard.tiles import COMPLETION, ENGAGEMENT, PLAYS_PER_LOAD, Tile, tiles

if TYPE_CHECKING:
    from wistlake.ports import Query

MOST_CURVES = 3
LONGEST_SPLIT = 28  # days before and after


def _funnel(view: View, compared: Comparison) -> list[Block]:
    names = {"loads": "Loads", "plays": "Plays", "sessions": "Plays"} | {
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


def _engagement(view: View, curves_by_media: Mapping[str, Retention], compared: Comparison) -> list[Block]:
    def plays(media_id: str) -> int:
        pair = compared.media.get(media_id)
        return pair.now.played if pair else 0

    ordered = sorted(curves_by_media.values(), key=lambda c: (-plays(c.media_id), c.media_id))
    columns = [_curve(view, curve) for curve in ordered[:MOST_CURVES]]
    if len(columns) == 1:
        return columns[0]
    rest = len(ordered) - MOST_CURVES
    more = f"The {MOST_CURVES} most played videos; {words.plural(rest, 'other')} left out."
    pairs = [
        blocks.Beside(left, right) for left, right in zip_longest(columns[::2], columns[1::2], fillvalue=())
    ]
    return [*pairs, *([Text(more)] if rest > 0 else [])]


def _curve(view: View, curve: Retention) -> list[Block]:
    name, last = view.name(curve.media_id), max(1, len(curve.ever) - 1)
    seconds = curve.duration_seconds or len(curve.ever)
    lines = {"All time": curve.ever} | ({} if curve.lately is None else {"This period": curve.lately})
    seen = curve.ever if curve.lately is None else curve.lately
    marks = [*curves.drops(seen, seconds), *curves.replays(curve.again, seconds)]
    meaning = "Share of plays that saw this second."
    columns = (
        Column("second", "At", Kind.CLOCK, "Time into the media."),
        *(Column(line, line, Kind.SHARE, meaning) for line in lines),
    )
    rows = [
        {"second": round(seconds * n / last, 1)} | {line: values[n] for line, values in lines.items()}
        for n in range(len(curve.ever))
    ]
    title = f"Engagement of {name}"
    summary = ". ".join(mark.what for mark in marks)
    return [
        Heading(name),
        *([Text(f"{summary}.")] if summary else []),
        blocks.Curve(title, seconds, lines, marks),
        Text(curve.summary),
        Table(f"engagement-{curve.media_id}", title, columns, rows, folded=True, step=max(1, last // 4)),
    ]


@dataclass(frozen=True, slots=True)
class Split:
    """A day, what it is, and the days from it on against as many before; of the media of the comparison's scope."""

    day: date
    what: str
    compared: Comparison


def _split(query: "Query", scope: Scope) -> Split | None:
    """At the day that the reader chose, or else at the newest file swap of the period."""
    published = once(query, extent)
    swaps = [e for e in once(query, changes, scope) if SWAPPED in e["what"]]
    if published is None or not (scope.split or swaps):
        return None
    day = scope.split or swaps[-1]["day"]
    length = min(LONGEST_SPLIT, (published[1] - day).days + 1, (day - published[0]).days)
    if length < 1:
        return None
    media = scope.media if scope.split else (swaps[-1]["media_id"],)
    end = day + timedelta(days=length - 1)
    after = replace(scope, start=day, end=end, media=media, against=Against.PERIOD, split=None)
    return Split(
        day, "the day chosen" if scope.split else "the file was swapped", once(query, figures.compare, after)
    )


def _before_and_after(view: View, split: Split | None) -> list[Block]:
    if split is None:
        return []
    compared = split.compared
    pair = compared.whole
    if pair.before is None:
        return []
    shown = (*tiles(view.scope), PLAYS_PER_LOAD) if not view.scope.channels else tiles(view.scope)
    rows = [
        {"metric": t.title, "before": _spelled(t, pair.before), "after": _spelled(t, pair.compared),
         "change": t.change(pair) or words.NOTHING}
        for t in shown
    ]  # fmt: skip
    scope = compared.coverage.scope
    days = words.plural(scope.length, "day")
    named = [Heading(view.name(m)) for m in scope.media if scope.media != view.scope.media]
    return [
        *named,
        Text(f"{words.day(split.day)} ({split.what}): {days} from then on, against the {days} before."),
        Table("before-and-after", "Before and after", _BEFORE_AND_AFTER, rows),
    ]


def _spelled(tile: Tile, totals: figures.Totals) -> str:
    return blocks.spelled(tile.column.kind, tile.value(totals))


_BEFORE_AND_AFTER = (
    Column("metric", "Metric"), Column("before", "Before", Kind.CHANGE_IN_WORDS, "In the days before."),
    Column("after", "After", Kind.CHANGE_IN_WORDS, "From that day on."),
    Column("change", "Change", Kind.CHANGE_IN_WORDS, "From before to after."),
)  # fmt: skip


def _of_every_media(query: "Query", scope: Scope) -> Comparison:
    return once(query, figures.compare, replace(scope, media=()))


def _among_its_like(view: View, compared: Comparison, media: Mapping[str, Row]) -> list[Block]:
    if len(view.scope.media) != 1:
        return []
    (media_id,) = view.scope.media
    like = [m for m in traffic.peers(dict(media), media_id) if m in compared.media]
    if not like or media_id not in compared.media:
        return []
    own = compared.media[media_id].now
    rows = [
        {"metric": t.title, "own": _spelled(t, own), "median": blocks.spelled(t.column.kind, middle)}
        for t in _COMPARED
        if (middle := traffic.middle([t.value(compared.media[m].now) for m in like])) is not None
    ]
    columns = (
        Column("metric", "Metric"), Column("own", "This video", Kind.CHANGE_IN_WORDS, "In this period."),
        Column("median", "Median", Kind.CHANGE_IN_WORDS, "Of the other videos, in this period."),
    )  # fmt: skip
    folder = media[media_id]["folder"] or "no folder"
    about = (
        f"Against {words.plural(len(like), 'other video')} of the folder ({folder}), half to twice as long."
    )
    return [blocks.Notes([about]), Table("peers", "Among its like", columns, rows)]


_COMPARED: Sequence[Tile] = (*tiles(Scope(date.min, date.min))[:1], ENGAGEMENT, COMPLETION, PLAYS_PER_LOAD)
ENGAGEMENT_CURVES = Section(
    "Engagement", (retention, figures.compare), _engagement,
    "Share of plays that saw each second: all time, and this period alone.",
    "No snapshot of the engagement curve in these days, or never played.",
    by_channel=False,
)  # fmt: skip
BEFORE_AND_AFTER = Section(
    "Before and after", (_split,), _before_and_after,
    empty="The file was not swapped in these days. Choose a day to compare the days before and after.",
)  # fmt: skip
SWAP = Section("Before and after the newest file swap", (_split,), _before_and_after, empty="")
OF_ONE_MEDIA = (
    PICTURE,
    HEADLINE,
    BY_DAY,
    ENGAGEMENT_CURVES,
    Section("Funnel", (figures.compare,), _funnel, empty="Nothing was loaded or played in these days."),
    BEFORE_AND_AFTER,
    Section(
        "Among its like", (_of_every_media, traffic.described), _among_its_like,
        empty="No other video of this folder is about as long.",
    ),
)  # fmt: skip
