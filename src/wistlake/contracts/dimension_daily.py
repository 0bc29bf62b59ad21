"""A media's day by one dimension: where its sessions came from, or what they were watched on."""

from wistlake.contracts.form import BUILT_AT, MEDIA_DAY, Column, Privacy, Table, Type


def _table(name: str, title: str, grain: str, *dimensions: Column) -> Table:
    """The table called `name`: the same measures as every other one, by its own `dimensions`.

    A dimension is part of the key, so it is never NULL: unknown is "", or false.
    """
    return Table(
        layer="gold",
        name=name,
        doc=f"A media's day by {title}.",
        grain=f"one media_id, local date and {grain}",
        key=("media_id", "date", *(c.name for c in dimensions)),
        partition="months(date)",
        scope=("media_id", "date"),
        sources=("events",),
        columns=(
            *MEDIA_DAY,
            *dimensions,
            Column("plays_from_events", Type.LONG, Privacy.NONE, "Sessions without a conversion.", nullable=False, minimum=0),
            Column("sessions", Type.LONG, Privacy.NONE, "Sessions listed, those with a conversion too.", nullable=False, minimum=0),
            Column("unique_viewers", Type.LONG, Privacy.NONE, "Distinct visitors of the sessions; do not add up.", nullable=False, minimum=0),
            Column("watch_milliseconds", Type.LONG, Privacy.NONE, "Time watched in the sessions; NULL if no duration is known.", unit="ms", minimum=0),
            Column("reached_95", Type.LONG, Privacy.NONE, "Sessions that saw 95 % or more.", nullable=False, minimum=0),
            Column("conversions", Type.LONG, Privacy.NONE, "Sessions with a conversion.", nullable=False, minimum=0),
            BUILT_AT,
        ),
    )  # fmt: skip


CHANNEL_DAILY = _table(
    "channel_daily", "channel", "channel",
    Column("channel", Type.STRING, Privacy.NONE, "Channel by the ordered rules.", nullable=False),
)  # fmt: skip
GEO_DAILY = _table(
    "geo_daily", "country and region", "country and region",
    Column("country", Type.STRING, Privacy.COARSE, "Two-letter country; empty when unknown.", nullable=False),
    Column("region", Type.STRING, Privacy.COARSE, "Region; empty when unknown.", nullable=False),
)  # fmt: skip
DEVICE_DAILY = _table(
    "device_daily", "platform, browser and kind of device", "platform, browser, is_mobile",
    Column("platform", Type.STRING, Privacy.COARSE, "Platform; empty when unknown.", nullable=False),
    Column("browser", Type.STRING, Privacy.COARSE, "Browser; empty when unknown.", nullable=False),
    Column("is_mobile", Type.BOOLEAN, Privacy.COARSE, "Whether mobile; false when unknown.", nullable=False),
)  # fmt: skip
EMBED_DAILY = _table(
    "embed_daily", "the host that embedded it", "embed_host",
    Column("embed_host", Type.STRING, Privacy.MASKED, "Host of the page; empty when unknown.", nullable=False),
)  # fmt: skip

TABLES = (CHANNEL_DAILY, GEO_DAILY, DEVICE_DAILY, EMBED_DAILY)
