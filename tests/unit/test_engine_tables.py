"""What the engine is given to read the objects of a build."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wistlake.adapters.engine.tables import EngineTables, wipe


class Reader:
    """Stands in for Spark's reader: notes what it is to open."""

    def __init__(self) -> None:
        self.opened: list[list[str]] = []

    def text(self, places: list[str]) -> None:
        self.opened.append(places)

    def schema(self, _: str) -> "Reader":
        return self

    def json(self, places: list[str]) -> None:
        self.opened.append(places)


def tables(staging: Path | str) -> tuple[EngineTables, Reader]:
    reader = Reader()
    session: Any = SimpleNamespace(read=reader)
    catalog: Any = None
    return EngineTables(session, catalog, staging, place=lambda uri: uri.replace("lake:", "/lake")), reader


LANDINGS = ["lake:/day=1/part-0.jsonl.zst", "lake:/day=2/part-0.jsonl.zst"]
PLACES = ["/lake/day=1/part-0.jsonl.zst", "/lake/day=2/part-0.jsonl.zst"]


def test_on_a_disk_the_engine_opens_one_folder_with_a_link_to_each_object(tmp_path: Path) -> None:
    store, reader = tables(tmp_path / "staging")
    store.records(LANDINGS, "value string")
    store.lines(LANDINGS)
    (records,), (lines,) = reader.opened
    assert records != lines  # each reading keeps its own until the build ends
    for folder in (records, lines):
        links = sorted(Path(folder).iterdir())
        assert [str(link.readlink()) for link in links] == PLACES
        # The suffix says how the object is compressed, and the names differ although the objects' do not.
        assert [link.name for link in links] == ["000000-part-0.jsonl.zst", "000001-part-0.jsonl.zst"]
    wipe(tmp_path / "staging")
    assert not Path(records).exists()


@pytest.mark.parametrize(("staging", "count"), [("s3://bucket/staging", 2), (Path("/no/such"), 1)])
def test_objects_of_a_bucket_and_a_single_one_are_opened_by_their_own_paths(
    staging: Path | str, count: int
) -> None:
    store, reader = tables(staging)
    store.records(LANDINGS[:count], "value string")
    assert reader.opened == [PLACES[:count]]


def test_where_links_are_impossible_the_paths_themselves_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", refused)
    store, reader = tables(tmp_path / "staging")
    store.records(LANDINGS, "value string")
    assert reader.opened == [PLACES]
