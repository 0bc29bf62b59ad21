"""The visitors, by pseudonym."""

from wistlake.contracts.form import BUILT_AT, Column, Privacy, Table, Type

TABLE = Table(
    layer="gold",
    name="dim_visitor",
    doc="A visitor: where from and on what (from one latest session), first and last seen, how much.",
    grain="one visitor_id",
    key=("visitor_id",),
    scope=("visitor_id",),
    partition="months(last_seen_at)",
    sources=("events", "visitors"),
    columns=(
        Column("visitor_id", Type.STRING, Privacy.PSEUDONYM, "Keyed pseudonym.", nullable=False),
        Column("country", Type.STRING, Privacy.COARSE, "Country of the latest session."),
        Column("region", Type.STRING, Privacy.COARSE, "Region of the latest session."),
        Column("browser", Type.STRING, Privacy.COARSE, "Browser of the latest session."),
        Column("platform", Type.STRING, Privacy.COARSE, "Platform of the latest session."),
        Column("is_mobile", Type.BOOLEAN, Privacy.COARSE, "Whether the latest session was on a mobile device."),
        Column("first_seen_at", Type.TIMESTAMP, Privacy.NONE, "First session.", nullable=False),
        Column("last_seen_at", Type.TIMESTAMP, Privacy.NONE, "Latest session.", nullable=False),
        Column("play_count", Type.LONG, Privacy.NONE, "Sessions without a conversion.", nullable=False, minimum=0),
        Column("sessions", Type.LONG, Privacy.NONE, "Sessions, those with a conversion too.", nullable=False, minimum=1),
        Column("media_count", Type.LONG, Privacy.NONE, "Different media.", nullable=False, minimum=0),
        Column("watch_milliseconds", Type.LONG, Privacy.NONE, "Time watched; NULL if no duration is known.", unit="ms", minimum=0),
        Column("account_load_count", Type.LONG, Privacy.NONE, "Players loaded, all media of the account; needs the visitors dataset.", minimum=0),
        BUILT_AT,
    ),
)  # fmt: skip
