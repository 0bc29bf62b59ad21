"""Answers that are hostile, broken, or no longer what the contract relies on."""

import json

import httpx2
import pytest

from unit.wistia.fakes import DAY, Streamed, client, event, events, gzipped, run, scripted
from wistlake.contracts import source
from wistlake.errors import SourceChanged, SourceUnavailable

EVENTS = source("events")


def fetch(*responses, name="events"):
    handle, _seen = scripted(*responses)
    return run(client(handle), lambda c: c.fetch(source(name), "m1", DAY, DAY))


def fetch_raw(response):
    return run(client(lambda _request: response()), lambda c: c.fetch(EVENTS, "m1", DAY, DAY))


def test_gzip_is_understood():
    rows = events(3)
    assert fetch_raw(lambda: gzipped(json.dumps(rows).encode())).records == rows


def test_a_bomb_is_stopped_by_its_ratio():
    bomb = b"[" + b" " * (8 * 2**20) + b"]"
    with pytest.raises(SourceChanged, match="compressed more than 200 times"):
        fetch_raw(lambda: gzipped(bomb))


def test_an_endless_body_is_stopped_by_its_size():
    def endless():
        piece = b" " * 2**20
        return httpx2.Response(200, stream=Streamed([piece] * 70))

    with pytest.raises(SourceChanged, match="larger than 64 MB"):
        fetch_raw(endless)


@pytest.mark.parametrize("depth", [66, 100_000])
@pytest.mark.parametrize("brackets", ["[]", ('{"a":', "}")])
def test_deep_nesting(depth, brackets):
    opening, closing = brackets
    body = "[" + opening * depth + '"x"' + closing * depth + "]"
    with pytest.raises(SourceChanged, match="nested deeper than 64 levels"):
        fetch(httpx2.Response(200, content=body))


def test_nesting_within_bounds():
    value = "x"
    for _ in range(62):
        value = [value]
    assert fetch(httpx2.Response(200, json=[event(1) | {"deep": value}])).records[0]["deep"] == value


@pytest.mark.parametrize("body", ["null", "3", '"text"', '{"error": "odd"}'])
def test_pages_that_are_no_lists(body):
    with pytest.raises(SourceChanged, match=r"events page 1: answers with .* where a list was promised"):
        fetch(httpx2.Response(200, content=body))


@pytest.mark.parametrize("entry", [None, 3, "text", [1], True])
def test_records_that_are_no_objects(entry):
    with pytest.raises(SourceChanged, match="entry 2 of the list is"):
        fetch(httpx2.Response(200, json=[event(1), entry]))


def test_an_object_that_is_a_list():
    with pytest.raises(SourceChanged, match="where an object was promised"):
        fetch(httpx2.Response(200, json=[{"id": 1}]), name="media_metadata")


def test_a_field_that_a_whole_page_lacks_stops_the_run():
    rows = [{k: v for k, v in row.items() if k != "event_key"} for row in events(5)]
    with pytest.raises(SourceChanged, match="no record has event_key, which events relies on"):
        fetch(httpx2.Response(200, json=rows))


def test_a_single_record_without_a_field_passes():
    rows = events(5)
    del rows[2]["event_key"]
    rows[3]["percent_viewed"] = None
    assert fetch(httpx2.Response(200, json=rows)).records == rows


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("percent_viewed", "half"),
        ("percent_viewed", 10**400),
        ("received_at", 17e8),
        ("event_key", {"id": 1}),
    ],
)
def test_a_field_that_a_whole_page_has_as_something_else_stops_the_run(field, value):
    rows = [row | {field: value} for row in events(5)]
    with pytest.raises(SourceChanged, match=f"no record has {field} "):
        fetch(httpx2.Response(200, json=rows))


def test_numbers_that_come_as_text_are_still_numbers():
    rows = [row | {"percent_viewed": "0.5"} for row in events(5)]
    assert fetch(httpx2.Response(200, json=rows)).records == rows


def test_a_number_that_no_double_holds_is_unknown():
    """Python would write it as `Infinity`, and the record's line in bronze would be no JSON."""
    body = json.dumps([event(1) | {"lat": 0.25}, event(2) | {"lat": "@"}]).replace('"@"', "-1e400")
    assert [r["lat"] for r in fetch(httpx2.Response(200, content=body)).records] == [0.25, None]


def test_one_object_without_a_field_stops_the_run():
    with pytest.raises(SourceChanged, match="play_count"):
        fetch(httpx2.Response(200, json={"load_count": 1}), name="media_stats")


def test_unknown_fields_and_empty_lists_pass():
    assert fetch(httpx2.Response(200, json=[event(1) | {"new": {"a": [1]}}])).records[0]["new"] == {"a": [1]}
    assert fetch(httpx2.Response(200, json=[]), name="media_by_date").records == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html; charset=utf-8", "<html>edge</html>"),
        ("text/html", "[]"),
        ("application/json", '[{"event_key": "ab'),
        ("application/json", ""),
        ("application/json", "[NaN]"),
        ("application/json", b"\xff\xfe"),
    ],
)
def test_what_is_no_json_is_asked_for_again(kind, body):
    broken = httpx2.Response(200, headers={"content-type": kind}, content=body)
    assert fetch(broken, httpx2.Response(200, json=events(1))).requests == 2
    with pytest.raises(SourceUnavailable):
        fetch(broken)


def test_a_body_that_breaks_off_is_asked_for_again():
    seen = []

    def handle(request):
        seen.append(request)
        if len(seen) == 1:
            return httpx2.Response(200, stream=Streamed([b"[{"], httpx2.ReadError("reset")))
        return httpx2.Response(200, json=events(1))

    assert run(client(handle), lambda c: c.fetch(EVENTS, "m1", DAY, DAY)).requests == 2


def test_lone_surrogates_become_storable():
    body = '[{"event_key": "a\\uD800b", "other": "\\ud83d\\ude00"}]'
    record = json.loads(body)[0] | event(1) | {"event_key": "a\ud800b"}
    found = fetch(httpx2.Response(200, content=json.dumps([record]))).records[0]
    assert found["event_key"] == "a?b"
    assert found["other"] == "\U0001f600"


def test_the_application_type_with_suffix_is_json():
    kind = {"content-type": "application/vnd.api+json"}
    assert fetch(httpx2.Response(200, headers=kind, content=json.dumps(events(1)))).requests == 1
