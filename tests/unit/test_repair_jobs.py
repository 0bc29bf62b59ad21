"""What makes a lake whole again, and what an operator decides about media: by a ledger and objects in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from support.memory import MemoryLedger, MemoryObjects
from support.small import land
from wistlake import bronze
from wistlake.bronze import Confirmation
from wistlake.contracts import table as contract
from wistlake.errors import ConfigError, StoreDamaged, StoreError
from wistlake.pipeline import tombstone_copies
from wistlake.pipeline.jobs import media, repair
from wistlake.pipeline.jobs.rebuild_ledger import EXPIRED, RebuiltLedger, rebuild_ledger
from wistlake.planning.intervals import Interval, MediaEntry, State, Watermark
from wistlake.planning.labels import LabelChange, MediaLabels
from wistlake.ports import LEASE, Publication, TableRef
from wistlake.privacy import tombstones
from wistlake.privacy.tombstones import Person

NOW = datetime(2026, 3, 6, 2, 15, tzinfo=UTC)
FIRST, SECOND, THIRD = (date(2026, 3, n) for n in (1, 2, 3))
TABLES = {"silver.fact_events": TableRef("e", 1), "gold.fact_media_daily": TableRef("d", 2)}
PUBLISHED = Publication("last", NOW, TABLES)
LABELLED = MediaLabels("m1", (LabelChange("campaign", "spring", NOW),))


# ---- a ledger that is lost


def rebuilt(zone_name: str = "UTC") -> tuple[MemoryLedger, RebuiltLedger]:
    """Of the third day the raw pages are there, listed twice; gold has two days before."""
    ledger, objects = MemoryLedger(), MemoryObjects()
    later = NOW + timedelta(hours=1)
    land(objects, "events", THIRD, [{"event_key": "a"}, {"event_key": "b"}], run_id="run-2", at=later)
    land(objects, "events", THIRD, [{"event_key": "a"}], run_id="run-1", at=NOW)
    land(objects, "media_stats", FIRST, [{"play_count": 1}], media_id="other")
    land(objects, "visitors", FIRST, [{"visitor_key": "v"}], media_id="_account")
    tombstone_copies.put(objects, tombstones.entry(Person(frozenset({"m"})), [b"k"], "r", "t"))
    certificates = {("m1", FIRST): "certified", ("m1", SECOND): "provisional", ("m1", THIRD): "settled"}
    return ledger, rebuild_ledger(ledger, objects, PUBLISHED, certificates, zone_name, "repair", [LABELLED])


def test_a_ledger_is_made_anew_from_raw_pages_tables_and_tombstones() -> None:
    ledger, done = rebuilt()
    assert done == RebuiltLedger(landings=3, media=1, older=5, tombstones=1, labelled=1)
    assert ledger.labels() == [LABELLED]
    assert ledger.publication() == PUBLISHED
    assert ledger.media() == [MediaEntry("m1", FIRST, NOW)], "one of which there are days"
    (newest,) = ledger.intervals("events", start=THIRD)
    assert (newest.rows, newest.landing_id.endswith("run-2"), newest.is_settled) == (2, True, False)
    gold = ledger.intervals("gold")
    assert [(i.day, i.reason, i.state, i.published_at, i.built_signature) for i in gold] == [
        (day, reason, State.PUBLISHED, NOW, "UTC")
        for day, reason in ((FIRST, "certified"), (SECOND, "provisional"), (THIRD, "settled"))
    ]


def test_a_reading_that_brought_nothing_new_counts_in_a_ledger_that_is_made_anew() -> None:
    """Whose landing has expired, nobody can build from."""
    ledger, objects, at = MemoryLedger(), MemoryObjects(), NOW + timedelta(days=1)
    landing = land(objects, "events", THIRD, [{"event_key": "a"}]).landing_id
    again = Confirmation("events", "m1", THIRD, "run-2", at, landing, finished=True)
    expired = replace(again, day=SECOND, landing_id=landing.replace(str(THIRD), str(SECOND)))
    objects.put(*bronze.encode_confirmations([again, expired]))
    rebuild_ledger(ledger, objects, PUBLISHED, {}, "UTC", "repair")
    (day,) = ledger.intervals("events")
    assert (day.day, day.landing_id, day.observed_at, day.confirmations) == (THIRD, landing, at, 1)


def test_days_whose_raw_pages_have_expired_stand_as_they_were_published() -> None:
    ledger, _ = rebuilt()
    older = [i for i in ledger.intervals() if i.built_signature == EXPIRED]
    # A settled day is not asked for again; a provisional one is, as long as Wistia has it.
    assert [(i.dataset, i.day, i.confirmations, i.is_settled) for i in older] == [
        ("events", FIRST, 1, True),
        ("events", SECOND, 0, True),
        ("media_by_date", FIRST, 1, True),
        ("media_by_date", SECOND, 0, True),
        ("media_by_date", THIRD, 1, True),
    ]
    assert {i.reason for i in older} == {EXPIRED}


def test_a_local_day_was_made_from_every_utc_day_that_it_touches() -> None:
    ledger, done = rebuilt("-05:00")
    assert [i.day for i in ledger.intervals("events")] == [FIRST, SECOND, THIRD, date(2026, 3, 4)]
    assert done.older == 6


# ---- marker, catalog, a table


def leased(ledger: MemoryLedger) -> bool:
    return LEASE in ledger._leases


def test_the_marker_is_written_again_from_its_copy() -> None:
    ledger, written = MemoryLedger(), list[Mapping[str, Any]]()
    ledger.put_facts("lake", {"zone": "UTC", "layout": 1})

    def write(described: Mapping[str, Any]) -> None:
        assert leased(ledger)
        written.append(described)

    assert repair.marker(ledger, {"zone": "lost", "path": "/lake"}, write, "r", NOW) == "UTC"
    assert written == [{"zone": "UTC", "layout": 1, "path": "/lake"}]


def test_tables_that_are_sound_are_registered_although_another_is_damaged() -> None:
    ledger, registered = MemoryLedger(), list[Publication]()

    def register(publication: Publication) -> list[str]:
        registered.append(publication)
        return ["silver.fact_events"]

    def check(name: str, ref: TableRef) -> None:
        if name in damaged:
            raise StoreError(f"{name} is damaged")

    damaged: set[str] = set()
    with pytest.raises(StoreError, match="nothing has been published yet"):
        repair.catalog(ledger, check, register, "r", NOW)
    ledger.publish(PUBLISHED)
    assert repair.catalog(ledger, check, register, "r", NOW) == ["silver.fact_events"]
    assert registered == [PUBLISHED]
    damaged.add("gold.fact_media_daily")
    with pytest.raises(StoreDamaged, match=r"gold\.fact_media_daily is damaged"):
        repair.catalog(ledger, check, register, "r", NOW)
    assert registered[1].tables == {"silver.fact_events": TABLES["silver.fact_events"]}


@dataclass
class Repair:
    """Notes from when on whole states may serve."""

    sound: bool
    oldest: datetime | None = None

    def is_sound(self) -> bool:
        return self.sound

    def repair(self, oldest_raw: datetime) -> str:
        self.oldest = oldest_raw
        return "repaired"


def table_repaired(name: str, work: Repair, *landings: datetime) -> tuple[str | None, MemoryLedger]:
    ledger, objects = MemoryLedger(), MemoryObjects()
    for n, at in enumerate(landings):
        manifest = land(objects, "events", FIRST, [{"event_key": "a"}], run_id=f"run-{n}", at=at)
    plain = Interval("events", "m1", FIRST, State.PUBLISHED, "r", NOW, built_signature="s", published_at=NOW)
    ledger.record(
        [
            replace(plain, landing_id=manifest.landing_id if landings else "gone"),
            replace(plain, day=SECOND, landing_id="expired"),
            replace(plain, dataset="gold", day=SECOND),
        ]
    )
    ledger.publish(PUBLISHED)
    given: list[TableRef | None] = []

    def made(ref: TableRef | None) -> Repair:
        given.append(ref)
        return work

    done = repair.table(ledger, objects, contract(name), made, "r", NOW)
    assert given == [TABLES.get(name)]
    return done, ledger


def test_a_table_that_is_whole_is_left_as_it_is() -> None:
    done, ledger = table_repaired("silver.fact_events", work := Repair(sound=True), NOW)
    assert (done, work.oldest) == (None, None)
    assert {i.built_signature for i in ledger.intervals()} == {"s"}


@pytest.mark.parametrize(
    ("name", "gold_at"),
    [("silver.fact_events", NOW), ("silver.dim_media", NOW), ("gold.fact_media_daily", None)],
)
def test_what_a_repaired_table_may_lack_is_built_again(name: str, gold_at: datetime | None) -> None:
    """Silver from raw pages; gold, a day without raw pages too, from silver."""
    before = NOW - timedelta(days=3)
    done, ledger = table_repaired(name, work := Repair(sound=False), NOW, before)
    assert (done, work.oldest) == ("repaired", before)
    assert ledger.intervals("events")[0].built_signature == "rebuild"
    assert ledger.intervals("gold")[0].published_at == gold_at


def test_without_raw_pages_only_the_newest_state_serves() -> None:
    _, ledger = table_repaired("silver.fact_events", work := Repair(sound=False))
    assert work.oldest == NOW
    assert ledger.intervals("events")[0].built_signature == "s"


# ---- media


def test_a_media_is_followed_from_its_own_first_day() -> None:
    ledger = MemoryLedger()

    def follow(first: date | None) -> None:
        media.follow(ledger, "m1", first, SECOND, "r", NOW)

    follow(None)
    assert ledger.media() == [MediaEntry("m1", SECOND, NOW)]
    follow(FIRST)
    assert ledger.media() == [MediaEntry("m1", FIRST, NOW)]
    media.retire(ledger, "m1", "sold", "r", NOW)
    assert ledger.media() == [MediaEntry("m1", FIRST, NOW, retired_at=NOW, reason="sold")]
    follow(None)
    assert ledger.media() == [MediaEntry("m1", FIRST, NOW)], "it keeps its own first day"
    with pytest.raises(ConfigError, match="does not follow m2"):
        media.retire(ledger, "m2", "sold", "r", NOW)


def test_a_watermark_that_is_set_by_hand_says_why() -> None:
    ledger = MemoryLedger()
    with pytest.raises(ConfigError, match="--reason"):
        media.set_watermark(ledger, Watermark("events", "m1", FIRST, NOW), "r")
    media.set_watermark(ledger, marked := Watermark("events", "m1", FIRST, NOW, "they closed"), "r")
    assert ledger.watermarks() == [marked]
