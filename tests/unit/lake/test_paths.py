"""A lake may have any name: what it holds stays in it."""

import os
from pathlib import Path

import pytest

import wistlake
from support.commands import call
from support.handmade import EVENTS, HandMade, make
from wistlake.adapters import iceberg_paths as paths
from wistlake.adapters.local import lake_archive
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.errors import ConfigError, StoreError

ODD = (
    "a b",
    "jörg",
    "o'brien",
    "c#d",
    "[x]",
    "a?b",
    "st*r",
    "{x}",
    "a%20b",
    "100%",
    "<l>",
    "`t`",
    "日本",
    "back\\slash",
)
TOGETHER = ("a b", "jörg's [old] #1? {x} 100%25 *<l>`t`日本\\s")
REFUSED = {
    "cr\r": r"'\\r'",
    "new\nline": r"'\\n'",
    "tab\there": r"'\\t'",
    'say "hi"': "'\"'",
    "bad\udcff": "udcff",
}


@pytest.mark.parametrize("name", ODD)
def test_metadata_names_an_oddly_named_path_letter_by_letter(name: str) -> None:
    there = Path("/lakes") / name / "warehouse"
    assert paths.to_path(paths.to_location(there)) == there
    assert paths.to_location(there) == str(there)


def test_metadata_names_a_plain_path_as_a_url() -> None:
    assert paths.to_location(Path("/lakes/one-2/x_y=3.z")) == "file:///lakes/one-2/x_y=3.z"
    assert paths.to_path("file:///lakes/a%20b") == Path("/lakes/a%20b")


@pytest.mark.parametrize("name", TOGETHER)
def test_an_oddly_named_lake_keeps_its_tables_inside(name: str, tmp_path: Path) -> None:
    made = make(tmp_path / name / "lake")
    assert wistlake.open(made.folder).table(EVENTS).num_rows == 2
    assert [p.name for p in tmp_path.iterdir()] == [name]
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert sum(p.suffix == ".parquet" for p in files) == 3
    assert all(p.is_relative_to(made.folder) for p in files)


@pytest.mark.parametrize("name", TOGETHER)
def test_an_oddly_named_lake_is_backed_up_with_its_tables_and_restored(
    name: str, original: HandMade, tmp_path: Path
) -> None:
    lake = tmp_path / name / "lake"
    lake_archive.restore(original.folder, lake)
    lake_archive.backup(lake, tmp_path / f"{name}.tar.gz")
    lake_archive.restore(tmp_path / f"{name}.tar.gz", tmp_path / "plain")
    for folder in (lake, tmp_path / "plain"):
        assert wistlake.open(folder).table(EVENTS).num_rows == 2


@pytest.mark.parametrize(("name", "said"), REFUSED.items(), ids=map(ascii, REFUSED))
def test_a_path_that_no_lake_can_have_is_refused_by_name(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"holds .*{said}.*, which no lake can: rename the folder"):
        LakeFolder(tmp_path / name)
    with pytest.raises(ConfigError, match="which no lake can"):
        wistlake.open(tmp_path / name)


def test_a_path_that_no_lake_can_have_ends_a_command_as_wrong_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WISTLAKE_LAKE", f'{tmp_path}/my "lake"')
    monkeypatch.setenv("WISTIA_API_TOKEN", "simulated")
    monkeypatch.setenv("MEDIA_IDS", "all")
    (tmp_path / "copy").mkdir()
    for command in (["run"], ["status"], ["query", "SELECT 1"], ["maintain"], ["restore", "copy"]):
        assert call(*command) == 2
        assert "which no lake can" in capsys.readouterr().err
    assert [p.name for p in tmp_path.rglob("*")] == ["copy"]


def test_a_lake_is_the_same_however_its_path_is_written(
    original: HandMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(original.folder.parent)
    roundabout = f"../{original.folder.parent.name}/lake/../lake"
    assert wistlake.open(roundabout).table(EVENTS).num_rows == 2
    monkeypatch.setenv("WISTLAKE_LAKE", roundabout)
    assert call("status") == 0


@pytest.mark.parametrize(
    "location",
    [
        "/elsewhere/x",
        "file:///elsewhere/x",
        "{w}/../../x",
        "{w}",
        "s3://bucket/x",
        "{w}-not/x",
        "relative/x",
        "",
    ],
)
def test_a_location_outside_of_the_warehouse_is_refused(location: str) -> None:
    warehouse = Path("/lakes/one/warehouse")
    assert paths.inside("file:///lakes/one/warehouse/gold/x", warehouse, "x") == warehouse / "gold/x"
    with pytest.raises(StoreError, match=r"gold.x lies at .*, outside of /lakes/one/warehouse"):
        paths.inside(location.format(w=warehouse), warehouse, "gold.x")


def test_a_table_outside_of_the_lake_ends_every_use_of_the_catalog(made: HandMade, tmp_path: Path) -> None:
    """What an older wistlake made of an oddly named lake."""
    import sqlite3

    with sqlite3.connect(made.folder / "catalog.db") as database:
        database.execute(
            "UPDATE iceberg_tables SET metadata_location = ? WHERE table_name = 'fact_events'",
            (
                f"file://{tmp_path}/encoded%20lake/warehouse/silver/fact_events/metadata/00001-x.metadata.json",
            ),
        )
    catalog = LocalCatalog(made.folder)
    for use in (lambda: catalog.require(None), lambda: catalog.load(EVENTS), lambda: catalog.refs([EVENTS])):
        with pytest.raises(StoreError, match=r"silver.fact_events lies at .*encoded%20lake"):
            use()


def test_tables_that_an_older_wistlake_put_outside_come_back_by_restore(
    original: HandMade, tmp_path: Path
) -> None:
    odd, stray = tmp_path / "my lake", tmp_path / "my%20lake"
    lake_archive.restore(original.folder, stray)  # its metadata names my%20lake, as it did then
    odd.mkdir()
    for name in ("bronze", "lake.json", "ledger.db", "catalog.db", "pseudonym-key.json"):
        os.rename(stray / name, odd / name)
    LakeFolder(odd).write_marker({**LakeFolder(odd).described(), "path": str(odd)})
    with pytest.raises(StoreError):
        lake_archive.backup(odd, tmp_path / "copy")
    lake_archive.restore(odd, tmp_path / "whole")
    assert wistlake.open(tmp_path / "whole").table(EVENTS).num_rows == 2
