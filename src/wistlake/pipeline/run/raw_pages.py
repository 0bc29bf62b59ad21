"""Which landings bronze still holds."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from wistlake import bronze
from wistlake.bronze import Manifest
from wistlake.planning.intervals import Interval
from wistlake.ports import Ledger, ObjectStore

FACTS = "raw_pages"  # the ledger's document: landings that were read before `since` are gone
MOST_ASKED = 20  # landings of one day that are asked for one by one; more are listed at once


class RawPages:
    """The landings in `objects`. None is asked for twice, and none at all that was last read before `gone_before`:
    upkeep has removed those."""

    def __init__(self, objects: ObjectStore, gone_before: datetime | None = None) -> None:
        self.objects, self.gone_before = objects, gone_before
        self._held: dict[str, bool] = {}

    @classmethod
    def of(cls, objects: ObjectStore, ledger: Ledger) -> "RawPages":
        """Those of a lake."""
        return cls(objects, removed_before(ledger))

    def look_up(self, intervals: Iterable[Interval]) -> None:
        """Learn of all these landings with as few requests as they need."""
        by_day: dict[tuple[str, date], list[Interval]] = {}
        for i in intervals:
            if i.landing_id and i.landing_id not in self._held and not self._is_gone(i):
                by_day.setdefault((i.dataset, i.day), []).append(i)
        for (dataset, day), of_day in by_day.items():
            if len(of_day) > MOST_ASKED:
                keys = set(self.objects.list(f"{bronze.ROOT}/{dataset}/dt={day.isoformat()}/"))
                self._held |= {i.landing_id: bronze.manifest_key(i.landing_id) in keys for i in of_day}

    def has(self, interval: Interval) -> bool:
        """Whether the interval's landing is there."""
        if interval.landing_id not in self._held:
            key = bronze.manifest_key(interval.landing_id)
            self._held[interval.landing_id] = not self._is_gone(interval) and self.objects.exists(key)
        return self._held[interval.landing_id]

    def _is_gone(self, interval: Interval) -> bool:
        read_at = interval.observed_at  # not before the landing was
        return self.gone_before is not None and read_at is not None and read_at < self.gone_before

    def manifest(self, interval: Interval) -> Manifest:
        """The landing's manifest, as new as the last reading that said the same."""
        manifest = bronze.decode_manifest(self.objects.get(bronze.manifest_key(interval.landing_id)))
        return replace(manifest, observed_at=interval.observed_at or manifest.observed_at)


def removed_before(ledger: Ledger) -> datetime | None:
    """Landings that were read before this moment are gone; None if nobody knows."""
    since = ledger.facts(FACTS).get("since")
    return datetime.fromisoformat(since) if since else None


def note_removed(ledger: Ledger, limit: datetime) -> None:
    """Write down that upkeep has removed the landings that were read before `limit`."""
    before = removed_before(ledger)
    if before is None or before < limit:
        ledger.put_facts(FACTS, {"since": limit.isoformat()})
