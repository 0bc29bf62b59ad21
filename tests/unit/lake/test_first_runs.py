"""Several processes may make the same lake at once: all of them end up with the same files."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from wistlake import lake_marker
from wistlake.adapters.local.budget import SqliteBudget
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.scratch import aside, sweep
from wistlake.adapters.local.whole_files import create_file, replace_file
from wistlake.errors import StoreError
from wistlake.privacy import keys

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
