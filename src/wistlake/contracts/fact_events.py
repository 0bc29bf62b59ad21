"""Viewing sessions, typed, deduplicated and pseudonymised."""

from wistlake.contracts.form import LINEAGE, MEDIA_ID, Column, Privacy, Removal, Table, Type

TABLE = Table(
    layer="silver",
    name="fact_events",
    doc="One viewing session: who (pseudonym), which media, when, how far, where from.",
    grain="one event_key",
    key=("event_key",),
    partition="days(event_date)",
    scope=("media_id", "event_date"),
    removal=Removal.SOFT,
    preferred=("percent_viewed", "received_at"),
    sources=("events",),
    columns=(
        Column("event_key", Type.STRING, Privacy.LINKED, "Identity of the session at Wistia.", nullable=False),
        Column("received_at", Type.TIMESTAMP, Privacy.NONE, "When Wistia received it.", nullable=False),
        Column("event_date", Type.DATE, Privacy.NONE, "UTC day of received_at.", nullable=False),
        Column("event_date_local", Type.DATE, Privacy.NONE, "The account's day of received_at.", nullable=False),
        MEDIA_ID,
        Column("visitor_id", Type.STRING, Privacy.PSEUDONYM, "Keyed pseudonym of the visitor.", nullable=False),
        Column(
            "percent_viewed", Type.DOUBLE, Privacy.NONE, "Share of the media seen; grows for hours.",
            nullable=False, unit="share", minimum=0, maximum=1,
        ),
        Column(
            "watch_milliseconds", Type.LONG, Privacy.NONE,
            "floor(percent_viewed x duration x 1000 + 0.5), with the duration below; NULL without one.",
            unit="ms", minimum=0,
        ),
        Column(
            "duration_seconds",
            Type.DOUBLE,
            Privacy.NONE,
            "Duration of the media when this was received; before any was known, the first one that was. NULL until then.",
            unit="s",
            minimum=0,
        ),
        Column("conversion_type", Type.STRING, Privacy.NONE, "Kind of conversion; NULL when none."),
        Column("country", Type.STRING, Privacy.COARSE, "Two-letter country; NULL when unknown."),
        Column("region", Type.STRING, Privacy.COARSE, "Region; NULL when unknown."),
        Column("city", Type.STRING, Privacy.MASKED, "City, where WISTLAKE_CITY is on; NULL when off or unknown."),
        Column("browser", Type.STRING, Privacy.COARSE, "Browser family."),
        Column("browser_version", Type.STRING, Privacy.COARSE, "Browser version, as text."),
        Column("platform", Type.STRING, Privacy.COARSE, "Operating system or device; vocabulary drifts over years."),
        Column("is_mobile", Type.BOOLEAN, Privacy.COARSE, "Whether the device is a mobile one."),
        Column("embed_host", Type.STRING, Privacy.MASKED, "Host of the page that held the player."),
        Column("embed_path", Type.STRING, Privacy.MASKED, "Path of that page; personal-looking parts masked."),
        Column("utm_source", Type.STRING, Privacy.MASKED, "utm_source of that page."),
        Column("utm_medium", Type.STRING, Privacy.MASKED, "utm_medium of that page."),
        Column("utm_campaign", Type.STRING, Privacy.MASKED, "utm_campaign of that page."),
        Column("channel", Type.STRING, Privacy.NONE, "Channel by the ordered rules; 'unclassified' if none fits.", nullable=False),
        Column("removed_at", Type.TIMESTAMP, Privacy.NONE, "When a complete listing first lacked it; NULL while listed."),
        Column(
            "first_observed_at", Type.TIMESTAMP, Privacy.NONE, "When a listing first had it.", nullable=False, lineage=True
        ),
        *LINEAGE,
    ),
    rules=("event_date = cast(received_at as date)",),
)  # fmt: skip
