"""Silver: each table from its typed landings, in the order in which they need each other."""

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from itertools import combinations
from typing import TYPE_CHECKING

from wistlake.contracts.breakdowns import DIMENSIONS
from wistlake.contracts.breakdowns import SOURCES as BREAKDOWNS
from wistlake.contracts.conversions_by_date import TABLE as CONVERSIONS_BY_DATE
from wistlake.contracts.dim_media import TABLE as DIM_MEDIA
from wistlake.contracts.dim_media_history import TABLE as DIM_MEDIA_HISTORY
from wistlake.contracts.fact_events import TABLE as FACT_EVENTS
from wistlake.contracts.fact_media_by_date import TABLE as FACT_MEDIA_BY_DATE
from wistlake.contracts.form import Source
from wistlake.contracts.media_analytics_by_date import TABLE as MEDIA_ANALYTICS_BY_DATE
from wistlake.contracts.media_by_date_observations import TABLE as OBSERVATIONS
from wistlake.contracts.media_lifetime import TABLE as MEDIA_LIFETIME
from wistlake.contracts.quarantine import TABLE as QUARANTINE
from wistlake.contracts.traffic_by_date import TABLE as TRAFFIC_BY_DATE
from wistlake.contracts.visitor_activity import TABLE as VISITORS
from wistlake.derive.merge import days_in
from wistlake.derive.spark import columns_ddl
from wistlake.pipeline.tables import checks
from wistlake.pipeline.tables.context import BuildContext, Reading
from wistlake.pipeline.tables.plan import Pair, interval_key
from wistlake.pipeline.tables.row_changes import TableChanges
from wistlake.planning import shared_keys
from wistlake.planning.publishing import BY_DATE, EVENTS
from wistlake.planning.shared_keys import SharedDays
from wistlake.quality.checks import is_shrunk
from wistlake.transforms import (
    conversion_daily,
    conversions_by_date,
    dim_media,
    dim_media_history,
    fact_events,
    fact_media_by_date,
    media_analytics_by_date,
    media_by_date_observations,
    media_lifetime,
    scope,
    session_scope,
    traffic_by_date,
    visitor_activity,
)
from wistlake.transforms.changes import REMOVED, UNCHANGED, UPDATED
from wistlake.transforms.conform import local, union

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Typed = Mapping[str, "DataFrame | None"]  # by dataset: the rows of its landings that keep the contract
KEYLESS = frozenset({"malformed_json", "missing_event_key", "bad_event_key"})  # it may be any session


def typed(context: BuildContext) -> Typed:
    """Typed rows of every dataset, staged; None where nothing has landed."""
    epochs = len(context.plan.keys)
    datasets: dict[str, Reading] = {
        EVENTS: (fact_events.derived(epochs, keep_city=context.plan.keep_city), fact_events.RULES),
        "media_metadata": ({}, dim_media.RULES),
        "media_stats": (media_lifetime.STATS_DERIVED, media_lifetime.STATS_RULES),
        "media_engagement": ({}, media_lifetime.CURVES_RULES),
        BY_DATE: ({}, fact_media_by_date.RULES),
        "analytics_daily": (media_analytics_by_date.DERIVED, media_analytics_by_date.RULES),
        **{s.name: (traffic_by_date.DERIVED[s.name], traffic_by_date.RULES[s.name]) for s in BREAKDOWNS},
        "conversions": ({}, conversions_by_date.RULES),
        "visitors": (visitor_activity.derived(epochs), visitor_activity.RULES),
    }
    return context.typed(datasets)


def media(context: BuildContext, landed: Typed) -> None:
    """`dim_media` and its history."""
    typed, events = landed["media_metadata"], landed[EVENTS]
    urls = None if events is None else fact_events.newest_pages(events)
    missing = [m for m in context.plan.landings if m.dataset == "media_metadata" and m.missing]
    current, labelled = context.store.read(DIM_MEDIA), context.plan.labels.waiting
    is_described = typed is not None or missing or labelled
    if not is_described and (urls is None or dim_media.with_new_page(urls, current).isEmpty()):
        return
    gone = local(
        context.spark,
        [(m.media_id, m.observed_at, m.landing_id) for m in missing],
        "media_id string, observed_at timestamp, landing_id string",
    )
    if labelled:  # those that are gone already get their channel too
        gone = gone.unionByName(dim_media.deleted(scope.of_media(current, labelled)))
    pages = urls if urls is not None else local(context.spark, [], "media_id string, url string")
    described = (
        None
        if typed is None
        else context.store.stage("described_media", dim_media.described(typed), dim_media.DESCRIBED)
    )
    observed = dim_media.observed(described, current)
    rows = dim_media.build(observed, gone, current, pages, context.plan.rules, context.built_at)
    media = observed.select("media_id").unionByName(gone.select("media_id"))
    context.write(DIM_MEDIA, rows, context.with_keys_of(DIM_MEDIA, media))
    if described is not None:
        history = context.store.read(DIM_MEDIA_HISTORY)
        versions = dim_media_history.build(described, history, context.built_at)
        before = context.with_keys_of(DIM_MEDIA_HISTORY, described, ["media_id"])
        changes = context.compare(DIM_MEDIA_HISTORY, versions, before)
        context.check(changes)
        _time_sessions(context, versions, changes)
        context.commit(changes)


def _time_sessions(context: BuildContext, versions: "DataFrame", history: TableChanges) -> None:
    """Sessions without a duration get the one that their media has now.

    Before the history is committed: if the run dies in between, the next one finds the same work to do.
    """
    media = {c.media_id for c in history.changed if c.media_id}
    if not media or context.store.refs()[FACT_EVENTS.full_name].snapshot_id is None:
        return
    untimed = fact_events.untimed(context.store.read(FACT_EVENTS), media)
    rows = fact_events.of_media(untimed, versions, context.plan.rules, context.built_at)
    correct_sessions(context, rows, untimed)


def correct_sessions(context: BuildContext, rows: "DataFrame", current: "DataFrame") -> None:
    """Write sessions whose own listings have not changed: none of `current` is removed by that, or comes back."""
    changes = context.compare(FACT_EVENTS, rows, session_scope.unscoped(current))
    context.check(changes)
    context.commit_input_of_gold(changes)


def lifetime(context: BuildContext, landed: Typed) -> None:
    """`media_lifetime`: both endpoints on one row."""
    stats, curves = landed["media_stats"], landed["media_engagement"]
    if stats is None and curves is None:
        return
    history, current = context.store.read(DIM_MEDIA_HISTORY), context.store.read(MEDIA_LIFETIME)
    rows = media_lifetime.build(stats, curves, history, current, context.built_at)
    taken = union(media_lifetime.keys(frame) for frame in (stats, curves) if frame is not None)
    context.write(MEDIA_LIFETIME, rows, context.with_keys_of(MEDIA_LIFETIME, taken), conversion_daily.COUNTED)


def by_date(context: BuildContext, landed: Typed) -> None:
    """`media_by_date_observations`, then `fact_media_by_date`."""
    days, typed = {m.day for m in context.manifests(BY_DATE)}, landed[BY_DATE]
    if typed is None:
        return
    rows = fact_media_by_date.build(typed, context.built_at)
    rows, changes = context.compare_sound(
        FACT_MEDIA_BY_DATE,
        rows,
        lambda r: context.with_keys_of(FACT_MEDIA_BY_DATE, r, days=days),
        BY_DATE,
    )
    before = context.with_keys_of(OBSERVATIONS, rows, ["media_id", "date"], days)
    observations = media_by_date_observations.build(rows, before)
    context.write(OBSERVATIONS, observations, context.with_keys_of(OBSERVATIONS, observations, days=days))
    context.commit_input_of_gold(changes)


def analytics(context: BuildContext, landed: Typed) -> None:
    """`media_analytics_by_date`, where the account has it."""
    table = MEDIA_ANALYTICS_BY_DATE
    days, typed = {m.day for m in context.manifests("analytics_daily")}, landed["analytics_daily"]
    if typed is None:
        return
    rows = media_analytics_by_date.build(typed, context.built_at)
    _, changes = context.compare_sound(
        table, rows, lambda r: context.with_keys_of(table, r, days=days), "analytics_daily"
    )
    context.commit_input_of_gold(changes)


def breakdowns(context: BuildContext, landed: Typed) -> None:
    """`traffic_by_date`, of each breakdown that was read, one after the other: they share the table."""
    for source in BREAKDOWNS:
        if (typed := landed[source.name]) is not None:
            _breakdown(context, source, typed)


def _breakdown(context: BuildContext, source: Source, typed: "DataFrame") -> None:
    """One breakdown. A day's newest list says all: what it lacks is gone."""
    pairs = {(m.media_id, m.day) for m in context.manifests(source.name)}
    rows = traffic_by_date.build(typed, source, context.built_at)
    _, changes = context.compare_sound(
        TRAFFIC_BY_DATE, rows, lambda _: _listed_before(context, source.name, pairs), source.name
    )
    context.commit(changes)


def _listed_before(context: BuildContext, dataset: str, pairs: set[Pair]) -> "DataFrame":
    rows = context.store.read(TRAFFIC_BY_DATE).where(days_in("date", (day for _, day in pairs)))
    dimensions = ", ".join(f"'{d}'" for d in DIMENSIONS[dataset])
    places = local(context.spark, sorted(pairs), "media_id string, date date")
    return scope.of_places(rows.where(f"dimension in ({dimensions})"), places, ["media_id", "date"])


def forms(context: BuildContext, landed: Typed) -> None:
    """`conversions_by_date`. Of a day whose newest list is empty there is no row."""
    pairs = {(m.media_id, m.day) for m in context.manifests("conversions")}
    typed = landed["conversions"]
    if typed is None:
        return
    rows = conversions_by_date.build(typed, context.built_at)
    places = local(context.spark, sorted(pairs), "media_id string, date date")
    days = days_in("date", (day for _, day in pairs))
    _, changes = context.compare_sound(
        CONVERSIONS_BY_DATE,
        rows,
        lambda _: scope.of_places(
            context.store.read(CONVERSIONS_BY_DATE).where(days), places, ["media_id", "date"]
        ),
        "conversions",
    )
    context.commit(changes)


def visitors(context: BuildContext, landed: Typed) -> None:
    """`silver.visitors`, where it is switched on."""
    typed = landed["visitors"]
    if typed is None:
        return
    rows = visitor_activity.build(typed, context.built_at)
    context.write(VISITORS, rows, context.with_keys_of(VISITORS, rows))


def sessions(context: BuildContext, landed: Typed) -> None:
    """`fact_events`: whole (media, day) scopes, and their keys wherever they are stored today."""
    typed = landed[EVENTS]
    if typed is None:
        return
    history = context.store.read(DIM_MEDIA_HISTORY)
    repeated = context.store.stage("repeated_keys", fact_events.repeated_keys(typed), "event_key string")
    plan = context.plan
    rows = fact_events.build(typed, repeated, history, plan.zone, plan.rules, context.built_at)
    listed = {m.day for m in plan.landings if m.dataset == EVENTS}
    nearby = days_in("event_date", shared_keys.elsewhere(listed, plan.shared))
    others = context.store.read(FACT_EVENTS).where(nearby)
    elsewhere = context.store.stage(
        "moved_sessions", session_scope.elsewhere(others, typed), columns_ddl(FACT_EVENTS.columns)
    )
    rows, changes = context.compare_sound(
        FACT_EVENTS, rows, lambda _: _current_sessions(context, elsewhere), EVENTS
    )
    if shrunk := _shrunk(context, changes):
        context.stopped |= shrunk
        rows = scope.without_media(rows, shrunk)
        changes = context.compare(FACT_EVENTS, rows, _current_sessions(context, elsewhere))
    context.findings.append(checks.key_finding(changes, "event_key"))
    checks.reject_table(context.findings[-1:])
    days = _shared_days(context, changes, fact_events.spread(typed, repeated))
    # A day that was stopped was not built: which day its keys belong to is still open.
    built = [k for m in context.manifests(EVENTS) if (k := interval_key(m)) not in context.stopped_keys]
    days = frozenset(s for s in days if set(s.keys) & set(built))
    context.commit_input_of_gold(changes, days)
    context.shared = shared_keys.after_build(plan.shared, built, days, plan.read_at)
    landings = {interval_key(m) for m in plan.landings}
    for c in changes.by_day:
        if c.media_id is None or c.day is None:
            continue
        key = (EVENTS, c.media_id, c.day)
        if c.change != UNCHANGED or key in landings:  # sessions of other media on these days are no news
            context.by_interval.setdefault(key, Counter())[c.change] += c.count


def _current_sessions(context: BuildContext, elsewhere: "DataFrame") -> "DataFrame":
    """Current sessions of the build's days, and those `elsewhere` whose key the build has. A listing can't remove
    sessions if it holds a record that may be any of them."""
    scopes = [
        (m.media_id, m.day, m.observed_at, m.landing_id)
        for m in context.manifests(EVENTS)
        if KEYLESS.isdisjoint(context.reasons.get(interval_key(m), ()))
    ]
    return session_scope.build(
        context.store.read(FACT_EVENTS).where(_event_days(context)),
        elsewhere,
        local(context.spark, scopes, session_scope.SCOPES),
        local(context.spark, _readings(context, elsewhere), session_scope.READINGS),
        list(_held_keys(context)),
    )


def _event_days(context: BuildContext) -> str:
    return days_in("event_date", (m.day for m in context.plan.landings if m.dataset == EVENTS))


def _readings(context: BuildContext, elsewhere: "DataFrame") -> list[tuple[object, ...]]:
    """When the days of sessions outside the scopes were last read, and whether silver was built from that listing.
    They are `elsewhere`, or on a day that the build has of another media."""
    places = {(r[0], r[1]) for r in elsewhere.select(*session_scope.PLACE).distinct().collect()}
    days = {m.day for m in context.plan.landings if m.dataset == EVENTS}
    plan = context.plan
    read = shared_keys.readings(plan.read_at, places, days)
    return [(*place, at, place in plan.listed_at) for place, at in read]


def _held_keys(context: BuildContext) -> "Iterator[DataFrame]":
    """Keys that listings hold though the build does not take them: rejected rows of this build and of earlier ones,
    also of other days, and those of landings that were stopped."""
    stopped = [m.landing_id for m in context.plan.landings if interval_key(m) in context.stopped_keys]
    rejected = any(key[0] == EVENTS and codes for key, codes in context.reasons.items())
    if rejected or stopped:
        yield session_scope.held_by_build(context.parsed[EVENTS], stopped)
    if context.store.refs()[QUARANTINE.full_name].snapshot_id is not None:
        quarantine = context.store.read(QUARANTINE).where(f"dataset = '{EVENTS}'")
        yield session_scope.held_by_quarantine(quarantine, _landed_places(context))


def _shrunk(context: BuildContext, changes: TableChanges) -> dict[str, str]:
    """Media of which a day lost more sessions than it should: why they are stopped, by media."""
    before, lost = Counter[Pair](), Counter[Pair]()
    for c in changes.by_day:
        if c.media_id is None or c.was_day is None:
            continue
        before[c.media_id, c.was_day] += c.count
        if c.change == REMOVED:
            lost[c.media_id, c.was_day] += c.count
    return {
        media: f"{day} lost {count} of {before[media, day]} sessions at the source;"
        f" `wistlake repair --media {media} --accept-shrink` accepts it"
        for (media, day), count in lost.items()
        if media not in context.plan.accept_shrink and is_shrunk(before[media, day], count)
    }


def _shared_days(context: BuildContext, changes: TableChanges, spread: "DataFrame") -> frozenset[SharedDays]:
    """The days of which both list a key: two of this build, or one of it and one where the key is stored."""
    scopes = {(m.media_id, m.day) for m in context.manifests(EVENTS)}
    days = {
        SharedDays.of(c.media_id, c.staged_day, c.was_day)
        for c in changes.by_day
        if c.media_id
        and c.staged_day
        and c.was_day
        and c.staged_day != c.was_day
        and (c.change != UPDATED or (c.media_id, c.was_day) not in scopes)
    }
    days |= {
        SharedDays.of(r["media_id"], a, b) for r in spread.collect() for a, b in combinations(r["days"], 2)
    }
    return frozenset(days)


def rezoned(context: BuildContext) -> None:
    """`fact_events` whose raw pages are gone, after the lake's zone has changed."""
    zone = context.plan.zone
    for days in _by_month(context.plan.rezoned):
        places = local(context.spark, sorted(days), "media_id string, event_date date")
        events = context.store.read(FACT_EVENTS).where(days_in("event_date", (d for _, d in days)))
        current = fact_events.in_another_zone(events, places, zone)
        correct_sessions(context, fact_events.moved_to_zone(current, zone, context.built_at), current)


def _by_month(days: Set[Pair]) -> Iterator[set[Pair]]:
    """Days by month: whole tables may not fit in memory."""
    by_month: dict[tuple[int, int], set[Pair]] = {}
    for media_id, day in days:
        by_month.setdefault((day.year, day.month), set()).add((media_id, day))
    yield from (by_month[month] for month in sorted(by_month))


def quarantined(context: BuildContext) -> None:
    """Rejected records: each landing's replace those of the landing before it."""
    current = context.store.read(QUARANTINE)
    if not context.rejected and context.store.refs()[QUARANTINE.full_name].snapshot_id is None:
        return
    rows = union(context.rejected) if context.rejected else current.limit(0)
    before = scope.of_places(current, _landed_places(context), ["dataset", "media_id", "dt"])
    context.write(QUARANTINE, rows, before)


def _landed_places(context: BuildContext) -> "DataFrame":
    """The intervals that the build's landings are about, as quarantine names them."""
    return local(
        context.spark,
        [interval_key(m) for m in context.plan.landings],
        "dataset string, media_id string, dt date",
    )
