"""Who watched what on a day."""

from wistlake.contracts.form import BUILT_AT, MEDIA_ID, Column, Privacy, Table, Type

TABLE = Table(
    layer="gold",
    name="fact_media_engagement",
    doc="A visitor's day with a media.",
    grain="one media_id, visitor_id and local date",
    key=("media_id", "visitor_id", "date"),
    partition="months(date)",
    scope=("media_id", "date"),
    sources=("events",),
    columns=(
        MEDIA_ID,
        Column("visitor_id", Type.STRING, Privacy.PSEUDONYM, "Keyed pseudonym of the visitor.", nullable=False),
        Column("date", Type.DATE, Privacy.NONE, "The account's day.", nullable=False),
        Column("play_count", Type.LONG, Privacy.NONE, "Sessions without a conversion.", nullable=False, minimum=0),
        Column("sessions", Type.LONG, Privacy.NONE, "Sessions, those with a conversion too.", nullable=False, minimum=1),
        Column("watch_milliseconds", Type.LONG, Privacy.NONE, "Time watched in the sessions; NULL if no duration is known.", unit="ms", minimum=0),
        Column("viewed_millionths", Type.LONG, Privacy.NONE, "Sum of floor(percent_viewed x 1e6 + 0.5).", nullable=False, minimum=0),
        Column("watched_share", Type.DOUBLE, Privacy.NONE, "Average share seen per session.", nullable=False, unit="share", minimum=0, maximum=1),
        Column(
            "first_received_at", Type.TIMESTAMP, Privacy.NONE, "The visitor's first session that day.", nullable=False
        ),
        Column("last_received_at", Type.TIMESTAMP, Privacy.NONE, "The visitor's last session that day.", nullable=False),
        BUILT_AT,
    ),
)  # fmt: skip
