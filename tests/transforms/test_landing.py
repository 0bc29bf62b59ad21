"""Bronze lines become typed rows; what breaks the contract is refused by name, and never nulled."""

import gzip
import json
from datetime import UTC, date, datetime

import pytest

from wistlake.bronze import encode_lines
from wistlake.contracts import events, media_by_date, media_metadata, source
from wistlake.derive.pseudonym import pseudonym
from wistlake.transforms import (
    dim_media,
    fact_events,
    fact_media_by_date,
    landing,
    media_analytics_by_date,
    media_lifetime,
)

KEYS = [b"k" * 32]
DAY = date(2026, 3, 2)
SEEN = datetime(2026, 3, 3, 2, 15, tzinfo=UTC)
GOOD = {
    "event_key": "1772496_a",
    "received_at": "2026-03-02T10:00:00.000Z",
    "media_id": "m1",
    "visitor_key": "somebody",
    "percent_viewed": 0.5,
    "country": "US",
    "embed_url": "https://user:pass@WWW.example.com:8443/p/jane@example.com?utm_source=a+b&email=x@y.z",
    "user_agent_details": {"browser": "Chrome", "browser_version": "141", "platform": "iOS", "mobile": True},
}
DERIVED = {
    "events": fact_events.derived(1),
    "media_by_date": {},
    "media_metadata": {},
    "media_stats": media_lifetime.STATS_DERIVED,
    "analytics_daily": media_analytics_by_date.DERIVED,
}
RULES = {
    "events": fact_events.RULES,
    "media_by_date": fact_media_by_date.RULES,
    "media_metadata": dim_media.RULES,
    "media_stats": media_lifetime.STATS_RULES,
    "analytics_daily": media_analytics_by_date.RULES,
}
STATS = {"load_count": 5, "play_count": 2, "hours_watched": 0.5, "engagement": 0.5, "visitors": 4}


def line(record, number=1):
    """One bronze line."""
    return gzip.decompress(encode_lines("L", [record], number)).decode().rstrip("\n")


def parsed(spark, lines, dataset="events"):
    """The rows that lines become, as dictionaries."""
    landings = landing.landing_frame(spark, [("L", "m1", DAY, SEEN, dataset)])
    frame = landing.parse(
        spark.createDataFrame([(text,) for text in lines], "value string"),
        source(dataset),
        landings,
        landing.pads_frame(spark, KEYS),
        DERIVED[dataset],
        RULES[dataset],
    )
    return [row.asDict() for row in frame.collect()]


def reason(spark, record, dataset="events"):
    """Why the record is refused."""
    (row,) = parsed(spark, [line(record)], dataset)
    return row["reason"]


def test_a_good_record_is_typed_pseudonymised_and_masked(spark):
    (row,) = parsed(spark, [line(GOOD, 7)])
    assert row["reason"] is None
    assert (row["line"], row["landing_media_id"], row["landing_dt"]) == (7, "m1", DAY)
    assert row["percent_viewed"] == 0.5
    assert row["user_agent_details_mobile"] is True
    assert row["visitor_id"] == pseudonym(KEYS, "somebody")
    assert (row["embed_host"], row["embed_path"], row["utm_source"]) == (
        "www.example.com",
        "/p/[masked]",
        "a b",
    )
    assert not {"visitor_key", "embed_url", "ip", "email"} & set(row)


@pytest.mark.parametrize(
    ("page", "source"),
    [
        ("https://x.example/p#utm_source=fb", "fb"),
        ("https://x.example/p#/route?utm_source=fb&utm_medium=cpc", "fb"),
        ("https://x.example/p#top&utm_source=fb", "fb"),
        ("https://x.example/p?utm_source=mail#utm_source=fb", "mail"),
        ("https://x.example/p?a=1#utm_source=jane@example.com", "[masked]"),
        ("https://x.example/p#my_utm_source=fb", None),
    ],
)
def test_a_campaign_behind_the_hash_is_read_and_masked(spark, page, source):
    (row,) = parsed(spark, [line(GOOD | {"embed_url": page})])
    assert (row["utm_source"], row["embed_host"]) == (source, "x.example")
    assert row["embed_path"] == "/p"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"percent_viewed": 1}, None),
        ({"percent_viewed": 0}, None),
        ({"percent_viewed": "0.25"}, None),
        ({"percent_viewed": 1.0000001}, "bad_percent_viewed"),
        ({"percent_viewed": -0.1}, "bad_percent_viewed"),
        ({"percent_viewed": "NaN"}, "bad_percent_viewed"),
        ({"percent_viewed": "half"}, "bad_percent_viewed"),
        ({"percent_viewed": True}, "bad_percent_viewed"),
        ({"percent_viewed": {"value": 1}}, "bad_percent_viewed"),
        ({"percent_viewed": None}, "missing_percent_viewed"),
        ({"event_key": ""}, "missing_event_key"),
        ({"event_key": None}, "missing_event_key"),
        ({"visitor_key": ""}, "missing_visitor_key"),
        ({"received_at": None}, "missing_received_at"),
        ({"received_at": "2026"}, "bad_received_at"),
        ({"received_at": 1772496000}, "bad_received_at"),
        ({"received_at": "0001-01-01T00:00:00.000Z"}, "bad_received_at"),
        ({"received_at": "2026-02-30T10:00:00.000Z"}, "bad_received_at"),
        ({"received_at": "2026-03-02T23:59:59.999Z"}, None),
        ({"received_at": "2026-03-03T00:00:00.000Z"}, "outside_window"),
        ({"received_at": "2026-03-01T23:59:59.999Z"}, "outside_window"),
        ({"received_at": "2036-03-02T10:00:00.000Z"}, "outside_window"),
        ({"media_id": "m2"}, "wrong_media"),
        ({"user_agent_details": {"mobile": "perhaps"}}, "bad_user_agent_details_mobile"),
        ({"user_agent_details": None}, None),
        ({"user_agent_details": "none"}, None),
        ({"country": "", "region": "", "embed_url": "", "conversion_type": ""}, None),
        ({"country": None, "region": None, "embed_url": None, "conversion_type": None, "org": None}, None),
        ({"never_heard_of": {"a": [1]}}, None),
    ],
)
def test_reasons(spark, change, why):
    assert reason(spark, GOOD | change) == why


@pytest.mark.parametrize(
    ("dataset", "good", "name"),
    [
        ("events", GOOD, "percent_viewed"),
        ("media_stats", STATS, "play_rate"),
        ("analytics_daily", {"timestamp": "2026-03-02T05:00:00Z"}, "play_rate"),
    ],
)
def test_a_share_that_is_a_hair_beyond_its_ends_is_its_end(spark, dataset, good, name):
    """Sums of floating point end there; anything more is another unit."""
    shares = {
        1.0000000000000002: 1.0,
        1.0000000009: 1.0,
        -2.3e-17: 0.0,
        0.999999: 0.999999,
    }
    rows = parsed(spark, [line(good | {name: share}, n) for n, share in enumerate(shares)], dataset)
    found = {r["line"]: (r[name], r["reason"]) for r in rows}
    assert found == {n: (share, None) for n, share in enumerate(shares.values())}
    for beyond in (1.000001, -0.000001, 1.5, 47):
        assert reason(spark, good | {name: beyond}, dataset) == f"bad_{name}"


@pytest.mark.parametrize("name", ["event_key", "received_at", "media_id", "visitor_key", "percent_viewed"])
def test_a_required_field_that_is_left_out(spark, name):
    record = {k: v for k, v in GOOD.items() if k != name}
    assert reason(spark, record) == f"missing_{name}"


def test_a_line_that_is_no_json_is_refused_and_still_has_its_place(spark):
    whole = line(GOOD, 3)
    rows = parsed(spark, [whole[:-20], line(GOOD, 4)])
    assert [(r["landing_id"], r["line"], r["reason"]) for r in sorted(rows, key=lambda r: r["line"])] == [
        ("L", 3, "malformed_json"),
        ("L", 4, None),
    ]


@pytest.mark.parametrize("record", [None, [], "text", 5])
def test_a_record_that_is_no_object(spark, record):
    envelope = json.dumps({"_landing": "L", "_line": 1, "record": record})
    (row,) = parsed(spark, [envelope])
    assert row["reason"] in ("malformed_json", "missing_event_key")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"hours_watched": 0}, None),
        ({"load_count": 3.0}, None),
        ({"load_count": 3.5}, "bad_load_count"),
        ({"play_count": -1}, "negative_count"),
        ({"hours_watched": -0.5}, "negative_count"),
        ({"date": "2026-03-03"}, "outside_window"),
        ({"date": "02/03/2026"}, "bad_date"),
        ({"play_count": None}, "missing_play_count"),
    ],
)
def test_daily_counts(spark, change, why):
    record = {"date": "2026-03-02", "load_count": 5, "play_count": 2, "hours_watched": 0.5}
    assert reason(spark, record | change, "media_by_date") == why


def test_media_may_leave_out_whatever_the_api_allows(spark):
    least = {"hashed_id": "m1", "id": 1, "name": "A", "type": "Image"}
    assert reason(spark, least, "media_metadata") is None
    nulls = {f.path.partition(".")[0]: None for f in media_metadata.SOURCE.fields if not f.required}
    assert reason(spark, least | nulls, "media_metadata") is None
    assert reason(spark, least | {"duration": -1}, "media_metadata") == "bad_duration"


def test_what_only_describes_a_media_is_unknown_when_it_is_odd(spark):
    """A time before 1900 is "none" to some, and would abort Spark's whole build."""
    media = {"hashed_id": "m1", "duration": 60.0}
    odd = {"name": {}, "created": "0001-01-01T00:00:00Z", "updated": 5, "archived": "perhaps", "tags": "none"}
    rows = parsed(spark, [line(media, 1), line(media | odd, 2)], "media_metadata")
    names = ("reason", "duration", "name", "created", "updated", "archived", "tags")
    assert {tuple(r[n] for n in names) for r in rows} == {(None, 60.0, None, None, None, None, None)}


def test_tags_are_texts_or_objects(spark):
    media = {"hashed_id": "m1", "id": 1, "name": "A", "type": "Video"}
    rows = parsed(
        spark,
        [line(media | {"tags": ["b", "a"]}, 1), line(media | {"tags": [{"name": "b"}, {"name": "a"}]}, 2)],
        "media_metadata",
    )
    assert [list(r["tags"]) for r in rows] == [["a", "b"], ["a", "b"]]


def test_a_timeseries_stamp_may_have_a_blank_or_a_t(spark):
    stamps = ("2026-03-03 05:00:00.000Z", "2026-03-03T05:00:00.000Z")
    rows = parsed(
        spark, [line({"timestamp": s, "plays": 4}, n) for n, s in enumerate(stamps, 1)], "analytics_daily"
    )
    assert [(r["timestamp"], r["plays"], r["reason"]) for r in rows] == [
        (datetime(2026, 3, 3, 5), 4, None)  # noqa: DTZ001 - Spark's collected times have no zone
    ] * 2


def test_every_optional_field_may_be_null(spark):
    for contract in (events.SOURCE, media_by_date.SOURCE):
        nulls = {f.path.partition(".")[0]: None for f in contract.fields if not f.required}
        good = GOOD if contract is events.SOURCE else {
            "date": "2026-03-02", "load_count": 5, "play_count": 2, "hours_watched": 0.5,
        }  # fmt: skip
        assert reason(spark, good | nulls, contract.name) is None


def test_a_refused_line_is_known_by_a_keyed_hash_and_its_length(spark):
    lines = [line(GOOD, 3), line(GOOD, 4)[:-20]]
    frame = spark.createDataFrame([(text,) for text in lines], "value string")
    rows = landing.fingerprints(frame, landing.pads_frame(spark, KEYS), 1).collect()
    assert {(r.landing_id, r.line): (r.record_hash, r.record_length) for r in rows} == {
        ("L", n): (pseudonym(KEYS, text), len(text)) for n, text in zip((3, 4), lines, strict=True)
    }
