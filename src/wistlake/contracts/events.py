"""Viewing sessions as Wistia lists them: one record per player, page and page load."""

from wistlake.contracts.form import Calendar, Field, Privacy, Source, Type

SOURCE = Source(
    name="events",
    doc="Viewing sessions of one media whose received_at lies in one UTC day.",
    endpoint="/stats/events",
    calendar=Calendar.UTC,
    key=("event_key",),
    fields=(
        Field("event_key", Type.STRING, Privacy.LINKED, "Identity of the session.", required=True),
        Field("received_at", Type.TIMESTAMP, Privacy.NONE, "When Wistia received it, UTC.", required=True),
        Field("media_id", Type.STRING, Privacy.NONE, "Hashed id of the media played.", required=True),
        Field("visitor_key", Type.STRING, Privacy.PERSONAL, "Wistia's persistent device key.", required=True),
        Field("percent_viewed", Type.DOUBLE, Privacy.NONE, "Share of the media seen, 0..1; grows.", required=True),
        Field("country", Type.STRING, Privacy.COARSE, "Two letters; empty when unknown.", mask="word"),
        Field("region", Type.STRING, Privacy.COARSE, "Region's name; empty when unknown.", mask="word"),
        Field("embed_url", Type.STRING, Privacy.PERSONAL, "Page of the player; its query may hold anything."),
        Field("conversion_type", Type.STRING, Privacy.NONE, "Kind of conversion; empty when none.", mask="word"),
        Field("user_agent_details.browser", Type.STRING, Privacy.COARSE, "Browser family.", mask="word"),
        Field("user_agent_details.browser_version", Type.STRING, Privacy.COARSE, "Browser version, as text.", mask="word"),
        Field("user_agent_details.platform", Type.STRING, Privacy.COARSE, "Operating system or device.", mask="word"),
        Field("user_agent_details.mobile", Type.BOOLEAN, Privacy.COARSE, "Whether the device is a mobile one."),
        Field("media_name", Type.STRING, Privacy.NONE, "The media's name today.", volatile=True, cosmetic=True),
        Field("media_url", Type.STRING, Privacy.NONE, "The media's page in Wistia.", cosmetic=True, mask="link"),
        Field("ip", Type.STRING, Privacy.PERSONAL, "Address of the viewer."),
        Field("city", Type.STRING, Privacy.PERSONAL, "City of the viewer; empty when unknown.", kept_by="WISTLAKE_CITY"),
        Field("lat", Type.DOUBLE, Privacy.PERSONAL, "Latitude of the viewer."),
        Field("lon", Type.DOUBLE, Privacy.PERSONAL, "Longitude of the viewer."),
        Field("org", Type.STRING, Privacy.PERSONAL, "Network the viewer came from."),
        Field("email", Type.STRING, Privacy.PERSONAL, "Address given by the viewer."),
    ),
    tolerated=("conversion_data", "iframe_heatmap_url", "thumbnail", "attributes"),
)  # fmt: skip
