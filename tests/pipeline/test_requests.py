"""How many requests runs take: counts are exact, and follow what there is to read, not media times days."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from support.lake import START, Lake, Scenario
from support.some import some
from wistia_simulator import Profile, ServerOptions, create_app, transport
from wistlake.bronze import CONFIRMED, MANIFEST, decode_confirmations, decode_manifest, manifest_key
from wistlake.contracts.form import ACCOUNT
from wistlake.pipeline.run.handover import Handover, begin
from wistlake.pipeline.run.ingest import ingest
from wistlake.pipeline.run.select import select

TWENTY = Scenario(replace(Profile.calm(), media=20, sessions_per_day=5.6, history_days=9))
TEN = Scenario(
    replace(Profile.calm(), media=10, sessions_per_day=30.0, history_days=28),
    settings={"start_date": (START - timedelta(days=27)).date()},
)
OPTIONS = ServerOptions(token="simulated", rate_limit_per_minute=None)


class Counting(httpx2.AsyncBaseTransport):
    """The simulator, counting what it is asked. The next `empty` lists of the account are served without sessions."""

    def __init__(self, lake: Lake) -> None:
        self.inner = transport(create_app(lake.world, OPTIONS))
        self.asked: Counter[str] = Counter()
        self.empty = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        kinds = ("/stats/events", "/by_date", "/stats/medias/", "/medias")
        kind = next(k for k in kinds if k in path)
        self.asked["/stats/account" if "/stats/account" in path else kind] += 1
        if self.empty and kind == "/stats/events" and "media_id" not in request.url.params:
            self.empty -= 1
            return httpx2.Response(200, json=[], request=request)
        return await self.inner.handle_async_request(request)


class Reader:
    """Runs up to their landings, of one lake."""

    def __init__(self, folder: Path, scenario: Scenario = TWENTY) -> None:
        self.lake = Lake(folder, scenario)
        self.source = self.lake._source = Counting(self.lake)

    def read(self, hours: int = 0) -> tuple[dict[str, int], Handover]:
        """What a run asks for, by kind, and what comes of it."""
        now = START + timedelta(hours=hours)
        self.lake.world.clock.set(now)
        self.source.asked.clear()
        settings = self.lake.settings()
        deps, spec = self.lake.parts(settings), self.lake.run_spec(now, settings)

        async def steps() -> Handover:
            return await ingest(deps, await select(deps, begin(spec, now)))

        return self.source.asked, asyncio.run(steps())

    def landed(self, run_id: str) -> Counter[str]:
        """The landings that a run has written, by dataset."""
        written = (self.lake.folder / "bronze/wistia").rglob(f"*/run_id={run_id}/{MANIFEST}")
        return Counter(path.parts[-5] for path in written)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "lake")


def test_twenty_media_and_eight_hundred_sessions(reader: Reader) -> None:
    """Eight pages of sessions, which cost 363 requests when each media and day had a list of its own."""
    asked, handover = reader.read()
    rows = sum(i.rows for i in reader.lake.ledger.intervals("events"))
    assert 700 <= rows < 900
    pages = rows // 100 + 1
    # The list of media to know them, their metadata, and one for those without sessions on some day.
    assert asked["/medias"] <= 5
    assert (asked["/by_date"], asked["/stats/account"]) == (20, 1)
    assert pages + 2 <= asked["/stats/events"] <= pages + 2 + 8, "the proof, and pages asked for in vain"
    assert asked["/stats/medias/"] == 2 * 20
    assert sum(asked.values()) <= 110
    assert handover.fetched.carried == {}
    assert not handover.errors

    again, handover = reader.read(hours=1)
    assert again["/stats/events"] <= pages + 2 + 1, "as long as last time: nothing is asked for in vain"
    assert again["/stats/medias/"] == 0
    assert handover.fetched.carried == {"media_stats": 20, "media_engagement": 20}
    assert sum(again.values()) <= 60


def test_ten_media_over_twenty_seven_days(tmp_path: Path) -> None:
    """Seventy pages of sessions in one list, with the proof that it stood still; a sequential reader without a proof
    takes 131 requests, and a list a media and day 375."""
    reader = Reader(tmp_path / "lake", TEN)
    asked, handover = reader.read()
    (listing,) = (f for f in handover.plan.fetches if f.dataset == "events")
    assert (listing.media_id, len(listing.keys)) == (ACCOUNT, 270)
    pages = sum(i.rows for i in reader.lake.ledger.intervals("events")) // 100 + 1
    assert pages >= 70
    needed = {
        "/medias": 4,
        "/stats/account": 1,
        "/by_date": 10,
        "/stats/events": pages + 2,
        "/stats/medias/": 20,
    }
    in_vain = asked["/stats/events"] - needed["/stats/events"]
    assert asked == needed | {"/stats/events": asked["/stats/events"]}
    assert 0 <= in_vain <= 16, "nobody knows how long the list is"
    assert sum(asked.values()) <= 131
    manifest = next((reader.lake.folder / "bronze/wistia/events").rglob(MANIFEST))
    walk = decode_manifest(manifest.read_bytes()).walk
    assert (walk["pages"], walk["passes"], walk["verdict"]) == (pages, 1, "stood still")

    again, _ = reader.read(hours=1)
    assert again == {kind: count for kind, count in needed.items() if kind != "/stats/medias/"}


def test_what_repeats_itself_is_confirmed_and_not_written_again(reader: Reader) -> None:
    reader.read()
    assert reader.landed("run-0001") == {
        "events": 160, "media_by_date": 140, "media_metadata": 20, "media_stats": 20, "media_engagement": 20,
    }  # fmt: skip
    reader.read(hours=1)
    landed = reader.landed("run-0002")
    assert set(landed) == {"media_metadata", "media_by_date"}, "Wistia restates the hours of a few days"
    assert landed["media_by_date"] < 60
    (confirmed,) = (reader.lake.folder / CONFIRMED).rglob("*.json")
    lines = decode_confirmations(confirmed.read_bytes())
    assert len(lines) == 300 - landed["media_by_date"]
    intervals = {i.key: i for i in reader.lake.ledger.intervals()}
    for line in some(lines):
        interval = intervals[line.dataset, line.media_id, line.day]
        assert (interval.observed_at, interval.landing_id) == (line.observed_at, line.landing_id)
        assert (interval.finished, interval.run_id) == (line.finished, line.run_id)
        assert line.landing_id.endswith("run_id=run-0001")
        landing = decode_manifest((reader.lake.folder / manifest_key(line.landing_id)).read_bytes())
        assert interval.content_hash == landing.content_hash


def test_a_list_of_the_account_that_comes_back_short_is_not_believed(reader: Reader) -> None:
    """Each media is listed instead; what is there stays."""
    reader.read()
    before = {i.key: i.rows for i in reader.lake.ledger.intervals("events")}
    reader.source.empty = 1
    asked, handover = reader.read(hours=1)
    assert not handover.errors
    assert asked["/stats/events"] >= 1 + 20
    assert {i.key: i.rows for i in reader.lake.ledger.intervals("events")} == before


def test_each_landing_names_the_list_that_it_came_from(reader: Reader) -> None:
    _, handover = reader.read()
    (listing,) = (f for f in handover.plan.fetches if f.dataset == "events")
    assert (listing.media_id, len(listing.keys)) == (ACCOUNT, 160)
    name = f"events/{ACCOUNT}/{listing.start}..{listing.end}"
    manifests = list((reader.lake.folder / "bronze/wistia/events").rglob(MANIFEST))
    assert len(manifests) == 160
    assert all(f'"listing": "{name}"' in path.read_text() for path in manifests)
