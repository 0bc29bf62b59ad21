"""Marker, ledger, catalog and key exist together or not at all: a lost one is never silently replaced."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

import wistlake
from support.commands import call
from support.handmade import DAILY, EVENTS, NOW, ZONE, HandMade
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.objects import LocalObjects
from wistlake.errors import StoreError
from wistlake.pipeline import tombstone_copies as tombstone_home
from wistlake.planning.intervals import State
from wistlake.planning.labels import LabelChange, MediaLabels
from wistlake.privacy import tombstones

CURES = {
    "lake.json": "repair --marker",
    "ledger.db": "repair --ledger",
    "catalog.db": "repair --catalog",
    "pseudonym-key.json": "restore it from a backup",
}


@pytest.fixture
def lake(made: HandMade, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> HandMade:
    """A lake that the settings name."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "WISTIA_API_TOKEN": "simulated",
        "WISTIA_BASE_URL": "http://127.0.0.1:9/modern",
        "WISTLAKE_LAKE": str(made.folder),
        "MEDIA_IDS": "abcdef1234",
    }.items():
        monkeypatch.setenv(name, value)
    return made


def lose(lake: HandMade, name: str) -> None:
    for suffix in ("", "-wal", "-shm"):
        (lake.folder / f"{name}{suffix}").unlink(missing_ok=True)


def files(folder: Path) -> set[str]:
    names = (p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return {n for n in names if not n.endswith((".lock", "-wal", "-shm"))}


@pytest.mark.parametrize(("name", "cure"), CURES.items())
@pytest.mark.parametrize(
    "command", [["run"], ["maintain"], ["rebuild"], ["backup", "copy"]], ids=lambda c: c[0]
)
def test_a_lost_part_of_a_lake_is_named_with_its_cure_and_not_replaced(
    name: str, cure: str, command: list[str], lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    lose(lake, name)
    before = files(lake.folder)
    assert call(*command) == 74
    said = capsys.readouterr().err
    assert f"{lake.folder / name} is gone" in said
    assert cure in said
    assert files(lake.folder) == before


@pytest.mark.parametrize("name", ["lake.json", "ledger.db"])
@pytest.mark.parametrize("command", [["status"], ["plan"], ["query", "SELECT 1"]], ids=lambda c: c[0])
def test_readers_are_told_what_they_need_and_lost(
    name: str, command: list[str], lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    lose(lake, name)
    assert call(*command) == 74
    assert f"{lake.folder / name} is gone" in capsys.readouterr().err


def test_readers_need_neither_catalog_nor_key(lake: HandMade) -> None:
    lose(lake, "catalog.db")
    lose(lake, "pseudonym-key.json")
    assert wistlake.open(lake.folder).table(EVENTS).num_rows == 2


def test_all_that_is_lost_is_named_at_once(lake: HandMade) -> None:
    for name in CURES:
        lose(lake, name)
    with pytest.raises(StoreError) as told:
        LakeFolder(lake.folder).require_complete()
    assert [name for name in CURES if f"{name} is gone" in str(told.value)] == list(CURES)


@pytest.mark.parametrize("done", range(4))
def test_a_beginning_that_was_interrupted_goes_on(done: int, tmp_path: Path) -> None:
    """A first run makes marker, key, ledger, catalog in this order: what is there of them is no loss."""
    folder = LakeFolder(tmp_path / "lake")
    steps = (
        lambda: folder.open(ZONE, NOW),
        folder.key_chain,
        lambda: SqliteLedger(folder.ledger).close(),
        lambda: LocalCatalog(folder.root),
    )
    for step in steps[:done]:
        step()
    for step in steps:
        step()
    folder.require_complete()


def test_no_command_but_a_run_begins_a_lake(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WISTIA_API_TOKEN", "simulated")
    monkeypatch.setenv("MEDIA_IDS", "all")
    for command in (
        ["rebuild"],
        ["maintain"],
        ["watermark", "set", "events", "abcdef1234", "2026-03-01", "--reason", "x"],
    ):
        assert call(*command) == 2
        assert "a lake yet" in capsys.readouterr().err
    assert files(tmp_path) == set()


# the catalog


def test_a_catalog_is_registered_again_as_published(
    lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    before = LocalCatalog(lake.folder).locations()
    lose(lake, "catalog.db")
    assert call("repair", "--catalog") == 0
    assert f"{len(before)} tables are registered again" in capsys.readouterr().out
    assert LocalCatalog(lake.folder).locations() == before
    LocalCatalog(lake.folder).require(lake.ledger.publication())
    assert call("repair", "--catalog") == 0
    assert "0 tables" in capsys.readouterr().out


def test_a_catalog_that_lost_a_table_is_no_catalog(lake: HandMade) -> None:
    LocalCatalog(lake.folder).forget(DAILY)
    with pytest.raises(StoreError, match=f"has lost {DAILY}.*repair --catalog"):
        LocalCatalog(lake.folder).require(lake.ledger.publication())
    assert call("repair", "--catalog") == 0
    LocalCatalog(lake.folder).require(lake.ledger.publication())


def test_a_catalog_of_an_older_day_is_not_believed(lake: HandMade) -> None:
    """A run on it would write what readers have had for long, without what came since."""
    catalog = LocalCatalog(lake.folder)
    first = min((lake.folder / "warehouse/silver/fact_events/metadata").glob("*.metadata.json"))
    catalog.replace(EVENTS, f"file://{first}")
    with pytest.raises(StoreError, match=f"is older than what is published of {EVENTS}.*repair --catalog"):
        catalog.require(lake.ledger.publication())
    assert call("repair", "--catalog") == 0
    assert LocalCatalog(lake.folder).load(EVENTS).scan().to_arrow().num_rows == 2


def test_a_damaged_catalog_is_put_aside(lake: HandMade, capsys: pytest.CaptureFixture[str]) -> None:
    (lake.folder / "catalog.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match=r"catalog.db: it is damaged .*repair --catalog"):
        LocalCatalog(lake.folder)
    assert call("repair", "--catalog") == 0
    assert (lake.folder / "catalog.db.damaged").is_file()
    LocalCatalog(lake.folder).require(lake.ledger.publication())


# the marker


def test_a_marker_comes_back_from_the_ledger_with_the_zone(lake: HandMade) -> None:
    folder = LakeFolder(lake.folder)
    before = folder.described()
    ledger = SqliteLedger(folder.ledger)
    ledger.put_facts("lake", before)
    ledger.close()
    lose(lake, "lake.json")
    assert call("repair", "--marker") == 0
    assert folder.described() == before
    assert call("repair", "--marker") == 2  # it is there


@pytest.mark.parametrize(
    "content", [b"\x00", b"[]", b'{"layout": 1}', b'{"layout": "1", "path": 5, "zone": "UTC"}', b"[" * 10_000]
)
def test_a_damaged_marker_is_named_with_its_cure(
    content: bytes, lake: HandMade, capsys: pytest.CaptureFixture[str]
) -> None:
    (lake.folder / "lake.json").write_bytes(content)
    assert call("status") == 74
    said = capsys.readouterr().err
    assert f"{lake.folder / 'lake.json'} is damaged: " in said
    assert "wistlake repair --marker" in said


# the ledger


def forget_somebody(lake: HandMade) -> None:
    entry = {"receipt": "r1", "at": NOW.isoformat(), "visitors": ["v"], "addresses": []}
    ledger = SqliteLedger(lake.folder / "ledger.db")
    ledger.put_facts(tombstones.FACTS, tombstones.added({}, entry))
    tombstone_home.mirror(LocalObjects(lake.folder), ledger)
    ledger.close()


def test_a_ledger_made_anew_keeps_the_forgotten_out(lake: HandMade) -> None:
    forget_somebody(lake)
    lose(lake, "ledger.db")
    assert call("repair", "--ledger") == 0
    assert [e["visitors"] for e in tombstones.entries(lake.ledger.facts(tombstones.FACTS))] == [["v"]]


def test_a_ledger_made_anew_has_the_labels_that_gold_has(lake: HandMade) -> None:
    table, at = LocalCatalog(lake.folder).load("gold.dim_media_label"), datetime(2026, 3, 1, tzinfo=UTC)
    row = {"media_id": "abcdef1234", "value": "spring", "labelled_at": at, "built_at": at}
    rows = [row | {"label": "campaign"}, row | {"label": "mood"}]
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
    lose(lake, "ledger.db")
    assert call("repair", "--ledger") == 0
    changes = (LabelChange("campaign", "spring", at), LabelChange("mood", "spring", at))
    assert lake.ledger.labels() == [MediaLabels("abcdef1234", changes)]


def test_a_ledger_made_anew_knows_landings_days_and_tables(lake: HandMade) -> None:
    before = lake.ledger.publication()
    lose(lake, "ledger.db")
    assert call("repair", "--ledger") == 0
    ledger = lake.ledger
    assert ledger.publication().tables == before.tables
    assert [m.media_id for m in ledger.media()] == ["abcdef1234"]
    known = {(i.dataset, i.day.isoformat()): i for i in ledger.intervals()}
    assert known["events", "2026-03-01"].state is State.LANDED  # its raw pages are there: it is built again
    assert known["events", "2026-03-01"].rows == 1
    assert (
        known["events", "2026-03-03"].state is State.PUBLISHED
    )  # local 2 March touches it; its pages expired
    assert {d for n, d in known if n == "gold"} == {"2026-03-01", "2026-03-02"}
    assert {i.reason for i in ledger.intervals("gold")} == {"provisional"}
    assert wistlake.open(lake.folder).table(DAILY).num_rows == 2


def test_a_ledger_that_is_there_is_not_replaced(lake: HandMade, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("repair", "--ledger") == 2
    assert "is there: if it is damaged, move it away first" in capsys.readouterr().err


def test_parts_are_mended_one_at_a_time(lake: HandMade, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("repair", "--ledger", "--catalog") == 2
    assert "one at a time: --catalog or --ledger" in capsys.readouterr().err


# a new ledger on a full disk


def test_a_new_ledger_is_whole_before_its_log_reaches_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a disk is full, what lies in the log is not written into the file at the end, and nobody is told."""
    from wistlake.adapters.local import database

    class Full(sqlite3.Connection):
        """Lets go of the file without what is in its log."""

        def close(self) -> None:
            file = Path(self.execute("PRAGMA database_list").fetchone()[2])
            data = file.read_bytes()
            super().close()
            file.write_bytes(data)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=Full))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "BUSY_SECONDS", 0.1)
        ledger = SqliteLedger(tmp_path / "ledger.db")
    monkeypatch.undo()
    assert ledger.intervals() == []
    assert SqliteLedger(tmp_path / "ledger.db").facts("lake") == {}
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []
