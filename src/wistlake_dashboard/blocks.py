"""What sections are made of: values that the report and the app each draw in their own way.

A block holds everything that a reader sees, in words and numbers; a renderer adds only its looks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from wistlake.quality.metrics import definition, metric
from wistlake_dashboard import words
from wistlake_dashboard.reader import Row


class Kind(StrEnum):
    """What a value is: how it is spelled follows."""

    TEXT = "text"
    COUNT = "count"
    CHANGE = "change"
    CHANGE_IN_WORDS = "change in words"
    NUMBER = "number"
    SHARE = "share"
    RATIO = "ratio"
    SECONDS = "seconds"
    HOURS = "hours"
    CLOCK = "clock"
    DAY = "day"
    LINK = "link"
    PICTURE = "picture"
    MOMENT = "moment"

    @property
    def is_number(self) -> bool:
        """Whether values are set flush right."""
        return self not in (Kind.TEXT, Kind.DAY, Kind.MOMENT, Kind.LINK, Kind.PICTURE)


_SPELLED: Mapping[Kind, Callable[[Any], str]] = {
    Kind.TEXT: words.text,
    Kind.COUNT: words.count,
    Kind.CHANGE: words.signed,
    Kind.CHANGE_IN_WORDS: words.text,
    Kind.NUMBER: words.number,
    Kind.SHARE: words.share,
    Kind.RATIO: words.ratio,
    Kind.SECONDS: words.duration,
    Kind.HOURS: words.hours,
    Kind.CLOCK: words.clock,
    Kind.DAY: words.day,
    Kind.LINK: words.text,
    Kind.PICTURE: words.text,
    Kind.MOMENT: words.moment,
}
_OF_UNIT = {"count": Kind.COUNT, "s": Kind.SECONDS, "share": Kind.SHARE, "ratio": Kind.RATIO}


def spelled(kind: Kind, value: Any) -> str:
    """The value for people; a dash if it is unknown."""
    return words.NOTHING if value is None else _SPELLED[kind](value)


Click = tuple[str, str]  # by what the app filters when something is clicked: "channel", and which one


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: `key` names it in the rows and in the CSV file, `meaning` says what its numbers are,
    `absent` stands where there is none. `bar`: its numbers are drawn as bars, too."""

    key: str
    title: str
    kind: Kind = Kind.TEXT
    meaning: str = ""
    absent: str = words.NOTHING
    bar: bool = False

    def spelled(self, value: Any) -> str:
        """The value for people."""
        return self.absent if value is None else spelled(self.kind, value)


def measure(name: str, title: str, key: str = "") -> Column:
    """A column of the metric called `name`."""
    return Column(key or name, title, _OF_UNIT[metric(name).unit], definition(name))


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence of our own."""

    line: str


@dataclass(frozen=True, slots=True)
class Notes:
    """Short lines below a chart. They may hold names that people chose: never markup."""

    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading below a section's title. It may be a name that people chose: it is never markup."""

    line: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture at one of Wistia's addresses, and what it is of."""

    url: str
    what: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The sentence that answers, and below it, small, how far the days reach and what may still change. Titles in
    it are people's: it is never markup."""

    sentence: str
    note: str


@dataclass(frozen=True, slots=True)
class Number:
    """A headline number; `change` is empty if there is nothing to compare with, `against` says with what. `clear`:
    it moved by more than the usual noise. `spark`: its values by day."""

    title: str
    value: str
    change: str
    meaning: str
    against: str = "on the period before"
    clear: bool = True
    spark: Sequence[float | None] = ()


@dataclass(frozen=True, slots=True)
class Numbers:
    """Headline numbers beside each other."""

    numbers: Sequence[Number]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; `folded` behind a chart that shows the same. `name` is that of its CSV file, which has all
    columns, and the media's id. The report prints every `step`th row, and no more than `printed` of them.
    `opens`: the key of the rows by which the app filters when a row is clicked ("media_id" opens the video)."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    folded: bool = False
    step: int = 1
    printed: int = 50
    opens: str = ""

    def spelled(self, row: Row) -> list[str]:
        """A row's cells for people."""
        return [c.spelled(row[c.key]) for c in self.columns]


@dataclass(frozen=True, slots=True)
class Flag:
    """What happened to a media on a day of a chart."""

    day: date
    name: str
    what: str


@dataclass(frozen=True, slots=True)
class Days:
    """Lines by day, None where nothing is known. `before`: the same lines in the period that this one is compared with,
    on `days_before`; the first day stands over the first day. `open`: days that may still change. `clicks`: of each
    day, by its number."""

    title: str
    days: Sequence[date]
    lines: Mapping[str, Sequence[float | None]]
    kind: Kind
    flags: Sequence[Flag] = ()
    before: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    days_before: Sequence[date] = ()
    open: frozenset[date] = frozenset()
    clicks: Mapping[int, Click] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a curve, in seconds, and what is to be seen there: a "drop" or a "replay"."""

    start: float
    end: float
    what: str
    kind: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Shares over a media's length in seconds, with what is to be seen in them."""

    title: str
    seconds: float
    lines: Mapping[str, Sequence[float]]
    marks: Sequence[Mark] = ()


@dataclass(frozen=True, slots=True)
class Stack:
    """Stacked bars by day: `parts` are the counts by day of each name, from the bottom up. `tones` colour them by
    what they mean ("good", "mid", "soft", "warn", "bad"); without tones each name has a colour of its own. `clicks`: of
    each name."""

    title: str
    unit: str
    days: Sequence[date]
    parts: Mapping[str, Mapping[date, int]]
    tones: Mapping[str, str] | None = None
    clicks: Mapping[str, Click] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bars:
    """Horizontal bars of (name, number, share), in this order; the columns say what these are."""

    title: str
    column: Column
    unit: Column
    share: Column
    bars: Sequence[tuple[str, int, float]]


@dataclass(frozen=True, slots=True)
class Grid:
    """A square for each name and day, coloured by its state; `tones` as in a Stack."""

    title: str
    squares: Mapping[tuple[str, date], str]
    tones: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Beside:
    """Two halves, each a column of blocks."""

    left: Sequence["Block"]
    right: Sequence["Block"]


Block = (
    Answer | Text | Notes | Heading | Picture | Numbers | Table | Days | Curve | Stack | Bars | Grid | Beside
)
