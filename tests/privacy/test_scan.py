"""The scan for personal data: each kind by its form and by its value, and nothing else."""

import pytest

from wistlake.privacy.scan import (
    COORDINATES,
    EMAILS,
    IPS,
    TOKENS,
    VISITORS,
    Matches,
    Piece,
    personal_values,
    scan,
)

KEY = "1733874_0f0e0d0c-1111-2222-3333-444455556666-123456789-abcdefabcdef-1234"
PERSONAL = {b"device-1": VISITORS, b"198.51.100.7": IPS}


def kinds(matches: Matches) -> set[str]:
    return {kind for kind, places in matches.items() if places}


def test_a_visitors_key_in_a_refused_record_is_one_all_the_same() -> None:
    key = "1733874_0f0e0d0c-1111-2222-3333-444455556666-123456789-abcdefabcdef-1234"
    record = f'{{"event_key":"{key}","media_id":"{key}"}}'.encode()
    refused = Piece("q.parquet", record, "payload")
    assert not scan([refused], {}, ())[VISITORS]
    assert scan([refused], {key.encode(): VISITORS}, ())[VISITORS] == {"q.parquet, payload": 1}
    assert scan([Piece("a.log", record)], {}, ())[VISITORS] == {"a.log": 1}


@pytest.mark.parametrize(
    ("text", "as_text", "as_binary"),
    [
        ("by jane.doe@mail.example.org,", {EMAILS}, {EMAILS}),
        ("from 203.0.113.77, say", {IPS}, {IPS}),
        ("from 127.0.0.1, 0.0.0.0 and 300.1.1.1", set(), set()),
        ("at 2001:db8:85a3:0:0:8a2e:370:7334", {IPS}, set()),
        ("by 12:34:56:78", set(), set()),
        (f"seen {KEY}", {VISITORS}, {VISITORS}),
        ("given the-secret", {TOKENS}, {TOKENS}),
        ("Bearer 0123456789abcdef0123456789", {TOKENS}, set()),
        ('{"lat": 34.0522}', {COORDINATES}, set()),
        ("of device-1", {VISITORS}, set()),
        ("of device-12", set(), set()),
    ],
)
def test_every_kind_is_told_where_a_person_could_read_it(
    text: str, as_text: set[str], as_binary: set[str]
) -> None:
    """Random bytes may look like anything: of those, only what is long enough counts."""
    for is_text, expected in ((True, as_text), (False, as_binary)):
        piece = Piece("a.bin", text.encode(), is_text=is_text)
        assert kinds(scan([piece], PERSONAL, ["the-secret", ""])) == expected


def test_distinct_values_are_counted_by_place() -> None:
    pieces = [
        Piece("a.parquet", b"203.0.113.77\n203.0.113.77\n203.0.113.78", "note"),
        Piece("a.parquet", b"203.0.113.77", "other"),
        Piece("run.log", b"203.0.113.77"),
    ]
    assert scan(pieces, {}, ())[IPS] == {"a.parquet, note": 2, "a.parquet, other": 1, "run.log": 1}


def test_a_column_of_coordinates_is_told_by_its_name() -> None:
    assert scan([Piece("a", b"34.1", "visitor_lat")], {}, ())[COORDINATES] == {"a, visitor_lat": 1}
    assert kinds(scan([Piece("a", b"", "visitor_lat"), Piece("a", b"34.1", "plateau")], {}, ())) == set()


def test_session_keys_and_versions_of_browsers_are_harmless_wherever_they_stand() -> None:
    pieces = [
        Piece("events", KEY.encode(), "event_key"),
        Piece("events", b"120.0.6099.109\n99.9.9.9", "browser_version"),
        Piece("run.log", f"{KEY} by 120.0.6099.109 and 99.9.9.9".encode()),
    ]
    assert kinds(scan(pieces, {}, ())) == set()
    assert kinds(scan(pieces, {KEY.encode(): VISITORS}, ())) == {VISITORS}
    assert kinds(scan(pieces[2:], {}, ())) == {VISITORS, IPS}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"ip": "1.2.3.4"}, {b"1.2.3.4": IPS}),
        ({"ip": "12345"}, {}),  # too short: it would match too much
        ({"ip": 123_456, "visitor_key": None}, {}),
        ({"visitor_key": "123456"}, {b"123456": VISITORS}),
        ({"lat": 34.0522}, {b"34.0522": COORDINATES}),
        ({"lon": -118.243}, {}),  # a town, not a street
        ({"lon": "118.24372"}, {}),
    ],
)
def test_what_counts_as_personal_of_a_record(record: dict[str, object], expected: dict[bytes, str]) -> None:
    assert personal_values([record]) == expected


def test_values_of_raw_pages() -> None:
    record = {
        "ip": "198.51.100.7", "visitor_key": "device-1", "lat": 34.05221, "lon": 34.1, "email": None,
        "embed_url": "https://x.example/?e=jane%40mail.example.org",
    }  # fmt: skip
    assert personal_values([record]) == {
        b"198.51.100.7": IPS,
        b"device-1": VISITORS,
        b"jane@mail.example.org": EMAILS,
        b"34.05221": COORDINATES,
    }
