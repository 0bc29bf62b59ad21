"""What a run would fetch, from what the ledger holds: nothing is requested, nothing is written."""

from collections.abc import Mapping, Sequence
from typing import Any

from wistlake.errors import ConfigError
from wistlake.pipeline.run.spec import RunSpec
from wistlake.planning.intervals import Fetch, Interval, MediaEntry
from wistlake.planning.plan import first_day, plan
from wistlake.planning.sample import sample


def preview(
    spec: RunSpec,
    media: Sequence[MediaEntry],
    intervals: Sequence[Interval],
    sample_document: Mapping[str, Any],
) -> tuple[Fetch, ...]:
    """The fetches of a run; `sample_document` is the ledger's, of the day's sample. ConfigError where only the
    account could tell which media there are."""
    entries = {m.media_id: m for m in media}
    ids = spec.choice.ids or tuple(entries)
    if not ids:
        raise ConfigError(
            "MEDIA_IDS is all, and no run has asked the account yet: name --media, or run first"
        )
    first = spec.window.start or first_day(spec.window)
    followed = [entries.get(m, MediaEntry(m, first, spec.window.now)) for m in ids]
    sampled = sample(followed, intervals, spec.window, sample_document)
    return plan(spec.sources, followed, intervals, spec.window, sampled)
