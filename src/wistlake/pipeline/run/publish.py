"""Last step: readers get what was built, and the run its result."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from wistlake.errors import WistlakeError
from wistlake.foreign import shown_name
from wistlake.pipeline.run.compact import compact
from wistlake.pipeline.run.fetched import FetchSummary
from wistlake.pipeline.run.handover import Handover
from wistlake.pipeline.run.outcome import Policy, advance, retired, show
from wistlake.pipeline.run.record import FAILED, PARTIAL, SUCCEEDED
from wistlake.pipeline.run.result import bounded, build_errors, describe
from wistlake.pipeline.run.spec import Dependencies
from wistlake.pipeline.run.view import LedgerView
from wistlake.pipeline.tables import BuildResult
from wistlake.planning.intervals import LANDED, State
from wistlake.planning.packing import PLAYED, batches
from wistlake.planning.publishing import GOLD
from wistlake.ports import Ledger

log = structlog.get_logger()
DRIFT = "drift"  # the ledger's document about fields that the payload has gained


def publish(deps: Dependencies, handover: Handover, policy: Policy) -> Handover:
    """Last step: readers get what was built and has not been shown yet, media that left the account's list are
    followed no longer, and the ledger gets the run's result."""
    spec, ledger, verdicts, result = handover.plan.spec, deps.ledger, handover.verdicts, handover.result
    if verdicts is not None and policy is Policy.AT_THE_END:
        show(spec, ledger, verdicts.built, verdicts.intervals)
    view = LedgerView.of(ledger)
    if verdicts is not None:
        entries = ledger.media()
        media = retired(spec, entries, handover.plan.left)
        ledger.put_media(m for m, entry in zip(media, entries, strict=True) if m != entry)
        if policy is Policy.AT_THE_END:
            advance(spec, ledger, media, view)
    built = verdicts.built if verdicts else None
    describe(result, handover.fetched, built, note_drift(ledger, handover.fetched))
    errors = (*handover.errors, *build_errors(built))
    result.errors = bounded([str(e) for e in errors], "`wistlake status` names what failed")
    failed = failed_media(view, handover, built) if errors else set()
    result.failed_media = sorted(failed)
    result.status = _status(deps.ledger, handover, failed, errors)
    if verdicts is not None:
        compact(spec, ledger, view, verdicts.epoch, verdicts.built_from)
    return replace(handover, errors=errors)


def failed_media(view: LedgerView, handover: Handover, built: BuildResult | None) -> set[str]:
    """The media of which this run could not land, build or reconcile something."""
    run_id, of_batches = handover.plan.spec.run_id, {getattr(e, "batch", "") for e in handover.errors}
    states = {i.key: i.state for i in view.all() if i.run_id == run_id and i.dataset != GOLD}
    failed = {*handover.plan.absent, *(key[1] for key, state in states.items() if state is State.FAILED)}
    for batch in batches(handover.plan.fetches):
        if batch.name in of_batches:  # its function may have died before it noted anything
            certain = (
                key for f in batch.fetches if not f.if_moved and f.dataset not in PLAYED for key in f.keys
            )
            failed |= {key[1] for key in certain if states.get(key) not in LANDED}
    if built is not None:
        failed |= {key[1] for key in built.stopped} | {media_id for media_id, _ in built.blocked}
    return failed


def _status(ledger: Ledger, handover: Handover, failed: set[str], errors: Sequence[WistlakeError]) -> str:
    """Partial if what went wrong concerns few of the media that were asked for, and nothing but media."""
    if not errors:
        return SUCCEEDED
    spec = handover.plan.spec
    asked = {media_id for f in handover.plan.fetches for media_id in f.media}
    followed = asked or {m.media_id for m in ledger.media() if m.retired_at is None}
    of_the_run = any(e.concerns_the_run for e in errors)
    few = len(failed) * 100 <= spec.tolerated_percent * len(followed | failed)
    return PARTIAL if few and not of_the_run else FAILED


def note_drift(ledger: Ledger, fetched: FetchSummary) -> dict[str, list[str]]:
    """The keys that the payload has gained since the last run; each is reported once in the life of the lake."""
    reported = {dataset: set(keys) for dataset, keys in drift(ledger).items()}
    new = {
        dataset: sorted(fresh)
        for dataset, keys in fetched.unknown_keys.items()
        if (fresh := keys - reported.get(dataset, set()))
    }
    if new:
        for dataset, keys in new.items():
            reported.setdefault(dataset, set()).update(keys)
            log.warning("payload has new fields", dataset=dataset, fields=keys)
        ledger.put_facts(DRIFT, {dataset: sorted(keys) for dataset, keys in reported.items()})
    return new


def drift(ledger: Ledger) -> dict[str, list[str]]:
    """Every key that the payload has gained so far, by dataset. What older versions noted is shown as today."""
    return {k: sorted(set(map(shown_name, v))) for k, v in sorted(ledger.facts(DRIFT).items())}
