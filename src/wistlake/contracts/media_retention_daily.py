"""The retention curve of what was watched between two snapshots."""

from wistlake.contracts.form import BUILT_AT, MEDIA_ID, Column, Privacy, Table, Type

TABLE = Table(
    layer="gold",
    name="media_retention_daily",
    doc="Views of each second between two lifetime snapshots, where the media stayed the same.",
    grain="one media_id and snapshot date",
    key=("media_id", "date"),
    partition="months(date)",
    scope=("media_id",),
    sources=("media_engagement",),
    columns=(
        MEDIA_ID,
        Column("date", Type.DATE, Privacy.NONE, "Snapshot day (UTC) that ends the span.", nullable=False),
        Column("previous_date", Type.DATE, Privacy.NONE, "Snapshot day that begins it.", nullable=False),
        Column(
            "verdict", Type.STRING, Privacy.NONE, "Whether the two curves can be compared.", nullable=False,
            allowed=("comparable", "media_swapped", "duration_changed", "restated"),
        ),
        Column("views", Type.LONGS, Privacy.NONE, "Views of each second in the span; NULL unless comparable."),
        Column("rewatches", Type.LONGS, Privacy.NONE, "Repeated views of each second; NULL unless comparable."),
        BUILT_AT,
    ),
)  # fmt: skip
