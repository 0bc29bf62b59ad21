"""What every ObjectStore promises."""

import os
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ports.processes import race
from support.memory import MemoryObjects
from support.some import some
from wistlake.adapters.local.objects import LocalObjects
from wistlake.errors import StoreError
from wistlake.ports import ObjectStore

KEY = "bronze/wistia/events/dt=2026-11-20/media_id=abcdef1234/run_id=r1/part-00001.jsonl.gz"


def test_what_is_put_can_be_got(objects: ObjectStore) -> None:
    assert not objects.exists(KEY)
    objects.put(KEY, b"\x00page")
    assert objects.exists(KEY)
    assert objects.get(KEY) == b"\x00page"


def test_put_replaces(objects: ObjectStore) -> None:
    objects.put(KEY, b"old, and longer")
    objects.put(KEY, b"new")
    assert objects.get(KEY) == b"new"
    assert list(objects.list("")) == [KEY]


def test_put_if_absent_keeps_the_first(objects: ObjectStore) -> None:
    objects.put(KEY, b"first", if_absent=True)
    with pytest.raises(StoreError, match="part-00001"):
        objects.put(KEY, b"second", if_absent=True)
    assert objects.get(KEY) == b"first"


def test_getting_nothing_names_the_key(objects: ObjectStore) -> None:
    objects.put("a/b/c", b"")
    for key in ("a/x", "a/b", "a/b/c/d"):
        assert not objects.exists(key)
        with pytest.raises(StoreError, match=key):
            objects.get(key)


def test_list_is_ascending_and_by_text_not_by_folder(objects: ObjectStore) -> None:
    keys = ["a-b", "a/b", "a/b-c/d", "a/b/c", "a/bc", "a0", "b"]
    objects.put("a-b", b"")
    objects.put("a0", b"")
    objects.put("b", b"")
    for key in ("a/b-c/d", "a/bc", "a/b2/c"):
        objects.put(key, b"")
    assert list(objects.list("")) == ["a-b", "a/b-c/d", "a/b2/c", "a/bc", "a0", "b"]
    assert list(objects.list("a/b")) == ["a/b-c/d", "a/b2/c", "a/bc"]
    assert list(objects.list("a/b2/")) == ["a/b2/c"]
    assert list(objects.list("a/b-c/d")) == ["a/b-c/d"]
    assert list(objects.list("nowhere/at/all")) == []
    assert sorted(keys) == keys


def test_delete_counts_what_was_there(objects: ObjectStore) -> None:
    objects.put("a/1", b"")
    objects.put("a/2", b"")
    assert objects.delete(["a/1", "a/3", "a/1", "a/1/x"]) == 1
    assert list(objects.list("a")) == ["a/2"]
    assert objects.delete([]) == 0


BAD_KEYS = [
    "",
    "/etc/passwd",
    "../up",
    "a/../../up",
    "a/..",
    "a/./b",
    "a//b",
    "a/",
    "a\0b",
    "a\\b",
    "C:/x",
    ".x",
]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_could_leave_the_lake_is_refused(objects: ObjectStore, key: str) -> None:
    for use in (
        lambda: objects.put(key, b""),
        lambda: objects.put(key, b"", if_absent=True),
        lambda: objects.get(key),
        lambda: objects.exists(key),
        lambda: objects.delete([key]),
        lambda: objects.uri(key),
    ):
        with pytest.raises(StoreError, match="isn't an object key"):
            use()


@pytest.mark.parametrize("prefix", ["..", "../", "/etc", "a//"])
def test_a_prefix_that_could_leave_the_lake_is_refused(objects: ObjectStore, prefix: str) -> None:
    with pytest.raises(StoreError, match="isn't an object key"):
        list(objects.list(prefix))


def test_one_of_many_threads_wins(objects: ObjectStore) -> None:
    start = threading.Barrier(8)
    won: list[bytes] = []

    def write(data: bytes) -> None:
        start.wait()
        try:
            objects.put(KEY, data, if_absent=True)
        except StoreError:
            return
        won.append(data)

    threads = [threading.Thread(target=write, args=(bytes([n]) * 1000,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(won) == 1
    assert objects.get(KEY) == won[0]


def test_readers_see_a_whole_object_or_none(objects: ObjectStore) -> None:
    done = threading.Event()
    versions = [bytes([n]) * 50_000 for n in range(2)]
    objects.put(KEY, versions[0])

    def write() -> None:
        for n in range(40):
            objects.put(KEY, versions[n % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert objects.get(KEY) in versions
        assert list(objects.list("bronze/")) == [KEY]
    writer.join(30)


_SEGMENT = st.text("ab-0", min_size=1, max_size=2)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "delete", "absent"]), st.lists(_SEGMENT, min_size=3, max_size=3)),
        max_size=12,
    ),
    st.sampled_from(["", "a", "a/", "a/b", "b-", "0/a/b"]),
)
def test_files_and_memory_never_differ(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, list[str]]], prefix: str
) -> None:
    stores: list[ObjectStore] = [MemoryObjects(), LocalObjects(tmp_path_factory.mktemp("lake"))]
    seen: list[object] = []
    for store in stores:
        told: list[object] = []
        for what, segments in steps:
            key = "/".join(segments)
            if what == "delete":
                told.append(store.delete([key]))
                continue
            try:
                store.put(key, what.encode(), if_absent=what == "absent")
            except StoreError as e:
                told.append(str(e))
        listed = list(store.list(prefix))
        seen.append((told, listed, [store.get(key) for key in listed]))
    assert seen[0] == seen[1]


class TestFiles:
    """What only files can get wrong."""

    def test_one_of_many_processes_wins(self, tmp_path: Path) -> None:
        printed = race("put_once", tmp_path, ["w1", "w2", "w3", "w4"])
        assert sorted(word for lines in printed for word in lines) == ["lost", "lost", "lost", "won"]
        winner = 1 + printed.index(["won"])
        assert LocalObjects(tmp_path).get("race/manifest.json") == f"w{winner}".encode()

    @pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")
    def test_nobody_else_may_read(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            LocalObjects(tmp_path / "lake").put(KEY, b"x")
        finally:
            os.umask(before)
        for path in some((tmp_path / "lake").rglob("*")):
            assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
        assert (tmp_path / "lake").stat().st_mode & 0o777 == 0o700

    def test_uri_is_an_absolute_path(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        store = LocalObjects(Path("lake"))
        store.put("a/b", b"x")
        assert Path(store.uri("a/b")).read_bytes() == b"x"
        assert Path(store.uri("a/b")).is_absolute()

    def test_a_failed_write_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = LocalObjects(tmp_path)
        store.put("bronze/a", b"old")

        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match=r"bronze/a: the disk is full: free some space"):
            store.put("bronze/a", b"new")
        monkeypatch.undo()
        assert store.get("bronze/a") == b"old"
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a"]

    @pytest.mark.parametrize(
        ("number", "cure"), [(30, "read-only"), (13, "chmod"), (1, "hard links"), (5, "check the disk")]
    )
    def test_refusals_name_path_and_cure(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, cure: str
    ) -> None:
        def refuse(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "link", refuse)
        with pytest.raises(StoreError, match=cure) as refused:
            LocalObjects(tmp_path).put("bronze/a", b"new", if_absent=True)
        assert str(tmp_path / "bronze" / "a") in str(refused.value)

    def test_what_a_killed_writer_left_is_swept_and_never_listed(self, tmp_path: Path) -> None:
        LocalObjects(tmp_path).put("bronze/a", b"x")
        old, young = (tmp_path / "bronze" / ".unfinished" / name for name in ("1-old", "2-young"))
        old.write_bytes(b"raw page")
        young.write_bytes(b"raw page")
        os.utime(old, (0, 0))
        store = LocalObjects(tmp_path)
        assert list(store.list("")) == ["bronze/a"]
        store.put("bronze/b", b"x")
        assert not old.exists()
        assert young.exists()  # its writer may be alive

    def test_a_file_in_the_way_is_named(self, tmp_path: Path) -> None:
        store = LocalObjects(tmp_path)
        store.put("a/b", b"")
        with pytest.raises(StoreError, match=r"a/b"):
            store.put("a/b/c", b"")
        with pytest.raises(StoreError, match=r"folder stands where the object must be"):
            store.put("a", b"")
