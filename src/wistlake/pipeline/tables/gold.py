"""Gold: stage the affected days, reconcile them, and commit those that may be published."""

from collections.abc import Callable, Iterable, Mapping, Set
from datetime import date
from functools import partial
from operator import methodcaller
from typing import TYPE_CHECKING

from wistlake.bronze import Manifest
from wistlake.contracts.dim_visitor import TABLE as DIM_VISITOR
from wistlake.contracts.dimension_daily import TABLES as DIMENSION_DAILY
from wistlake.contracts.fact_events import TABLE as FACT_EVENTS
from wistlake.contracts.fact_media_by_date import TABLE as FACT_MEDIA_BY_DATE
from wistlake.contracts.fact_media_daily import TABLE as FACT_MEDIA_DAILY
from wistlake.contracts.fact_media_engagement import TABLE as FACT_MEDIA_ENGAGEMENT
from wistlake.contracts.form import Table
from wistlake.contracts.media_analytics_by_date import TABLE as MEDIA_ANALYTICS_BY_DATE
from wistlake.contracts.media_lifetime import TABLE as MEDIA_LIFETIME
from wistlake.contracts.media_retention_daily import TABLE as MEDIA_RETENTION_DAILY
from wistlake.contracts.visitor_activity import TABLE as VISITORS
from wistlake.derive.merge import days_in
from wistlake.pipeline.tables import checks, reconcile
from wistlake.pipeline.tables.context import BuildContext
from wistlake.pipeline.tables.plan import Pair, VisitorScope, interval_key
from wistlake.pipeline.tables.row_changes import TableChanges, affected_pairs, compare, without
from wistlake.planning.calendar import local_days_of, zone
from wistlake.planning.publishing import BY_DATE, EVENTS
from wistlake.quality.certificates import Certificate, certify
from wistlake.quality.reconciliation import Judgement, blocked
from wistlake.transforms import (
    daily,
    dim_visitor,
    dimension_daily,
    fact_media_daily,
    fact_media_engagement,
    media_retention_daily,
    scope,
)
from wistlake.transforms.conform import local, union

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PAIRS = "media_id string, date date"


def affected(context: BuildContext) -> set[Pair]:
    """Publishable pairs whose numbers may have changed, or that must be computed anyway."""
    facts = (FACT_EVENTS, FACT_MEDIA_BY_DATE, MEDIA_ANALYTICS_BY_DATE)
    changed = affected_pairs(context.outcomes[t.full_name] for t in facts if t.full_name in context.outcomes)
    plan = context.plan
    pairs = (changed | _pairs_of(context, plan.landings) | plan.refresh) & plan.publishable
    stopped = _pairs_of(context, (m for m in plan.landings if interval_key(m) in context.stopped_keys))
    return {p for p in pairs - stopped if p[0] not in context.stopped}


def _pairs_of(context: BuildContext, landings: Iterable[Manifest]) -> set[Pair]:
    """Pairs that landings are about, whether a row changed or not: what gold makes of them may have."""
    tz = zone(context.plan.zone)
    pairs: set[Pair] = set()
    for m in landings:
        if m.dataset == EVENTS:
            pairs |= {(m.media_id, day) for day in local_days_of(m.day, tz)}
        elif m.dataset in (BY_DATE, "analytics_daily"):
            pairs.add((m.media_id, m.day))
    return pairs


def days(
    context: BuildContext, pairs: set[Pair]
) -> tuple[tuple[Judgement, ...], dict[Pair, Certificate], set[Pair]]:
    """Judge the days, stage those that may be published, count them again from silver, and commit what agrees.
    What must be withdrawn goes in the same commits. Judgements, certificates of what was published, and the pairs
    that were blocked."""
    withdrawn = context.plan.withdrawn
    if not pairs and not withdrawn:
        return (), {}, set()
    sessions, counted = context.both(
        partial(_sessions_of, context, pairs), partial(reconcile.recount, context, pairs)
    )
    judged = reconcile.days(context, pairs, counted, _by_date_of(context, pairs))
    judgements = judged.judgements
    stopped = blocked(judgements)
    publishable = pairs - stopped
    if not publishable and not withdrawn:
        return judgements, {}, stopped
    if stopped:
        sessions = _sessions_of(context, publishable)
    certificates = _certificates(context, publishable, judgements) | {
        pair: certificate for pair, certificate in judged.standing.items() if pair in publishable
    }
    staged = _stage(context, publishable, sessions, certificates)
    agreements = reconcile.agreement(publishable, staged, counted)
    broken = blocked(agreements) | _broken(context, staged)
    daily_first, *others = (without(changes, broken) for changes in staged)
    # If the build dies before the others, the next one finds the changes that have days written to it.
    context.commit(daily_first)
    context.side_by_side(*(partial(context.commit, changes) for changes in others))
    published = {pair: certificate for pair, certificate in certificates.items() if pair not in broken}
    return (*judgements, *agreements, *reconcile.nothing_to_judge(withdrawn)), published, stopped | broken


def _broken(context: BuildContext, staged: Iterable[TableChanges]) -> set[Pair]:
    """Pairs whose gold breaks its contract."""
    findings = [f for changes in staged for f in checks.findings(changes)]
    context.findings += findings
    return set(checks.stopped(findings))


def _pairs_frame(context: BuildContext, pairs: Iterable[Pair]) -> "DataFrame":
    return local(context.spark, sorted(pairs), PAIRS)


def _sessions_of(context: BuildContext, pairs: set[Pair]) -> "DataFrame":
    frame = _pairs_frame(context, pairs)
    nearby_days = {d for _, day in pairs for d in _around(day)}
    events = context.store.read(FACT_EVENTS).where(days_in("event_date", nearby_days))
    return context.store.stage("gold_sessions", daily.sessions(events, frame), daily.SCHEMA)


def _by_date_of(context: BuildContext, pairs: set[Pair]) -> "DataFrame":
    return context.store.read(FACT_MEDIA_BY_DATE).where(days_in("date", (d for _, d in pairs)))


def _certificates(
    context: BuildContext, pairs: set[Pair], judgements: Iterable[Judgement]
) -> dict[Pair, Certificate]:
    plan = context.plan
    by_pair: dict[Pair, list[Judgement]] = {p: [] for p in pairs}
    aged = pairs & plan.past_lookback & plan.confirmed
    for j in (*judgements, *reconcile.broken_lifetimes(context, aged)):
        if (j.media_id, j.date) in by_pair:
            by_pair[(j.media_id, j.date)].append(j)
    return {
        pair: certify(
            past_lookback=pair in plan.past_lookback, confirmed=pair in plan.confirmed, judgements=of_pair
        )
        for pair, of_pair in by_pair.items()
    }


def _stage(
    context: BuildContext, pairs: set[Pair], sessions: "DataFrame", certificates: Mapping[Pair, Certificate]
) -> list[TableChanges]:
    """What the days would change in each table; nothing is committed yet. A day that changes in any table is
    written to `fact_media_daily` too: whoever exports gold day by day asks that table which days have changed."""
    certified = local(
        context.spark,
        [(m, d, str(c)) for (m, d), c in sorted(certificates.items())],
        f"{PAIRS}, certificate string",
    )
    analytics = context.store.read(MEDIA_ANALYTICS_BY_DATE).where(days_in("date", (d for _, d in pairs)))
    by_date = _by_date_of(context, pairs)
    rows = fact_media_daily.build(certified, sessions, by_date, analytics, context.built_at)
    places = pairs | context.plan.withdrawn
    engagement = fact_media_engagement.build(sessions, context.built_at)
    compared = [(FACT_MEDIA_ENGAGEMENT, engagement, places, "sessions + play_count")]
    for table in DIMENSION_DAILY:
        of_table = dimension_daily.build(sessions, table, context.built_at)
        compared.append((table, of_table, places, "sessions + plays_from_events"))
    others = context.side_by_side(*(partial(_compare, context, *of_table) for of_table in compared))
    changed = affected_pairs(others)
    return [_compare(context, FACT_MEDIA_DAILY, rows, places, "sessions", changed), *others]


def _compare(
    context: BuildContext,
    table: Table,
    rows: "DataFrame",
    pairs: Set[Pair],
    measure: str,
    rewritten: Set[Pair] = frozenset(),
) -> TableChanges:
    """Make the table's rows of `pairs` exactly `rows`; those of the `rewritten` ones are written in any case."""
    current = context.store.read(table).where(days_in("date", (d for _, d in pairs)))
    current = scope.of_places(current, _pairs_frame(context, pairs), daily.KEYS)
    if rewritten:
        current = fact_media_daily.to_be_rewritten(current, _pairs_frame(context, rewritten))
    return compare(context.store, table, rows, current, measure)


def visitors(context: BuildContext, pairs: set[Pair]) -> None:
    """`dim_visitor` of whom the plan names: everybody, or those in the published days and those whose account figures
    it does not have.

    Also of those whose engagement did not change, and whose sessions are removed: a run that died after the
    MERGE of engagement left no other trace of them.
    """
    whose = context.plan.visitors
    if whose is VisitorScope.ALL:
        days = context.store.read(FACT_MEDIA_ENGAGEMENT).count()
        for share in dim_visitor.shares(days // context.plan.visitor_days + 1):
            _describe(context, methodcaller("where", share))
    elif whose is VisitorScope.PUBLISHED and (who := _seen(context, pairs)) is not None:
        _describe(context, partial(scope.of_visitors, visitors=who))


def _seen(context: BuildContext, pairs: set[Pair]) -> "DataFrame | None":
    """The visitors whose rows this build may change; None if it can't change any."""
    store = context.store
    affected = []
    if pairs:
        nearby_days = days_in("event_date", {d for _, day in pairs for d in _around(day)})
        # A day that is withdrawn may be one of another zone: its sessions count on the days beside it by now.
        beside = {d for _, day in context.plan.withdrawn for d in _around(day)}
        of_days = days_in("event_date_local", {day for _, day in pairs} | beside)
        engagement = context.outcomes[FACT_MEDIA_ENGAGEMENT.full_name].staged
        events = store.read(FACT_EVENTS).where(nearby_days).where(of_days)
        affected.append(dim_visitor.seen(events, {m for m, _ in pairs}, engagement))
    if VISITORS.full_name in context.outcomes:
        affected.append(dim_visitor.differing_loads(store.read(DIM_VISITOR), store.read(VISITORS)))
    if not affected:
        return None
    return store.stage("affected_visitors", union(affected).distinct(), "visitor_id string")


def _describe(context: BuildContext, theirs: Callable[["DataFrame"], "DataFrame"]) -> None:
    """Write the rows of some visitors; `theirs` gives those rows of a table that are about them."""
    store = context.store
    totals = dim_visitor.totals(theirs(store.read(FACT_MEDIA_ENGAGEMENT)))
    totals = store.stage("visitor_totals", totals, dim_visitor.TOTALS)
    last_days = [r[0] for r in dim_visitor.last_days(totals).collect()]
    latest = theirs(
        store.read(FACT_EVENTS).where(days_in("event_date", last_days)).where("removed_at is null")
    )
    described = dim_visitor.described(totals, latest)
    described = store.stage("described_visitors", described, dim_visitor.DESCRIBED)
    rows = dim_visitor.build(described, store.read(VISITORS), context.built_at)
    context.write(DIM_VISITOR, rows, scope.whole(theirs(store.read(DIM_VISITOR))))


def retention(context: BuildContext) -> None:
    """`media_retention_daily` of the media that have snapshots in this build, whether or not they changed: a
    run may have died before this step."""
    outcome = context.outcomes.get(MEDIA_LIFETIME.full_name)
    if outcome is None or not outcome.media:
        return
    snapshots = scope.of_media(context.store.read(MEDIA_LIFETIME), outcome.media)
    rows = media_retention_daily.build(snapshots, context.built_at)
    current = scope.of_media(context.store.read(MEDIA_RETENTION_DAILY), outcome.media)
    context.write(MEDIA_RETENTION_DAILY, rows, scope.whole(current))


def _around(day: date) -> tuple[date, ...]:
    """The UTC days that a local day of any zone may touch."""
    return tuple(date.fromordinal(day.toordinal() + n) for n in (-1, 0, 1))
