"""How often each second of a media was seen, over its whole life."""

from wistlake.contracts.form import Calendar, Field, Privacy, Source, Type

SOURCE = Source(
    name="media_engagement",
    doc="One media's lifetime engagement curve on the day it was read.",
    endpoint="/stats/medias/{media_id}/engagement",
    calendar=Calendar.SNAPSHOT,
    key=(),
    fields=(
        Field("engagement", Type.DOUBLE, Privacy.NONE, "Average share seen, 0..1.", required=True, nullable=True),
        Field("engagement_data", Type.LONGS, Privacy.NONE, "Views of each second, 1,000 at most.", required=True, nullable=True),
        Field("rewatch_data", Type.LONGS, Privacy.NONE, "Repeated views of each second.", required=True, nullable=True),
    ),
)  # fmt: skip
