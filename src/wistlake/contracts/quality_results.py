"""What was checked, and what was found."""

from wistlake.contracts.form import BUILT_AT, Column, Privacy, Removal, Table, Type

TABLE = Table(
    layer="ops",
    name="quality_results",
    doc="One check of one run.",
    grain="one run_id, check and scope",
    key=("run_id", "check_name", "scope"),
    scope=("run_id",),
    removal=Removal.KEEP,
    columns=(
        Column("run_id", Type.STRING, Privacy.NONE, "The run.", nullable=False),
        Column("check_name", Type.STRING, Privacy.NONE, "Name of the check.", nullable=False),
        Column("scope", Type.STRING, Privacy.NONE, "Table, media and day that it looked at.", nullable=False),
        Column("verdict", Type.STRING, Privacy.NONE, "What came out.", nullable=False, allowed=("holds", "broken", "not_applicable")),
        Column("effect", Type.STRING, Privacy.NONE, "What a broken check does.", nullable=False, allowed=("stop", "quarantine", "warn")),
        Column("checked", Type.LONG, Privacy.NONE, "Rows looked at.", nullable=False, minimum=0),
        Column("violations", Type.LONG, Privacy.NONE, "Rows that break it.", nullable=False, minimum=0),
        Column("detail", Type.STRING, Privacy.NONE, "Figures, in words."),
        BUILT_AT,
    ),
)  # fmt: skip
