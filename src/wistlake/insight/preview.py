"""What a run would fetch, from what the ledger holds: nothing is requested, nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wistlake.errors import ConfigError
from wistlake.pipeline.run.select import share
from wistlake.pipeline.run.spec import RunSpec
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning.intervals import Fetch, MediaEntry
from wistlake.planning.packing import FACTS as SHARE
from wistlake.planning.plan import first_day, plan
from wistlake.planning.sample import FACTS as SAMPLE
from wistlake.planning.sample import drawn_keys, sample, sample_of_the_day
from wistlake.ports import Ledger


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a plan depends on, as the ledger has it: media, intervals, the day's sample, and the document of the
    followed share of the account."""

    media: Sequence[MediaEntry] = ()
    view: LedgerView = field(default_factory=LedgerView)
    sample: Mapping[str, Any] = field(default_factory=dict)
    share: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, ledger: Ledger) -> "Inputs":
        """Those of the ledger."""
        return cls(ledger.media(), LedgerView.of(ledger), ledger.facts(SAMPLE), ledger.facts(SHARE))


def preview(spec: RunSpec, inputs: Inputs) -> tuple[Fetch, ...]:
    """The fetches of a run. ConfigError where only the account could tell which media there are."""
    entries = {m.media_id: m for m in inputs.media}
    ids = spec.choice.ids or tuple(entries)
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
    return plan(spec.sources, followed, view.all(), spec.window, sampled, of_account, view.compacted)
