"""A lake with an odd name, one that lost a part of itself, and one with a damaged table: lived through with an
engine."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import wistlake
from support.commands import call, served
from support.handmade import HandMade
from support.lake import START, Lake, Scenario
from wistia_simulator import Profile
from wistlake.adapters.local import lake_archive
from wistlake.contracts import TABLES
from wistlake.contracts.form import Table
from wistlake.errors import StoreError

pytestmark = pytest.mark.engine
ODD = "jörg's [old] #1? {x} 100%25 *"
LAST = START + timedelta(days=1)
NOW = LAST.isoformat()
SCENARIO = Scenario(Profile(media=2, sessions_per_day=12, history_days=10))
# Of when and from where, not of what: days of a ledger made anew must be confirmed again.
MARKS = ("built_at", "updated_at", "first_observed_at", "observed_at", "landing_id", "run_id", "certificate")


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("grown") / ODD / "lake"
    folder.mkdir(parents=True, mode=0o700)
    lake = Lake(folder, SCENARIO)
    lake.run_days(2)
    return lake


@pytest.fixture
def lake(grown: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HandMade]:
    """A working copy, with settings that point to it and to the simulated Wistia of its last day."""
    lake_archive.restore(grown.folder, tmp_path / "lake")
    grown.world.clock.set(LAST)
    monkeypatch.chdir(tmp_path)
    with served(grown.world, tmp_path / "lake", monkeypatch):
        yield HandMade(tmp_path / "lake")


def contents(folder: Path) -> dict[str, list[str]]:
    """Every row of the tables that say something of Wistia."""
    found = wistlake.open(folder)
    return {
        t.full_name: sorted(map(str, found.table(t.full_name).drop_columns(marks(t)).to_pylist()))
        for t in TABLES
        if t.layer != "ops"
    }


def marks(table: Table) -> list[str]:
    return [m for m in MARKS if table.has(m)]


def test_a_lake_with_an_odd_name_is_the_same_lake_with_all_its_files_inside(
    grown: Lake, tmp_path: Path
) -> None:
    plain = Lake(tmp_path / "plain", SCENARIO)
    plain.run_days(2)
    assert contents(grown.folder) == contents(plain.folder)
    around = grown.folder.parent.parent
    assert [p.name for p in around.iterdir()] == [ODD]
    files = list(around.rglob("*.parquet"))
    assert len(files) > 20
    assert all(p.is_relative_to(grown.folder / "warehouse") for p in files)


def test_upkeep_and_copies_of_a_lake_with_an_odd_name(
    grown: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ODD / "lake"
    lake_archive.restore(grown.folder, folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WISTLAKE_LAKE", str(folder))
    before = contents(folder)
    assert call("maintain", "--now", NOW) == 0
    assert call("backup", str(tmp_path / "copy.tar.gz")) == 0
    assert call("restore", str(tmp_path / "copy.tar.gz"), "--to", str(tmp_path / "plain")) == 0
    assert contents(tmp_path / "plain") == contents(folder) == before


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-9])


DAMAGE: dict[str, tuple[str, Callable[[HandMade, str], Path], Callable[[Path], object]]] = {
    "a data file cut": ("silver.fact_events", HandMade.data_file, cut),
    "a manifest gone": ("silver.fact_media_by_date", HandMade.manifest, Path.unlink),
    "metadata gone": ("gold.fact_media_daily", HandMade.metadata, Path.unlink),
    "all metadata gone": (
        "gold.dim_visitor", HandMade.metadata, lambda file: shutil.rmtree(file.parent)
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "which", "break_"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_table_is_named_by_a_rebuild_and_mended_row_by_row(
    name: str,
    which: Callable[[HandMade, str], Path],
    break_: Callable[[Path], object],
    lake: HandMade,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = contents(lake.folder)
    break_(which(lake, name))
    assert call("rebuild", "--now", NOW) == 74
    assert f"{name} is damaged" in capsys.readouterr().err
    with pytest.raises(StoreError, match="is damaged"):
        contents(lake.folder)
    assert call("repair", "--table", name, "--now", NOW) == 0
    assert contents(lake.folder) == before
    assert call("doctor", "--deep") == 0


def test_a_lost_catalog_and_a_lost_ledger_cost_no_row(lake: HandMade) -> None:
    before = contents(lake.folder)
    (lake.folder / "catalog.db").unlink()
    assert call("run", "--now", NOW) == 74
    assert call("repair", "--catalog") == 0
    for file in lake.folder.glob("ledger.db*"):
        file.unlink()
    assert call("run", "--now", NOW) == 74
    assert call("repair", "--ledger", "--now", NOW) == 0
    assert call("run", "--now", NOW) == 0
    assert contents(lake.folder) == before
    assert call("doctor", "--deep") == 0
