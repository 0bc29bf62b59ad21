"""From what the ledger knows to what a build must do: pending landings, and the days gold may publish."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import groupby

from wistlake.contracts import source
from wistlake.contracts.form import Calendar
from wistlake.pipeline.run.raw_pages import RawPages
from wistlake.pipeline.run.spec import TRANSFORM_VERSION, USUAL_ROWS, RunSpec
from wistlake.pipeline.run.view import LedgerView, Readings
from wistlake.pipeline.tables import BuildPlan, BuildResult, VisitorScope
from wistlake.pipeline.tables.plan import interval_key
from wistlake.planning.calendar import last_finished, zone
from wistlake.planning.compacted import CompactedMedia
from wistlake.planning.intervals import STOPPED, Interval, MediaEntry, State
from wistlake.planning.labels import Labels, channel_rules
from wistlake.planning.lookback import learned
from wistlake.planning.publishing import BY_DATE, EVENTS, GOLD, PROVISIONAL, gold_days, local_days
from wistlake.planning.shared_keys import SharedDays, neighbours, reordered
from wistlake.pool import in_order
from wistlake.quality.checks import Finding, freshness, settled_days, together
from wistlake.transforms.channels import fingerprint

Key = tuple[str, str, date]
Pair = tuple[str, date]
Done = tuple[BuildPlan, BuildResult]
VISITOR_DAYS = 1.5  # days of visitors, for each session of a build, that take as much memory


def signature(interval: Interval, spec: RunSpec, epoch: int) -> str:
    """Everything that a built day depends on. The same signature: the same rows, so no build."""
    contract = source(interval.dataset)
    # What a snapshot says depends on when it was taken: the duration that a media had then, say. (Those of older
    # versions, which have no `steady_hash`, were signed without it, and are not all built anew for that.)
    is_snapshot = contract.calendar is Calendar.SNAPSHOT
    taken = interval.observed_at if is_snapshot and interval.steady_hash else None
    parts = [
        interval.content_hash if taken is None else f"{interval.content_hash} {taken.isoformat()}",
        interval.missing,
        # Rows in quarantine name their landing. A day has a new one only if its content is new, a snapshot always.
        "" if is_snapshot else interval.landing_id,
        contract.version,
        TRANSFORM_VERSION,
        epoch,
        *_of_spec(spec),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def built_from(dataset: str, spec: RunSpec, epoch: int) -> str:
    """What `signature` says of all days of a dataset alike. Days that were compacted under another one are pending."""
    parts = [source(dataset).version, TRANSFORM_VERSION, epoch, *_of_spec(spec)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def built_from_all(spec: RunSpec, epoch: int) -> dict[str, str]:
    """`built_from` of each of the run's datasets."""
    return {s.name: built_from(s.name, spec, epoch) for s in spec.sources}


def _of_spec(spec: RunSpec) -> list[str]:
    """What all rows depend on, of the settings."""
    return [spec.zone_name, fingerprint(spec.rules), *(["city"] if spec.keep_city else [])]


def pending(intervals: Iterable[Interval], spec: RunSpec, epoch: int) -> tuple[Interval, ...]:
    """Intervals whose newest landing silver was not built from. One that was stopped is not tried again
    before it is listed anew, or a new contract may take it."""
    datasets = {s.name for s in spec.sources}
    return tuple(
        i
        for i in intervals
        if i.dataset in datasets
        and i.landing_id
        and i.built_signature != (STOPPED if i.is_stopped else "") + signature(i, spec, epoch)
    )


def restamped(
    spec: RunSpec, intervals: Iterable[Interval], pages: RawPages, epoch: int
) -> dict[Key, Interval]:
    """The published intervals that a new version would build anew, and whose pages are gone: as built by it. They stay
    as they are, and nobody asks for their pages again."""
    waiting = [i for i in pending(intervals, spec, epoch) if i.built_signature and i.state is State.PUBLISHED]
    pages.look_up(waiting)
    return {i.key: replace(i, built_signature=signature(i, spec, epoch)) for i in waiting if not pages.has(i)}


def within_memory(waiting: Sequence[Interval], usual: int = USUAL_ROWS) -> tuple[Interval, ...]:
    """As many of the intervals as one build takes: small datasets whole, then events by day, at least one day.

    The builds share the events evenly: every one of them rewrites the tables that have no days, and a small
    rest is not worth that."""
    small = [i for i in waiting if i.dataset != EVENTS]
    large = sorted((i for i in waiting if i.dataset == EVENTS), key=lambda i: (i.day, i.media_id))
    rows = sum(i.rows for i in large)
    share = rows / max(1, round(rows / usual))
    batch: list[Interval] = []
    taken = 0
    for _, of_day in groupby(large, key=lambda i: i.day):
        day = list(of_day)
        taken += sum(i.rows for i in day)
        if batch and taken > share:
            break
        batch += day
    return (*small, *batch)


def assemble(
    spec: RunSpec,
    media: Sequence[MediaEntry],
    view: LedgerView,
    pages: RawPages,
    keys: tuple[bytes, ...],
    tried: Set[Key] = frozenset(),
    shared: frozenset[SharedDays] = frozenset(),
    usual: int = USUAL_ROWS,
    labels: Labels | None = None,
) -> BuildPlan:
    """The next build of what is pending and was not `tried` yet: the oldest days first, no more rows than
    memory takes, but days that have `shared` keys with each other. Days that must wait for a later build are
    not published by this one. Any day of a media whose `labels` are new may change.

    Reads the manifests of its landings; StoreError if one that the ledger promises is not there.
    """
    open_ = pending(view.all(), spec, len(keys))
    # What was built once and has left bronze since stays as it stands; what never was built is missed.
    pages.look_up(i for i in open_ if i.built_signature)
    buildable = [i for i in open_ if not i.built_signature or pages.has(i)]
    read_at = Readings(view)
    if any(s.name == EVENTS for s in spec.sources):
        buildable += _built(view, reordered(shared, read_at) - {i.key for i in buildable}, pages)
    waiting = within_memory([i for i in buildable if i.key not in tried], usual)
    waiting = (*waiting, *_built(view, neighbours({i.key for i in waiting}, shared) - tried, pages))
    later = {i.key for i in buildable} - {i.key for i in waiting} - tried
    labels = labels or Labels()
    view.load((EVENTS, m, day) for m in labels.waiting for day in view.compacted_days(EVENTS, m))
    ready = [i for i in view.all() if i.key not in later]
    relabelled = [i for i in ready if i.dataset == EVENTS and i.media_id in labels.waiting]

    def load(keys: set[Key]) -> list[Interval]:
        view.load(keys)
        return [view.intervals[key] for key in keys & view.intervals.keys() - later]

    days = gold_days(
        media,
        ready,
        (*waiting, *relabelled),
        datasets=frozenset(s.name for s in spec.sources),
        now=spec.window.now,
        tz=zone(spec.zone_name),
        lookback_days=spec.window.lookback_days,
        include_open_days=spec.window.include_open_days,
        zone_name=spec.zone_name,
        run_id=spec.run_id,
        lookbacks=learned(view.all(), spec.window.now, spec.window.lookback_days, view.compacted),
        compacted=view.compacted,
        load=load,
    )
    unbuilt = {i.key for i in open_}
    gone = unbuilt - {i.key for i in buildable}
    return BuildPlan(
        run_id=spec.run_id,
        started_at=spec.window.now,
        zone=spec.zone_name,
        keys=keys,
        landings=tuple(in_order(pages.manifest, waiting)),
        publishable=days.publishable,
        refresh=days.refresh,
        past_lookback=days.past_lookback,
        confirmed=days.confirmed,
        listed=days.listed,
        counts_confirmed=days.counts_confirmed,
        reread=days.reread,
        withdrawn=frozenset() if later else days.withdrawn,  # what waits may make them whole
        listed_at=Readings(view, {(m, day) for dataset, m, day in unbuilt - gone if dataset == EVENTS}),
        read_at=read_at,
        shared=shared,
        rezoned=frozenset(_rezoned(view, gone, spec, len(keys))),
        findings=(
            *(() if later else _freshness(spec, media, ready, view.compacted)),
            *_settled(spec, view),
        ),
        rules=(*channel_rules(labels.entries), *spec.rules),
        keep_city=spec.keep_city,
        labels=labels,
        accept_shrink=spec.accept_shrink,
        visitors=VisitorScope.NOBODY if later else VisitorScope.PUBLISHED,
        visitor_days=int(VISITOR_DAYS * usual),
    )


def _built(view: LedgerView, keys: Set[Key], pages: RawPages) -> list[Interval]:
    """The intervals of `keys` that have a landing which was taken, as far as its raw pages are there."""
    view.load(keys)
    here = (view.intervals[key] for key in sorted(keys & view.intervals.keys()))
    return [i for i in here if i.landing_id and not i.is_stopped and pages.has(i)]


def _rezoned(view: LedgerView, gone: Set[Key], spec: RunSpec, epoch: int) -> Iterator[Pair]:
    """The days of sessions that only get the local day of another zone, because their raw pages are `gone`."""
    if not _is_rezoned(view.intervals.values(), spec):
        return
    yield from ((m, day) for dataset, m, day in gone if dataset == EVENTS)
    now = built_from(EVENTS, spec, epoch)
    for media_id, of_media in view.compacted.items():
        if of_media.built.get(EVENTS) != now:
            yield from (
                (media_id, day)
                for day in of_media.days_of(EVENTS)
                if view.is_compacted((EVENTS, media_id, day))
            )


def _is_rezoned(intervals: Iterable[Interval], spec: RunSpec) -> bool:
    """Whether days of another zone stand in gold: the lake's zone was changed, and the change is not done."""
    names = {i.built_signature for i in intervals if i.dataset == GOLD and i.state is not State.PLANNED}
    return bool(names - {"", spec.zone_name})


def _settled(spec: RunSpec, view: LedgerView) -> Iterator[Finding]:
    """Whether the settled days that were read again today say what they said before."""
    tz, today = zone(spec.zone_name), spec.window.now.astimezone(UTC).date()

    def is_settled(pair: Pair) -> bool:
        gold = view.intervals.get((GOLD, *pair))
        if gold is None:
            return view.is_compacted((GOLD, *pair))
        return gold.state in (State.PUBLISHED, State.BUILT) and gold.reason not in ("", PROVISIONAL)

    for name in (EVENTS, BY_DATE):
        read = [
            (i.media_id, i.day, _on(i.moved_at) == today)
            for i in view.all()
            if i.dataset == name
            and _on(i.observed_at) == today
            and any(is_settled((i.media_id, day)) for day in local_days(i, tz))
        ]
        if read:
            yield settled_days(name, read)


def _on(moment: datetime | None) -> date | None:
    return moment and moment.astimezone(UTC).date()


def _freshness(
    spec: RunSpec, media: Sequence[MediaEntry], intervals: Iterable[Interval], compacted: CompactedMedia
) -> Iterable[Finding]:
    """How far each daily dataset has landed, against the newest day that is over."""
    followed = [m.media_id for m in media if m.retired_at is None]
    newest: dict[str, dict[str, date | None]] = {}
    for media_id, of_media in compacted.items():
        for dataset in of_media.days:
            newest.setdefault(dataset, {})[media_id] = of_media.last(dataset)
    for i in intervals:
        # What the source does not have is not late.
        if (i.landing_id and i.finished) or i.missing:
            of_dataset = newest.setdefault(i.dataset, {})
            # An optional one that the account does not have is not asked for every day.
            day = date.max if i.missing and source(i.dataset).optional else i.day
            of_dataset[i.media_id] = max(day, of_dataset.get(i.media_id) or day)
    for s in spec.sources:
        if s.calendar is not Calendar.SNAPSHOT and not s.account_wide and not s.only_played:
            days = newest.get(s.name, {})
            expected = last_finished(s.calendar, spec.window.now, spec.window.tz)
            yield freshness(s.name, {m: days.get(m) for m in followed}, expected)


def tried_by(done: Iterable[Done]) -> set[Key]:
    """The landings of these builds."""
    return {interval_key(m) for work, _ in done for m in work.landings}


def following(
    spec: RunSpec,
    media: Sequence[MediaEntry],
    view: LedgerView,
    pages: RawPages,
    keys: tuple[bytes, ...],
    done: Sequence[Done],
    usual: int = USUAL_ROWS,
    labels: Labels | None = None,
) -> BuildPlan:
    """What the builds of this run have left to do: landings that memory had no room for, and days of gold
    that only a session which moved away from them has touched, also after they were published. What was refused is
    not tried again."""
    tried = tried_by(done)
    is_published: dict[Pair, bool] = {}  # by the last build that has computed the day
    for plan, result in done:
        is_published |= dict.fromkeys((*plan.refresh, *result.blocked), False)
        is_published |= dict.fromkeys(result.published, True)
    stale = {
        p
        for p, was in is_published.items()
        if was and view.intervals[(GOLD, *p)].state is not State.PUBLISHED
    }
    computed = is_published.keys() - stale
    stopped = {media_id for _, result in done for _, media_id, _ in result.stopped}
    checked = {f.check for work, _ in done for f in work.findings}
    work = assemble(spec, media, view, pages, keys, tried, done[-1][1].shared, usual, labels)
    remaining = (p for p in work.refresh if p not in computed and p[0] not in stopped)
    return replace(
        work,
        refresh=frozenset(remaining),
        reread=work.reread - is_published.keys(),
        withdrawn=work.withdrawn - {p for _, result in done for p in result.withdrawn},
        rezoned=frozenset(),  # once a run
        clears_cities=False,
        findings=tuple(f for f in work.findings if f.check not in checked),
        earlier=tuple(together(f for _, result in done for f in result.findings)),
    )


def as_stopped(interval: Interval, spec: RunSpec, epoch: int, reason: str) -> Interval:
    """The interval after a build that took nothing of its landing. A listing that says nothing of the day does
    not say that it moved either, and is nothing that the next one could confirm."""
    moved_at = interval.moved_at if interval.moved_at != interval.observed_at else None
    unread = replace(interval, confirmations=0, steady_hash="", moved_at=moved_at)
    return replace(
        unread,
        state=State.FAILED,
        reason=reason,
        updated_at=spec.window.now,
        built_signature=STOPPED + signature(unread, spec, epoch),
    )


def as_built(interval: Interval, spec: RunSpec, epoch: int) -> Interval:
    """The interval after readers got what was built from its landing."""
    return replace(
        interval,
        state=State.PUBLISHED,
        reason="",
        run_id=spec.run_id,
        updated_at=spec.window.now,
        built_signature=signature(interval, spec, epoch),
        published_at=spec.window.now,
    )
