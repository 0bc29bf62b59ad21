"""One run: plan, then ingest, then build, then publish. Backfill, repair and rebuild are other orders."""

import asyncio
import threading
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date

import structlog

from wistlake.errors import WistlakeError
from wistlake.pipeline import tombstone_copies as tombstone_home
from wistlake.pipeline.run.ingest import Ingest, IngestContext, Ingested
from wistlake.pipeline.run.pending import Done, assemble, following, pending
from wistlake.pipeline.run.publish import advance, confirm_unchanged, intend, publish, shared_days
from wistlake.pipeline.run.records import RUNNING, begun
from wistlake.pipeline.run.recover import adopt
from wistlake.pipeline.run.result import harvest, news, notice, refusals, tell
from wistlake.pipeline.run.select import ask, choose, retire
from wistlake.pipeline.run.spec import Dependencies, RunResult, RunSpec
from wistlake.pipeline.tables import BuildResult, Pair, build, merged
from wistlake.planning.intervals import Interval, MediaEntry
from wistlake.planning.shared import Shared
from wistlake.ports import LEASE, LEASE_SECONDS, Notice, Run

log = structlog.get_logger()
Key = tuple[str, str, date]


def run(spec: RunSpec, parts: Dependencies) -> RunResult:
    """Do `order` under the lake's lease, and say what was done.

    A media that fails does not stop the others: they are built and published, and the result (and the
    ledger) says `failed` with every error; `RunFailed` is the caller's to raise. What concerns the whole
    run (a refused token, a store) is raised at once.
    """
    started = spec.window.now
    with parts.ledger.lease(LEASE, spec.run_id, started, LEASE_SECONDS):
        origin = spec.origin if parts.on_the_network else "simulated"
        record = Run(spec.run_id, spec.trigger, origin, RUNNING, started)
        begun(parts.ledger, record, parts.clock())
        result = RunResult(spec.run_id, spec.trigger)
        log.info("run started", run_id=spec.run_id, trigger=spec.trigger)
        try:
            errors = _Work(spec, parts, result).go()
        except BaseException as e:
            failed = replace(record, status="failed", ended_at=parts.clock(), error=_said(e))
            try:
                parts.ledger.put_run(failed)
            finally:
                if isinstance(e, Exception):  # whoever interrupts it by hand knows
                    parts.notifier.notify(
                        Notice("wistlake run failed", _said(e), failed=True, facts={"run_id": spec.run_id})
                    )
            raise
        if errors:
            result.status, result.errors = "failed", [str(e) for e in errors]
        parts.ledger.put_run(
            replace(
                record,
                status=result.status,
                ended_at=parts.clock(),
                error="; ".join(result.errors),
                summary=result.as_json(),
            )
        )
    log.info("run ended", run_id=spec.run_id, status=result.status)
    parts.notifier.notify(notice(result))
    if errors:
        raise RunFailed(errors[0], result)
    return result


class RunFailed(WistlakeError):
    """Some media failed; the others were published. Carries the first error's exit code, and the result."""

    def __init__(self, first: WistlakeError, result: RunResult) -> None:
        super().__init__("\n".join(result.errors))
        self.exit_code = first.exit_code
        self.result = result


class _Work:
    """One run at work, under its lease."""

    def __init__(self, spec: RunSpec, parts: Dependencies, result: RunResult) -> None:
        self.spec, self.parts, self.result = spec, parts, result
        self._at = parts.monotonic()
        self._warming = False

    def go(self) -> list[WistlakeError]:
        """The hops in order. The errors that concern single media."""
        ledger = self.parts.ledger
        ingested = asyncio.run(self._ingest())
        self._lap("ingest")
        known = {i.key: i for i in ledger.intervals()}
        media = ledger.media()
        epoch_keys = self.parts.keys()
        waiting = {i.key for i in pending(known.values(), self.spec, len(epoch_keys))}
        known |= confirm_unchanged(self.spec, ledger, known.values(), waiting)
        built = self._build(media, known, epoch_keys)
        if built is None:
            advance(self.spec, ledger, media, known.values())
        self._lap("publish")
        fetched = harvest(ingested)
        tell(self.result, fetched, built, news(ledger, fetched))
        return [*ingested.errors.values(), *refusals(built)]

    async def _ingest(self) -> Ingested:
        spec, parts = self.spec, self.parts
        if spec.build_only:
            return Ingested()
        async with parts.client() as client:
            chosen = await choose(spec.choice, client)
            tombstone_home.reload(parts.objects, parts.ledger)
            adopt(parts.ledger, parts.objects, spec.run_id)
            known = {i.key: i for i in parts.ledger.intervals()}
            asked = ask(spec, parts.ledger, chosen, tuple(known.values()))
            log.info("planned", run_id=spec.run_id, fetches=len(asked.fetches), media=len(asked.media))
            self._lap("plan")
            context = replace(IngestContext.of(spec, parts), on_news=self._warm)
            ingested = await Ingest(context, parts.objects, parts.ledger, known, client.fetch).run(
                asked.fetches
            )
        retire(spec, parts.ledger, asked.left)
        return ingested

    def _warm(self) -> None:
        """Load the engine beside the fetching, once it is known that there will be something to build."""
        if not self._warming:
            self._warming = True
            threading.Thread(target=self.parts.warm, daemon=True, name="warm").start()

    def _build(
        self, media: Sequence[MediaEntry], known: dict[Key, Interval], keys: tuple[bytes, ...]
    ) -> BuildResult | None:
        """Build and publish what is pending, as many times as memory asks for; None, and no engine, if
        nothing is. What could not be published is not tried again."""
        spec, parts = self.spec, self.parts
        days = shared_days(parts.ledger)
        work = assemble(spec, media, list(known.values()), parts.objects, keys, shared=days)
        if not work.is_needed:
            return None

        def intended(pairs: set[Pair], shared: Collection[Shared] = ()) -> None:
            known.update(intend(spec, parts.ledger, known, pairs, shared))

        done: list[Done] = []
        waiting = max(1, len(pending(known.values(), spec, len(keys))))
        with parts.tables() as store:
            self._lap("engine")
            while work.is_needed:
                parts.progress("building", sum(len(w.landings) for w, _ in done), waiting)
                result = build(work, parts.objects, store, intended)
                done.append((work, result))
                known |= publish(spec, parts.ledger, media, known, work, result)
                work = following(spec, media, list(known.values()), parts.objects, keys, done)
        parts.progress("building", waiting, waiting)
        self._lap("build")
        return merged([result for _, result in done])

    def _lap(self, name: str) -> None:
        now = self.parts.monotonic()
        self.result.seconds[name] = round(now - self._at, 3)
        self._at = now


def _said(error: BaseException) -> str:
    return str(error) if isinstance(error, WistlakeError) else type(error).__name__
