"""Refused records: why, where, and what may be shown of them."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.form import Privacy, Source
from wistlake.contracts.quarantine import TABLE
from wistlake.derive import mask
from wistlake.transforms.conform import conform


def named(rows: DataFrame) -> DataFrame:
    """The rows with the addresses in their payloads masked."""
    return rows.withColumn("payload", F.expr(mask.name("payload")))


def build(typed: DataFrame, fingerprints: DataFrame, source: Source, built_at: Column) -> DataFrame:
    """Typed rows with a reason, and `landing.fingerprints` of their landings, to quarantine rows. The payload
    holds typed public fields only, addresses in them masked, and nothing at all of a line that could not be parsed."""
    public = (Privacy.NONE, Privacy.LINKED)
    shown = [f.column for f in source.fields if f.privacy in public and f.column in typed.columns]
    rows = (
        typed.where(F.col("reason").isNotNull())
        .join(fingerprints, on=["landing_id", "line"], how="left")
        .withColumns(
            {
                "media_id": F.col("landing_media_id"),
                "dt": F.col("landing_dt"),
                "payload": F.when(F.col("reason") != "malformed_json", F.to_json(F.struct(*shown))),
                "built_at": built_at,
            }
        )
    )
    return conform(named(rows), TABLE)
