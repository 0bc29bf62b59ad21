"""The current sessions that a build of `fact_events` compares its own with.

More than the sessions of its days: a key may move between days, and whether a current session has been removed
depends on every listing that still holds its key, also one that was rejected.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from wistlake.transforms.conform import union

PLACE = ("media_id", "event_date")
SCOPES = "media_id string, event_date date, _scope_observed_at timestamp, _scope_landing_id string"
READINGS = "media_id string, event_date date, _read_at timestamp, _is_taken boolean"


def elsewhere(others: DataFrame, typed: DataFrame) -> DataFrame:
    """Sessions of other days (`others`) whose key the build has."""
    return others.join(typed.select("event_key"), on="event_key", how="left_semi")


def held_by_build(parsed: DataFrame, stopped: Sequence[str]) -> DataFrame:
    """Keys (event_key) that listings of this build hold and the build does not take, with the listings' places:
    rejected rows, and the rows of the `stopped` landings."""
    rows = parsed.where(F.col("reason").isNotNull() | F.col("landing_id").isin(stopped))
    return rows.select(
        "event_key", F.col("landing_media_id").alias("media_id"), F.col("landing_dt").alias("event_date")
    )


def held_by_quarantine(quarantine: DataFrame, places: DataFrame) -> DataFrame:
    """The same of listings that were rejected before: those in `quarantine`, other than of the `places` (dataset,
    media_id, dt) of this build."""
    rows = quarantine.join(F.broadcast(places), on=["dataset", "media_id", "dt"], how="left_anti")
    key = F.expr("get_json_object(payload, '$.event_key')").alias("event_key")
    return rows.select(key, "media_id", F.col("dt").alias("event_date"))


def build(
    inside: DataFrame,
    elsewhere: DataFrame,
    scopes: DataFrame,
    readings: DataFrame,
    held: Sequence[DataFrame],
) -> DataFrame:
    """Sessions of the build's days and those `elsewhere`, as `changes` wants them.

    `scopes` (`SCOPES`) are the listings that may remove sessions; a session whose key is `held` by a listing that
    the build does not take is out of scope: it is not gone. `readings` (`READINGS`) tell when other days were last
    read (a reading that changed nothing left no trace in the rows), and whether silver was built from it.
    """
    rows = inside.unionByName(elsewhere).join(F.broadcast(scopes), on=list(PLACE), how="left")
    rows = rows.join(F.broadcast(readings), on=list(PLACE), how="left")
    is_held, is_held_here = F.lit(False), F.lit(False)
    if held:
        place = F.concat_ws(" ", *PLACE)
        by_key = union(held).groupBy(F.col("event_key")).agg(F.collect_set(place).alias("_held_in"))
        rows = rows.join(F.broadcast(by_key), on="event_key", how="left")
        is_held = F.col("_held_in").isNotNull()
        is_held_here = F.coalesce(F.array_contains("_held_in", place), is_held_here)
    # A listing that was rejected, or holds the key in an invalid record, still shows that the session is there.
    listed_at = F.coalesce(F.when(F.col("_is_taken") | is_held_here, F.col("_read_at")), F.col("observed_at"))
    return rows.withColumns(
        {
            "_listed_at": F.when(F.col("removed_at").isNull(), listed_at),
            "_in_scope": F.col("_scope_landing_id").isNotNull() & ~is_held,
        }
    ).drop("_read_at", "_is_taken", "_held_in")


def unscoped(rows: DataFrame) -> DataFrame:
    """Sessions in no scope: none of them is removed by not being among the new ones."""
    return rows.withColumns(
        {
            "_in_scope": F.lit(False),
            "_scope_observed_at": F.lit(None).cast("timestamp"),
            "_listed_at": F.lit(None).cast("timestamp"),
            "_scope_landing_id": F.lit(None).cast("string"),
        }
    )
