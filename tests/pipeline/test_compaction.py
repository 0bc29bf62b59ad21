"""A lake whose ledger compacts what has come to rest is no other lake: tables, plans and answers are the same."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support import model
from support.lake import START, Scenario
from support.memory import MemoryLedger, MemoryObjects
from support.model import ModelLake
from wistia_simulator import Profile
from wistlake.bronze import manifest_key
from wistlake.insight import gaps
from wistlake.insight.preview import Inputs, preview
from wistlake.insight.status import health
from wistlake.pipeline.jobs.maintain import drop_raw_pages
from wistlake.pipeline.run import build as build_step
from wistlake.pipeline.run import pending
from wistlake.pipeline.run.driver import RunFailed
from wistlake.pipeline.run.raw_pages import note_removed
from wistlake.planning.calendar import zone
from wistlake.planning.plan import Window
from wistlake.planning.publishing import GOLD
from wistlake_soak.dying import Died, Dying

SCENARIO = Scenario(
    replace(
        Profile.hostile(), media=2, sessions_per_day=3.0, history_days=4, growing=0.5, late=0.1, late_days=2.0,
        moving=0.3, vanishing=0.1,
    ),
    settings={"lookback_days": 1},
)  # fmt: skip
DAYS = 22


class Plain(MemoryLedger):
    """A ledger as it was before anything was compacted."""

    def compact(self, changes: Iterable[Any]) -> None:
        list(changes)


class Asked(MemoryObjects):
    """Objects that note who was asked for by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def exists(self, key: str) -> bool:
        self.asked.append(key)
        return super().exists(key)


@pytest.fixture(autouse=True)
def _model_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_step, "build_tables", model.build)


def moment(day: int) -> datetime:
    return START + timedelta(days=day)


def lake(folder: Path, ledger: MemoryLedger) -> ModelLake:
    new = ModelLake(folder, SCENARIO)
    new.ledger, new.objects = ledger, Asked()
    return new


def run(of: ModelLake, day: int, death: Dying | None = None, **asked: Any) -> None:
    """The run of a day; of a hostile source, some media may fail."""
    with suppress(RunFailed):
        of.run(moment(day), death or Dying(), run_id=f"run-{day}", **asked)


def answers(of: ModelLake, day: int) -> dict[str, Any]:
    """What a lake says of itself."""
    window = Window(moment(day + 1), zone(model.ZONE), 1)
    spec = replace(of.lake.run_spec(moment(day + 1)), window=window)
    found = of.state()
    return {
        **found,
        "status": health(of.ledger, window),
        "gaps": gaps.open_work(of.ledger, window),
        "plan": preview(spec, Inputs.of(of.ledger)),
        "sample": of.ledger.facts("sample"),
        "shared": of.ledger.facts("shared_keys"),
    }


def compacted(of: ModelLake) -> dict[str, int]:
    return {m: sum(1 for d in c.days for _ in c.days_of(d)) for m, c in of.ledger.compacted().items()}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModelLake, ModelLake]]:
    """Two lakes after the same weeks, one of which has compacted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_step, "build_tables", model.build)
        folder = tmp_path_factory.mktemp("compaction")
        subject, plain = lake(folder / "a", MemoryLedger()), lake(folder / "b", Plain())
        for day in range(DAYS):
            for one in (subject, plain):
                run(one, day)
            if day >= 10:
                assert answers(subject, day) == answers(plain, day), f"after day {day}"
        yield subject, plain


def test_it_has_the_same_tables_and_the_same_answers_each_day(lived: tuple[ModelLake, ModelLake]) -> None:
    subject, plain = lived
    assert sum(compacted(subject).values()) > 80
    assert compacted(plain) == {}
    assert len(subject.ledger.open_intervals()) < len(plain.ledger.open_intervals()) - 80


def test_days_of_gold_that_are_open_have_what_they_are_made_of_beside_them(
    lived: tuple[ModelLake, ModelLake],
) -> None:
    subject, _ = lived
    open_ = {i.key for i in subject.ledger.open_intervals()}
    for media_id, of_media in subject.ledger.compacted().items():
        resting = set(of_media.days_of(GOLD))
        for dataset in ("events", "media_by_date"):
            for day in of_media.days_of(dataset):
                for beside in (day - timedelta(days=1), day, day + timedelta(days=1)):
                    assert beside in resting or (GOLD, media_id, beside) not in open_


def both(lived: tuple[ModelLake, ModelLake]) -> tuple[ModelLake, ModelLake]:
    subject, plain = lived
    return subject.copy(), plain.copy()


def tables(of: ModelLake) -> Any:
    return of.state()["tables"]


def test_a_backfill_of_compacted_days_reads_them_anew(lived: tuple[ModelLake, ModelLake]) -> None:
    first = min(d for c in lived[0].ledger.compacted().values() for d in c.days_of("events"))
    named = {"start": first, "end": first + timedelta(days=5), "trigger": "backfill"}
    for one in (pair := both(lived)):
        run(one, DAYS, **named)
        run(one, DAYS + 1)
    assert answers(pair[0], DAYS + 1) == answers(pair[1], DAYS + 1)


@pytest.mark.parametrize("gone", [False, True], ids=["with raw pages", "without"])
def test_a_new_version_builds_what_bronze_still_holds_and_asks_for_the_rest_once(
    lived: tuple[ModelLake, ModelLake], monkeypatch: pytest.MonkeyPatch, *, gone: bool
) -> None:
    pair = both(lived)
    limit = moment(DAYS - 6)
    for one in pair if gone else ():
        drop_raw_pages(one.objects, limit)
        note_removed(one.ledger, limit)
    monkeypatch.setattr(pending, "TRANSFORM_VERSION", 99)
    for one in pair:
        assert isinstance(one.objects, Asked)
        one.objects.asked.clear()
        run(one, DAYS)
    assert tables(pair[0]) == tables(pair[1])
    subject = pair[0]
    assert isinstance(subject.objects, Asked)
    if gone:
        read = {k.partition("/run_id=")[0] for k in subject.objects.asked if f"run-{DAYS}/" in k}
        asked = {k for k in subject.objects.asked if k.partition("/run_id=")[0] not in read}
        known = {manifest_key(i.landing_id): i for i in pair[1].ledger.intervals() if i.landing_id}
        assert [k for k in asked if (known[k].observed_at or moment(0)) < limit] == []
    subject.objects.asked.clear()
    for one in pair:
        run(one, DAYS, build_only=True, trigger="rebuild")
    assert [key for key in subject.objects.asked if not MemoryObjects.exists(subject.objects, key)] == []
    assert tables(pair[0]) == tables(pair[1])


def test_a_rebuild_after_that_changes_nothing(lived: tuple[ModelLake, ModelLake]) -> None:
    subject, _ = both(lived)
    assert subject.changed_by_rebuild(moment(DAYS)) == {}


@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_dies_at_any_write_of_a_day_that_compacts_is_made_good_by_the_next(
    lived: tuple[ModelLake, ModelLake], *, after: bool
) -> None:
    clean, _ = both(lived)
    day = DAYS
    while True:  # to a run that compacts
        before = clean.copy()
        known = compacted(clean)
        death = Dying()
        run(clean, day, death)
        if compacted(clean) != known:
            break
        day += 1
    for write in range(max(1, death.calls - 12), death.calls + 1):  # compaction is among the last
        hurt = before.copy()
        with suppress(Died):
            run(hurt, day, Dying(at=write, after=after))
        with suppress(RunFailed):
            hurt.run(moment(day), Dying(), run_id="once-more")
        wanted, found = clean.state(), hurt.state()
        for name in ("tables", "intervals", "watermarks", "media"):
            assert found[name] == wanted[name], f"{name} after write {write}"
