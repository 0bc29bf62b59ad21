"""Breakdowns of Wistia's analytics, by whatever they are broken down."""

import json
from datetime import UTC, date, datetime

import pytest

from support.tables import expect, given
from wistlake.contracts import breakdowns, traffic_by_date
from wistlake.derive import mask
from wistlake.privacy.redaction import redact
from wistlake.transforms import landing
from wistlake.transforms import traffic_by_date as transform

PLACE = "landing_media_id:string | landing_dt:date | observed_at:timestamp | landing_id:string"
L1 = "m1 | 2026-03-02 | 2026-03-04T02:15 | l1"
L2 = "m1 | 2026-03-02 | 2026-03-05T02:15 | l2"
COLUMNS = "media_id | date | dimension | value | loads | plays | engagement_rate | has_captions | listed | landing_id"
DAY, SEEN = date(2026, 3, 2), datetime(2026, 3, 3, 2, 15, tzinfo=UTC)


def test_traffic_has_the_value_of_the_dimension_that_was_asked_for(spark, built_at):
    typed = given(
        spark, breakdowns.TRAFFIC,
        f"""
        group_by        | utm_source | referrer_domain | loads | plays | engagement_rate | {PLACE}
        utm_source      | mail       |                 | 9     | 4     | 0.5             | {L2}
        utm_source      |            |                 | 3     | 2     | 0.25            | {L2}
        referrer_domain |            | [masked]        | 4     | 1     | 0.25            | {L2}
        referrer_domain |            | [masked]        | 6     | 3     | 0.75            | {L2}
        utm_source      | an older   |                 | 9     | 9     | 0.5             | {L1}
        """,
    )  # fmt: skip
    expect(
        transform.build(typed, breakdowns.TRAFFIC, built_at), traffic_by_date.TABLE,
        f"""
        {COLUMNS}
        m1 | 2026-03-02 | utm_source      | mail     | 9  | 4 | 0.5   |  | 2 | l2
        m1 | 2026-03-02 | utm_source      | ""       | 3  | 2 | 0.25  |  | 2 | l2
        m1 | 2026-03-02 | referrer_domain | [masked] | 10 | 4 | 0.625 |  | 2 | l2
        """,
    )  # fmt: skip


def test_languages_and_pages_are_dimensions_as_well(spark, built_at):
    spoken = given(
        spark, breakdowns.LANGUAGES, f"language | plays | captions_support | {PLACE}\n en | 4 | true | {L1}"
    )
    expect(
        transform.build(spoken, breakdowns.LANGUAGES, built_at), traffic_by_date.TABLE,
        f"{COLUMNS}\n m1 | 2026-03-02 | language | en | | 4 | | true | 1 | l1",
    )  # fmt: skip
    pages = given(
        spark, breakdowns.EMBED_LOCATIONS,
        f"embed_domain | embed_path | loads | plays | engagement_rate | {PLACE}\n"
        f" a.example | /b | 5 | 4 | 0.5 | {L1}\n | | 3 | 2 | 0.25 | {L1}",  # and all others
    )  # fmt: skip
    expect(
        transform.build(pages, breakdowns.EMBED_LOCATIONS, built_at), traffic_by_date.TABLE,
        f"{COLUMNS}\n m1 | 2026-03-02 | embed_page | a.example/b | 5 | 4 | 0.5 | | 2 | l1\n"
        " m1 | 2026-03-02 | embed_page | \"\" | 3 | 2 | 0.25 | | 2 | l1",
    )  # fmt: skip


SERVED = {
    "utm_campaign": ("spring", "mail to jane%40b.example", "jane@b.example"),
    "referrer_domain": ("News.Example.ORG", "198.51.100.7", "jane@b.example"),
}


@pytest.mark.parametrize("name", SERVED)
def test_people_in_a_value_are_masked_before_it_leaves_bronze(spark, name):
    served = SERVED[name]
    records = [{"group_by": name, name: text, "loads": 1, "plays": 1} for text in served]
    lines = [
        (json.dumps({"_landing": "l1", "_line": n, "record": record}, separators=(",", ":")),)
        for n, record in enumerate(records, 1)
    ]
    parsed = landing.parse(
        spark.createDataFrame(lines, "value string"),
        breakdowns.TRAFFIC,
        landing.landing_frame(spark, [("l1", "m1", DAY, SEEN, "traffic_daily")]),
        landing.pads_frame(spark, [b"k" * 32]),
        transform.DERIVED["traffic_daily"],
        transform.RULES["traffic_daily"],
    )
    kept = [r[name] for r in parsed.where("reason is null").orderBy("line").select(name).collect()]
    assert kept[0] == served[0].lower()
    assert not [text for text in kept if "jane" in text or "198.51" in text]
    kind = breakdowns.TRAFFIC.field(name).mask
    assert kept == [mask.plain_of(kind, text) for text in served]
    assert [redact(breakdowns.TRAFFIC, r, {})[name] for r in records] == kept
