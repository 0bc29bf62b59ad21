"""How many forms viewers sent by day (optional): the list's length, and nothing of who is on it."""

from wistlake.contracts.form import LINEAGE, MEDIA_DAY, Column, Privacy, Table, Type

TABLE = Table(
    layer="silver",
    name="conversions_by_date",
    doc="Forms that viewers of a media sent on a local day, as Wistia lists them. A day without any has no row.",
    grain="one media_id and local date",
    key=("media_id", "date"),
    partition="months(date)",
    scope=("media_id", "date"),
    sources=("conversions",),
    columns=(
        *MEDIA_DAY,
        Column("conversions", Type.LONG, Privacy.NONE, "Forms that were sent.", nullable=False, minimum=1),
        *LINEAGE,
    ),
)
