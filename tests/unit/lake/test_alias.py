"""A lake below an odd path, as an engine sees it: under plain names, and without a trace of them in the lake."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.handmade import EVENTS, HandMade, make, rows
from support.some import some
from wistlake.adapters import avro
from wistlake.adapters.engine.path_alias import Alias, alias
from wistlake.adapters.iceberg_paths import is_plain, to_path
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.rest_catalog import RequestHandler, Response
from wistlake.errors import ConfigError


@pytest.fixture
def odd(tmp_path: Path) -> HandMade:
    """A lake whose path isn't a plain text; its table of events has three snapshots."""
    folder = tmp_path / "jörg's [old] #1" / "lake"
    folder.parent.mkdir()
    made = make(folder)
    for media_id in ("second0001", "third00001"):
        LocalCatalog(folder).load(EVENTS).append(rows(EVENTS, media_id, 1))
    return made


@pytest.fixture
def seen(odd: HandMade) -> Iterator[Alias]:
    with alias(odd.folder) as it:
        yield it


def loaded(lake: HandMade) -> dict[str, Any]:
    """What the catalog answers to a request for the table of events."""
    location = LocalCatalog(lake.folder).load(EVENTS).metadata_location
    return {"metadata-location": location, "metadata": json.loads(to_path(location).read_text())}


def current(metadata: dict[str, Any]) -> str:
    """The manifest list of the current snapshot."""
    by_id = {s["snapshot-id"]: s["manifest-list"] for s in metadata["snapshots"]}
    found: str = by_id[metadata["current-snapshot-id"]]
    return found


def manifests(listed: Path) -> list[str]:
    return [r["manifest_path"] for r in avro.records(listed.read_bytes())]


def data_files(manifest: Path) -> list[str]:
    return [r["data_file"]["file_path"] for r in avro.records(manifest.read_bytes())]


def test_an_engine_is_shown_the_current_snapshot_under_plain_paths(odd: HandMade, seen: Alias) -> None:
    real = loaded(odd)
    shown = seen.response(real)
    location = to_path(shown["metadata-location"])
    assert is_plain(location)
    assert json.loads(location.read_text())["snapshots"] == shown["metadata"]["snapshots"]
    assert "jörg" not in json.dumps(shown, ensure_ascii=False)
    listed = to_path(current(shown["metadata"]))
    for manifest in some(manifests(listed)):
        assert is_plain(to_path(manifest))
        for file in some(data_files(to_path(manifest))):
            assert is_plain(to_path(file))
            assert to_path(file).resolve().is_relative_to(odd.folder)
    older = [s["manifest-list"] for s in shown["metadata"]["snapshots"]]
    assert [to_path(path).exists() for path in older] == [
        path == str(current(shown["metadata"])) for path in older
    ]


def test_a_state_that_an_engine_may_be_reading_is_not_written_again(odd: HandMade, seen: Alias) -> None:
    location = to_path(seen.response(loaded(odd))["metadata-location"])
    location.write_text("as it was")
    seen.response(loaded(odd))
    assert location.read_text() == "as it was"


def test_what_an_engine_commits_is_copied_into_the_lake_without_the_alias(odd: HandMade, seen: Alias) -> None:
    shown = seen.response(loaded(odd))["metadata"]
    listed = to_path(current(shown))
    committed = listed.with_name("snap-new.avro")
    shutil.copy(listed, committed)
    update = {"action": "add-snapshot", "snapshot": {"manifest-list": str(committed), "snapshot-id": 7}}
    other = {"action": "set-properties", "updates": {"location": shown["location"]}}
    written = seen.request({"updates": [other, update]})
    target = to_path(written["updates"][1]["snapshot"]["manifest-list"])
    assert target.is_relative_to(odd.folder)
    assert written["updates"][1]["snapshot"]["snapshot-id"] == 7
    assert to_path(written["updates"][0]["updates"]["location"]).is_relative_to(odd.folder)
    for manifest in some(manifests(target)):
        assert to_path(manifest).is_relative_to(odd.folder)
        assert all(to_path(file).is_file() for file in some(data_files(to_path(manifest))))
        assert all(to_path(file).is_relative_to(odd.folder) for file in data_files(to_path(manifest)))


def test_places_outside_of_the_tables_are_shown_through_a_link(odd: HandMade, seen: Alias) -> None:
    (odd.folder / "bronze" / "page").write_text("a page")
    place = seen.place(str(odd.folder / "bronze" / "page"))
    assert is_plain(Path(place))
    assert Path(place).read_text() == "a page"


def test_a_lake_below_a_plain_path_is_seen_as_it_is(made: HandMade) -> None:
    with alias(made.folder) as seen:
        assert seen.place(f"{made.folder}/bronze") == f"{made.folder}/bronze"
        catalog = object()
        assert seen.middleware(catalog) is catalog  # type: ignore[arg-type]


def test_an_answer_without_a_table_is_renamed_and_nothing_else(odd: HandMade, seen: Alias) -> None:
    assert seen.response({"error": {"code": 404}}) == {"error": {"code": 404}}
    assert seen.middleware(object()) is not None  # type: ignore[arg-type]


class Catalog(RequestHandler):
    """Answers with what the table of events is, or as it is told; notes what it was asked."""

    def __init__(self, response: Response) -> None:
        self.response, self.asked = response, list[bytes]()

    def answer(self, method: str, path: str, body: bytes) -> Response:
        self.asked.append(body)
        return self.response


def test_between_engine_and_catalog_every_path_is_translated(odd: HandMade, seen: Alias) -> None:
    shown, real = seen.response(loaded(odd)), loaded(odd)
    for content in (real, json.dumps(real).encode()):
        catalog = Catalog((200, content))
        body = json.dumps({"location": shown["metadata"]["location"]}).encode()
        assert seen.middleware(catalog).answer("POST", "/v1/x", body) == (200, shown)
        assert [json.loads(b) for b in catalog.asked] == [{"location": real["metadata"]["location"]}]
    empty = Catalog((204, None))
    assert seen.middleware(empty).answer("DELETE", "/v1/x", b"") == (204, None)
    assert empty.asked == [b""]


def test_a_lake_below_a_plain_path_needs_no_translation(tmp_path: Path) -> None:
    with alias(tmp_path) as plain:
        catalog = Catalog((204, None))
        assert plain.middleware(catalog) is catalog
        assert plain.place("/anywhere") == "/anywhere"


@pytest.mark.parametrize("place", ["not-there", "od d"])
def test_a_lake_below_an_odd_path_needs_a_plain_folder_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "od d").mkdir()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / place))
    with pytest.raises(ConfigError, match="set TMPDIR"), alias(tmp_path / "a lake"):
        raise AssertionError("there is no such place")
