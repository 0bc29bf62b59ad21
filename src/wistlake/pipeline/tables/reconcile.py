"""Reconciliation inside a build: gathers the figures, has `quality` judge them, keeps the verdicts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from wistlake.contracts.dim_media import TABLE as DIM_MEDIA
from wistlake.contracts.fact_events import TABLE as FACT_EVENTS
from wistlake.contracts.fact_media_by_date import TABLE as FACT_MEDIA_BY_DATE
from wistlake.contracts.fact_media_daily import TABLE as FACT_MEDIA_DAILY
from wistlake.contracts.media_by_date_observations import TABLE as OBSERVATIONS
from wistlake.contracts.media_lifetime import TABLE as MEDIA_LIFETIME
from wistlake.contracts.quality_results import TABLE as QUALITY_RESULTS
from wistlake.contracts.reconciliation import TABLE as RECONCILIATION
from wistlake.derive.merge import days_in
from wistlake.pipeline.tables.context import BuildContext
from wistlake.pipeline.tables.plan import Pair
from wistlake.pipeline.tables.row_changes import TableChanges
from wistlake.planning.calendar import zone
from wistlake.quality import lifetime
from wistlake.quality.certificates import Certificate
from wistlake.quality.checks import PAST_DAYS, Finding, Past, references, volume
from wistlake.quality.lifetime import SPAN_DAYS, Snapshot
from wistlake.quality.reconciliation import (
    EVENTS_AND_PLAYS,
    GROWTH,
    OF_DAYS,
    PLAYED_HOURS,
    SETTLED_COUNTS,
    WHOLE_PLAYERS,
    Band,
    DayFigures,
    Judgement,
    Usual,
    Verdict,
    gold_is_silver,
    judge,
    learned_band,
    max_plausible_plays,
    same_magnitude,
    usual,
)
from wistlake.transforms import recount as recounting
from wistlake.transforms.changes import NEW

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Counted = Mapping[Pair, Mapping[str, int]]
_SETTLED = (str(Certificate.SETTLED), str(Certificate.CERTIFIED))
_NAMES = (*recounting.FIGURES, "events", "misplaced")


def recount(bench: BuildContext, pairs: set[Pair], wanted: "DataFrame") -> Counted:
    """The days' figures from silver alone; zeros where it has no session."""
    near = {day + timedelta(days=n) for _, day in pairs for n in (-1, 0, 1)}
    events = bench.store.read(FACT_EVENTS).where(days_in("event_date", near))
    zeros = dict.fromkeys(_NAMES, 0)
    found = dict.fromkeys(pairs, zeros)
    for row in recounting.build(events, wanted).collect():
        found[(row["media_id"], row["date"])] = {
            name: row[name] if row[name] is None else int(row[name]) for name in _NAMES
        }
    return found


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts on some days, and the certificates of those that nothing has moved since they settled: what was
    judged then stands, whatever has been learned of other days."""

    judgements: tuple[Judgement, ...]
    standing: Mapping[Pair, Certificate]


NOTHING = Judged((), {})


def days(bench: BuildContext, pairs: set[Pair], counted: Counted, by_date: "DataFrame") -> Judged:
    """The identities of each day that do not need gold; notes the check of volume on the way."""
    counts = {
        (r["media_id"], r["date"]): r
        for r in by_date.select("media_id", "date", "load_count", "play_count").collect()
    }
    past, new = _past(bench, pairs), _newly_observed(bench)
    bench.findings += volume({p: c["sessions"] for p, c in counted.items()}, past)
    before = {(p.media_id, p.date): p for p in past}
    figures = [
        _figures(bench, pair, counted[pair], counts.get(pair), before.get(pair), is_new=pair in new)
        for pair in sorted(pairs)
    ]
    standing = {
        (f.media_id, f.date): Certificate(p.certificate)
        for f in figures
        if (p := before.get((f.media_id, f.date))) and _stands(bench, f, p)
    }
    by_media = _by_media(past)
    judgements = [
        j
        for f in _believed(bench, figures, by_media)
        for j in judge(f, _band(by_media.get(f.media_id, ()), f.date, bench.plan.band))
        if (f.media_id, f.date) not in standing or not _as_before(j)
    ]
    return Judged(tuple(judgements), standing)


def _figures(
    bench: BuildContext,
    pair: Pair,
    counted: Mapping[str, int],
    counts: Any,
    before: Past | None,
    *,
    is_new: bool,
) -> DayFigures:
    reread = before is not None and before.certificate in _SETTLED and pair in bench.plan.reread
    return DayFigures(
        *pair,
        plays=counts["play_count"] if counts else None,
        events=counted["events"],
        rows=counted["sessions"],
        misplaced=counted["misplaced"],
        settled=pair in bench.plan.past_lookback,
        listed=pair in bench.plan.listed,
        loads=counts["load_count"] if counts else None,
        settled_counts=(before.loads, before.plays) if before and reread else None,
        # What this build is the first to see no earlier reading can have named, whatever the ledger says.
        plays_confirmed=not is_new and pair in bench.plan.confirmed | bench.plan.said_twice,
    )


def _newly_observed(bench: BuildContext) -> set[Pair]:
    """The days whose counts or hours this build saw for the first time."""
    observed = bench.outcomes.get(OBSERVATIONS.full_name)
    return {
        (t.media_id, t.day)
        for t in (observed.tally if observed else ())
        if t.change == NEW and t.media_id is not None and t.day is not None
    }


def _stands(bench: BuildContext, day: DayFigures, before: Past) -> bool:
    """Whether the day is what it was when it settled."""
    return (
        before.certificate in _SETTLED
        and (day.media_id, day.date) in bench.plan.past_lookback & bench.plan.confirmed
        and (before.loads, before.plays, before.sessions) == (day.loads, day.plays, day.rows)
    )


def _as_before(judgement: Judgement) -> bool:
    """Whether a verdict on a day that stands says nothing that its last one did not."""
    if judgement.identity == SETTLED_COUNTS:
        return judgement.verdict is Verdict.NOT_APPLICABLE
    return judgement.identity == EVENTS_AND_PLAYS


def _believed(
    bench: BuildContext, figures: Iterable[DayFigures], past: Mapping[str, Sequence[Past]]
) -> Iterator[DayFigures]:
    """The figures with what is usual for their media, and whether plays that are not were named before."""
    known = _usual(past, figures := list(figures))
    wild = {
        (f.media_id, f.date): f.plays
        for f in figures
        if f.plays
        and not f.plays_confirmed
        and f.plays > max_plausible_plays(f.events, known.get(f.media_id))
    }
    again = _said_again(bench, wild) if wild else set()
    figures = [
        replace(f, plays_confirmed=f.plays_confirmed or (f.media_id, f.date) in again) for f in figures
    ]
    known = _usual(past, figures)
    return (replace(f, usual=known.get(f.media_id)) for f in figures)


def _usual(past: Mapping[str, Sequence[Past]], figures: Iterable[DayFigures]) -> dict[str, Usual | None]:
    """What is usual for each media: on its days in gold, and on those that Wistia has named twice."""
    days = {media: [(p.plays, p.sessions) for p in of_media if p.plays] for media, of_media in past.items()}
    for f in figures:
        if f.plays_confirmed and f.plays:
            days.setdefault(f.media_id, []).append((f.plays, f.events))
    return {media: usual(of_media) for media, of_media in days.items()}


def _said_again(bench: BuildContext, wild: Mapping[Pair, int]) -> set[Pair]:
    """The pairs of which more than one observation named plays of this magnitude."""
    observed = bench.store.read(OBSERVATIONS).where(days_in("date", (day for _, day in wild)))
    seen: Counter[Pair] = Counter()
    for row in observed.select("media_id", "date", "play_count").collect():
        pair = (row["media_id"], row["date"])
        seen[pair] += pair in wild and same_magnitude(row["play_count"], wild[pair])
    return {pair for pair, times in seen.items() if times > 1}


def _past(bench: BuildContext, pairs: set[Pair]) -> tuple[Past, ...]:
    """Gold of the same media as it stands: those days, and what came before them."""
    first = min(day for _, day in pairs) - timedelta(days=PAST_DAYS)
    last = max(day for _, day in pairs)
    media = sorted({media_id for media_id, _ in pairs})
    rows = (
        bench.store.read(FACT_MEDIA_DAILY)
        .where(f"date between date'{first}' and date'{last}'")
        .where(F.col("media_id").isin(media))
        .select(*(f.name for f in fields(Past)))
    )
    return tuple(Past(**row.asDict()) for row in rows.collect())


def _by_media(past: Iterable[Past]) -> dict[str, list[Past]]:
    found: dict[str, list[Past]] = {}
    for p in past:
        found.setdefault(p.media_id, []).append(p)
    return found


def _band(past: Iterable[Past], day: date, default: Band) -> Band:
    """The band of a day, from the settled days of its media before it."""
    settled = [
        (p.plays, p.sessions)
        for p in past
        if p.certificate in _SETTLED and p.plays is not None and 0 < (day - p.date).days <= PAST_DAYS
    ]
    return learned_band(settled, default)


def agreement(pairs: set[Pair], staged: Sequence[TableChanges], counted: Counted) -> tuple[Judgement, ...]:
    """Identity 7: every table of gold, as it is about to be, against the recount."""
    daily = next(a for a in staged if a.table is FACT_MEDIA_DAILY)
    names = tuple(recounting.FIGURES)
    ours = {
        (r["media_id"], r["date"]): {n: r[n] for n in names}
        for r in daily.changes.where("_change <> 'removed'").select("media_id", "date", *names).collect()
    }
    added: dict[Pair, Counter[str]] = {p: Counter() for p in pairs}
    others = [a for a in staged if a.table is not FACT_MEDIA_DAILY]
    for applied in others:
        for t in applied.tally:
            if t.media_id and t.local_day and (t.media_id, t.local_day) in added:
                added[(t.media_id, t.local_day)][applied.table.name] += t.measured
    judgements = []
    for pair in sorted(pairs):
        whole = counted[pair]
        again = {n: whole[n] for n in names} | {
            a.table.name: whole["sessions"] + whole["plays_from_events"] for a in others
        }
        gold = ours.get(pair, {}) | {a.table.name: added[pair][a.table.name] for a in others}
        judgements.append(gold_is_silver(*pair, gold, again))
    return tuple(judgements)


def nothing_to_judge(withdrawn: Iterable[Pair]) -> Iterator[Judgement]:
    """Days that do not stand in gold any more have no verdicts."""
    for media_id, day in sorted(withdrawn):
        for identity, blocking in OF_DAYS.items():
            yield Judgement(identity, media_id, day, Verdict.NOT_APPLICABLE, blocking)


def lifetimes(bench: BuildContext) -> tuple[Judgement, ...]:
    """Identities 1 to 3 of the media that have a snapshot in this build."""
    outcome = bench.outcomes.get(MEDIA_LIFETIME.full_name)
    media = sorted({t.media_id for t in outcome.tally if t.media_id}) if outcome else []
    if not media:
        return ()
    today = bench.plan.started_at.date()
    of_media = F.col("media_id").isin(media)
    snapshots = (
        bench.store.read(MEDIA_LIFETIME)
        .where(of_media & (F.col("snapshot_date") >= today - timedelta(days=SPAN_DAYS + 1)))
        .select(*(f.name for f in fields(Snapshot)))
        .collect()
    )
    first = today - timedelta(days=SPAN_DAYS + 4)
    plays = bench.store.read(FACT_MEDIA_BY_DATE).where(of_media & (F.col("date") >= first))
    counts = {
        (r["media_id"], r["date"]): r["play_count"]
        for r in plays.select("media_id", "date", "play_count").collect()
    }
    tz = zone(bench.plan.zone)
    return lifetime.judge((Snapshot(**s.asDict()) for s in snapshots), counts, tz)


def of_lifetime(bench: BuildContext, pairs: set[Pair]) -> tuple[Judgement, ...]:
    """Broken lifetime identities of the morning after each day: they keep it from being certified."""
    if not pairs:
        return ()
    mornings = {(m, day + timedelta(days=1)) for m, day in pairs}
    found = bench.store.read(RECONCILIATION).where(
        F.col("identity").isin(PLAYED_HOURS, WHOLE_PLAYERS, GROWTH) & (F.col("verdict") == "broken")
    )
    return tuple(
        Judgement(r["identity"], r["media_id"], r["date"] - timedelta(days=1), Verdict.BROKEN, blocking=False)
        for r in found.where(days_in("date", {d for _, d in mornings})).collect()
        if (r["media_id"], r["date"]) in mornings
    )


def refer(bench: BuildContext) -> None:
    """Note whether every media that facts were changed for is described."""
    changed = {
        name: {t.media_id for t in bench.outcomes[name].tally if t.media_id}
        for name in (FACT_EVENTS.full_name, FACT_MEDIA_BY_DATE.full_name, FACT_MEDIA_DAILY.full_name)
        if name in bench.outcomes
    }
    if not any(changed.values()):
        return
    known = {r[0] for r in bench.store.read(DIM_MEDIA).select("media_id").collect()}
    for name, media in changed.items():
        bench.findings += references(name, media, known)


def record(bench: BuildContext, judgements: Iterable[Judgement]) -> tuple[Finding, ...]:
    """`ops.reconciliation`: every verdict, as last judged; `ops.quality_results`: every check of this build,
    which are returned."""
    verdicts = [
        (j.identity, j.media_id, j.date, str(j.verdict), j.blocking, j.ours, j.theirs, j.lower, j.upper)
        for j in judgements
    ]
    if verdicts:
        schema = (
            "identity string, media_id string, date date, verdict string, blocking boolean,"
            " ours double, theirs double, lower double, upper double"
        )
        rows = bench.spark.createDataFrame(verdicts, schema).withColumns(
            {"run_id": F.lit(bench.plan.run_id), "built_at": bench.built_at}
        )
        rows = rows.select(*RECONCILIATION.column_names)
        bench.put(RECONCILIATION, rows, bench.by_key(RECONCILIATION, rows))
    return _record_findings(bench)


def _record_findings(bench: BuildContext) -> tuple[Finding, ...]:
    """A run of several builds, or one that is tried again, says the last word on each scope."""
    latest = {(f.check, f.scope): f for f in (*bench.plan.findings, *bench.quarantined(), *bench.findings)}
    run_id = bench.plan.run_id
    found = [
        (run_id, f.check, f.scope, str(f.verdict), str(f.effect), f.checked, f.violations, f.detail or None)
        for f in latest.values()
    ]
    schema = (
        "run_id string, check_name string, scope string, verdict string, effect string, checked bigint,"
        " violations bigint, detail string"
    )
    rows = bench.spark.createDataFrame(found, schema).withColumns({"built_at": bench.built_at})
    rows = rows.select(*QUALITY_RESULTS.column_names)
    mine = bench.store.read(QUALITY_RESULTS).where(F.col("run_id") == run_id)
    findings = tuple(latest.values())
    bench.put(QUALITY_RESULTS, rows, mine.withColumn("_in_scope", F.lit(True)))
    return findings
