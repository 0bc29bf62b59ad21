"""What a run would fetch, from what the ledger holds: nothing is requested, nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wistlake.errors import ConfigError
from wistlake.pipeline.run.select import not_asked, share
from wistlake.pipeline.run.spec import RunSpec
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning.intervals import Fetch, MediaEntry
from wistlake.planning.optional import FACTS as NOT_IN_PLAN
from wistlake.planning.packing import FACTS as SHARE
from wistlake.planning.plan import first_day, plan
from wistlake.planning.sample import FACTS as SAMPLE
from wistlake.planning.sample import drawn_keys, sample, sample_of_the_day
from wistlake.ports import Ledger


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a plan depends on, as the ledger has it: media, intervals, the day's sample, and the documents of the
    followed share of the account and of the datasets that its plan lacks."""

    media: Sequence[MediaEntry] = ()
    view: LedgerView = field(default_factory=LedgerView)
    sample: Mapping[str, Any] = field(default_factory=dict)
    share: Mapping[str, Any] = field(default_factory=dict)
    not_in_plan: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, ledger: Ledger) -> "Inputs":
        """Those of the ledger."""
        facts = map(ledger.facts, (SAMPLE, SHARE, NOT_IN_PLAN))
        return cls(ledger.media(), LedgerView.of(ledger), *facts)


def preview(spec: RunSpec, inputs: Inputs) -> tuple[tuple[Fetch, ...], dict[str, str]]:
    """The fetches of a run, and the optional datasets that it leaves out, with the reason. ConfigError where only the
    account could tell which media there are."""
    entries = {m.media_id: m for m in inputs.media}
    ids = spec.choice.ids or tuple(m for m, entry in entries.items() if entry.retired_at is None)
    if not ids:
        raise ConfigError(
            "MEDIA_IDS is all, and no run has asked the account yet: name --media, or run first"
        )
    first = spec.window.start or first_day(spec.window)
    followed = [entries.get(m, MediaEntry(m, first, spec.window.now)) for m in ids]
    view = inputs.view
    drawn = sample_of_the_day(followed, view.all(), spec.window, inputs.sample, view.compacted)
    view.load(drawn_keys(spec.window, drawn))
    sampled = sample(followed, view.all(), spec.window, drawn, view.compacted)
    of_account = share(spec.choice, inputs.share)
    absent = not_asked(spec, inputs.not_in_plan, len(followed))
    sources = [s for s in spec.sources if s.name not in absent]
    return plan(sources, followed, view.all(), spec.window, sampled, of_account, view.compacted), absent
