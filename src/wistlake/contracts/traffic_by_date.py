"""Plays by dimension and day, as Wistia's analytics break them down (optional)."""

from wistlake.contracts.breakdowns import DIMENSIONS, SOURCES
from wistlake.contracts.form import LINEAGE, MEDIA_DAY, Column, Privacy, Table, Type

DIMENSION = Column(
    "dimension", Type.STRING, Privacy.NONE, "What the plays are broken down by.",
    nullable=False, allowed=tuple(d for of_source in DIMENSIONS.values() for d in of_source),
)  # fmt: skip
VALUE = Column("value", Type.STRING, Privacy.MASKED, "Its value; empty when Wistia has none.", nullable=False)

TABLE = Table(
    layer="silver",
    name="traffic_by_date",
    doc="A media's day by one dimension, as Wistia lists it: at most the 100 values with most plays.",
    grain="one media_id, local date, dimension and value",
    key=("media_id", "date", "dimension", "value"),
    partition="months(date)",
    scope=("media_id", "date", "dimension"),
    sources=tuple(s.name for s in SOURCES),
    columns=(
        *MEDIA_DAY,
        DIMENSION,
        VALUE,
        Column("loads", Type.LONG, Privacy.NONE, "Players loaded; NULL of languages.", minimum=0),
        Column("plays", Type.LONG, Privacy.NONE, "Plays after Wistia's bot filter.", nullable=False, minimum=0),
        Column("engagement_rate", Type.DOUBLE, Privacy.NONE, "Average share seen; NULL of languages.", unit="share", minimum=0, maximum=1),
        Column("has_captions", Type.BOOLEAN, Privacy.NONE, "Of languages: whether there are captions in it."),
        Column("listed", Type.LONG, Privacy.NONE, "How many values Wistia listed; 100 may have been cut off.", nullable=False, minimum=1),
        *LINEAGE,
    ),
)  # fmt: skip
