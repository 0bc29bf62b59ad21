"""A damaged table is named, with its cure: no crash, no "mistake in wistlake", and nobody else is disturbed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pyiceberg.avro.file import AvroFile
from pyiceberg.io.pyarrow import PyArrowFileIO

import wistlake
from support.commands import call
from support.handmade import DAILY, EVENTS, HandMade, rows
from wistlake.adapters import avro as avro_bytes
from wistlake.adapters.local import checksums, damage
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.table_repair import TableRepair
from wistlake.adapters.table_files import TableDamaged
from wistlake.contracts import table as contract
from wistlake.errors import ConfigError, StoreBusy, StoreError
from wistlake.ports import Publication

Break = Callable[[Path], None]


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-7])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def gone(file: Path) -> None:
    file.unlink()


def junk(file: Path) -> None:
    file.write_bytes(b"\x07" * file.stat().st_size)


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def one_bit(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


BREAKS = (cut, empty, gone, junk, a_folder)
FILES = {
    "metadata": HandMade.metadata,
    "manifest list": HandMade.manifest_list,
    "manifest": HandMade.manifest,
    "data file": HandMade.data_file,
}


@pytest.mark.parametrize(
    ("which", "sealed"), [*((f, True) for f in FILES), ("manifest", False), ("data file", False)]
)
def test_a_reader_is_told_which_table_is_damaged_and_what_mends_it(
    which: str, sealed: bool, made: HandMade
) -> None:
    if not sealed:  # a lake that an older wistlake has written
        (made.folder / checksums.NAME).unlink()
    file = FILES[which](made, EVENTS)
    whole = file.read_bytes()
    for break_ in BREAKS:
        break_(file)
        reader = wistlake.open(made.folder)
        with pytest.raises(TableDamaged) as told:
            reader.table(EVENTS)
        assert f"{EVENTS} is damaged: " in str(told.value)
        assert file.name in str(told.value)
        assert f"`wistlake repair --table {EVENTS}`" in str(told.value)
        assert reader.table(DAILY).num_rows == 2
        if file.is_dir():
            file.rmdir()
        file.write_bytes(whole)
    assert wistlake.open(made.folder).table(EVENTS).num_rows == 2


@pytest.mark.parametrize("which", FILES)
def test_a_flipped_bit_is_found_by_whoever_reads_what_lists_the_files_and_by_a_deep_look(
    which: str, made: HandMade
) -> None:
    file = FILES[which](made, EVENTS)
    one_bit(file)
    found = [str(e) for e in damage.tables(LakeFolder(made.folder))]
    assert [file.name in f for f in found][-1:] == [True]
    assert "`wistlake repair --table silver.fact_events`" in found[-1]
    if which != "data file":
        with pytest.raises(TableDamaged):
            wistlake.open(made.folder).table(EVENTS)


def test_a_damaged_manifest_ends_no_process_that_reads(made: HandMade) -> None:
    """DuckDB aborts over it: exit code 134."""
    junk(made.manifest(EVENTS))
    program = (
        "import sys, wistlake\nfrom wistlake.errors import StoreError\n"
        "lake = wistlake.open(sys.argv[1])\n"
        "try:\n    lake.table('silver.fact_events')\nexcept StoreError as e:\n    print(e)\n"
        "print(lake.table('gold.fact_media_daily').num_rows)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(made.folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("silver.fact_events is damaged")
    assert done.stdout.splitlines()[1] == "2"


def test_a_query_of_views_on_a_damaged_table_is_told_the_table(
    made: HandMade, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone(made.manifest(DAILY))
    monkeypatch.chdir(made.folder.parent)
    monkeypatch.setenv("WISTLAKE_LAKE", str(made.folder))
    assert call("query", "SELECT * FROM wistia_gold_fact_media_daily") == 74
    assert f"{DAILY} is damaged" in capsys.readouterr().err
    assert call("query", 'SELECT count(*) FROM "gold" . "fact_media_daily"') == 74
    assert f"{DAILY} is damaged" in capsys.readouterr().err
    assert call("query", "SELECT count(*) FROM gold.nothing") == 2
    assert call("query", "SELECT count(*) FROM silver.fact_events") == 0


def test_a_reader_of_a_state_that_upkeep_let_go_is_told_to_open_it_again(made: HandMade) -> None:
    reader = wistlake.open(made.folder)
    assert reader.table(EVENTS).num_rows == 2
    old = made.data_file(EVENTS)
    catalog = LocalCatalog(made.folder)
    catalog.load(EVENTS).overwrite(rows(EVENTS, "abcdef1234", 1))
    ledger = SqliteLedger(made.folder / "ledger.db")
    published = ledger.publication()
    ledger.publish(Publication("later", published.published_at, catalog.refs(published.tables)))
    old.unlink()
    with pytest.raises(StoreBusy, match="open it again"):
        reader.table(EVENTS)


def test_whatever_fails_over_a_damaged_lake_is_told_as_its_damage(made: HandMade) -> None:
    folder = LakeFolder(made.folder)
    with pytest.raises(ZeroDivisionError), damage.explained(folder):
        _ = 1 / 0  # ours, and nobody else's
    cut(made.data_file(EVENTS))
    with pytest.raises(TableDamaged, match=r"has \d+ bytes instead of \d+"), damage.explained(folder):
        _ = 1 / 0
    with pytest.raises(ConfigError, match="mine"), damage.explained(folder):
        raise ConfigError("mine")


def test_a_deep_look_reads_databases_tables_raw_pages_and_checksums(
    made: HandMade, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(made.folder.parent)
    monkeypatch.setenv("WISTLAKE_LAKE", str(made.folder))
    assert call("doctor", "--deep") == 0
    said = capsys.readouterr().out
    assert all(f"deep: {name}" in said for name in ("databases", "tables", "raw pages", "checksums"))
    part = next(made.folder.rglob("part-*.jsonl.gz"))
    one_bit(part)
    assert call("doctor", "--deep") == 2
    assert "does not match its manifest" in " ".join(capsys.readouterr().out.split())
    one_bit(part)
    one_bit(made.data_file(DAILY))
    assert call("doctor", "--deep", "--json") == 2
    assert f"repair --table {DAILY}" in capsys.readouterr().out
    one_bit(made.data_file(DAILY))
    (made.folder / "catalog.db").write_bytes(b"SQLite format 3\0" + b"\x07" * 5000)
    assert call("doctor", "--deep", "--json") == 2
    assert "catalog.db is damaged" in capsys.readouterr().out


def test_files_that_have_no_checksum_yet_are_counted(made: HandMade) -> None:
    assert checksums.unsealed(made.folder) == 0
    LocalCatalog(made.folder).load(EVENTS).append(rows(EVENTS, "other12345", 1))
    assert checksums.unsealed(made.folder) >= 4
    checksums.seal(made.folder)
    assert checksums.unsealed(made.folder) == 0
    made.data_file(EVENTS).unlink()
    checksums.seal(made.folder)
    assert list(checksums.changed(made.folder)) == []


# mending a table


def rows_of(made: HandMade) -> int:
    return int(LocalCatalog(made.folder).load(EVENTS).scan().to_arrow().num_rows)


def mend(made: HandMade, oldest_raw_days_ago: int = 9999):
    from datetime import UTC, datetime, timedelta

    repair = TableRepair(LakeFolder(made.folder), contract(EVENTS), made.ref(EVENTS))
    assert not repair.is_sound()
    done = repair.repair(datetime.now(UTC) - timedelta(days=oldest_raw_days_ago))
    LocalCatalog(made.folder).require(made.ledger.publication())  # a run takes it as the newest state
    assert list(checksums.changed(made.folder)) == []
    return done


def grow(made: HandMade) -> None:
    """A second state of the table, published."""
    catalog = LocalCatalog(made.folder)
    catalog.load(EVENTS).append(rows(EVENTS, "other12345", 1))
    ledger = SqliteLedger(made.folder / "ledger.db")
    published = ledger.publication()
    ledger.publish(Publication("run-2", published.published_at, catalog.refs(published.tables)))
    checksums.seal(made.folder)


@pytest.mark.parametrize("which", ["metadata", "manifest list"])
def test_a_table_goes_back_to_its_last_whole_state(which: str, made: HandMade) -> None:
    grow(made)
    gone(FILES[which](made, EVENTS))
    done = mend(made)
    assert done.since is not None
    assert rows_of(made) == 2


def test_a_table_keeps_the_files_that_are_whole_where_raw_pages_do_not_reach_back(made: HandMade) -> None:
    grow(made)
    lost = made.data_file(EVENTS)
    one_bit(lost)
    done = mend(made, oldest_raw_days_ago=-1)
    assert [Path(f).name for f in done.lost] == [lost.name]
    assert rows_of(made) == 2  # of three


def test_a_table_of_which_nothing_can_be_read_begins_anew(made: HandMade) -> None:
    for file in made.metadata(EVENTS).parent.glob("*.metadata.json"):
        gone(file)
    done = mend(made)
    assert done.is_empty
    assert rows_of(made) == 0


def test_a_table_that_is_whole_is_left_alone(
    made: HandMade, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(made.folder.parent)
    monkeypatch.setenv("WISTLAKE_LAKE", str(made.folder))
    before = LocalCatalog(made.folder).locations()
    assert call("repair", "--table", EVENTS) == 0
    assert "is whole: nothing to mend" in capsys.readouterr().out
    assert LocalCatalog(made.folder).locations() == before
    assert call("repair", "--table", "gold.nothing") == 2


# reading manifests without a library


def test_manifests_are_read_as_pyiceberg_reads_them(original: HandMade) -> None:
    files = [original.manifest_list(EVENTS), original.manifest(EVENTS), original.manifest(DAILY)]
    for file in files:
        with AvroFile(PyArrowFileIO().new_input(str(file))) as theirs:
            expected = list(theirs)
        found = avro_bytes.records(file.read_bytes())
        assert len(found) == len(expected) >= 1
        for mine, record in zip(found, expected, strict=True):
            assert [v for v in mine.values() if not isinstance(v, dict | list)] == [
                record[n] for n, v in enumerate(mine.values()) if not isinstance(v, dict | list)
            ]
    data = avro_bytes.records(files[1].read_bytes())[0]["data_file"]
    assert data["file_path"].endswith(".parquet")
    assert data["record_count"] == 1


def test_a_container_that_is_not_whole_is_damaged_wherever_it_ends(original: HandMade) -> None:
    raw = original.manifest(EVENTS).read_bytes()
    assert avro_bytes.records(raw)
    for end in range(len(raw) - 1, 0, -29):
        try:
            found = avro_bytes.records(raw[:end])
        except avro_bytes.Damaged:
            continue
        assert found == [], end  # it ends right behind the header


def test_a_block_that_unpacks_without_end_is_damaged(
    original: HandMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(avro_bytes, "_MAX_BYTES", 100)
    with pytest.raises(avro_bytes.Damaged, match="larger than any"):
        avro_bytes.records(original.manifest(EVENTS).read_bytes())


def test_damage_is_a_matter_of_the_store() -> None:
    assert TableDamaged("gold.x", "f", "is gone", "cure").exit_code == StoreError.exit_code == 74
