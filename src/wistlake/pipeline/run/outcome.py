"""What a build changes in the ledger, and how readers get to see it. Standard library only: Glue runs it too."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date
from enum import Enum
from itertools import islice

from wistlake.contracts import source
from wistlake.contracts.form import Calendar
from wistlake.pipeline.run import labels
from wistlake.pipeline.run.pending import as_built, as_stopped, signature
from wistlake.pipeline.run.spec import RunSpec
from wistlake.pipeline.run.view import LedgerView
from wistlake.pipeline.tables import BuildPlan, BuildResult
from wistlake.planning import shared_keys
from wistlake.planning.calendar import utc_days_of, zone
from wistlake.planning.compacted import Compacted
from wistlake.planning.intervals import Interval, MediaEntry, State, Watermark
from wistlake.planning.plan import HORIZON, watermark
from wistlake.planning.publishing import BY_DATE, EVENTS, GOLD
from wistlake.planning.shared_keys import SharedDays
from wistlake.ports import Ledger, Publication

LEFT = "no longer listed by the account"
Key = tuple[str, str, date]


class Policy(Enum):
    """When readers get what a run has built. Written once at the end, a run's tables appear together, which a run
    of several processes needs; written after each build, a long backfill shows what it has, and a death loses
    one build."""

    EACH_BUILD = "each build"
    AT_THE_END = "at the end"


def retired(spec: RunSpec, media: Iterable[MediaEntry], unlisted: Collection[str]) -> list[MediaEntry]:
    """`media`, of which those that are `unlisted` in the account now are followed no longer."""
    now = spec.window.now
    return [
        replace(m, retired_at=now, reason=LEFT) if m.media_id in unlisted and m.retired_at is None else m
        for m in media
    ]


def show(spec: RunSpec, ledger: Ledger, built: BuildResult | None, intervals: Iterable[Interval]) -> None:
    """Tables first, then intervals: a crash in between leaves work to do, and readers see nothing wrong. Watermarks
    (`advance`) come last."""
    if built is not None:
        ledger.publish(Publication(spec.run_id, spec.window.now, built.tables))
        keep_shared(ledger, built.shared)
        labels.keep(ledger, built.labelled)
    ledger.record(intervals)


def publish_build(
    spec: RunSpec,
    ledger: Ledger,
    media: Iterable[MediaEntry],
    view: LedgerView,
    plan: BuildPlan,
    result: BuildResult,
) -> None:
    """Show one build to readers, and move the watermarks."""
    changed = outcome(spec, view.intervals, plan, result)
    view.intervals |= changed
    show(spec, ledger, result, changed.values())
    advance(spec, ledger, media, view)


def outcome(
    spec: RunSpec,
    intervals: Mapping[Key, Interval],
    plan: BuildPlan,
    result: BuildResult,
    earlier: Collection[Key] = (),
) -> dict[Key, Interval]:
    """The intervals of the landings that were built, and of the days of gold, as they are once published. A day that is
    held concerns `earlier` landings too: those of earlier builds of the run."""
    blocked = _blocked(spec, result)
    now = spec.window.now
    after = [
        replace(intervals[key], state=State.FAILED, reason=blocked[key], updated_at=now)
        for key in sorted(blocked.keys() & {*earlier})
        if intervals[key].state is State.PUBLISHED
    ]
    for landing in plan.landings:
        key = (landing.dataset, landing.media_id, landing.day)
        interval = intervals[key]
        is_built = interval.built_signature == signature(interval, spec, len(plan.keys))
        if key in result.stopped:
            # What another day of its media has stopped stands as it was built before: nothing new was read.
            if not is_built:
                after.append(as_stopped(interval, spec, len(plan.keys), result.stopped[key]))
        elif key in blocked:
            after.append(replace(interval, state=State.FAILED, reason=blocked[key], updated_at=now))
        elif not is_built:
            after.append(as_built(interval, spec, len(plan.keys)))
    return {i.key: i for i in (*after, *_gold(spec, result))}


def shared_days(ledger: Ledger) -> frozenset[SharedDays]:
    """Which UTC days list the same keys, as far as any build has seen."""
    return shared_keys.read(ledger.facts(shared_keys.FACTS))


def keep_shared(ledger: Ledger, days: frozenset[SharedDays]) -> None:
    """Write that down, if it is news."""
    if shared_days(ledger) != days:
        ledger.put_facts(shared_keys.FACTS, shared_keys.document(days))


def intend(
    spec: RunSpec,
    ledger: Ledger,
    intervals: Mapping[Key, Interval],
    pairs: Iterable[tuple[str, date]],
    pairs_of_days: Collection[SharedDays] = (),
) -> dict[Key, Interval]:
    """What the next run must know, should this one die after it has committed silver: the days of gold that
    silver leaves behind, and the days that turned out to share keys. The intervals that this changes."""
    if pairs_of_days:
        keep_shared(ledger, shared_keys.before_publication(shared_days(ledger), pairs_of_days))
    # Until they are published again, every run computes these days.
    stale = {
        key: replace(intervals[key], state=State.BUILT, updated_at=spec.window.now)
        for key in ((GOLD, media_id, day) for media_id, day in pairs)
        if key in intervals and intervals[key].state is State.PUBLISHED
    }
    if stale:
        ledger.record(stale.values())
    return stale


def unchanged(spec: RunSpec, intervals: Iterable[Interval], pending_keys: set[Key]) -> dict[Key, Interval]:
    """The intervals of landings that say what silver was built from, as published."""
    datasets = {s.name for s in spec.sources}
    same = (
        replace(
            i,
            state=State.PUBLISHED,
            updated_at=spec.window.now,
            published_at=i.published_at or spec.window.now,
        )
        for i in intervals
        if i.state is State.LANDED and i.dataset in datasets and i.key not in pending_keys
    )
    return {i.key: i for i in same}


def advance(spec: RunSpec, ledger: Ledger, media: Iterable[MediaEntry], view: LedgerView) -> None:
    """Move each watermark to the end of its contiguous published prefix; never back."""
    first = {m.media_id: m.first_day for m in media}
    settled: dict[tuple[str, str], set[date]] = {}
    of_pair: dict[tuple[str, str], set[date]] = {}
    for i in view.intervals.values():
        of_pair.setdefault((i.dataset, i.media_id), set()).add(i.day)
        if i.dataset != GOLD and i.is_settled and i.state is not State.FAILED:
            settled.setdefault((i.dataset, i.media_id), set()).add(i.day)
    stored = {(w.dataset, w.media_id): w.last_date for w in ledger.watermarks()}
    moved = []
    for (dataset, media_id), open_days in sorted(settled.items()):
        rests = view.compacted.get(media_id, Compacted(media_id))
        newest = max(filter(None, (max(open_days), rests.last(dataset))))
        contract = source(dataset)
        # A snapshot can't be taken of a day that is gone: only the newest counts.
        snapshot = contract.calendar is Calendar.SNAPSHOT
        # Days that Wistia no longer keeps can't be missing.
        oldest = min(open_days | set(islice(rests.days_of(dataset), 1)))
        begins = max(first.get(media_id, oldest), newest - HORIZON)
        opened = {day for day in of_pair[(dataset, media_id)] if day not in open_days}
        if snapshot:
            last: date | None = newest
        elif contract.only_played:  # days without plays are no holes
            done = {*open_days, *rests.days_of(dataset)}
            last = max((d for d in done if d < min(opened, default=date.max)), default=None)
        else:
            last = watermark(begins, open_days, rests.days.get(dataset, ()), opened)
        if last is not None and last > stored.get((dataset, media_id), date.min):
            moved.append(Watermark(dataset, media_id, last, spec.window.now))
    ledger.advance(moved)


def _blocked(spec: RunSpec, result: BuildResult) -> dict[Key, str]:
    """Intervals that are built and may not count as done: their day did not reconcile."""
    tz = zone(spec.zone_name)
    reasons: dict[Key, str] = {}
    for media_id, day in result.blocked:
        cure = f"`wistlake explain fact_media_daily --media {media_id} --date {day}` says more"
        reason = f"{day} does not reconcile; {cure}"
        reasons[(BY_DATE, media_id, day)] = reason
        reasons |= {(EVENTS, media_id, utc_day): reason for utc_day in utc_days_of(day, tz)}
    return reasons


def _gold(spec: RunSpec, result: BuildResult) -> Iterable[Interval]:
    """The days of gold, each with its certificate and its zone; what was withdrawn waits to be whole again."""
    day = Interval(GOLD, "", date.min, State.PLANNED, spec.run_id, spec.window.now)
    published = replace(
        day,
        state=State.PUBLISHED,
        finished=True,
        built_signature=spec.zone_name,
        published_at=spec.window.now,
    )
    for (media_id, on), certificate in result.published.items():
        yield replace(published, media_id=media_id, day=on, reason=str(certificate))
    for media_id, on in result.withdrawn:
        yield replace(day, media_id=media_id, day=on)
