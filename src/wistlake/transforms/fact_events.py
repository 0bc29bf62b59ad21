"""Viewing sessions: one row a key, with its day in both calendars, watch time and channel."""

from collections.abc import Collection, Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.events import SOURCE
from wistlake.contracts.fact_events import TABLE
from wistlake.derive import mask, pseudonym
from wistlake.derive.localtime import local_date
from wistlake.transforms import dim_media_history, scope
from wistlake.transforms.channels import UNCLASSIFIED, Rule, event_channel, media_channel
from wistlake.transforms.conform import conform
from wistlake.transforms.first import first_of_repeated, repeated
from wistlake.transforms.landing import no_share, share, value

RULES = {
    "bad_percent_viewed": no_share(SOURCE.field("percent_viewed")),
    "wrong_media": "line.record.media_id <> _media_id",
    "outside_window": f"to_date({value(SOURCE.field('received_at'))}) <> _dt",
}


def derived(epochs: int, *, keep_city: bool = False) -> dict[str, str]:
    """What stays of the personal fields, and the share as it is meant: SQL over a parsed line. A city that is not kept
    is not even read."""
    url = "line.record.embed_url"
    return {
        "percent_viewed": share(SOURCE.field("percent_viewed")),
        "visitor_id": pseudonym.sql("line.record.visitor_key", epochs),
        "city": mask.masked(value(SOURCE.field("city"))) if keep_city else "cast(null as string)",
        "embed_host": mask.host(url),
        "embed_path": mask.path(url),
        "utm_source": mask.utm(url, "source"),
        "utm_medium": mask.utm(url, "medium"),
        "utm_campaign": mask.utm(url, "campaign"),
    }


def repeated_keys(typed: DataFrame) -> DataFrame:
    """The event_keys that occur more than once."""
    return repeated(typed, "event_key")


def spread(typed: DataFrame, twice: DataFrame) -> DataFrame:
    """The sets of `days` that list the same key, by media; `twice` are the `repeated_keys`."""
    again = typed.join(F.broadcast(twice), on="event_key", how="left_semi")
    by_key = again.groupBy(F.col("event_key"), F.col("landing_media_id").alias("media_id"))
    sets = by_key.agg(F.array_sort(F.collect_set("landing_dt")).alias("days"))
    return sets.where("size(days) > 1").select("media_id", "days").distinct()


def deduplicate(rows: DataFrame, twice: DataFrame) -> DataFrame:
    """One row a key: of the latest observation the one that saw most, then the one received last. `twice`
    are the `repeated_keys`."""
    return first_of_repeated(
        rows,
        twice,
        "event_key",
        F.col("observed_at").desc(),
        F.col("percent_viewed").desc(),
        F.col("received_at").desc(),
        F.col("landing_id").desc(),
        F.col("line"),
    )


def build(
    typed: DataFrame, twice: DataFrame, history: DataFrame, zone: str, rules: Iterable[Rule], built_at: Column
) -> DataFrame:
    """Typed rows without a reason (`landing.parse`), their `repeated_keys` and `dim_media_history` to sessions."""
    rows = deduplicate(typed, twice)
    empty_is_unknown = ("country", "region", "conversion_type")
    named = rows.withColumns(
        {name: F.expr(f"nullif({name}, '')") for name in empty_is_unknown}
        | {
            "event_date": F.to_date("received_at"),
            "event_date_local": F.expr(local_date("received_at", zone)),
            "browser": F.col("user_agent_details_browser"),
            "browser_version": F.col("user_agent_details_browser_version"),
            "platform": F.col("user_agent_details_platform"),
            "is_mobile": F.col("user_agent_details_mobile"),
            "removed_at": F.lit(None).cast("timestamp"),
            "first_observed_at": F.col("observed_at"),
        }
    )
    return of_media(named, history, rules, built_at)


def newest_pages(typed: DataFrame) -> DataFrame:
    """The newest page that sessions name for each media (media_id, url)."""
    named = typed.where("media_url <> ''").groupBy(F.col("media_id"))
    return named.agg(F.expr("max_by(media_url, struct(observed_at, received_at))").alias("url"))


def untimed(events: DataFrame, media: Collection[str]) -> DataFrame:
    """`fact_events` of some media that have no duration yet."""
    return scope.of_media(events, media).where("duration_seconds is null")


def in_another_zone(events: DataFrame, places: DataFrame, zone: str) -> DataFrame:
    """`fact_events` of the `places` (media_id, event_date) whose local day is not the one of `zone`."""
    standing = events.join(F.broadcast(places), on=["media_id", "event_date"], how="left_semi")
    return standing.where(F.col("event_date_local") != F.expr(local_date("received_at", zone)))


def moved_to_zone(events: DataFrame, zone: str, built_at: Column) -> DataFrame:
    """`fact_events` with the local day of `zone`: it follows from when a session was received."""
    return events.withColumns(
        {"event_date_local": F.expr(local_date("received_at", zone)), "built_at": built_at}
    )


def without_city(events: DataFrame, built_at: Column) -> DataFrame:
    """`fact_events` as if no city had been kept."""
    return events.withColumns({"city": F.lit(None).cast("string"), "built_at": built_at})


def in_another_channel(
    events: DataFrame, media: Collection[str], history: DataFrame, rules: tuple[Rule, ...], built_at: Column
) -> DataFrame:
    """`fact_events` of some media that have another channel by now, with that one: a label was changed. What else
    follows from the media stays as it was."""
    of_media = scope.of_media(events, media)
    spans = dim_media_history.spans(
        scope.of_media(history, media), _media_channel=F.expr(media_channel(rules))
    )
    named = of_media.join(F.broadcast(spans), on=dim_media_history.holds_at("received_at"), how="left")
    moved = named.withColumn("_channel", F.expr(_channel(rules))).where("channel <> _channel")
    return conform(moved.withColumns({"channel": F.col("_channel"), "built_at": built_at}), TABLE)


def of_media(sessions: DataFrame, history: DataFrame, rules: Iterable[Rule], built_at: Column) -> DataFrame:
    """Sessions with what follows from their media (`dim_media_history`): duration, watch time and channel.

    They are those of the media when the session was received: a session that is built again years later
    comes out the same, unless no duration was known before.
    """
    rules = tuple(rules)
    spans = dim_media_history.spans(
        history, _duration=dim_media_history.nearest_duration(), _media_channel=F.expr(media_channel(rules))
    )
    timed = sessions.join(F.broadcast(spans), on=dim_media_history.holds_at("received_at"), how="left")
    return conform(
        timed.withColumns(
            {
                "watch_milliseconds": F.expr(
                    "cast(floor(percent_viewed * _duration * 1000 + 0.5) as bigint)"
                ),
                "duration_seconds": F.col("_duration"),
                "channel": F.expr(_channel(rules)),
                "built_at": built_at,
            }
        ),
        TABLE,
    )


def _channel(rules: Iterable[Rule]) -> str:
    """SQL: a session's channel by its page, else that of its media."""
    return f"coalesce({event_channel(rules)}, _media_channel, '{UNCLASSIFIED}')"
