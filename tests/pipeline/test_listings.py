"""What lands of a listing of many media and days, and what is asked instead of one that can't be taken whole."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from support.answer import Answer
from support.memory import MemoryLedger, MemoryObjects
from wistlake.bronze import MANIFEST, decode_lines, decode_manifest
from wistlake.contracts import source
from wistlake.contracts.form import ACCOUNT, Source
from wistlake.errors import SourceChanged, SourceUnavailable, StoreError
from wistlake.pipeline.run import ingest
from wistlake.pipeline.run.fetched import Ingested
from wistlake.pipeline.run.ingest import Ingest, IngestContext, note_share, share_out
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning.calendar import zone
from wistlake.planning.intervals import Fetch, State
from wistlake.planning.packing import FACTS as SHARE

NOW = datetime(2026, 3, 5, 2, 15, tzinfo=UTC)
FIRST, LAST = date(2026, 3, 3), date(2026, 3, 4)
WHOLE = Fetch("events", ACCOUNT, FIRST, LAST, (("a", FIRST, LAST), ("b", FIRST, LAST)))
EVENTS = source("events")


def session(key: str, media: Any, received_at: Any) -> dict[str, Any]:
    return {"event_key": key, "media_id": media, "received_at": received_at}


A1, A2 = session("a1", "a", "2026-03-03T10:00:00.000Z"), session("a2", "a", "2026-03-04T00:00:00.000Z")
B1, OTHER = (
    session("b1", "b", "2026-03-03T23:59:59.000Z"),
    session("x", "not followed", "2026-03-03T10:00:00.000Z"),
)


class Wistia:
    """Lists sessions of any media and days; `fails`: media whose lists of so many days or more are not answered."""

    def __init__(self, *sessions: dict[str, Any], fails: Mapping[str, int] | None = None) -> None:
        self.sessions, self.fails = sessions, fails or {}
        self.asked: list[tuple[str, int]] = []

    async def fetch(self, contract: Source, media_id: str, start: date, end: date, rows: int = 0) -> Answer:
        if contract.name == "media_metadata":
            return Answer([{"hashed_id": media_id}])
        days = (end - start).days + 1
        self.asked.append((media_id, days))
        if days >= self.fails.get(media_id, 99):
            raise SourceUnavailable(f"{media_id}: 500")
        listed = [
            s
            for s in self.sessions
            if media_id in (ACCOUNT, s["media_id"])
            and (days > 1 or not isinstance(s["received_at"], str) or s["received_at"].startswith(str(start)))
        ]
        return Answer(listed)

    async def describe(self, contract: Source, media_ids: Sequence[str]) -> Answer:
        return Answer([{"hashed_id": media_id} for media_id in media_ids])

    async def list_media(self, folder: str | None = None, tag: str | None = None) -> list[dict[str, Any]]:
        raise AssertionError("nobody asks for this")

    async def page(self, path: str, params: Any = None) -> Any:
        raise AssertionError("nobody asks for this")

    async def account_days(self, start: date, end: date) -> list[dict[str, Any]]:
        raise AssertionError("nobody asks for this")


class Full(MemoryObjects):
    """A disk that takes no more after the first landing of media a."""

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        if "media_id=b" in key:
            raise StoreError("the disk is full")
        super().put(key, data, if_absent=if_absent)


def landed(
    wistia: Wistia, *fetches: Fetch, objects: MemoryObjects | None = None
) -> tuple[dict[tuple[str, int], list[str]], MemoryLedger, Ingested]:
    """The sessions that landed by media and day of the month, with the ledger, and what the ingest did."""
    objects, ledger = objects or MemoryObjects(), MemoryLedger()
    context = IngestContext("r1", zone("UTC"), lambda: NOW, time.monotonic)
    done = asyncio.run(Ingest(context, objects, ledger, LedgerView(), wistia).run(fetches))
    note_share(ledger, done)
    found = {
        (i.media_id, i.day.day): [
            record.get("event_key")
            for key in objects.list(f"bronze/wistia/{i.landing_id}/")
            if not key.endswith(MANIFEST)
            for _, record in decode_lines(objects.get(key))
        ]
        for i in ledger.intervals()
        if i.landing_id
    }
    return found, ledger, done


def test_each_session_lands_with_its_media_and_day_and_no_other() -> None:
    wistia = Wistia(A1, A2, B1, OTHER)
    found, ledger, done = landed(wistia, WHOLE)
    assert found == {("a", 3): ["a1"], ("a", 4): ["a2"], ("b", 3): ["b1"], ("b", 4): []}
    assert wistia.asked == [(ACCOUNT, 2)]
    assert done.requests == {("events", ACCOUNT): 1, ("media_metadata", ACCOUNT): 1}, (
        "b has a day without sessions"
    )
    assert ledger.facts(SHARE) == {"listed": 4, "followed": 3}


def test_a_long_list_lands_in_parts_that_are_numbered_like_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "PART_ROWS", 2)
    objects = MemoryObjects()
    landed(Wistia(*(A1 | {"event_key": f"a{n}"} for n in range(5))), WHOLE, objects=objects)
    of_day = [k for k in objects.list("bronze/wistia/events/") if "dt=2026-03-03/media_id=a/" in k]
    manifest = decode_manifest(objects.get(of_day.pop(0)))
    assert [key.rpartition("/")[2] for key in of_day] == [f"part-0000{n}.jsonl.gz" for n in (1, 2, 3)]
    lines = [line for key in of_day for line in decode_lines(objects.get(key))]
    assert [(number, record["event_key"]) for number, record in lines] == [(n + 1, f"a{n}") for n in range(5)]
    assert [(p.key, p.rows) for p in manifest.parts] == list(zip(of_day, (2, 2, 1), strict=True))


def test_a_session_that_is_listed_twice_in_one_list_lands_where_each_copy_belongs() -> None:
    moved = session("a1", "a", "2026-03-04T01:00:00.000Z")
    found, _, _ = landed(Wistia(moved, A1, B1), WHOLE)
    assert found["a", 3] == found["a", 4] == ["a1"]


def test_days_between_that_nobody_needs_are_left_out() -> None:
    gap = Fetch(
        "events",
        "a",
        FIRST,
        date(2026, 3, 5),
        (("a", FIRST, FIRST), ("a", date(2026, 3, 5), date(2026, 3, 5))),
    )
    shares, odd = share_out(EVENTS, gap, [A1, A2], UTC)
    assert {key[2].day: len(records) for key, records in shares.items()} == {3: 1, 5: 0}
    assert odd == set()


def test_a_form_of_a_day_beside_those_that_were_asked_for_counts_on_the_nearest() -> None:
    """Wistia's window may be in another zone than the account's days."""
    contract = source("conversions")
    days = [date(2026, 3, day) for day in (1, 2, 3)]
    sent = [
        {"converted_at": f"2026-{moment}:00Z"} for moment in ("02-28T23:30", "03-02T10:00", "03-04T00:10")
    ]
    shares, _ = share_out(contract, Fetch("conversions", "a", days[0], days[-1]), sent, UTC)
    assert {key[2]: records for key, records in shares.items()} == dict(
        zip(days, ([r] for r in sent), strict=True)
    )


@pytest.mark.parametrize("received_at", [None, 17, "yesterday", "2026-04-01T00:00:00.000Z", ""])
def test_a_media_with_a_session_of_no_day_is_read_day_by_day(received_at: Any) -> None:
    wistia = Wistia(A1, A2, B1, session("odd", "a", received_at))
    found, _, done = landed(wistia, WHOLE)
    assert sorted(wistia.asked) == sorted([(ACCOUNT, 2), ("a", 1), ("a", 1)])
    assert (found["b", 3], found["b", 4]) == (["b1"], [])
    assert set(found["a", 3]) >= {"a1"}
    assert set(found["a", 4]) >= {"a2"}
    assert not done.errors


def test_a_session_of_no_media_sends_everybody_to_lists_of_their_own() -> None:
    wistia = Wistia(A1, B1, session("odd", None, "2026-03-03T10:00:00.000Z"))
    found, _, _ = landed(wistia, WHOLE)
    assert sorted(wistia.asked) == sorted([(ACCOUNT, 2), *[("a", 1)] * 2, *[("b", 1)] * 2])
    assert found == {("a", 3): ["a1"], ("a", 4): [], ("b", 3): ["b1"], ("b", 4): []}


def test_a_list_that_fails_is_read_in_narrower_ones_and_costs_only_what_fails_by_itself() -> None:
    wistia = Wistia(A1, A2, B1, fails={ACCOUNT: 2, "a": 2, "b": 1})
    found, ledger, done = landed(wistia, WHOLE)
    assert wistia.asked[0] == (ACCOUNT, 2)
    assert sorted(wistia.asked[1:3]) == [("a", 2), ("b", 2)]
    assert sorted(wistia.asked[3:]) == [("a", 1), ("a", 1), ("b", 1), ("b", 1)]
    assert found == {("a", 3): ["a1"], ("a", 4): ["a2"]}
    assert list(done.errors) == [("events", "b")]
    assert {(i.media_id, i.state) for i in ledger.intervals()} == {("a", State.LANDED), ("b", State.FAILED)}


def test_a_store_that_fails_half_way_leaves_what_has_landed() -> None:
    _, ledger, done = landed(Wistia(A1, A2, B1), WHOLE, objects=Full())
    assert isinstance(done.errors["events", ACCOUNT], StoreError)
    assert {(i.media_id, i.state) for i in ledger.intervals()} == {("a", State.LANDED), ("b", State.FAILED)}


@pytest.mark.parametrize(
    ("before", "is_believed"), [(0, True), (3, True), (23, True), (24, False), (500, False)]
)
def test_a_list_of_the_account_that_is_much_shorter_than_it_was_is_not_believed(
    before: int, *, is_believed: bool
) -> None:
    wistia = Wistia(A1, A2, B1)
    _, ledger, done = landed(wistia, Fetch("events", ACCOUNT, FIRST, LAST, WHOLE.parts, rows=before))
    assert len(wistia.asked) == (1 if is_believed else 3)
    assert not done.errors
    assert {i.state for i in ledger.intervals()} == {State.LANDED}
    assert ledger.facts(SHARE) == {"listed": 3, "followed": 3}


def test_metadata_of_many_media_lands_for_each_and_what_is_not_listed_is_asked_for() -> None:
    class Archived(Wistia):
        async def describe(self, contract: Source, media_ids: Sequence[str]) -> Answer:
            return Answer([{"hashed_id": m} for m in media_ids if m != "b"])

        async def fetch(
            self, contract: Source, media_id: str, start: date, end: date, rows: int = 0
        ) -> Answer:
            self.asked.append((media_id, 1))
            return Answer(missing=True)

    wistia = Archived()
    day = NOW.date()
    parts = tuple((m, day, day) for m in ("a", "b", "c"))
    _, ledger, done = landed(wistia, Fetch("media_metadata", ACCOUNT, day, day, parts))
    assert wistia.asked == [("b", 1)]
    assert {i.media_id: i.missing for i in ledger.intervals()} == {"a": False, "b": True, "c": False}
    assert "b" in done.unavailable["media_metadata"]


def test_a_404_for_sessions_of_the_account_is_no_account_without_sessions() -> None:
    class Gone(Wistia):
        async def fetch(
            self, contract: Source, media_id: str, start: date, end: date, rows: int = 0
        ) -> Answer:
            if media_id == ACCOUNT:
                self.asked.append((media_id, 2))
                return Answer(missing=True)
            return await super().fetch(contract, media_id, start, end)

    wistia = Gone(A1, A2, B1)
    found, _, done = landed(wistia, WHOLE)
    assert found == {("a", 3): ["a1"], ("a", 4): ["a2"], ("b", 3): ["b1"], ("b", 4): []}
    assert not any(isinstance(e, SourceChanged) for e in done.errors.values())
