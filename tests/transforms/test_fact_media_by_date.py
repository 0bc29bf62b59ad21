"""Wistia's own counts: the newest observation of a day."""

from support.tables import expect, given
from wistlake.contracts import fact_media_by_date, media_by_date
from wistlake.transforms import fact_media_by_date as transform

PLACE = "landing_media_id:string | observed_at:timestamp | landing_id:string | line:bigint"


def test_the_newest_observation_wins_and_zero_stays_zero(spark, built_at):
    typed = given(
        spark, media_by_date.SOURCE,
        f"""
        date       | load_count | play_count | hours_watched | {PLACE}
        2026-03-02 | 5          | 2          | 0.5           | m1 | 2026-03-03T02:15 | l1 | 1
        2026-03-02 | 6          | 3          | 0.75          | m1 | 2026-03-04T02:15 | l2 | 1
        2026-03-03 | 0          | 0          | 0             | m1 | 2026-03-04T02:15 | l2 | 2
        2026-03-02 | 9          | 9          | 9             | m2 | 2026-03-03T02:15 | l3 | 1
        """,
    )  # fmt: skip
    expect(
        transform.build(typed, built_at), fact_media_by_date.TABLE,
        """
        media_id | date       | load_count | play_count | hours_watched_modelled
        m1       | 2026-03-02 | 6          | 3          | 0.75
        m1       | 2026-03-03 | 0          | 0          | 0
        m2       | 2026-03-02 | 9          | 9          | 9
        """,
    )  # fmt: skip
