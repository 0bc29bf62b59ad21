"""What people say of media, written to the ledger: the next run brings it into the tables."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from wistlake.errors import ConfigError, closest
from wistlake.pipeline.run.labels import LabelValues, give
from wistlake.planning.labels import MediaLabels
from wistlake.ports import LEASE, LEASE_SECONDS, Ledger

_MOST_NAMED = 3


def label(
    ledger: Ledger,
    changes: LabelValues,
    *,
    by: str,
    run_id: str,
    now: datetime,
    clear: bool = False,
    lines: Mapping[str, int] | None = None,
) -> Sequence[MediaLabels]:
    """Give media these labels; with `clear`, no others. Those that this changed.

    ConfigError, and nothing is written, if the lake has never followed one of them. `lines` say where a file names
    them.
    """
    with ledger.lease(LEASE, run_id, now, LEASE_SECONDS):
        _require_followed(ledger, changes, lines or {})
        return give(ledger, changes, by=by, now=now, clear=clear)


def _require_followed(ledger: Ledger, changes: LabelValues, lines: Mapping[str, int]) -> None:
    followed = [m.media_id for m in ledger.media()]
    unfollowed = [media_id for media_id in changes if media_id not in set(followed)]
    if not unfollowed:
        return
    if not followed:
        raise ConfigError("the lake follows no media yet: `wistlake run` first, or `wistlake media add`")
    some = ", ".join(followed[:_MOST_NAMED])
    rest = "; `wistlake media list` names all" if len(followed) > _MOST_NAMED else ""
    problems = []
    for media_id in unfollowed:
        place = f"line {lines[media_id]}: " if media_id in lines else ""
        similar = f", did you mean {match}?" if (match := closest(media_id, followed)) else ""
        problems.append(f"{place}no such media: {media_id}{similar}")
    raise ConfigError([*problems, f"the lake has followed {some}{rest}"])
