"""What viewers were asked to do, and did: calls to action and forms of a media by day."""

from wistlake.contracts.form import BUILT_AT, MEDIA_DAY, Column, Privacy, Table, Type

DAY, BETWEEN = "day", "between_snapshots"

TABLE = Table(
    layer="gold",
    name="conversion_daily",
    doc="Calls to action and forms of a media: how often they were shown and taken. Days without any have no row.",
    grain="one media_id, date, kind and basis",
    key=("media_id", "date", "kind", "basis"),
    partition="months(date)",
    scope=("media_id", "date", "kind", "basis"),
    sources=("analytics_daily", "media_stats", "conversions"),
    columns=(
        *MEDIA_DAY,
        Column("kind", Type.STRING, Privacy.NONE, "cta and form: of Wistia's analytics, by day; lead: forms that its list of conversions names. Others: a type of Wistia's lifetime figures. They count the same clicks, so don't add them up.", nullable=False),
        Column("basis", Type.STRING, Privacy.NONE, "Whether the figures are a day's own, or what was added between two lifetime snapshots.", nullable=False, allowed=(DAY, BETWEEN)),
        Column("previous_date", Type.DATE, Privacy.NONE, "Between snapshots: the day of the one before; `date` is that of the later one, both UTC."),
        Column("impressions", Type.LONG, Privacy.NONE, "How often they were shown; NULL where Wistia does not tell.", minimum=0),
        Column("actions", Type.LONG, Privacy.NONE, "How often they were taken.", minimum=0),
        Column("rate", Type.DOUBLE, Privacy.NONE, "actions / impressions; NULL without impressions.", unit="share", minimum=0),
        BUILT_AT,
    ),
)  # fmt: skip
