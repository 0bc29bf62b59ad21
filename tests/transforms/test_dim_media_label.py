"""The labels of media, as rows."""

from support.tables import expect, given
from wistlake.contracts import dim_media_label
from wistlake.transforms import dim_media_label as transform

TABLE = dim_media_label.TABLE


def test_a_row_for_each_label_with_any_text(spark, built_at):
    frame = given(
        spark, None,
        """
        media_id:string | label:string | value:string   | labelled_at:timestamp
        m1              | campaign     | Frühling 🌷    | 2026-03-02T09:00
        m1              | audience     | नए ग्राहक       | 2026-03-03T09:00
        m2              | campaign     | it's "x" \\ $y | 2026-03-03T09:00
        """,
    )  # fmt: skip
    rows = transform.build(frame, built_at)
    expect(
        rows, TABLE,
        """
        media_id | label    | value          | labelled_at
        m1       | campaign | Frühling 🌷    | 2026-03-02T09:00
        m1       | audience | नए ग्राहक       | 2026-03-03T09:00
        m2       | campaign | it's "x" \\ $y | 2026-03-03T09:00
        """,
    )  # fmt: skip
    assert rows.columns == list(TABLE.column_names)
