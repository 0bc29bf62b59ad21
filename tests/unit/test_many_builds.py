"""A run that memory makes build more than once ends as one that builds everything at once. The builds are played: what
is tested is what they are asked for, and what becomes of it in the ledger."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from support.memory import MemoryLedger, MemoryObjects
from wistlake.contracts import source
from wistlake.pipeline.run import build as build_step
from wistlake.pipeline.run.handover import RunPlan, decode_verdicts, encode_verdicts
from wistlake.pipeline.run.outcome import Policy
from wistlake.pipeline.run.pending import signature
from wistlake.pipeline.run.publish import show
from wistlake.pipeline.run.spec import MediaChoice, RunSpec
from wistlake.pipeline.tables import BuildPlan, BuildResult, merged
from wistlake.planning.calendar import local_days_of, zone
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.plan import Window
from wistlake.quality.certificates import Certificate, certify
from wistlake.quality.reconciliation import Judgement, Verdict

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
BEFORE = NOW - timedelta(days=5)
ROWS, ONE_DAY, ALL = 10, 10, 1000  # rows of a listing; what a build may take
EVENTS, COUNTS, GOLD = "events", "media_by_date", "gold"


def on(day: int) -> date:
    """A day of the month."""
    return date(2026, 3, day)


def spec_of(zone_name: str) -> RunSpec:
    """The run of today."""
    window = Window(NOW, zone(zone_name), 3)
    return RunSpec(
        "r1", "backfill", "live", zone_name, window, (source(EVENTS), source(COUNTS)), MediaChoice()
    )


def landed(*days: int, dataset: str) -> list[Interval]:
    """Listings that this run has landed."""
    return [
        Interval(
            dataset, "m", on(day), State.LANDED, "r1", NOW, landing_id=f"{dataset}{day}", observed_at=NOW,
            content_hash="h", rows=ROWS, finished=True,
        )
        for day in days
    ]  # fmt: skip


def built(day: int, dataset: str) -> Interval:
    """A listing that an older run has landed and built, and that a second reading has confirmed."""
    (fresh,) = landed(day, dataset=dataset)
    old = replace(fresh, state=State.PUBLISHED, run_id="r0", observed_at=BEFORE, confirmations=1)
    return replace(old, built_signature=signature(old, spec_of("UTC"), 1), published_at=BEFORE)


def gold(day: int, certificate: Certificate) -> Interval:
    """A day that an older run has published."""
    return Interval(
        GOLD, "m", on(day), State.PUBLISHED, "r0", BEFORE, reason=str(certificate), finished=True,
        built_signature="UTC", published_at=BEFORE,
    )  # fmt: skip


@dataclass(frozen=True)
class Story:
    """What the ledger has, and what the builds find: by the day of a listing of sessions, the days that sessions leave
    for it; the days whose counts have changed; those that do not reconcile."""

    first: int
    intervals: Iterable[Interval]
    zone_name: str = "UTC"
    moves: Mapping[int, Collection[int]] = field(default_factory=dict)
    recounted: Collection[int] = ()
    held: Collection[int] = ()


@dataclass
class Builds:
    """In place of the engine: computes the days that are asked for, and those that its landings are about."""

    story: Story
    plans: list[BuildPlan] = field(default_factory=list)
    stale: set[tuple[str, date]] = field(default_factory=set)  # days of gold that silver has left behind

    def __call__(self, plan: BuildPlan, _objects: Any, _store: Any, intend: Any) -> BuildResult:
        assert len(self.plans) < 20, "the run does not end"
        self.plans.append(plan)
        tz = zone(self.story.zone_name)
        changed, touched = set[tuple[str, date]](), set[tuple[str, date]]()
        for landing in plan.landings:
            if landing.dataset == EVENTS:
                touched |= {("m", day) for day in local_days_of(landing.day, tz)}
                changed |= {("m", on(day)) for day in self.story.moves.get(landing.day.day, ())}
            else:
                touched.add(("m", landing.day))
                changed |= {("m", landing.day)} if landing.day.day in self.story.recounted else set()
        if changed:
            intend(changed)
        pairs = (changed | touched | plan.refresh) & plan.publishable
        self.stale = (self.stale | changed) - pairs
        blocked = frozenset(pairs & {("m", on(day)) for day in self.story.held})
        published = {
            pair: certify(
                past_lookback=pair in plan.past_lookback, confirmed=pair in plan.confirmed, judgements=()
            )
            for pair in pairs - blocked
        }
        return BuildResult(
            {}, {}, (), {}, published, blocked, {}, withdrawn=plan.withdrawn, shared=plan.shared
        )


class Pages:
    """Raw pages that are all there."""

    gone_before = None

    def look_up(self, intervals: Iterable[Interval]) -> None:
        list(intervals)

    def has(self, _: Interval) -> bool:
        return True

    def manifest(self, i: Interval) -> Any:
        return SimpleNamespace(dataset=i.dataset, media_id=i.media_id, day=i.day, rows=i.rows, missing=False)


def ended(story: Story, policy: Policy, rows: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, int]:
    """What a run comes to, and how many builds it took."""
    ledger, builds = MemoryLedger(), Builds(story)
    ledger.put_media([MediaEntry("m", on(story.first), NOW)])
    ledger.record(story.intervals)
    spec = spec_of(story.zone_name)
    monkeypatch.setattr(build_step, "build_tables", builds)
    monkeypatch.setattr(build_step, "RawPages", SimpleNamespace(of=lambda *_: Pages()))
    deps: Any = SimpleNamespace(
        ledger=ledger, objects=MemoryObjects(), keys=lambda: (b"k" * 32,), tables=lambda: nullcontext(None),
        rows_per_build=rows, clock=lambda: NOW,
    )  # fmt: skip
    verdicts = build_step._Build(deps, RunPlan(spec, (), (), NOW), policy).run()
    if policy is Policy.AT_THE_END:
        verdicts = decode_verdicts(encode_verdicts(verdicts))
        show(spec, ledger, verdicts.built, verdicts.intervals)
    result = verdicts.built
    assert result is not None
    states = {i.key: (i.state, i.reason) for i in ledger.intervals()}
    marks = {(w.dataset, w.media_id): w.last_date for w in ledger.watermarks()}
    reread = {pair for plan in builds.plans for pair in plan.reread}
    outcome = (states, marks, dict(result.published), result.blocked, result.withdrawn, reread, builds.stale)
    return outcome, len(builds.plans)


WEST = "-05:00"  # a local day is made of two listings
BOTH = (EVENTS, COUNTS)
STORIES = {
    "a session leaves a day that an earlier build has published for good": Story(
        5,
        [
            *(built(5, name) for name in BOTH),
            gold(5, Certificate.PROVISIONAL),
            *(i for name in BOTH for i in landed(18, 19, dataset=name)),
        ],
        moves={19: [5]},
    ),
    "a day does not reconcile": Story(
        9,
        [*landed(9, 10, 11, 12, 13, dataset=EVENTS), *landed(9, 10, 11, 12, dataset=COUNTS)],
        WEST,
        held=[10],
    ),
    "another zone takes a day back": Story(
        8,
        [
            gold(8, Certificate.SETTLED),
            *landed(9, 10, 11, 12, 13, dataset=EVENTS),
            *landed(8, 9, 10, 11, 12, dataset=COUNTS),
        ],
        WEST,
        held=[10],
    ),
    "counts of settled days have changed": Story(
        4,
        [
            *(gold(day, Certificate.SETTLED) for day in range(4, 8)),
            *(i for name in BOTH for i in landed(4, 5, 6, 7, dataset=name)),
        ],
        recounted=[4, 5, 6, 7],
    ),
    "a rebuild reads nothing": Story(
        4,
        [
            *(gold(day, Certificate.SETTLED) for day in range(4, 8)),
            *(replace(built(day, name), built_signature="older") for day in range(4, 8) for name in BOTH),
        ],
    ),
}


@pytest.mark.parametrize("policy", Policy, ids=lambda policy: policy.value)
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_many_builds_end_as_one(story: Story, policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, single = ended(story, policy, ALL, monkeypatch)
    several, many = ended(story, policy, ONE_DAY, monkeypatch)
    assert single <= 2 < many
    assert several == expected


def of_build(verdict: Verdict, **others: Any) -> BuildResult:
    """A build that judged one identity."""
    judged = (Judgement("events_and_plays", "m", on(4), verdict, False, 1, 9),)
    plain: dict[str, Any] = {
        "counts": {}, "by_interval": {}, "judgements": judged, "stopped": {}, "published": {},
        "blocked": frozenset(), "tables": {},
    }  # fmt: skip
    return BuildResult(**plain | others)


def test_the_last_build_that_looked_at_a_day_has_the_word() -> None:
    day, other = ("m", on(4)), ("m", on(5))
    held = of_build(Verdict.BROKEN, blocked=frozenset([day]), published={other: Certificate.SETTLED})
    sound = of_build(Verdict.HOLDS, published={day: Certificate.SETTLED}, blocked=frozenset([other]))
    for first, last in ((held, sound), (sound, held)):
        run = merged([first, last])
        assert (dict(run.published), run.blocked) == (dict(last.published), last.blocked)
        assert run.judgements == last.judgements
