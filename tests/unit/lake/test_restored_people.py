"""Who was forgotten after a copy was made stays forgotten when the copy comes back."""

from pathlib import Path

import pytest

from support.commands import call
from support.handmade import NOW, HandMade
from wistlake.adapters.local import lake_archive
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.objects import LocalObjects
from wistlake.errors import ConfigError, SourceUnavailable
from wistlake.pipeline import tombstone_copies as tombstone_home
from wistlake.privacy import keys
from wistlake.wiring import copies
from wistlake.wiring.laptop import LaptopLake

ENTRY = {"receipt": "r1", "at": NOW.isoformat(), "visitors": ["v"], "addresses": []}


@pytest.fixture
def copy(made: HandMade, tmp_path: Path) -> Path:
    """A copy from before somebody was forgotten in `made`."""
    lake_archive.backup(made.folder, tmp_path / "copy.tar.gz")
    tombstone_home.put(LocalObjects(made.folder), ENTRY)
    return tmp_path / "copy.tar.gz"


def test_a_copy_learns_whom_the_lake_that_it_replaces_has_forgotten(
    made: HandMade, copy: Path, tmp_path: Path
) -> None:
    assert copies.restore(copy, tmp_path / "alone", None) == 0
    assert copies.restore(copy, tmp_path / "new", made.folder) == 1
    assert LocalObjects(tmp_path / "new").exists(tombstone_home.home_key(ENTRY))


def test_a_lake_of_another_key_is_not_the_one_that_a_copy_replaces(
    made: HandMade, copy: Path, tmp_path: Path
) -> None:
    LakeFolder(made.folder).write_keys(keys.fresh())
    with pytest.raises(ConfigError, match="different pseudonym keys"):
        copies.restore(copy, tmp_path / "new", made.folder)


def test_a_restored_lake_that_still_holds_the_forgotten_is_said_to(
    made: HandMade,
    copy: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[Path] = []

    def again(lake: LaptopLake, *_: object) -> None:
        asked.append(lake.settings.lake)
        raise SourceUnavailable("no engine today")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WISTIA_API_TOKEN", "simulated")
    monkeypatch.setenv("MEDIA_IDS", "all")
    monkeypatch.setattr(LaptopLake, "forget_again", again)
    arguments = ("restore", str(copy), "--to", "new", "--replaces", str(made.folder))
    assert call(*arguments) == 74
    said = capsys.readouterr().err
    assert "still holds 1 people who were forgotten after the copy was made" in said
    assert "no engine today" in said
    assert asked == [tmp_path / "new"]
