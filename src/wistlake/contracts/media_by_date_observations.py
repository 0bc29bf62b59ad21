"""Every value that Wistia ever served for a day: how its numbers moved."""

from wistlake.contracts.form import BUILT_AT, LANDING_ID, MEDIA_DAY, Column, Privacy, Removal, Table, Type

TABLE = Table(
    layer="silver",
    name="media_by_date_observations",
    doc="Each distinct observation of a media's day; a row is added only when a value changed.",
    grain="one media_id, local date and observed_at",
    key=("media_id", "date", "observed_at"),
    partition="months(date)",
    scope=("media_id", "date"),
    removal=Removal.KEEP,
    sources=("media_by_date",),
    columns=(
        *MEDIA_DAY,
        Column("observed_at", Type.TIMESTAMP, Privacy.NONE, "When these values were read.", nullable=False),
        Column("load_count", Type.LONG, Privacy.NONE, "Player loads.", nullable=False, minimum=0),
        Column("play_count", Type.LONG, Privacy.NONE, "Plays.", nullable=False, minimum=0),
        Column("hours_watched_modelled", Type.DOUBLE, Privacy.NONE, "Wistia's model; NULL where it has none.", unit="hours", minimum=0),
        LANDING_ID,
        BUILT_AT,
    ),
)  # fmt: skip
