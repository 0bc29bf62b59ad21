"""Input that is wrong in every way it was ever wrong: what a run makes of it, from the source to the tables."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support import tampering
from support.compare import differences
from support.lake import START, Lake, Scenario, at
from support.some import some
from support.tampering import Tampering
from wistia_simulator import MediaChange, Profile, ServerOptions, World, create_app, transport
from wistlake import bronze
from wistlake.adapters.local.objects import LocalObjects
from wistlake.contracts import events, table
from wistlake.errors import ConfigError, SourceChanged, SourceRefused, StoreError
from wistlake.pipeline.run.driver import RunFailed
from wistlake.pipeline.run.result import RunResult

CALM = replace(Profile.calm(), media=1, sessions_per_day=8.0, history_days=3)
SCENARIO = Scenario(CALM, settings={"lookback_days": 1})
BUSY = Scenario(replace(CALM, sessions_per_day=60.0), settings={"lookback_days": 1})
CROWDED = Scenario(replace(CALM, sessions_per_day=300.0), settings={"lookback_days": 1})
LEFT_OUT = object()
Bytes = Callable[[bytes], bytes]
TOMORROW = START + timedelta(days=1)


def tampered(folder: Path, change: tampering.Change, scenario: Scenario = SCENARIO) -> Lake:
    """A lake whose source is changed on the way."""
    return tampering.lake(folder, change, scenario)


def altered(record: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The record with other values; those that are LEFT_OUT are not in it at all."""
    return {k: v for k, v in (record | change).items() if v is not LEFT_OUT}


def on_the_newest_day(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Any:
    """`change` for the pages of the newest day, the others as they are."""
    day = (START.date() - timedelta(days=1)).isoformat()
    return lambda page: change(page) if page and page[0]["received_at"].startswith(day) else page


def kept(lake: Lake) -> int:
    """Rows of fact_events."""
    return len(lake.rows("silver.fact_events"))


def rows_of_events(result: RunResult) -> int:
    """Records of events that a run has landed."""
    return sum(line["rows"] for line in result.intervals if line["dataset"] == "events")


def unique_keys(lake: Lake) -> bool:
    """Whether each key is there once."""
    keys = [r["event_key"] for r in lake.rows("silver.fact_events")]
    return len(keys) == len(set(keys)) > 0


# What may stand in an event, and the reason for which it is refused then.
REFUSED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"percent_viewed": 1.5}, "bad_percent_viewed"),
    ({"percent_viewed": -0.01}, "bad_percent_viewed"),
    ({"percent_viewed": "half"}, "bad_percent_viewed"),
    ({"percent_viewed": {"share": 1}}, "bad_percent_viewed"),
    ({"percent_viewed": None}, "missing_percent_viewed"),
    ({"received_at": "yesterday"}, "bad_received_at"),
    ({"received_at": 1772496000}, "bad_received_at"),
    ({"received_at": "2026-02-25T12:00:00.000Z"}, "outside_window"),
    ({"received_at": "2036-03-01T12:00:00.000Z"}, "outside_window"),
    ({"media_id": "another123"}, "wrong_media"),
    ({"event_key": ""}, "missing_event_key"),
    ({"event_key": LEFT_OUT}, "missing_event_key"),
    ({"visitor_key": None}, "missing_visitor_key"),
    ({"visitor_key": LEFT_OUT}, "missing_visitor_key"),
    ({"user_agent_details": {"mobile": "perhaps"}}, "bad_user_agent_details_mobile"),
)
OPTIONAL = tuple(dict.fromkeys(f.path.partition(".")[0] for f in events.SOURCE.fields if not f.required))
# What must be taken as it is, and what becomes of it in fact_events.
TAKEN: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"percent_viewed": 1}, {"percent_viewed": 1.0}),
    ({"percent_viewed": 0}, {"percent_viewed": 0.0, "watch_milliseconds": 0}),
    (
        {"country": "", "region": "", "conversion_type": "", "embed_url": ""},
        {"country": None, "region": None, "conversion_type": None, "embed_host": None},
    ),
    (dict.fromkeys(OPTIONAL), {"country": None, "browser": None, "is_mobile": None, "embed_host": None}),
    (dict.fromkeys(OPTIONAL, LEFT_OUT), {"country": None, "platform": None, "utm_source": None}),
    ({"user_agent_details": "none"}, {"browser": None, "browser_version": None}),
)


@pytest.mark.engine
class TestRecords:
    """A bad record is put aside by name, and the good ones are published."""

    def test_each_bad_record_is_quarantined_for_its_reason_and_the_others_are_published(
        self, tmp_path: Path
    ) -> None:
        spoilt: dict[str, dict[str, Any]] = {}

        def change(page: list[dict[str, Any]]) -> list[dict[str, Any]]:
            if not spoilt:
                spoilt.update((r["event_key"], c) for r, (c, _) in zip(page, REFUSED, strict=False))
            return [altered(r, spoilt.get(r["event_key"], {})) for r in page]

        lake = tampered(tmp_path / "lake", tampering.events(on_the_newest_day(change)), CROWDED)
        result = lake.run_day(START)
        refused = lake.rows("silver.quarantine")
        assert sorted(r["reason"] for r in refused) == sorted(why for _, why in REFUSED)
        assert sorted(r["line"] for r in refused) == list(range(1, len(REFUSED) + 1))
        assert sum(line["quarantined"] for line in result.intervals) == len(REFUSED)
        assert kept(lake) == rows_of_events(result) - len(REFUSED)
        assert result.status == "succeeded"
        assert not any("visitor_key" in (r["payload"] or "") for r in some(refused))

    def test_what_the_api_allows_is_taken_as_unknown(self, tmp_path: Path) -> None:
        changed: dict[str, dict[str, Any]] = {}

        def change(page: list[dict[str, Any]]) -> list[dict[str, Any]]:
            changed.update((r["event_key"], e) for r, (_, e) in zip(page, TAKEN, strict=False))
            return [*map(altered, page, [c for c, _ in TAKEN]), *page[len(TAKEN) :]]

        lake = tampered(tmp_path / "lake", tampering.events(on_the_newest_day(change)), BUSY)
        result = lake.run_day(START)
        assert lake.rows("silver.quarantine") == []
        assert kept(lake) == rows_of_events(result)
        found = {r["event_key"]: r for r in lake.rows("silver.fact_events") if r["event_key"] in changed}
        assert len(found) == len(TAKEN)
        assert {key: {c: row[c] for c in changed[key]} for key, row in found.items()} == changed

    def test_a_record_that_is_mended_leaves_quarantine(self, tmp_path: Path) -> None:
        spoilt = [{"received_at": "yesterday"}]

        def change(page: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [*map(altered, page, spoilt), *page[len(spoilt) :]]

        lake = tampered(tmp_path / "lake", tampering.events(change))
        lake.run_day(START)
        assert len(lake.rows("silver.quarantine")) == 2
        before = kept(lake)
        spoilt.clear()
        lake.run_day(START + timedelta(hours=1))
        assert lake.rows("silver.quarantine") == []
        assert kept(lake) == before + 2

    def test_a_field_that_every_record_has_lost_stops_the_media(self, tmp_path: Path) -> None:
        """Then it is not a bad record but another payload: nothing is stored of it."""
        lake = tampered(
            tmp_path / "lake",
            tampering.events(lambda page: [altered(r, {"percent_viewed": LEFT_OUT}) for r in page]),
        )
        with pytest.raises(RunFailed, match="no record has percent_viewed") as failed:
            lake.run_day(START)
        assert failed.value.exit_code == SourceChanged.exit_code
        assert lake.rows("silver.fact_events") == []

    def test_an_unknown_field_is_told_once_and_kept_out(self, tmp_path: Path) -> None:
        lake = tampered(
            tmp_path / "lake", tampering.events(lambda page: [r | {"mood": "good"} for r in page])
        )
        assert lake.run_day(START).drift == {"events": ["mood"]}
        assert lake.run_day(TOMORROW).drift == {}
        assert "mood" not in lake.rows("silver.fact_events")[0]


@pytest.mark.engine
class TestDuplicates:
    """One row a key, wherever the source lists it."""

    def test_in_a_page_the_one_that_saw_most_is_kept(self, tmp_path: Path) -> None:
        def change(page: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [*page, *(r | {"percent_viewed": 1.0} for r in page[:2])]

        lake = tampered(tmp_path / "lake", tampering.events(on_the_newest_day(change)))
        result = lake.run_day(START)
        assert kept(lake) == rows_of_events(result) - 2
        assert unique_keys(lake)
        assert sum(r["percent_viewed"] == 1.0 for r in lake.rows("silver.fact_events")) >= 2

    def test_across_pages(self, tmp_path: Path) -> None:
        """Some keys Wistia lists twice for ever, and then on two pages as well as on one."""
        twice = replace(CALM, sessions_per_day=12.0, duplicated=1.0)
        scenario = Scenario(twice, settings={"lookback_days": 1, "per_page": 5})
        lake = Lake(tmp_path / "lake", scenario)
        result = lake.run_day(START)
        assert any(i["pages"] > 4 for i in result.intervals if i["dataset"] == "events")
        assert kept(lake) == rows_of_events(result) / 2 > 10
        assert unique_keys(lake)

    def test_across_days_the_one_that_saw_most_is_kept(self, tmp_path: Path) -> None:
        first, last = START.date() - timedelta(days=2), START.date() - timedelta(days=1)
        keys: list[str] = []

        def change(page: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return [*page, *(page[0] | {"event_key": key, "percent_viewed": 1.0} for key in keys)]

        lake = tampered(tmp_path / "lake", tampering.events(on_the_newest_day(change)))
        keys += [s.event_key for s in lake.world.truth.sessions(start=first, end=first)][:2]
        lake.run_day(START)
        assert unique_keys(lake)
        found = {r["event_key"]: r["event_date"] for r in lake.rows("silver.fact_events")}
        assert [found[key] for key in keys] == [last, last]


class Rewriting(LocalObjects):
    """A store whose landings of one day are not what was put: `part` and `manifest` change the bytes."""

    def __init__(self, root: Path, part: Bytes = bytes, manifest: Bytes = bytes) -> None:
        super().__init__(root)
        self._changes = {"part-": part, "manifest": manifest}

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        name = key.rpartition("/")[2]
        if "events/dt=2026-02-28" in key:
            data = next(c for start, c in self._changes.items() if name.startswith(start))(data)
        super().put(key, data, if_absent=if_absent)


def a_bit_turned(data: bytes) -> bytes:
    """The part as a failing disk returns it."""
    return data[:-1] + bytes([data[-1] ^ 1])


def another_hash(data: bytes) -> bytes:
    """The manifest with another payload's hash."""
    return json.dumps(json.loads(data) | {"payload_sha256": "0" * 64}).encode()


def half_a_line(data: bytes) -> bytes:
    """The part with its second line cut short, as a crash of some other writer leaves it."""
    lines = gzip.decompress(data).splitlines()
    return gzip.compress(b"\n".join([lines[0], lines[1][:-40], *lines[2:], b""]), mtime=0)


@pytest.mark.engine
class TestLandings:
    """What lies in bronze is believed as far as its manifest vouches for it."""

    @pytest.mark.parametrize(
        ("spoil", "why"),
        [
            ({"part": a_bit_turned}, "does not match its manifest"),
            ({"manifest": another_hash}, "does not describe its parts"),
        ],
        ids=["a part", "a manifest with a wrong hash"],
    )
    def test_damage_stops_its_day_only_and_is_cured_by_the_next_run(
        self, tmp_path: Path, spoil: dict[str, Bytes], why: str
    ) -> None:
        lake = Lake(tmp_path / "lake", SCENARIO)
        store = Rewriting(lake.folder, **spoil)
        with pytest.raises(RunFailed, match=why):
            lake.run_day(START, around=lambda parts: replace(parts, objects=store))
        assert {r["event_date"] for r in lake.rows("silver.fact_events")} == {
            START.date() - timedelta(days=1)
        }
        lake.run_day(START + timedelta(hours=1))
        assert {r["event_date"].day for r in lake.rows("silver.fact_events")} == {1, 28}

    def test_a_line_that_is_no_json_is_quarantined_without_its_text(self, tmp_path: Path) -> None:
        """Its manifest vouches for the bytes, so the day is built: of all lines but this one."""
        lake = Lake(tmp_path / "lake", SCENARIO)
        digests: list[str] = []

        def part(data: bytes) -> bytes:
            spoilt = half_a_line(data)
            digests.append(bronze.sha256(spoilt))
            return spoilt

        def manifest(data: bytes) -> bytes:
            found = bronze.decode_manifest(data)
            parts = (replace(found.parts[0], sha256=digests[0]),)
            return bronze.encode_manifest(
                replace(found, parts=parts, payload_sha256=bronze.payload_hash(parts))
            )

        store = Rewriting(lake.folder, part, manifest)
        result = lake.run_day(START, around=lambda parts: replace(parts, objects=store))
        (refused,) = lake.rows("silver.quarantine")
        assert (refused["reason"], refused["line"], refused["payload"]) == ("malformed_json", 2, None)
        assert refused["record_length"] > 100
        assert kept(lake) == rows_of_events(result) - 1


@pytest.mark.engine
class TestMedia:
    """Media that are deleted, or never were."""

    def test_deleted_in_the_middle_of_a_run(self, tmp_path: Path) -> None:
        """Its first requests are answered, the later ones are not: the run succeeds and removes nothing."""
        profile = replace(CALM, media=2, sessions_per_day=30.0, changes=(MediaChange(1, TOMORROW, "delete"),))
        media = World(7, profile, START).media_ids
        lake = Lake(tmp_path / "lake", replace(SCENARIO, profile=profile, media=media))
        lake.run_day(START)
        before = lake.rows("silver.fact_events")
        inner = transport(
            create_app(lake.world, ServerOptions(token="simulated", rate_limit_per_minute=None))
        )

        def change(request: httpx2.Request, body: Any) -> Any:
            if request.url.path.endswith("/medias") and "hashed_ids[]" in request.url.params:
                lake.world.clock.set(TOMORROW + timedelta(seconds=1))
            return body

        lake._source = Tampering(inner, change)
        result = lake.run_day(TOMORROW - timedelta(seconds=1))
        assert result.status == "succeeded"
        assert media[1] in result.unavailable["events"]
        assert media[1] in result.unavailable["media_by_date"]
        keys = {r["event_key"] for r in lake.rows("silver.fact_events") if r["removed_at"] is None}
        assert {r["event_key"] for r in before} <= keys
        assert {r["media_id"] for r in before} == set(media)
        lake.run_day(TOMORROW + timedelta(days=1))
        assert {r["media_id"]: r["is_deleted"] for r in lake.rows("silver.dim_media")} == {
            media[0]: False, media[1]: True,
        }  # fmt: skip

    def test_deleted_between_two_requests(self, tmp_path: Path) -> None:
        """Nothing of what is known is removed because the source answers 404."""
        profile = replace(CALM, media=2, changes=(MediaChange(1, at(date(2026, 3, 2), 12), "delete"),))
        lake = Lake(
            tmp_path / "lake", replace(SCENARIO, profile=profile, media=World(7, profile, START).media_ids)
        )
        lake.run_day(START)
        before = {r["event_key"] for r in lake.rows("silver.fact_events")}
        result = lake.run_day(TOMORROW)
        assert (result.status, result.errors) == ("succeeded", [])
        assert list(result.unavailable) == ["media_metadata"]
        rows = lake.rows("silver.fact_events")
        assert before <= {r["event_key"] for r in rows if r["removed_at"] is None}
        gone = lake.world.media_ids[1]
        assert {r["media_id"]: r["is_deleted"] for r in lake.rows("silver.dim_media")}[gone] is True

    def test_a_404_on_the_list_of_events_publishes_no_day_without_sessions(self, tmp_path: Path) -> None:
        lake = Lake(tmp_path / "lake", SCENARIO)
        day = START.date() - timedelta(days=1)
        inner = transport(
            create_app(lake.world, ServerOptions(token="simulated", rate_limit_per_minute=None))
        )

        class Answering404(httpx2.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
                asked = request.url.params
                if (
                    request.url.path.endswith("/stats/events")
                    and asked["start_date"] <= str(day) <= asked["end_date"]
                ):
                    return httpx2.Response(404, request=request)
                return await inner.handle_async_request(request)

        lake._source = Answering404()
        with pytest.raises(RunFailed, match=f"404 to events of {day}") as failed:
            lake.run_day(START)
        assert failed.value.exit_code == SourceChanged.exit_code
        assert day not in {r["event_date"] for r in lake.rows("silver.fact_events")}
        assert lake.rows("gold.fact_media_daily") == []
        lake._source = inner
        assert lake.run_day(START + timedelta(hours=1)).status == "succeeded"
        assert [r["date"] for r in lake.rows("gold.fact_media_daily")] == [day - timedelta(days=1)]

    def test_an_id_that_nobody_knows_is_said_and_leaves_no_row(self, tmp_path: Path) -> None:
        known = World(7, CALM, START).media_ids[0]
        lake = Lake(tmp_path / "lake", replace(SCENARIO, media=(known, "nosuchid99")))
        with pytest.raises(RunFailed, match="nosuchid99: Wistia has no such media"):
            lake.run_day(START)
        assert [r["media_id"] for r in lake.rows("silver.dim_media")] == [known]
        assert {r["media_id"] for r in lake.rows("gold.fact_media_daily")} == {known}


@pytest.mark.engine
class TestTime:
    """Clocks and dates that can't be."""

    def test_a_clock_that_jumps_back_takes_nothing_back(self, tmp_path: Path) -> None:
        """An older observation never replaces a newer one, and no watermark goes back."""
        profile = replace(Profile.hostile(), media=1, sessions_per_day=15.0, history_days=5, growing=1.0)
        lake = Lake(tmp_path / "lake", replace(SCENARIO, profile=profile))
        lake.run_day(START)
        lake.run_day(TOMORROW)
        rows, marks = lake.rows("silver.fact_events"), lake.ledger.watermarks()
        lake.run_day(START + timedelta(hours=5))
        assert differences(table("silver.fact_events"), rows, lake.rows("silver.fact_events")) == []
        assert [(w.dataset, w.last_date) for w in lake.ledger.watermarks()] == [
            (w.dataset, w.last_date) for w in marks
        ]
        lake.run_day(TOMORROW + timedelta(days=1))
        for name in ("silver.fact_events", "gold.fact_media_daily"):
            assert differences(table(name), lake.truth().tables()[name], lake.rows(name)) == []

    def test_reversed_and_future_dates_are_refused(self, tmp_path: Path) -> None:
        lake = Lake(tmp_path / "lake", SCENARIO)
        with pytest.raises(ConfigError, match="after --to"):
            lake.run_day(START, start=date(2026, 3, 1), end=date(2026, 2, 1))
        with pytest.raises(ConfigError, match="future"):
            lake.run_day(START, start=date(2026, 4, 1))

    def test_days_beyond_the_horizon_are_not_asked_for(self, tmp_path: Path) -> None:
        lake = Lake(tmp_path / "lake", SCENARIO)
        lake.run_day(START, start=date(2024, 2, 27), end=date(2024, 3, 4), trigger="backfill")
        days = {i.day for i in lake.ledger.intervals("events")}
        assert min(days) == START.date() - timedelta(days=731)
        with pytest.raises(ConfigError, match=r"two years.*2024-03-01 is the oldest day"):
            lake.run_day(START, start=date(2020, 1, 1), end=date(2020, 2, 1))


class TestSettingsAndLake:
    """What is wrong before anything is asked."""

    def test_no_media(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="MEDIA_IDS is empty"):
            Lake(tmp_path / "lake", replace(SCENARIO, media=())).run_day(START)

    def test_no_token(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="WISTIA_API_TOKEN is not set"):
            Lake(tmp_path / "lake", SCENARIO).run_day(START, changes={"token": None})

    def test_a_wrong_token(self, tmp_path: Path) -> None:
        lake = Lake(tmp_path / "lake", SCENARIO)
        with pytest.raises(SourceRefused, match="token") as caught:
            lake.run_day(START, changes={"token": "somebody-elses"})
        assert "somebody-elses" not in str(caught.value)
        assert lake.ledger.runs(1)[0].status == "failed"

    @pytest.mark.parametrize(
        ("change", "cure"),
        [
            ({"layout": 999}, "upgrade"),
            ({"path": "/elsewhere"}, "move it back"),
            ({"zone": "UTC"}, "rebuild"),
        ],
    )
    def test_a_lake_that_is_another(self, tmp_path: Path, change: dict[str, Any], cure: str) -> None:
        lake = Lake(tmp_path / "lake", SCENARIO)
        lake.parts(lake.settings())
        marker = lake.folder / "lake.json"
        marker.write_text(json.dumps(json.loads(marker.read_text()) | change))
        with pytest.raises(ConfigError, match=cure):
            lake.run_day(START)

    def test_a_folder_that_nobody_can_write_to(self) -> None:
        with pytest.raises(StoreError, match="cannot make the lake"):
            Lake(Path("/proc/wistlake"), SCENARIO)

    def test_a_path_that_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "lake").write_text("")
        with pytest.raises(StoreError, match="cannot make the lake"):
            Lake(tmp_path / "lake", SCENARIO)


@pytest.mark.engine
def test_a_full_disk_fails_the_run_and_the_next_one_cures_it(tmp_path: Path) -> None:
    class Full(LocalObjects):
        def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
            if "/events/" in key:
                raise StoreError(f"cannot write {key}: No space left on device")
            super().put(key, data, if_absent=if_absent)

    lake = Lake(tmp_path / "lake", SCENARIO)
    with pytest.raises(RunFailed, match="No space left"):
        lake.run_day(START, around=lambda parts: replace(parts, objects=Full(lake.folder)))
    assert lake.ledger.runs(1)[0].status == "failed"
    assert lake.rows("silver.fact_events") == []
    assert lake.run_day(START + timedelta(minutes=1)).status == "succeeded"
    assert kept(lake) == len(lake.truth().tables()["silver.fact_events"]) > 0
