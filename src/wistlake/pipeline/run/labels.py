"""The labels of media in the ledger: what is given, and what of it the tables have. Standard library only."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from wistlake.planning.labels import FACTS, Labels, MediaLabels
from wistlake.ports import Ledger

LabelValues = Mapping[str, Mapping[str, str]]  # values by label, by media; "" takes a label away


def read(ledger: Ledger) -> Labels:
    """All labels, and which of them the tables have."""
    return Labels(ledger.labels(), ledger.facts(FACTS))


def keep(ledger: Ledger, labelled: Mapping[str, str]) -> None:
    """Write down which labels the tables have, if that is news."""
    if ledger.facts(FACTS) != labelled:
        ledger.put_facts(FACTS, labelled)


def give(
    ledger: Ledger, changes: LabelValues, *, by: str, now: datetime, clear: bool = False
) -> Sequence[MediaLabels]:
    """Give media these labels; with `clear`, no others. Those that this changed. The caller holds the lease."""
    labels = {e.media_id: e for e in ledger.labels()}
    changed = []
    for media_id, of_media in sorted(changes.items()):
        before = labels.get(media_id, MediaLabels(media_id))
        others = dict.fromkeys(before.current, "") if clear else {}
        after = before.after(others | dict(of_media), now, by)
        if after != before:
            changed.append(after)
    ledger.put_labels(changed)
    return changed
