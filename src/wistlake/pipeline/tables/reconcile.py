"""Reconciliation inside a build: gathers the figures, has `quality` judge them, writes the verdicts."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

from wistlake.contracts.dim_media import TABLE as DIM_MEDIA
from wistlake.contracts.fact_events import TABLE as FACT_EVENTS
from wistlake.contracts.fact_media_by_date import TABLE as FACT_MEDIA_BY_DATE
from wistlake.contracts.fact_media_daily import TABLE as FACT_MEDIA_DAILY
from wistlake.contracts.form import Table
from wistlake.contracts.media_by_date_observations import TABLE as OBSERVATIONS
from wistlake.contracts.media_lifetime import TABLE as MEDIA_LIFETIME
from wistlake.contracts.quality_results import TABLE as QUALITY_RESULTS
from wistlake.contracts.reconciliation import TABLE as RECONCILIATION
from wistlake.derive.merge import days_in
from wistlake.derive.spark import columns_ddl
from wistlake.pipeline.tables.context import BuildContext
from wistlake.pipeline.tables.plan import Pair
from wistlake.pipeline.tables.row_changes import TableChanges
from wistlake.planning.calendar import zone
from wistlake.quality import lifetime
from wistlake.quality.checks import PAST_DAYS, Finding, Past, references, together, volume
from wistlake.quality.days import Judged, doubtful_plays, is_settled, judge_days
from wistlake.quality.lifetime import SPAN_DAYS, Snapshot
from wistlake.quality.reconciliation import (
    GROWTH,
    OF_DAYS,
    PLAYED_HOURS,
    WHOLE_PLAYERS,
    DayFigures,
    Judgement,
    Verdict,
    gold_is_silver,
    not_applicable,
    same_magnitude,
)
from wistlake.transforms import recount as recounting
from wistlake.transforms import scope
from wistlake.transforms.changes import NEW
from wistlake.transforms.conform import local

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Counted = Mapping[Pair, Mapping[str, int]]
_COUNTED = (*recounting.FIGURES, "events", "misplaced")


def recount(context: BuildContext, pairs: set[Pair]) -> Counted:
    """The days' figures from silver alone; zeros where it has no session."""
    wanted = local(context.spark, sorted(pairs), "media_id string, date date")
    near = {day + timedelta(days=n) for _, day in pairs for n in (-1, 0, 1)}
    events = context.store.read(FACT_EVENTS).where(days_in("event_date", near))
    counted = dict.fromkeys(pairs, dict.fromkeys(_COUNTED, 0))
    for row in recounting.build(events, wanted).collect():
        counted[(row["media_id"], row["date"])] = {
            name: row[name] if row[name] is None else int(row[name]) for name in _COUNTED
        }
    return counted


def days(context: BuildContext, pairs: set[Pair], counted: Counted, by_date: "DataFrame") -> Judged:
    """The identities of each day that do not need gold; notes the check of volume on the way."""
    if not pairs:
        return Judged((), {})
    plan = context.plan
    counts, past = context.both(partial(_counts, by_date), partial(_past, context, pairs))
    context.findings += volume({p: c["sessions"] for p, c in counted.items()}, past)
    settled = {(p.media_id, p.date): (p.loads, p.plays) for p in past if is_settled(p)}
    confirmed = (plan.confirmed | plan.counts_confirmed) - _newly_observed(context)
    figures = []
    for pair in sorted(pairs):
        loads, plays = counts.get(pair, (None, None))
        figures.append(
            DayFigures(
                *pair,
                plays=plays,
                events=counted[pair]["events"],
                rows=counted[pair]["sessions"],
                misplaced=counted[pair]["misplaced"],
                settled=pair in plan.past_lookback,
                listed=pair in plan.listed,
                loads=loads,
                settled_counts=settled.get(pair) if pair in plan.reread else None,
                plays_confirmed=pair in confirmed,
            )
        )
    if doubtful := doubtful_plays(figures, past):
        again = _observed_again(context, doubtful)
        figures = [replace(f, plays_confirmed=f.plays_confirmed or f.pair in again) for f in figures]
    return judge_days(figures, past, plan.past_lookback & plan.confirmed, plan.band)


def _counts(by_date: "DataFrame") -> dict[Pair, tuple[int | None, int | None]]:
    """Loads and plays as Wistia counts them."""
    return {
        (r["media_id"], r["date"]): (r["load_count"], r["play_count"])
        for r in by_date.select("media_id", "date", "load_count", "play_count").collect()
    }


def _newly_observed(context: BuildContext) -> set[Pair]:
    """The days whose counts or hours this build is the first to see: no earlier reading can have confirmed them,
    whatever the ledger has."""
    observed = context.outcomes.get(OBSERVATIONS.full_name)
    return {
        (c.media_id, c.day)
        for c in (observed.by_day if observed else ())
        if c.change == NEW and c.media_id is not None and c.day is not None
    }


def _observed_again(context: BuildContext, doubtful: Mapping[Pair, int]) -> set[Pair]:
    """The pairs of which more than one observation has plays of this magnitude."""
    observed = context.store.read(OBSERVATIONS).where(days_in("date", (day for _, day in doubtful)))
    times: Counter[Pair] = Counter()
    for row in observed.select("media_id", "date", "play_count").collect():
        pair = (row["media_id"], row["date"])
        times[pair] += pair in doubtful and same_magnitude(row["play_count"], doubtful[pair])
    return {pair for pair, n in times.items() if n > 1}


def _past(context: BuildContext, pairs: set[Pair]) -> tuple[Past, ...]:
    """Gold of the same media as it is now: those days, and the ones before them."""
    first = min(day for _, day in pairs) - timedelta(days=PAST_DAYS)
    last = max(day for _, day in pairs)
    rows = context.store.read(FACT_MEDIA_DAILY).where(f"date between date'{first}' and date'{last}'")
    of_media = scope.of_media(rows, {media_id for media_id, _ in pairs})
    return tuple(Past(**r.asDict()) for r in of_media.select(*(f.name for f in fields(Past))).collect())


def agreement(pairs: set[Pair], staged: Sequence[TableChanges], counted: Counted) -> tuple[Judgement, ...]:
    """Identity 7: every table of gold, as it is about to be, against the recount."""
    daily = next(c for c in staged if c.table is FACT_MEDIA_DAILY)
    names = tuple(recounting.FIGURES)
    figures = {
        (r["media_id"], r["date"]): {n: r[n] for n in names}
        for r in daily.staged.where("_change <> 'removed'").select("media_id", "date", *names).collect()
    }
    measured: dict[Pair, Counter[str]] = {p: Counter() for p in pairs}
    others = [c for c in staged if c.table is not FACT_MEDIA_DAILY]
    for changes in others:
        for c in changes.by_day:
            if c.media_id and c.local_day and (c.media_id, c.local_day) in measured:
                measured[(c.media_id, c.local_day)][changes.table.name] += c.measured
    judgements = []
    for pair in sorted(pairs):
        whole = counted[pair]
        again = {n: whole[n] for n in names} | {
            c.table.name: whole["sessions"] + whole["plays_from_events"] for c in others
        }
        gold = figures.get(pair, {}) | {c.table.name: measured[pair][c.table.name] for c in others}
        judgements.append(gold_is_silver(*pair, gold, again))
    return tuple(judgements)


def nothing_to_judge(withdrawn: Iterable[Pair]) -> Iterator[Judgement]:
    """Days that are no longer in gold have no verdicts."""
    for pair in sorted(withdrawn):
        yield from (not_applicable(identity, pair) for identity in OF_DAYS)


def lifetimes(context: BuildContext) -> tuple[Judgement, ...]:
    """Identities 1 to 3 of the media that have a snapshot in this build."""
    outcome = context.outcomes.get(MEDIA_LIFETIME.full_name)
    if outcome is None or not outcome.media:
        return ()
    today = context.plan.started_at.date()
    taken = _since(context, MEDIA_LIFETIME, "snapshot_date", today - timedelta(days=SPAN_DAYS + 1))
    of_media = scope.of_media(taken, outcome.media).select(*(f.name for f in fields(Snapshot)))
    plays = _since(context, FACT_MEDIA_BY_DATE, "date", today - timedelta(days=SPAN_DAYS + 4))
    counted = scope.of_media(plays, outcome.media).select("media_id", "date", "play_count")
    snapshots, days = context.side_by_side(of_media.collect, counted.collect)
    counts = {(r["media_id"], r["date"]): r["play_count"] for r in days}
    return lifetime.judge((Snapshot(**s.asDict()) for s in snapshots), counts, zone(context.plan.zone))


def _since(context: BuildContext, table: Table, column: str, first: date) -> "DataFrame":
    return context.store.read(table).where(f"{column} >= DATE'{first}'")


def broken_lifetimes(context: BuildContext, pairs: set[Pair]) -> tuple[Judgement, ...]:
    """Broken lifetime identities of the morning after each day: they keep it from being certified."""
    if not pairs:
        return ()
    mornings = {(m, day + timedelta(days=1)) for m, day in pairs}
    verdicts = context.store.read(RECONCILIATION).where(
        f"identity in ('{PLAYED_HOURS}', '{WHOLE_PLAYERS}', '{GROWTH}') and verdict = '{Verdict.BROKEN}'"
    )
    return tuple(
        Judgement(r["identity"], r["media_id"], r["date"] - timedelta(days=1), Verdict.BROKEN, blocking=False)
        for r in verdicts.where(days_in("date", {d for _, d in mornings})).collect()
        if (r["media_id"], r["date"]) in mornings
    )


def check_references(context: BuildContext) -> None:
    """Note whether every media that facts were changed for is described."""
    facts = (FACT_EVENTS.full_name, FACT_MEDIA_BY_DATE.full_name, FACT_MEDIA_DAILY.full_name)
    by_table = {name: context.outcomes[name].media for name in facts if name in context.outcomes}
    if not any(by_table.values()):
        return
    described = {r[0] for r in context.store.read(DIM_MEDIA).select("media_id").collect()}
    for name, media in by_table.items():
        context.findings.append(references(name, media, described))


def record(context: BuildContext, judgements: Iterable[Judgement]) -> tuple[Finding, ...]:
    """`ops.reconciliation`: every verdict, as last judged; `ops.quality_results`: every check of the run so far.
    Those of this build are returned."""
    run_id, at = context.plan.run_id, context.plan.started_at
    commits: list[Callable[[], None]] = []
    verdicts = [
        (j.identity, j.media_id, j.date, str(j.verdict), j.blocking, j.ours, j.theirs, j.lower, j.upper, run_id, at)
        for j in judgements
    ]  # fmt: skip
    if verdicts:
        rows = local(context.spark, verdicts, columns_ddl(RECONCILIATION.columns))
        before = context.with_keys_of(RECONCILIATION, rows, days={v[2] for v in verdicts})
        changes = context.compare(RECONCILIATION, rows, before)
        context.check(changes)
        commits.append(partial(context.commit, changes))
    findings = together((*context.plan.findings, *context.rejected_findings(), *context.findings))
    results = [
        (
            run_id,
            f.check,
            f.scope,
            str(f.verdict),
            str(f.effect),
            f.checked,
            f.violations,
            f.detail or None,
            at,
        )
        for f in together((*context.plan.earlier, *findings))
    ]
    rows = local(context.spark, results, columns_ddl(QUALITY_RESULTS.columns))
    current = context.store.read(QUALITY_RESULTS).where(f"run_id = '{run_id}'")
    commits.append(partial(context.write, QUALITY_RESULTS, rows, scope.whole(current)))
    context.side_by_side(*commits)
    return tuple(findings)
