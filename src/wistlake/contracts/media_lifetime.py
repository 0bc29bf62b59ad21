"""Daily snapshots of lifetime figures and engagement curves: Wistia keeps no history of them."""

from wistlake.contracts.form import LINEAGE, MEDIA_ID, Column, Privacy, Removal, Table, Type

TABLE = Table(
    layer="silver",
    name="media_lifetime",
    doc="A media's lifetime figures as of a day, with the views of each second.",
    grain="one media_id and snapshot date",
    key=("media_id", "snapshot_date"),
    scope=("media_id", "snapshot_date"),
    removal=Removal.KEEP,
    partition="months(snapshot_date)",
    sources=("media_stats", "media_engagement"),
    columns=(
        MEDIA_ID,
        Column("snapshot_date", Type.DATE, Privacy.NONE, "UTC day of the observation.", nullable=False),
        Column("load_count", Type.LONG, Privacy.NONE, "Loads ever.", minimum=0),
        Column("play_count", Type.LONG, Privacy.NONE, "Plays ever.", minimum=0),
        Column("visitors", Type.LONG, Privacy.NONE, "People who loaded it.", minimum=0),
        Column("play_rate", Type.DOUBLE, Privacy.NONE, "Unique players / visitors.", unit="share", minimum=0, maximum=1),
        Column("hours_watched", Type.DOUBLE, Privacy.NONE, "Plays x engagement x duration / 3600.", unit="hours", minimum=0),
        Column("engagement", Type.DOUBLE, Privacy.NONE, "Average share seen.", unit="share", minimum=0),
        Column("engagement_data", Type.LONGS, Privacy.NONE, "Views of each second; above 1,000 s scaled to 1,000 items."),
        Column("rewatch_data", Type.LONGS, Privacy.NONE, "Repeated views of each second."),
        Column("action_types", Type.STRINGS, Privacy.NONE, "Kinds of calls to action and forms, one an action; NULL without any."),
        Column("action_counts", Type.LONGS, Privacy.NONE, "How often each of them was taken, ever."),
        Column("action_impressions", Type.LONGS, Privacy.NONE, "How often each of them was shown, ever."),
        Column("duration_seconds", Type.DOUBLE, Privacy.NONE, "Duration on that day.", unit="s", minimum=0),
        Column("original_asset", Type.STRING, Privacy.NONE, "Fingerprint of the original file on that day."),
        *LINEAGE,
    ),
)  # fmt: skip
