"""Silver: each table from its typed landings, in the order in which they need each other."""

from collections import Counter
from collections.abc import Iterator, Set
from functools import reduce
from itertools import combinations
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from wistlake.contracts.dim_media import TABLE as DIM_MEDIA
from wistlake.contracts.dim_media_history import TABLE as DIM_MEDIA_HISTORY
from wistlake.contracts.fact_events import TABLE as FACT_EVENTS
from wistlake.contracts.fact_media_by_date import TABLE as FACT_MEDIA_BY_DATE
from wistlake.contracts.media_analytics_by_date import TABLE as MEDIA_ANALYTICS_BY_DATE
from wistlake.contracts.media_by_date_observations import TABLE as OBSERVATIONS
from wistlake.contracts.media_lifetime import TABLE as MEDIA_LIFETIME
from wistlake.contracts.quarantine import TABLE as QUARANTINE
from wistlake.contracts.visitor_activity import TABLE as VISITORS
from wistlake.derive import checks
from wistlake.derive.localtime import local_date
from wistlake.derive.merge import days_in
from wistlake.pipeline.tables import checks as checking
from wistlake.pipeline.tables.context import BuildContext, interval_key
from wistlake.pipeline.tables.plan import Pair
from wistlake.pipeline.tables.row_changes import TableChanges
from wistlake.planning import shared
from wistlake.planning.publishing import EVENTS
from wistlake.planning.shared import Shared, between
from wistlake.quality.checks import Effect, Finding, finding
from wistlake.transforms import (
    dim_media,
    dim_media_history,
    fact_events,
    fact_media_by_date,
    media_analytics_by_date,
    media_by_date_observations,
    media_lifetime,
    visitor_activity,
)
from wistlake.transforms.changes import NEW, UPDATED

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SHRINK_SHARE, SHRINK_ROWS = 0.2, 20  # a day that loses more than both is not believed
KEYLESS = frozenset({"malformed_json", "missing_event_key", "bad_event_key"})  # it may be any session


def media(bench: BuildContext, urls: "DataFrame | None") -> None:
    """`dim_media` and its history."""
    typed = bench.typed("media_metadata", {}, dim_media.RULES)
    missing = [m for m in bench.plan.landings if m.dataset == "media_metadata" and m.missing]
    current = bench.store.read(DIM_MEDIA)
    if typed is None and not missing and (urls is None or not _any_new_page(urls, current)):
        return
    observed = _observed_media(bench, typed, current)
    gone = bench.spark.createDataFrame(
        [(m.media_id, m.observed_at, m.landing_id) for m in missing],
        "media_id string, observed_at timestamp, landing_id string",
    )
    pages = urls if urls is not None else bench.spark.createDataFrame([], "media_id string, url string")
    rows = dim_media.build(observed, gone, current, pages, bench.plan.rules, bench.built_at)
    bench.put(DIM_MEDIA, rows, bench.by_key(DIM_MEDIA, rows))
    if typed is not None:
        history = bench.store.read(DIM_MEDIA_HISTORY)
        versions = dim_media_history.build(dim_media.described(typed), history, bench.built_at)
        standing = bench.by_key(DIM_MEDIA_HISTORY, versions, ["media_id"])
        applied = bench.compare(DIM_MEDIA_HISTORY, versions, standing)
        bench.check(applied)
        _time_sessions(bench, versions, applied)
        bench.keep_committed(applied)


def _time_sessions(bench: BuildContext, versions: "DataFrame", history: TableChanges) -> None:
    """Sessions that had no duration take the one that their media is described with now.

    Before the history is committed: should the run die in between, the next one finds the same to do.
    """
    media = sorted({t.media_id for t in history.moved if t.media_id})
    if not media or bench.store.refs()[FACT_EVENTS.full_name].snapshot_id is None:
        return
    untimed = bench.store.read(FACT_EVENTS).where(
        F.col("media_id").isin(media) & F.col("duration_seconds").isNull()
    )
    rows = fact_events.of_media(untimed, versions, bench.plan.rules, bench.built_at)
    applied = bench.compare(FACT_EVENTS, rows, _as_they_are(untimed))
    bench.check(applied)
    bench.settle(applied)


def _any_new_page(urls: "DataFrame", current: "DataFrame") -> bool:
    """Whether events name a page that a media is not known by: on most days none does."""
    known = current.select("media_id", F.col("url").alias("_known"))
    moved = urls.join(known, on="media_id", how="left").where("not url <=> _known")
    return bool(moved.limit(1).collect())


def _observed_media(bench: BuildContext, typed: "DataFrame | None", current: "DataFrame") -> "DataFrame":
    """Descriptions of this build; the other media as they are known."""
    derived = ("url", "channel", "is_deleted", "built_at")
    columns = [c for c in DIM_MEDIA.column_names if c not in derived]
    known = current.where("not is_deleted").select(*columns)
    if typed is None:
        return known
    described = dim_media.described(typed).select(*columns)
    return described.unionByName(known.join(described, on="media_id", how="left_anti").select(*columns))


def lifetime(bench: BuildContext) -> None:
    """`media_lifetime`: both endpoints on one row."""
    stats = bench.typed("media_stats", media_lifetime.STATS_DERIVED, media_lifetime.STATS_RULES)
    curves = bench.typed("media_engagement", {}, media_lifetime.CURVES_RULES)
    if stats is None and curves is None:
        return
    empty = bench.spark.createDataFrame([], "landing_media_id string")
    columns = {"landing_dt": "date", "observed_at": "timestamp", "landing_id": "string"}
    table_types = {c.name: str(c.type).replace("long", "bigint") for c in MEDIA_LIFETIME.columns}

    def absent(names: tuple[str, ...]) -> "DataFrame":
        kinds = columns | {n: table_types[n] for n in names}
        return empty.withColumns({n: F.lit(None).cast(kind) for n, kind in kinds.items()})

    rows = media_lifetime.build(
        stats if stats is not None else absent(media_lifetime.STATS),
        curves if curves is not None else absent(media_lifetime.CURVES),
        bench.store.read(DIM_MEDIA_HISTORY),
        bench.store.read(MEDIA_LIFETIME),
        bench.built_at,
    )
    bench.put(MEDIA_LIFETIME, rows, bench.by_key(MEDIA_LIFETIME, rows))


def by_date(bench: BuildContext) -> None:
    """`media_by_date_observations`, then `fact_media_by_date`."""
    typed = bench.typed("media_by_date", {}, fact_media_by_date.RULES)
    if typed is None:
        return
    rows = fact_media_by_date.build(typed, bench.built_at)
    rows, applied = bench.sound(
        FACT_MEDIA_BY_DATE, rows, lambda r: bench.by_key(FACT_MEDIA_BY_DATE, r), "media_by_date"
    )
    seen = bench.by_key(OBSERVATIONS, rows, ["media_id", "date"])
    observations = media_by_date_observations.build(rows, seen)
    bench.put(OBSERVATIONS, observations, bench.by_key(OBSERVATIONS, observations))
    bench.settle(applied)


def analytics(bench: BuildContext) -> None:
    """`media_analytics_by_date`, where the account has it."""
    typed = bench.typed("analytics_daily", media_analytics_by_date.DERIVED, media_analytics_by_date.RULES)
    if typed is None:
        return
    rows = media_analytics_by_date.build(typed, bench.built_at)
    _, applied = bench.sound(
        MEDIA_ANALYTICS_BY_DATE, rows, lambda r: bench.by_key(MEDIA_ANALYTICS_BY_DATE, r), "analytics_daily"
    )
    bench.settle(applied)


def visitors(bench: BuildContext) -> None:
    """`silver.visitors`, where it is switched on."""
    epochs = len(bench.plan.keys)
    typed = bench.typed("visitors", visitor_activity.derived(epochs), visitor_activity.RULES)
    if typed is None:
        return
    rows = visitor_activity.build(typed, bench.built_at)
    bench.put(VISITORS, rows, bench.by_key(VISITORS, rows))


def events(bench: BuildContext) -> "DataFrame | None":
    """Typed sessions, staged; the media's pages in them are needed before the sessions are."""
    return bench.typed("events", fact_events.derived(len(bench.plan.keys)), fact_events.RULES)


def sessions(bench: BuildContext, typed: "DataFrame | None") -> None:
    """`fact_events`: whole (media, day) scopes, wherever their keys stand today."""
    if typed is None:
        return
    history = bench.store.read(DIM_MEDIA_HISTORY)
    twice = bench.store.stage("repeated_keys", fact_events.repeated_keys(typed), "event_key string")
    rows = fact_events.build(typed, twice, history, bench.plan.zone, bench.plan.rules, bench.built_at)
    elsewhere = bench.store.stage("moved_sessions", _elsewhere(bench, typed))
    rows, applied = bench.sound(FACT_EVENTS, rows, lambda _: _standing(bench, elsewhere), "events")
    shrunk = _shrunk(bench, applied)
    if shrunk:
        bench.stopped |= shrunk
        kept = ~F.col("media_id").isin(list(shrunk))
        applied = bench.compare(FACT_EVENTS, rows.where(kept), _standing(bench, elsewhere))
    bench.findings.append(_unique(applied))
    checking.refuse_whole(bench.findings[-1:])
    found = _shared(bench, applied, fact_events.spread(typed, twice))
    # A day that was stopped was not built: who has its keys is not settled yet.
    built = [key for m in bench.manifests(EVENTS) if (key := interval_key(m)) not in bench.damaged]
    found = frozenset(s for s in found if set(s.keys) & set(built))
    bench.settle(applied, found)
    bench.shared = shared.built(bench.plan.shared, built, found, bench.plan.read_at)
    for t in applied.tally:
        if t.media_id is not None and t.day is not None:
            bench.by_interval.setdefault(("events", t.media_id, t.day), Counter())[t.change] += t.count


def _shared(bench: BuildContext, applied: TableChanges, spread: "DataFrame") -> frozenset[Shared]:
    """The days of which both list a key: two of this build, or one of it and one where the key stands."""
    scopes = {(m.media_id, m.day) for m in bench.manifests("events")}
    found = {
        between(t.media_id, t.staged_day, t.was_day)
        for t in applied.tally
        if t.media_id
        and t.staged_day
        and t.was_day
        and t.staged_day != t.was_day
        and (t.change != UPDATED or (t.media_id, t.was_day) not in scopes)
    }
    found |= {between(r["media_id"], a, b) for r in spread.collect() for a, b in combinations(r["days"], 2)}
    return frozenset(found)


def rezoned(bench: BuildContext) -> None:
    """`fact_events` whose raw pages are gone, after the lake's zone has changed: the account's day of a session
    follows from when it was received."""
    local = F.expr(local_date("received_at", bench.plan.zone))
    for days in _in_months(bench.plan.rezoned):
        places = bench.spark.createDataFrame(sorted(days), "media_id string, event_date date")
        standing = (
            bench.store.read(FACT_EVENTS)
            .where(days_in("event_date", (d for _, d in days)))
            .join(F.broadcast(places), on=["media_id", "event_date"], how="left_semi")
            .where(F.col("event_date_local") != local)
        )
        rows = standing.withColumns({"event_date_local": local, "built_at": bench.built_at})
        bench.put(FACT_EVENTS, rows, _as_they_are(standing), for_gold=True)


def _in_months(days: Set[Pair]) -> Iterator[set[Pair]]:
    """Days by month: whole tables may not fit in memory."""
    by_month: dict[tuple[int, int], set[Pair]] = {}
    for media_id, day in days:
        by_month.setdefault((day.year, day.month), set()).add((media_id, day))
    yield from (by_month[month] for month in sorted(by_month))


def _as_they_are(rows: "DataFrame") -> "DataFrame":
    """Rows of `fact_events` in no scope: none of them is removed by not being among the new ones."""
    return rows.withColumns(
        {"_in_scope": F.lit(False)}
        | {n: F.lit(None).cast("timestamp") for n in ("_scope_observed_at", "_listed_at")}
        | {"_scope_landing_id": F.lit(None).cast("string")}
    )


def _unique(applied: TableChanges) -> Finding:
    """Whether a key is written once, wherever its row stands."""
    written = applied.changes.where(F.col("_change").isin(NEW, UPDATED))
    counted = written.groupBy("event_key").agg(F.count(F.lit(1)).alias("n"))
    found = counted.agg(F.sum("n").alias("n"), F.count(F.lit(1)).alias("keys")).collect()[0]
    there = found["n"] or 0
    return finding(
        checks.KEYS, FACT_EVENTS.full_name, Effect.STOP, there, there - found["keys"], "key: event_key"
    )


def _elsewhere(bench: BuildContext, typed: "DataFrame") -> "DataFrame":
    """Current sessions of other days whose key the build has: keys move."""
    keys = typed.select("event_key")
    return (
        bench.store.read(FACT_EVENTS).where(f"not {_days(bench)}").join(keys, on="event_key", how="left_semi")
    )


def _standing(bench: BuildContext, elsewhere: "DataFrame") -> "DataFrame":
    """Current sessions of the scopes, and those `_elsewhere`. A session that some listing still holds, in
    whatever shape, is out of scope: it is not gone. So are all of a day whose listing holds a record that
    nobody can tell the session of."""
    scopes = [
        (m.media_id, m.day, m.observed_at, m.landing_id)
        for m in bench.manifests(EVENTS)
        if KEYLESS.isdisjoint(bench.reasons.get(interval_key(m), ()))
    ]
    scope = bench.spark.createDataFrame(
        scopes,
        "media_id string, event_date date, _scope_observed_at timestamp, _scope_landing_id string",
    )
    inside = bench.store.read(FACT_EVENTS).where(_days(bench))
    both = inside.unionByName(elsewhere)
    place = ["media_id", "event_date"]
    placed = both.join(F.broadcast(scope), on=place, how="left")
    placed = placed.join(F.broadcast(_read(bench, elsewhere)), on=place, how="left")
    keys = list(_not_taken(bench))
    is_held, is_held_here = F.lit(False), F.lit(False)
    place_name = F.concat_ws(" ", *place)
    if keys:
        held = reduce(lambda a, b: a.unionByName(b), keys).groupBy("event_key")
        held = held.agg(F.collect_set(place_name).alias("_held_in"))
        placed = placed.join(F.broadcast(held), on="event_key", how="left")
        is_held = F.col("_held_in").isNotNull()
        is_held_here = F.coalesce(F.array_contains("_held_in", place_name), is_held_here)
    # A listing that was refused, or holds the key in a shape that was, still says that the session is there.
    listed_at = F.coalesce(F.when(F.col("_is_taken") | is_held_here, F.col("_read_at")), F.col("observed_at"))
    return placed.withColumns(
        {
            "_listed_at": F.when(F.col("removed_at").isNull(), listed_at),
            "_in_scope": F.col("_scope_landing_id").isNotNull() & ~is_held,
        }
    ).drop("_read_at", "_is_taken", "_held_in")


def _not_taken(bench: BuildContext) -> "Iterator[DataFrame]":
    """Keys (event_key) that listings hold and this build does not take, and the listings' places (media_id,
    event_date): those that were refused, also of days that are not in this build, and those of landings that
    were stopped."""
    stopped = [m.landing_id for m in bench.plan.landings if interval_key(m) in bench.damaged]
    refused = any(key[0] == EVENTS and codes for key, codes in bench.reasons.items())
    if refused or stopped:
        rows = bench.listed[EVENTS]
        rows = rows.where(F.col("reason").isNotNull() | F.col("landing_id").isin(stopped))
        yield rows.select(
            "event_key", F.col("landing_media_id").alias("media_id"), F.col("landing_dt").alias("event_date")
        )
    if bench.store.refs()[QUARANTINE.full_name].snapshot_id is not None:
        elsewhere = bench.store.read(QUARANTINE).where(F.col("dataset") == EVENTS)
        elsewhere = elsewhere.join(
            F.broadcast(_places(bench)), on=["dataset", "media_id", "dt"], how="left_anti"
        )
        key = F.expr("get_json_object(payload, '$.event_key')").alias("event_key")
        yield elsewhere.select(key, "media_id", F.col("dt").alias("event_date"))


def _read(bench: BuildContext, elsewhere: "DataFrame") -> "DataFrame":
    """When the days of sessions outside the scopes were last read (a reading that changed nothing left no trace
    in the rows), and whether the listing is what silver was built from. They stand `_elsewhere`, or on a day
    that the build has of another media."""
    places = {(r[0], r[1]) for r in elsewhere.select("media_id", "event_date").distinct().collect()}
    days = {m.day for m in bench.plan.landings if m.dataset == EVENTS}
    read = [
        (*place, at, place in bench.plan.listed_at)
        for place, at in shared.readings(bench.plan.read_at, places, days)
    ]
    return bench.spark.createDataFrame(
        read, "media_id string, event_date date, _read_at timestamp, _is_taken boolean"
    )


def _days(bench: BuildContext) -> str:
    return days_in("event_date", (m.day for m in bench.plan.landings if m.dataset == EVENTS))


def _shrunk(bench: BuildContext, applied: TableChanges) -> dict[str, str]:
    """Media of which a day lost more than it should: why they are stopped, by media."""
    lost: Counter[Pair] = Counter()
    had: Counter[Pair] = Counter()
    for t in applied.tally:
        if t.media_id is None or t.was_day is None:
            continue
        had[(t.media_id, t.was_day)] += t.count
        if t.change == "removed":
            lost[(t.media_id, t.was_day)] += t.count
    return {
        media: f"{day} lost {gone} of {had[(media, day)]} sessions at the source;"
        f" `wistlake repair --media {media} --accept-shrink` takes it as it is"
        for (media, day), gone in lost.items()
        if media not in bench.plan.accept_shrink
        and gone > SHRINK_ROWS
        and gone > SHRINK_SHARE * had[(media, day)]
    }


def quarantined(bench: BuildContext) -> None:
    """Refused records: each landing's replace those of the landing before it."""
    current = bench.store.read(QUARANTINE)
    if not bench.refused:
        if bench.store.refs()[QUARANTINE.full_name].snapshot_id is None:
            return
        rows = current.limit(0)
    else:
        rows = bench.refused[0]
        for more in bench.refused[1:]:
            rows = rows.unionByName(more)
    standing = current.join(
        F.broadcast(_places(bench)), on=["dataset", "media_id", "dt"], how="left_semi"
    ).withColumn("_in_scope", F.lit(True))
    bench.put(QUARANTINE, rows, standing)


def _places(bench: BuildContext) -> "DataFrame":
    """What the build's landings are about, as quarantine names it."""
    return bench.spark.createDataFrame(
        [interval_key(m) for m in bench.plan.landings], "dataset string, media_id string, dt date"
    )


def pages(typed: "DataFrame | None") -> "DataFrame | None":
    """The newest page that events name for each media."""
    if typed is None:
        return None
    return (
        typed.where("media_url <> ''")
        .groupBy("media_id")
        .agg(F.expr("max_by(media_url, struct(observed_at, received_at))").alias("url"))
    )
