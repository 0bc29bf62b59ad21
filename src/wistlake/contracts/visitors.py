"""Everybody who ever loaded a media of the account: account-wide, never of one media."""

from wistlake.contracts.form import Calendar, Field, Privacy, Source, Type

SOURCE = Source(
    name="visitors",
    doc="The account's visitors on the day they were listed.",
    endpoint="/stats/visitors",
    calendar=Calendar.SNAPSHOT,
    key=("visitor_key",),
    account_wide=True,
    optional=True,
    fields=(
        Field("visitor_key", Type.STRING, Privacy.PERSONAL, "Wistia's persistent device key.", required=True),
        Field("created_at", Type.TIMESTAMP, Privacy.NONE, "First seen; can be later than last_active_at.", required=True),
        Field("last_active_at", Type.TIMESTAMP, Privacy.NONE, "Last seen; the list's order.", required=True),
        Field("load_count", Type.LONG, Privacy.NONE, "Players loaded.", required=True),
        Field("play_count", Type.LONG, Privacy.NONE, "Players played.", required=True),
        Field("user_agent_details.browser", Type.STRING, Privacy.COARSE, "Browser family.", mask="word"),
        Field("user_agent_details.platform", Type.STRING, Privacy.COARSE, "Operating system or device.", mask="word"),
        Field("user_agent_details.mobile", Type.BOOLEAN, Privacy.COARSE, "Whether the device is a mobile one."),
    ),
    tolerated=("last_event_key", "identifying_event_key", "visitor_identity"),
)  # fmt: skip
