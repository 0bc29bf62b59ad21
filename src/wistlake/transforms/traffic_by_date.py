"""Breakdowns of Wistia's analytics: one row a media, day, dimension and value."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.breakdowns import DIMENSIONS, EMBED_LOCATIONS, LANGUAGES, SOURCES, TRAFFIC
from wistlake.contracts.form import Source
from wistlake.contracts.traffic_by_date import TABLE
from wistlake.transforms.conform import conform
from wistlake.transforms.landing import below_zero, no_share, share, value

_RATE = "engagement_rate"
_KEYS = ("media_id", "date", "dimension", "value")
_GROUPS = ", ".join(f"'{d}'" for d in TRAFFIC.dimensions)
_OF_TRAFFIC = " ".join(f"when group_by = '{d}' then {d}" for d in TRAFFIC.dimensions)
_VALUES: Mapping[str, str] = {
    TRAFFIC.name: f"case {_OF_TRAFFIC} end",
    LANGUAGES.name: "language",
    EMBED_LOCATIONS.name: "case when embed_domain is not null then concat(embed_domain, coalesce(embed_path, '')) end",
}


def _has(source: Source, name: str) -> bool:
    return any(f.path == name for f in source.fields)


DERIVED: Mapping[str, Mapping[str, str]] = {
    s.name: {_RATE: share(s.field(_RATE))} if _has(s, _RATE) else {} for s in SOURCES
}


def _rules(source: Source) -> dict[str, str]:
    counts = [name for name in ("plays", "loads") if _has(source, name)]
    rules = {"negative_count": below_zero(source, *counts)}
    if _has(source, _RATE):
        rules["bad_engagement_rate"] = no_share(source.field(_RATE))
    if len(source.dimensions) > 1:
        rules["unknown_dimension"] = f"{value(source.field('group_by'))} not in ({_GROUPS})"
    return rules


RULES: Mapping[str, Mapping[str, str]] = {s.name: _rules(s) for s in SOURCES}


def build(typed: DataFrame, source: Source, built_at: Column) -> DataFrame:
    """Typed rows of a breakdown to one a value: those that are alike once they are masked are added up."""
    has = {
        name: F.col(name) if _has(source, name) else F.lit(None)
        for name in ("loads", _RATE, "captions_support")
    }
    dimensions = DIMENSIONS[source.name]
    dimension = F.col("group_by") if len(dimensions) > 1 else F.lit(dimensions[0])
    rows = typed.select(
        F.col("landing_media_id").alias("media_id"),
        F.col("landing_dt").alias("date"),
        dimension.alias("dimension"),
        F.expr(f"coalesce({_VALUES[source.name]}, '')").alias("value"),
        "plays",
        has["loads"].cast("bigint").alias("loads"),
        has[_RATE].cast("double").alias(_RATE),
        has["captions_support"].cast("boolean").alias("has_captions"),
        *("observed_at", "landing_id"),
    )
    # Of a newer landing of the same day the older one's values must not be added to.
    newest = rows.groupBy(*map(F.col, ("media_id", "date"))).agg(F.max("landing_id").alias("landing_id"))
    rows = rows.join(F.broadcast(newest), on=["media_id", "date", "landing_id"], how="left_semi")
    listed = rows.groupBy(*map(F.col, ("media_id", "date", "dimension"))).agg(
        F.count(F.lit(1)).alias("listed")
    )
    weighed = f"sum({_RATE} * plays) / sum(case when {_RATE} is not null then plays end)"
    merged = rows.groupBy(*map(F.col, _KEYS)).agg(
        F.sum("plays").alias("plays"),
        F.sum("loads").alias("loads"),
        # One row stays as it was served, to the last digit.
        F.expr(f"case when count(1) = 1 or sum(plays) = 0 then max({_RATE}) else {weighed} end").alias(_RATE),
        F.expr("max(has_captions)").alias("has_captions"),
        F.max("observed_at").alias("observed_at"),
        F.max("landing_id").alias("landing_id"),
    )
    whole = merged.join(listed, on=["media_id", "date", "dimension"], how="inner")
    return conform(whole.withColumn("built_at", built_at), TABLE)
