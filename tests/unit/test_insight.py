"""What is known of a number, of refused records, and of the days that prove something: over rows that stand here."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from support.memory import MemoryLedger, MemoryObjects
from support.published import Published
from wistlake import bronze
from wistlake.bronze import Manifest
from wistlake.errors import ConfigError
from wistlake.insight import quarantine
from wistlake.insight.certify import DayPage, evidence
from wistlake.insight.explain import explain, moved_sessions, revisions
from wistlake.planning.intervals import STOPPED, Interval, MediaEntry, State, Watermark
from wistlake.planning.plan import Window
from wistlake.ports import Run
from wistlake.zones import zone

NEW_YORK = zone("America/New_York")
DAY, NEXT = date(2026, 3, 1), date(2026, 3, 2)
FIRST = datetime(2026, 3, 3, 2, 15, tzinfo=UTC)
SECOND, THIRD = FIRST + timedelta(days=1), FIRST + timedelta(days=2)
HASHES = ("aaaaaaaaaaaa1111", "aaaaaaaaaaab2222", "bbbbbbbbbbbb3333")


def refused() -> Published:
    where = ("events/dt=2026-03-01/media_id=m1/run_id=r1", "events/dt=2026-03-02/media_id=m2/run_id=r2")
    return Published(
        {
            "silver.quarantine": [
                {"landing_id": where[0], "line": 2, "dataset": "events", "media_id": "m1", "dt": DAY,
                 "reason": "missing_event_key", "record_hash": HASHES[0], "record_length": 70, "observed_at": FIRST},
                {"landing_id": where[0], "line": 1, "dataset": "events", "media_id": "m1", "dt": DAY,
                 "reason": "bad_received_at", "record_hash": HASHES[1], "record_length": 71, "observed_at": FIRST},
                {"landing_id": where[1], "line": 5, "dataset": "events", "media_id": "m2", "dt": NEXT,
                 "reason": "missing_event_key", "record_hash": HASHES[2], "record_length": 72, "observed_at": FIRST},
            ]
        }
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ({}, [5, 1, 2]),
        ({"media": ("m1",)}, [1, 2]),
        ({"media": ("m1", "m2")}, [5, 1, 2]),
        ({"reason": "missing_event_key"}, [5, 2]),
        ({"media": ("m1",), "reason": "missing_event_key"}, [2]),
        ({"reason": "o'clock"}, []),
    ],
)
def test_refused_records_are_listed_newest_day_first(asked: dict[str, Any], lines: list[int]) -> None:
    rows = quarantine.listed(refused(), **asked)
    assert [r["line"] for r in rows] == lines
    assert {len(r["id"]) for r in rows} <= {12}


def test_one_refused_record_is_shown_with_what_its_reason_means_and_whether_its_source_is_there() -> None:
    query, objects = refused(), MemoryObjects()
    found = quarantine.shown(query, objects, HASHES[2][:4])
    assert (found["id"], found["media_id"], found["line"], found["record_length"]) == (
        HASHES[2][:12],
        "m2",
        5,
        72,
    )
    assert found["source"] == "expired"
    assert found["meaning"]
    objects.put(bronze.manifest_key(found["landing_id"]), b"{}")
    assert quarantine.shown(query, objects, HASHES[2])["source"] == "retained"


@pytest.mark.parametrize(
    ("record_id", "message"),
    [
        ("aaaa", "2 refused records begin with aaaa"),
        ("cccc", "no refused record begins with cccc"),
        ("a'b", "isn't an id"),
        ("", "isn't an id"),
        ("ä", "isn't an id"),
        ("%", "isn't an id"),
    ],
)
def test_an_id_that_names_none_or_several_is_refused(record_id: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        quarantine.shown(refused(), MemoryObjects(), record_id)


def test_days_that_were_stopped_are_those_whose_records_were_refused() -> None:
    ledger = MemoryLedger()
    rows = quarantine.listed(refused(), ("m1",))
    plain = Interval("events", "m1", DAY, State.LANDED, "r1", FIRST, landing_id=rows[0]["landing_id"])
    stopped = Interval(
        "events", "m1", NEXT, State.BUILT, "r1", FIRST, landing_id="elsewhere", built_signature=f"{STOPPED}x"
    )
    ledger.record([plain, stopped])
    assert stopped.is_stopped
    assert not plain.is_stopped
    assert quarantine.stopped(ledger, rows) == ()
    assert quarantine.stopped(ledger, [{"landing_id": "elsewhere"}]) == (stopped,)


def session(key: str, first: datetime, last: datetime, removed: datetime | None = None) -> dict[str, Any]:
    return {
        "event_key": key, "media_id": "m1", "event_date": DAY, "event_date_local": DAY, "first_observed_at": first,
        "observed_at": last, "removed_at": removed,
    }  # fmt: skip


def lived() -> Published:
    """A day of five sessions: one as it was, one late, one grown, one that grew late, one that went."""
    observed = [(FIRST, 9, 4, 1.5), (SECOND, 11, 4, 1.5), (THIRD, 10, 7, 1.6)]
    return Published(
        {
            "gold.fact_media_daily": [{"media_id": "m1", "date": DAY, "plays": 7, "certificate": "settled"}],
            "silver.fact_events": [
                session("a", FIRST, FIRST),
                session("b", SECOND, SECOND),
                session("c", FIRST, SECOND),
                session("d", SECOND, THIRD),
                session("e", FIRST, FIRST, THIRD),
            ],
            "silver.media_by_date_observations": [
                {"media_id": "m1", "date": DAY, "observed_at": at, "load_count": loads, "play_count": plays,
                 "hours_watched_modelled": hours}
                for at, loads, plays, hours in observed
            ],
            "ops.reconciliation": [
                {"identity": "plays", "media_id": "m1", "date": DAY, "verdict": "holds", "ours": 7.0, "theirs": 7.0}
            ],
        }
    )  # fmt: skip


def test_a_number_is_explained_by_its_sessions_readings_landings_and_runs() -> None:
    ledger, objects = MemoryLedger(), MemoryObjects()
    landing = bronze.landing_id("events", "m1", NEXT, "r2")
    manifest = Manifest(landing, "events", "m1", NEXT, "r2", SECOND, True, 5, 3, "hash", "", ())
    objects.put(bronze.manifest_key(landing), bronze.encode_manifest(manifest))
    ledger.record(
        [
            Interval("events", "m1", DAY, State.PUBLISHED, "r1", FIRST, landing_id="expired", rows=2),
            Interval("events", "m1", NEXT, State.PUBLISHED, "r2", SECOND, landing_id=landing, rows=5),
            Interval("events", "m1", date(2026, 3, 3), State.PUBLISHED, "r2", SECOND, landing_id="other"),
            Interval("media_by_date", "m1", DAY, State.PLANNED, "r2", SECOND),
            Interval("gold", "m1", DAY, State.PUBLISHED, "r3", THIRD),
        ]
    )
    for run_id, at in (("r1", FIRST), ("r2", SECOND), ("r3", THIRD)):
        ledger.put_run(Run(run_id, "scheduled", "live", "succeeded", at, at))
    found = explain(ledger, objects, lived(), "m1", DAY, NEW_YORK)
    assert (found["row"]["plays"], found["run_id"], found["snapshot_id"]) == (7, "r3", None)
    assert found["sessions"] == {"listed": 4, "removed": 1, "late": 2, "grown": 2}
    assert found["changes"] == [
        {"read_at": FIRST, "run_id": "r1", "added": 3, "grown": 0, "removed": 0},
        {"read_at": SECOND, "run_id": "r2", "added": 2, "grown": 1, "removed": 0},
        {"read_at": THIRD, "run_id": "r3", "added": 0, "grown": 1, "removed": 1},
    ]
    assert [(i["dataset"], i["day"], i["rows"], i["pages"]) for i in found["landings"]] == [
        ("events", DAY, 2, None), ("events", NEXT, 5, 3), ("media_by_date", DAY, 0, None),
    ]  # fmt: skip
    assert [(v["identity"], v["verdict"]) for v in found["verdicts"]] == [("plays", "holds")]


def test_a_row_that_is_not_there_says_why_its_landings_failed() -> None:
    ledger = MemoryLedger()
    with pytest.raises(ConfigError, match="gold has no m1 on 2026-03-02: `wistlake status` names the gaps"):
        explain(ledger, MemoryObjects(), lived(), "m1", NEXT, NEW_YORK)
    ledger.record([Interval("events", "m1", NEXT, State.FAILED, "r1", FIRST, reason="no answer")])
    ledger.record([Interval("media_by_date", "m1", NEXT, State.PLANNED, "r1", FIRST, reason="waits")])
    with pytest.raises(ConfigError, match=r"gold has no m1 on 2026-03-02: no answer$"):
        explain(ledger, MemoryObjects(), lived(), "m1", NEXT, NEW_YORK)


def test_revisions_tell_how_counts_and_sessions_moved() -> None:
    assert [(r["loads_moved"], r["plays_moved"]) for r in revisions(lived(), "m1", DAY)] == [
        (None, None), (2, 0), (-1, 3),
    ]  # fmt: skip
    assert len(revisions(lived())) == 3
    assert revisions(lived(), "m2") == revisions(lived(), "m1", NEXT) == []
    moved = {"media_id": "m1", "date": DAY, "listed": 4, "removed": 1, "late": 2, "grown": 2}
    assert moved_sessions(lived()) == moved_sessions(lived(), "m1") == [moved]
    assert moved_sessions(lived(), "m2") == []
    still = Published({"silver.fact_events": [session("a", FIRST, FIRST)]})
    assert moved_sessions(still) == []


def test_days_prove_something_where_a_scheduled_run_of_one_origin_succeeded() -> None:
    ledger = MemoryLedger()
    figures = {"intervals": [{"pages": 3, "rows": 40}, {"pages": 2, "rows": 2}]}
    for run_id, trigger, origin, status, at in (
        ("r1", "scheduled", "live", "succeeded", FIRST),
        ("r2", "scheduled", "live", "failed", SECOND),
        ("r3", "scheduled", "live", "succeeded", SECOND + timedelta(hours=1)),
        ("r4", "scheduled", "live", "succeeded", THIRD),
        ("r5", "manual", "simulated", "succeeded", THIRD + timedelta(hours=1)),
    ):
        ledger.put_run(Run(run_id, trigger, origin, status, at, at + timedelta(seconds=90)), figures)
    window = Window(THIRD, NEW_YORK, 7)
    found = evidence(ledger, lived(), window, 3)
    assert [(d.day.day, d.origin, d.run and d.run.run_id, d.pages, d.rows) for d in found.days] == [
        (3, "live", "r1", 5, 42), (4, "live", "r3", 10, 84), (5, "mixed: simulated and live", "r4", 10, 84),
    ]  # fmt: skip
    assert [d.problems for d in found.days[:2]] == [(), ()]
    assert found.days[2].problems == ("r5 was started by hand (manual)", "simulated and live runs are mixed")
    assert found.problems == ()
    assert not found.passed
    assert evidence(ledger, lived(), window, 1).days == found.days[2:]
    page = found.days[1].markdown()
    assert page.startswith("# 2026-03-04: passed (live)\n")
    for line in ("- run: r3 (scheduled, succeeded)", "- duration: 90.0 s", "- pages: 10", "- duplicates: 0"):
        assert line in page.splitlines()
    assert found.days[2].markdown().startswith("# 2026-03-05: FAILED (mixed")


def test_a_day_whose_run_was_partial_proves_nothing_and_says_why() -> None:
    ledger = MemoryLedger()
    ledger.put_run(Run("r1", "scheduled", "live", "partial", FIRST, FIRST, "m1: odd"))
    (day,) = evidence(ledger, lived(), Window(FIRST, NEW_YORK, 7), 1).days
    assert day.problems == ("the scheduled run was partial: media failed",)


def test_what_concerns_the_whole_lake_is_a_problem_of_the_evidence() -> None:
    ledger = MemoryLedger()
    assert evidence(ledger, lived(), Window(THIRD, NEW_YORK, 7), 1).problems == ("no run yet",)
    ledger.put_run(Run("r1", "scheduled", "live", "succeeded", FIRST, FIRST))
    ledger.put_media([MediaEntry("m1", DAY, FIRST)])
    ledger.record([Interval("events", "m1", DAY, State.FAILED, "r1", FIRST)])
    ledger.override(Watermark("events", "m1", DAY, FIRST, "agreed"))
    twice = Published(
        {
            "silver.fact_events": [
                session("a", FIRST, FIRST),
                session("a", FIRST, FIRST) | {"channel": "a@b.example"},
            ]
        }
    )
    found = evidence(ledger, twice, Window(FIRST, NEW_YORK, 7), 1)
    assert not found.passed
    assert [d.duplicates for d in found.days] == [1]
    assert found.problems[0].startswith("2 days are missing, the first: ")
    assert found.problems[1:3] == (
        "1 rows of silver.fact_events repeat an event_key",
        "the watermark of events m1 was overridden: agreed",
    )


def test_a_days_page_has_what_the_run_did_and_checked() -> None:
    at = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
    summary = {
        "tables": {"silver.fact_events": {"new": 12, "updated": 3}},
        "checks": {"passed": 40},
        "days_published": 2,
    }
    run = Run("run-1", "scheduled", "simulated", "succeeded", at, at + timedelta(seconds=9))
    page = DayPage(date(2026, 3, 2), "simulated", run, 4, 120, 0, (), summary).markdown()
    assert page.startswith("# 2026-03-02: passed (simulated)\n")
    assert "- duration: 9.0 s" in page
    assert "Days of gold published: 2. Checks: 40 passed." in page
    assert "| silver.fact_events | 12 | 3 | 0 | 0 |" in page
