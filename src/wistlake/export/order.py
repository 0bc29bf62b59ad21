"""One export, in order: what has changed is read and written aside, then takes its place, and the manifest comes last.

A part is written if it has rows that were built at the given moment or later, or if the folder's part has another
number of rows: in the newest moment of a part and its count, whatever came, changed or went away shows. So an export
of what has changed leaves the same as one of everything, also after `wistlake forget`, and once more leaves it so.
"""

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from wistlake.adapters.local import disk
from wistlake.adapters.local.locks import exclusive
from wistlake.adapters.local.scratch import aside
from wistlake.contracts import TABLES
from wistlake.contracts.form import Table
from wistlake.errors import ConfigError, explained
from wistlake.export import manifest, read
from wistlake.export.database import DATABASE, Database
from wistlake.export.files import CSV, PARQUET, Files
from wistlake.export.manifest import Entry, Manifest
from wistlake.export.read import Part
from wistlake.export.relations import Relation, chosen
from wistlake.export.workbook import WORKBOOK, Workbook, require_room
from wistlake.ports import Publication, Query

DUCKDB, XLSX = "duckdb", "xlsx"
FORMS = (PARQUET, DUCKDB, XLSX, CSV)
_SCRATCH = "wistlake-export"
_LOCK = ".wistlake-export"
_EVER = datetime.min.replace(tzinfo=UTC)
_ONE_FILE = {DUCKDB: DATABASE, XLSX: WORKBOOK}
_IN_A_WORKBOOK = ("silver.dim_media",)  # beside gold, which has ids only


@dataclass(frozen=True, slots=True)
class Request:
    """What to export: the form, the tables by name (none: the usual ones), and since when: everything, what was built
    at a moment or later, or, with `since_last`, whatever the folder lacks."""

    form: str
    tables: tuple[str, ...] = ()
    since: datetime | None = None
    since_last: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether everything is written, whatever is there."""
        return self.since is None and not self.since_last


@dataclass(frozen=True, slots=True)
class Done:
    """What one table came to: its rows in the folder, and how many parts of how many were written or removed."""

    table: str
    rows: int
    parts: int
    written: int
    removed: int


class Writer(Protocol):
    """Writes the parts of relations in one form. `written` and `gone` are paths below the folder."""

    written: list[str]
    gone: list[str]

    def by_day(self, relation: Relation, /) -> bool:
        """Whether the relation's parts are days, and not months."""

    def has(self, relation: Relation, part: str, /) -> bool:
        """Whether the export before left the part, and nobody has removed it."""

    def begin(self, relation: Relation, *, fresh: bool) -> None:
        """Called before the relation's parts; `fresh`: what was there of it is no more."""

    def replace(self, relation: Relation, part: str, rows: pa.Table) -> None:
        """Let the part have these rows and no others."""

    def remove(self, relation: Relation, part: str) -> None:
        """Let the part be no more."""

    def close(self) -> None:
        """Finish every file."""


def export(query: Query, request: Request, folder: Path, now: datetime) -> list[Done]:
    """Bring what is published into `folder`; what was done, table by table. ConfigError, with nothing changed, for a
    lake that has published nothing, for a folder of another export, and for what a form can't hold. StoreBusy if
    another process exports to the folder."""
    publication = query.published
    if publication is None:
        raise ConfigError("nothing is published yet: `wistlake run` does that")
    relations = chosen(request.tables, _usual(request.form))
    if request.form == XLSX and not request.is_whole:
        raise ConfigError(
            "--since: a workbook is always written whole, so leave --since out; parquet, csv and duckdb take it"
        )
    with explained(lambda: disk.troubles(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        with exclusive(folder / _LOCK, f"exporting to {folder}"), aside(folder, _SCRATCH) as scratch:
            before = _before(request, folder)
            writer = _writer(request.form, scratch, folder, before)
            with closing(writer):
                work = [_Work.of(query, r, writer, request, before, publication) for r in relations]
                if request.form == XLSX:
                    require_room({w.relation.name: w.rows for w in work})
                done = [w.do(query, writer) for w in work]
            entries = dict(before.entries) if before else {}
            entries |= {of_table.table: entry for of_table, entry in done}
            _put(scratch, folder, writer, Manifest(request.form, now, entries=entries))
    return [of_table for of_table, _ in done]


def _usual(form: str) -> list[Table]:
    return [t for t in TABLES if form != XLSX or t.layer == "gold" or t.full_name in _IN_A_WORKBOOK]


def require_place(folder: Path, lake: Path) -> None:
    """ConfigError if an export can't lie in `folder`: a file, a folder that can't be written to, the lake's own."""
    if folder.resolve().is_relative_to(lake.resolve()):
        raise ConfigError(f"{folder} lies inside the lake: name a folder outside of {lake}")
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file: name a folder")
    if not os.access(disk.nearest(folder), os.W_OK):
        raise ConfigError(f"{folder} can't be written to: name another folder")


def _before(request: Request, folder: Path) -> Manifest | None:
    """What the export before left; None if there is none, or a workbook, which is always a new one."""
    before = manifest.read(folder)
    if before is not None and before.form != request.form:
        raise ConfigError(
            f"{folder} holds an export to {before.form}: name another folder for {request.form}"
        )
    if before is None and (name := _ONE_FILE.get(request.form)) and (folder / name).exists():
        raise ConfigError(
            f"{folder / name} is there, and no manifest says that an export wrote it: move it away, "
            "or name another folder"
        )
    if request.form == XLSX or (request.form == DUCKDB and not (folder / DATABASE).is_file()):
        return None
    return before


def _writer(form: str, scratch: Path, folder: Path, before: Manifest | None) -> Writer:
    if form == XLSX:
        return Workbook(scratch)
    if form == DUCKDB:
        return Database(scratch, folder / DATABASE if before else None)
    return Files(scratch, folder, form)


@dataclass(frozen=True, slots=True)
class _Work:
    """What there is to do about one relation. `parts` are the lake's, `before` is what the folder has of it; if it is
    `whole`, all of it is written; if it `completes`, what the folder lacks is. A part in which nothing was built at
    `since` or later has not changed since."""

    relation: Relation
    publication: Publication
    parts: Mapping[str, Part]
    before: Entry | None
    whole: bool
    completes: bool
    since: datetime

    @classmethod
    def of(
        cls, query: Query, relation: Relation, writer: Writer, request: Request, before: Manifest | None,
        publication: Publication,
    ) -> "_Work":  # fmt: skip
        """The relation's parts now, and what is there of it."""
        exported = before.entries.get(relation.name) if before else None
        since = request.since or _EVER
        if exported is not None and not request.is_whole:
            through = exported.built_through or _EVER
            since = (
                through if request.since_last else min(since, through)
            )  # what the folder lacks is never left out
        whole = request.is_whole or (exported is not None and exported.columns != manifest.columns(relation))
        parts = read.parts(query, relation, by_day=writer.by_day(relation))
        return cls(relation, publication, parts, exported, whole, request.since_last, since)

    @property
    def rows(self) -> int:
        """Of all parts, in the lake."""
        return sum(p.rows for p in self.parts.values())

    def do(self, query: Query, writer: Writer) -> tuple[Done, Entry]:
        """Write what has changed, and remove what is no more; what there is of it then."""
        exported = self.before.parts if self.before else {}
        stale = [name for name, part in self.parts.items() if self._is_stale(name, part, writer)]
        gone = [name for name in exported if name not in self.parts]
        writer.begin(self.relation, fresh=self.whole or self.before is None)
        for name in gone:
            writer.remove(self.relation, name)
        for name in stale:
            writer.replace(self.relation, name, read.rows(query, self.relation, name))
        parts = {name: part for name, part in self.parts.items() if name in stale or name in exported}
        moments = [p.built_at for p in self.parts.values() if p.built_at]
        entry = manifest.entry(self.relation, self.publication, max(moments, default=None), parts)
        return Done(self.relation.name, entry.rows, len(parts), len(stale), len(gone)), entry

    def _is_stale(self, name: str, part: Part, writer: Writer) -> bool:
        """Whether the folder's part may differ from the lake's."""
        exported = self.before.parts.get(name) if self.before else None
        is_new = part.built_at is None or part.built_at >= self.since
        if self.whole or self.before is None or exported is None:
            return self.whole or self.completes or is_new
        if exported != part or not writer.has(self.relation, name):
            return True
        return is_new and not self._is_same_snapshot(self.before)

    def _is_same_snapshot(self, before: Entry) -> bool:
        ref = self.publication.tables.get(self.relation.name)
        return ref is not None and ref.snapshot_id == before.snapshot_id


def _put(scratch: Path, folder: Path, writer: Writer, contents: Manifest) -> None:
    """Let every file take its place; each is whole before it does."""
    for name in writer.written:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(scratch / name, folder / name)
    for name in writer.gone:
        (folder / name).unlink(missing_ok=True)
    relations = chosen(tuple(contents.entries), ())
    unfinished = scratch / manifest.NAME
    unfinished.write_text(manifest.text(contents, relations), encoding="utf-8")
    os.replace(unfinished, folder / manifest.NAME)
