"""What a soak promises to inject, and that its judge sees what it must see. No engine, no lake but its manifests."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from wistia_simulator import Profile, World
from wistlake_soak import judge
from wistlake_soak.judge import Judgement, Truth, differing
from wistlake_soak.report import Outcome
from wistlake_soak.script import OF_RUNS, OF_THE_SOURCE, WHOLE, Script, write
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
    assert hostile(1).promised == OF_RUNS | OF_THE_SOURCE
    assert {"scaled_percent", "lost_catalog", "media_deleted", "empty_list"} <= OF_RUNS
    assert {"refused_no_percent", "refused_no_visitor", "listed_above_one"} <= OF_THE_SOURCE
    assert write("hostile", 1, WHOLE - 1).promised == write("calm", 1, WHOLE).promised == frozenset()
    short = write("hostile", 1, 2)
    assert (short.scaled_day, short.lost_catalog_day, short.accidents) == (None, None, ())


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
    everything = OF_RUNS | OF_THE_SOURCE
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


def test_rows_that_a_rebuild_changes_are_told_apart() -> None:
    old = [{"k": 1, "n": 1.0}, {"k": 2, "n": 2.0}, {"k": 3, "n": 3.0}]
    new = [{"k": 1, "n": 1.0 + 1e-13}, {"k": 2, "n": 2.5}, {"k": 4, "n": 4.0}]
    assert differing(old, new, ("k",), ("k", "n")) == [
        "(3,) is gone",
        "(4,) is new",
        "(2,): n was 2.0, is 2.5",
    ]
    assert differing([*old, old[0]], old, ("k",), ("k", "n")) == ["(1,) stood 2 times, stands 1 times"]


# the truth


def lands(lake: Path, media: str, day: date, at: datetime, dataset: str = "events") -> None:
    """A manifest, as a run leaves it."""
    told = {"dataset": dataset, "media_id": media, "day": str(day), "observed_at": at.isoformat(),
            "run_id": f"run-{at.isoformat()}", "missing": False}  # fmt: skip
    folder = lake / "bronze" / dataset / media / str(day) / at.strftime("%d%H%M")
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps(told))


def truth(world: World, lake: Path, scaled: tuple[datetime, ...] = ()) -> Truth:
    (lake / "pseudonym-key.json").write_text(json.dumps({"keys": ["ab" * 32]}))
    return Truth(world, lake, ZONE, {}, lambda at: at in scaled)


def test_an_update_that_no_contract_takes_leaves_the_last_good_row(tmp_path: Path) -> None:
    world = World(7, replace(CALM, flawed=1.0), START)
    media, day = world.media_ids[0], date(2026, 3, 1)
    before, after = datetime(2026, 3, 2, 2, 15, tzinfo=UTC), datetime(2026, 3, 5, 13, 0, tzinfo=UTC)
    later = {s.event_key: s for s in world.truth.sessions(media, day, day, after)}
    flawed = {key for key, s in later.items() if s.flaw in judge.REFUSED}
    assert flawed
    lands(tmp_path, media, day, before)
    lands(tmp_path, media, day, after)
    found = truth(world, tmp_path)
    assert set(found.sessions) == set(later)
    assert {key for key, s in found.sessions.items() if s.flaw == ""} >= flawed
    assert found.quarantined() == [
        {"media_id": media, "dt": day, "dataset": "events", "records": len(flawed)}
    ]
    assert found.refused["refused_no_percent"] + found.refused["refused_no_visitor"] == len(flawed)
    assert found.refused["listed_above_one"] == sum(s.flaw == "above_one" for s in later.values()) > 0


def test_a_session_that_was_never_listed_well_is_not_expected(tmp_path: Path) -> None:
    world = World(7, replace(CALM, flawed=1.0), START)
    media, day, after = world.media_ids[0], date(2026, 3, 1), datetime(2026, 3, 5, 13, 0, tzinfo=UTC)
    listed = world.truth.sessions(media, day, day, after)
    lands(tmp_path, media, day, after)
    found = truth(world, tmp_path)
    assert set(found.sessions) == {s.event_key for s in listed if s.flaw not in judge.REFUSED}
    assert len(found.sessions) < len(listed)


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
        found = truth(world, tmp_path, scaled).sessions
        assert {key: s.percent_viewed for key, s in found.items()} == share
    assert truth(world, tmp_path, (late,)).quarantined() == [
        {"media_id": media, "dt": day, "dataset": "events"}
    ]
    assert truth(world, tmp_path).quarantined() == []


def test_a_session_that_is_listed_no_more_is_not_expected_however_often_it_was(tmp_path: Path) -> None:
    world = World(7, replace(CALM, vanishing=0.01), START)
    media, day = world.media_ids[0], date(2026, 3, 1)
    moments = [datetime(2026, 3, n, 2, 15, tzinfo=UTC) for n in (2, 3, 4, 8)]
    listed = [{s.event_key for s in world.truth.sessions(media, day, day, at)} for at in moments]
    assert listed[-1] < listed[0]
    for at in moments:
        lands(tmp_path, media, day, at)
    assert set(truth(world, tmp_path).sessions) == listed[-1]


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
    together = truth(world, tmp_path).sessions
    assert {together[key].received_at.date() for key in twice} == {second}
    lands(tmp_path, media, first, again)
    alone = truth(world, tmp_path).sessions
    assert {alone[key].received_at.date() for key in twice} == {first}
    assert set(alone) == set(together)


@pytest.mark.parametrize(("share", "contradicted"), [(0, 0), (1, 1)])
def test_a_certificate_that_the_source_contradicts_is_seen(
    tmp_path: Path, share: int, contradicted: int
) -> None:
    """A session grew after the day was last read, or did not."""
    world = World(7, replace(CALM, restless=0.02 * share), START)
    media, day, now = world.media_ids[0], date(2026, 2, 28), START + timedelta(days=7)
    for utc_day in (day, day + timedelta(days=1)):
        lands(tmp_path, media, utc_day, START)
    world.clock.set(now)
    found, what = Judgement(), truth(world, tmp_path)
    rows = (what.session_row(s, None) for s in what.sessions.values())
    sessions = [s for s in rows if s["event_date_local"] == day]
    (counts,) = world.truth.by_date(media, day, day)
    row = {"media_id": media, "date": day, "certificate": "certified", **judge._measures(sessions),
           "loads": counts["load_count"], "plays": counts["play_count"]}  # fmt: skip
    judge._certificates(found, what, lambda text: [row])
    assert (found.certified, found.contradicted) == (1, contradicted)
    assert len(found.said) == contradicted


# a seed is a name


@pytest.mark.parametrize(
    ("profile", "seed", "days", "digest"),
    [
        ("hostile", 1, 7, "2cb321a441c6"),
        ("hostile", 2, 14, "0620c3e7344e"),
        ("hostile", 3, 2, "d79694fd00a2"),
        ("hostile", 4, 1, "89468434e4e0"),
        ("calm", 1, 7, "dd0ffed0c25c"),
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
