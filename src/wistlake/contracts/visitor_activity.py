"""The account's visitors as Wistia lists them (optional); never of one media."""

from wistlake.contracts.form import LINEAGE, Column, Privacy, Removal, Table, Type

TABLE = Table(
    layer="silver",
    name="visitors",
    doc="One visitor of the account by pseudonym: loads, plays, first and last activity. Account-wide.",
    grain="one visitor_id",
    key=("visitor_id",),
    scope=("visitor_id",),
    removal=Removal.KEEP,
    partition="months(last_active_at)",
    sources=("visitors",),
    columns=(
        Column("visitor_id", Type.STRING, Privacy.PSEUDONYM, "Keyed pseudonym.", nullable=False),
        Column("created_at", Type.TIMESTAMP, Privacy.NONE, "First seen; may be after last_active_at.", nullable=False),
        Column("last_active_at", Type.TIMESTAMP, Privacy.NONE, "Last seen.", nullable=False),
        Column("load_count", Type.LONG, Privacy.NONE, "Players loaded.", nullable=False, minimum=0),
        Column("play_count", Type.LONG, Privacy.NONE, "Players played.", nullable=False, minimum=0),
        Column("browser", Type.STRING, Privacy.COARSE, "Browser family."),
        Column("platform", Type.STRING, Privacy.COARSE, "Operating system or device."),
        Column("is_mobile", Type.BOOLEAN, Privacy.COARSE, "Whether the device is a mobile one."),
        *LINEAGE,
    ),
)  # fmt: skip
