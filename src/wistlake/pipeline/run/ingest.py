"""Second step: fetches become landings. Ask, encode, put the parts, then the manifest, then record it."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Protocol

import structlog

from wistlake import bronze
from wistlake.bronze import Manifest, Part
from wistlake.contracts import SOURCES, source
from wistlake.contracts.form import Calendar, Source
from wistlake.errors import SourceChanged, SourceMissing, SourceRefused, WistlakeError
from wistlake.pipeline.run.fetched import FetchSummary, Ingested
from wistlake.pipeline.run.handover import Handover, RunPlan
from wistlake.pipeline.run.recover import landed, repeats
from wistlake.pipeline.run.spec import Dependencies, Progress, Redact, RunSpec, quiet
from wistlake.planning.calendar import days, last_finished, zone
from wistlake.planning.intervals import Fetch, Interval, State
from wistlake.ports import Ledger, ObjectStore
from wistlake.privacy import tombstones
from wistlake.privacy.tombstones import Admission

log = structlog.get_logger()
PART_ROWS = 20_000
FIRST = "media_metadata"  # tells which media exist: it is asked before everything else
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


FetchCall = Callable[[Source, str, date, date], Awaitable[Listing]]


@dataclass(frozen=True, slots=True)
class IngestContext:
    """What every landing of a run shares. `clock` tells when a listing was read, `admits` what may
    land of a record: of people who have been forgotten, nothing; `may_begin` whether there is time for another
    fetch."""

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
class Presence:
    """Whether a media is still at the source: one question at a time, whose answer all share who waited for
    it to be asked."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked: int = 0
    there: bool | None = None


async def ingest(deps: Dependencies, handover: Handover) -> Handover:
    """Second step: land every fetch of the plan. A media that fails does not stop the others."""
    spec = handover.plan.spec
    intervals = {i.key: i for i in deps.ledger.intervals()}
    context = replace(IngestContext.of(spec, deps), on_news=_once_beside(deps.warm))
    done = await land(deps, context, in_order(handover.plan), intervals)
    return replace(handover, fetched=FetchSummary.of(done), errors=tuple(done.errors.values()))


async def land(
    deps: Dependencies,
    context: "IngestContext",
    fetches: Sequence[Fetch],
    intervals: Mapping[Key, Interval],
    seconds: float | None = None,
) -> Ingested:
    """Land the fetches; after `seconds`, what is under way is given up. `intervals` are those of the ledger."""
    async with deps.client() as client:
        work = Ingest(context, deps.objects, deps.ledger, intervals, client.fetch)
        try:
            async with asyncio.timeout(seconds):
                await work.run(fetches)
        except TimeoutError:
            log.warning("out of time", run_id=context.run_id)
        return work.done


def in_order(plan: RunPlan) -> list[Fetch]:
    """The plan's fetches by dataset in contract order, then media, then day."""
    place = {s.name: n for n, s in enumerate(SOURCES)}
    return sorted((f for of_media in plan.fetches.values() for f in of_media), key=lambda f: place[f.dataset])


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
        intervals: Mapping[Key, Interval],
        fetch: FetchCall,
    ) -> None:
        self.context, self.objects, self.ledger = context, objects, ledger
        self.intervals, self.fetch = intervals, fetch
        self.done = Ingested()
        self._answered = self._asked = 0
        self._presence: dict[str, Presence] = {}
        self._gate = asyncio.Semaphore(context.max_concurrency)

    async def run(self, fetches: Sequence[Fetch]) -> Ingested:
        """Land every fetch. A refused token ends it at once; any other failure is its media's own."""
        self._asked = len(fetches)
        self.ledger.record(self._planned(f, day) for f in fetches for day in days(f.start, f.end))
        await self._all(f for f in fetches if f.dataset == FIRST)
        gone = {m.media_id for m in self.done.manifests.values() if m.dataset == FIRST and m.missing}
        rest = [f for f in fetches if f.dataset != FIRST]
        if gone:
            self.done.unavailable[FIRST] = f"{', '.join(sorted(gone))}: not found at the source"
        for fetch in (f for f in rest if f.media_id in gone):
            self._note_missing(fetch)
            self._answered += 1
        await self._all(f for f in rest if f.media_id not in gone)
        self.ledger.record(self.done.intervals.values())
        return self.done

    async def _all(self, fetches: Iterable[Fetch]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for fetch in fetches:
                    group.create_task(self._one(fetch))
        except BaseExceptionGroup as e:
            # Whatever ended the group early, landings that are complete are kept.
            self.ledger.record(self.done.intervals.values())
            raise e.exceptions[0] from None
        except asyncio.CancelledError:
            self.ledger.record(self.done.intervals.values())
            raise

    async def _one(self, fetch: Fetch) -> None:
        async with self._gate:
            if not self.context.may_begin():
                return
            contract = source(fetch.dataset)
            observed_at, began = self.context.clock(), self.context.monotonic()
            try:
                listing = await self.fetch(contract, fetch.media_id, fetch.start, fetch.end)
                if _is_doubtful(contract, listing):
                    await self._vouch(fetch, listing)
            except SourceRefused:
                raise
            except SourceMissing as e:
                self.done.unavailable[fetch.dataset] = str(e)
                self._note_missing(fetch)
            except WistlakeError as e:
                self._note_failed(fetch, e)
            else:
                self._land_listing(contract, fetch, listing, observed_at)
            pair = (fetch.dataset, fetch.media_id)
            spent = self.context.monotonic() - began
            self.done.seconds[pair] = self.done.seconds.get(pair, 0.0) + spent
            self._answered += 1
            self.context.progress("fetching", self._answered, self._asked)

    async def _vouch(self, fetch: Fetch, listing: Listing) -> None:
        """Only of a media that is there after the listing was read, what is absent is zero.

        SourceMissing if it is gone. SourceChanged if it is there, and the listing was answered 404: that says
        nothing about the day, and a day is not published on nothing.
        """
        if not await self._is_there(fetch):
            raise SourceMissing(f"{fetch.media_id}: not found at the source")
        if listing.missing:
            raise SourceChanged(
                f"{fetch.media_id}: Wistia answers 404 to {fetch.dataset} of {fetch.start}, and still has the "
                "media; nothing was taken from that. Run again later, and ask Wistia if it stays"
            )

    async def _is_there(self, fetch: Fetch) -> bool:
        """Whether the source has the media, asked after this call: of one that was deleted while the run
        was under way, the list of events is empty."""
        seen = self._presence.setdefault(fetch.media_id, Presence())
        asked_before = seen.asked
        async with seen.lock:
            if seen.asked == asked_before or seen.there is None:
                seen.asked, seen.there = seen.asked + 1, None
                now = self.context.clock().astimezone(UTC).date()
                answer = await self.fetch(source(FIRST), fetch.media_id, now, now)
                self._count((fetch.dataset, fetch.media_id), answer)
                seen.there = not answer.missing
            return seen.there

    def _count(self, pair: tuple[str, str], listing: Listing) -> None:
        self.done.requests[pair] = self.done.requests.get(pair, 0) + listing.requests
        self.done.pages[pair] = self.done.pages.get(pair, 0) + listing.pages

    # landings

    def _land_listing(self, contract: Source, fetch: Fetch, listing: Listing, observed_at: datetime) -> None:
        self._count((fetch.dataset, fetch.media_id), listing)
        if listing.missing and fetch.dataset != FIRST:
            self.done.unavailable.setdefault(fetch.dataset, f"{fetch.media_id}: not found at the source")
            self._note_missing(fetch)
            return
        try:
            for day, records in self._by_day(contract, fetch, listing.records).items():
                self._land(contract, fetch, day, records, listing, observed_at)
        except WistlakeError as e:
            self._note_failed(fetch, e)

    def _by_day(
        self, contract: Source, fetch: Fetch, records: Sequence[dict[str, Any]]
    ) -> dict[date, list[dict[str, Any]]]:
        """A ranged answer cut into days; a record of a day that was not asked for goes to the first one,
        where the contract refuses it by name."""
        cut: dict[date, list[dict[str, Any]]] = {day: [] for day in days(fetch.start, fetch.end)}
        if contract.calendar is not Calendar.LOCAL:
            cut[fetch.start] = list(records)
            return cut
        for record in records:
            day = _local_day(record.get(contract.key[0]), self.context.tz)
            cut[day if day in cut else fetch.start].append(record)
        return cut

    def _land(
        self,
        contract: Source,
        fetch: Fetch,
        day: date,
        records: list[dict[str, Any]],
        listing: Listing,
        observed_at: datetime,
    ) -> None:
        landing = bronze.landing_id(fetch.dataset, fetch.media_id, day, self.context.run_id)
        key = bronze.manifest_key(landing)
        if self.objects.exists(key):  # this run was here before it died: what is committed stays
            self._note_landed(bronze.decode_manifest(self.objects.get(key)))
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
            dataset=fetch.dataset,
            media_id=fetch.media_id,
            day=day,
            run_id=self.context.run_id,
            observed_at=observed_at,
            finished=day <= last_finished(contract.calendar, observed_at, self.context.tz),
            rows=len(records),
            pages=listing.pages,
            content_hash=content,
            steady_hash=steady,
            payload_sha256="",
            parts=self._put_parts(landing, records),
            request=listing.request,
            api=listing.api,
            walk=listing.walk,
            unknown_keys=news,
            missing=listing.missing,
            redacted=self.context.redact is not None,
        )
        manifest = replace(manifest, payload_sha256=bronze.payload_hash(manifest.parts))
        self.objects.put(key, bronze.encode_manifest(manifest), if_absent=True)
        self._note_landed(manifest)

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

    def _planned(self, fetch: Fetch, day: date) -> Interval:
        return replace(self._before((fetch.dataset, fetch.media_id, day)), state=State.PLANNED, reason="")

    def _before(self, key: Key) -> Interval:
        now = self.context.clock()
        before = self.intervals.get(key)
        if before is None:
            return Interval(*key, state=State.PLANNED, run_id=self.context.run_id, updated_at=now)
        return replace(before, run_id=self.context.run_id, updated_at=now)

    def _note_landed(self, manifest: Manifest) -> None:
        key = (manifest.dataset, manifest.media_id, manifest.day)
        self.done.unknown_keys.setdefault(manifest.dataset, set()).update(manifest.unknown_keys)
        self.done.manifests[key] = manifest
        before = self._before(key)
        self.done.intervals[key] = landed(before, manifest, repeats=self._repeats(before, manifest))
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

    def _note_missing(self, fetch: Fetch) -> None:
        """The source has nothing there, by its own word: not a gap, and nothing is removed because of it."""
        for day in days(fetch.start, fetch.end):
            key = (fetch.dataset, fetch.media_id, day)
            before = self._before(key)
            self.done.intervals[key] = replace(
                before,
                state=State.PUBLISHED,
                reason="not found at the source",
                missing=not before.landing_id,
                finished=True,
                published_at=before.published_at or self.context.clock(),
            )

    def _note_failed(self, fetch: Fetch, error: WistlakeError) -> None:
        log.error("fetch failed", dataset=fetch.dataset, media_id=fetch.media_id, day=str(fetch.start),
                  error=str(error))  # fmt: skip
        self.done.errors[(fetch.dataset, fetch.media_id)] = error
        for day in days(fetch.start, fetch.end):
            key = (fetch.dataset, fetch.media_id, day)
            self.done.intervals[key] = replace(self._before(key), state=State.FAILED, reason=str(error))


def _is_doubtful(contract: Source, listing: Listing) -> bool:
    """Whether a daily listing may be short because its media went away: a 404, or a list of sessions that is
    empty, or was walked more than once because it moved. One page with rows, and a walk that stood still,
    are their own proof; counts that are absent are unknown, not zero."""
    if contract.calendar is Calendar.SNAPSHOT or contract.optional:
        return False
    counts_rows = contract.calendar is Calendar.UTC
    short = not listing.records or int(listing.walk.get("passes", 1)) > 1
    return listing.missing or (counts_rows and short)


def _local_day(value: Any, tz: tzinfo) -> date | None:
    """The account's day that a ranged record is about: a date, or the instant at which it begins."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == len("2024-01-01"):
            return date.fromisoformat(value)
        return datetime.fromisoformat(value).astimezone(tz).date()
    except ValueError:
        return None
