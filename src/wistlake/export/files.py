"""Parquet and CSV: a folder a table, a file a part."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from wistlake.export.relations import Relation
from wistlake.foreign import no_formula

PARQUET, CSV = "parquet", "csv"


class Files:
    """Writes the files of one export into `folder`, and knows those in `before`. Paths are relative to either."""

    def __init__(self, folder: Path, before: Path, form: str) -> None:
        self._folder, self._before, self._form = folder, before, form
        self.written: list[str] = []
        self.gone: list[str] = []

    def by_day(self, relation: Relation) -> bool:
        """Whether each part is a day."""
        return relation.has_days and self._form == PARQUET

    def has(self, relation: Relation, part: str) -> bool:
        """Whether the part's file is there."""
        return (self._before / self._path(relation, part)).is_file()

    def begin(self, relation: Relation, *, fresh: bool) -> None:
        """Nothing to prepare: files replace each other by their names."""

    def replace(self, relation: Relation, part: str, rows: pa.Table) -> None:
        """Write the part's file."""
        name = self._path(relation, part)
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if self._form == CSV:
            pyarrow.csv.write_csv(_for_spreadsheets(rows), path)
        else:
            if self.by_day(relation):  # the folder's name has it, as Hive and copy.sql want
                rows = rows.drop_columns([relation.divided_by])
            pyarrow.parquet.write_table(rows, path, compression="zstd")
        self.written.append(name)

    def remove(self, relation: Relation, part: str) -> None:
        """The part's file is no more."""
        self.gone.append(self._path(relation, part))

    def close(self) -> None:
        """Every file is whole already."""

    def _path(self, relation: Relation, part: str) -> str:
        if self.by_day(relation):
            return f"{relation.name}/{relation.divided_by}={part}/part.{self._form}"
        return f"{relation.name}/{part}.{self._form}"


def _for_spreadsheets(rows: pa.Table) -> pa.Table:
    """Lists as JSON; text on one line that no spreadsheet takes for a formula. Distinct texts are looked at once."""
    for n, field in enumerate(rows.schema):
        if pa.types.is_list(field.type):
            rows = rows.set_column(n, field.name, pa.array(_as_json(rows.column(n)), pa.string()))
        elif pa.types.is_string(field.type):
            encoded = rows.column(n).combine_chunks().dictionary_encode()
            texts = pa.array([no_formula(t) for t in encoded.dictionary.to_pylist()], pa.string())
            rows = rows.set_column(n, field.name, texts.take(encoded.indices))
    return rows


def _as_json(column: pa.ChunkedArray) -> list[Any]:
    return [None if v is None else json.dumps(v, ensure_ascii=False) for v in column.to_pylist()]
