"""Refused records: what may be shown of them."""

import json

from support.tables import given
from wistlake.contracts import events
from wistlake.transforms import quarantine as transform


def test_only_refused_rows_and_nothing_personal_of_them(spark, built_at):
    typed = given(
        spark, events.SOURCE,
        """
        event_key | percent_viewed | country | reason:string      | landing_id:string | line:bigint | dataset:string | landing_media_id:string | landing_dt:date | observed_at:timestamp
        good      | 0.5            | US      |                    | l1 | 1 | events | m1 | 2026-03-03 | 2026-03-04T02:15
        bad       | 1.5            | US      | bad_percent_viewed | l1 | 2 | events | m1 | 2026-03-03 | 2026-03-04T02:15
                  |                |         | malformed_json     | l1 | 3 | events | m1 | 2026-03-03 | 2026-03-04T02:15
        """,
    )  # fmt: skip
    hashes = given(
        spark, None,
        """
        landing_id:string | line:bigint | record_hash:string | record_length:bigint
        l1                | 1           | h1                 | 10
        l1                | 2           | h2                 | 20
        l1                | 3           | h3                 | 30
        l2                | 3           | other              | 40
        """,
    )  # fmt: skip
    rows = {r.line: r for r in transform.build(typed, hashes, events.SOURCE, built_at).collect()}
    assert set(rows) == {2, 3}
    shown = json.loads(rows[2].payload)
    assert shown["event_key"] == "bad"
    assert shown["percent_viewed"] == 1.5
    assert not {"country", "ip", "email", "visitor_key", "embed_url"} & set(shown)
    assert rows[3].payload is None
    assert {n: (r.record_hash, r.record_length) for n, r in rows.items()} == {2: ("h2", 20), 3: ("h3", 30)}
