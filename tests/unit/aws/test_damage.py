"""Damaged tables on AWS, and tables that lie elsewhere, are told as such."""

from types import SimpleNamespace
from typing import Any

import pytest

from support.handmade import EVENTS, HandMade, make
from support.memory import MemoryLedger
from wistlake.adapters.aws.query import AthenaQuery
from wistlake.adapters.aws.spark import GlueCatalog
from wistlake.adapters.aws.table_files import S3TableFiles, below
from wistlake.adapters.table_files import FilesInspector, TableDamaged
from wistlake.errors import ConfigError, StoreDamaged, StoreError
from wistlake.ports import TableRef

PREFIX = "s3://silver/warehouse/"


class Bucket:
    """What the reader of tables needs of a bucket, over the files of a lake in a folder."""

    def __init__(self, lake: HandMade) -> None:
        self.lake = lake

    def get(self, key: str) -> bytes:
        """The bytes, in which the lake's own folder reads as the bucket's address."""
        if not self.exists(key):
            raise StoreDamaged(f"there is no object {key}")
        return (self.lake.folder / key).read_bytes()

    def exists(self, key: str) -> bool:
        """Whether it is there."""
        return (self.lake.folder / key).is_file()

    def size(self, key: str) -> int | None:
        """How large it is."""
        return (self.lake.folder / key).stat().st_size if self.exists(key) else None


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    """A lake whose metadata name s3://silver, as one on AWS does."""
    from wistlake.adapters.iceberg_rewrite import rewrite_avro, rewrite_json

    made = make(tmp_path_factory.mktemp("made") / "lake")
    here = f"file://{made.folder}"

    def rename(value: str) -> str:
        return value.replace(here, "s3://silver")

    for file in sorted(made.folder.rglob("*.avro"), key=lambda p: p.name.startswith("snap-")):
        rewrite_avro(file, file, rename)
    for file in made.folder.rglob("*.metadata.json"):
        rewrite_json(file, rename)
    return made


def inspector(made: HandMade) -> FilesInspector:
    return FilesInspector(S3TableFiles("silver", Bucket(made)))  # type: ignore[arg-type]


def on_s3(made: HandMade) -> TableRef:
    ref = made.ref(EVENTS)
    return TableRef(ref.metadata_location.replace(f"file://{made.folder}", "s3://silver"), ref.snapshot_id)


def test_a_whole_table_passes(published: HandMade) -> None:
    inspector(published).check_readable(EVENTS, on_s3(published))
    inspector(published).check(EVENTS, on_s3(published))


@pytest.mark.parametrize("kind", ["metadata.json", "avro", "parquet"])
def test_a_file_that_is_gone_from_s3_is_told_with_its_table_and_cure(kind: str, published: HandMade) -> None:
    table = published.folder / "warehouse/silver/fact_events"
    gone = list(table.rglob(f"*.{kind}"))
    assert gone
    for file in gone:
        file.rename(file.with_suffix(".away"))
    try:
        with pytest.raises(
            TableDamaged, match=rf"{EVENTS} is damaged: s3://silver/.*\.{kind} is gone; .*older versions"
        ):
            inspector(published).check(EVENTS, on_s3(published))
    finally:
        for file in gone:
            file.with_suffix(".away").rename(file)


@pytest.mark.parametrize(
    "location",
    [
        "s3://other/warehouse/x",
        "s3://silver/elsewhere/x",
        f"{PREFIX}../x",
        "file:///etc/passwd",
        "x'); DROP TABLE y --",
    ],
)
def test_a_location_outside_of_the_warehouse_is_refused(location: str) -> None:
    assert below(f"{PREFIX}silver/x", PREFIX, "x") == "silver/warehouse/silver/x"
    with pytest.raises(StoreError, match="outside of s3://silver/warehouse/"):
        below(location, PREFIX, "silver.x")
    with pytest.raises(StoreError, match="outside of s3://silver/warehouse/"):
        FilesInspector(S3TableFiles("silver", None)).check_readable("silver.x", TableRef(location, 1))  # type: ignore[arg-type]


def test_a_build_publishes_no_table_that_lies_elsewhere() -> None:
    rows = [{"name": EVENTS, "file": f"{PREFIX}silver/fact_events/metadata/1.json", "snapshot_id": 7}]
    spark = SimpleNamespace(sql=lambda text: SimpleNamespace(collect=lambda: rows))
    catalog = GlueCatalog(spark, "db", "s3://silver/warehouse")  # type: ignore[arg-type]
    assert catalog.refs([EVENTS]) == {EVENTS: TableRef(rows[0]["file"], 7)}
    rows[0]["file"] = "s3://somebody-else/warehouse/silver/fact_events/metadata/1.json"
    with pytest.raises(StoreError, match=f"{EVENTS} lies at .*somebody-else"):
        catalog.refs([EVENTS])


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("ICEBERG_CANNOT_OPEN_SPLIT: Error opening Iceberg split s3://silver/x.parquet", StoreError),
        ("ICEBERG_BAD_DATA: Malformed manifest", StoreError),
        ("SYNTAX_ERROR: line 1:8: Column 'x' cannot be resolved", ConfigError),
    ],
)
def test_athenas_words_about_files_are_a_matter_of_the_store(reason: str, error: type[Exception]) -> None:
    class Athena:
        def start_query_execution(self, **given: Any) -> dict[str, Any]:
            return {"QueryExecutionId": "q"}

        def get_query_execution(self, **given: Any) -> dict[str, Any]:
            return {"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": reason}}}

    with pytest.raises(error, match=reason.partition(":")[0]):
        AthenaQuery(MemoryLedger(), "db", "wg", (), Athena(), lambda seconds: None).sql("SELECT 1")
