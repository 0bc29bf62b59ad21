"""The files of a lake's tables on this machine."""

from dataclasses import dataclass
from pathlib import Path

from wistlake.adapters.iceberg_paths import inside
from wistlake.adapters.table_files import TableFiles


@dataclass(frozen=True, slots=True)
class LocalTableFiles(TableFiles):
    """Files below the warehouse of one lake. `copy` is the folder to look into instead, if the lake was copied."""

    warehouse: Path
    copy: Path | None = None

    def read(self, location: str) -> bytes:
        return self._path(location).read_bytes()

    def size(self, location: str) -> int | None:
        path = self._path(location)
        return path.stat().st_size if path.is_file() else None

    def require_inside(self, location: str) -> None:
        self._path(location)

    @staticmethod
    def cure(name: str) -> str:
        return f"`wistlake repair --table {name}` repairs what raw pages allow, or restore a backup"

    def _path(self, location: str) -> Path:
        there = inside(location, self.warehouse, "a file of a table")
        return self.copy / there.relative_to(self.warehouse) if self.copy else there
