"""Wistia's newer daily analytics: the only true source of watch time by day. Dated API only."""

from wistlake.contracts.form import Calendar, Field, Privacy, Source, Type

SOURCE = Source(
    name="analytics_daily",
    doc="One media's analytics on one local day; metrics are left out on days without any.",
    endpoint="/analytics/medias/{media_id}/timeseries",
    calendar=Calendar.LOCAL,
    key=("timestamp",),
    optional=True,
    version=2,
    fields=(
        Field("timestamp", Type.TIMESTAMP, Privacy.NONE, "Start of the local day, UTC.", required=True),
        Field("plays", Type.LONG, Privacy.NONE, "Plays after Wistia's bot filter."),
        Field("unique_plays", Type.LONG, Privacy.NONE, "People who played."),
        Field("unique_loads", Type.LONG, Privacy.NONE, "People who loaded."),
        Field("unique_visitors", Type.LONG, Privacy.NONE, "People."),
        Field("play_rate", Type.DOUBLE, Privacy.NONE, "unique_plays / unique_loads, 0..1."),
        Field("played_time", Type.LONG, Privacy.NONE, "Seconds played that day."),
        Field("engagement_rate", Type.DOUBLE, Privacy.NONE, "Average share seen that day, 0..1."),
        Field("cta_impressions", Type.LONG, Privacy.NONE, "How often a call to action was shown."),
        Field("cta_conversions", Type.LONG, Privacy.NONE, "How often one was clicked."),
        Field("form_conversions", Type.LONG, Privacy.NONE, "Forms that viewers sent."),
    ),
    tolerated=("cta_conversion_rate",),  # cta_conversions / cta_impressions
)
