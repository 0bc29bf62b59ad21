"""Two readings of a day: whether they agree, what is kept of them, and what a late move teaches."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from support.memory import MemoryLedger, MemoryObjects
from wistlake import bronze
from wistlake.contracts import source
from wistlake.pipeline.run.recover import landed, recover, repeats
from wistlake.pipeline.run.select import planned
from wistlake.pipeline.run.spec import MediaChoice, RunSpec
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.lookback import MOST_LEARNED_DAYS, REMEMBERED, learned
from wistlake.planning.plan import HORIZON, Window
from wistlake.planning.publishing import GOLD, PROVISIONAL, GoldDays, gold_days
from wistlake.planning.sample import FACTS, SAMPLED, sample
from wistlake.ports import Run
from wistlake.zones import zone

NOW = datetime(2026, 3, 20, 2, 15, tzinfo=UTC)
DAY = date(2026, 3, 5)
TOMORROW = NOW + timedelta(days=1)


def counts(plays: int, hours: float) -> list[dict[str, Any]]:
    return [{"date": str(DAY), "load_count": 90, "play_count": plays, "hours_watched": hours}]


def sessions(*shares: float) -> list[dict[str, Any]]:
    return [
        {"event_key": f"k{n}", "received_at": f"{DAY}T10:00:00.000Z", "percent_viewed": share}
        for n, share in enumerate(shares)
    ]


def manifest(dataset: str, records: list[dict[str, Any]], at: datetime) -> bronze.Manifest:
    content, steady = bronze.hashes(source(dataset), records)
    run_id = f"r{at:%d%H%M}"
    landing = bronze.landing_id(dataset, "m1", DAY, run_id)
    return bronze.Manifest(
        landing, dataset, "m1", DAY, run_id, at, True, len(records), 1, content, "", (), steady_hash=steady
    )


def read(dataset: str, *readings: list[dict[str, Any]]) -> Interval:
    """The day's interval after a reading a day."""
    found = Interval(dataset, "m1", DAY, State.PLANNED, "r0", NOW)
    for n, records in enumerate(readings):
        found = landed(found, manifest(dataset, records, NOW + timedelta(days=n)))
    return found


def test_restated_hours_do_not_hide_that_the_counts_were_confirmed() -> None:
    found = read("media_by_date", counts(30, 1.5), counts(30, 1.49), counts(30, 1.48))
    assert (found.is_confirmed, found.confirmations, found.moved_at) == (True, 2, None)
    assert found.content_hash == bronze.content_hash(source("media_by_date"), counts(30, 1.48))  # still news


@pytest.mark.parametrize("last", [counts(31, 1.5), []])
def test_counts_that_moved_are_not_confirmed_by_any_age(last: list[dict[str, Any]]) -> None:
    found = read("media_by_date", counts(30, 1.5), counts(30, 1.5), last)
    assert (found.is_confirmed, found.moved_at) == (False, NOW + timedelta(days=2))


def test_sessions_are_compared_by_all_that_is_kept_of_them() -> None:
    assert not read("events", sessions(0.2), sessions(0.3)).is_confirmed
    assert not read("events", sessions(0.2), sessions(0.2, 0.5)).is_confirmed
    assert read("events", sessions(0.2, 0.5), sessions(0.2, 0.5)).is_confirmed


def test_a_single_reading_is_never_enough_however_late_it_is() -> None:
    once = read("events", sessions(0.2))
    assert not replace(once, observed_at=NOW + timedelta(days=500)).is_confirmed


def test_an_attempt_that_is_made_again_confirms_nothing_before_another_utc_day() -> None:
    """A session that grows once a day says the same all day, and something else tomorrow."""
    found = read("events", sessions(0.2), sessions(0.3))
    for hours in (24, 25, 45):  # 02:15 on the second day, 03:15, 23:15
        found = landed(found, manifest("events", sessions(0.3), NOW + timedelta(hours=hours)))
        assert not found.is_confirmed
    assert not landed(found, manifest("events", sessions(0.4), NOW + timedelta(hours=48))).is_confirmed
    for hours in (48, 49):
        found = landed(found, manifest("events", sessions(0.3), NOW + timedelta(hours=hours)))
        assert found.confirmations == 1


def test_a_reading_of_a_day_that_was_not_over_neither_confirms_nor_moves_it() -> None:
    open_day = replace(read("events", sessions(0.2)), finished=False)
    for records in (sessions(0.2), sessions(0.9)):
        found = landed(open_day, manifest("events", records, TOMORROW))
        assert (found.confirmations, found.moved_at) == (0, None)


@pytest.mark.parametrize(("hours", "agrees"), [(1.5, True), (1.4, False)])
def test_an_interval_of_an_older_version_is_compared_by_its_whole_content(hours: float, agrees: bool) -> None:
    old = replace(read("media_by_date", counts(30, 1.5)), steady_hash="")
    found = landed(old, manifest("media_by_date", counts(30, hours), TOMORROW))
    assert (found.is_confirmed, found.moved_at) == (agrees, None)


def test_a_landing_that_says_the_same_leaves_the_one_that_silver_was_built_from() -> None:
    before = read("events", sessions(0.2))
    again = manifest("events", sessions(0.2), TOMORROW)
    assert repeats(before, again)
    found = landed(before, again, repeats=True)
    assert (found.landing_id, found.observed_at) == (before.landing_id, TOMORROW)
    assert not repeats(before, manifest("events", sessions(0.3), TOMORROW))


def test_a_landing_that_is_older_than_what_is_known_takes_nothing_back() -> None:
    before = read("events", sessions(0.2), sessions(0.3), sessions(0.3))
    found = landed(before, manifest("events", sessions(0.2), NOW - timedelta(hours=1)))
    assert found == replace(before, state=State.LANDED)
    assert found.is_confirmed


def test_a_snapshot_is_news_even_if_it_says_the_same() -> None:
    before = read("media_stats", [{"play_count": 3}])
    assert not repeats(before, manifest("media_stats", [{"play_count": 3}], TOMORROW))


@pytest.mark.parametrize("damaged", [False, True])
def test_what_a_dead_run_read_again_stays_on_the_first_landing_unless_that_is_damaged(damaged: bool) -> None:
    ledger, objects = MemoryLedger(), MemoryObjects()
    first = manifest("events", sessions(0.2), NOW)
    data = bronze.encode_lines(first.landing_id, sessions(0.2))
    key = bronze.part_key(first.landing_id, 1)
    whole = replace(first, parts=(bronze.Part(key, 1, len(data), bronze.sha256(data)),))
    objects.put(key, data[: -9 if damaged else None])
    again = manifest("events", sessions(0.2), TOMORROW)
    for found in (whole, again):
        objects.put(bronze.manifest_key(found.landing_id), bronze.encode_manifest(found))
    ledger.put_run(Run("dead", "scheduled", "live", "running", TOMORROW))
    waiting = landed(Interval("events", "m1", DAY, State.PLANNED, "dead", NOW), whole)
    ledger.record([replace(waiting, state=State.PLANNED)])
    (adopted,) = recover(ledger, objects, "me")
    assert adopted.landing_id == (again if damaged else first).landing_id
    assert adopted.is_confirmed


@pytest.mark.parametrize("is_there", [False, True])
def test_what_a_dead_run_only_confirmed_counts_if_its_landing_is_there(is_there: bool) -> None:
    ledger, objects = MemoryLedger(), MemoryObjects()
    first = replace(manifest("events", sessions(0.2), NOW), finished=False)
    if is_there:
        objects.put(bronze.manifest_key(first.landing_id), bronze.encode_manifest(first))
    for run_id in ("dead", "older"):
        again = bronze.Confirmation(
            "events", "m1", DAY, run_id, TOMORROW, first.landing_id, finished=run_id == "dead"
        )
        objects.put(*bronze.encode_confirmations([again]))
    ledger.put_run(Run("dead", "scheduled", "live", "running", TOMORROW))
    waiting = landed(Interval("events", "m1", DAY, State.PLANNED, "dead", NOW), first)
    ledger.record([replace(waiting, state=State.PLANNED)])
    (adopted,) = recover(ledger, objects, "me")
    assert (adopted.state, adopted.landing_id) == (State.LANDED, first.landing_id)
    assert (adopted.observed_at, adopted.finished) == ((TOMORROW, True) if is_there else (NOW, False))


# what a late move teaches


def moved(age: int, days_ago: int = 1, media_id: str = "m1") -> Interval:
    at = NOW - timedelta(days=days_ago)
    day = at.date() - timedelta(days=age)
    return Interval("events", media_id, day, State.PUBLISHED, "r", at, observed_at=at, moved_at=at)


def test_a_media_whose_days_move_late_is_asked_for_longer() -> None:
    found = learned([moved(5), moved(19), moved(12), moved(11, media_id="m2")], NOW, 7)
    assert found == {"m1": 19, "m2": 11}


@pytest.mark.parametrize("quiet", [moved(8), moved(19, days_ago=REMEMBERED.days + 1), moved(19, days_ago=0)])
def test_what_moves_within_the_lookback_or_moved_long_ago_or_today_teaches_nothing(quiet: Interval) -> None:
    assert learned([quiet, replace(quiet, moved_at=None)], NOW, 7) == {}


def test_there_is_a_most_that_is_learned() -> None:
    assert learned([moved(400)], NOW, 7) == {"m1": MOST_LEARNED_DAYS}
    assert learned([moved(400)], NOW, MOST_LEARNED_DAYS + 5) == {}


# settled days, read again

UTC5 = zone("UTC-5")
MEDIA = [MediaEntry("m1", date(2024, 1, 1), NOW), MediaEntry("m2", date(2024, 1, 1), NOW)]


def window(**more: Any) -> Window:
    return Window(**{"now": NOW, "tz": UTC5, "lookback_days": 7, **more})


def history(media_id: str, ages: range, certificate: str = "certified", **more: Any) -> list[Interval]:
    """Days of gold, and what they stand on, as of `NOW`."""
    found = []
    for age in ages:
        day = NOW.date() - timedelta(days=age)
        read_at = NOW - timedelta(days=max(1, age - 9))
        gold = Interval(GOLD, media_id, day, State.PUBLISHED, "r", read_at, reason=certificate)
        found.append(gold)
        for dataset, on in (("media_by_date", day), ("events", day), ("events", day + timedelta(days=1))):
            known = Interval(
                dataset, media_id, on, State.PUBLISHED, "r", read_at, landing_id="x", finished=True
            )
            found.append(replace(known, observed_at=read_at, confirmations=1, published_at=read_at, **more))
    return found


def media_days(keys: frozenset[tuple[str, str, date]]) -> set[tuple[str, date]]:
    return {(media_id, day) for dataset, media_id, day in keys if dataset == "media_by_date"}


def test_a_few_settled_days_are_read_again_others_each_day() -> None:
    known = [*history("m1", range(3, 300)), *history("m2", range(3, 300))]
    drawn = [sample(MEDIA, known, window(now=NOW + timedelta(days=n)), {}) for n in range(40)]
    assert {len(media_days(d)) for d in drawn} == {SAMPLED}
    assert all(len(d) == 3 * SAMPLED for d in drawn)  # counts, and the two UTC days of sessions
    assert len(set().union(*map(media_days, drawn))) > 80
    assert sample(MEDIA, known, window(now=NOW + timedelta(hours=9)), {}) == drawn[0]


def test_the_sample_leans_to_the_days_that_have_just_settled() -> None:
    known = history("m1", range(3, 700))
    young = [
        sum((NOW.date() + timedelta(days=n) - day).days <= 35 for _, day in media_days(drawn))
        for n in range(30)
        for drawn in [sample(MEDIA, known, window(now=NOW + timedelta(days=n)), {})]
    ]
    assert min(young) >= 2


@pytest.mark.parametrize(
    ("known", "asked"),
    [
        (history("m1", range(3, 300), PROVISIONAL), {}),
        (history("m3", range(3, 300)), {}),
        (history("m1", range(12)), {}),  # asked for anyway, or settled today
        (history("m1", range(HORIZON.days - 10, HORIZON.days)), {}),
        (history("m1", range(3, 300), missing=True), {}),
        (history("m1", range(3, 300)), {"start": DAY}),
    ],
    ids=["provisional", "not followed", "in the window", "nearly forgotten", "not at the source", "by hand"],
)
def test_nothing_else_is_read_again(known: list[Interval], asked: dict[str, Any]) -> None:
    assert sample(MEDIA, known, window(**asked), {}) == frozenset()


def test_what_was_read_today_is_not_read_again_and_nothing_takes_its_place() -> None:
    known = history("m1", range(3, 300))
    drawn = sample(MEDIA, known, window(), {})
    read_now = [replace(i, observed_at=NOW) if i.key in drawn else i for i in known]
    assert sample(MEDIA, read_now, window(now=NOW + timedelta(hours=3)), {}) == frozenset()


SPEC = RunSpec(
    "run", "scheduled", "live", "UTC-5", window(), (source("media_by_date"), source("events")), MediaChoice(("m1",))
)  # fmt: skip


FOLLOWED = [MediaEntry("m1", NOW.date() - timedelta(days=7), NOW)]


def asked(ledger: MemoryLedger, known: list[Interval], spec: RunSpec = SPEC) -> set[tuple[str, date]]:
    """The settled days, as (dataset, day), that a run reads again."""
    young = spec.window.now.date() - timedelta(days=10)
    return {
        (dataset, day)
        for f in planned(spec, ledger, FOLLOWED, LedgerView(known))
        for dataset, _, day in f.keys
        if day < young
    }


@pytest.mark.parametrize(
    ("morning", "evening"),
    [
        ({"reason": PROVISIONAL}, {}),
        ({}, {"reason": PROVISIONAL}),
        ({}, {"state": State.PLANNED, "reason": ""}),
    ],
    ids=["settles", "moves", "is withdrawn"],
)
def test_a_second_run_of_a_day_reads_no_other_settled_days_than_the_first(
    morning: dict[str, Any], evening: dict[str, Any]
) -> None:
    """Else running twice would publish what only the second run has read."""
    known = history("m1", range(3, 300))
    one = min(day for dataset, day in asked(MemoryLedger(), known) if dataset == "media_by_date")

    def as_of(told: dict[str, Any]) -> list[Interval]:
        return [replace(i, **told) if (i.dataset, i.day) == (GOLD, one) else i for i in known]

    ledger = MemoryLedger()
    read = asked(ledger, as_of(morning))
    assert len(read) == 3 * SAMPLED
    later = [replace(i, observed_at=NOW) if (i.dataset, i.day) in read else i for i in as_of(evening)]
    again = replace(SPEC, run_id="again", window=window(now=NOW + timedelta(hours=3)))
    assert asked(MemoryLedger(), later, again) - read, "a run that knows nothing of the first reads others"
    assert asked(ledger, later, again) == set()
    assert len(asked(ledger, later, replace(again, window=window(now=TOMORROW)))) == 3 * SAMPLED


def test_days_that_are_named_by_hand_leave_the_sample_of_the_day_as_it_is() -> None:
    ledger, known = MemoryLedger(), history("m1", range(3, 300))
    by_hand = replace(SPEC, window=window(start=DAY, end=DAY))
    named = {("media_by_date", DAY), ("events", DAY), ("events", DAY + timedelta(days=1))}
    assert asked(ledger, known, by_hand) == named
    assert ledger.facts(FACTS) == {}
    assert len(asked(ledger, known)) == 3 * SAMPLED
    kept = ledger.facts(FACTS)
    assert asked(ledger, known, by_hand) == named
    assert ledger.facts(FACTS) == kept


def sorted_by(known: list[Interval], run_id: str = "today") -> GoldDays:
    return gold_days(
        MEDIA, known, [], datasets=frozenset({"events", "media_by_date"}), now=NOW, tz=UTC5, lookback_days=7,
        zone_name="UTC-5", run_id=run_id,
    )  # fmt: skip


def test_a_settled_day_that_was_read_again_is_judged_again_and_no_other() -> None:
    known = history("m1", range(12, 40))
    again = NOW.date() - timedelta(days=20)
    fresh = [replace(i, run_id="today", observed_at=NOW) if i.day == again else i for i in known]
    assert sorted_by(fresh).reread == {("m1", again)}
    assert ("m1", again) in sorted_by(fresh).refresh
    assert sorted_by(known).reread == frozenset()
    failed = [replace(i, state=State.FAILED) if i.run_id == "today" else i for i in fresh]
    assert sorted_by(failed).reread == frozenset()


def test_a_certificate_stands_whatever_longer_lookback_the_media_learns() -> None:
    """Else the lake says so until it is built anew, and then no more."""
    known = history("m1", range(12, 40))
    days = {("m1", i.day) for i in known if i.dataset == GOLD}
    asked: dict[str, Any] = {
        "media": MEDIA, "pending": (), "datasets": frozenset({"events", "media_by_date"}), "now": NOW, "tz": UTC5,
        "lookback_days": 7, "zone_name": "UTC-5", "run_id": "today", "lookbacks": {"m1": 20},
    }  # fmt: skip
    anew = [
        replace(i, published_at=None) if i.dataset == GOLD else i for i in known
    ]  # as a rebuild leaves them
    over = NOW.date() - timedelta(days=2)  # at 02:15 UTC yesterday is not over in that zone
    young = {p for p in days if (over - p[1]).days <= 20 + 1}
    assert 5 < len(young) < len(days)
    for intervals in (known, anew):
        assert gold_days(intervals=intervals, **asked).past_lookback == young
    assert gold_days(intervals=known, **asked).refresh == frozenset()
    open_ = [replace(i, reason=PROVISIONAL) if i.dataset == GOLD else i for i in known]
    assert gold_days(intervals=open_, **asked).past_lookback == days - young


def test_a_day_is_confirmed_by_all_that_it_stands_on_or_not_at_all() -> None:
    known = history("m1", range(12, 16), PROVISIONAL)
    days = {i.day for i in known if i.dataset == GOLD}
    assert {day for _, day in sorted_by(known).confirmed} == days
    last = max(days)
    loose = [
        replace(i, confirmations=0) if (i.dataset, i.day) == ("events", last + timedelta(days=1)) else i
        for i in known
    ]
    assert {day for _, day in sorted_by(loose).confirmed} == days - {last}
    assert {day for _, day in sorted_by(loose).refresh} == days - {last}
