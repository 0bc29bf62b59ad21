"""The form every contract has: what a dataset promises, as data.

A `Source` is what Wistia serves and bronze keeps; a `Table` is what silver, gold and ops keep.
Everything else (schemas, DDL, MERGE text, checks, views, documentation) derives from these values.
Standard library only: Lambda, Glue and the documentation build all import this.
"""

from dataclasses import dataclass, field
from enum import StrEnum

ACCOUNT = "_account"  # in place of a media id: the whole account


class Type(StrEnum):
    """Logical types; `derive` has the form of each in Spark, Iceberg, Athena and Markdown."""

    STRING = "string"
    LONG = "long"
    DOUBLE = "double"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"  # an instant, UTC
    LONGS = "array<long>"
    STRINGS = "array<string>"


class Privacy(StrEnum):
    """Personal-data class. A field without one does not exist; PERSONAL never leaves bronze."""

    NONE = "none"  # tells nothing about a person
    COARSE = "coarse"  # about a person, but shared by many: country, region, device
    LINKED = "linked"  # nothing by itself, but with the account's token the source tells whose it is
    PSEUDONYM = "pseudonym"  # a keyed stand-in for a person
    MASKED = "masked"  # what is left of a personal value after the personal part is cut away
    PERSONAL = "personal"  # identifies or may identify a person: bronze only


class Calendar(StrEnum):
    """Whose day a landing is about."""

    UTC = "utc"  # UTC day of received_at
    LOCAL = "local"  # the account's own day
    SNAPSHOT = "snapshot"  # the UTC day of the observation: the source keeps no history


class Removal(StrEnum):
    """What happens to a row that a newer complete observation no longer has."""

    SOFT = "soft"  # removed_at is set, and cleared if the row comes back
    DELETE = "delete"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Field:
    """One value in a source payload that the lake relies on.

    `path` is dotted from the record's root. `volatile` values change without the facts changing
    (names, pictures): they take no part in the content hash. `restated` values do, since tables hold
    them, but the source changes them at any time: whether a day has settled is judged without them.
    `required` fields stop the run as `SourceChanged` when a whole page lacks them; on single rows their
    absence quarantines the row, unless they are `nullable`: a media without a play has no rate.
    A STRING that `holds_json` may be an object or a list as served; any other is a plain value.
    Of a MASKED text only what `mask` leaves of it leaves bronze.
    Of a STRINGS list of objects only the values under the keys in `items` are kept.
    `cosmetic` fields describe and measure nothing: one that is absent, or not of its type, is unknown, and
    never a reason to refuse the record. A PERSONAL field that a setting lets into silver names it in `kept_by`.
    """

    path: str
    type: Type
    privacy: Privacy
    doc: str
    required: bool = False
    nullable: bool = False
    volatile: bool = False
    restated: bool = False
    holds_json: bool = False
    cosmetic: bool = False
    items: tuple[str, ...] = ()
    kept_by: str = ""
    mask: str = ""  # text, word, link, host or path: which of the masks of `derive` applies

    @property
    def column(self) -> str:
        """The field's name as a flat column: dots become underscores."""
        return self.path.replace(".", "_")


@dataclass(frozen=True, slots=True)
class Source:
    """One bronze dataset: what Wistia serves at one endpoint, per media (or account) and day.

    `dimensions` are those that its records are broken down by; each of several costs a request of its own. One that is
    `only_played` is asked for of days with plays only. Figures that need `rest_days` to come to rest are read after
    those, and once. The source serves at most `most_days` with one request, and keeps them for `kept_days`. `rows_in`
    names the list of a served object that holds the records; each gets what stands around it.
    """

    name: str
    doc: str
    endpoint: str
    calendar: Calendar
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    version: int = 1
    account_wide: bool = False
    optional: bool = False
    dimensions: tuple[str, ...] = ()
    rows_in: str = ""
    only_played: bool = False
    rest_days: int = 0
    most_days: int = 366
    kept_days: int = 730
    tolerated: tuple[str, ...] = ()  # further top-level keys, which the lake does not use: no drift report

    def field(self, path: str) -> Field:
        """The field at `path`; KeyError if the contract has none."""
        return next(f for f in self.fields if f.path == path)

    @property
    def expected_keys(self) -> frozenset[str]:
        """Top-level keys of a record that the contract names: any other is reported as drift."""
        return frozenset(f.path.split(".")[0] for f in self.fields) | frozenset(self.tolerated)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table. `lineage` columns say where a row came from, not what is true of it:
    they take no part in comparisons between engines, or of an old row with a new one."""

    name: str
    type: Type
    privacy: Privacy
    doc: str
    nullable: bool = True
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()
    lineage: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table of silver, gold or ops.

    `scope` names the columns whose values bound one rebuild: a build replaces whole scopes and leaves
    every other row alone. `partition` is an Iceberg transform over one column (a day of the row, or a moment that
    changes with it), or "". A key may be observed in
    two scopes: of equally new rows the one with the greater values of `preferred` wins, in that order.
    """

    layer: str
    name: str
    doc: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    scope: tuple[str, ...]
    removal: Removal = Removal.DELETE
    preferred: tuple[str, ...] = ()
    partition: str = ""
    sources: tuple[str, ...] = ()
    version: int = 1
    rules: tuple[str, ...] = field(default=())  # SQL booleans that hold on every row

    @property
    def full_name(self) -> str:
        """`layer.name`, the name that queries use."""
        return f"{self.layer}.{self.name}"

    @property
    def day_column(self) -> str:
        """The date that the table is partitioned by, "" if by none."""
        return self._partitioned_by(Type.DATE)

    @property
    def moment_column(self) -> str:
        """The moment by whose month the table is partitioned, "" if by none. A row's moment moves: rows of months long
        ago are those that nothing happened to since."""
        return self._partitioned_by(Type.TIMESTAMP)

    def _partitioned_by(self, kind: Type) -> str:
        name = self.partition.partition("(")[2].rstrip(")")
        return name if name and self.column(name).type is kind else ""

    @property
    def column_names(self) -> tuple[str, ...]:
        """Column names in contract order."""
        return tuple(c.name for c in self.columns)

    def column(self, name: str) -> Column:
        """The column called `name`; StopIteration is a programming error."""
        return next(c for c in self.columns if c.name == name)

    def has(self, name: str) -> bool:
        """Whether there is a column called `name`."""
        return name in self.column_names

    @property
    def compared(self) -> tuple[str, ...]:
        """Columns that decide whether a row changed: neither key nor lineage."""
        return tuple(c.name for c in self.columns if c.name not in self.key and not c.lineage)


OBSERVED_AT = Column(
    "observed_at", Type.TIMESTAMP, Privacy.NONE, "When the run that listed this row, as it is, began to read.",
    nullable=False, lineage=True,
)  # fmt: skip
LANDING_ID = Column(
    "landing_id", Type.STRING, Privacy.NONE, "The landing in bronze that this row came from.",
    nullable=False, lineage=True,
)  # fmt: skip
BUILT_AT = Column(
    "built_at", Type.TIMESTAMP, Privacy.NONE, "When the run that last changed this row started.",
    nullable=False, lineage=True,
)  # fmt: skip
LINEAGE = (OBSERVED_AT, LANDING_ID, BUILT_AT)  # of a row that came from one landing
MEDIA_ID = Column("media_id", Type.STRING, Privacy.NONE, "Wistia's hashed id of the media.", nullable=False)
# The grain of most daily tables.
MEDIA_DAY = (MEDIA_ID, Column("date", Type.DATE, Privacy.NONE, "The account's day.", nullable=False))
