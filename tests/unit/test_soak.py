"""What a soak promises to inject, and that its judge sees what it must see. No engine, no lake but its manifests."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from support.memory import MemoryLedger
from wistia_simulator import Always, Nth, Profile, TrueSession, World
from wistlake.planning.calendar import utc_days_of
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.publishing import gold_days
from wistlake_soak import judge, rebuilt
from wistlake_soak.judge import Judgement
from wistlake_soak.rebuilt import differences
from wistlake_soak.report import Outcome
from wistlake_soak.script import OF_RUNS, OF_THE_NETWORK, OF_THE_SOURCE, WHOLE, Script, write
from wistlake_soak.truth import REFUSED, Truth, is_past_lookback, measures, reach
from wistlake_soak.week import Lived

SEEDS = range(200)
ZONE = ZoneInfo("America/New_York")
START = datetime(2026, 3, 4, 2, 15, tzinfo=UTC)
CALM = replace(Profile.calm(), media=1, sessions_per_day=150.0, history_days=10)


# the script


def hostile(seed: int) -> Script:
    return write("hostile", seed, WHOLE)


def test_every_accident_has_a_day_with_a_run_and_days_after_it() -> None:
    for script in map(hostile, SEEDS):
        days = [script.scaled_day, script.lost_catalog_day, *(a.day for _, a in script.accidents)]
        assert [kind for kind, _ in script.accidents] == ["empty_list", "media_deleted"]
        assert all(day is not None and 0 <= day < WHOLE - 1 for day in days)
        assert not {script.missed_day, script.doubled_day} & set(days)
        assert script.scaled_day not in (script.outage_day, *days[1:])
    assert {script.scaled_day for script in map(hostile, SEEDS)} == set(range(WHOLE - 1))


def test_a_whole_hostile_soak_promises_the_list_and_a_short_or_calm_one_nothing() -> None:
    assert hostile(1).promised == OF_RUNS | OF_THE_NETWORK | OF_THE_SOURCE
    assert {"scaled_percent", "lost_catalog", "media_deleted", "empty_list"} <= OF_RUNS
    assert {"refused_no_percent", "refused_no_visitor", "listed_above_one"} <= OF_THE_SOURCE
    assert write("hostile", 1, WHOLE - 1).promised == write("calm", 1, WHOLE).promised == frozenset()
    short = write("hostile", 1, 2)
    assert (short.scaled_day, short.lost_catalog_day, short.accidents) == (None, None, ())


def test_what_the_network_promises_happens_on_the_first_day_whatever_the_threads_do() -> None:
    for script in map(hostile, SEEDS):
        assert script.missed_day != 0 != script.outage_day
        sure = {f.kind for f in script.faults(0, 0).faults if isinstance(f.when, Nth)}
        outage = script.faults(script.outage_day or 0, 0).faults
        assert sure >= {"drift_insert", "drift_delete", "hang", "rate_limited"}
        assert [(f.kind, f.when) for f in outage] == [("http503", Always())]


def test_the_unit_is_another_one_for_all_runs_of_its_day_and_no_other() -> None:
    script = hostile(3)
    assert script.scaled_day is not None
    scaled = [
        day
        for day in range(WHOLE)
        for attempt in range(8)
        if script.is_scaled(script.moment(day, attempt))
        and any(f.kind == "scaled_percent" for f in script.faults(day, attempt).faults)
    ]
    assert scaled == [script.scaled_day] * 8
    assert not any(f.kind == "scaled_percent" for f in script.faults(script.scaled_day + 1, 0).faults)


# the verdict


def outcome(injected: frozenset[str], **found: Any) -> Outcome:
    judgement = Judgement(**{"certified": 5, **found})
    return Outcome(hostile(1), Lived(injected=Counter(injected)), judgement)


def test_a_soak_in_which_something_promised_never_happened_does_not_pass() -> None:
    everything = OF_RUNS | OF_THE_NETWORK | OF_THE_SOURCE
    assert outcome(everything).passed
    for kind in everything:
        lacking = outcome(everything - {kind})
        assert (lacking.absent, lacking.passed) == ([kind], False)
    assert outcome(everything, certified=0).absent == ["certified_day"]


@pytest.mark.parametrize("name", ["lost", "duplicated", "wrong", "contradicted", "moved_by_rebuild"])
def test_a_soak_with_one_bad_row_does_not_pass(name: str) -> None:
    assert not outcome(OF_RUNS | OF_THE_SOURCE, **{name: 1}).passed


def test_a_broken_promise_of_the_product_does_not_pass() -> None:
    whole = outcome(OF_RUNS | OF_THE_SOURCE)
    whole.lived.broken.append("day 3: catalog.db was removed, and the run succeeded")
    assert not whole.passed
    assert whole.as_json()["findings"] == whole.lived.broken


@pytest.mark.parametrize(("changed", "more"), [(20, []), (21, ["... 21 in all"])])
def test_of_many_rows_that_a_rebuild_changes_the_first_are_told(
    monkeypatch: pytest.MonkeyPatch, changed: int, more: list[str]
) -> None:
    monkeypatch.setattr(rebuilt, "invalidate_builds", lambda *_: None)
    monkeypatch.setattr(rebuilt, "run", lambda *_: None)
    table, none = rebuilt.FACTS[0], {t.full_name: () for t in rebuilt.FACTS}
    rows = [dict.fromkeys(table.column_names) | dict.fromkeys(table.key, n) for n in range(changed)]
    read = iter([none | {table.full_name: rows}, none])
    spec: Any = SimpleNamespace(run_id="r", window=SimpleNamespace(now=START))
    parts: Any = SimpleNamespace(ledger=MemoryLedger(), objects=None)
    told = rebuilt.changed_by_rebuild(spec, parts, lambda: next(read))
    assert [line.endswith(" is gone") for line in told[:20]] == [True] * 20
    assert told[20:] == more


def test_rows_that_a_rebuild_changes_are_told_apart() -> None:
    old = [{"k": 1, "n": 1.0, "m": 0}, {"k": 2, "n": 2.0, "m": 0}, {"k": 3, "n": 3.0, "m": 0}]
    new = [{"k": 1, "n": 1.0, "m": 1}, {"k": 2, "n": 2.5, "m": 1}, {"k": 4, "n": 4.0, "m": 0}]
    assert differences(("k",), ("k", "n"), old, new) == [
        "(2,): n was 2.0, is 2.5",
        "(3,) is gone",
        "(4,) is new",
    ]
    assert differences(("k",), ("k", "n", "m"), old[:2], new[:2]) == [
        "(1,): m was 0, is 1",
        "(2,): n was 2.0, is 2.5, m was 0, is 1",
    ]
    assert differences(("k",), ("k", "n"), [*old, old[0]], old) == ["(1,) stood 2 times, stands 1 times"]


# the truth


def lands(
    lake: Path, media: str, day: date, at: datetime, dataset: str = "events", missing: bool = False
) -> None:
    """A manifest, as a run leaves it."""
    manifest = {"dataset": dataset, "media_id": media, "day": str(day), "observed_at": at.isoformat(),
            "run_id": f"run-{at.isoformat()}", "missing": missing}  # fmt: skip
    folder = lake / "bronze" / dataset / media / str(day) / at.strftime("%d%H%M")
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def listed(found: Truth) -> dict[str, TrueSession]:
    """The sessions that are expected and not removed."""
    return {key: s for key, (s, removed_at) in found.sessions.items() if removed_at is None}


def truth(world: World, lake: Path, scaled: tuple[datetime, ...] = ()) -> Truth:
    (lake / "pseudonym-key.json").write_text(json.dumps({"keys": ["ab" * 32]}))
    return Truth(world, lake, ZONE, is_scaled=lambda at: at in scaled)


def test_an_update_that_no_contract_takes_leaves_the_last_good_row(tmp_path: Path) -> None:
    world = World(7, replace(CALM, flawed=1.0), START)
    media, day = world.media_ids[0], date(2026, 3, 1)
    before, after = datetime(2026, 3, 2, 2, 15, tzinfo=UTC), datetime(2026, 3, 5, 13, 0, tzinfo=UTC)
    later = {s.event_key: s for s in world.truth.sessions(media, day, day, after)}
    flawed = {key for key, s in later.items() if s.flaw in REFUSED}
    assert flawed
    lands(tmp_path, media, day, before)
    lands(tmp_path, media, day, after)
    found = truth(world, tmp_path)
    assert set(listed(found)) == set(later)
    assert {key for key, s in listed(found).items() if s.flaw == ""} >= flawed
    assert found.refused_records() == [
        {"media_id": media, "dt": day, "dataset": "events", "records": len(flawed)}
    ]
    assert found.refused["refused_no_percent"] + found.refused["refused_no_visitor"] == len(flawed)
    assert found.refused["listed_above_one"] == sum(s.flaw == "above_one" for s in later.values()) > 0


def test_a_session_that_was_never_listed_well_is_not_expected(tmp_path: Path) -> None:
    world = World(7, replace(CALM, flawed=1.0), START)
    media, day, after = world.media_ids[0], date(2026, 3, 1), datetime(2026, 3, 5, 13, 0, tzinfo=UTC)
    served = world.truth.sessions(media, day, day, after)
    lands(tmp_path, media, day, after)
    found = truth(world, tmp_path)
    assert set(found.sessions) == {s.event_key for s in served if s.flaw not in REFUSED}
    assert len(found.sessions) < len(served)


def test_a_list_in_another_unit_says_nothing(tmp_path: Path) -> None:
    world = World(7, replace(CALM, growing=1.0), START)
    media, day = world.media_ids[0], date(2026, 3, 1)
    early, late = datetime(2026, 3, 2, 0, 5, tzinfo=UTC), datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
    shares = [
        {s.event_key: s.percent_viewed for s in world.truth.sessions(media, day, day, at)}
        for at in (early, late)
    ]
    assert shares[0] != shares[1]
    lands(tmp_path, media, day, early)
    lands(tmp_path, media, day, late)
    for scaled, share in (((late,), shares[0]), ((), shares[1])):
        found = listed(truth(world, tmp_path, scaled))
        assert {key: s.percent_viewed for key, s in found.items()} == share
    assert truth(world, tmp_path, (late,)).refused_records() == [
        {"media_id": media, "dt": day, "dataset": "events"}
    ]
    assert truth(world, tmp_path).refused_records() == []


def test_a_session_that_is_listed_no_more_is_not_expected_however_often_it_was(tmp_path: Path) -> None:
    world = World(7, replace(CALM, vanishing=0.01), START)
    media, day = world.media_ids[0], date(2026, 3, 1)
    moments = [datetime(2026, 3, n, 2, 15, tzinfo=UTC) for n in (2, 3, 4, 8)]
    served = [{s.event_key for s in world.truth.sessions(media, day, day, at)} for at in moments]
    assert served[-1] < served[0]
    for at in moments:
        lands(tmp_path, media, day, at)
    found = truth(world, tmp_path)
    assert set(listed(found)) == served[-1]
    for key in served[0] - served[-1]:
        assert found.sessions[key][1] == next(
            at for at, of in zip(moments, served, strict=True) if key not in of
        )


def test_a_key_on_two_days_belongs_to_the_day_that_was_read_last(tmp_path: Path) -> None:
    world = World(7, replace(CALM, straddling=1.0), START)
    media, first, second = world.media_ids[0], date(2026, 3, 1), date(2026, 3, 2)
    once, again = datetime(2026, 3, 3, 2, 15, tzinfo=UTC), datetime(2026, 3, 4, 2, 15, tzinfo=UTC)
    twice = {s.event_key for s in world.truth.sessions(media, first, first, once)} & {
        s.event_key for s in world.truth.sessions(media, second, second, once)
    }
    assert len(twice) > 5
    for day in (first, second):
        lands(tmp_path, media, day, once)
    together = listed(truth(world, tmp_path))
    assert {together[key].received_at.date() for key in twice} == {second}
    lands(tmp_path, media, first, again)
    alone = listed(truth(world, tmp_path))
    assert {alone[key].received_at.date() for key in twice} == {first}
    assert set(alone) == set(together)


@pytest.mark.parametrize(("share", "contradicted"), [(0, 0), (1, 1)])
def test_a_certificate_that_the_source_contradicts_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: int, contradicted: int
) -> None:
    """A session grew after the day was last read, or did not."""
    world = World(7, replace(CALM, restless=0.02 * share), START)
    media, day, now = world.media_ids[0], date(2026, 2, 28), START + timedelta(days=7)
    for at in (START - timedelta(days=1), START):
        lands(tmp_path, media, day, at, "media_by_date")
        for utc_day in (day, day + timedelta(days=1)):
            lands(tmp_path, media, utc_day, at)
    world.clock.set(now)
    found, what = Judgement(), truth(world, tmp_path)
    monkeypatch.setattr(what, "settled", lambda lookback_days: {(media, day)})
    rows = (what.event(s, None) for s in listed(what).values())
    sessions = [s for s in rows if s["event_date_local"] == day]
    (counts,) = world.truth.by_date(media, day, day)
    row = {"media_id": media, "date": day, "certificate": "certified", **measures(sessions), **reach(sessions),
           "loads": counts["load_count"], "plays": counts["play_count"]}  # fmt: skip
    judge._certificates(found, what, lambda text: [row], 7)
    assert (found.certified, found.contradicted) == (1, contradicted)
    assert len(found.findings) == contradicted


@pytest.mark.parametrize(("day", "contradicted"), [(date(2026, 2, 27), 0), (date(2026, 2, 28), 1)])
def test_a_day_that_has_settled_too_early_is_seen(tmp_path: Path, day: date, contradicted: int) -> None:
    world, found = World(7, CALM, START), Judgement()
    read_daily(tmp_path, world, WEEK)
    row = {"media_id": world.media_ids[0], "date": day, "certificate": "settled"}
    judge._certificates(found, truth(world, tmp_path), lambda text: [row], 7)
    assert (found.certified, found.contradicted, len(found.findings)) == (0, contradicted, contradicted)


# which days may be certified

WEEK = [START + timedelta(days=n) for n in range(7)]
# With a lookback of seven days, the youngest day that has settled at the end of `WEEK`.
EDGE = date(2026, 2, 27)


def read_daily(lake: Path, world: World, moments: Sequence[datetime], ages: range = range(1, 14)) -> None:
    """At each moment, what a run could read of the days of these ages."""
    for at in moments:
        for age in ages:
            for dataset in ("events", "media_by_date"):
                lands(lake, world.media_ids[0], at.date() - timedelta(days=age), at, dataset)


def test_the_youngest_day_that_settles_is_past_the_lookback_by_both_calendars(tmp_path: Path) -> None:
    world = World(7, CALM, START)
    read_daily(tmp_path, world, WEEK)
    media, found = world.media_ids[0], truth(world, tmp_path)
    assert max(day for _, day in found.days) > EDGE
    assert max(day for _, day in found.settled(7)) == EDGE
    assert (media, EDGE + timedelta(days=1)) in found.settled(6)


def test_a_single_reading_settles_no_day_and_nor_do_two_of_one_utc_day(tmp_path: Path) -> None:
    world = World(7, CALM, START)
    read_daily(tmp_path, world, [WEEK[-1]])
    assert (world.media_ids[0], EDGE) in truth(world, tmp_path).days
    assert truth(world, tmp_path).settled(7) == set()
    read_daily(tmp_path, world, [WEEK[-1] + timedelta(hours=5)])
    assert truth(world, tmp_path).settled(7) == set()
    read_daily(tmp_path, world, [WEEK[-1] + timedelta(days=1)])
    assert (world.media_ids[0], EDGE) in truth(world, tmp_path).settled(7)


@pytest.mark.parametrize("deleted", [False, True])
def test_only_a_deleted_media_publishes_and_settles_a_day_without_counts(
    tmp_path: Path, deleted: bool
) -> None:
    world = World(7, CALM, START)
    media, after = world.media_ids[0], EDGE + timedelta(days=1)
    for at in WEEK[-2:]:
        for day in (EDGE, after):
            lands(tmp_path, media, day, at)
    lands(tmp_path, media, WEEK[-1].date(), WEEK[-1], "media_metadata", missing=deleted)
    found = truth(world, tmp_path)
    assert found.settled(7) == found.days == ({(media, EDGE)} if deleted else set())
    row = {r["date"]: r for r in found.tables()["gold.fact_media_daily"]}.get(EDGE)
    assert (row is not None and row["loads"] is None and row["sessions"] > 0) is deleted


@pytest.mark.parametrize("restless", [0.0, 1.0])
def test_a_day_settles_only_if_its_last_readings_agree(tmp_path: Path, restless: float) -> None:
    world = World(7, replace(CALM, restless=restless, history_days=20), START)
    read_daily(tmp_path, world, WEEK[-2:], range(1, 20))
    found = truth(world, tmp_path)
    old = {(m, d) for m, d in found.days if date(2026, 2, 20) <= d <= EDGE}  # read twice
    settled = {(m, d) for m, d in found.settled(7) if d >= date(2026, 2, 20)}
    assert settled <= old
    assert (settled == old) is (restless == 0)


@pytest.mark.parametrize(("name", "edge"), [("America/New_York", 15), ("UTC", 16), ("Asia/Kolkata", 16)])
def test_publishing_and_the_truth_put_the_end_of_the_lookback_on_the_same_day(name: str, edge: int) -> None:
    """At 02:15 UTC of the 21st, with a lookback of three days: New York's 20th is not over yet."""
    now, tz = datetime(2026, 3, 21, 2, 15, tzinfo=UTC), ZoneInfo(name)
    days = [date(2026, 3, n) for n in range(8, 19)]
    intervals = [
        Interval(dataset, "m", day, State.LANDED, "r", now, landing_id="x", finished=True)
        for dataset in ("events", "media_by_date")
        for day in (date(2026, 3, 7), *days, date(2026, 3, 19))
    ]
    media = [MediaEntry("m", days[0], now)]
    datasets = frozenset({"events", "media_by_date"})
    found = gold_days(media, intervals, intervals, datasets=datasets, now=now, tz=tz, lookback_days=3)
    young = {day for _, day in found.publishable - found.past_lookback}
    assert max(day for _, day in found.past_lookback) == date(2026, 3, edge - 1)
    assert min(young) == date(2026, 3, edge)
    assert {day for day in days if is_past_lookback(day, now, tz, 3)} == {
        day for day in days if day < date(2026, 3, edge)
    }
    # The run itself read back to the 17th.
    last_read = max(d for day in days if day < date(2026, 3, edge) for d in utc_days_of(day, tz))
    assert last_read < date(2026, 3, 17)


# what readers keep


def test_gold_of_a_day_that_waits_for_a_list_holds_what_it_held(tmp_path: Path) -> None:
    """Silver moves on: a session that is listed on two days of one local day goes to the list that was read last."""
    world = World(7, replace(CALM, straddling=1.0), START)
    media, day, noon = world.media_ids[0], date(2026, 3, 1), timedelta(hours=12)
    first, second = START, START + timedelta(days=1)
    for dataset in ("events", "media_by_date"):
        for n in range(-2, 3):
            lands(tmp_path, media, day + timedelta(days=n), first, dataset)
    before = truth(world, tmp_path)
    lands(tmp_path, media, day + timedelta(days=1), second)  # in another unit
    lands(tmp_path, media, day, second + noon)
    lands(tmp_path, media, day, second + noon, "media_by_date")
    after = truth(world, tmp_path, (second,))
    assert set(after.waiting) == {(media, day), (media, day + timedelta(days=1))}
    moved = {key for key, s in listed(after).items() if s.received_at != listed(before)[key].received_at}
    assert {(media, after.local(listed(after)[key].received_at)) for key in moved} <= set(after.waiting)
    assert len(moved) > 5
    assert after.days == before.days
    whole = {"gold.dim_visitor", "gold.media_retention_daily"}
    names = [name for name in after.tables() if name.startswith("gold.") and name not in whole]
    for name in names:
        old, new = (
            [r for r in of.tables()[name] if (r["media_id"], r["date"]) in after.waiting]
            for of in (before, after)
        )
        assert old == new != [], name
    old, new = ({r["visitor_id"]: r for r in of.tables()["gold.dim_visitor"]} for of in (before, after))
    assert {visitor: old[visitor] | row for visitor, row in new.items()} == old
    undetermined = {visitor for visitor, row in new.items() if "country" not in row}
    assert undetermined == {
        r["visitor_id"]
        for key in moved
        for r in before.published_sessions
        if r["event_key"] == key and r["received_at"] == old[r["visitor_id"]]["last_seen_at"]
    }


# a seed is a name


@pytest.mark.parametrize(
    ("profile", "seed", "days", "digest"),
    [
        ("hostile", 1, 7, "1f7e7ad9c7cd"),
        ("hostile", 2, 14, "3ae92d5d0081"),
        ("hostile", 3, 2, "de04b7c87970"),
        ("hostile", 4, 1, "28d9a7fde39d"),
        ("calm", 1, 7, "6d6c03b70658"),
    ],
)
def test_a_seed_writes_the_script_that_it_always_has(profile: str, seed: int, days: int, digest: str) -> None:
    """A report names its seed: it can be lived through again. A change of what a seed means changes the digest, and
    belongs into the changelog."""
    script = write(profile, seed, days)
    attempts = [
        (
            script.moment(day, attempt),
            script.is_scaled(script.moment(day, attempt)),
            script.faults(day, attempt),
        )
        for day in range(days)
        for attempt in range(3)
    ]
    assert hashlib.sha256(repr((script, attempts)).encode()).hexdigest()[:12] == digest
