"""An Excel workbook: a sheet a table, and one that says what each column means. Text stays text."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wistlake.errors import ConfigError
from wistlake.export.relations import Relation

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

WORKBOOK = "wistlake.xlsx"
MOST_ROWS = 1_048_575  # of a sheet, below its header
MOST_CHARACTERS = 32_767  # of a cell
_LONGEST_SHEET = 31
_EXACT = 2**53  # Excel's numbers are doubles: a greater whole number is text
_DAY, _MOMENT = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss.000"


class Workbook:
    """Writes one workbook, a row at a time, into `folder`."""

    def __init__(self, folder: Path) -> None:
        try:
            import xlsxwriter
        except ModuleNotFoundError:
            raise ConfigError(
                "--to xlsx needs the package xlsxwriter: pip install 'wistlake[xlsx]', or export to parquet or csv"
            ) from None
        self.written, self.gone = [WORKBOOK], list[str]()
        options = {"constant_memory": True, "tmpdir": str(folder), "nan_inf_to_errors": True}
        self._book = xlsxwriter.Workbook(str(folder / WORKBOOK), options)
        self._formats = {kind: self._book.add_format({"num_format": kind}) for kind in (_DAY, _MOMENT)}
        self._bold = self._book.add_format({"bold": True})
        self._next: dict[str, int] = {}  # row of each sheet
        self._definitions = self._sheet("definitions", ("table", "column", "unit", "means"))

    def by_day(self, _relation: Relation) -> bool:
        """Whether each part is a day."""
        return False

    def has(self, _relation: Relation, _part: str) -> bool:
        """A new workbook has nothing yet."""
        return False

    def begin(self, relation: Relation, *, fresh: bool) -> None:  # noqa: ARG002, a workbook is always a new one
        """Add the table's sheet, and what its columns mean."""
        for c in relation.columns:
            self._write(self._definitions, (relation.name, c.name, c.unit, c.doc), relation)
        self._sheet(sheet_name(relation), [c.name for c in relation.columns])

    def replace(self, relation: Relation, part: str, rows: pa.Table) -> None:  # noqa: ARG002
        """Append the part's rows."""
        sheet = self._book.get_worksheet_by_name(sheet_name(relation))
        for batch in rows.to_batches(max_chunksize=10_000):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                self._write(sheet, row, relation)

    def remove(self, relation: Relation, part: str) -> None:
        """A new workbook has nothing to remove."""

    def close(self) -> None:
        """Pack the workbook."""
        self._book.close()

    def _sheet(self, name: str, header: Sequence[str]) -> "Worksheet":
        sheet = self._book.add_worksheet(name)
        for n, column in enumerate(header):
            sheet.write_string(0, n, column, self._bold)
        sheet.freeze_panes(1, 0)
        self._next[name] = 1
        return sheet

    def _write(self, sheet: "Worksheet", row: Sequence[Any], relation: Relation) -> None:
        at = self._next[sheet.get_name()]
        self._next[sheet.get_name()] = at + 1
        for n, value in enumerate(row):
            if value is not None:
                self._cell(sheet, at, n, value, relation)

    def _cell(self, sheet: "Worksheet", row: int, column: int, value: Any, relation: Relation) -> None:
        match value:
            case bool():
                sheet.write_boolean(row, column, value)
            case datetime():
                moment = value.astimezone(UTC).replace(tzinfo=None)
                sheet.write_datetime(row, column, moment, self._formats[_MOMENT])
            case date():
                sheet.write_datetime(row, column, value, self._formats[_DAY])
            case float():
                sheet.write_number(row, column, value)
            case int() if abs(value) <= _EXACT:
                sheet.write_number(row, column, value)
            case _:
                text = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else str(value)
                if len(text) > MOST_CHARACTERS:
                    raise ConfigError(
                        f"{relation.name} has a text of {len(text):,} characters, and a cell of Excel holds "
                        f"{MOST_CHARACTERS:,}: name other tables with --tables, or export it --to parquet or duckdb"
                    )
                sheet.write_string(row, column, text)


def sheet_name(relation: Relation) -> str:
    """The table's name, with its layer's first letter only where Excel takes no longer one."""
    layer, _, name = relation.name.partition(".")
    return relation.name if len(relation.name) <= _LONGEST_SHEET else f"{layer[0]}.{name}"


def require_room(rows: Mapping[str, int]) -> None:
    """ConfigError, with the cure, if a table has more rows than a sheet holds."""
    problems = [
        f"{name} has {n:,} rows, and a sheet of Excel holds {MOST_ROWS:,}: name other tables with --tables, or export "
        "it --to parquet, csv or duckdb"
        for name, n in rows.items()
        if n > MOST_ROWS
    ]
    if problems:
        raise ConfigError(problems)
