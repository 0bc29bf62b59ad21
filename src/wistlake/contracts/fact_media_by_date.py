"""Wistia's own daily counts: the newest observation of each day."""

from wistlake.contracts.form import LINEAGE, MEDIA_DAY, Column, Privacy, Removal, Table, Type

TABLE = Table(
    layer="silver",
    name="fact_media_by_date",
    doc="Loads, plays and modelled hours of a media on a local day, as last observed. Zero is zero.",
    grain="one media_id and local date",
    key=("media_id", "date"),
    partition="months(date)",
    scope=("media_id", "date"),
    removal=Removal.KEEP,
    sources=("media_by_date",),
    columns=(
        *MEDIA_DAY,
        Column("load_count", Type.LONG, Privacy.NONE, "Player loads.", nullable=False, minimum=0),
        Column("play_count", Type.LONG, Privacy.NONE, "Plays.", nullable=False, minimum=0),
        Column(
            "hours_watched_modelled", Type.DOUBLE, Privacy.NONE,
            "Wistia's model: plays x lifetime engagement x duration. Not what was watched that day; NULL where it has none.",
            unit="hours", minimum=0,
        ),
        *LINEAGE,
    ),
)  # fmt: skip
