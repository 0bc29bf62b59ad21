"""Our totals against the source's, day by day."""

from wistlake.contracts.form import BUILT_AT, MEDIA_ID, Column, Privacy, Removal, Table, Type

TABLE = Table(
    layer="ops",
    name="reconciliation",
    doc="One identity on one media and local day, as last judged.",
    grain="one identity, media_id and date",
    key=("identity", "media_id", "date"),
    scope=("media_id", "date"),
    removal=Removal.KEEP,
    partition="months(date)",
    columns=(
        Column("identity", Type.STRING, Privacy.NONE, "Which identity.", nullable=False),
        MEDIA_ID,
        Column("date", Type.DATE, Privacy.NONE, "The account's day; of lifetime identities, the snapshot's.", nullable=False),
        Column("verdict", Type.STRING, Privacy.NONE, "What came out.", nullable=False, allowed=("holds", "broken", "not_applicable")),
        Column("blocking", Type.BOOLEAN, Privacy.NONE, "Whether a broken one keeps the day out of gold.", nullable=False),
        Column("ours", Type.DOUBLE, Privacy.NONE, "Our figure; the first one that differs, where there are several."),
        Column("theirs", Type.DOUBLE, Privacy.NONE, "The source's figure."),
        Column("lower", Type.DOUBLE, Privacy.NONE, "Smallest difference allowed."),
        Column("upper", Type.DOUBLE, Privacy.NONE, "Largest difference allowed."),
        Column("run_id", Type.STRING, Privacy.NONE, "The run that judged.", nullable=False, lineage=True),
        BUILT_AT,
    ),
)  # fmt: skip
