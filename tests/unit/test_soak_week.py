"""How a soak lives through its days: attempts, deaths, accidents, and promises that are broken. Runs are stood in for:
no engine, no source."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from wistia_simulator import Nth, TrueSession, World
from wistlake.errors import LeaseHeld, SourceUnavailable, StoreDamaged
from wistlake.pipeline.run.driver import RunFailed
from wistlake.pipeline.run.result import RunResult
from wistlake.pipeline.run.spec import Dependencies, RunSpec
from wistlake_soak import report, week
from wistlake_soak.clock import WaitingTime
from wistlake_soak.dying import Died, Dying
from wistlake_soak.judge import Judgement
from wistlake_soak.report import Outcome
from wistlake_soak.script import Accident, Death, Script, write
from wistlake_soak.week import ATTEMPTS, CURE, FIRST_GUESS, Lived, Week, mortal, moved

Outcomes = Iterator[RunResult | BaseException]


def script(**more: Any) -> Script:
    """Three days without a fault, unless told otherwise."""
    usual: dict[str, Any] = {"days": 3, "deaths": ((), (), ())}
    return replace(write("calm", 1, 3), **{**usual, **more})


def published(days: int = 4, **tables: dict[str, int]) -> RunResult:
    return RunResult(
        "r", "scheduled", days_published=days, tables={n.replace("_", ".", 1): t for n, t in tables.items()}
    )


@dataclass
class Runs:
    """Stands in for runs: each ends with the next of `ends`, then all well; a write of a run costs nothing."""

    ends: list[RunResult | BaseException] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    at: list[datetime] = field(default_factory=list)
    parts: list[Dependencies] = field(default_factory=list)

    def __call__(self, spec: RunSpec, parts: Dependencies) -> RunResult:
        self.ids.append(spec.run_id)
        self.at.append(spec.window.now)
        self.parts.append(parts)
        for _ in range(10):
            parts.objects.put(f"{spec.run_id}/{len(self.ids)}", b"")
        end = self.ends.pop(0) if self.ends else published()
        if isinstance(end, BaseException):
            raise end
        return end


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    stand_in = Runs()
    monkeypatch.setattr(week, "run", stand_in)
    return stand_in


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, list[str]]]:
    """(day, attempt, accidents) of every run: what the network was told to do."""
    told: list[tuple[int, int, list[str]]] = []
    real = Script.faults

    def of(self: Script, day: int, attempt: int, more: Any = ()) -> Any:
        told.append((day, attempt, [fault.kind for fault in more]))
        return real(self, day, attempt, more)

    monkeypatch.setattr(Script, "faults", of)
    return told


def live(folder: Path, planned: Script) -> tuple[Week, list[str]]:
    lines: list[str] = []
    alive = Week(planned, folder / "lake")
    alive.live(lines.append)
    return alive, lines


def fault(text: str = "no answer") -> SourceUnavailable:
    return SourceUnavailable(text)


# days and attempts


def test_a_day_is_a_run_and_a_run_that_fails_is_tried_again(tmp_path: Path, runs: Runs) -> None:
    runs.ends = [published(), fault(), fault(), published(7)]
    alive, lines = live(tmp_path, script())
    assert lines == [
        "day 1: succeeded at attempt 1, 4 media days",
        "day 2: succeeded at attempt 3, 7 media days",
        "day 3: succeeded at attempt 1, 4 media days",
    ]
    assert runs.ids == ["day1-1", "day2-1", "day2-2", "day2-3", "day3-1"]
    assert runs.at == [alive.script.moment(d, a) for d, a in ((0, 0), (1, 0), (1, 1), (1, 2), (2, 0))]
    lived = alive.lived
    assert (lived.runs, lived.failed_runs, lived.unfinished_days, lived.broken) == (5, 2, [], [])


def test_a_day_on_which_no_attempt_succeeds_is_unfinished(tmp_path: Path, runs: Runs) -> None:
    runs.ends = [published(), *[fault() for _ in range(ATTEMPTS)]]
    alive, lines = live(tmp_path, script())
    assert lines[1] == f"day 2: failed {ATTEMPTS} times, last with: no answer"
    assert (alive.lived.unfinished_days, alive.lived.failed_runs) == ([2], ATTEMPTS)


def test_nobody_starts_a_run_on_the_day_that_is_missed(tmp_path: Path, runs: Runs) -> None:
    alive, lines = live(tmp_path, script(missed_day=1))
    assert lines[1] == "day 2: nobody started a run"
    assert runs.ids == ["day1-1", "day3-1"]
    assert alive.lived.injected["missed_day"] == 1


def test_a_run_on_the_doubled_day_is_started_twice_and_repeated(
    tmp_path: Path, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a repeated run moves is counted, but for the tables that belong to each run."""
    runs.ends = [
        published(), published(),
        published(silver_a={"new": 1, "updated": 2, "removed": 3, "unchanged": 40}, ops_checks={"new": 9}),
    ]  # fmt: skip
    alive, _ = live(tmp_path, script(doubled_day=1))
    assert runs.ids == ["day1-1", "day2-1", "day2-again", "day3-1"]
    assert (alive.lived.injected["run_repeated"], alive.lived.second_run_moved, alive.lived.runs) == (1, 6, 4)

    async def ask(end: BaseException | None) -> None:
        runs.ends = [end or published()]
        async with alive._beside(runs.parts[0], 1)():
            pass

    asyncio.run(ask(LeaseHeld("taken")))
    assert (runs.ids[-1], alive.lived.injected["started_twice"]) == ("day2-beside", 1)
    with pytest.raises(AssertionError, match="at the same time"):
        asyncio.run(ask(None))


def test_only_the_first_attempt_of_the_doubled_day_has_one_beside_it(tmp_path: Path, runs: Runs) -> None:
    runs.ends = [published(), fault()]
    live(tmp_path, script(doubled_day=1))
    beside = [parts.client.__qualname__.startswith("Week._beside") for parts in runs.parts]
    assert dict(zip(runs.ids, beside, strict=True)) == {
        "day1-1": False, "day2-1": True, "day2-2": False, "day2-again": False, "day3-1": False,
    }  # fmt: skip


# deaths and accidents


def test_a_process_dies_at_its_place_of_the_writes_that_a_run_makes(tmp_path: Path, runs: Runs) -> None:
    """A run writes ten times here: at half of them the sixth is due. The first run could only be guessed."""
    deaths = ((Death(5 / FIRST_GUESS, after=False),), (Death(0.5, after=False), Death(0.5, after=True)), ())
    alive, lines = live(tmp_path, script(deaths=deaths))
    assert lines == [
        "day 1: succeeded at attempt 2, 4 media days",
        "day 2: succeeded at attempt 3, 4 media days",
        "day 3: succeeded at attempt 1, 4 media days",
    ]
    objects = runs.parts[-1].objects
    writes = Counter(key.split("/")[0] for key in objects.list("day"))
    assert writes == {"day1-1": 1, "day1-2": 1, "day2-1": 1, "day2-2": 1, "day2-3": 1, "day3-1": 1}
    assert (alive.lived.injected["process_death"], alive.lived.failed_runs, alive.lived.runs) == (3, 0, 6)


def test_the_parts_of_a_run_share_one_count_of_writes() -> None:
    class Port:
        def put(self, *_: object) -> None:
            pass

        record = merge = notify = put

    from contextlib import nullcontext

    port = Port()
    parts = SimpleNamespace(objects=port, ledger=port, notifier=port, tables=lambda: nullcontext(port))
    death = Dying(4)
    wrapped = mortal(_dependencies(parts), death)
    wrapped.objects.put("k", b"")
    wrapped.ledger.record([])
    wrapped.notifier.notify(cast(Any, None))
    with wrapped.tables() as store, pytest.raises(Died, match="before write 4, merge"):
        store.merge(cast(Any, None), cast(Any, None), "")
    assert death.calls == 4


def _dependencies(parts: SimpleNamespace) -> Dependencies:
    rest = {n: None for n in Dependencies.__dataclass_fields__ if not hasattr(parts, n)}
    return Dependencies(**vars(parts), **cast(Any, rest))


def test_an_accident_happens_from_its_day_on_until_it_has_and_in_no_run_that_dies(
    tmp_path: Path, runs: Runs, faults: list[tuple[int, int, list[str]]]
) -> None:
    planned = script(
        days=4,
        deaths=((), (Death(0.5, after=False),), (), ()),
        scaled_day=2,
        accidents=(("empty_list", Accident(1, 0, 2)), ("media_deleted", Accident(2, 1, 3))),
    )
    runs.ends = [published(), published(), fault("see quarantine: bad_percent_viewed")]
    alive, _ = live(tmp_path, planned)
    assert [(day, attempt, kinds) for day, attempt, kinds in faults] == [
        (0, 0, []),
        (1, 0, []),  # dies
        (1, 1, ["empty_list"]),
        (2, 0, []),  # serves another unit
        (3, 0, ["empty_list", "media_deleted"]),
    ]
    alive.lived.injected["empty_list"] = 1
    assert [f.kind for f in alive._accidents(3, None)] == ["media_deleted"]
    (deleted,) = alive._accidents(3, None)
    assert (deleted.media, deleted.route) == (alive.world.media_ids[1], "by_date")
    assert deleted.when == Nth(1)


# promises of the product


REFUSED = "records are in quarantine: bad_percent_viewed"


@pytest.mark.parametrize(
    ("ends", "line", "broken"),
    [
        ([fault(REFUSED)], "failed as it must: percent_viewed came from 0 to 100", []),
        ([fault(), fault(REFUSED)], "failed as it must: percent_viewed came from 0 to 100", []),
        ([published()], "succeeded, and must not", ["day 2: percent_viewed from 0 to 100 was published"]),
        ([fault("quarantine")], "failed as it must: percent_viewed came from 0 to 100",
         ["day 2: the run does not say why records were refused: quarantine"]),
        ([fault(f"{REFUSED}; --accept-shrink takes it")], "failed as it must: percent_viewed came from 0 to 100",
         [f"day 2: the run advises to publish what is left: {REFUSED}; --accept-shrink takes it"]),
        ([fault() for _ in range(ATTEMPTS)], f"failed {ATTEMPTS} times, last with: no answer",
         ["day 2: no word of quarantine in: no answer"]),
    ],
)  # fmt: skip
def test_a_day_in_another_unit_must_fail_and_say_why(
    tmp_path: Path, runs: Runs, ends: list[Any], line: str, broken: list[str]
) -> None:
    runs.ends = [published(), *ends]
    alive, lines = live(tmp_path, script(scaled_day=1))
    assert lines[1] == f"day 2: {line}"
    assert alive.lived.broken == broken
    assert alive.lived.unfinished_days == []


@pytest.mark.parametrize(
    ("end", "mends", "broken"),
    [
        (StoreDamaged(f"the catalog is gone: `{CURE}`"), True, []),
        (
            StoreDamaged("the catalog is gone"),
            True,
            ["day 2: catalog.db was removed, and the run said the catalog is gone"],
        ),
        (published(), True, ["day 2: catalog.db was removed, and the run said nothing"]),
        (StoreDamaged(CURE), False, [f"day 2: `{CURE}` brought no catalog"]),
    ],
)
def test_a_lost_catalog_is_named_with_its_cure_and_the_cure_works(
    tmp_path: Path, runs: Runs, monkeypatch: pytest.MonkeyPatch, end: Any, mends: bool, broken: list[str]
) -> None:
    catalog, lost = tmp_path / "lake" / "catalog.db", []

    def published_once(self: Week) -> bool:
        for name in ("catalog.db", "catalog.db-wal"):
            (catalog.parent / name).write_text("tables")
        return True

    def mend(lake: Any, run_id: str, now: datetime) -> None:
        lost.append((run_id, now, catalog.exists()))
        if mends:
            catalog.write_text("anew")

    monkeypatch.setattr(Week, "_has_published", published_once)
    monkeypatch.setattr(week.laptop_repair, "catalog", mend)
    runs.ends = [published(), end]
    alive, _ = live(tmp_path, script(lost_catalog_day=1))
    assert runs.ids == ["day1-1", "day2-lost", "day2-1", "day3-1"]
    ten_minutes_before = alive.script.moment(1, 0) - timedelta(minutes=10)
    assert lost == [("day2-mended", ten_minutes_before, False)]
    assert runs.at[1] == ten_minutes_before
    assert not (catalog.parent / "catalog.db-wal").exists()
    assert alive.lived.broken == broken
    assert (alive.lived.injected["lost_catalog"], alive.lived.runs, alive.lived.failed_runs) == (1, 4, 1)


def test_a_catalog_is_lost_once_something_is_published(
    tmp_path: Path, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter((False, False))
    monkeypatch.setattr(Week, "_has_published", lambda self: next(answers))
    alive, _ = live(tmp_path, script(lost_catalog_day=1))
    assert alive.lived.injected["lost_catalog"] == 0
    assert runs.ids == ["day1-1", "day2-1", "day3-1"]


@pytest.mark.parametrize(
    ("scaled_day", "errors", "broken"),
    [
        (1, ["m1: 30 records were refused", "m2: 20 records were refused"], False),
        (1, ["m1: 30 records were refused", "m2: no answer"], True),
        (None, ["m1: 30 records were refused"], True),
    ],
)
def test_a_rebuild_may_fail_over_lists_in_another_unit_alone(
    tmp_path: Path, runs: Runs, scaled_day: int | None, errors: list[str], broken: bool
) -> None:
    alive, _ = live(tmp_path, script())
    alive.script = script(scaled_day=scaled_day)
    runs.ends = [RunFailed(fault(), RunResult("rebuilt", "rebuild", errors=errors))]
    alive.rebuild()
    assert (bool(alive.lived.broken), alive.lived.runs, alive.lived.failed_runs) == (broken, 4, 1)
    alive.rebuild()
    assert (runs.ids[-1], alive.lived.runs, alive.lived.failed_runs) == ("rebuilt", 5, 1)


# what the source did by itself


def session(key: str, share: float, received: datetime, **more: Any) -> TrueSession:
    usual: dict[str, Any] = {
        "visitor_key": "v", "media_id": "m1", "email": None, "embed_url": "", "browser": "", "browser_version": "",
        "platform": "", "mobile": False, "conversion_type": "", "first_listed_at": received, "vanished_at": None,
        "page_loaded_at": received, "listed_twice": False, "private": False,
    }  # fmt: skip
    return TrueSession(event_key=key, received_at=received, percent_viewed=share, **{**usual, **more})


def test_what_the_source_moved_is_counted_by_kind() -> None:
    """Over four days: `grows` on one of them, `restless` on three, `shifts` in time."""
    planned = script(days=4)
    start = planned.start
    hour = timedelta(hours=1)

    def ever(at: datetime | None = None) -> list[TrueSession]:
        day = 3 if at is None else (at - start).days
        return [
            session("still", 0.5, start),
            session("grows", 0.1 if day < 2 else 0.2, start),
            session("restless", 0.1 * day, start),
            session("shifts", 0.5, start + (hour if day else 0 * hour)),
            session("on time", 0.5, start, first_listed_at=start + hour),
            session("late", 0.5, start, first_listed_at=start + hour + timedelta(seconds=1)),
            session("went", 0.5, start, vanished_at=start + hour),
            session("went before", 0.5, start - hour, vanished_at=start),
            session("twice", 0.5, start, listed_twice=True),
            session("on two days", 0.5, start, straddles=True),
            *([session("came", 0.9, start)] if day else []),
        ]

    world = SimpleNamespace(truth=SimpleNamespace(ever=ever))
    assert moved(cast(World, world), planned) == {
        "late_session": 1, "growing_session": 2, "moving_session": 1, "vanished_session": 1, "doubled_session": 1,
        "straddling_session": 1, "restless_session": 1,
    }  # fmt: skip


# the whole


def test_time_passes_only_while_everybody_waits() -> None:
    waiting, order = WaitingTime(), []

    async def sleeper(name: str, *naps: float) -> None:
        for nap in naps:
            await waiting.sleep(nap)
            order.append((name, waiting.monotonic()))

    async def together() -> None:
        await asyncio.gather(sleeper("long", 5.0), sleeper("short", 1.0, 2.0), sleeper("none", 0.0))

    asyncio.run(together())
    assert order == [("none", 0.0), ("short", 1.0), ("short", 3.0), ("long", 5.0)]


def test_who_is_cancelled_while_waiting_does_not_hold_time_back() -> None:
    waiting = WaitingTime()

    async def together() -> None:
        left = asyncio.create_task(waiting.sleep(1.0))
        await asyncio.sleep(0)
        left.cancel()
        async with asyncio.timeout(10):  # real seconds: it takes a millisecond, or for ever
            await waiting.sleep(5.0)

    asyncio.run(together())
    assert waiting.monotonic() == 5.0


def test_the_report_says_what_was_injected_and_survived() -> None:
    lived = Lived(Counter(process_death=2, missed_day=1), 70, 9, 3)
    judgement = Judgement(rows=50, certified=4, findings=["t: x"])
    text = Outcome(script(), lived, judgement).as_json()
    assert {n: text[n] for n in ("seed", "profile", "days", "runs", "failed_runs", "requests", "rows", "passed")} == {
        "seed": 1, "profile": "calm", "days": 3, "runs": 9, "failed_runs": 3, "requests": 70, "rows": 50,
        "passed": True,
    }  # fmt: skip
    assert (text["faults"], text["faults_injected"], text["survived"]) == (
        {"missed_day": 1, "process_death": 2},
        3,
        3,
    )
    lived.unfinished_days.append(2)
    unfinished = Outcome(replace(script(), hostile=True), lived, judgement).as_json()
    assert (unfinished["survived"], unfinished["passed"], unfinished["profile"]) == (0, False, "hostile")
    moved_again = Outcome(script(), Lived(second_run_moved=1), Judgement())
    assert not moved_again.passed


@pytest.mark.parametrize("hostile", [True, False])
def test_a_soak_judges_its_lake_and_builds_it_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hostile: bool
) -> None:
    """The rebuild changes one row of one table."""
    table = report.FACTS[0]
    row = dict.fromkeys(table.column_names) | dict.fromkeys(table.key, "k")
    states = {False: [row], True: []}
    rebuilt: list[Path] = []
    monkeypatch.setattr(Week, "live", lambda self, tell: self.lived)
    monkeypatch.setattr(Week, "rebuild", lambda self: rebuilt.append(self.lake))
    monkeypatch.setattr(
        report,
        "_reader",
        lambda of: lambda text: states[bool(rebuilt)] if text.endswith(table.full_name) else [],
    )
    judgement = Judgement(refused=Counter(listed_above_one=2))
    monkeypatch.setattr(report, "judge", lambda *_: judgement)
    monkeypatch.setattr(report, "moved", lambda *_: {"late_session": 3})
    planned = replace(write("hostile", 1, 2), hostile=hostile)
    monkeypatch.setattr(report, "write", lambda *_: planned)
    outcome = report.soak("hostile", 1, 2, lambda _: None, tmp_path / "new" / "lake")
    assert rebuilt == [tmp_path / "new" / "lake"]
    assert (judgement.moved_by_rebuild, len(judgement.findings), outcome.passed) == (1, 1, False)
    by_source = {"listed_above_one": 2, "late_session": 3, "schema_addition": 1} | {
        f"media_{change.kind}": 1 for change in planned.profile.changes
    }
    assert outcome.lived.injected == (by_source if hostile else {})
