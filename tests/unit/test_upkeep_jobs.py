"""Upkeep of a whole lake, and what is built again: what goes, what stays, and what readers see of it."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from support.memory import MemoryLedger, MemoryObjects
from support.small import land
from wistlake import bronze
from wistlake.bronze import Confirmation
from wistlake.contracts.form import Table
from wistlake.errors import LeaseHeld
from wistlake.pipeline.jobs.maintain import drop_raw_pages, expiring, maintain
from wistlake.pipeline.jobs.media import followed
from wistlake.pipeline.jobs.quarantine import prepare_replay
from wistlake.pipeline.jobs.rebuild import REBUILD, invalidate_builds, invalidate_gold, prepare
from wistlake.pipeline.run import labels
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.labels import FACTS as LABELS
from wistlake.planning.labels import LabelChange, MediaLabels
from wistlake.ports import LEASE, Publication, TableRef

NOW = datetime(2026, 4, 6, 2, 15, tzinfo=UTC)
DAY = date(2026, 3, 4)
EVENTS, DAILY, QUARANTINE = "silver.fact_events", "gold.fact_media_daily", "silver.quarantine"


class History(MemoryLedger):
    """A ledger that remembers what it published, in this order."""

    def publications(self, since: datetime) -> Sequence[Publication]:
        self.since = since
        return self._publications[::-1]


class Upkeep:
    """Notes what it is asked for; `merged` files become fewer in each table, `dropped` rows are old."""

    def __init__(self, merged: int = 0, dropped: int = 0) -> None:
        self.merged, self.dropped = merged, dropped
        self.calls: list[tuple[object, ...]] = []

    def compact(self, table: Table) -> int:
        self.calls.append(("compact", table.full_name))
        return self.merged

    def drop(self, table: Table, observed_before: datetime) -> int:
        self.calls.append(("drop", table.full_name, observed_before))
        return self.dropped

    def refs(self, tables: Iterable[Table]) -> Mapping[str, TableRef]:
        return {t.full_name: TableRef(f"{t.name}-new", 9) for t in tables}

    def expire(self, table: Table, keep: Set[int]) -> int:
        self.calls.append(("expire", table.full_name, set(keep)))
        return 2

    def remove_orphans(self, table: Table, keep: Set[str], before: datetime) -> int:
        self.calls.append(("orphans", table.full_name, set(keep), before))
        return 3

    def seal(self) -> None:
        self.calls.append(("seal",))


def published(*tables: Mapping[str, TableRef]) -> History:
    ledger = History()
    for number, of_run in enumerate(tables):
        ledger.publish(Publication(f"r{number}", NOW - timedelta(hours=9 - number), of_run))
    return ledger


def kept_up(ledger: History, upkeep: Upkeep, objects: MemoryObjects | None = None) -> dict[str, int]:
    done = maintain(ledger, objects or MemoryObjects(), upkeep, run_id="up", now=NOW, retention_days=30)
    return asdict(done)


BEFORE = {EVENTS: TableRef("e-1", 1), DAILY: TableRef("d-1", None)}
AFTER = {EVENTS: TableRef("e-2", 2), QUARANTINE: TableRef("q-2", 3)}


def test_what_readers_of_a_day_may_follow_stays() -> None:
    ledger, upkeep = published(BEFORE, AFTER), Upkeep()
    assert kept_up(ledger, upkeep) == {
        "files_merged": 0, "snapshots_expired": 4, "orphans_removed": 6, "landings_removed": 0, "refused_removed": 0,
    }  # fmt: skip
    day_ago = NOW - timedelta(hours=24)
    assert sorted(upkeep.calls, key=str) == sorted(
        [
            ("drop", QUARANTINE, NOW - timedelta(days=30)),
            ("compact", EVENTS),
            ("compact", QUARANTINE),
            ("expire", EVENTS, {1, 2}),
            ("expire", QUARANTINE, {3}),
            ("orphans", EVENTS, {"e-1", "e-2"}, day_ago),
            ("orphans", QUARANTINE, {"q-2"}, day_ago),
            ("seal",),
        ],
        key=str,
    )
    assert upkeep.calls[-1] == ("seal",)
    assert ledger.since == day_ago
    assert ledger.publication() == Publication("r1", NOW - timedelta(hours=8), AFTER)


@pytest.mark.parametrize("upkeep", [Upkeep(merged=1), Upkeep(dropped=5)])
def test_tables_that_changed_are_published(upkeep: Upkeep) -> None:
    ledger = published(AFTER)
    done = kept_up(ledger, upkeep)
    assert (done["files_merged"], done["refused_removed"]) == (2 * upkeep.merged, upkeep.dropped)
    changed = {EVENTS: TableRef("fact_events-new", 9), QUARANTINE: TableRef("quarantine-new", 9)}
    assert ledger.publication() == Publication("up", NOW, changed)


def test_checksums_are_recorded_while_nobody_else_writes() -> None:
    """A run that began just then would have its half-written files recorded, and later called damaged."""
    ledger = published(AFTER)

    class Sealing(Upkeep):
        def seal(self) -> None:
            super().seal()
            with pytest.raises(LeaseHeld), ledger.lease(LEASE, "run", NOW, 60):
                pass

    upkeep = Sealing()
    kept_up(ledger, upkeep)
    assert upkeep.calls[-1] == ("seal",)


def test_an_empty_lake_has_nothing_to_keep_up() -> None:
    upkeep = Upkeep(merged=1)
    assert set(kept_up(History(), upkeep).values()) == {0}
    assert upkeep.calls == []


def keys_of(manifest: bronze.Manifest) -> list[str]:
    return [*(p.key for p in manifest.parts), bronze.manifest_key(manifest.landing_id)]


def test_raw_pages_go_when_their_landing_is_over() -> None:
    """A landing is as old as its run; what no manifest commits, as the day it is about."""
    objects, limit = MemoryObjects(), NOW - timedelta(days=30)
    old = land(objects, "events", DAY, [{"event_key": "a"}], at=limit - timedelta(seconds=1))
    at_limit = land(objects, "events", DAY, [{"event_key": "a"}], run_id="run-2", at=limit)
    late = land(
        objects, "events", limit.date(), [{"event_key": "a"}], run_id="run-0", at=limit - timedelta(days=3)
    )
    newer = land(objects, "events", date(2026, 4, 1), [{"event_key": "a"}], run_id="run-3", at=NOW)
    strays = {
        day: bronze.part_key(bronze.landing_id("events", "m1", day, "died"), 1)
        for day in (limit.date() - timedelta(days=1), limit.date())
    }
    for key in strays.values():
        objects.put(key, b"cut")
    kept = list(objects.list(""))
    assert expiring(objects, limit) == {"events": (2, DAY.isoformat(), limit.date().isoformat())}
    assert list(objects.list("")) == kept
    assert drop_raw_pages(objects, limit) == 2
    assert expiring(objects, limit) == {}
    assert list(objects.list(f"{bronze.ROOT}/")) == sorted(
        [strays[limit.date()], *(key for m in (at_limit, newer) for key in keys_of(m))]
    )
    assert old.landing_id != late.landing_id


def test_readings_that_only_confirmed_a_landing_go_by_the_day_of_reading() -> None:
    objects, limit = MemoryObjects(), NOW - timedelta(days=30)
    stays, goes = (
        bronze.encode_confirmations([Confirmation("events", "m1", DAY, "r", at, "landing", finished=True)])
        for at in (limit, limit - timedelta(days=1))
    )
    objects.put(*stays)
    objects.put(*goes)
    assert drop_raw_pages(objects, limit) == 0
    assert list(objects.list(f"{bronze.CONFIRMED}/")) == [stays[0]]


# ---- built again


def interval(dataset: str, day: date = DAY, landing: str = "", **more: object) -> Interval:
    plain = Interval(dataset, "m1", day, State.PUBLISHED, "r", NOW, landing_id=landing, published_at=NOW)
    return replace(plain, **more)  # type: ignore[arg-type]


def lake() -> tuple[MemoryLedger, MemoryObjects]:
    """Two days; the raw pages of the second one are gone. An older version did not write down the first one's zone."""
    ledger, objects, gone = MemoryLedger(), MemoryObjects(), DAY + timedelta(days=1)
    landing = land(objects, "events", DAY, [{"event_key": "a"}]).landing_id
    ledger.record(
        [
            interval("events", DAY, landing, built_signature="s"),
            interval("events", gone, "events/expired", built_signature="s"),
            interval("media_by_date", DAY, missing=True),
            interval("gold", DAY),
            interval("gold", gone, built_signature="-05:00"),
        ]
    )
    return ledger, objects


def test_what_has_its_raw_pages_is_built_again_and_the_rest_stays_as_it_was() -> None:
    ledger, objects = lake()
    count, expired = invalidate_builds(ledger, objects, "UTC")
    assert (count, [i.landing_id for i in expired]) == (1, ["events/expired"])
    assert [(i.dataset, i.day.day, i.built_signature, i.published_at) for i in ledger.intervals()] == [
        ("events", 4, REBUILD, NOW),
        ("events", 5, "s", NOW),
        ("gold", 4, "UTC", None),
        ("gold", 5, "-05:00", NOW),
        ("media_by_date", 4, "", NOW),
    ]


def test_labels_reach_the_tables_anew_with_what_is_built_again() -> None:
    ledger, objects = lake()
    ledger.put_labels([MediaLabels("m1", (LabelChange("campaign", "spring", NOW),))])
    ledger.put_facts(LABELS, labels.read(ledger).signatures)
    assert not labels.read(ledger).waiting
    invalidate_builds(ledger, objects)
    assert labels.read(ledger).waiting == {"m1"}


def test_a_label_that_was_taken_away_leaves_the_tables_by_a_rebuild_too() -> None:
    ledger, objects = lake()
    ledger.put_labels([MediaLabels("m1", (LabelChange("campaign", "spring", NOW),))])
    ledger.put_facts(LABELS, labels.read(ledger).signatures)
    taken = LabelChange("campaign", "", NOW + timedelta(hours=1))
    ledger.put_labels([MediaLabels("m1", (LabelChange("campaign", "spring", NOW), taken))])
    invalidate_builds(ledger, objects)
    assert labels.read(ledger).waiting == {"m1"}
    labels.keep(ledger, labels.read(ledger).signatures)
    assert not labels.read(ledger).waiting


class Zoned:
    """A lake in New York's winter that is to move."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self.ledger, self.has_moved = ledger, False

    def zone(self) -> str:
        return "UTC" if self.has_moved else "-05:00"

    def change_zone(self) -> None:
        assert LEASE in self.ledger._leases, "nobody else may work on the lake"
        self.has_moved = True


@pytest.mark.parametrize("moves", [True, False])
def test_a_rebuild_in_another_zone_knows_the_old_one(moves: bool) -> None:
    ledger, objects = lake()
    zoned = Zoned(ledger)
    count, _ = prepare(ledger, objects, "rebuild", NOW, zoned if moves else None)
    assert (count, zoned.has_moved) == (1, moves)
    assert ledger.intervals("gold")[0].built_signature == ("-05:00" if moves else "")


def test_gold_is_made_again_from_silver_where_it_is_published() -> None:
    ledger, _ = lake()
    ledger.record([interval("gold", DAY + timedelta(days=2), state=State.PLANNED)])
    assert invalidate_gold(ledger) == 2
    assert [i.published_at for i in ledger.intervals("gold")] == [None, None, NOW]


def test_refused_records_are_read_again_as_far_as_their_pages_are_there() -> None:
    ledger, objects = lake()
    there = ledger.intervals("events")[0].landing_id
    rows = [
        {"landing_id": there, "line": 1},
        {"landing_id": there, "line": 2},
        {"landing_id": "events/expired"},
    ]
    replay = prepare_replay(ledger, objects, rows, "replay", NOW)
    assert ([i.landing_id for i in replay.intervals], replay.expired) == ([there], (rows[2],))
    assert [i.built_signature for i in ledger.intervals("events")] == [REBUILD, "s"]


def test_media_that_are_retired_are_not_followed() -> None:
    ledger = MemoryLedger()
    ledger.put_media([MediaEntry("a", DAY, NOW), MediaEntry("b", DAY, NOW, retired_at=NOW)])
    assert followed(ledger) == ("a",)
