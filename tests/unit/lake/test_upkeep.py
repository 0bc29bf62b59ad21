"""Upkeep of the laptop's tables: few files, no row lost, and nothing taken that somebody may still read."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.handmade import DAILY, EVENTS, NOW, HandMade, rows
from wistlake.adapters.local import history
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.damage import inspector
from wistlake.adapters.local.history import FEW, LocalUpkeep, _partition_filter
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.contracts import table as contract

PLAIN = "gold.dim_visitor"  # a table without days


def write(lake: HandMade, name: str, files: int, days: int = 1) -> None:
    """So many files, each with a row for each of the first days."""
    for n in range(files):
        LocalCatalog(lake.folder).load(name).append(rows(name, f"media{n:05}", days))


def content(lake: HandMade, name: str) -> list[str]:
    return sorted(map(str, LocalCatalog(lake.folder).load(name).scan().to_arrow().to_pylist()))


def files(lake: HandMade, name: str) -> int:
    return len(LocalCatalog(lake.folder).load(name).inspect.files())


@pytest.mark.parametrize("name", [EVENTS, DAILY, PLAIN])
def test_a_partition_with_more_than_a_few_small_files_is_merged(made: HandMade, name: str) -> None:
    upkeep, table = LocalUpkeep(made.folder), contract(name)
    others = files(made, name)
    write(made, name, FEW - 1 if others else FEW)
    before = files(made, name)
    assert upkeep.compact(table) == 0
    write(made, name, 1)
    every = content(made, name)
    assert upkeep.compact(table) == FEW
    assert (files(made, name), content(made, name)) == (before + 1 - FEW, every)
    assert upkeep.compact(table) == 0


def test_large_files_are_left_as_they_are(made: HandMade, monkeypatch: pytest.MonkeyPatch) -> None:
    write(made, EVENTS, FEW + 1)
    monkeypatch.setattr(history, "SMALL_BYTES", 10)
    assert LocalUpkeep(made.folder).compact(contract(EVENTS)) == 0


def test_a_manifest_of_a_long_history_is_split_by_days(
    made: HandMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST_LISTED", 5)
    write(made, EVENTS, 1, days=14)
    upkeep, every = LocalUpkeep(made.folder), content(made, EVENTS)
    assert max(named for _, _, named in manifests(made)) == 14
    upkeep.compact(contract(EVENTS))
    spans = manifests(made)
    assert sum(named for _, _, named in spans) == files(made, EVENTS)
    first, second, third = sorted(s for s in spans if s[2] > 3)
    assert (first[2], second[2], third[2]) == (5, 5, 4)
    assert first[1] < second[0]
    assert second[1] < third[0]
    assert content(made, EVENTS) == every
    before = LocalCatalog(made.folder).load(EVENTS).metadata_location
    upkeep.compact(contract(EVENTS))
    assert LocalCatalog(made.folder).load(EVENTS).metadata_location == before, "it is sorted already"


def manifests(lake: HandMade) -> list[tuple[int, int, int]]:
    """First and last day, as numbers, and how many files each manifest names."""
    table = LocalCatalog(lake.folder).load(EVENTS)
    current = table.current_snapshot()
    assert current is not None
    named = [
        [e.data_file.partition[0] for e in m.fetch_manifest_entry(table.io)]
        for m in current.manifests(table.io)
    ]
    return [(min(days), max(days), len(days)) for days in named]


def test_a_table_without_rows_has_nothing_to_merge(made: HandMade) -> None:
    assert LocalUpkeep(made.folder).compact(contract(PLAIN)) == 0


@pytest.mark.parametrize(
    ("name", "partition", "condition"),
    [
        (EVENTS, 20_513, "event_date >= '2026-03-01' and event_date < '2026-03-02'"),
        (DAILY, 674, "date >= '2026-03-01' and date < '2026-04-01'"),
        (DAILY, 683, "date >= '2026-12-01' and date < '2027-01-01'"),
        (PLAIN, None, None),
    ],
)
def test_a_partition_is_named_by_its_days(name: str, partition: int | None, condition: str | None) -> None:
    assert _partition_filter(contract(name), partition) == condition


def test_rows_of_old_landings_are_dropped(made: HandMade) -> None:
    upkeep, table, day = LocalUpkeep(made.folder), contract(EVENTS), timedelta(days=1)
    snapshot = made.ref(EVENTS).snapshot_id
    assert upkeep.drop(table, NOW) == 0
    assert upkeep.refs([table])[EVENTS].snapshot_id == snapshot, "nothing was old: nothing is committed"
    assert upkeep.drop(table, NOW + day) == 2
    assert content(made, EVENTS) == []


def test_snapshots_that_readers_follow_are_kept(made: HandMade) -> None:
    upkeep, table, followed = LocalUpkeep(made.folder), contract(EVENTS), made.ref(EVENTS)
    write(made, EVENTS, 2)
    assert followed.snapshot_id is not None
    assert upkeep.expire(table, {followed.snapshot_id}) == 1
    assert len(LocalCatalog(made.folder).load(EVENTS).snapshots()) == 2
    assert upkeep.expire(table, frozenset()) == 1
    assert upkeep.expire(contract(PLAIN), frozenset()) == 0


def test_files_that_nothing_names_go_once_no_writer_can_still_be_at_them(made: HandMade) -> None:
    upkeep, table, now = LocalUpkeep(made.folder), contract(EVENTS), datetime.now(UTC)
    orphan = LocalCatalog(made.folder).folder(EVENTS) / "data" / "orphan.parquet"
    orphan.write_bytes(b"left")
    os.utime(orphan, (now.timestamp() - 10,) * 2)
    needed = _files(made.folder)
    followed = made.ref(EVENTS).metadata_location
    assert upkeep.remove_orphans(table, {followed}, now - timedelta(seconds=20)) == 0
    assert upkeep.remove_orphans(table, {followed}, now + timedelta(days=1)) == 1
    assert _files(made.folder) == needed - {orphan}


def test_a_reader_finds_the_published_metadata_after_many_commits_and_upkeep(made: HandMade) -> None:
    """A run makes more commits than a table's metadata remembers before it publishes."""
    catalog, upkeep, table = LocalCatalog(made.folder), LocalUpkeep(made.folder), contract(EVENTS)
    catalog.ensure([table])
    followed = made.metadata(EVENTS)
    for number in range(60):
        with catalog.load(EVENTS).transaction() as transaction:
            transaction.set_properties({"commit": str(number)})
    metadata = sorted(followed.parent.glob("*.metadata.json"))
    assert len(metadata) > 60
    inspector(LakeFolder(made.folder)).check(EVENTS, made.ref(EVENTS))
    upkeep.remove_orphans(table, {made.ref(EVENTS).metadata_location}, datetime.now(UTC) + timedelta(days=1))
    left = sorted(followed.parent.glob("*.metadata.json"))
    assert followed in left
    assert len(left) == 1 + 50 + 1, "the one that is followed, those of the log, the current one"


def test_a_table_of_an_older_version_keeps_its_metadata_from_now_on(made: HandMade) -> None:
    catalog, name = LocalCatalog(made.folder), "write.metadata.delete-after-commit.enabled"
    with catalog.load(EVENTS).transaction() as transaction:
        transaction.set_properties({name: "true"})
    catalog.ensure([contract(EVENTS)])
    assert catalog.load(EVENTS).properties[name] == "false"
    before = catalog.load(EVENTS).metadata_location
    catalog.ensure([contract(EVENTS)])
    assert catalog.load(EVENTS).metadata_location == before, "once is enough"


def _files(folder: Path) -> set[Path]:
    return {p for p in folder.rglob("*") if p.is_file() and "fact_events" in str(p)}
