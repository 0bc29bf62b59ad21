"""What can be exported: the tables and views that a query may name, and how the rows of each are divided into parts.

A part is a month of the table's own days (or moments), or a day where a form of files wants a folder each. Parts are
read, written and replaced as a whole, so that memory holds one of them, and an export that is repeated adds nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from wistlake.contracts import TABLES
from wistlake.contracts.form import BUILT_AT, Column, Privacy, Table, Type
from wistlake.errors import ConfigError, unknown
from wistlake.quality.views import VIEWS, View

ALL, NONE = "all", "none"  # the parts of a relation that is not divided, and of one without rows
DAY = "dt"  # of a view: what docs/ddl/copy.sql partitions by
_BY_NAME = {c.name: c for t in TABLES for c in t.columns}


@dataclass(frozen=True, slots=True)
class Relation:
    """One table or view. `divided_by` is the column of its parts, or "". A view has no key, and no moment of change."""

    name: str
    holds: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    grain: str = ""
    divided_by: str = ""

    @property
    def is_table(self) -> bool:
        """Whether its rows say when they were built."""
        return bool(self.key)

    @property
    def has_days(self) -> bool:
        """Whether files may lie in a folder a day."""
        return self.divided_by == DAY and not self.is_table

    def parts_sql(self, *, by_day: bool = False) -> str:
        """SELECT of the parts: name as a date (`part`), rows (`n`), and when the newest of them was built (`built`)."""
        built = f"max({BUILT_AT.name})" if self.is_table else "CAST(NULL AS timestamp with time zone)"
        counts = f"count(*) AS n, {built} AS built FROM {self.name}"
        if not self.divided_by:
            return f"SELECT CAST(NULL AS date) AS part, {counts}"
        unit = "day" if by_day else "month"
        return f"SELECT CAST(date_trunc('{unit}', {self.divided_by}) AS date) AS part, {counts} GROUP BY 1 ORDER BY 1"

    def rows_sql(self, part: str) -> str:
        """SELECT of a part's rows; lists are JSON, for Athena's own form of them can't be read back."""
        listed = (
            f"CAST({c.name} AS JSON) AS {c.name}" if c.type in (Type.LONGS, Type.STRINGS) else c.name
            for c in self.columns
        )  # fmt: skip
        where = f" WHERE {condition}" if (condition := self.condition(part)) else ""
        order = f" ORDER BY {', '.join(self.key)}" if self.key else ""
        return f"SELECT {', '.join(listed)} FROM {self.name}{where}{order}"

    def condition(self, part: str) -> str:
        """SQL that holds on the rows of a part; "" if it is all of them."""
        if part in (ALL, NONE):
            return ""
        first = date.fromisoformat(f"{part}-01" if is_month(part) else part)
        after = (first + timedelta(days=31)).replace(day=1) if is_month(part) else first + timedelta(days=1)
        return f"{self.divided_by} >= DATE '{first}' AND {self.divided_by} < DATE '{after}'"


def is_month(part: str) -> bool:
    """Whether a part is a month, YYYY-MM, and not a day."""
    return len(part) == len("2026-03")


def part_name(day: date | None, *, by_day: bool) -> str:
    """The name of the part that begins on a day."""
    return ALL if day is None else day.isoformat() if by_day else f"{day:%Y-%m}"


def names() -> list[str]:
    """All that can be exported."""
    return [*(t.full_name for t in TABLES), *(v.name for v in VIEWS)]


def chosen(requested: Sequence[str], usual: Iterable[Table]) -> list[Relation]:
    """The relations of these names, or of the `usual` tables. ConfigError lists every name that is none."""
    tables = {t.full_name: t for t in TABLES}
    views = {v.name: v for v in VIEWS}
    problems = [
        p
        for n in requested
        if n not in tables and n not in views
        for p in unknown("table", n, names()).problems
    ]
    if problems:
        raise ConfigError(problems)
    listed = dict.fromkeys(requested) or {t.full_name: None for t in usual}
    return [_of_table(tables[n]) if n in tables else _of_view(views[n]) for n in listed]


def _of_table(table: Table) -> Relation:
    divided_by = table.day_column or table.moment_column
    return Relation(table.full_name, table.doc, table.columns, table.key, table.grain, divided_by)


def _of_view(view: View) -> Relation:
    columns = tuple(_of_view_column(name, kind) for name, kind in view.columns)
    divided_by = next((c.name for c in columns if c.name in (DAY, "date")), "")
    return Relation(view.name, view.holds, columns, divided_by=divided_by)


def _of_view_column(name: str, kind: Type) -> Column:
    """A view's column, as the contract that has one of its name describes it."""
    same = _BY_NAME.get(name)
    if same is None:
        return Column(name, kind, Privacy.NONE, "")
    return Column(name, kind, same.privacy, same.doc, unit=same.unit)
