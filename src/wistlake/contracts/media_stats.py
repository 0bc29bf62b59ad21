"""Lifetime figures of a media."""

from wistlake.contracts.form import Calendar, Field, Privacy, Source, Type

SOURCE = Source(
    name="media_stats",
    doc="One media's lifetime figures on the day they were read.",
    endpoint="/stats/medias/{media_id}",
    calendar=Calendar.SNAPSHOT,
    key=(),
    version=2,
    fields=(
        Field("load_count", Type.LONG, Privacy.NONE, "Loads ever.", required=True),
        Field("play_count", Type.LONG, Privacy.NONE, "Plays ever.", required=True),
        Field("play_rate", Type.DOUBLE, Privacy.NONE, "Unique players / visitors, 0..1.", required=True, nullable=True),
        Field("hours_watched", Type.DOUBLE, Privacy.NONE, "play_count x engagement x duration / 3600.", required=True, nullable=True),
        Field("engagement", Type.DOUBLE, Privacy.NONE, "Average share seen, 0..1.", required=True, nullable=True),
        Field("visitors", Type.LONG, Privacy.NONE, "People who loaded it.", required=True),
        Field(
            "actions", Type.STRINGS, Privacy.NONE, "Calls to action and forms since ever, each with its counts; absent without any.",
            cosmetic=True, items=("type", "action_count", "impression_count"),
        ),
    ),
)  # fmt: skip
