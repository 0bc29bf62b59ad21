"""An archive may come from anybody: nothing in it reaches out of the lake, and nothing of a copy stays behind."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pyiceberg.exceptions import NoSuchTableError

from support.handmade import DAILY, EVENTS, HandMade
from wistlake import bronze
from wistlake.adapters.iceberg_paths import to_path
from wistlake.adapters.local import damage, lake_archive, lake_copy
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.history import LocalUpkeep
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.objects import LocalObjects
from wistlake.adapters.local.published_catalog import PublishedCatalog
from wistlake.adapters.local.scratch import SCRATCH, aside, sweep
from wistlake.bronze import Confirmation
from wistlake.contracts import table as contract
from wistlake.errors import ConfigError, StoreError
from wistlake.ports import Publication, TableRef

Add = Callable[[tarfile.TarFile], None]
PARQUET = "lake/warehouse/silver/fact_events/data/x.parquet"


def archive(made: HandMade, target: Path, add: Add = lambda tar: None) -> Path:
    """A tar of the lake as it is, and what `add` slips in."""
    with tempfile.TemporaryDirectory() as folder, tarfile.open(target, "w:gz") as tar:
        lake_copy.copy(made.folder, Path(folder) / "lake")
        tar.add(Path(folder) / "lake", "lake")
        add(tar)
    return target


def test_a_copy_is_its_owners_alone(made: HandMade, tmp_path: Path) -> None:
    copied = tmp_path / "copy"
    lake_copy.copy(made.folder, copied)
    paths = [copied, *copied.rglob("*")]
    assert len(paths) > 10
    assert [p for p in paths if p.stat().st_mode & 0o777 != (0o700 if p.is_dir() else 0o600)] == []


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", data: bytes = b"x") -> Add:
    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, link
        info.size = len(data) if kind == tarfile.REGTYPE else 0
        tar.addfile(info, io.BytesIO(data) if kind == tarfile.REGTYPE else None)

    return add


def holes(tar: tarfile.TarFile) -> None:
    """A file of five terabytes, one byte of which is in the archive."""
    info = tarfile.TarInfo(PARQUET)
    info.size, info.pax_headers = 1, {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(5 << 40)}
    tar.addfile(info, io.BytesIO(b"x"))


def assert_refused(source: Path, said: str) -> None:
    """The archive is refused, nothing is left of it, and nothing lies where it pointed."""
    before = {p.name for p in source.parent.iterdir()}
    with pytest.raises((StoreError, ConfigError), match=said):
        lake_archive.restore(source, source.parent / "new")
    assert {p.name for p in source.parent.iterdir()} == before


def test_an_honest_archive_is_restored(original: HandMade, tmp_path: Path) -> None:
    lake_archive.restore(archive(original, tmp_path / "lake.tar.gz"), tmp_path / "new")
    assert HandMade(tmp_path / "new").data_file(EVENTS).is_file()


@pytest.mark.parametrize(
    ("add", "said"),
    [
        (member("../outside"), "no part of a lake"),
        (member("/tmp/wistlake-outside"), "no part of a lake"),
        (member("lake/../../outside"), "no part of a lake"),
        (member("lake/warehouse/silver/x/data/../../../../../out.parquet"), "no part of a lake"),
        (member("lake/.bashrc"), "no part of a lake"),
        (member("lake/bronze/wistia/run.sh"), "no part of a lake"),
        (member("lake/bronze/confirmed/dt=2026-03-06/run_id=../a.json"), "no part of a lake"),
        (member("other/lake.json"), "no part of a lake"),
        (member("lake/warehouse/silver/fact_events/data/evil.py"), "no part of a lake"),
        (member(PARQUET, tarfile.SYMTYPE, "/etc/passwd"), "isn't a regular file"),
        (member(PARQUET, tarfile.LNKTYPE, "lake/pseudonym-key.json"), "isn't a regular file"),
        (member(PARQUET, tarfile.FIFOTYPE), "isn't a regular file"),
        (member(PARQUET, tarfile.CHRTYPE), "isn't a regular file"),
        (holes, "isn't a regular file"),
        (member("lake/lake.json"), "is there twice"),
        (member("lake/warehouse", tarfile.SYMTYPE, "/tmp"), "no part of a lake"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_tricks_of_an_archive_reach_nothing_outside(
    add: Add, said: str, original: HandMade, tmp_path: Path
) -> None:
    assert_refused(archive(original, tmp_path / "evil.tar.gz", add), said)
    assert not Path("/tmp/wistlake-outside").exists()


def test_an_archive_that_unpacks_to_a_thousand_times_its_size_stays_packed(
    original: HandMade, tmp_path: Path
) -> None:
    evil = archive(original, tmp_path / "evil.tar.gz", member(PARQUET, data=bytes(80 << 20)))
    assert evil.stat().st_size < 1 << 20
    assert_refused(evil, "unpacks to more than 30 times its size")


def test_a_thousand_headers_that_unpack_to_nothing_count_too(original: HandMade, tmp_path: Path) -> None:
    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(PARQUET)
        info.pax_headers = {"comment": "a" * (80 << 20)}
        tar.addfile(info)

    assert_refused(archive(original, tmp_path / "evil.tar.gz", add), "unpacks to more than 30 times its size")


def test_an_archive_that_ends_in_the_middle_is_no_lake(original: HandMade, tmp_path: Path) -> None:
    whole = archive(original, tmp_path / "lake.tar.gz")
    (tmp_path / "cut.tar.gz").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    whole.unlink()
    assert_refused(tmp_path / "cut.tar.gz", "incomplete tar")


def publish(made: HandMade, name: str, location: str) -> None:
    """Let the ledger say that a table is published there."""
    ledger = SqliteLedger(made.folder / "ledger.db")
    published = ledger.publication()
    assert published is not None
    refs = {**published.tables, name: TableRef(location, made.ref(name).snapshot_id)}
    ledger.publish(Publication("evil", published.published_at, refs))
    ledger.close()


def in_metadata(change: Callable[[dict[str, object]], None]) -> Callable[[HandMade], None]:
    def doctored(made: HandMade) -> None:
        file = made.metadata(EVENTS)
        metadata = json.loads(file.read_text())
        change(metadata)
        file.write_text(json.dumps(metadata))
        (made.folder / "warehouse.sha256").unlink()

    return doctored


def in_database(name: str, sql: str) -> Callable[[HandMade], None]:
    def doctored(made: HandMade) -> None:
        with sqlite3.connect(made.folder / name) as database:
            database.execute(sql)

    return doctored


def entry(key: str, field: str) -> Callable[[dict[str, object]], None]:
    return lambda metadata: metadata.setdefault(key, []).append({field: "/etc/passwd"})  # type: ignore[attr-defined]


HOSTILE = {
    "SQL in the ledger's location": (
        lambda made: publish(made, EVENTS, "x') UNION SELECT * FROM read_text('/etc/passwd"), "outside of"
    ),
    "a publication elsewhere": (lambda made: publish(made, EVENTS, "/etc/passwd"), "outside of"),
    "a publication on the network": (lambda made: publish(made, EVENTS, "http://127.0.0.1/x"), "outside of"),
    "a table's location elsewhere": (in_metadata(lambda m: m.update(location="/home")), "outside of"),
    "a location that climbs": (
        in_metadata(lambda m: m.update(location=f"{m['location']}/../../../..")), "outside of"
    ),
    "statistics elsewhere": (in_metadata(entry("statistics", "statistics-path")), "outside of"),
    "an old metadata file elsewhere": (in_metadata(entry("metadata-log", "metadata-file")), "outside of"),
    "code to load": (
        in_metadata(lambda m: m["properties"].update({"py-io-impl": "antigravity.x"})), "which wistlake never does"
    ),
    "another place to write to": (
        in_metadata(lambda m: m["properties"].update({"write.data.path": "/tmp"})), "which wistlake never does"
    ),
    "a catalog entry elsewhere": (
        in_database("catalog.db", "UPDATE iceberg_tables SET metadata_location = '/etc/passwd'"), "outside of"
    ),
    "a trigger in the ledger": (
        in_database("ledger.db", "CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM facts; END"), "holds 't'"
    ),
    "a view in the catalog": (in_database("catalog.db", "CREATE VIEW v AS SELECT 1"), "holds 'v'"),
}  # fmt: skip


@pytest.mark.parametrize(("doctored", "said"), HOSTILE.values(), ids=HOSTILE)
def test_a_copy_that_leads_out_of_the_lake_is_not_restored(
    doctored: Callable[[HandMade], None], said: str, made: HandMade, tmp_path: Path
) -> None:
    doctored(made)
    assert_refused(archive(made, tmp_path / "evil.tar.gz"), said)


def test_a_copy_whose_data_files_lie_elsewhere_is_not_restored(made: HandMade, tmp_path: Path) -> None:
    from wistlake.adapters.iceberg_rewrite import rewrite_avro

    data = str(made.data_file(EVENTS))
    rewrite_avro(made.manifest(EVENTS), made.manifest(EVENTS), lambda v: "/etc/passwd" if data in v else v)
    (made.folder / "warehouse.sha256").unlink()
    assert_refused(archive(made, tmp_path / "evil.tar.gz"), "outside of")


def test_a_query_reads_no_location_outside_of_the_lake(made: HandMade, tmp_path: Path) -> None:
    import wistlake

    (tmp_path / "secret").write_text("s3cr3t")
    evil = f"x') UNION ALL SELECT content FROM read_text('{tmp_path}/secret') --"
    publish(made, EVENTS, evil)
    with pytest.raises(StoreError, match="outside of") as refused:
        wistlake.open(made.folder).table(EVENTS)
    assert "s3cr3t" not in str(refused.value)
    assert wistlake.open(made.folder).table(DAILY).num_rows == 2  # the others are read as ever


def test_upkeep_deletes_nothing_outside_of_the_lake(made: HandMade, tmp_path: Path) -> None:
    victim = tmp_path / "victim" / "thesis.txt"
    victim.parent.mkdir()
    victim.write_text("years of work")
    os.utime(victim, (0, 0))
    in_metadata(lambda m: m.update(location=str(victim.parent)))(made)
    with pytest.raises(StoreError, match="not below the lake"):
        LocalUpkeep(made.folder).remove_orphans(
            contract(EVENTS), set(), made.ledger.publication().published_at
        )
    assert victim.read_text() == "years of work"


def test_what_a_tables_properties_name_is_not_loaded(made: HandMade) -> None:
    in_metadata(lambda m: m["properties"].update({"py-io-impl": "support.commands.call"}))(made)
    assert type(LocalCatalog(made.folder).load(EVENTS).io).__name__ == "PyArrowFileIO"
    served = PublishedCatalog(made.ledger, damage.inspector(LakeFolder(made.folder)))
    with pytest.raises(StoreError, match="sets 'py-io-impl', which wistlake never does"):
        served.load_table(("silver", "fact_events"))
    assert served.load_table(("gold", "fact_media_daily")).scan().to_arrow().num_rows == 2
    assert served.list_namespaces() == [("gold",), ("ops",), ("silver",)]
    assert ("gold", "fact_media_daily") in served.list_tables("gold")
    assert {layer for layer, _ in served.list_tables("gold")} == {"gold"}
    with pytest.raises(NoSuchTableError, match=r"gold\.nothing is not published"):
        served.load_table(("gold", "nothing"))


def test_a_catalog_for_readers_serves_nothing_outside_of_the_lake(made: HandMade) -> None:
    publish(made, EVENTS, "http://127.0.0.1:9/x.metadata.json")
    served = PublishedCatalog(made.ledger, damage.inspector(LakeFolder(made.folder)))
    with pytest.raises(StoreError, match="outside of"):
        served.load_table(("silver", "fact_events"))


# what a copy must hold


def test_a_backup_without_tables_is_an_error(tmp_path: Path, made: HandMade) -> None:
    folder = LakeFolder(tmp_path / "young")
    folder.open("UTC", made.ledger.publication().published_at)
    folder.key_chain()
    SqliteLedger(folder.ledger).close()
    with pytest.raises(StoreError, match="nothing has been published"):
        lake_archive.backup(folder.root, tmp_path / "copy")
    made.data_file(EVENTS).unlink()
    with pytest.raises(StoreError, match=r"silver.fact_events is damaged: .* is gone"):
        lake_archive.backup(made.folder, tmp_path / "copy")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["lake", "young"]


def test_a_backup_holds_what_a_lake_is_made_of_and_nothing_else(made: HandMade, tmp_path: Path) -> None:
    (made.folder / "notes.txt").write_text("mine")
    (made.folder / "bronze" / "link.json").symlink_to("/etc/passwd")
    (made.folder / "tombstones").mkdir()
    (made.folder / "tombstones" / f"{'a' * 32}.json").write_text("{}")
    again = Confirmation(
        "events", "m1", date(2026, 3, 5), "run-2", datetime(2026, 3, 6, tzinfo=UTC), "x", True
    )
    confirmed, data = bronze.encode_confirmations([again])
    LocalObjects(made.folder).put(confirmed, data)
    lake_archive.backup(made.folder, tmp_path / "copy")
    found = {
        p.relative_to(tmp_path / "copy").as_posix() for p in (tmp_path / "copy").rglob("*") if p.is_file()
    }
    assert {f"tombstones/{'a' * 32}.json", confirmed} <= found
    assert {"lake.json", "ledger.db", "catalog.db", "pseudonym-key.json", "warehouse.sha256"} <= found
    assert not {f for f in found if "notes" in f or "link" in f}
    assert all(p.stat().st_mode & 0o077 == 0 for p in (tmp_path / "copy").rglob("*"))


@pytest.mark.parametrize("name", lake_archive.NEEDED)
def test_a_copy_that_lacks_a_part_is_refused_by_its_name(
    name: str, original: HandMade, tmp_path: Path
) -> None:
    lake_archive.backup(original.folder, tmp_path / "copy")
    (tmp_path / "copy" / name).unlink()
    with pytest.raises(ConfigError, match=f"incomplete lake without {name}"):
        lake_archive.restore(tmp_path / "copy", tmp_path / "new")


MARKERS = (
    b"",
    b"\xff\xfe",
    b"[]",
    b'{"layout": 1}',
    b'{"layout": 1, "path": ["/"], "zone": "UTC"}',
    b"[" * 10_000,
)


@pytest.mark.parametrize(
    ("name", "content"),
    [*(("lake.json", marker) for marker in MARKERS), ("pseudonym-key.json", bytes(50))],
)
def test_a_copy_whose_marker_or_key_is_damaged_is_not_restored(
    name: str, content: bytes, original: HandMade, tmp_path: Path
) -> None:
    lake_archive.backup(original.folder, tmp_path / "copy")
    (tmp_path / "copy" / name).write_bytes(content)
    with pytest.raises(StoreError, match="is damaged: take another backup") as refused:
        lake_archive.restore(tmp_path / "copy", tmp_path / "new")
    assert SCRATCH not in str(refused.value)
    assert not (tmp_path / "new").exists()


def test_a_copy_with_a_flipped_bit_is_not_restored(original: HandMade, tmp_path: Path) -> None:
    lake_archive.backup(original.folder, tmp_path / "copy")
    file = next((tmp_path / "copy").rglob("*.parquet"))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(StoreError, match="not what it was when it was written"):
        lake_archive.restore(tmp_path / "copy", tmp_path / "new")


# what killed copies leave


@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
@pytest.mark.parametrize("work", ["backup", "restore"])
def test_what_a_killed_copy_leaves_goes_with_the_next_one(
    work: str, original: HandMade, tmp_path: Path
) -> None:
    """A whole lake, raw pages and key, lay beside the target for good."""
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom wistlake.adapters.local import lake_archive as a, lake_copy\n"
        "a._require_tables = lambda *_: (print('copied', flush=True), time.sleep(60))\n"
        f"a.{work}(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", program, str(original.folder), str(tmp_path / "target")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "copied\n"
        left = [p.name for p in tmp_path.iterdir()]
        assert len(left) == 1
        assert list((tmp_path / left[0]).rglob("pseudonym-key.json"))
        assert sweep(tmp_path, SCRATCH) == 0  # it is at work
        process.send_signal(signal.SIGKILL)
    lake_archive.backup(original.folder, tmp_path / "copy")
    assert [p.name for p in tmp_path.iterdir()] == ["copy"]


def test_a_scratch_folder_that_is_not_locked_yet_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / f".{SCRATCH}.young").mkdir()
    (tmp_path / f".{SCRATCH}.old").mkdir()
    os.utime(tmp_path / f".{SCRATCH}.old", (time.time() - 3600,) * 2)
    (tmp_path / f".{SCRATCH}.link").symlink_to(tmp_path)
    assert sweep(tmp_path, SCRATCH) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == [f".{SCRATCH}.link", f".{SCRATCH}.young"]


def test_a_scratch_folder_goes_with_its_block(tmp_path: Path) -> None:
    def work() -> None:
        with aside(tmp_path, SCRATCH) as folder:
            (folder / "x").write_text("raw")
            assert folder.stat().st_mode & 0o077 == 0
            raise StoreError("no")

    with pytest.raises(StoreError, match="no"):
        work()
    assert list(tmp_path.iterdir()) == []


def test_a_restored_lake_may_be_sealed_and_checked_by_hand(original: HandMade, tmp_path: Path) -> None:
    lake_archive.restore(original.folder, tmp_path / "new")
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "warehouse.sha256"],
        cwd=tmp_path / "new", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    assert to_path(HandMade(tmp_path / "new").ref(EVENTS).metadata_location).is_relative_to(tmp_path / "new")


def test_a_backup_of_no_lake_makes_nothing(tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    with pytest.raises(ConfigError, match="isn't a lake yet"):
        lake_archive.backup(tmp_path / "lake", tmp_path / "copy.tar")
    assert [p.name for p in tmp_path.rglob("*")] == ["lake"]
