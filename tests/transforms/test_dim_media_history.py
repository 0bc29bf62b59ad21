"""Versions of media: cut where something changed, whatever the order of arrival."""

import pytest

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


@pytest.mark.parametrize("first", [1, 2, 3])
def test_one_build_or_several_make_the_same_versions(spark, built_at, first):
    head, *rows = SEEN.strip().splitlines()
    versions = given(spark, TABLE, "media_id")
    for part in (rows[:first], rows[first:]):
        seen = given(spark, dim_media.TABLE, "\n".join([head, *reversed(part)]))
        versions = transform.build(seen, versions, built_at)
    expect(versions, TABLE, VERSIONS)


def test_what_was_seen_earlier_and_arrives_later_takes_its_place(spark, built_at):
    head, *rows = SEEN.strip().splitlines()
    versions = given(spark, TABLE, "media_id")
    for part in (rows[2:], rows[:2]):
        seen = given(spark, dim_media.TABLE, "\n".join([head, *part]))
        versions = transform.build(seen, versions, built_at)
    expect(versions, TABLE, VERSIONS)


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
