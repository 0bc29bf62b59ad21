"""Second step: fetches become landings. Ask, encode, put the parts, then the manifest, then record it."""

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Protocol

import structlog

from wistlake import bronze
from wistlake.bronze import Confirmation, Manifest, Part
from wistlake.contracts import source
from wistlake.contracts.form import ACCOUNT, Calendar, Source
from wistlake.derive import plain
from wistlake.errors import (
    SourceChanged,
    SourceMissing,
    SourceNotInPlan,
    SourceRefused,
    SourceUnavailable,
    WistlakeError,
)
from wistlake.pipeline.run.fetched import FetchSummary, Ingested
from wistlake.pipeline.run.handover import Handover
from wistlake.pipeline.run.outage import Outage
from wistlake.pipeline.run.played import note_plan, with_plays
from wistlake.pipeline.run.recover import landed, repeats
from wistlake.pipeline.run.spec import Client, Dependencies, Progress, Redact, RunSpec, quiet
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning.calendar import last_finished, zone
from wistlake.planning.intervals import Fetch, Interval, State
from wistlake.planning.packing import FACTS as SHARE
from wistlake.planning.packing import METADATA, PLAYED, SNAPSHOTS, descriptions, due, narrower
from wistlake.ports import Ledger, ObjectStore
from wistlake.privacy import tombstones
from wistlake.privacy.tombstones import Admission

log = structlog.get_logger()
PART_ROWS = 20_000
MOST_MISSED_ROWS, MOST_MISSED_SHARE = 20, 0.2  # of what the account's list held: else each media is listed
Key = tuple[str, str, date]


class Listing(Protocol):
    """What the client answers to one fetch."""

    records: list[dict[str, Any]]
    pages: int
    requests: int
    request: Mapping[str, Any]
    api: Mapping[str, Any]
    walk: Mapping[str, Any]
    missing: bool


@dataclass(frozen=True, slots=True)
class IngestContext:
    """What every landing of a run shares. `clock` tells when a listing was read, `admits` what may
    land of a record: of people who have been forgotten, nothing; `may_begin` whether there is time for another
    fetch; `fence` raises LeaseHeld once another run may write."""

    run_id: str
    tz: tzinfo
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    max_concurrency: int = 16
    redact: Redact | None = None
    admits: Admission | None = None
    on_news: Callable[[], None] = lambda: None
    may_begin: Callable[[], bool] = lambda: True
    progress: Progress = quiet
    outage: Outage = field(default_factory=Outage)
    fence: Callable[[], None] = lambda: None

    @classmethod
    def of(cls, spec: RunSpec, deps: Dependencies) -> "IngestContext":
        """The context of a run, with the ledger's tombstones. Its clock stands still: what one run reads is
        equally new, whichever answer came first."""
        return cls(
            spec.run_id,
            zone(spec.zone_name),
            lambda: spec.window.now,
            deps.monotonic,
            spec.max_concurrency,
            deps.redact,
            tombstones.admission(deps.ledger.facts(tombstones.FACTS), deps.keys),
            progress=deps.progress,
        )


@dataclass(slots=True)
class Question:
    """Which of some media the source does not have any more. Whoever comes before it is asked adds to it."""

    media: set[str] = field(default_factory=set)
    absent: frozenset[str] | None = None


async def ingest(deps: Dependencies, handover: Handover) -> Handover:
    """Second step: land every fetch of the plan. A media that fails does not stop the others."""
    spec = handover.plan.spec
    view = LedgerView.of(deps.ledger)
    view.load(key for f in handover.plan.fetches for key in f.keys)
    context = replace(IngestContext.of(spec, deps), on_news=_once_beside(deps.warm))
    done = await land(deps, context, handover.plan.fetches, view)
    note_share(deps.ledger, done)
    return replace(handover, fetched=FetchSummary.of(done), errors=(*handover.errors, *done.errors.values()))


async def land(
    deps: Dependencies,
    context: "IngestContext",
    fetches: Sequence[Fetch],
    view: LedgerView,
    seconds: float | None = None,
) -> Ingested:
    """Land the fetches; after `seconds`, what is under way is given up. `view` has their intervals, as far as the
    ledger knows them."""
    async with deps.client() as client:
        work = Ingest(context, deps.objects, deps.ledger, view, client)
        try:
            async with asyncio.timeout(seconds):
                await work.run(fetches)
        except TimeoutError:
            log.warning("out of time", run_id=context.run_id)
        note_plan(
            deps.ledger, context.outage.not_in_plan, {d for d, _ in work.done.requests}, context.clock()
        )
        return work.done


def _once_beside(work: Callable[[], None]) -> Callable[[], None]:
    """`work` in a thread of its own, at the first call: loading the engine and fetching overlap."""
    started: list[threading.Thread] = []

    def start() -> None:
        if not started:
            started.append(threading.Thread(target=work, daemon=True, name="warm"))
            started[0].start()

    return start


class Ingest:
    """One ingest at work."""

    def __init__(
        self,
        context: IngestContext,
        objects: ObjectStore,
        ledger: Ledger,
        view: LedgerView,
        client: Client,
    ) -> None:
        self.context, self.objects, self.ledger = context, objects, ledger
        self.view, self.client = view, client
        self.done = Ingested()
        self._ended = self._planned_fetches = 0
        self._gate = asyncio.Semaphore(context.max_concurrency)
        self._question, self._question_lock = Question(), asyncio.Lock()

    async def run(self, fetches: Sequence[Fetch]) -> Ingested:
        """Land every fetch. A refused token ends it at once; any other failure is its media's own."""
        certain = [f for f in fetches if not f.if_moved and f.dataset not in PLAYED]
        self._planned_fetches = len(fetches)
        self._note_planned(certain)
        await self._all(f for f in certain if f.dataset == METADATA)
        gone = {m.media_id for m in self.done.manifests.values() if m.dataset == METADATA and m.missing}
        if gone:
            self.done.unavailable[METADATA] = f"{', '.join(sorted(gone))}: not found at the source"
        rest = [f for f in self._of_existing(certain, gone) if f.dataset != METADATA]
        await self._all(f for f in rest if f.dataset not in SNAPSHOTS)
        await self._all([*(f for f in rest if f.dataset in SNAPSHOTS), *self._due(fetches, gone)])
        await self._played([f for f in fetches if f.dataset in PLAYED and f.media_id not in gone])
        self._record()
        return self.done

    def _of_existing(self, fetches: Iterable[Fetch], gone: Collection[str]) -> Iterator[Fetch]:
        """The fetches without the media that are gone, whose days are noted to be missing."""
        for fetch in fetches:
            self._note_missing(k for k in fetch.keys if k[0] != METADATA and k[1] in gone)
            existing = fetch.of({m for m in fetch.media if m not in gone})
            if existing is None:
                self._progress()
            else:
                yield existing

    def _due(self, fetches: Iterable[Fetch], gone: Collection[str]) -> Iterator[Fetch]:
        """Snapshots of media of which anything new was read. The others' last ones still stand."""
        existing = (f for f in fetches if f.media_id not in gone)
        intervals = {**self.view.intervals, **self.done.intervals}
        taken_now, self.done.carried = due(existing, intervals.values(), self.view.compacted)
        self._note_planned(taken_now)
        yield from taken_now

    async def _played(self, fetches: Collection[Fetch]) -> None:
        """What is asked for of days with plays only, as far as there are any. The first request of each dataset goes
        ahead: an account whose plan does not include it is asked once."""
        by_dataset: dict[str, list[Fetch]] = {}
        asked = with_plays(fetches, self.view, self._interval, self.objects, self.context.tz)
        for fetch in asked:
            by_dataset.setdefault(fetch.dataset, []).append(fetch)
        for _ in range(len(fetches) - len(asked)):
            self._progress()
        self._note_planned(asked)
        await self._all(played[0] for played in by_dataset.values())
        await self._all(f for played in by_dataset.values() for f in played[1:])

    def _interval(self, key: Key) -> Interval | None:
        return self.done.intervals.get(key) or self.view.intervals.get(key)

    async def _all(self, fetches: Iterable[Fetch]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for fetch in fetches:
                    group.create_task(self._one(fetch))
        except BaseExceptionGroup as e:
            # Whatever ended the group early, landings that are complete are kept.
            self._record()
            raise e.exceptions[0] from None
        except asyncio.CancelledError:
            self._record()
            raise

    async def _one(self, fetch: Fetch) -> None:
        """Land one listing; instead of one that fails, the narrower ones that it is made of."""
        async with self._gate:
            if not self.context.may_begin():
                return
            began = self.context.monotonic()
            outage = self.context.outage
            try:
                outage.require(fetch.dataset)
                instead = await self._land_fetch(fetch)
                outage.note(fetch.dataset, answered=True)
            except SourceRefused:
                raise
            except SourceMissing as e:
                outage.note(fetch.dataset, answered=True)
                if isinstance(e, SourceNotInPlan):
                    outage.not_in_plan[fetch.dataset] = str(e)
                    self._note_missing(fetch.keys, "not in your plan")
                else:
                    self._note_missing(fetch.keys)
                self.done.unavailable[fetch.dataset] = str(e)
                instead = ()
            except WistlakeError as e:
                outage.note(fetch.dataset, answered=not isinstance(e, SourceUnavailable))
                may_help = isinstance(e, SourceUnavailable | SourceChanged) and not outage.is_down(
                    fetch.dataset
                )
                instead = narrower(fetch) if may_help else ()
                if not instead:
                    self._note_failed(fetch, e)
            pair = (fetch.dataset, fetch.media_id)
            spent = self.context.monotonic() - began
            self.done.seconds[pair] = self.done.seconds.get(pair, 0.0) + spent
        self._planned_fetches += len(instead)
        self._progress()
        if instead:
            await self._all(instead)

    def _progress(self) -> None:
        self._ended += 1
        self.context.progress("fetching", self._ended, self._planned_fetches)

    async def _land_fetch(self, fetch: Fetch) -> tuple[Fetch, ...]:
        """Read one listing and land what can be taken of it; what must be read day by day instead."""
        contract, observed_at = source(fetch.dataset), self.context.clock()
        if contract.name == METADATA and fetch.parts:
            listing = await self.client.describe(contract, fetch.media)
        else:
            listing = await self.client.fetch(
                contract, fetch.media_id, fetch.start, fetch.end, rows=fetch.rows
            )
        self._count((fetch.dataset, fetch.media_id), listing)
        if listing.missing and contract.name != METADATA and _is_plainly_absent(contract):
            raise SourceMissing(f"{fetch.media_id}: not found at the source")
        shares, odd = share_out(contract, fetch, listing.records, self.context.tz)
        if fetch.media_id == ACCOUNT and contract.calendar is Calendar.UTC:
            self.done.listed += len(listing.records)
            self.done.followed += sum(map(len, shares.values()))
            _require_length(fetch, len(listing.records))
        unconfirmed = _unconfirmed(contract, fetch, listing, shares)
        gone = await self._absent(unconfirmed) if unconfirmed else frozenset()
        if gone.issuperset(fetch.media):
            raise SourceMissing(f"{', '.join(sorted(gone))}: not found at the source")
        if listing.missing and unconfirmed:
            raise SourceChanged(
                f"{fetch.media_id}: Wistia answers 404 to {fetch.dataset} of {fetch.start}, and still has the "
                "media; nothing was taken from that. Run again later, and ask Wistia if it stays"
            )
        self._note_missing(key for key in shares if key[1] in gone)
        for key, records in shares.items():
            if key[1] not in gone and key not in odd:
                self._land(contract, fetch, key, records, listing, observed_at)
        return tuple(
            Fetch(dataset, media, day, day) for dataset, media, day in sorted(odd) if media not in gone
        )

    async def _absent(self, media: Collection[str]) -> frozenset[str]:
        """Those of the media that the source does not have any more, asked after this call: of one that was deleted
        while the run was under way, the list of events is empty. One question at a time, whose answer all share
        who waited for it to be asked."""
        question = self._question
        question.media.update(media)
        async with self._question_lock:
            if question.absent is None:
                if question is self._question:
                    self._question = Question()
                question.absent = await self._ask_for(question.media)
        return question.absent.intersection(media)

    async def _ask_for(self, media: Collection[str]) -> frozenset[str]:
        contract, day = source(METADATA), self.context.clock().astimezone(UTC).date()
        listed: set[str] = set()
        for named in descriptions(METADATA, sorted(media), day):
            if named.parts:
                answer = await self.client.describe(contract, named.media)
                self._count((METADATA, ACCOUNT), answer)
                listed.update(str(r.get("hashed_id")) for r in answer.records)
        absent = set()
        for media_id in sorted(set(media) - listed):
            answer = await self.client.fetch(contract, media_id, day, day)
            self._count((METADATA, ACCOUNT), answer)
            if answer.missing:
                absent.add(media_id)
        return frozenset(absent)

    def _count(self, pair: tuple[str, str], listing: Listing) -> None:
        self.done.requests[pair] = self.done.requests.get(pair, 0) + listing.requests
        self.done.pages[pair] = self.done.pages.get(pair, 0) + listing.pages

    # landings

    def _land(
        self,
        contract: Source,
        fetch: Fetch,
        key: Key,
        records: list[dict[str, Any]],
        listing: Listing,
        observed_at: datetime,
    ) -> None:
        """Write one landing, unless it only says again what the one before it said."""
        dataset, media_id, day = key
        landing = bronze.landing_id(dataset, media_id, day, self.context.run_id)
        manifest_key = bronze.manifest_key(landing)
        if self.objects.exists(manifest_key):  # this run was here before it died: what is committed stays
            self._note_landed(bronze.decode_manifest(self.objects.get(manifest_key)))
            return
        news = bronze.unknown_keys(contract, records)
        if self.context.admits:
            admitted = (self.context.admits(contract, r) for r in records)
            records = [dict(r) for r in admitted if r is not None]
        if self.context.redact:
            records = [self.context.redact(contract, r) for r in records]
        content, steady = bronze.hashes(contract, records)
        manifest = Manifest(
            landing_id=landing,
            dataset=dataset,
            media_id=media_id,
            day=day,
            run_id=self.context.run_id,
            observed_at=observed_at,
            finished=day <= last_finished(contract.calendar, observed_at, self.context.tz),
            rows=len(records),
            pages=listing.pages,
            content_hash=content,
            steady_hash=steady,
            payload_sha256="",
            parts=(),
            request=listing.request,
            api=listing.api,
            walk=listing.walk,
            unknown_keys=news,
            missing=listing.missing,
            redacted=self.context.redact is not None,
            listing=f"{dataset}/{fetch.media_id}/{fetch.start}..{fetch.end}",
            plain=plain.mark(contract, records),
        )
        before = self._before(key)
        if self._repeats(before, manifest):
            self.done.confirmed.append(
                Confirmation(*key, self.context.run_id, observed_at, before.landing_id, manifest.finished)
            )
        else:
            manifest = replace(manifest, parts=self._put_parts(landing, records))
            manifest = replace(manifest, payload_sha256=bronze.payload_hash(manifest.parts))
            self.objects.put(manifest_key, bronze.encode_manifest(manifest), if_absent=True)
        self._note_landed(manifest, is_quiet=_is_quiet(contract, records))

    def _put_parts(self, landing: str, records: Sequence[dict[str, Any]]) -> tuple[Part, ...]:
        parts = []
        for number, first in enumerate(range(0, len(records), PART_ROWS), 1):
            chunk = records[first : first + PART_ROWS]
            data = bronze.encode_lines(landing, chunk, first + 1)
            key = bronze.part_key(landing, number)
            self.objects.put(key, data)
            parts.append(Part(key, len(chunk), len(data), bronze.sha256(data)))
        return tuple(parts)

    # the ledger's side

    def _record(self) -> None:
        """Write down what has been read so far: readings that brought nothing new among the objects as well, for
        nothing else of them is there."""
        self.context.fence()
        if self.done.confirmed:
            self.objects.put(*bronze.encode_confirmations(self.done.confirmed))
        self.ledger.record(self.done.intervals.values())

    def _note_planned(self, fetches: Iterable[Fetch]) -> None:
        self.context.fence()
        self.ledger.record(
            replace(self._before(key), state=State.PLANNED, reason="") for f in fetches for key in f.keys
        )

    def _before(self, key: Key) -> Interval:
        now = self.context.clock()
        before = self.view.intervals.get(key)
        if before is None:
            return Interval(*key, state=State.PLANNED, run_id=self.context.run_id, updated_at=now)
        return replace(before, run_id=self.context.run_id, updated_at=now)

    def _note_landed(self, manifest: Manifest, *, is_quiet: bool = False) -> None:
        key = (manifest.dataset, manifest.media_id, manifest.day)
        self.done.unknown_keys.setdefault(manifest.dataset, set()).update(manifest.unknown_keys)
        self.done.manifests[key] = manifest
        before = self._before(key)
        self.done.intervals[key] = landed(
            before, manifest, repeats=self._repeats(before, manifest), is_quiet=is_quiet
        )
        if self.done.intervals[key].content_hash != before.content_hash:
            self.context.on_news()
        log.debug("landed", dataset=key[0], media_id=key[1], day=str(key[2]), rows=manifest.rows)

    def _repeats(self, before: Interval, manifest: Manifest) -> bool:
        """Whether the landing says what the one before it said, which is still there. One that could not be built
        is not held on to: it may be damaged."""
        return (
            before.state is not State.FAILED
            and repeats(before, manifest)
            and self.objects.exists(bronze.manifest_key(before.landing_id))
        )

    def _note_missing(self, keys: Iterable[Key], reason: str = "not found at the source") -> None:
        """The source has nothing there, by its own word: not a gap, and nothing is removed because of it."""
        for key in keys:
            before = self._before(key)
            self.done.intervals[key] = replace(
                before,
                state=State.PUBLISHED,
                reason=reason,
                missing=not before.landing_id,
                finished=True,
                published_at=before.published_at or self.context.clock(),
            )

    def _note_failed(self, fetch: Fetch, error: WistlakeError) -> None:
        log.error("fetch failed", dataset=fetch.dataset, media_id=fetch.media_id, day=str(fetch.start),
                  error=str(error))  # fmt: skip
        self.done.errors[(fetch.dataset, fetch.media_id)] = error
        for key in fetch.keys:
            if key not in self.done.manifests:  # what has landed of the listing stays
                self.done.intervals[key] = replace(self._before(key), state=State.FAILED, reason=str(error))


def _require_length(fetch: Fetch, rows: int) -> None:
    """SourceChanged if the account's list is much shorter than it was: lists of single media will tell."""
    missed = fetch.rows - rows
    if missed > max(MOST_MISSED_ROWS, MOST_MISSED_SHARE * fetch.rows):
        raise SourceChanged(
            f"{missed} of {fetch.rows} sessions of {fetch.start}..{fetch.end} are not listed any more"
        )


def share_out(
    contract: Source, fetch: Fetch, records: Iterable[dict[str, Any]], tz: tzinfo
) -> tuple[dict[Key, list[dict[str, Any]]], set[Key]]:
    """The records of a listing by interval, and the intervals that must be read by themselves instead: sessions of a
    media of which some record names no day that was asked for, and media that are not described. Records of media that
    are not followed, and of days that nobody needs, are left out. What does not belong into a listing of one interval,
    or among the counts of a media, the contract refuses by name: those counts go to the nearest day.
    """
    shares: dict[Key, list[dict[str, Any]]] = {key: [] for key in fetch.keys}
    if len(shares) == 1:
        return {key: list(records) for key in shares}, set()
    lost: set[object] = set()
    for record in records:
        media_id, day = _place(contract, fetch, record, tz)
        key = (contract.name, media_id, day)
        if key in shares:
            shares[key].append(record)
        elif day is None or not fetch.start <= day <= fetch.end or not isinstance(media_id, str):
            if contract.calendar is Calendar.LOCAL:
                shares[fetch.keys[-1 if day and day > fetch.end else 0]].append(record)
            else:
                lost.add(media_id if isinstance(media_id, str) else None)
    if contract.calendar is Calendar.SNAPSHOT:
        return shares, {key for key, of_media in shares.items() if not of_media}
    return shares, {key for key in shares if key[1] in lost or None in lost}


def _place(contract: Source, fetch: Fetch, record: Mapping[str, Any], tz: tzinfo) -> tuple[Any, date | None]:
    """Media and day that a record of a listing is about."""
    match contract.calendar:
        case Calendar.SNAPSHOT:
            return record.get("hashed_id"), fetch.start
        case Calendar.LOCAL:
            return fetch.media_id, _day_of(record.get(contract.key[0]), tz)
    media_id = record.get("media_id") if fetch.media_id == ACCOUNT else fetch.media_id
    return media_id, _day_of(record.get("received_at"), UTC)


def _unconfirmed(
    contract: Source, fetch: Fetch, listing: Listing, shares: Mapping[Key, Sequence[Any]]
) -> set[str]:
    """Media of which a daily listing may be short because they went away: those it answers 404 to, of which it has no
    sessions on some day, or all of them where the list was read more than once because it moved. Rows of one page,
    and of a list that stood still, are their own proof; counts that are absent are unknown, not zero."""
    if _is_plainly_absent(contract) or not (contract.calendar is Calendar.UTC or listing.missing):
        return set()
    if listing.missing or int(listing.walk.get("passes", 1)) > 1:
        return set(fetch.media)
    return {key[1] for key, records in shares.items() if not records}


def _is_plainly_absent(contract: Source) -> bool:
    """Whether a 404 says enough: of what is not counted by day, or not every account has."""
    return contract.calendar is Calendar.SNAPSHOT or contract.optional


def _is_quiet(contract: Source, records: Iterable[Mapping[str, Any]]) -> bool:
    """Whether a landing tells of nothing that anybody did: no sessions, or counts of zero."""
    counts = [f.path for f in contract.fields if f.path not in contract.key and not f.restated]
    return not any(record.get(name) for record in records for name in counts)


def note_share(ledger: Ledger, done: Ingested) -> None:
    """Write down how many of the account's sessions are those of followed media: what a listing of it costs."""
    if done.listed:
        ledger.put_facts(SHARE, {"listed": done.listed, "followed": done.followed})


def _day_of(value: Any, tz: tzinfo) -> date | None:
    """The day that a record is about: a date, or the instant at which it begins."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == len("2024-01-01"):
            return date.fromisoformat(value)
        return datetime.fromisoformat(value).astimezone(tz).date()
    except ValueError:
        return None
