"""Keys, lines and manifests of bronze, there and back."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wistlake import bronze
from wistlake.bronze import Manifest, Part
from wistlake.contracts import SOURCES, conversions, events
from wistlake.contracts.form import Calendar, Field, Privacy, Source, Type
from wistlake.errors import StoreError

DAY = date(2026, 11, 19)
LANDING = "events/dt=2026-11-19/media_id=abcdef1234/run_id=20261120T0215Z-1a2b"

SOURCE = Source(
    name="sample",
    doc="",
    endpoint="/sample",
    calendar=Calendar.UTC,
    key=("id",),
    fields=(
        Field("id", Type.STRING, Privacy.NONE, ""),
        Field("agent.browser", Type.STRING, Privacy.NONE, ""),
        Field("name", Type.STRING, Privacy.NONE, "", volatile=True),
    ),
    tolerated=("thumbnail",),
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
records = st.lists(st.dictionaries(st.text(), json_values, max_size=4), max_size=6)
sample_records = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from("abc")},
        optional={
            "agent": st.none() | st.fixed_dictionaries({"browser": st.sampled_from(["x", "y"])}),
            "name": st.text(),
        },
    ),
    max_size=6,
)


class TestKeys:
    def test_they_are_where_the_architecture_says(self) -> None:
        landing = bronze.landing_id("events", "abcdef1234", DAY, "20261120T0215Z-1a2b")
        assert landing == LANDING
        assert bronze.manifest_key(landing) == f"bronze/wistia/{LANDING}/manifest.json"
        assert bronze.part_key(landing, 1) == f"bronze/wistia/{LANDING}/part-00001.jsonl.gz"

    @pytest.mark.parametrize("wrong", ["", "a/b", "..", "a b", "a=b", "é", "²", "a\n", "a\0"])
    @pytest.mark.parametrize("place", [0, 1, 3])
    def test_what_could_break_a_key_is_refused(self, wrong: str, place: int) -> None:
        parts: list[Any] = ["events", "abcdef1234", DAY, "r1"]
        parts[place] = wrong
        with pytest.raises(StoreError, match="cannot be part of an object key"):
            bronze.landing_id(*parts)


class TestLines:
    @given(records)
    def test_there_and_back(self, given_records: list[dict[str, Any]]) -> None:
        data = bronze.encode_lines(LANDING, given_records)
        assert list(bronze.decode_lines(data)) == list(enumerate(given_records, 1))

    @pytest.mark.parametrize("text", ["\u2028", "\u2029", "\x85", "\x0b\x0c\x1c", "\r\n", "é", "😀", "\0"])
    def test_no_character_cuts_a_line(self, text: str) -> None:
        data = bronze.encode_lines(LANDING, [{"name": f"a{text}b"}, {"name": text}])
        assert [record["name"] for _, record in bronze.decode_lines(data)] == [f"a{text}b", text]
        assert gzip.decompress(data).count(b"\n") == 2

    def test_half_a_surrogate_pair_does_not_stop_a_landing(self) -> None:
        served = json.loads(r'{"name": "cut \ud83d", "whole": "\ud83d\ude00"}')
        ((_, record),) = bronze.decode_lines(bronze.encode_lines(LANDING, [served]))
        assert record == {"name": "cut ?", "whole": "😀"}

    def test_lines_count_on_over_parts(self) -> None:
        data = bronze.encode_lines(LANDING, [{}, {}], first_line=101)
        assert [line for line, _ in bronze.decode_lines(data)] == [101, 102]

    def test_a_line_says_where_it_belongs(self) -> None:
        (line,) = gzip.decompress(bronze.encode_lines(LANDING, [{"a": 1}])).splitlines()
        assert json.loads(line) == {"_landing": LANDING, "_line": 1, "record": {"a": 1}}

    def test_the_same_records_give_the_same_bytes(self) -> None:
        assert bronze.encode_lines(LANDING, [{"a": 1}]) == bronze.encode_lines(LANDING, [{"a": 1}])

    def test_no_records_are_a_part_too(self) -> None:
        assert list(bronze.decode_lines(bronze.encode_lines(LANDING, []))) == []

    @pytest.mark.parametrize(
        "line", ["{", '{"_line": 1}', '{"_line": "x", "record": {}}', "[]", "7", "\\x80"]
    )
    def test_a_damaged_line_is_named_and_not_quoted(self, line: str) -> None:
        good = gzip.decompress(bronze.encode_lines(LANDING, [{"email": "a@b.c"}]))
        data = gzip.compress(good + line.encode().decode("unicode_escape").encode("latin-1") + b"\n")
        with pytest.raises(StoreError, match="bronze line 2 isn't an envelope") as refused:
            list(bronze.decode_lines(data))
        assert line not in str(refused.value)

    @pytest.mark.parametrize("cut", [5, 30, -9])
    def test_a_damaged_part_is_told(self, cut: int) -> None:
        data = bronze.encode_lines(LANDING, [{"a": n} for n in range(50)])
        for damaged in (data[:cut], data[:20] + b"\xff\xff" + data[22:], b"plain text"):
            with pytest.raises(StoreError, match="incomplete gzip"):
                list(bronze.decode_lines(damaged))


class TestContentHash:
    @given(sample_records, st.randoms(use_true_random=False))
    def test_order_and_repetition_do_not_matter(self, rows: list[dict[str, Any]], dice: Any) -> None:
        shuffled = [*rows, *rows[:2]]
        dice.shuffle(shuffled)
        assert bronze.content_hash(SOURCE, shuffled) == bronze.content_hash(SOURCE, rows)

    @given(sample_records, sample_records)
    def test_it_differs_if_and_only_if_a_steady_field_does(self, some: list[Any], others: list[Any]) -> None:
        def facts(rows: list[Any]) -> set[Any]:
            return {(r["id"], (r.get("agent") or {}).get("browser")) for r in rows}

        same = bronze.content_hash(SOURCE, some) == bronze.content_hash(SOURCE, others)
        assert same == (facts(some) == facts(others))

    def test_fields_that_no_contract_names_do_not_matter(self) -> None:
        plain = bronze.content_hash(SOURCE, [{"id": "a"}])
        assert plain == bronze.content_hash(SOURCE, [{"id": "a", "unknown": 1, "name": "renamed"}])
        assert plain != bronze.content_hash(SOURCE, [])

    def test_a_person_cannot_be_found_by_trying(self) -> None:
        """The ledger keeps the hash: with an address in it, whoever knows one could look for its second."""
        forms = conversions.SOURCE
        one = {"converted_at": "2026-03-02T10:00:00Z", "email": "jane@x.example", "first_name": "Jane"}
        assert bronze.content_hash(forms, [one]) == bronze.content_hash(
            forms, [one | {"email": "john@x.example"}]
        )
        assert bronze.content_hash(forms, [one]) == bronze.content_hash(forms, [one, one])
        assert bronze.content_hash(forms, [one]) != bronze.content_hash(
            forms, [one, one | {"email": "john@x.example"}]
        )
        assert bronze.content_hash(forms, [one]) != bronze.content_hash(
            forms, [one | {"converted_at": "2026-03-02T10:00:01Z"}]
        )

    def test_a_record_that_lost_its_shape_is_hashed_as_unknown(self) -> None:
        assert bronze.content_hash(SOURCE, [{"id": "a", "agent": "text"}]) == bronze.content_hash(
            SOURCE, [{"id": "a"}]
        )

    @pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.name)
    def test_every_contract_can_be_hashed(self, source: Source) -> None:
        steady = next(f.path for f in source.fields if not f.volatile and "." not in f.path)
        first = bronze.content_hash(source, [{steady: "a"}])
        assert len(first) == 64
        assert first != bronze.content_hash(source, [{steady: "b"}])


def test_unknown_keys_are_drift_and_tolerated_ones_are_not() -> None:
    rows: list[bronze.Record] = [
        {"id": 1, "agent": {}, "thumbnail": {}},
        {"zeta": 1, "id": 2},
        {"alpha": None},
    ]
    assert bronze.unknown_keys(SOURCE, rows) == ("alpha", "zeta")
    assert bronze.unknown_keys(events.SOURCE, []) == ()


def manifest(**more: Any) -> Manifest:
    part = Part(bronze.part_key(LANDING, 1), 2, 100, "ab" * 32)
    plain = Manifest(
        landing_id=LANDING,
        dataset="events",
        media_id="abcdef1234",
        day=DAY,
        run_id="20261120T0215Z-1a2b",
        observed_at=datetime(2026, 11, 20, 2, 15, 0, 7, tzinfo=UTC),
        finished=True,
        rows=2,
        pages=1,
        content_hash="c" * 64,
        payload_sha256=bronze.payload_hash([part]),
        parts=(part,),
        request={"path": "/stats/events", "params": {"page": 1}},
        api={"version": "2026-09"},
        walk={"passes": 2},
        unknown_keys=("alpha",),
        missing=False,
        redacted=True,
        supersedes="older",
    )
    return replace(plain, **more)


class TestManifests:
    @given(
        st.builds(
            manifest,
            day=st.dates(),
            observed_at=st.datetimes(
                timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))]),
            ),
            finished=st.booleans(),
            missing=st.booleans(),
            rows=st.integers(0),
            parts=st.lists(
                st.builds(Part, st.text(), st.integers(), st.integers(), st.text()), max_size=3
            ).map(tuple),
            unknown_keys=st.lists(st.text(), max_size=3).map(tuple),
            request=st.dictionaries(st.text(), json_values, max_size=3),
        )
    )
    def test_there_and_back(self, given_manifest: Manifest) -> None:
        data = bronze.encode_manifest(given_manifest)
        assert bronze.decode_manifest(data) == given_manifest
        assert bronze.encode_manifest(bronze.decode_manifest(data)) == data

    @pytest.mark.parametrize("damage", ["", "{", "[]", "null", "7", "{}", '{"format": "new"}'])
    def test_what_is_none_is_told(self, damage: str) -> None:
        with pytest.raises(StoreError, match="not a manifest"):
            bronze.decode_manifest(damage.encode())

    @pytest.mark.parametrize(
        "change", [{"day": "19.11.2026"}, {"observed_at": None}, {"parts": [{"key": "x"}]}, {"surprise": 1}]
    )
    def test_a_manifest_with_a_wrong_field_is_told(self, change: dict[str, Any]) -> None:
        plain = json.loads(bronze.encode_manifest(manifest())) | change
        with pytest.raises(StoreError, match="the landing is damaged"):
            bronze.decode_manifest(json.dumps(plain).encode())

    def test_a_newer_format_asks_for_a_newer_wistlake(self) -> None:
        with pytest.raises(StoreError, match="upgrade wistlake"):
            bronze.decode_manifest(bronze.encode_manifest(manifest(format=bronze.FORMAT + 1)))

    def test_read_only_mappings_are_fine(self) -> None:
        proxied = manifest(request=MappingProxyType({"path": "/x"}))
        assert bronze.decode_manifest(bronze.encode_manifest(proxied)).request == {"path": "/x"}

    def test_times_are_written_in_utc(self) -> None:
        east = datetime(2026, 11, 20, 11, 15, tzinfo=timezone(timedelta(hours=9)))
        assert json.loads(bronze.encode_manifest(manifest(observed_at=east)))["observed_at"] == (
            "2026-11-20T02:15:00.000000+00:00"
        )

    def test_a_manifest_of_the_first_format_is_read(self) -> None:
        text = """
            {"api": {}, "content_hash": "c0", "dataset": "events", "day": "2026-11-19", "finished": true,
             "format": 1, "landing_id": "l", "media_id": "m", "missing": false,
             "observed_at": "2026-11-20T02:15:00+00:00", "pages": 1,
             "parts": [{"bytes": 100, "key": "k", "rows": 2, "sha256": "ab"}], "payload_sha256": "p",
             "redacted": false, "request": {"path": "/x"}, "rows": 2, "run_id": "r", "supersedes": "",
             "unknown_keys": ["alpha"], "walk": {"passes": 2}}
        """
        assert bronze.decode_manifest(text.encode()) == Manifest(
            "l", "events", "m", DAY, "r", datetime(2026, 11, 20, 2, 15, tzinfo=UTC), True, 2, 1, "c0", "p",
            (Part("k", 2, 100, "ab"),), {"path": "/x"}, {}, {"passes": 2}, ("alpha",), format=1,
        )  # fmt: skip


class TestIntegrity:
    def test_a_part_must_be_what_the_manifest_promised(self) -> None:
        data = bronze.encode_lines(LANDING, [{"a": 1}])
        part = Part("bronze/x", 1, len(data), bronze.sha256(data))
        bronze.check_part(part, data)
        with pytest.raises(StoreError, match=r"bronze/x does not match its manifest"):
            bronze.check_part(part, data + b"\0")

    def test_the_payload_hash_depends_on_every_part_and_their_order(self) -> None:
        a, b = (Part(name, 1, 1, bronze.sha256(name.encode())) for name in "ab")
        assert len({bronze.payload_hash(parts) for parts in ([], [a], [b], [a, b], [b, a])}) == 5
