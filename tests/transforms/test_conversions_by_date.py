"""Forms that viewers sent, counted by day."""

from support.tables import expect, given
from wistlake.contracts import conversions, conversions_by_date
from wistlake.transforms import conversions_by_date as transform


def test_forms_are_counted_by_day_of_the_newest_list(spark, built_at):
    typed = given(
        spark, conversions.SOURCE,
        """
        converted_at     | landing_media_id:string | landing_dt:date | observed_at:timestamp | landing_id:string
        2026-03-02T10:00 | m1 | 2026-03-02 | 2026-03-04T02:15 | l1
        2026-03-02T10:00 | m1 | 2026-03-02 | 2026-03-05T02:15 | l2
        2026-03-02T11:00 | m1 | 2026-03-02 | 2026-03-05T02:15 | l2
        """,
    )  # fmt: skip
    expect(
        transform.build(typed, built_at), conversions_by_date.TABLE,
        "media_id | date | conversions | landing_id\n m1 | 2026-03-02 | 2 | l2",
    )  # fmt: skip
