"""Who is forgotten, and who is not: strangers that watched a media named after somebody, keys that are mistyped,
orders about more people than meant."""

import asyncio
import gzip
import json
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from privacy.people import PEOPLE, have_forgotten, somebody_landed
from support.commands import call
from support.lake import KEY, START, Lake, Scenario
from support.memory import MemoryLedger, MemoryObjects
from support.small import land
from unit.aws.test_handover import NOW, ORDER
from wistia_simulator import ServerOptions, create_app, transport
from wistlake.adapters import lake_bytes
from wistlake.contracts import source
from wistlake.derive.pseudonym import pseudonym
from wistlake.errors import ConfigError, SourceMissing, SourceUnavailable, StoreError
from wistlake.pipeline.jobs.forget import FEW, Who, ask_source, forget
from wistlake.pipeline.run.spec import LakeDependencies
from wistlake.privacy import tombstones
from wistlake.privacy.tombstones import Person

LATER = START + timedelta(days=2)


class Naming(httpx2.AsyncBaseTransport):
    """The simulator, whose media are named and described after somebody, and played on pages that name them."""

    def __init__(self, lake: Lake) -> None:
        self.lake, self.email = lake, ""
        self.rest = transport(create_app(lake.world, ServerOptions(token="simulated", basic=True)))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self.rest.handle_async_request(request)
        plain = json.loads(await answer.aread() or b"null")
        if self.email and "/stats/" not in request.url.path:
            for media in plain if isinstance(plain, list) else [plain]:
                if "hashed_id" in media:
                    media["name"] = f"Demo call with {self.email}"
                    media["description"] = f"<p>For {self.email.upper()}.</p>"
                    media["tags"] = ["calls", self.email]
        if self.email and request.url.path.endswith("/stats/events"):
            plain = [
                r | {"media_name": f"Demo call with {self.email}", "embed_url": self.page()} for r in plain
            ]
        return httpx2.Response(answer.status_code, json=plain)

    def page(self) -> str:
        return f"https://site.example/for/{self.email}?invited={quote(self.email, safe='')}&utm_source=mail"


@pytest.mark.engine
def test_strangers_who_watched_a_media_named_after_somebody_stay(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", Scenario(replace(PEOPLE, canary=None), settings={"lookback_days": 3}))
    lake._source = naming = Naming(lake)
    lake.run_day(START)
    who = somebody_landed(lake)
    naming.email = who.email
    lake.run_day(START + timedelta(days=1))
    visitor = pseudonym([KEY], who.visitor_key)
    before = lake.rows("silver.fact_events")
    strangers = {r["event_key"] for r in before if r["visitor_id"] != visitor}
    assert len(strangers) > len(before) - len(strangers) > 0

    counted = have_forgotten(lake, LATER, email=who.email, dry_run=True)
    assert (counted["devices"], counted["people"]) == (1, 1)
    assert counted["bronze"]["mentions"] > len(strangers)
    receipt = have_forgotten(lake, LATER, email=who.email)
    assert receipt["second_look"] == "nothing found"
    assert receipt["tables"]["silver.fact_events"] == len(before) - len(strangers)

    assert {r["event_key"] for r in lake.rows("silver.fact_events")} == strangers
    assert {r["title"] for r in lake.rows("silver.dim_media")} == {"Demo call with [masked]"}
    assert {tuple(r["tags"]) for r in lake.rows("silver.dim_media")} == {("[masked]", "calls")}
    assert "Demo call with [masked]" in {r["title"] for r in lake.rows("silver.dim_media_history")}
    assert not lake_bytes.search(lake.folder, [who.email, who.visitor_key, visitor])

    lake.run_day(LATER + timedelta(hours=2))
    now = {r["event_key"] for r in lake.rows("silver.fact_events")}
    assert strangers <= now
    assert not lake_bytes.search(lake.folder, [who.email, who.visitor_key, visitor])


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake for orders that must change nothing."""
    made = Lake(tmp_path_factory.mktemp("quiet") / "lake", Scenario(PEOPLE, settings={"lookback_days": 1}))
    made.run_day(START)
    return made


@pytest.mark.engine
class TestKeys:
    @pytest.mark.parametrize("dry_run", [True, False])
    def test_a_mistyped_key_is_refused_and_changes_nothing(self, quiet: Lake, dry_run: bool) -> None:
        key = somebody_landed(quiet).visitor_key
        mistyped = key[:-1] + ("0" if key[-1] != "0" else "1")
        with pytest.raises(ConfigError, match="nobody is known by that key") as caught:
            have_forgotten(quiet, START + timedelta(hours=1), visitor_key=mistyped, dry_run=dry_run)
        assert mistyped not in str(caught.value)
        assert not quiet.ledger.facts(tombstones.FACTS)

    def test_a_key_that_only_tables_know_is_counted(
        self, quiet: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Raw pages expire, and Wistia forgets visitors."""
        who = somebody_landed(quiet)
        monkeypatch.setattr("wistlake.pipeline.jobs.forget.landings.each", lambda *_: iter(()))
        monkeypatch.setattr("privacy.people.ask_source", nobody)
        counted = have_forgotten(quiet, START + timedelta(hours=1), visitor_key=who.visitor_key, dry_run=True)
        assert counted["tables"]["silver.fact_events"] > 0


async def nobody(*_: object) -> list[Any]:
    return []


# ---- how many, without an engine


class Reached(Exception):
    """The order went as far as the tables."""


def ordered(records: list[dict[str, Any]], who: Who, ledger: MemoryLedger | None = None, **more: Any) -> Any:
    def tables() -> Any:
        raise Reached

    objects = MemoryObjects()
    land(objects, "events", date(2026, 3, 1), records, at=NOW)
    parts = LakeDependencies(objects, ledger or MemoryLedger(), tables, lambda: (KEY,), lambda: NOW)
    purge: Any = SimpleNamespace()
    return forget(ORDER, parts, who, purge, lambda _: {}, **more)


JANE = "jane@x.example"


def session(device: str, email: str | None = None, **more: Any) -> dict[str, Any]:
    return {"event_key": f"e-{device}-{email}", "visitor_key": device, "email": email, **more}


def devices(count: int, email: str = JANE) -> list[dict[str, Any]]:
    return [session(f"device-{n}", email) for n in range(count)]


STRANGERS = [session(f"stranger-{n}", None, media_name=f"Demo call with {JANE}") for n in range(145)]


def test_more_than_a_few_devices_need_their_number() -> None:
    many = [*devices(FEW + 1), *STRANGERS]
    ledger = MemoryLedger()
    with pytest.raises(ConfigError, match=f"^{FEW + 1} devices of 1 people .*--devices {FEW + 1}$"):
        ordered(many, Who(JANE), ledger)
    with pytest.raises(ConfigError, match=f"--devices 145 does not fit, {FEW + 1} devices"):
        ordered(many, Who(JANE, devices=145), ledger)
    assert not ledger.facts(tombstones.FACTS)
    with pytest.raises(Reached):
        ordered(many, Who(JANE, devices=FEW + 1))
    with pytest.raises(Reached):
        ordered([*devices(FEW), *STRANGERS], Who(JANE))


def test_a_number_that_does_not_fit_stops_a_small_order_too() -> None:
    with pytest.raises(ConfigError, match="--devices 2 does not fit, 1 devices of 1 people"):
        ordered(devices(1), Who(JANE, devices=2))


def test_a_device_of_many_people_needs_the_number() -> None:
    """One at an event, say: their sessions would go as well."""
    shared = [session("kiosk", f"guest{n}@x.example") for n in range(FEW)]
    with pytest.raises(ConfigError, match=f"^1 devices of {FEW + 1} people .*--devices 1$"):
        ordered([session("kiosk", JANE), *shared], Who(JANE))
    with pytest.raises(ConfigError, match=f"^1 devices of {FEW + 1} people"):
        ordered([session("kiosk", JANE), *shared], Who(visitor_key="kiosk"))
    with pytest.raises(Reached):
        ordered([session("kiosk", JANE), *shared], Who(JANE, devices=1))


def test_an_order_given_again_is_not_stopped_by_what_it_did_before() -> None:
    """It died after its tombstone, and some of the raw pages were rewritten by then."""
    ledger = MemoryLedger()
    with pytest.raises(Reached):
        ordered(devices(FEW + 4), Who(JANE, devices=FEW + 4), ledger)
    assert ledger.facts(tombstones.FACTS)
    for still_there in (devices(FEW + 2), STRANGERS):
        with pytest.raises(Reached):
            ordered(still_there, Who(JANE, devices=FEW + 4), ledger)
    with pytest.raises(ConfigError, match="does not fit"):
        ordered([*devices(1), session("new", JANE)], Who(JANE, devices=FEW + 4), ledger)


@pytest.mark.parametrize(
    ("asked", "theirs", "others"),
    [
        ("m\u00fcller@x.example", "M\u00dcLLER@x.example", "ller@x.example"),
        ("ller@x.example", "ller@x.example", "m\u00fcller@x.example"),
        ("o/brien@x.example", "o/brien@x.example", "brien@x.example"),
        ("brien@x.example", "Brien@x.example", "o/brien@x.example"),
        ("o'brien@x.example", "o'brien@x.example", "brien@x.example"),
        ("jane+news@x.example", "jane+news@x.example", "jane@x.example"),
        ("ann@x.example", "ann@x.example", "joann@x.example"),
        ("ann@x.co", "ann@x.co", "ann@x.com"),
        ("ann@b\u00fccher.example", "ann@xn--bcher-kva.example", "ann@bcher.example"),
    ],
)
def test_an_unusual_address_is_the_one_person(asked: str, theirs: str, others: str) -> None:
    ledger = MemoryLedger()
    with pytest.raises(Reached):
        ordered([session("right", theirs), session("wrong", others)], Who(asked), ledger)
    forgotten = tombstones.forgotten(ledger.facts(tombstones.FACTS))
    assert forgotten is not None
    assert tombstones.is_about(forgotten, (KEY,), session("right"))
    assert tombstones.is_about(forgotten, (KEY,), session("later", theirs))
    assert not tombstones.is_about(forgotten, (KEY,), session("wrong"))
    assert not tombstones.is_about(forgotten, (KEY,), session("wrong", others))


@pytest.mark.parametrize(
    "email", ["jane", "jane@x", "a@b.c d@e.f", "call jane@x.example", "@x.example", "jane@x.example,"]
)
def test_what_is_no_whole_address_is_refused(email: str) -> None:
    with pytest.raises(ConfigError, match="--email takes one whole address"):
        Who(email)


def test_somebody_who_is_only_mentioned_is_no_visitor() -> None:
    with pytest.raises(ConfigError, match="nobody is known by that address"):
        ordered(STRANGERS, Who(JANE))


def test_what_lands_later_masks_the_forgotten_elsewhere() -> None:
    forgotten = Person(addresses=frozenset({tombstones.address_mark([KEY], JANE)}))
    facts = tombstones.added({}, tombstones.entry(forgotten, [KEY], "r", "t"))
    admits = tombstones.admission(facts, lambda: (KEY,))
    assert admits is not None
    events, media = source("events"), source("media_metadata")
    assert admits(events, session("device", JANE)) is None
    stranger = session("stranger", "joe@x.example", media_name=f"For {JANE}")
    assert admits(events, stranger) == stranger | {"media_name": "For [masked]"}
    assert admits(media, {"name": JANE, "description": f"<p>{JANE}</p>"}) == {
        "name": "[masked]", "description": "<p>[masked]</p>",
    }  # fmt: skip
    untouched = session("stranger", "joe@x.example")
    assert admits(events, untouched) is untouched


# ---- what Wistia says


class Wistia:
    """A search of many pages, or one that fails."""

    def __init__(self, pages: list[list[dict[str, Any]]], error: Exception | None = None) -> None:
        self.pages, self.error, self.asked = pages, error, list[Mapping[str, str]]()

    async def page(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        self.asked.append({"path": path, **(params or {})})
        if self.error:
            raise self.error
        number = int((params or {}).get("page", 1))
        return SimpleNamespace(records=self.pages[number - 1] if number <= len(self.pages) else [])

    def found(self, who: Who) -> Any:
        @asynccontextmanager
        async def client() -> Any:
            yield self

        return asyncio.run(ask_source(client, who))


def visitor(number: int, email: str | None = None) -> dict[str, Any]:
    return {"visitor_key": f"v{number}", "visitor_identity": {"name": f"jane {number}", "email": email}}


def test_a_search_of_several_pages_is_read_to_its_end() -> None:
    pages = [[visitor(n) for n in range(k, k + 100)] for k in (0, 100)] + [
        [visitor(200, JANE), visitor(201, "x" + JANE)]
    ]
    pages[0][7] = visitor(7, JANE.upper())
    wistia = Wistia(pages)
    assert [r["visitor_key"] for r in wistia.found(Who(JANE))] == ["v7", "v200"]
    assert [a["page"] for a in wistia.asked] == ["1", "2", "3"]
    assert {a["search"] for a in wistia.asked} == {JANE}


def test_a_search_that_ignores_pages_ends() -> None:
    wistia = Wistia([[visitor(n, JANE) for n in range(100)]] * 50)
    assert len(wistia.found(Who(JANE))) == 100
    assert len(wistia.asked) == 2


def test_a_key_is_asked_for_by_itself() -> None:
    wistia = Wistia([[visitor(1)]])
    assert [r["visitor_key"] for r in wistia.found(Who(visitor_key="v1"))] == ["v1"]
    assert wistia.asked == [{"path": "/stats/visitors/v1"}]
    assert wistia.found(Who(visitor_key="v2")) == []


@pytest.mark.parametrize("who", [Who(JANE), Who(visitor_key="v1")])
@pytest.mark.parametrize(
    ("error", "answer"),
    [(SourceMissing("404"), []), (SourceUnavailable("503"), None), (ConfigError("no token"), None)],
)
def test_nobody_there_is_not_the_same_as_nobody_asked(
    who: Who, error: Exception, answer: list[Any] | None
) -> None:
    assert Wistia([], error).found(who) == answer


def test_a_fault_of_this_side_is_no_answer() -> None:
    with pytest.raises(StoreError):
        Wistia([], StoreError("budget")).found(Who(JANE))


@pytest.mark.engine
def test_what_a_killed_writer_left_is_searched_and_swept(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", Scenario(PEOPLE, settings={"lookback_days": 1}))
    lake.run_day(START)
    who = somebody_landed(lake)
    page = gzip.compress(json.dumps({"email": who.email, "visitor_key": who.visitor_key}).encode())
    left = lake.folder / "bronze" / ".unfinished" / "77-0a1b2c3d"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(page[: len(page) - 4])
    hidden = lake.folder / ".copy" / "page"
    hidden.parent.mkdir()
    hidden.write_bytes(page)
    with pytest.raises(StoreError, match=r"second look still finds .* \.copy/page"):
        have_forgotten(lake, START + timedelta(hours=1), email=who.email)
    assert not left.exists()
    hidden.unlink()
    receipt = have_forgotten(lake, START + timedelta(hours=2), email=who.email)
    assert receipt["second_look"] == "nothing found"


def test_the_number_of_devices_is_an_option(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: list[Who] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WISTLAKE_REPORT", "false")
    forget = "wistlake.wiring.laptop.LaptopLake.forget"
    monkeypatch.setattr(forget, lambda _lake, _run_id, _now, who, **_: given.append(who) or {})
    assert call("forget", "--email", JANE, "--devices", "145") == 0
    assert given == [Who(JANE, devices=145)]
