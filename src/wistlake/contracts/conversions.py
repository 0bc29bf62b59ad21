"""Forms that viewers of a media sent. Who sent them never leaves bronze."""

from wistlake.contracts.form import Calendar, Field, Privacy, Source, Type

SOURCE = Source(
    name="conversions",
    doc="Forms that viewers of one media sent on some local days, with their names and addresses.",
    endpoint="/analytics/medias/{media_id}/conversions",
    calendar=Calendar.LOCAL,
    key=("converted_at",),
    optional=True,
    only_played=True,
    rest_days=1,
    fields=(
        Field("converted_at", Type.TIMESTAMP, Privacy.NONE, "When the form was sent, UTC.", required=True),
        Field("email", Type.STRING, Privacy.PERSONAL, "Address of the sender."),
        Field("first_name", Type.STRING, Privacy.PERSONAL, "First name of the sender."),
        Field("last_name", Type.STRING, Privacy.PERSONAL, "Last name of the sender."),
    ),
)
