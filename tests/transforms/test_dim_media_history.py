"""Versions of media: cut where something changed, whatever the order of arrival."""

from support.tables import expect, given
from wistlake.contracts import dim_media, dim_media_history
from wistlake.transforms import dim_media_history as transform

TABLE = dim_media_history.TABLE
SEEN = """
    media_id | observed_at      | title | duration_seconds | tags
    m1       | 2026-03-01T02:15 | A     | 10               | []
    m1       | 2026-03-02T02:15 | A     | 10               | []
    m1       | 2026-03-03T02:15 | B     | 10               | []
    m1       | 2026-03-04T02:15 | A     | 10               | []
"""
VERSIONS = """
    media_id | valid_from       | valid_to         | title | is_current
    m1       | 2026-03-01T02:15 | 2026-03-03T02:15 | A     | false
    m1       | 2026-03-03T02:15 | 2026-03-04T02:15 | B     | false
    m1       | 2026-03-04T02:15 |                  | A     | true
"""


def test_a_version_begins_where_something_changed(spark, built_at):
    none = given(spark, TABLE, "media_id")
    expect(transform.build(given(spark, dim_media.TABLE, SEEN), none, built_at), TABLE, VERSIONS)


def test_the_order_of_arrival_does_not_matter(spark, built_at):
    head, *rows = SEEN.strip().splitlines()
    for first in ([rows[3], rows[0]], [rows[2]], [rows[1], rows[3]]):
        rest = [r for r in rows if r not in first]
        versions = given(spark, TABLE, "media_id")
        for part in (first, rest):
            seen = given(spark, dim_media.TABLE, "\n".join([head, *part]))
            versions = transform.build(seen, versions, built_at)
        starts = {r.valid_from for r in versions.where("is_current").collect()}
        assert len(starts) == 1
        assert {r.title for r in versions.collect()} == {"A", "B"}


def test_media_that_were_not_observed_keep_their_versions_out_of_it(spark, built_at):
    known = given(
        spark, TABLE,
        """
        media_id | valid_from       | title | is_current | tags
        m2       | 2026-03-01T02:15 | X     | true       | []
        """,
    )  # fmt: skip
    frame = transform.build(given(spark, dim_media.TABLE, SEEN), known, built_at)
    assert {r.media_id for r in frame.collect()} == {"m1"}
