"""The second home of tombstones: what one side lost, the other one tells; nobody is let back in."""

from datetime import UTC, datetime
from typing import Any

import pytest

from support.memory import MemoryLedger, MemoryObjects, RecordingNotifier
from support.some import some
from unit.test_records import NOW, ORDER, Lease
from wistlake.contracts import source
from wistlake.derive.pseudonym import pseudonym
from wistlake.errors import StoreError
from wistlake.pipeline import tombstone_copies as tombstone_home
from wistlake.pipeline.run.spec import Dependencies
from wistlake.pipeline.run.stages import plan_run
from wistlake.planning.intervals import MediaEntry
from wistlake.privacy import tombstones
from wistlake.privacy.tombstones import Person

KEYS = (b"first key", b"second key")
AT = datetime(2026, 3, 2, tzinfo=UTC).isoformat()
EVENTS = source("events")


def tombstone(visitor_key: str, keys: tuple[bytes, ...] = KEYS) -> dict[str, Any]:
    person = Person(frozenset({tombstones.visitor_mark(keys, visitor_key)}))
    return tombstones.entry(person, keys, "forget-1", AT)


def admits(ledger: MemoryLedger, visitor_key: str) -> bool:
    admission = tombstones.admission(ledger.facts(tombstones.FACTS), lambda: KEYS)
    return admission is None or admission(EVENTS, {"visitor_key": visitor_key}) is not None


def test_a_ledger_that_was_lost_learns_again_who_was_forgotten() -> None:
    objects, ledger = MemoryObjects(), MemoryLedger()
    assert tombstone_home.put(objects, tombstone("one"))
    assert admits(ledger, "one")
    assert tombstone_home.reload(objects, ledger) == 1
    assert not admits(ledger, "one")
    assert admits(ledger, "another")
    assert tombstone_home.reload(objects, ledger) == 0


def test_a_plan_on_aws_teaches_a_ledger_that_came_back() -> None:
    """One that was restored from its point-in-time backup, say."""
    objects, ledger = MemoryObjects(), MemoryLedger()
    tombstone_home.put(objects, tombstone("one"))
    never: Any = None
    parts = Dependencies(
        objects, ledger, never, lambda: KEYS, lambda: NOW, never, RecordingNotifier(), lambda: 0.0
    )
    lease: Any = Lease()
    ledger.put_media(MediaEntry(m, NOW.date(), NOW) for m in ORDER.choice.ids)
    plan_run(ORDER, parts, lease, NOW)
    assert not admits(ledger, "one")


def test_tombstones_older_than_the_second_home_get_there() -> None:
    objects, ledger = MemoryObjects(), MemoryLedger()
    ledger.put_facts(tombstones.FACTS, {"entries": [tombstone("one"), tombstone("two")]})
    assert tombstone_home.mirror(objects, ledger) == 2
    assert tombstone_home.mirror(objects, ledger) == 0
    fresh = MemoryLedger()
    tombstone_home.reload(objects, fresh)
    assert not admits(fresh, "one")
    assert not admits(fresh, "two")


def test_the_lake_that_takes_anothers_place_takes_its_tombstones() -> None:
    old, new = MemoryObjects(), MemoryObjects()
    tombstone_home.put(old, tombstone("one"))
    tombstone_home.put(new, tombstone("two"))
    assert tombstone_home.bring(old, new) == 1
    assert tombstone_home.bring(old, new) == 0
    ledger = MemoryLedger()
    assert tombstone_home.reload(new, ledger) == 2


def test_a_tombstone_names_nobody_and_holds_no_stored_id() -> None:
    objects = MemoryObjects()
    tombstone_home.put(objects, tombstone("visitor-one"))
    (key,) = objects.list(f"{tombstone_home.HOME}/")
    text = objects.get(key).decode()
    person = Person(frozenset({tombstones.visitor_mark(KEYS, "visitor-one")}))
    ids = tombstones.stored_ids(person, KEYS)
    assert pseudonym(KEYS, "visitor-one") in ids
    assert not [t for t in (*ids, "visitor-one") if t in text or t in key]


def test_a_tombstone_recognises_the_ids_of_every_epoch() -> None:
    """A backup may be of an epoch in which only the table's own id is left of the visitor."""
    mark = tombstones.visitor_mark(KEYS, "one")
    forgotten = tombstones.forgotten({"entries": [tombstone("one")]})
    assert forgotten is not None
    for stored in some(tombstones.stored_ids(Person(frozenset({mark})), KEYS)):
        assert tombstones.is_sealed(forgotten, KEYS, stored)
    assert not tombstones.is_sealed(forgotten, KEYS, tombstones.visitor_mark(KEYS, "another"))


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'{"visitors": [], "addresses": []}', b'{"visitors": 1}']
)
def test_a_damaged_tombstone_stops_the_run_and_names_itself(data: bytes) -> None:
    objects, ledger = MemoryObjects(), MemoryLedger()
    tombstone_home.put(objects, tombstone("one"))
    (key,) = objects.list(f"{tombstone_home.HOME}/")
    objects.put(key, data)
    with pytest.raises(StoreError, match=key):
        tombstone_home.reload(objects, ledger)
    with pytest.raises(StoreError, match=key):
        tombstone_home.bring(objects, MemoryObjects())


def test_the_ids_that_tables_may_hold_are_those_of_every_epoch_and_of_redacted_pages() -> None:
    """A redacted page holds the mark of its own epoch; what was built from it later was wrapped by later keys."""
    one, two, three = b"a" * 32, b"b" * 32, b"c" * 32
    person = tombstones.Person(visitors=frozenset({"mark"}))
    assert tombstones.stored_ids(person, [one]) == {"mark", pseudonym([one], "mark")}
    assert tombstones.stored_ids(person, [one, two, three]) == {
        "mark",
        *(pseudonym(keys, "mark") for keys in ([one], [one, two], [one, two, three], [two], [two, three])),
    }
    assert tombstones.stored_ids(tombstones.Person(visitors=frozenset()), [one, two]) == frozenset()
