"""Several processes at one lake: all end up with the same files, and what one takes away is no damage to another."""

import errno
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from support.handmade import EVENTS, HandMade, rows
from wistlake import lake_marker
from wistlake.adapters.local import checksums, damage, lake_archive, locks
from wistlake.adapters.local.budget import SqliteBudget
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.objects import LocalObjects
from wistlake.adapters.local.scratch import aside, sweep
from wistlake.adapters.local.whole_files import create_file, replace_file
from wistlake.errors import ConfigError, StoreBusy, StoreError
from wistlake.insight import doctor
from wistlake.ports import Publication
from wistlake.privacy import keys
from wistlake.settings import Settings
from wistlake.wiring.laptop import LaptopLake
from wistlake.wiring.runtime import Runtime

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 20, 13, tzinfo=UTC)


def overtaken(plain: Callable[..., Any], meanwhile: Callable[[], object], at: int = 1) -> Callable[..., Any]:
    """`plain`, but another process does `meanwhile` as soon as call number `at` has its answer."""
    calls = count(1)

    def call(*values: Any, **named: Any) -> Any:
        answer = plain(*values, **named)
        if next(calls) == at:
            meanwhile()
        return answer

    return call


def test_the_first_pseudonym_key_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second process used its own key for a run, and the first one's for all later ones."""
    faster: list[Any] = []
    another = overtaken(keys.fresh, lambda: faster.append(LakeFolder(tmp_path).key_chain()))
    monkeypatch.setattr(keys, "fresh", another)
    assert LakeFolder(tmp_path).key_chain() == faster[0]
    assert LakeFolder(tmp_path).key_chain() == faster[0]
    assert [path.name for path in tmp_path.iterdir()] == ["pseudonym-key.json"]


def test_the_first_marker_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, faster = LakeFolder(tmp_path / "lake"), list[Any]()
    another = overtaken(lake_marker.new, lambda: faster.append(folder.open("Europe/Berlin", NOW)))
    monkeypatch.setattr(lake_marker, "new", another)
    assert folder.open("Europe/Berlin", LATER) == faster[0] == folder.described()


@pytest.mark.parametrize("at", range(1, 6))
def test_a_store_that_appears_and_is_in_use_is_not_damaged(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever look at the disk it appears after."""
    path, others = tmp_path / "budget.db", list[SqliteBudget]()
    another = overtaken(Path.exists, lambda: others.append(SqliteBudget(path, "account", 60)), at)
    monkeypatch.setattr(Path, "exists", another)
    with_another = SqliteBudget(path, "account", 60)
    monkeypatch.undo()
    if at <= 2:
        assert (tmp_path / "budget.db-wal").exists()
        assert len(others) == 1
    for budget in (with_another, *others):
        budget.reserve()
        budget.close()
    assert [file.name for file in tmp_path.iterdir()] == ["budget.db"]


def test_a_log_without_its_store_is_damage(tmp_path: Path) -> None:
    (tmp_path / "budget.db-wal").write_bytes(b"pages")
    with pytest.raises(StoreError, match=r"budget\.db is gone, but its -wal file is there"):
        SqliteBudget(tmp_path / "budget.db", "account", 60)


def test_files_are_replaced_and_created_whole(tmp_path: Path) -> None:
    file = tmp_path / "a [b].json"
    create_file(file, "first")
    create_file(file, "second")
    assert file.read_text() == "first"
    replace_file(file, "third")
    assert file.read_text() == "third"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(StoreError, match=r"cannot write .*taken: Is a directory"):
        replace_file(tmp_path / "taken", "text")
    with pytest.raises(StoreError, match=r"cannot write .*here: No such file or directory"):
        create_file(tmp_path / "not" / "here", "text")


def test_a_scratch_folder_that_goes_while_it_is_looked_at_stops_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with aside(tmp_path, "export") as another:
        ended = overtaken(Path.is_symlink, lambda: shutil.rmtree(another))
        monkeypatch.setattr(Path, "is_symlink", ended)
        assert sweep(tmp_path, "export") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_scratch_folder_that_is_swept_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its work was removed while it was at it."""
    swept: list[int] = []
    opened = overtaken(locks.open_private, lambda: swept.append(sweep(tmp_path, "export")))
    monkeypatch.setattr(locks, "open_private", opened)
    with aside(tmp_path, "export") as folder:
        assert swept == [1]
        assert [path for path in tmp_path.iterdir() if path.is_dir()] == [folder]
        assert sweep(tmp_path, "export") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_lock_file_goes_with_its_block_and_is_held_by_one(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    for _ in range(2):
        with locks.exclusive(path, "at work"):
            with (
                pytest.raises(StoreBusy, match="another process is at work: run again"),
                locks.exclusive(path, "at work"),
            ):
                pass
            assert path.exists()
        assert not path.exists()


def test_a_lock_file_that_was_removed_is_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who held it before has removed it: a third one would make and hold another."""
    path = tmp_path / ".lock"
    monkeypatch.setattr(locks, "open_private", overtaken(locks.open_private, path.unlink))
    with pytest.raises(StoreBusy), locks.exclusive(path, "at work"):
        pass


class TestDemo:
    """It takes the place of an earlier one while others read that, or make one too."""

    def test_a_second_one_is_told_to_wait(self, tmp_path: Path) -> None:
        folder = LakeFolder(tmp_path / "a [demo]")
        with folder.demo("UTC", NOW):
            with pytest.raises(StoreBusy, match="making the demo's lake"), folder.demo("UTC", LATER):
                pass
            assert folder.described()["demo"]
        with folder.demo("UTC", LATER):
            pass
        assert [path.name for path in tmp_path.iterdir()] == ["a [demo]"]

    def test_a_file_that_a_reader_adds_meanwhile_stands_in_no_ones_way(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Every later demo refused the folder, for sqlite's file of a reader was left in it."""
        folder = LakeFolder(tmp_path / "demo")
        with folder.demo("UTC", NOW):
            pass
        removed = shutil.rmtree

        def reader_first(path: Path, **how: Any) -> None:
            (Path(path) / "ledger.db-shm").touch()
            removed(path, **how)

        monkeypatch.setattr(shutil, "rmtree", reader_first)
        for at in (LATER, NOW):
            with folder.demo("UTC", at):
                assert [path.name for path in folder.root.iterdir()] == ["lake.json"]
        assert [path.name for path in tmp_path.iterdir()] == ["demo"]

    def test_in_a_folder_that_is_anothers_only_the_content_goes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = LakeFolder(tmp_path / "demo")
        with folder.demo("UTC", NOW):
            (folder.root / "warehouse").mkdir()
            (folder.root / "warehouse" / "file").touch()

        def refused(self: Path, target: Path) -> None:
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "rename", refused)
        with folder.demo("UTC", NOW):
            assert [path.name for path in folder.root.iterdir()] == ["lake.json"]

    def test_a_link_is_followed(self, tmp_path: Path) -> None:
        (tmp_path / "disk" / "demo").mkdir(parents=True)
        (tmp_path / "demo").symlink_to(tmp_path / "disk" / "demo")
        for _ in range(2):
            with LakeFolder(tmp_path / "demo").demo("UTC", NOW):
                pass
        assert (tmp_path / "demo").is_symlink()
        assert (tmp_path / "disk" / "demo" / "lake.json").exists()


def test_the_keys_are_those_of_when_they_are_needed(made: HandMade) -> None:
    """A rotation that ended while `forget` asked Wistia left it with the old key: it found nobody, and said so."""
    settings = Settings(WISTIA_API_TOKEN="x", WISTLAKE_LAKE=made.folder)
    lake = LaptopLake(settings, Runtime(lambda: NOW, lambda: 0.0))
    dependencies = lake.dependencies()
    before = lake.key_chain()
    lake.key_ring().save(before.begun().rotated())
    assert len(dependencies.keys()) == 2
    assert dependencies.keys() == lake.key_chain().keys


def test_who_only_looks_makes_no_key(tmp_path: Path) -> None:
    settings = Settings(WISTIA_API_TOKEN="x", WISTLAKE_LAKE=tmp_path / "lake")
    with pytest.raises(ConfigError, match="isn't a lake yet"):
        LaptopLake(settings, Runtime(lambda: NOW, lambda: 0.0)).key_chain()
    assert list(tmp_path.iterdir()) == []


def test_what_a_newer_publication_let_go_is_no_damage(made: HandMade) -> None:
    """`doctor --deep` beside `forget`: sound tables were called damaged, and a backup was the cure."""
    folder, old = LakeFolder(made.folder), made.data_file(EVENTS)

    def overtake() -> None:
        catalog, ledger = LocalCatalog(made.folder), SqliteLedger(made.folder / "ledger.db")
        published = ledger.publication()
        assert published is not None
        catalog.load(EVENTS).overwrite(rows(EVENTS, "abcdef1234", 1))
        ledger.publish(Publication("later", published.published_at, catalog.refs(published.tables)))
        old.unlink()

    inspector = damage.inspector(folder)
    newest = overtaken(SqliteLedger(folder.ledger, read_only=True).publication, overtake)
    assert list(inspector.damaged(newest)) == []
    made.data_file(EVENTS).unlink()
    assert [error.name for error in damage.tables(folder, deep=False)] == [EVENTS]  # type: ignore[attr-defined]


def test_a_file_that_goes_while_it_is_compared_is_no_damage(
    made: HandMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = made.data_file(EVENTS)
    looked = overtaken(checksums.digest, lambda: None)

    def digest(path: Path) -> str:
        if path == file:
            file.unlink(missing_ok=True)
        return str(looked(path))

    monkeypatch.setattr(checksums, "digest", digest)
    assert list(checksums.changed(made.folder)) == []
    assert not file.exists()


def test_a_landing_that_goes_while_it_is_read_is_no_damage(made: HandMade) -> None:
    class Going(LocalObjects):
        def get(self, key: str) -> bytes:
            if key.endswith(".gz"):
                self.delete([*self.list("bronze/")])
            return super().get(key)

    assert list(doctor.damaged_raw_pages(Going(made.folder))) == []
    assert not list((made.folder / "bronze").rglob("*.gz"))


def test_a_restore_that_was_overtaken_says_what_to_do(
    original: HandMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "new"
    another = overtaken(lake_archive._adopt, lambda: LakeFolder(target).open("UTC", NOW))
    monkeypatch.setattr(lake_archive, "_adopt", another)
    with pytest.raises(ConfigError, match="is not empty: restore to a new folder"):
        lake_archive.restore(original.folder, target)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_parts_of_a_lake_that_go_while_they_are_looked_for_are_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = LakeFolder(tmp_path / "lake")
    folder.open("UTC", NOW)
    folder.key_chain()
    going = folder.warehouse / "gold"
    going.mkdir(parents=True)
    real, looked = os.scandir, []

    def scandir(path: Any = ".") -> Any:
        if path == str(going) or path == going:
            looked.append(path)
            going.rmdir()
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    folder.require_complete()
    assert looked


def test_a_scratch_folder_that_cannot_be_locked_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(_: object) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks, "lock", unsupported)
    with pytest.raises(StoreError, match="No locks available"):
        create_file(tmp_path / "lake.json", "text")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_of_the_key_goes_with_the_next_run(tmp_path: Path) -> None:
    folder = LakeFolder(tmp_path / "lake")
    folder.open("UTC", NOW)
    left = folder.root / ".pseudonym-key.json.abc"
    left.mkdir()
    (left / ".alive").touch()
    folder.open("UTC", LATER)
    assert not left.exists()
