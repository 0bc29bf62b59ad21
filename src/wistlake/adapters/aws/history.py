"""The past of the Glue catalog's tables: expiry, compaction, files that nothing refers to.

Iceberg's own procedures change the tables; files in the bucket, older versions included, are removed through S3.
Imports nothing but pyspark and boto3: it runs inside Glue.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from pyspark.sql import SparkSession

from wistlake import bronze
from wistlake.adapters.aws.objects import S3Objects, Version
from wistlake.adapters.aws.spark import CATALOG, GlueCatalog
from wistlake.contracts.form import Table
from wistlake.ports import TableRef

FEW = 4  # a partition with more small files than this is rewritten
_MANIFEST_BYTES = "commit.manifest.target-size-bytes"
_BY_ID_ONLY = (
    "older_than => TIMESTAMP '1970-01-01 00:00:00'"  # by default, all older than five days expire too
)


class _Tables:
    """What purge and upkeep share: `objects` is the bucket of the tables' files. `before_commit` raises if this
    process may change the tables no more."""

    def __init__(
        self,
        spark: SparkSession,
        catalog: GlueCatalog,
        objects: S3Objects,
        before_commit: Callable[[], None],
    ) -> None:
        self._spark, self._catalog, self._objects = spark, catalog, objects
        self._before_commit = before_commit

    def refs(self, tables: Iterable[Table]) -> Mapping[str, TableRef]:
        """The tables' current state."""
        return self._catalog.refs(t.full_name for t in tables)

    def _rows(self, text: str) -> list[Any]:
        rows: list[Any] = self._spark.sql(text).collect()
        return rows

    def _commit(self, text: str) -> list[Any]:
        """The rows of a statement that changes a table."""
        self._before_commit()
        return self._rows(text)

    def _call(self, procedure: str, table: Table, *arguments: str) -> list[Any]:
        listed = ", ".join((f"table => '{self._catalog.name(table)}'", *arguments))
        return self._commit(f"CALL {CATALOG}.system.{procedure}({listed})")

    def _expire(self, table: Table, keep: Set[int]) -> list[int]:
        """Expire every snapshot but the current one and `keep`; the expired ids."""
        current = self._current(table).snapshot_id
        ids = [r[0] for r in self._rows(f"SELECT snapshot_id FROM {self._catalog.name(table)}.snapshots")]
        old = [i for i in ids if i != current and i not in keep]
        if old:
            listed = ", ".join(f"{i}L" for i in old)
            self._call("expire_snapshots", table, _BY_ID_ONLY, f"snapshot_ids => ARRAY({listed})")
        return old

    def _current(self, table: Table) -> TableRef:
        return self._catalog.refs([table.full_name])[table.full_name]

    def _needed(self, table: Table) -> set[str]:
        """Keys of the files that the table's snapshots consist of, without metadata files."""
        name = self._catalog.name(table)
        rows = self._rows(
            f"SELECT manifest_list FROM {name}.snapshots UNION SELECT path FROM {name}.all_manifests"
            f" UNION SELECT file_path FROM {name}.all_files"
        )
        return {_key(r[0]) for r in rows} | self._statistics(table)

    def _statistics(self, table: Table) -> set[str]:
        """Keys of the statistics files in the current metadata; Glue may compute some."""
        metadata = json.loads(self._objects.get(_key(self._current(table).metadata_location)))
        named = (*metadata.get("statistics", ()), *metadata.get("partition-statistics", ()))
        return {_key(s["statistics-path"]) for s in named}

    def _files(self, table: Table) -> Iterator[Version]:
        return self._objects.versions(f"{_key(self._catalog.location(table))}/")


class GluePurge(_Tables):
    """`pipeline.jobs.forget.Purge`: removes the tables' past, also for readers of an older publication.

    Everything below the prefixes `scratch` is removed: staged rows, and results of Athena. `raw` is the bucket of
    the raw pages, of which the versions that readers no longer see are removed.
    """

    def __init__(
        self,
        spark: SparkSession,
        catalog: GlueCatalog,
        objects: S3Objects,
        before_commit: Callable[[], None],
        scratch: Iterable[str],
        raw: S3Objects,
    ) -> None:
        super().__init__(spark, catalog, objects, before_commit)
        self._scratch, self._raw = tuple(scratch), raw

    def expire(self, tables: Iterable[Table]) -> Mapping[str, list[int]]:
        """Expire all but each table's current snapshot; the expired ids by full name."""
        expired = {}
        for table in tables:
            self._rewrite_manifests(table)
            expired[table.full_name] = self._expire(table, frozenset())
        return expired

    def sweep(self, tables: Iterable[Table]) -> int:
        """Remove every version of every file that the tables' current state does not need, of everything below
        `scratch`, and of expired raw pages; how many versions."""
        orphans: list[Version] = []
        for table in tables:
            files = list(
                self._files(table)
            )  # listed first, so that files written meanwhile are not among them
            needed = self._needed(table) | {_key(self._current(table).metadata_location)}
            orphans += (v for v in files if not (v.is_seen and v.key in needed))
        for prefix in self._scratch:
            orphans += self._objects.versions(prefix)
        expired = [v for v in self._raw.versions(f"{bronze.ROOT}/") if not v.is_seen]
        self._raw.remove(expired)
        self._objects.remove(orphans)
        return len(orphans) + len(expired)

    def _rewrite_manifests(self, table: Table) -> None:
        """Write the manifests again without entries about deleted files, which hold smallest and largest values."""
        name = self._catalog.name(table)
        if any(r.key == _MANIFEST_BYTES for r in self._rows(f"SHOW TBLPROPERTIES {name}")):  # left by a crash
            self._commit(f"ALTER TABLE {name} UNSET TBLPROPERTIES ('{_MANIFEST_BYTES}')")
        manifests = self._rows(f"SELECT length, deleted_data_files_count FROM {name}.manifests")
        if not any(m.deleted_data_files_count for m in manifests):
            return
        # Iceberg skips a single manifest that has the target size already, so half of the size is the target.
        half = max(1, sum(m.length for m in manifests) // 2)
        self._commit(f"ALTER TABLE {name} SET TBLPROPERTIES ('{_MANIFEST_BYTES}' = '{half}')")
        self._call("rewrite_manifests", table, "use_caching => false")
        self._commit(f"ALTER TABLE {name} UNSET TBLPROPERTIES ('{_MANIFEST_BYTES}')")


class GlueUpkeep(_Tables):
    """`pipeline.jobs.maintain.Upkeep`."""

    def drop(self, table: Table, observed_before: datetime) -> int:
        """Delete the rows of landings that were listed before `observed_before`; how many rows."""
        name, old = self._catalog.name(table), f"observed_at < TIMESTAMP '{observed_before.isoformat(' ')}'"
        count = int(self._rows(f"SELECT count(*) FROM {name} WHERE {old}")[0][0])
        if count:
            self._commit(f"DELETE FROM {name} WHERE {old}")
        return count

    def compact(self, table: Table) -> int:
        """Merge the small files of every partition that has too many; how many fewer files there are."""
        if self._current(table).snapshot_id is None:
            return 0
        options = f"options => map('min-input-files', '{FEW + 1}')"
        done = self._call("rewrite_data_files", table, options)[0]
        return int(done.rewritten_data_files_count - done.added_data_files_count)

    def expire(self, table: Table, keep: Set[int]) -> int:
        """Expire every snapshot but the current one and `keep`; how many."""
        return len(self._expire(table, keep))

    def remove_orphans(self, table: Table, keep: Set[str], before: datetime) -> int:
        """Hide files below the table that nothing refers to and that were written before `before`; how many.
        The bucket's lifecycle rules remove their versions."""
        files = list(self._files(table))  # listed first, so that files written meanwhile are not among them
        log = self._rows(f"SELECT file FROM {self._catalog.name(table)}.metadata_log_entries")
        needed = self._needed(table) | {_key(r[0]) for r in log} | set(map(_key, keep))
        orphans = [v.key for v in files if v.is_seen and v.key not in needed and v.written < before]
        self._objects.hide(orphans)
        return len(orphans)

    def seal(self) -> None:
        """Nothing: S3 checks its objects itself."""


def _key(location: str) -> str:
    """The key in `s3://bucket/key`."""
    return urlsplit(location).path.lstrip("/")
