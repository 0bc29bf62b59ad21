"""Wistia's engagement numbers as a lakehouse. `wistlake.open(path)` reads one from Python."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from wistlake.ports import Query

__all__ = ["Lake", "open"]


class Lake:
    """The published tables of a lake folder, read-only, all of one moment; safe while a run writes."""

    def __init__(self, query: "Query") -> None:
        self._query = query

    def sql(self, text: str) -> "pa.Table":
        """The rows of one SELECT over `layer.table`s. ConfigError with the engine's words if it can't run."""
        return self._query.sql(text)

    def table(self, name: str) -> "pa.Table":
        """All rows of `layer.table`. ConfigError if there is no such table."""
        from wistlake.errors import unknown

        if name not in self.tables():
            raise unknown("table", name, self.tables())
        return self._query.sql(f"SELECT * FROM {name}")

    def tables(self) -> tuple[str, ...]:
        """The tables' full names, in build order."""
        from wistlake.contracts import TABLES

        return tuple(t.full_name for t in TABLES)


def open(path: str | Path = "lake") -> Lake:  # noqa: A001, as in `wistlake.open`
    """The lake in the folder `path`. ConfigError if there is none, it was moved, or it is newer."""
    from wistlake.errors import ConfigError
    from wistlake.wiring.laptop import query_folder

    try:
        folder = Path(os.path.abspath(Path(path).expanduser()))
    except RuntimeError:
        raise ConfigError(f"{path}: there is no such home folder") from None
    return Lake(query_folder(folder))
