"""The visitors, by pseudonym: the sum of their published days."""

from collections.abc import Collection, Iterator
from itertools import pairwise

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.dim_visitor import TABLE
from wistlake.derive.spark import columns_ddl
from wistlake.transforms import scope
from wistlake.transforms.conform import conform
from wistlake.transforms.first import first_of_repeated, repeated

ATTRIBUTES = ("country", "region", "browser", "platform", "is_mobile")
# The columns of `totals` and of `described`, as DDL: known without asking the engine.
TOTALS = (
    "visitor_id string, first_seen_at timestamp, last_seen_at timestamp, play_count bigint, sessions bigint, "
    "watch_milliseconds bigint, media_count bigint"
)
DESCRIBED = f"{TOTALS}, event_key string, {columns_ddl(TABLE.column(name) for name in ATTRIBUTES)}"


def seen(events: DataFrame, media: Collection[str], engagement_changes: DataFrame) -> DataFrame:
    """Visitors of the media in `fact_events`, and of changed rows of `fact_media_engagement`: the latter also
    names those whose sessions are gone."""
    viewers = scope.of_media(events, media).select("visitor_id")
    return viewers.unionByName(engagement_changes.select("visitor_id"))


def differing_loads(current: DataFrame, account: DataFrame) -> DataFrame:
    """Visitors of today's `dim_visitor` whose loads `silver.visitors` counts otherwise."""
    counted = account.select("visitor_id", "load_count")
    both = current.select("visitor_id", "account_load_count").join(counted, on="visitor_id", how="inner")
    return both.where("not account_load_count <=> load_count").select("visitor_id")


def shares(count: int) -> Iterator[str]:
    """Conditions that split the visitors into `count` shares of about one size, at most 256; each is in one of them."""
    parts = min(count, 256)
    edges = [f"{n * 256 // parts:02x}" for n in range(1, parts)]  # a pseudonym begins with two such digits
    for low, high in pairwise(("", *edges, "")):
        yield f"visitor_id >= '{low}'" + (f" and visitor_id < '{high}'" if high else "")


def last_days(totals: DataFrame) -> DataFrame:
    """The days on which the visitors were last seen."""
    return totals.select(F.to_date("last_seen_at").alias("day")).distinct()


def totals(engagement: DataFrame) -> DataFrame:
    """All days of some visitors in `fact_media_engagement`, added up: one row a visitor.

    By media first: engines that count distinct values keep a set for each of a million visitors.
    """
    sums = {
        "first_seen_at": F.min,
        "last_seen_at": F.max,
        "play_count": F.sum,
        "sessions": F.sum,
        "watch_milliseconds": F.sum,
    }
    days = engagement.select(
        "visitor_id",
        "media_id",
        F.col("first_received_at").alias("first_seen_at"),
        F.col("last_received_at").alias("last_seen_at"),
        "play_count",
        # Days that were built before there was such a column counted every session in play_count.
        F.coalesce("sessions", "play_count").alias("sessions"),
        "watch_milliseconds",
    )
    of_media = days.groupBy(F.col("visitor_id"), F.col("media_id")).agg(
        *(f(c).alias(c) for c, f in sums.items())
    )
    return of_media.groupBy(F.col("visitor_id")).agg(
        *(f(c).alias(c) for c, f in sums.items()), F.count(F.lit(1)).alias("media_count")
    )


def described(totals: DataFrame, events: DataFrame) -> DataFrame:
    """`totals`, and listed sessions that include each visitor's latest, to the totals with that session:
    one row a visitor, or several where sessions of one moment were the latest."""
    sessions = events.select(
        "visitor_id", F.col("received_at").alias("last_seen_at"), "event_key", *ATTRIBUTES
    )
    return totals.join(sessions, on=["visitor_id", "last_seen_at"], how="left")


def build(described: DataFrame, account: DataFrame, built_at: Column) -> DataFrame:
    """`described` visitors and `silver.visitors` to one row a visitor.

    Attributes come from one latest session, never from separate maxima: two people don't mix.
    """
    twice = repeated(described, "visitor_id")
    single = first_of_repeated(described, twice, "visitor_id", F.col("event_key").desc())
    loads = account.select("visitor_id", F.col("load_count").alias("account_load_count"))
    return conform(single.join(loads, on="visitor_id", how="left").withColumn("built_at", built_at), TABLE)
