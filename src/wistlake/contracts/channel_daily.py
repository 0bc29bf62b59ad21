"""A media's day by channel."""

from wistlake.contracts.form import (
    BUILT_AT,
    MEDIA_ID,
    Column,
    Privacy,
    Table,
    Type,
)

TABLE = Table(
    layer="gold",
    name="channel_daily",
    doc="A media's day by channel.",
    grain="one media_id, local date and channel",
    key=("media_id", "date", "channel"),
    partition="months(date)",
    scope=("media_id", "date"),
    sources=("events",),
    references=(("media_id", "silver.dim_media.media_id"),),
    columns=(
        MEDIA_ID,
        Column("date", Type.DATE, Privacy.NONE, "The account's day.", nullable=False),
        Column("channel", Type.STRING, Privacy.NONE, "Channel by the ordered rules.", nullable=False),
        Column("plays_from_events", Type.LONG, Privacy.NONE, "Sessions without a conversion.", nullable=False, minimum=0),
        Column("sessions", Type.LONG, Privacy.NONE, "Sessions listed, those with a conversion too.", nullable=False, minimum=0),
        Column("unique_viewers", Type.LONG, Privacy.NONE, "Distinct visitors of the sessions; do not add up.", nullable=False, minimum=0),
        Column("watch_milliseconds", Type.LONG, Privacy.NONE, "Time watched in the sessions; NULL if no duration is known.", unit="ms", minimum=0),
        Column("reached_95", Type.LONG, Privacy.NONE, "Sessions that saw 95 % or more.", nullable=False, minimum=0),
        Column("conversions", Type.LONG, Privacy.NONE, "Sessions with a conversion.", nullable=False, minimum=0),
        BUILT_AT,
    ),
)  # fmt: skip
