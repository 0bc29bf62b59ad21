"""Gold: stage the affected days, reconcile them, and commit those that may be published."""

from collections.abc import Callable, Iterable, Mapping, Set
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from wistlake.bronze import Manifest
from wistlake.contracts.channel_daily import TABLE as CHANNEL_DAILY
from wistlake.contracts.device_daily import TABLE as DEVICE_DAILY
from wistlake.contracts.dim_visitor import TABLE as DIM_VISITOR
from wistlake.contracts.embed_daily import TABLE as EMBED_DAILY
from wistlake.contracts.fact_events import TABLE as FACT_EVENTS
from wistlake.contracts.fact_media_by_date import TABLE as FACT_MEDIA_BY_DATE
from wistlake.contracts.fact_media_daily import TABLE as FACT_MEDIA_DAILY
from wistlake.contracts.fact_media_engagement import TABLE as FACT_MEDIA_ENGAGEMENT
from wistlake.contracts.form import Table
from wistlake.contracts.geo_daily import TABLE as GEO_DAILY
from wistlake.contracts.media_analytics_by_date import TABLE as MEDIA_ANALYTICS_BY_DATE
from wistlake.contracts.media_lifetime import TABLE as MEDIA_LIFETIME
from wistlake.contracts.media_retention_daily import TABLE as MEDIA_RETENTION_DAILY
from wistlake.contracts.visitor_activity import TABLE as VISITORS
from wistlake.derive.merge import days_in
from wistlake.pipeline.tables import checks as checking
from wistlake.pipeline.tables import reconcile
from wistlake.pipeline.tables.context import BuildContext, interval_key
from wistlake.pipeline.tables.plan import Pair
from wistlake.pipeline.tables.row_changes import TableChanges, affected_pairs, compare, without
from wistlake.planning.calendar import local_days_of, zone
from wistlake.planning.publishing import BY_DATE, EVENTS
from wistlake.quality.certificates import Certificate, certify
from wistlake.quality.reconciliation import Judgement, blocked
from wistlake.transforms import (
    channel_daily,
    daily,
    device_daily,
    dim_visitor,
    embed_daily,
    fact_media_daily,
    fact_media_engagement,
    geo_daily,
    media_retention_daily,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PAIRS = "media_id string, date date"


def affected(bench: BuildContext) -> set[Pair]:
    """Publishable pairs whose numbers may have moved, or that must be computed anyway."""
    facts = (FACT_EVENTS, FACT_MEDIA_BY_DATE, MEDIA_ANALYTICS_BY_DATE)
    moved = affected_pairs(bench.outcomes[t.full_name] for t in facts if t.full_name in bench.outcomes)
    wanted = (moved | _pairs_of(bench, bench.plan.landings) | bench.plan.refresh) & bench.plan.publishable
    damaged = _pairs_of(bench, (m for m in bench.plan.landings if interval_key(m) in bench.damaged))
    return {p for p in wanted - damaged if p[0] not in bench.stopped}


def _pairs_of(bench: BuildContext, landings: Iterable[Manifest]) -> set[Pair]:
    """Pairs that landings are about, whether a row moved or not: what gold makes of them may have changed."""
    tz = zone(bench.plan.zone)
    found: set[Pair] = set()
    for m in landings:
        if m.dataset == EVENTS:
            found |= {(m.media_id, day) for day in local_days_of(m.day, tz)}
        elif m.dataset in (BY_DATE, "analytics_daily"):
            found.add((m.media_id, m.day))
    return found


def gold(
    bench: BuildContext, pairs: set[Pair]
) -> tuple[tuple[Judgement, ...], dict[Pair, Certificate], set[Pair]]:
    """Judge the days, stage those that may be published, count them anew from silver, and commit what agrees.
    What must be withdrawn goes in the same commits."""
    if not pairs and not bench.plan.withdrawn:
        return (), {}, set()
    sessions, frame = _sessions_of(bench, pairs)
    counted = reconcile.recount(bench, pairs, frame)
    judged = reconcile.days(bench, pairs, counted, _by_date_of(bench, pairs)) if pairs else reconcile.NOTHING
    judgements = judged.judgements
    stopped = blocked(judgements)
    good = pairs - stopped
    if not good and not bench.plan.withdrawn:
        return judgements, {}, stopped
    if stopped:
        sessions, frame = _sessions_of(bench, good)
    certificates = _certificates(bench, good, judgements) | {
        pair: certificate for pair, certificate in judged.standing.items() if pair in good
    }
    staged = _stage_gold(bench, good, sessions, certificates)
    agreements = reconcile.agreement(good, staged, counted)
    bad = blocked(agreements) | _broken(bench, staged)
    for applied in staged:
        bench.keep_committed(without(applied, bad))
    kept = {pair: found for pair, found in certificates.items() if pair not in bad}
    return (*judgements, *agreements, *reconcile.nothing_to_judge(bench.plan.withdrawn)), kept, stopped | bad


def _broken(bench: BuildContext, staged: Iterable[TableChanges]) -> set[Pair]:
    """Pairs whose gold breaks its contract."""
    found = [f for applied in staged for f in checking.findings(applied)]
    bench.findings += found
    return set(checking.stopped(found))


def _pairs_frame(bench: BuildContext, pairs: Iterable[Pair]) -> "DataFrame":
    return bench.spark.createDataFrame(sorted(pairs), PAIRS)


def _sessions_of(bench: BuildContext, pairs: set[Pair]) -> tuple["DataFrame", "DataFrame"]:
    frame = _pairs_frame(bench, pairs)
    near = {d for _, day in pairs for d in _around(day)}
    events = bench.store.read(FACT_EVENTS).where(days_in("event_date", near))
    return bench.store.stage("gold_sessions", daily.sessions(events, frame)), frame


def _by_date_of(bench: BuildContext, pairs: set[Pair]) -> "DataFrame":
    return bench.store.read(FACT_MEDIA_BY_DATE).where(days_in("date", (d for _, d in pairs)))


def _certificates(
    bench: BuildContext, pairs: set[Pair], judgements: Iterable[Judgement]
) -> dict[Pair, Certificate]:
    found: dict[Pair, list[Judgement]] = {p: [] for p in pairs}
    ripe = pairs & bench.plan.past_lookback & bench.plan.confirmed
    for j in (*judgements, *reconcile.of_lifetime(bench, ripe)):
        if (j.media_id, j.date) in found:
            found[(j.media_id, j.date)].append(j)
    return {
        pair: certify(
            past_lookback=pair in bench.plan.past_lookback,
            confirmed=pair in bench.plan.confirmed,
            judgements=of_pair,
        )
        for pair, of_pair in found.items()
    }


def _stage_gold(
    bench: BuildContext, pairs: set[Pair], sessions: "DataFrame", certificates: Mapping[Pair, Certificate]
) -> list[TableChanges]:
    """What the days would change in each table; nothing is committed yet. A day of which any table changes is
    news in `fact_media_daily` too: who exports gold day by day asks that table which days have changed."""
    certified = bench.spark.createDataFrame(
        [(m, d, str(c)) for (m, d), c in sorted(certificates.items())], f"{PAIRS}, certificate string"
    )
    analytics = bench.store.read(MEDIA_ANALYTICS_BY_DATE).where(days_in("date", (d for _, d in pairs)))
    rows = fact_media_daily.build(certified, sessions, _by_date_of(bench, pairs), analytics, bench.built_at)
    dimensions: tuple[tuple[Table, Callable[..., DataFrame], str], ...] = (
        (FACT_MEDIA_ENGAGEMENT, fact_media_engagement.build, "sessions + play_count"),
        (CHANNEL_DAILY, channel_daily.build, "sessions + plays_from_events"),
        (GEO_DAILY, geo_daily.build, "sessions + plays_from_events"),
        (DEVICE_DAILY, device_daily.build, "sessions + plays_from_events"),
        (EMBED_DAILY, embed_daily.build, "sessions + plays_from_events"),
    )
    scope = pairs | bench.plan.withdrawn
    others = [_replaced(bench, t, build(sessions, bench.built_at), scope, m) for t, build, m in dimensions]
    moved = affected_pairs(others)
    return [_replaced(bench, FACT_MEDIA_DAILY, rows, scope, "sessions", moved), *others]


def _replaced(
    bench: BuildContext,
    table: Table,
    rows: "DataFrame",
    pairs: Set[Pair],
    measure: str,
    moved: Set[Pair] = frozenset(),
) -> TableChanges:
    """Make the table's rows of `pairs` exactly `rows`; those of the `moved` ones are written in any case."""
    current = (
        bench.store.read(table)
        .where(days_in("date", (d for _, d in pairs)))
        .join(F.broadcast(_pairs_frame(bench, pairs)), on=["media_id", "date"], how="left_semi")
        .withColumn("_in_scope", F.lit(True))
    )
    if moved:
        marked = _pairs_frame(bench, moved).withColumn("_moved", F.lit(True))
        # A row without a certificate is not what it should be, so it is written.
        current = current.join(F.broadcast(marked), on=["media_id", "date"], how="left").withColumn(
            "certificate", F.expr("case when _moved is null then certificate end")
        )
    return compare(bench.store, table, rows, current, measure)


def visitors(bench: BuildContext, pairs: set[Pair]) -> None:
    """`dim_visitor` of everybody in the published days, and of those whose account figures it does not have.

    Also of those whose engagement did not move, and whose sessions are removed: a run that died after the
    MERGE of engagement left no other trace of them.
    """
    moved = []
    if pairs:
        near = days_in("event_date", {d for _, day in pairs for d in _around(day)})
        seen = bench.store.read(FACT_EVENTS).where(near)
        moved.append(seen.where(F.col("media_id").isin(sorted({m for m, _ in pairs}))).select("visitor_id"))
        moved.append(bench.outcomes[FACT_MEDIA_ENGAGEMENT.full_name].changes.select("visitor_id"))
    if VISITORS.full_name in bench.outcomes:
        account = bench.store.read(VISITORS).select("visitor_id", "load_count")
        known = bench.store.read(DIM_VISITOR).select("visitor_id", "account_load_count")
        differs = known.join(account, on="visitor_id", how="inner").where(
            "not account_load_count <=> load_count"
        )
        moved.append(differs.select("visitor_id"))
    if not moved:
        return
    affected = bench.store.stage("affected_visitors", reduce(lambda a, b: a.unionByName(b), moved).distinct())
    engagement = bench.store.read(FACT_MEDIA_ENGAGEMENT).join(affected, on="visitor_id", how="left_semi")
    totals = bench.store.stage("visitor_totals", dim_visitor.totals(engagement))
    last_days = [r[0] for r in totals.select(F.to_date("last_seen_at")).distinct().collect()]
    latest = bench.store.read(FACT_EVENTS).where(days_in("event_date", last_days)).where("removed_at is null")
    described = bench.store.stage("described_visitors", dim_visitor.described(totals, latest))
    rows = dim_visitor.build(described, bench.store.read(VISITORS), bench.built_at)
    current = (
        bench.store.read(DIM_VISITOR)
        .join(affected, on="visitor_id", how="left_semi")
        .withColumn("_in_scope", F.lit(True))
    )
    bench.put(DIM_VISITOR, rows, current)


def retention(bench: BuildContext) -> None:
    """`media_retention_daily` of the media that have snapshots in this build, whether or not they moved: a
    run may have died before it came here."""
    outcome = bench.outcomes.get(MEDIA_LIFETIME.full_name)
    media = sorted({t.media_id for t in outcome.tally if t.media_id}) if outcome else []
    if not media:
        return
    of_media = F.col("media_id").isin(media)
    rows = media_retention_daily.build(bench.store.read(MEDIA_LIFETIME).where(of_media), bench.built_at)
    current = bench.store.read(MEDIA_RETENTION_DAILY).where(of_media).withColumn("_in_scope", F.lit(True))
    bench.put(MEDIA_RETENTION_DAILY, rows, current)


def _around(day: date) -> tuple[date, ...]:
    """The UTC days that a local day of any zone may touch."""
    return tuple(date.fromordinal(day.toordinal() + n) for n in (-1, 0, 1))
