"""Lifetime figures and curves as of a day: both endpoints on one row, with the media as it was then."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.media_lifetime import TABLE
from wistlake.contracts.media_stats import SOURCE
from wistlake.derive.spark import raw_path
from wistlake.transforms import dim_media_history
from wistlake.transforms.conform import conform
from wistlake.transforms.first import first
from wistlake.transforms.landing import below_zero, no_share, share

STATS = ("load_count", "play_count", "visitors", "play_rate", "hours_watched", "engagement")
CURVES = ("engagement_data", "rewatch_data")
ACTIONS = ("action_types", "action_counts", "action_impressions")
# Each action as text "<times taken>|<times shown>|<type>": its other values, such as its link, stay in bronze.
_COUNT = "regexp_extract(coalesce(get_json_object(x, '$.{}'), ''), '^([0-9]{{1,15}})([.]0+)?$', 1)"
_KIND = "regexp_extract(coalesce(get_json_object(x, '$.type'), ''), '^[A-Za-z][A-Za-z0-9_-]{0,39}$', 0)"
_ACTIONS = raw_path(SOURCE.field("actions"))
STATS_DERIVED = {
    "play_rate": share(SOURCE.field("play_rate")),
    # Engines differ in what they make of an object, and of a list with something behind it.
    "actions": f"case when {_ACTIONS} like '[%]' then transform(from_json({_ACTIONS}, 'array<string>'), x -> concat("
    f"{_COUNT.format('action_count')}, '|', {_COUNT.format('impression_count')}, '|', {_KIND})) end",
}
STATS_RULES: dict[str, str] = {
    "bad_play_rate": no_share(SOURCE.field("play_rate")),
    "negative_count": below_zero(
        SOURCE, "load_count", "play_count", "visitors", "hours_watched", "engagement"
    ),
}
CURVES_RULES: dict[str, str] = {}
_OBSERVED = "coalesce(greatest(observed_at, _curve_observed_at), _curve_observed_at)"


def _with_actions(typed: DataFrame) -> DataFrame:
    """Typed rows with an array of each thing that is known of actions, in the same order."""
    parts = {name: f"transform(actions, x -> element_at(split(x, '[|]'), {n}))" for n, name in enumerate(
        ("action_counts", "action_impressions", "action_types"), 1
    )}  # fmt: skip
    kinds = "transform(action_types, x -> case when x = '' then 'other' else x end)"
    return typed.withColumns({name: F.expr(sql) for name, sql in parts.items()}).withColumns(
        {"action_types": F.expr(kinds)}
        | {
            name: F.expr(f"transform({name}, x -> try_cast(nullif(x, '') as bigint))")
            for name in ("action_counts", "action_impressions")
        }
    )


def _newest(typed: DataFrame, columns: tuple[str, ...]) -> DataFrame:
    keys = ["landing_media_id", "landing_dt"]
    return first(typed, keys, F.col("observed_at").desc(), F.col("landing_id").desc()).select(
        F.col("landing_media_id").alias("media_id"),
        F.col("landing_dt").alias("snapshot_date"),
        "observed_at",
        "landing_id",
        *columns,
    )


def _absent(current: DataFrame, columns: tuple[str, ...]) -> DataFrame:
    """No typed row: what an endpoint gives that was not read."""
    return current.limit(0).select(
        F.col("media_id").alias("landing_media_id"),
        F.col("snapshot_date").alias("landing_dt"),
        "observed_at",
        "landing_id",
        *columns,
    )


def keys(typed: DataFrame) -> DataFrame:
    """The keys of the rows that an endpoint's typed rows make."""
    return typed.select(
        F.col("landing_media_id").alias("media_id"), F.col("landing_dt").alias("snapshot_date")
    )


def build(
    stats: DataFrame | None,
    curves: DataFrame | None,
    history: DataFrame,
    current: DataFrame,
    built_at: Column,
) -> DataFrame:
    """Typed rows of both endpoints (None: not read), `dim_media_history` and the snapshots so far, to one row a
    media and day.

    Either endpoint may be silent on a day: what is known of that day already is kept. Duration and file are
    those of the media when the snapshot was taken, not today's.
    """
    columns = (*STATS, *ACTIONS)
    left = _newest(_absent(current, columns) if stats is None else _with_actions(stats), columns)
    right = _newest(_absent(current, CURVES) if curves is None else curves, CURVES).withColumnsRenamed(
        {"observed_at": "_curve_observed_at", "landing_id": "_curve_landing_id"}
    )
    key = list(TABLE.key)
    old = current.select(*key, *(F.col(c).alias(f"_old_{c}") for c in (*columns, *CURVES)))
    spans = dim_media_history.spans(
        history, _duration=F.col("duration_seconds"), _asset=F.col("original_asset")
    )
    joined = (
        left.join(right, on=key, how="full")
        .join(old, on=key, how="left")
        .withColumn("observed_at", F.expr(_OBSERVED))
        .join(
            F.broadcast(spans),
            on=dim_media_history.holds_at("observed_at"),
            how="left",
        )
    )
    return conform(
        joined.withColumns(
            {c: F.expr(f"coalesce({c}, _old_{c})") for c in (*columns, *CURVES)}
            | {
                "landing_id": F.expr("coalesce(landing_id, _curve_landing_id)"),
                "duration_seconds": F.col("_duration"),
                "original_asset": F.col("_asset"),
                "built_at": built_at,
            }
        ),
        TABLE,
    )
