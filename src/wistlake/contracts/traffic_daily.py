"""Plays by dimension and day: where they came from, in which language, on which page."""

from wistlake.contracts.form import BUILT_AT, MEDIA_DAY, Column, Privacy, Table, Type
from wistlake.contracts.traffic_by_date import DIMENSION, VALUE
from wistlake.contracts.traffic_by_date import TABLE as SILVER

TABLE = Table(
    layer="gold",
    name="traffic_daily",
    doc="A media's day by one dimension, after Wistia's bot filter: the plays of a day's sessions are more, and never mixed with these.",
    grain="one media_id, local date, dimension and value",
    key=("media_id", "date", "dimension", "value"),
    partition="months(date)",
    scope=("media_id", "date", "dimension"),
    sources=SILVER.sources,
    columns=(
        *MEDIA_DAY,
        DIMENSION,
        VALUE,
        Column("loads", Type.LONG, Privacy.NONE, "Players loaded; NULL of languages.", minimum=0),
        Column("plays", Type.LONG, Privacy.NONE, "Plays.", nullable=False, minimum=0),
        Column("engagement", Type.DOUBLE, Privacy.NONE, "Average share seen; NULL of languages.", unit="share", minimum=0, maximum=1),
        Column("share_of_plays", Type.DOUBLE, Privacy.NONE, "Of the dimension's plays that day.", unit="share", minimum=0, maximum=1),
        Column("has_captions", Type.BOOLEAN, Privacy.NONE, "Of languages: whether there are captions in it."),
        BUILT_AT,
    ),
)  # fmt: skip
