"""Every byte of a lake: whatever its name, wherever it lies, half of a file included."""

import gzip
import io
import json
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from wistlake.adapters import lake_bytes
from wistlake.privacy.scan import Piece

WHO = "jane@x.example"
LINES = json.dumps({"email": WHO, "filler": list(range(5000))}).encode()
PACKED = gzip.compress(LINES)


def parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"title": [WHO]}), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        LINES,
        PACKED,
        gzip.compress(PACKED),
        PACKED + gzip.compress(b"{}"),
        gzip.compress(b"{}") + PACKED,
        gzip.compress(b"{}") + LINES,
        gzip.compress(json.dumps(list(range(20_000))).encode() + LINES),
        PACKED + b"junk",
        PACKED[: len(PACKED) // 2],
        parquet(),
    ],
    ids=["plain", "gzip", "twice", "first", "second", "behind", "at the end", "junk", "half", "parquet"],
)
@pytest.mark.parametrize(
    "place",
    [
        "bronze/.unfinished/77-0a1b",
        ".hidden/deep/file",
        "bronze/part-00001.jsonl.gz",
        "noname",
        "a.parquet.bak",
    ],
)
def test_a_person_is_seen_wherever_the_bytes_are(place: str, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    assert list(lake_bytes.search(tmp_path, [WHO])) == [place]
    assert not lake_bytes.search(tmp_path, ["joe@x.example"])


HEADER = b"\x1f\x8b\x08\x08" + bytes(6)  # of a gzip; what follows is its name


@pytest.mark.parametrize(
    "data",
    [b"\x1f\x8b", b"\x1f\x8b\x08junk " + WHO.encode(), HEADER + WHO.encode(), b"PAR1", b"Obj", b""],
)
def test_a_file_that_only_looks_like_one_is_read_as_it_is(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(data)
    assert bool(lake_bytes.search(tmp_path, [WHO])) is (WHO.encode() in data)


def test_a_folder_behind_a_link_is_seen(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "page").write_bytes(PACKED)
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "bronze").symlink_to(tmp_path / "disk")
    assert list(lake_bytes.search(tmp_path / "lake", [WHO])) == ["bronze/page"]


def test_a_link_to_another_file_of_the_lake_is_no_copy_of_it(tmp_path: Path) -> None:
    lake, disk = tmp_path / "lake", tmp_path / "disk"
    for folder in (lake / "staging", disk):
        folder.mkdir(parents=True)
    (lake / "bronze").symlink_to(disk)
    for folder, name in ((lake / "bronze", "page"), (tmp_path, "elsewhere")):
        (folder / name).write_bytes(PACKED)
        (lake / "staging" / name).symlink_to(folder / name)
    assert sorted(lake_bytes.search(lake, [WHO])) == ["bronze/page", "staging/elsewhere"]


@pytest.mark.parametrize(
    ("text", "data", "held"),
    [
        (WHO, '{"email":"jane@x.example"}', True),
        (WHO, "JANE@X.EXAMPLE", True),
        (WHO, "https://h/?e=jane@x.example&b", True),
        (WHO, "https://h/u/jane@x.example/p", True),
        (WHO, "/u/jane@x.example", True),
        (WHO, f"e={quote(WHO, safe='')}", True),
        (WHO, f"e%3D{quote(WHO, safe='')}", True),
        (WHO, "see jane@x.example.", True),
        (WHO, '{"email":"mary.jane@x.example"}', False),
        (WHO, '{"email":"maryjane@x.example"}', False),
        (WHO, '{"email":"o/jane@x.example"}', False),
        (WHO, '{"email":"jane@x.example.au"}', False),
        (WHO, '{"email":"jane@x.examples"}', False),
        ("m\u00fcller@x.example", '"m\u00fcller@x.example"', True),
        ("m\u00fcller@x.example", '"M\u00dcLLER@x.example"', True),
        ("m\u00fcller@x.example", r'"m\u00fcller@x.example"', True),
        ("m\u00fcller@x.example", quote("m\u00fcller@x.example"), True),
        ("m\u00fcller@x.example", '"ller@x.example"', False),
        ("o/brien@x.example", '"o/brien@x.example"', True),
        ("o/brien@x.example", '"brien@x.example"', False),
        ("device-1", "xdevice-12", True),
    ],
)
def test_an_address_is_found_whole_and_in_every_spelling(text: str, data: str, held: bool) -> None:
    piece = Piece("place", data.encode())
    assert lake_bytes.hits([piece, piece], [text]) == ({"place": 2} if held else {})
