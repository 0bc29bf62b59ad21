"""What a run would fetch, from what the ledger knows: nothing is asked, nothing is written."""

from collections.abc import Sequence

from wistlake.errors import ConfigError
from wistlake.pipeline.run.spec import RunSpec
from wistlake.planning.intervals import Fetch, Interval, MediaEntry
from wistlake.planning.plan import first_day, plan
from wistlake.planning.sample import sample


def preview(spec: RunSpec, known: tuple[Sequence[MediaEntry], Sequence[Interval]]) -> tuple[Fetch, ...]:
    """The fetches of `order`. ConfigError where only the account could say which media there are."""
    media, intervals = known
    entries = {m.media_id: m for m in media}
    wanted = spec.choice.ids or tuple(entries)
    if not wanted:
        raise ConfigError(
            "MEDIA_IDS is all, and no run has asked the account yet: name --media, or run first"
        )
    begins = spec.window.start or first_day(spec.window)
    chosen = [entries.get(m, MediaEntry(m, begins, spec.window.now)) for m in wanted]
    return plan(spec.sources, chosen, intervals, spec.window, sample(chosen, intervals, spec.window))
