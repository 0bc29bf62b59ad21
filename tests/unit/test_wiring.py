"""What the settings mean for a run, and for the lake that they name."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from support.handmade import HandMade, make
from support.memory import MemoryLedger
from wistlake.contracts import SOURCES, source
from wistlake.contracts.form import ACCOUNT
from wistlake.entrypoints.aws import events
from wistlake.errors import ConfigError
from wistlake.planning.intervals import MediaEntry
from wistlake.ports import Publication, Run, TableRef
from wistlake.settings import ArgumentsOnly, Settings
from wistlake.wiring import aws
from wistlake.wiring.aws_lake import AwsLake
from wistlake.wiring.lake import Published, open_lake
from wistlake.wiring.laptop import LaptopLake
from wistlake.wiring.notifiers import notifier, slack
from wistlake.wiring.runtime import Runtime
from wistlake.wiring.source import NoBudget, redaction
from wistlake.wiring.spec import run_spec, whole_lake

NOW = datetime(2026, 3, 6, 2, 15, tzinfo=UTC)


def settings(**given: Any) -> Settings:
    return ArgumentsOnly(**{"token": "simulated", "media_ids": ("abcdef1234",), **given})


def spec(given: Settings | None = None, **asked: Any) -> Any:
    return run_spec(given or settings(), run_id="r", trigger="manual", now=NOW, **asked)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.wistia.com/modern", "live"),
        ("https://API.wistia.com/v1", "live"),
        ("http://127.0.0.1:8000/v1", "simulated"),
        ("https://api.wistia.com.example/v1", "simulated"),
    ],
)
def test_numbers_are_live_only_if_wistia_itself_answers(url: str, origin: str) -> None:
    assert spec(settings(base_url=url)).origin == origin


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"start": date(2026, 3, 5), "end": date(2026, 3, 4)}, "is after --to 2026-03-04: swap them"),
        ({"start": date(2026, 3, 7)}, "in the future: today is 2026-03-06"),
        ({"end": date(2024, 3, 4)}, "2024-03-05 is the oldest day left"),
        ({"datasets": ("event",)}, "event"),
    ],
)
def test_what_wistia_can_not_serve_is_refused(asked: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        spec(**asked)


def test_the_last_days_that_can_be_asked_for_are_taken() -> None:
    day = NOW.date()
    assert spec(start=day, end=day).window.start == day
    assert spec(end=date(2024, 3, 5)).window.end == date(2024, 3, 5)


def test_options_win_over_settings_and_datasets_come_in_their_order() -> None:
    plain = spec()
    assert plain.choice.ids == ("abcdef1234",)
    assert [s.name for s in plain.sources] == [s.name for s in SOURCES if not s.optional]
    given = spec(media=("other12345",), datasets=("events", "media_by_date"), accept_shrink=frozenset({"m2"}))
    assert given.choice.ids == ("other12345",)
    assert [s.name for s in given.sources] == [
        s.name for s in SOURCES if s.name in ("events", "media_by_date")
    ]
    assert (given.accept_shrink, given.build_only, plain.accept_shrink) == (
        frozenset({"m2"}),
        False,
        frozenset(),
    )


def test_work_on_a_whole_lake_is_about_everything_that_it_has() -> None:
    ledger = MemoryLedger()
    assert whole_lake(settings(), ledger, "r", "forget", NOW).choice.ids == (ACCOUNT,)
    ledger.put_media([MediaEntry("a", NOW.date(), NOW), MediaEntry("b", NOW.date(), NOW, retired_at=NOW)])
    found = whole_lake(settings(datasets=("events",)), ledger, "r", "forget", NOW)
    assert (found.choice.ids, found.sources, found.trigger) == (("a", "b"), SOURCES, "forget")


def test_the_place_chooses_the_lake() -> None:
    runtime = Runtime(lambda: NOW, lambda: 0.0)
    laptop = open_lake(settings(), runtime)
    assert isinstance(laptop, LaptopLake)
    assert laptop.builds_here
    cloud = open_lake(settings(place="aws", stage="dev"), runtime)
    assert isinstance(cloud, AwsLake)
    assert not cloud.builds_here
    with pytest.raises(ConfigError, match="the state machine does this"):
        cloud.here()
    assert laptop.here() is laptop


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    return make(tmp_path_factory.mktemp("wired") / "lake")


def test_a_lake_in_a_folder_is_read_without_being_written_to(made: HandMade) -> None:
    lake = LaptopLake(settings(lake=made.folder), Runtime(lambda: NOW, lambda: 0.0))
    before = {p: p.stat().st_mtime_ns for p in made.folder.rglob("*.db")}
    assert lake.whole_lake("r", "forget", NOW).choice.ids == (ACCOUNT,)
    inputs = lake.plan_inputs()
    assert (inputs.media, inputs.view.all(), inputs.sample, inputs.share) == ([], [], {}, {})
    assert lake.query().sql("SELECT count(*) AS n FROM silver.fact_events").to_pylist() == [{"n": 2}]
    assert {p: p.stat().st_mtime_ns for p in made.folder.rglob("*.db")} == before
    assert Published(lake).version() == "run-1"
    places = {piece.place for piece in lake.clean_pieces(lake.objects())}
    assert lake.folder.key_file.name not in places, "it is a secret itself"
    assert not any(place.startswith("bronze/") for place in places), "raw pages may hold people"
    assert any(place.startswith("warehouse/") for place in places)


def test_a_lake_that_is_not_there_has_nothing_to_plan_from(tmp_path: Path) -> None:
    lake = LaptopLake(settings(lake=tmp_path / "new"), Runtime(lambda: NOW, lambda: 0.0))
    inputs = lake.plan_inputs()
    assert (inputs.media, inputs.view.all(), inputs.view.compacted) == ((), [], {})


class Lake:
    """The ledger of a lake."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    def ledger(self, *, read_only: bool) -> MemoryLedger:
        assert read_only
        return self._ledger


def test_readers_see_that_something_is_new() -> None:
    ledger = MemoryLedger()
    published = Published(Lake(ledger))  # type: ignore[arg-type]
    assert published.version() == "nothing"
    ledger.put_run(Run("r1", "manual", "live", "failed", NOW))
    assert published.version() == "nothing r1 failed"
    ledger.publish(Publication("r0", NOW, {"silver.fact_events": TableRef("x", 1)}))
    assert published.version() == "r0 r1 failed"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"notify_command": "true"}, ["CommandNotifier"]),
        ({"notify_webhook": "https://hooks.example/x"}, ["WebhookNotifier"]),
        ({"slack_webhook_url": "https://hooks.slack.com/services/x"}, ["SlackNotifier"]),
    ],
)
def test_news_go_to_every_channel_that_is_set(given: dict[str, str], expected: list[str]) -> None:
    channels: Any = notifier(settings(**given), {})
    assert [type(n).__name__ for n in channels._notifiers] == expected


def test_slack_needs_its_address() -> None:
    with pytest.raises(ConfigError, match="SLACK_WEBHOOK_URL is not set"):
        slack(settings())


def test_personal_values_are_cut_before_they_land_where_the_settings_ask_for_it() -> None:
    assert redaction(settings(), lambda: (b"key",)) is None
    cut = redaction(settings(bronze_redaction="on"), lambda: (b"key", b"later"))
    assert cut is not None
    plain = {"visitor_key": "device", "embed_url": "https://a.example/p?email=jane", "event_key": "e"}
    record = cut(source("events"), dict(plain))
    assert record["event_key"] == "e"
    assert record["visitor_key"] not in ("device", "", None)
    assert "jane" not in record["embed_url"]
    assert "a.example" in record["embed_url"]
    assert cut(source("events"), plain | {"email": "jane@x.example"})["visitor_key"] == record["visitor_key"]
    odd = cut(source("events"), {"visitor_key": "", "embed_url": None})
    assert not odd.get("visitor_key")
    assert not odd.get("embed_url")


def test_the_tables_of_a_stage_are_named_after_it_once() -> None:
    assert aws.ledger_table(settings(ledger_table="L", stage="dev")) == "L-dev"
    assert aws.ledger_table(settings(ledger_table="L-dev", stage="dev")) == "L-dev"


def test_a_functions_run_has_a_trigger_that_the_ledger_knows() -> None:
    assert events.trigger({"trigger": "schedule"}) == "scheduled"
    with pytest.raises(ConfigError, match="one of schedule, manual, backfill"):
        events.trigger({"trigger": "scheduled"})


def test_a_source_that_is_not_paced_never_waits() -> None:
    budget = NoBudget()
    budget.pause(60)
    assert budget.reserve(5) == 0.0
