"""Wistia's newer analytics by day (optional)."""

from wistlake.contracts.form import LINEAGE, MEDIA_DAY, Column, Privacy, Removal, Table, Type

TABLE = Table(
    layer="silver",
    name="media_analytics_by_date",
    doc="Wistia's analytics of a media on a local day, after its bot filter. Metrics are NULL where Wistia has none.",
    grain="one media_id and local date",
    key=("media_id", "date"),
    partition="months(date)",
    scope=("media_id", "date"),
    removal=Removal.KEEP,
    sources=("analytics_daily",),
    columns=(
        *MEDIA_DAY,
        Column("plays", Type.LONG, Privacy.NONE, "Plays.", minimum=0),
        Column("unique_plays", Type.LONG, Privacy.NONE, "People who played.", minimum=0),
        Column("unique_loads", Type.LONG, Privacy.NONE, "People who loaded.", minimum=0),
        Column("unique_visitors", Type.LONG, Privacy.NONE, "People.", minimum=0),
        Column("play_rate", Type.DOUBLE, Privacy.NONE, "unique_plays / unique_loads.", unit="share", minimum=0, maximum=1),
        Column("played_seconds", Type.LONG, Privacy.NONE, "Seconds played that day.", unit="s", minimum=0),
        Column("engagement_rate", Type.DOUBLE, Privacy.NONE, "Average share seen that day.", unit="share", minimum=0),
        Column("cta_impressions", Type.LONG, Privacy.NONE, "How often a call to action was shown.", minimum=0),
        Column("cta_conversions", Type.LONG, Privacy.NONE, "How often one was clicked.", minimum=0),
        Column("form_conversions", Type.LONG, Privacy.NONE, "Forms that viewers sent.", minimum=0),
        *LINEAGE,
    ),
)  # fmt: skip
