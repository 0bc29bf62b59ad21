"""Which media a run is about: a folder by its name, on both generations of the API, on the laptop and on AWS."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.lake import START, Lake, Scenario
from support.memory import MemoryLedger
from unit.wistia.fakes import FreeBudget
from wistia_simulator import Profile, ServerOptions, World, create_app, transport
from wistlake.errors import ConfigError
from wistlake.pipeline.run import select
from wistlake.pipeline.run.driver import RunFailed
from wistlake.pipeline.run.select import choose
from wistlake.pipeline.run.spec import MediaChoice
from wistlake.planning.intervals import MediaEntry
from wistlake.settings import Settings
from wistlake.wiring.spec import run_spec, window
from wistlake.wistia import Connection, WistiaClient

NOW = datetime(2026, 3, 4, 2, 15, tzinfo=UTC)
WORLD = World(7, Profile(media=7), NOW)
BASES = ("https://api.wistia.com/modern", "https://api.wistia.com/v1")


def chosen(choice: MediaChoice, base_url: str) -> tuple[str, ...]:
    app = create_app(WORLD, ServerOptions(token="simulated", rate_limit_per_minute=None))

    async def ask() -> tuple[str, ...]:
        client = WistiaClient(Connection("simulated", base_url), FreeBudget(), transport=transport(app))
        async with client as opened:
            return await choose(choice, opened)

    return asyncio.run(ask())


def media_where(fits: Callable[[Any], bool]) -> set[str]:
    return {m.media_id for m in WORLD.truth.medias() if fits(m)}


@pytest.mark.parametrize("base_url", BASES)
def test_a_folder_by_name_chooses_its_media_and_no_others(base_url: str) -> None:
    courses = media_where(lambda m: m.folder == "Courses")
    assert 0 < len(courses) < 7
    found = chosen(MediaChoice(folder="Courses"), base_url)
    assert len(found) == len(set(found))
    assert set(found) == courses


@pytest.mark.parametrize("base_url", BASES)
def test_a_folder_that_nobody_has_is_no_reason_to_follow_all(base_url: str) -> None:
    with pytest.raises(ConfigError, match="no folder 'Kourses', did you mean 'Courses'"):
        chosen(MediaChoice(folder="Kourses"), base_url)


def test_a_filter_that_fits_nothing_is_named() -> None:
    with pytest.raises(ConfigError, match="fits WISTLAKE_MEDIA_FOLDER and WISTLAKE_MEDIA_TAG"):
        chosen(MediaChoice(folder="Courses", tag="no media has it"), BASES[0])


@pytest.mark.parametrize("base_url", BASES)
def test_a_try_out_takes_the_first_few_and_never_the_rest_for_deleted(base_url: str) -> None:
    every = chosen(MediaChoice(), base_url)
    few = MediaChoice(most=3)
    assert chosen(few, base_url) == every[:3]
    ledger = MemoryLedger()
    ledger.put_media([MediaEntry(m, NOW.date(), NOW) for m in every])
    spec = replace(run_spec(Settings(media_ids="all"), run_id="r1", trigger="manual", now=NOW), choice=few)
    assert select._left(spec, ledger, every[:3]) == []
    assert select._follows_all(few, every[:3], ledger.media()[:3]) is None
    assert select.share(few, {}) is None


def test_a_try_out_of_named_media_takes_the_first_few() -> None:
    settings = Settings(media_ids="abcdef1234,bcdef12345,cdef123456,def1234567")
    spec = run_spec(settings, run_id="r1", trigger="backfill", now=NOW, most=3)
    assert spec.choice.ids == ("abcdef1234", "bcdef12345", "cdef123456")


@pytest.mark.parametrize("filters", [{"media_folder": "Courses"}, {"media_tag": "x"}])
def test_ids_and_a_filter_are_not_both_obeyed_in_silence(filters: dict[str, str]) -> None:
    settings = Settings(media_ids="abc123xyz0", **filters)
    with pytest.raises(
        ConfigError, match=r"MEDIA_IDS names media, and WISTLAKE_MEDIA_.* would choose others"
    ):
        settings.require_media()
    assert Settings(media_ids="all", **filters).require_media() == ()


@pytest.mark.parametrize("start", [date(2026, 1, 5), None])
def test_every_command_begins_a_media_where_the_settings_say(start: date | None) -> None:
    settings = Settings(start_date=start, media_ids="all", token="t")
    spec = run_spec(settings, run_id="r", trigger="manual", now=NOW)
    assert window(settings, NOW) == spec.window
    assert spec.window.start_date == start


@pytest.mark.parametrize("trigger", ["manual", "backfill"])
def test_an_id_that_wistia_does_not_have_is_named_with_those_that_it_has(
    tmp_path: Path, trigger: str
) -> None:
    """Also beside one that it has: whoever mistypes one of two wants both, and nothing is fetched before that."""
    lake = Lake(tmp_path / "lake", Scenario(Profile(media=12, sessions_per_day=1, history_days=1)))
    there = [m.media_id for m in lake.world.truth.medias()]
    mistyped = f"{there[3][:-1]}{'a' if there[3][-1] != 'a' else 'b'}"
    with pytest.raises(ConfigError) as told:
        lake.run_day(START, media=(there[0], mistyped), trigger=trigger)
    (line,) = str(told.value).splitlines()
    assert line.startswith(f"Wistia has no media {mistyped}, did you mean {there[3]}? (there are ")
    assert line.endswith(" and 2 more); nothing was fetched")
    assert sum(m in line.partition("(")[2] for m in there) == select.MOST_NAMED
    (failed,) = lake.ledger.runs()
    assert (failed.status, failed.error) == ("failed", line)
    assert (lake.ledger.media(), lake.ledger.intervals()) == ([], [])


@pytest.mark.parametrize("day", [1, 2])
def test_an_id_of_the_settings_that_wistia_does_not_have_fails_by_itself(tmp_path: Path, day: int) -> None:
    """On the first run and on every later one, and the others' numbers come."""
    lake = Lake(tmp_path / "lake", Scenario(Profile(media=2, sessions_per_day=1, history_days=1)))
    there = lake.world.truth.medias()[0].media_id
    for _ in range(day):
        with pytest.raises(RunFailed) as told:
            lake.run_day(START, changes={"media_ids": f"{there},nosuchmed1"})
    assert str(told.value) == (
        "nosuchmed1: Wistia has no such media: correct MEDIA_IDS, `wistlake explore medias` prints the ids"
    )
    assert told.value.result.failed_media == ["nosuchmed1"]
    assert [m.media_id for m in lake.ledger.media()] == [there]
    assert {i.media_id for i in lake.ledger.intervals()} == {there}


@pytest.mark.parametrize(
    ("named", "followed", "asked"),
    [
        (True, (), ["described", "fetched"]), (True, ("abcdef1234",), []),
        (False, (), ["described", "fetched"]), (False, ("abcdef1234",), []),
    ],
)  # fmt: skip
def test_only_an_id_that_is_new_is_looked_up(
    named: bool, followed: tuple[str, ...], asked: list[str]
) -> None:
    """One that was followed may be gone since: the run goes on without it."""
    told: list[str] = []

    class Archive:
        """Has the media, which its list leaves out."""

        async def describe(self, source: Any, media_ids: Any) -> Any:
            told.append("described")
            return SimpleNamespace(records=[])

        async def fetch(self, *_: Any) -> Any:
            told.append("fetched")
            return SimpleNamespace(missing=False)

    ledger = MemoryLedger()
    ledger.put_media([MediaEntry(m, NOW.date(), NOW) for m in followed])
    deps: Any = SimpleNamespace(ledger=ledger, client=lambda: nullcontext(Archive()))
    spec = run_spec(
        Settings(media_ids="abcdef1234"), run_id="r1", trigger="manual", now=NOW,
        media=("abcdef1234",) if named else (),
    )  # fmt: skip
    assert asyncio.run(select._media_ids(spec, deps)) == (("abcdef1234",), ())
    assert told == asked
