"""One run: plan, then ingest, then build, then publish. Backfill, repair and rebuild are other orders."""

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date
from typing import Any

import structlog

from wistlake.errors import ConfigError, ContractViolation, WistlakeError
from wistlake.pipeline.assemble import assemble, pending
from wistlake.pipeline.build import BuildResult, build, merged
from wistlake.pipeline.ingest import FIRST, Ingest, IngestContext, Ingested
from wistlake.pipeline.order import MediaChoice, Parts, RunOrder, RunResult
from wistlake.pipeline.orphans import adopt
from wistlake.pipeline.publish import advance, confirm_unchanged, publish, reopen
from wistlake.pipeline.verdicts import unreconciled, warnings
from wistlake.planning.intervals import Fetch, Interval, MediaEntry
from wistlake.planning.plan import exactly, first_day, plan
from wistlake.ports import Notice, Run

log = structlog.get_logger()
LEASE = "lake"
LEASE_SECONDS = 6 * 3600.0
DRIFT = "drift"
LEFT = "no longer listed by the account"
MOST_WARNINGS = 10  # that a notice spells out
Key = tuple[str, str, date]


def run(order: RunOrder, parts: Parts) -> RunResult:
    """Do `order` under the lake's lease, and say what was done.

    A media that fails does not stop the others: they are built and published, and the result (and the
    ledger) says `failed` with every error; `RunFailed` is the caller's to raise. What concerns the whole
    run (a refused token, a store) is raised at once.
    """
    started = order.window.now
    with parts.ledger.lease(LEASE, order.run_id, started, LEASE_SECONDS):
        origin = order.origin if parts.on_the_network else "simulated"
        record = Run(order.run_id, order.trigger, origin, "running", started)
        parts.ledger.put_run(record)
        result = RunResult(order.run_id, order.trigger)
        log.info("run started", run_id=order.run_id, trigger=order.trigger)
        try:
            errors = _Work(order, parts, result).go()
        except BaseException as e:
            failed = replace(record, status="failed", ended_at=parts.clock(), error=_said(e))
            parts.ledger.put_run(failed)
            if isinstance(e, WistlakeError):  # whoever interrupts it by hand knows
                parts.notifier.notify(
                    Notice("wistlake run failed", str(e), failed=True, facts={"run_id": order.run_id})
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
    log.info("run ended", run_id=order.run_id, status=result.status)
    parts.notifier.notify(_notice(result))
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

    def __init__(self, order: RunOrder, parts: Parts, result: RunResult) -> None:
        self.order, self.parts, self.result = order, parts, result
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
        waiting = {i.key for i in pending(known.values(), self.order, len(epoch_keys))}
        known |= confirm_unchanged(self.order, ledger, ingested.intervals.values(), waiting)
        built = self._build(media, known, epoch_keys)
        if built is None:
            advance(self.order, ledger, media, known.values())
        self._lap("publish")
        self._report(ingested, built)
        return self._errors(ingested, built)

    async def _ingest(self) -> Ingested:
        order, parts = self.order, self.parts
        if order.build_only:
            return Ingested()
        async with parts.client() as client:
            chosen = await self._choose(client)
            media = self._follow(chosen)
            left = self._left(chosen)
            adopt(parts.ledger, parts.objects, order.run_id)
            known = {i.key: i for i in parts.ledger.intervals()}
            fetches = (
                plan(order.sources, media, known.values(), order.window)
                if order.only is None
                else exactly(order.sources, order.only, order.window)
            )
            fetches = (*self._last_looks(left), *fetches)
            log.info("planned", run_id=order.run_id, fetches=len(fetches), media=len(media))
            self._lap("plan")
            context = replace(IngestContext.of(order, parts), on_news=self._warm)
            ingested = await Ingest(context, parts.objects, parts.ledger, known, client.fetch).run(fetches)
        parts.ledger.put_media(replace(m, retired_at=order.window.now, reason=LEFT) for m in left)
        return ingested

    async def _choose(self, client: Any) -> tuple[str, ...]:
        choice: MediaChoice = self.order.choice
        if not choice.is_listed:
            return choice.ids
        listed = await client.list_media(folder=choice.folder, tag=choice.tag)
        playable = tuple(m["hashed_id"] for m in listed if m.get("type") in ("Video", "Audio"))
        if not playable:
            raise ConfigError(
                "MEDIA_IDS is all, and the account lists no video or audio: check folder and tag"
            )
        return playable

    def _follow(self, chosen: Sequence[str]) -> list[MediaEntry]:
        """The chosen media as the ledger knows them; new ones begin at their own first day."""
        ledger, window = self.parts.ledger, self.order.window
        known = {m.media_id: m for m in ledger.media()}
        begins = min(filter(None, (first_day(window), window.start)))
        new = [MediaEntry(m, begins, window.now) for m in chosen if m not in known]
        back = {m: _followed_again(known[m]) for m in chosen if m in known}
        earlier = {
            m: replace(entry, first_day=window.start)
            for m, entry in back.items()
            if window.start and window.start < entry.first_day
        }
        ledger.put_media([*new, *(e for m, e in (back | earlier).items() if e != known[m])])
        wanted = set(chosen)
        return [m for m in ledger.media() if m.media_id in wanted and m.retired_at is None]

    def _left(self, chosen: Sequence[str]) -> list[MediaEntry]:
        """Media that the account's list had, and has no more: deleted, or moved out of the folder or tag."""
        if not self.order.choice.is_listed or self.order.window.by_hand:
            return []
        return [m for m in self.parts.ledger.media() if m.retired_at is None and m.media_id not in chosen]

    def _last_looks(self, left: Sequence[MediaEntry]) -> tuple[Fetch, ...]:
        """What tells a media that was deleted from one that is only elsewhere."""
        day = self.order.window.now.astimezone(UTC).date()
        listed = any(s.name == FIRST for s in self.order.sources)
        return tuple(Fetch(FIRST, m.media_id, day, day) for m in left) if listed else ()

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
        order, parts = self.order, self.parts
        work = assemble(order, media, list(known.values()), parts.objects, keys)
        if not work.landings and not work.refresh:
            return None

        def intend(pairs: set[tuple[str, date]]) -> None:
            known.update(reopen(order, parts.ledger, known, pairs))

        results: list[BuildResult] = []
        tried: set[Key] = set()
        with parts.tables() as store:
            self._lap("engine")
            while work.landings or not results:
                results.append(build(work, parts.objects, store, intend))
                known |= publish(order, parts.ledger, media, known, work, results[-1])
                tried |= {(m.dataset, m.media_id, m.day) for m in work.landings}
                work = assemble(order, media, list(known.values()), parts.objects, keys, tried)
        self._lap("build")
        return merged(results)

    def _errors(self, ingested: Ingested, built: BuildResult | None) -> list[WistlakeError]:
        errors: list[WistlakeError] = list(ingested.errors.values())
        if built is not None:
            errors += [
                ContractViolation(f"{media_id}: {why}")
                for (_, media_id, _), why in sorted(built.stopped.items())
            ]
            errors += [unreconciled(built, *pair) for pair in sorted(built.blocked)]
        return errors

    def _report(self, ingested: Ingested, built: BuildResult | None) -> None:
        result = self.result
        result.unavailable = dict(ingested.unavailable)
        result.drift = self._news(ingested)
        changes = built.by_interval if built else {}
        by_pair: dict[tuple[str, str], dict[str, Any]] = {}
        for (dataset, media_id, day), interval in sorted(ingested.intervals.items()):
            line = by_pair.setdefault((dataset, media_id), _line(dataset, media_id))
            line["days"] += 1
            line["rows"] += interval.rows if (dataset, media_id, day) in ingested.manifests else 0
        for (dataset, media_id, _), counts in changes.items():
            line = by_pair.setdefault((dataset, media_id), _line(dataset, media_id))
            for name in ("new", "updated", "removed", "unchanged", "quarantined"):
                line[name] += counts.get(name, 0)
        for pair, line in by_pair.items():
            line["pages"] = ingested.pages.get(pair, 0)
            line["requests"] = ingested.requests.get(pair, 0)
            line["seconds"] = round(ingested.seconds.get(pair, 0.0), 3)
        result.intervals = list(by_pair.values())
        if built is not None:
            result.tables = {name: dict(counts) for name, counts in built.counts.items()}
            result.stopped = {m: why for (_, m, _), why in built.stopped.items()}
            result.blocked = [{"media_id": m, "date": d.isoformat()} for m, d in sorted(built.blocked)]
            result.days_published = len(built.published)
            result.checks = dict(Counter(str(f.verdict) for f in built.findings))
            result.warnings = warnings(built)

    def _news(self, ingested: Ingested) -> dict[str, list[str]]:
        """Keys that the payload has gained, each told once in the life of the lake."""
        told = {k: set(v) for k, v in self.parts.ledger.facts(DRIFT).items()}
        news = {
            dataset: sorted(keys - told.get(dataset, set()))
            for dataset, keys in ingested.unknown_keys.items()
            if keys - told.get(dataset, set())
        }
        if news:
            for dataset, keys in news.items():
                told.setdefault(dataset, set()).update(keys)
                log.warning("payload has new fields", dataset=dataset, fields=keys)
            self.parts.ledger.put_facts(DRIFT, {k: sorted(v) for k, v in told.items()})
        return news

    def _lap(self, name: str) -> None:
        now = self.parts.monotonic()
        self.result.seconds[name] = round(now - self._at, 3)
        self._at = now


def _followed_again(entry: MediaEntry) -> MediaEntry:
    """A media that left the list and is in it again; one that was retired by hand stays retired."""
    return replace(entry, retired_at=None, reason="") if entry.reason == LEFT else entry


def _line(dataset: str, media_id: str) -> dict[str, Any]:
    counts = ("days", "pages", "requests", "rows", "new", "updated", "removed", "unchanged", "quarantined")
    return {"dataset": dataset, "media_id": media_id, **dict.fromkeys(counts, 0), "seconds": 0.0}


def _said(error: BaseException) -> str:
    return str(error) if isinstance(error, WistlakeError) else type(error).__name__


def _notice(result: RunResult) -> Notice:
    failed = result.status != "succeeded"
    moved = sum(counts.get("new", 0) for counts in result.tables.values())
    text = "\n".join(result.errors) if failed else f"{result.days_published} days published, {moved} new rows"
    news = [f"{dataset} has new fields: {', '.join(keys)}" for dataset, keys in sorted(result.drift.items())]
    text = "\n".join((text, *result.warnings[:MOST_WARNINGS], *news))
    return Notice(f"wistlake run {result.status}", text, failed, {"run_id": result.run_id})
