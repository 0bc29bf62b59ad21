"""A lost ledger, made again from the lake itself: raw pages, tables, copies of tombstones.

The history of runs and reasons is gone: days start as provisional again, with the readings that bronze still knows of.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from wistlake.bronze import Manifest
from wistlake.contracts.form import ACCOUNT
from wistlake.pipeline import tombstone_copies
from wistlake.pipeline.run.recover import confirmations, landed, manifests
from wistlake.planning.calendar import utc_days_of, zone
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.labels import MediaLabels
from wistlake.planning.publishing import BY_DATE, EVENTS, GOLD
from wistlake.ports import LEASE, LEASE_SECONDS, Ledger, ObjectStore, Publication
from wistlake.quality.certificates import Certificate

Pair = tuple[str, date]
Key = tuple[str, str, date]
EXPIRED = "its raw pages had expired when the ledger was made anew"


@dataclass(frozen=True, slots=True)
class RebuiltLedger:
    """How much was written into the ledger. `older` are days whose raw pages have expired, `labelled` media that have
    labels."""

    landings: int
    media: int
    older: int
    tombstones: int
    labelled: int = 0


def rebuild_ledger(
    ledger: Ledger,
    objects: ObjectStore,
    publication: Publication,
    certificates: Mapping[Pair, str],
    zone_name: str,
    run_id: str,
    labels: Sequence[MediaLabels] = (),
) -> RebuiltLedger:
    """Write into an empty ledger, under the lake's lease: the landings in bronze, which the next run builds again
    (rows that silver has already do not change), the days in gold whose raw pages have expired, the tombstones, and
    the tables as they are. `certificates` are those of gold, by (media, day), `labels` those that a table has."""
    now = publication.published_at
    newest: dict[Key, Interval] = {}
    for manifest in sorted(_readings(objects), key=lambda m: (m.observed_at, m.run_id)):
        key = (manifest.dataset, manifest.media_id, manifest.day)
        before = newest.get(key) or Interval(*key, State.PLANNED, run_id, now)
        newest[key] = landed(before, manifest, repeats=manifest.landing_id == before.landing_id)
    gold = [
        Interval(
            GOLD, m, day, State.PUBLISHED, run_id, now, certificate,
            finished=True, published_at=now, built_signature=zone_name,
        )
        for (m, day), certificate in sorted(certificates.items())
    ]  # fmt: skip
    older = list(_older(gold, newest.keys(), zone_name))
    media = list(_media([*newest.values(), *older], now))
    with ledger.lease(LEASE, run_id, now, LEASE_SECONDS):
        ledger.put_media(media)
        ledger.put_labels(labels)
        ledger.record([*newest.values(), *older, *gold])
        tombstones = tombstone_copies.reload(objects, ledger)
        ledger.publish(publication)
    return RebuiltLedger(len(newest), len(media), len(older), tombstones, len(labels))


def _readings(objects: ObjectStore) -> Iterator[Manifest]:
    """The landings, and once more those that a later reading repeated."""
    landings = {m.landing_id: m for m in manifests(objects)}
    yield from landings.values()
    yield from (c.as_read(landings[c.landing_id]) for c in confirmations(objects) if c.landing_id in landings)


def _older(gold: Iterable[Interval], landed_keys: Collection[Key], zone_name: str) -> Iterator[Interval]:
    """The days that gold was made from and bronze does not hold any more, as published."""
    tz = zone(zone_name)
    made_from = {
        key: i
        for i in gold
        for key in ((BY_DATE, i.media_id, i.day), *((EVENTS, i.media_id, d) for d in utc_days_of(i.day, tz)))
        if key not in landed_keys
    }
    for (dataset, _, day), of_gold in sorted(made_from.items()):
        # A settled day is not asked for again; the others are, as long as Wistia has them.
        settled = int(of_gold.reason not in ("", Certificate.PROVISIONAL))
        yield replace(
            of_gold, dataset=dataset, day=day, reason=EXPIRED, built_signature=EXPIRED, confirmations=settled
        )


def _media(intervals: Iterable[Interval], now: datetime) -> Iterator[MediaEntry]:
    """The media that have days, each from its first."""
    first: dict[str, date] = {}
    for i in intervals:
        if i.media_id != ACCOUNT and i.dataset in (EVENTS, BY_DATE):
            first[i.media_id] = min(i.day, first.get(i.media_id, i.day))
    for media_id, day in sorted(first.items()):
        yield MediaEntry(media_id, day, now)
