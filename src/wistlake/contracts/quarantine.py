"""Records that broke their contract: why, where they are, and what may be shown of them."""

from wistlake.contracts.form import BUILT_AT, LANDING_ID, MEDIA_ID, OBSERVED_AT, Column, Privacy, Table, Type

TABLE = Table(
    layer="silver",
    name="quarantine",
    doc="One refused record: reason, landing, line, and its allow-listed fields. A line that can't be parsed keeps no payload.",
    grain="one landing and line",
    key=("landing_id", "line"),
    partition="months(dt)",
    scope=("dataset", "media_id", "dt"),
    columns=(
        LANDING_ID,
        Column("line", Type.LONG, Privacy.NONE, "Line in the landing, from 1.", nullable=False, minimum=1),
        Column("dataset", Type.STRING, Privacy.NONE, "Bronze dataset.", nullable=False),
        MEDIA_ID,
        Column("dt", Type.DATE, Privacy.NONE, "Day of the landing.", nullable=False),
        Column("reason", Type.STRING, Privacy.NONE, "Reason code, such as malformed_json or bad_percent_viewed.", nullable=False),
        Column("record_hash", Type.STRING, Privacy.PSEUDONYM, "Keyed hash of the line.", nullable=False),
        Column("record_length", Type.LONG, Privacy.NONE, "Characters in the line.", nullable=False, unit="characters"),
        Column("payload", Type.STRING, Privacy.MASKED, "Allow-listed fields as JSON; NULL if the line can't be parsed."),
        OBSERVED_AT,
        BUILT_AT,
    ),
)  # fmt: skip
