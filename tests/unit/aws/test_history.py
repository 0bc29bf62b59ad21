"""Upkeep and purge of the Glue catalog's tables, by what they ask of Spark and of the buckets: no Spark, no AWS."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from wistlake.adapters.aws import spark as aws_spark
from wistlake.adapters.aws.history import GluePurge, GlueUpkeep
from wistlake.adapters.aws.objects import Version
from wistlake.adapters.aws.spark import GlueCatalog, settings
from wistlake.adapters.engine.tables import EngineTables
from wistlake.contracts import table as contract
from wistlake.derive.spark import TABLE_PROPERTIES
from wistlake.errors import LeaseHeld

EVENTS, MEDIA = contract("silver.fact_events"), contract("silver.dim_media")
NAME, WAREHOUSE = "lake.db.silver_fact_events", "s3://silver/warehouse"
AT = datetime(2026, 3, 5, 2, 15, tzinfo=UTC)
HERE = "warehouse/silver/fact_events/"


class Spark:
    """Answers a statement with the rows of the first text that it holds, and notes those that change something."""

    def __init__(self, answers: dict[str, list[Any]]) -> None:
        self.answers = answers
        self.changes: list[str] = []
        self.columns = list(EVENTS.column_names)
        self.partitions = ["partition", "record_count"]

    def sql(self, text: str) -> Any:
        if not text.startswith(("SELECT", "SHOW")):
            self.changes.append(text)
        rows = next((rows for part, rows in self.answers.items() if part in text), [])
        return SimpleNamespace(collect=lambda: rows)

    def table(self, name: str) -> Any:
        return SimpleNamespace(columns=self.partitions if name.endswith(".partitions") else self.columns)


CURRENT = [
    {"name": EVENTS.full_name, "file": f"{WAREHOUSE}/silver/fact_events/metadata/2.json", "snapshot_id": 3}
]


def spark(answers: dict[str, list[Any]]) -> Spark:
    return Spark({"max_by": CURRENT, **answers})


def catalog(session: Spark) -> GlueCatalog:
    return GlueCatalog(session, "db", WAREHOUSE)  # type: ignore[arg-type]


class Bucket:
    """Objects with versions, as `S3Objects` lists them."""

    def __init__(self, *versions: Version) -> None:
        self.held, self.gone, self.hidden = versions, list[Version](), list[str]()

    def versions(self, prefix: str) -> Iterator[Version]:
        return (v for v in self.held if v.key.startswith(prefix))

    def get(self, key: str) -> bytes:
        assert key == f"{HERE}metadata/2.json"
        statistics = {"statistics-path": f"{WAREHOUSE}/silver/fact_events/statistics"}
        return json.dumps({"statistics": [statistics]}).encode()

    def remove(self, versions: Iterable[Version]) -> None:
        self.gone += versions

    def hide(self, keys: Iterable[str]) -> None:
        self.hidden += keys


def version(key: str, *, latest: bool = True, data: bool = True, written: datetime = AT) -> Version:
    return Version(key, f"{key}-{latest}-{data}", latest, data, written)


NEEDED = [(f"{WAREHOUSE}/silver/fact_events/{name}",) for name in ("data/1.parquet", "metadata/m.avro")]


def held() -> None:
    """The lease is ours."""


def lost() -> None:
    raise LeaseHeld("another has it")


# ---- upkeep


def upkeep(session: Spark, bucket: Bucket | None = None) -> GlueUpkeep:
    return GlueUpkeep(session, catalog(session), bucket or Bucket(), held)  # type: ignore[arg-type]


def test_only_snapshots_that_nobody_follows_expire() -> None:
    session = spark({f"SELECT snapshot_id FROM {NAME}.snapshots": [(1,), (2,), (3,), (4,)]})
    assert upkeep(session).expire(EVENTS, {2}) == 2
    (call,) = session.changes
    assert call.startswith(
        f"CALL lake.system.expire_snapshots(table => '{NAME}', older_than => TIMESTAMP '1970"
    )
    assert call.endswith("snapshot_ids => ARRAY(1L, 4L))")
    assert upkeep(session).expire(EVENTS, {1, 2, 4}) == 0
    assert len(session.changes) == 1, "a call without ids would expire more than those"


@pytest.mark.parametrize(("count", "deletes"), [(0, False), (7, True)])
def test_rows_of_old_landings_are_deleted_if_there_are_any(count: int, deletes: bool) -> None:
    session = spark({"SELECT count(*)": [(count,)]})
    assert upkeep(session).drop(EVENTS, AT) == count
    where = "WHERE observed_at < TIMESTAMP '2026-03-05 02:15:00+00:00'"
    assert session.changes == ([f"DELETE FROM {NAME} {where}"] if deletes else [])


def test_a_partition_of_more_than_four_small_files_is_merged() -> None:
    done = SimpleNamespace(rewritten_data_files_count=9, added_data_files_count=2)
    session = spark({"CALL": [done]})
    assert upkeep(session).compact(EVENTS) == 7
    (call,) = session.changes
    assert call.endswith("options => map('min-input-files', '5'))")
    empty = Spark({"max_by": [CURRENT[0] | {"snapshot_id": None}]})
    assert upkeep(empty).compact(EVENTS) == 0
    assert empty.changes == []


def test_files_that_nothing_names_are_hidden_once_no_writer_can_still_be_at_them() -> None:
    old = AT - timedelta(hours=1)
    bucket = Bucket(
        version(f"{HERE}data/1.parquet", written=old),
        version(f"{HERE}metadata/m.avro", written=old),
        version(f"{HERE}metadata/1.json", written=old),
        version(f"{HERE}metadata/followed.json", written=old),
        version(f"{HERE}statistics", written=old),
        version(f"{HERE}data/orphan.parquet", written=old),
        version(f"{HERE}data/hidden.parquet", written=old, data=False),
        version(f"{HERE}data/older.parquet", written=old, latest=False),
        version(f"{HERE}data/new.parquet", written=AT),
        version("warehouse/silver/fact_events_other/x", written=old),
    )
    log = [(f"{WAREHOUSE}/silver/fact_events/metadata/1.json",)]
    session = spark({"manifest_list": NEEDED, f"SELECT file FROM {NAME}.metadata_log_entries": log})
    followed = {f"{WAREHOUSE}/silver/fact_events/metadata/followed.json"}
    assert upkeep(session, bucket).remove_orphans(EVENTS, followed, AT) == 1
    assert bucket.hidden == [f"{HERE}data/orphan.parquet"]


def test_a_job_that_has_lost_its_lease_changes_no_table_any_more() -> None:
    session = spark(
        {
            f"SELECT snapshot_id FROM {NAME}.snapshots": [(1,), (2,)],
            "SELECT count(*)": [(7,)],
            ".manifests": [SimpleNamespace(length=9, deleted_data_files_count=1)],
        }
    )
    bucket: Any = Bucket()
    keeper = GlueUpkeep(session, catalog(session), bucket, lost)  # type: ignore[arg-type]
    purger = GluePurge(session, catalog(session), bucket, lost, [], bucket)  # type: ignore[arg-type]
    tables = EngineTables(session, catalog(session), "staging", before_commit=lost)  # type: ignore[arg-type]
    changes: Any = None
    for change in (
        lambda: keeper.drop(EVENTS, AT),
        lambda: keeper.compact(EVENTS),
        lambda: keeper.expire(EVENTS, {2}),
        lambda: purger.expire([EVENTS]),
        lambda: tables.merge(EVENTS, changes, None),
    ):
        with pytest.raises(LeaseHeld):
            change()
    assert session.changes == []


# ---- purge


def purge(session: Spark, bucket: Bucket, raw: Bucket) -> GluePurge:
    return GluePurge(session, catalog(session), bucket, held, ["staging/builds/"], raw)  # type: ignore[arg-type]


@pytest.mark.parametrize("crashed", [True, False])
@pytest.mark.parametrize(
    ("manifests", "target"), [([(70, 0), (31, 0)], None), ([(70, 0), (31, 2)], 50), ([(1, 1)], 1)]
)
def test_manifests_that_describe_deleted_files_are_written_again(
    manifests: list[tuple[int, int]], target: int | None, crashed: bool
) -> None:
    rows = [SimpleNamespace(length=n, deleted_data_files_count=deleted) for n, deleted in manifests]
    named = SimpleNamespace(key="commit.manifest.target-size-bytes" if crashed else "owner")
    session = spark(
        {
            "SHOW TBLPROPERTIES": [named],
            ".manifests": rows,
            f"SELECT snapshot_id FROM {NAME}.snapshots": [(2,), (3,)],
        }
    )
    expired = purge(session, Bucket(), Bucket()).expire([EVENTS])
    assert expired == {EVENTS.full_name: [2]}
    unset = f"ALTER TABLE {NAME} UNSET TBLPROPERTIES ('commit.manifest.target-size-bytes')"
    rewriting = [
        f"ALTER TABLE {NAME} SET TBLPROPERTIES ('commit.manifest.target-size-bytes' = '{target}')",
        f"CALL lake.system.rewrite_manifests(table => '{NAME}', use_caching => false)",
        unset,
    ]
    assert session.changes[:-1] == [*([unset] if crashed else []), *(rewriting if target else [])]
    assert "expire_snapshots" in session.changes[-1]


def test_nothing_is_left_but_what_readers_see_and_need() -> None:
    seen = [
        version(f"{HERE}{n}") for n in ("data/1.parquet", "metadata/m.avro", "metadata/2.json", "statistics")
    ]
    orphans = [
        version(f"{HERE}data/orphan.parquet"),
        version(f"{HERE}data/1.parquet", latest=False),
        version(f"{HERE}data/1.parquet", data=False),
        version("staging/builds/run/x"),
    ]
    bucket = Bucket(*seen, *orphans, version("elsewhere"))
    expired = version("bronze/wistia/a", latest=False)
    raw = Bucket(version("bronze/wistia/a"), expired, version("runs/r1/plan.json", latest=False))
    session = spark({"manifest_list": NEEDED})
    assert purge(session, bucket, raw).sweep([EVENTS]) == 5
    assert bucket.gone == orphans
    assert raw.gone == [expired]


# ---- the catalog


def test_tables_are_made_once_and_gain_the_columns_of_their_contract() -> None:
    ours = [SimpleNamespace(key=k, value=v) for k, v in TABLE_PROPERTIES.items()]
    session = Spark({"SHOW TABLES": [{"tableName": "silver_fact_events"}], "SHOW TBLPROPERTIES": ours})
    catalog(session).ensure([EVENTS, MEDIA])
    (made,) = session.changes
    assert made.startswith("CREATE TABLE")
    assert "lake.db.silver_dim_media" in made
    assert f"{WAREHOUSE}/silver/dim_media" in made
    session.columns, session.changes = [c for c in EVENTS.column_names if c != "channel"], []
    catalog(session).ensure([EVENTS])
    assert session.changes == [f"ALTER TABLE {NAME} ADD COLUMNS (channel string)"]
    session.columns, session.changes, session.partitions = list(EVENTS.column_names), [], ["record_count"]
    catalog(session).ensure([EVENTS])
    assert session.changes == [f"ALTER TABLE {NAME} ADD PARTITION FIELD days(event_date)"]


def test_a_table_of_an_older_version_keeps_its_metadata_too() -> None:
    before = TABLE_PROPERTIES | {"format-version": "1", "write.metadata.delete-after-commit.enabled": "true"}
    there = [SimpleNamespace(key=k, value=v) for k, v in before.items()]
    session = Spark({"SHOW TABLES": [{"tableName": "silver_fact_events"}], "SHOW TBLPROPERTIES": there})
    catalog(session).ensure([EVENTS])
    assert session.changes == [
        f"ALTER TABLE {NAME} SET TBLPROPERTIES ('write.metadata.delete-after-commit.enabled'='false')"
    ]


def test_the_session_knows_the_lake_by_the_glue_catalog() -> None:
    known = settings(WAREHOUSE)
    assert known["spark.sql.catalog.lake.warehouse"] == WAREHOUSE
    assert known["spark.sql.catalog.lake.catalog-impl"].endswith("GlueCatalog")
    assert known["spark.io.encryption.enabled"] == "true"


class Conf:
    """Spark's settings, of a job and of a session."""

    def __init__(self, given: dict[str, str]) -> None:
        self.given = dict(given)

    def contains(self, name: str) -> bool:
        return name in self.given

    def setIfMissing(self, name: str, value: str) -> "Conf":
        self.given.setdefault(name, value)
        return self

    def setAll(self, pairs: list[tuple[str, str]]) -> "Conf":
        self.given |= dict(pairs)
        return self

    def get(self, name: str, default: str | None) -> str | None:
        return self.given.get(name, default)

    def set(self, name: str, value: str) -> None:
        self.given[name] = value


CATALOG = "spark.sql.catalog.lake"


def session_of(
    monkeypatch: pytest.MonkeyPatch, job: dict[str, str], context: dict[str, str] | None = None
) -> dict[str, str]:
    """The settings of the session of a job with its own; `context` are those of one that runs already."""
    conf, stopped = Conf(job), list[bool]()
    running: list[Conf] = [Conf(context)] if context is not None else []
    session = SimpleNamespace(stop=lambda: stopped.append(True))

    def started(given: Conf) -> None:
        running.append(given)
        session.conf = running[0]

    monkeypatch.setattr("pyspark.SparkConf", lambda: conf, raising=False)
    monkeypatch.setattr("pyspark.SparkContext", SimpleNamespace(getOrCreate=started), raising=False)
    builder = SimpleNamespace(getOrCreate=lambda: session)
    monkeypatch.setattr(aws_spark, "SparkSession", SimpleNamespace(builder=builder))
    with aws_spark.session(WAREHOUSE) as spark:
        assert spark is session
        assert stopped == []
    assert stopped == [True]
    given: dict[str, str] = session.conf.given
    return given


def test_a_job_gets_every_setting_that_it_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    found = session_of(monkeypatch, {"spark.io.encryption.enabled": "false", "own": "x"})
    expected = {**settings(WAREHOUSE), "spark.io.encryption.enabled": "false", "own": "x"}
    assert found == {**expected, "spark.app.name": "wistlake", "spark.sql.session.timeZone": "UTC"}


def test_of_a_catalog_that_the_job_defines_nothing_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    found = session_of(monkeypatch, {CATALOG: "its.own", f"{CATALOG}.type": "rest"})
    assert {n: v for n, v in found.items() if n.startswith(CATALOG)} == {
        CATALOG: "its.own",
        f"{CATALOG}.type": "rest",
    }
    assert found["spark.io.encryption.enabled"] == "true"


def test_a_session_that_runs_already_learns_of_the_catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    found = session_of(monkeypatch, {}, context={"own": "x"})
    assert {n: v for n, v in found.items() if n.startswith(CATALOG)} == {
        n: v for n, v in settings(WAREHOUSE).items() if n.startswith(CATALOG)
    }
    assert "spark.io.encryption.enabled" not in found, "it can't be changed any more"
    same = {CATALOG: "its.own"}
    assert session_of(monkeypatch, {}, context=same) == same | {"spark.sql.session.timeZone": "UTC"}
