"""The past of the Glue catalog's tables: expiry, compaction, files that nobody needs.

Iceberg's own procedures change the tables; what lies in the bucket, older versions included, is seen to
through S3. Imports nothing but pyspark and boto3: it runs inside Glue.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wistlake import bronze
from wistlake.adapters.aws.objects import S3Objects, Version
from wistlake.adapters.aws.spark import CATALOG, GlueCatalog
from wistlake.contracts.form import Table
from wistlake.ports import TableRef

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FEW = 4  # a partition with more small files than this is written anew
_MANIFEST_BYTES = "commit.manifest.target-size-bytes"
_BY_ID_ALONE = "older_than => TIMESTAMP '1970-01-01 00:00:00'"  # by default, what is five days old goes too


class _Tables:
    """What both kinds of work need: `objects` is the bucket of the tables' files."""

    def __init__(self, spark: "SparkSession", catalog: GlueCatalog, objects: S3Objects) -> None:
        self._spark, self._catalog, self._objects = spark, catalog, objects

    def refs(self, tables: Iterable[Table]) -> Mapping[str, TableRef]:
        """The tables' current state."""
        return self._catalog.refs(t.full_name for t in tables)

    def _rows(self, text: str) -> list[Any]:
        rows: list[Any] = self._spark.sql(text).collect()
        return rows

    def _call(self, procedure: str, table: Table, *arguments: str) -> list[Any]:
        given = ", ".join((f"table => '{self._catalog.name(table)}'", *arguments))
        return self._rows(f"CALL {CATALOG}.system.{procedure}({given})")

    def _let_go(self, table: Table, keep: Set[int]) -> list[int]:
        """Expire every snapshot but the current one and `keep`; the ids of those that are gone."""
        current = self._current(table).snapshot_id
        ids = [r[0] for r in self._rows(f"SELECT snapshot_id FROM {self._catalog.name(table)}.snapshots")]
        old = [i for i in ids if i != current and i not in keep]
        if old:
            listed = ", ".join(f"{i}L" for i in old)
            self._call("expire_snapshots", table, _BY_ID_ALONE, f"snapshot_ids => ARRAY({listed})")
        return old

    def _current(self, table: Table) -> TableRef:
        return self._catalog.refs([table.full_name])[table.full_name]

    def _needed(self, table: Table) -> set[str]:
        """Keys of the files that the table's snapshots are made of; metadata files apart."""
        name = self._catalog.name(table)
        found = self._rows(
            f"SELECT manifest_list FROM {name}.snapshots UNION SELECT path FROM {name}.all_manifests"
            f" UNION SELECT file_path FROM {name}.all_files"
        )
        return {_key(r[0]) for r in found} | self._statistics(table)

    def _statistics(self, table: Table) -> set[str]:
        """Keys of the statistics that the current metadata names, whoever computed them."""
        metadata = json.loads(self._objects.get(_key(self._current(table).metadata_location)))
        named = (*metadata.get("statistics", ()), *metadata.get("partition-statistics", ()))
        return {_key(s["statistics-path"]) for s in named}

    def _files(self, table: Table) -> Iterator[Version]:
        return self._objects.versions(f"{_key(self._catalog.location(table))}/")


class GluePurge(_Tables):
    """`pipeline.forget.Purge`: takes the past away. Readers of an older publication lose it.

    `scratch` are the prefixes below which everything may go: what runs stage, and answers of Athena. `raw` is
    the bucket of the raw pages: of those, what readers no longer see goes.
    """

    def __init__(
        self,
        spark: "SparkSession",
        catalog: GlueCatalog,
        objects: S3Objects,
        scratch: Iterable[str],
        raw: S3Objects,
    ) -> None:
        super().__init__(spark, catalog, objects)
        self._scratch, self._raw = tuple(scratch), raw

    def expire(self, tables: Iterable[Table]) -> Mapping[str, list[int]]:
        """Keep each table's current snapshot alone; the ids of those that are gone, by full name."""
        gone = {}
        for table in tables:
            self._forget_deleted_files(table)
            gone[table.full_name] = self._let_go(table, frozenset())
        return gone

    def sweep(self, tables: Iterable[Table]) -> int:
        """Remove every version of every file that the tables' current state does not need, what is scratch,
        and raw pages that have expired; how many versions there were."""
        useless: list[Version] = []
        for table in tables:
            files = list(self._files(table))  # first: what is written later is not among them
            needed = self._needed(table) | {_key(self._current(table).metadata_location)}
            useless += (v for v in files if not (v.is_seen and v.key in needed))
        for prefix in self._scratch:
            useless += self._objects.versions(prefix)
        expired = [v for v in self._raw.versions(f"{bronze.ROOT}/") if not v.is_seen]
        self._raw.remove(expired)
        self._objects.remove(useless)
        return len(useless) + len(expired)

    def _forget_deleted_files(self, table: Table) -> None:
        """The commit that deletes a file keeps an entry about it, with its smallest and largest values:
        manifests are written anew without them."""
        name = self._catalog.name(table)
        if any(r.key == _MANIFEST_BYTES for r in self._rows(f"SHOW TBLPROPERTIES {name}")):  # a crash left it
            self._rows(f"ALTER TABLE {name} UNSET TBLPROPERTIES ('{_MANIFEST_BYTES}')")
        manifests = self._rows(f"SELECT length, deleted_data_files_count FROM {name}.manifests")
        if not any(m.deleted_data_files_count for m in manifests):
            return
        # Iceberg leaves a single manifest of the right size as it is: half of its size is right.
        half = max(1, sum(m.length for m in manifests) // 2)
        self._rows(f"ALTER TABLE {name} SET TBLPROPERTIES ('{_MANIFEST_BYTES}' = '{half}')")
        self._call("rewrite_manifests", table, "use_caching => false")
        self._rows(f"ALTER TABLE {name} UNSET TBLPROPERTIES ('{_MANIFEST_BYTES}')")


class GlueUpkeep(_Tables):
    """`pipeline.maintenance.Upkeep`."""

    def drop(self, table: Table, observed_before: datetime) -> int:
        """Delete the rows of landings that were listed before that moment; how many went."""
        name, old = self._catalog.name(table), f"observed_at < TIMESTAMP '{observed_before.isoformat(' ')}'"
        count = int(self._rows(f"SELECT count(*) FROM {name} WHERE {old}")[0][0])
        if count:
            self._rows(f"DELETE FROM {name} WHERE {old}")
        return count

    def compact(self, table: Table) -> int:
        """Merge the small files of every crowded partition; how many files became fewer."""
        if self._current(table).snapshot_id is None:
            return 0
        options = f"options => map('min-input-files', '{FEW + 1}')"
        done = self._call("rewrite_data_files", table, options)[0]
        return int(done.rewritten_data_files_count - done.added_data_files_count)

    def expire(self, table: Table, keep: Set[int]) -> int:
        """Let go of every snapshot but the current one and `keep`; how many went."""
        return len(self._let_go(table, keep))

    def remove_orphans(self, table: Table, keep: Set[str], before: datetime) -> int:
        """Remove files below the table that nothing needs and that were written before `before`; how many
        readers saw. Older versions go by the bucket's own rules."""
        files = list(self._files(table))  # first: what is written later is not among them
        log = self._rows(f"SELECT file FROM {self._catalog.name(table)}.metadata_log_entries")
        needed = self._needed(table) | {_key(r[0]) for r in log} | set(map(_key, keep))
        orphans = [v.key for v in files if v.is_seen and v.key not in needed and v.written < before]
        self._objects.hide(orphans)
        return len(orphans)


def _key(location: str) -> str:
    """The key in `s3://bucket/key`."""
    return urlsplit(location).path.lstrip("/")
