"""Last step: readers get what was built, and the run its result."""

from dataclasses import replace

import structlog

from wistlake.foreign import shown_name
from wistlake.pipeline.run.fetched import FetchSummary
from wistlake.pipeline.run.handover import Handover
from wistlake.pipeline.run.outcome import Policy, advance, retired, show
from wistlake.pipeline.run.record import FAILED, SUCCEEDED
from wistlake.pipeline.run.result import build_errors, describe
from wistlake.pipeline.run.spec import Dependencies
from wistlake.ports import Ledger

log = structlog.get_logger()
DRIFT = "drift"  # the ledger's document about fields that the payload has gained


def publish(deps: Dependencies, handover: Handover, policy: Policy) -> Handover:
    """Last step: readers get what was built and has not been shown yet, media that left the account's list are
    followed no longer, and the ledger gets the run's result."""
    spec, ledger, verdicts, result = handover.plan.spec, deps.ledger, handover.verdicts, handover.result
    if verdicts is not None and policy is Policy.AT_THE_END:
        show(spec, ledger, verdicts.built, verdicts.intervals)
    if verdicts is not None:
        entries = ledger.media()
        media = retired(spec, entries, handover.plan.left)
        ledger.put_media(m for m, entry in zip(media, entries, strict=True) if m != entry)
        if policy is Policy.AT_THE_END:
            advance(spec, ledger, media, ledger.intervals())
    built = verdicts.built if verdicts else None
    describe(result, handover.fetched, built, note_drift(ledger, handover.fetched))
    errors = (*handover.errors, *build_errors(built))
    result.errors = [str(e) for e in errors]
    result.status = FAILED if result.errors else SUCCEEDED
    return replace(handover, errors=errors)


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
