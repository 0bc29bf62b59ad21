"""Loads and plays of a media by day, as Wistia counts them."""

from wistlake.contracts.form import Calendar, Field, Privacy, Source, Type

SOURCE = Source(
    name="media_by_date",
    doc="Loads, plays and modelled hours of one media on one local day.",
    endpoint="/stats/medias/{media_id}/by_date",
    calendar=Calendar.LOCAL,
    key=("date",),
    fields=(
        Field("date", Type.DATE, Privacy.NONE, "Day in the account's zone.", required=True),
        Field("load_count", Type.LONG, Privacy.NONE, "Times the player was loaded.", required=True),
        Field("play_count", Type.LONG, Privacy.NONE, "Times it was played.", required=True),
        Field(
            "hours_watched", Type.DOUBLE, Privacy.NONE,
            "Modelled: plays x lifetime engagement x duration; restated at will.", restated=True,
        ),
    ),
)  # fmt: skip
