"""What every Ledger promises."""

import contextlib
import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from ports.processes import race, worker
from support.some import some
from wistlake.adapters.local import ledger as sqlite_ledger
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.codec import decode
from wistlake.errors import ConfigError, LeaseHeld, StoreBusy, StoreError
from wistlake.planning.compacted import Compacted
from wistlake.planning.intervals import Interval, MediaEntry, State, Watermark
from wistlake.planning.labels import LabelChange, MediaLabels
from wistlake.ports import Ledger, Publication, Run, TableRef
from wistlake.quality.alert_history import Alert

NOW = datetime(2026, 11, 20, 2, 15, 0, 123456, tzinfo=UTC)
DAY = date(2026, 11, 19)
ALPHA, BETA = "alphaalpha", "betabetabe"


def interval(dataset: str = "events", media_id: str = ALPHA, day: date = DAY, **more: Any) -> Interval:
    return Interval(
        dataset, media_id, day, **{"state": State.LANDED, "run_id": "r1", "updated_at": NOW, **more}
    )


def in_columns(ledger: Ledger) -> list[Interval]:
    """The intervals as their columns have them."""
    names = [f.name for f in fields(Interval)]
    rows = [dict(zip(names, row, strict=True)) for part in ledger.interval_columns(names)
            for row in zip(*(part[name] for name in names), strict=True)]  # fmt: skip
    flags = ("finished", "missing")
    whole = (decode(Interval, row | {name: bool(row[name]) for name in flags}) for row in rows)
    return sorted(whole, key=lambda i: i.key)


FULL = interval(
    state=State.PUBLISHED,
    reason="because",
    landing_id="events/dt=2026-11-19/media_id=alphaalpha/run_id=r1",
    observed_at=NOW - timedelta(hours=1),
    content_hash="c0ffee",
    rows=17,
    finished=True,
    missing=True,
    confirmations=2,
    built_signature="5160",
    published_at=NOW + timedelta(hours=1),
    steady_hash="f00d",
    moved_at=NOW - timedelta(hours=2),
    changed_at=NOW - timedelta(hours=3),
)


class TestIntervals:
    def test_everything_comes_back(self, ledger: Ledger) -> None:
        plain = replace(
            FULL,
            day=DAY + timedelta(days=1),
            observed_at=None,
            published_at=None,
            moved_at=None,
            changed_at=None,
            missing=False,
        )
        ledger.record([plain, FULL])
        assert ledger.intervals() == [FULL, plain]
        assert type(ledger.intervals()[0].finished) is bool
        assert in_columns(ledger) == [FULL, plain]
        assert {frozenset(part) for part in ledger.interval_columns(["day", "rows"])} == {
            frozenset(("day", "rows"))
        }

    def test_the_example_leaves_no_field_at_its_default(self) -> None:
        assert [f.name for f in fields(Interval) if getattr(FULL, f.name) == f.default] == []

    def test_recording_replaces_by_key(self, ledger: Ledger) -> None:
        ledger.record([interval(), interval(day=DAY - timedelta(days=1))])
        ledger.record([interval(state=State.FAILED, reason="timed out")])
        assert [i.reason for i in ledger.intervals()] == ["", "timed out"]

    def test_the_last_of_a_key_within_one_call_wins(self, ledger: Ledger) -> None:
        ledger.record([interval(rows=1), interval(rows=2)])
        assert [i.rows for i in ledger.intervals()] == [2]

    def test_filters(self, ledger: Ledger) -> None:
        everything = [
            interval(dataset, media_id, DAY - timedelta(days=n))
            for dataset in ("events", "media_by_date")
            for media_id in (ALPHA, BETA)
            for n in range(4)
        ]
        ledger.record(random.Random(1).sample(everything, len(everything)))
        ordered = sorted(everything, key=lambda i: i.key)
        first, last = DAY - timedelta(days=2), DAY - timedelta(days=1)
        for dataset in (None, "events", "unheard"):
            for media_id in (None, BETA):
                for start in (None, first):
                    for end in (None, last):
                        assert ledger.intervals(dataset, media_id, start, end) == [
                            i
                            for i in ordered
                            if dataset in (None, i.dataset)
                            and media_id in (None, i.media_id)
                            and (start is None or i.day >= start)
                            and (end is None or i.day <= end)
                        ]

    def test_a_generator_that_fails_writes_nothing(self, ledger: Ledger) -> None:
        def failing() -> Iterator[Interval]:
            yield interval()
            raise RuntimeError("no more")

        with pytest.raises(RuntimeError):
            ledger.record(failing())
        assert ledger.intervals() == []

    def test_nothing_is_recorded_of_nothing(self, ledger: Ledger) -> None:
        ledger.record([])
        ledger.put_media([])
        assert ledger.intervals() == in_columns(ledger) == []


class TestCompacted:
    """Old days that nobody asks about: known at a glance, and readable by themselves."""

    def days(self, count: int = 40, media_id: str = ALPHA, **more: Any) -> list[Interval]:
        """Days over two months, of two datasets."""
        return [
            replace(FULL, media_id=media_id, dataset=dataset, day=DAY - timedelta(days=n), **more)
            for dataset in ("events", "gold")
            for n in reversed(range(count))
        ]

    def known(self, media_id: str = ALPHA) -> Compacted:
        return Compacted(
            media_id,
            days={"events": ((date(2026, 9, 1), DAY),)},
            built={"events": "b1"},
            months={"2026-10": NOW, "2026-11": None},
            certificates={"final": ((DAY, DAY),)},
            moved=((DAY, NOW),),
            changed_at=NOW,
            rows=(1, -1),
            read_at=(5, 0),
        )

    def test_they_are_open_no_more_and_read_as_before(self, ledger: Ledger) -> None:
        everything, open_ = self.days(), [interval(media_id=BETA), interval("gold", BETA)]
        ledger.record([*everything, *open_])
        assert ledger.open_intervals() == sorted([*everything, *open_], key=lambda i: i.key)
        ledger.compact([(self.known(), everything)])
        assert ledger.open_intervals() == open_
        assert ledger.open_intervals([BETA]) == open_
        assert ledger.open_intervals([ALPHA, "unheard"]) == ledger.open_intervals([]) == []
        assert ledger.intervals(media_id=ALPHA) == everything
        assert ledger.intervals() == sorted([*everything, *open_], key=lambda i: i.key) == in_columns(ledger)
        first = DAY - timedelta(days=30)
        assert ledger.intervals("gold", ALPHA, first, first) == [
            i for i in everything if i.key == ("gold", ALPHA, first)
        ]
        assert ledger.intervals(media_id=ALPHA, start=first) == [i for i in everything if i.day >= first]

    def test_what_is_known_of_them_comes_back(self, ledger: Ledger) -> None:
        assert ledger.compacted() == {}
        ledger.compact([(self.known(), [])])
        ledger.compact([(self.known(BETA), [])])
        assert ledger.compacted() == {ALPHA: self.known(), BETA: self.known(BETA)}
        assert ledger.compacted([BETA, "unheard"]) == {BETA: self.known(BETA)}
        ledger.compact([(replace(self.known(), rows=(7,)), [])])
        assert ledger.compacted([ALPHA])[ALPHA].rows == (7,)

    def test_one_that_is_recorded_anew_is_open(self, ledger: Ledger) -> None:
        everything = self.days()
        ledger.record(everything)
        ledger.compact([(self.known(), everything)])
        anew = replace(everything[3], state=State.PLANNED, run_id="r2")
        ledger.record([anew])
        assert ledger.open_intervals() == [anew]
        assert (
            ledger.intervals(media_id=ALPHA) == [*everything[:3], anew, *everything[4:]] == in_columns(ledger)
        )
        ledger.compact([(self.known(), [anew])])
        assert ledger.open_intervals() == []
        assert ledger.intervals("events", ALPHA)[3] == anew

    def test_one_that_somebody_recorded_meanwhile_stays_open(self, ledger: Ledger) -> None:
        everything = self.days(3)
        ledger.record(everything)
        anew = replace(everything[1], state=State.FAILED, run_id="r2")
        ledger.record([anew])
        with contextlib.suppress(StoreBusy):
            ledger.compact([(self.known(), everything)])
        assert anew in ledger.open_intervals()
        assert ledger.intervals(media_id=ALPHA) == [everything[0], anew, *everything[2:]]

    def test_more_than_one_write_holds(self, ledger: Ledger) -> None:
        many = [replace(i, dataset=f"{i.dataset}{n}") for i in self.days(31) for n in range(6)]
        ledger.record(many)
        ledger.compact([(self.known(), many)])
        assert ledger.open_intervals() == []
        assert ledger.intervals() == sorted(many, key=lambda i: i.key)


class TestWatermarks:
    def mark(self, day: date, reason: str = "", media_id: str = ALPHA, dataset: str = "events") -> Watermark:
        return Watermark(dataset, media_id, day, NOW, reason)

    def test_only_forward(self, ledger: Ledger) -> None:
        assert ledger.watermarks() == []
        assert ledger.advance([self.mark(DAY)]) == [self.mark(DAY)]
        assert ledger.advance([self.mark(DAY)]) == []
        assert ledger.advance([self.mark(DAY - timedelta(days=1))]) == []
        assert ledger.watermarks() == [self.mark(DAY)]
        assert ledger.advance([self.mark(DAY + timedelta(days=1))])
        assert [w.last_date for w in ledger.watermarks()] == [DAY + timedelta(days=1)]

    def test_each_dataset_and_media_has_its_own(self, ledger: Ledger) -> None:
        marks = [self.mark(DAY, "", m, d) for d in ("media_by_date", "events") for m in (BETA, ALPHA)]
        assert sorted(ledger.advance(marks), key=marks.index) == marks
        assert ledger.watermarks() == marks[::-1]

    def test_of_many_those_move_that_are_later(self, ledger: Ledger) -> None:
        """Also where one transaction holds them all, and one of them is not."""
        ids = [f"media{n:05}" for n in range(230)]
        ledger.advance([self.mark(DAY, "", ids[n]) for n in (0, 120)])
        later = [self.mark(DAY, "", m) for m in ids]
        assert [w.media_id for w in ledger.advance(later)] == [m for m in ids if m not in (ids[0], ids[120])]
        assert ledger.watermarks() == later
        assert ledger.advance(later) == []
        assert ledger.advance([]) == []

    @pytest.mark.parametrize("reason", ["", "  \n"])
    def test_an_override_needs_a_reason(self, ledger: Ledger, reason: str) -> None:
        ledger.advance([self.mark(DAY)])
        with pytest.raises(ConfigError, match=r"alphaalpha.*say why"):
            ledger.override(self.mark(date(2026, 1, 1), reason))
        assert ledger.watermarks() == [self.mark(DAY)]

    def test_an_override_may_go_back_and_the_next_advance_goes_on_from_there(self, ledger: Ledger) -> None:
        ledger.advance([self.mark(DAY)])
        back = self.mark(date(2026, 1, 1), "restated by Wistia")
        ledger.override(back)
        assert ledger.watermarks() == [back]
        assert ledger.advance([self.mark(date(2026, 1, 2))])
        assert ledger.watermarks() == [self.mark(date(2026, 1, 2))]

    def test_the_greatest_of_many_threads_stays(self, ledger: Ledger) -> None:
        offers = [DAY + timedelta(days=n) for n in range(40)] * 2
        random.Random(2).shuffle(offers)
        moved: list[date] = []
        seen: list[list[date]] = [[] for _ in range(8)]

        def offer(mine: list[date], stored: list[date]) -> None:
            for day in mine:
                if ledger.advance([self.mark(day)]):
                    moved.append(day)
                stored.append(ledger.watermarks()[0].last_date)

        threads = [threading.Thread(target=offer, args=(offers[n::8], seen[n])) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert ledger.watermarks()[0].last_date == max(offers)
        assert len(set(moved)) == len(moved)  # no day was the step of two threads
        assert all(stored and stored == sorted(stored) for stored in some(seen))  # nobody saw it go back


class TestMedia:
    def test_everything_comes_back_by_id(self, ledger: Ledger) -> None:
        entries = [
            MediaEntry(BETA, DAY, NOW, NOW + timedelta(days=3), "deleted in Wistia"),
            MediaEntry(ALPHA, DAY, NOW),
        ]
        ledger.put_media(entries)
        assert ledger.media() == entries[::-1]
        ledger.put_media([replace(entries[0], retired_at=None, reason="")])
        assert ledger.media() == [entries[1], MediaEntry(BETA, DAY, NOW)]


class TestAlerts:
    ALERT = Alert(
        "Plays fell", ALPHA, DAY, "drop", "plays", DAY + timedelta(days=2), 3, 12.0, 40.25, True, NOW,
        NOW + timedelta(days=1),
    )  # fmt: skip

    def test_everything_comes_back_by_day_rule_and_subject(self, ledger: Ledger) -> None:
        earlier = replace(self.ALERT, day=DAY - timedelta(days=1), rule="ज़्यादा #1")
        other = replace(self.ALERT, subject="campaign=Frühling 🌷", withdrawn_at=None, early=False)
        ledger.put_alerts([other, self.ALERT, earlier])
        assert ledger.alerts() == [earlier, self.ALERT, other]
        assert [type(a.early) for a in ledger.alerts()] == [bool, bool, bool]

    def test_an_alert_replaces_that_of_its_day_rule_and_subject(self, ledger: Ledger) -> None:
        ledger.put_alerts([self.ALERT])
        ledger.put_alerts([replace(self.ALERT, value=3.0, withdrawn_at=None)])
        assert [(a.value, a.stands) for a in ledger.alerts()] == [(3.0, True)]
        ledger.put_alerts([])
        assert len(ledger.alerts()) == 1


class TestLabels:
    def test_everything_comes_back_by_id_with_its_history(self, ledger: Ledger) -> None:
        first = LabelChange("campaign", "Frühling 🌷 अभियान", NOW, "ada")
        cleared = LabelChange("campaign", "", NOW + timedelta(days=1))
        entries = [MediaLabels(BETA, (first, cleared)), MediaLabels(ALPHA, (first,))]
        ledger.put_labels(entries)
        assert ledger.labels() == entries[::-1]
        ledger.put_labels([replace(entries[1], changes=())])
        assert ledger.labels() == [MediaLabels(ALPHA), entries[0]]
        assert ledger.media() == []

    def test_a_generator_that_fails_writes_nothing(self, ledger: Ledger) -> None:
        def failing() -> Iterator[MediaLabels]:
            yield MediaLabels(ALPHA)
            raise RuntimeError("no more")

        with pytest.raises(RuntimeError):
            ledger.put_labels(failing())
        assert ledger.labels() == []


class TestRuns:
    def run(self, run_id: str, hours: float = 0, **more: Any) -> Run:
        started = NOW + timedelta(hours=hours)
        return Run(
            run_id, **{"trigger": "manual", "origin": "live", "status": "running", **more}, started_at=started
        )

    def test_newest_first(self, ledger: Ledger) -> None:
        for run in (self.run("b", 1), self.run("a", 2), self.run("c", 1), self.run("d", -1)):
            ledger.put_run(run)
        assert [run.run_id for run in ledger.runs()] == ["a", "c", "b", "d"]
        assert [run.run_id for run in ledger.runs(limit=2)] == ["a", "c"]

    def test_zones_do_not_matter_to_the_order(self, ledger: Ledger) -> None:
        east = NOW.astimezone(timezone(timedelta(hours=9)))
        ledger.put_run(replace(self.run("later"), started_at=NOW + timedelta(minutes=1)))
        ledger.put_run(replace(self.run("earlier"), started_at=east))
        assert [run.run_id for run in ledger.runs()] == ["later", "earlier"]
        assert ledger.runs()[1].started_at == NOW

    def test_a_run_is_replaced_when_it_ends(self, ledger: Ledger) -> None:
        ledger.put_run(self.run("a"))
        ended = self.run(
            "a",
            status="failed",
            ended_at=NOW + timedelta(hours=1),
            error="SourceUnavailable: 503",
        )
        ledger.put_run(ended)
        assert ledger.runs() == [ended]

    def test_a_summary_is_kept_as_json(self, ledger: Ledger) -> None:
        summary: dict[str, Any] = {
            "days": (1, 2),
            "proxy": MappingProxyType({"a": 1}),
            "name": "é",
            "x": None,
        }
        ledger.put_run(self.run("a"), summary)
        summary["days"] = "changed afterwards"
        ledger.put_run(self.run("b"))
        assert ledger.summary(self.run("a")) == {"days": [1, 2], "proxy": {"a": 1}, "name": "é", "x": None}
        assert ledger.summary(self.run("b")) == ledger.summary(self.run("unheard")) == {}

    def test_a_summary_stays_until_another_is_given(self, ledger: Ledger) -> None:
        ledger.put_run(self.run("a"), {"rows": 1})
        ledger.put_run(self.run("a", status="failed"))
        assert ledger.summary(self.run("a")) == {"rows": 1}
        ledger.put_run(self.run("a", status="failed"), {})
        assert ledger.summary(self.run("a")) == {}

    def test_what_json_cannot_hold_is_refused(self, ledger: Ledger) -> None:
        with pytest.raises((TypeError, ValueError)):
            ledger.put_run(self.run("a"), {"at": object()})
        assert ledger.runs() == []


class TestPublications:
    def test_readers_follow_the_last_one(self, ledger: Ledger) -> None:
        assert ledger.publication() is None
        tables = {"gold.dim_media": TableRef("s3://x/1.json", 17), "gold.geo_daily": TableRef("y", None)}
        first = Publication("r1", NOW, tables)
        ledger.publish(first)
        assert ledger.publication() == first
        again = Publication("r0", NOW - timedelta(days=1), {})  # a rollback is the newest publication too
        ledger.publish(again)
        assert ledger.publication() == again

    def test_a_second_try_adds_no_second_one(self, ledger: Ledger) -> None:
        first = Publication("r1", NOW, {"gold.x": TableRef("s3://x", 1)})
        moved = replace(first, tables={"gold.x": TableRef("s3://x", 2)})
        for publication in (first, first, moved, replace(moved, run_id="r2"), first):
            ledger.publish(publication)
        found = ledger.publications(NOW - timedelta(days=1))
        assert [(p.run_id, p.tables["gold.x"].snapshot_id) for p in found] == [
            ("r1", 1), ("r2", 2), ("r1", 2), ("r1", 1),
        ]  # fmt: skip

    def test_publications_that_readers_may_still_follow(self, ledger: Ledger) -> None:
        moments = [NOW + timedelta(hours=n) for n in range(4)]
        for n, moment in enumerate(moments):
            ledger.publish(Publication(f"r{n}", moment, {"gold.x": TableRef("s3://x", n)}))
        assert [p.run_id for p in ledger.publications(moments[2] + timedelta(minutes=1))] == ["r3", "r2"]
        assert [p.run_id for p in ledger.publications(NOW - timedelta(days=1))] == ["r3", "r2", "r1", "r0"]

    def test_a_table_of_the_caller_may_change_afterwards(self, ledger: Ledger) -> None:
        tables = {"gold.dim_media": TableRef("x", 17)}
        ledger.publish(Publication("r1", NOW, tables))
        tables.clear()
        published = ledger.publication()
        assert published
        assert published.tables == {"gold.dim_media": TableRef("x", 17)}


class TestFacts:
    def test_documents_by_name(self, ledger: Ledger) -> None:
        assert ledger.facts("lake") == {}
        ledger.put_facts("lake", {"layout": 1, "zone": "America/New_York"})
        ledger.put_facts("drift", {"events": ["new_key"]})
        ledger.put_facts("lake", {"layout": 2})
        assert ledger.facts("lake") == {"layout": 2}
        assert ledger.facts("drift") == {"events": ["new_key"]}


class TestLease:
    def test_the_second_one_learns_who_and_since_when(self, ledger: Ledger) -> None:
        with ledger.lease("lake", "run r1 on host", NOW, 900) as lease:
            assert (lease.name, lease.owner, lease.since) == ("lake", "run r1 on host", NOW)
            with (
                pytest.raises(LeaseHeld, match=r"run r1 on host.*2026-11-20T02:15"),
                ledger.lease("lake", "r2", NOW + timedelta(seconds=5), 900),
            ):
                pytest.fail("two held one lease")

    def test_it_is_free_after_the_block_and_after_an_error(self, ledger: Ledger) -> None:
        tokens = []

        def hold(*, fail: bool) -> None:
            with ledger.lease("lake", "r1", NOW, 900) as lease:
                tokens.append(lease.token)
                if fail:
                    raise KeyboardInterrupt

        hold(fail=False)
        with pytest.raises(KeyboardInterrupt):
            hold(fail=True)
        hold(fail=False)
        assert len(tokens) == 3
        assert tokens == sorted(set(tokens))

    def test_names_do_not_meet(self, ledger: Ledger) -> None:
        with ledger.lease("lake", "r1", NOW, 900), ledger.lease("report", "r1", NOW, 900) as other:
            assert other.name == "report"

    def test_one_of_many_threads_holds_it(self, ledger: Ledger) -> None:
        start, attempts = threading.Barrier(6), threading.Barrier(6)
        outcomes: list[str] = []

        def take(owner: str) -> None:
            start.wait(30)
            try:
                with ledger.lease("lake", owner, NOW, 900):
                    outcomes.append("held")
                    attempts.wait(30)
            except LeaseHeld:
                outcomes.append("refused")
                attempts.wait(30)

        threads = [threading.Thread(target=take, args=(f"r{n}",)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(outcomes) == ["held"] + ["refused"] * 5


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lake" / "ledger.db"


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
class TestSqliteProcesses:
    def test_the_lease_dies_with_its_process(self, path: Path) -> None:
        ledger = SqliteLedger(path)
        with worker("hold_lease", path, "the other process") as holder:
            assert holder.stdout
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(LeaseHeld, match="the other process"), ledger.lease("lake", "me", NOW, 900):
                pass
            holder.send_signal(signal.SIGKILL)
            holder.wait(30)
            with ledger.lease("lake", "me", NOW, 900) as lease:
                assert lease.token == 2

    def test_watermarks_race_forward_only(self, path: Path) -> None:
        SqliteLedger(path).close()
        race("advance", path, ["0", "1", "2"])
        assert [w.last_date for w in SqliteLedger(path).watermarks()] == [date(2026, 11, 28)]

    def test_a_killed_writer_leaves_whole_batches(self, path: Path) -> None:
        reader = SqliteLedger(path)
        with worker("record_forever", path, "run") as writer:
            assert writer.stdout
            assert writer.stdout.readline() == "ready\n"
            ends = time.monotonic() + 30
            while not reader.intervals() and time.monotonic() < ends:
                pass
            writer.send_signal(signal.SIGKILL)
            writer.wait(30)
        kept = reader.intervals()
        assert len(kept) == 100
        assert len({i.run_id for i in kept}) == 1

    def test_many_may_create_it_at_once(self, path: Path) -> None:
        race("advance", path, ["0", "1", "2"])
        assert [p.name for p in some(path.parent.iterdir()) if p.name.startswith(".")] == []
        assert len(SqliteLedger(path).watermarks()) == 1


class TestSqliteFile:
    """What only a file can get wrong. Damage is told; nothing ever starts afresh."""

    def test_it_outlives_the_process(self, path: Path) -> None:
        first = SqliteLedger(path)
        first.record([FULL])
        first.close()
        assert SqliteLedger(path).intervals() == [FULL]

    @pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")
    def test_nobody_else_may_read(self, path: Path) -> None:
        ledger = SqliteLedger(path)
        with ledger.lease("lake", "r1", NOW, 900):
            ledger.record([FULL])
            assert {p.stat().st_mode & 0o777 for p in path.parent.iterdir()} == {0o600}
        assert path.parent.stat().st_mode & 0o777 == 0o700

    def test_a_reader_looks_on_while_a_writer_works(self, path: Path) -> None:
        writer = SqliteLedger(path)
        writer.record([FULL])
        reader = SqliteLedger(path, read_only=True)
        with writer._database.writing() as connection:
            connection.execute("DELETE FROM intervals")
            assert reader.intervals() == [FULL]
        assert reader.intervals() == []
        with pytest.raises(StoreError, match="read-only"):
            reader.record([FULL])

    def test_a_reader_creates_nothing(self, path: Path) -> None:
        with pytest.raises(StoreError, match="wistlake run"):
            SqliteLedger(path, read_only=True)
        assert not path.parent.exists()

    @pytest.mark.parametrize("damage", ["garbage", "empty", "foreign", "gone"])
    @pytest.mark.parametrize("read_only", [False, True])
    def test_damage_is_told_and_left_alone(self, path: Path, damage: str, *, read_only: bool) -> None:
        path.parent.mkdir()

        def create_foreign() -> None:
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("CREATE TABLE t (x)")

        harm: dict[str, Callable[[], object]] = {
            "garbage": lambda: path.write_bytes(b"not a database, " * 500),
            "empty": lambda: path.write_bytes(b""),
            "foreign": create_foreign,
            "gone": lambda: path.with_name("ledger.db-wal").write_bytes(b"left over"),
        }
        harm[damage]()
        before = {p.name: p.read_bytes() for p in path.parent.iterdir()}
        with pytest.raises(StoreError, match=r"ledger\.db"):
            SqliteLedger(path, read_only=read_only)
        assert {p.name: p.read_bytes() for p in path.parent.iterdir()} == before

    def test_half_a_file_is_told(self, path: Path) -> None:
        ledger = SqliteLedger(path)
        ledger.record(interval(day=DAY - timedelta(days=n)) for n in range(3000))
        ledger.close()
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 // 4096 * 4096])
        with pytest.raises(StoreError, match=r"damaged.*restore it from a backup"):
            SqliteLedger(path).intervals()

    @pytest.mark.parametrize(
        ("column", "value"), [("day", "yesterday"), ("state", "dubious"), ("updated_at", "")]
    )
    def test_a_row_that_is_none_is_told(self, path: Path, column: str, value: str) -> None:
        ledger = SqliteLedger(path)
        ledger.record([FULL])
        with ledger._database.writing() as connection:
            connection.execute(f"UPDATE intervals SET {column} = ?", (value,))
        with pytest.raises(StoreError, match="never wrote"):
            ledger.intervals()

    @pytest.mark.parametrize(
        "tables", ['{"a": [1, "x"]}', '{"a": ["/x", "1"]}', '{"a": 1}', "[]", '"x"', "{"]
    )
    def test_a_publication_that_is_none_is_told(self, path: Path, tables: str) -> None:
        ledger = SqliteLedger(path)
        ledger.publish(Publication("r1", NOW, {"a": TableRef("/x", 1)}))
        with ledger._database.writing() as connection:
            connection.execute("UPDATE publications SET tables = ?", (tables,))
        with pytest.raises(StoreError, match="never wrote"):
            ledger.publication()

    def test_a_newer_schema_asks_for_a_newer_wistlake(self, path: Path) -> None:
        ledger = SqliteLedger(path)
        with ledger._database.writing() as connection:
            connection.execute("PRAGMA user_version = 99")
        with pytest.raises(ConfigError, match="upgrade wistlake"):
            SqliteLedger(path)

    def test_an_older_schema_is_upgraded_in_place(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        SqliteLedger(path).put_facts("lake", {"layout": 1})
        newer = (*sqlite_ledger.UPGRADES, ("CREATE TABLE extra (x)", "INSERT INTO extra VALUES (1)"))
        monkeypatch.setattr(sqlite_ledger, "UPGRADES", newer)
        with pytest.raises(ConfigError, match="upgrades it"):
            SqliteLedger(path, read_only=True)
        upgraded = SqliteLedger(path)
        assert upgraded.facts("lake") == {"layout": 1}
        assert SqliteLedger(path, read_only=True).facts("lake") == {"layout": 1}
        assert upgraded._database.rows("SELECT x FROM extra", (), tuple) == [(1,)]

    def test_rows_of_the_first_schema_are_read(self, path: Path) -> None:
        path.parent.mkdir()
        moment = "2026-11-20T02:15:00.123456+00:00"
        with closing(sqlite3.connect(path)) as connection, connection:
            for statement in sqlite_ledger.UPGRADES[0]:
                connection.execute(statement)
            connection.execute(
                "INSERT INTO intervals VALUES ('events', 'm', '2026-11-19', 'landed', 'r1', ?, '', 'l', ?, 'c0', 3,"
                " 1, 0, 2, '', NULL)",
                (moment, moment),
            )
            connection.execute(
                "INSERT INTO watermarks VALUES ('events', 'm', '2026-11-19', ?, '')", (moment,)
            )
            connection.execute("INSERT INTO media VALUES ('m', '2026-11-19', ?, NULL, '')", (moment,))
            connection.execute(
                "INSERT INTO runs VALUES ('r1', 'manual', 'live', 'running', ?, NULL, '', '{\"rows\": 3}')",
                (moment,),
            )
            connection.execute(
                'INSERT INTO publications VALUES (1, \'r1\', ?, \'{"gold.x": ["a", 7], "gold.y": ["b", null]}\')',
                (moment,),
            )
            connection.execute("PRAGMA user_version = 1")
        ledger = SqliteLedger(path)
        assert ledger.intervals() == [
            Interval(
                "events",
                "m",
                DAY,
                State.LANDED,
                "r1",
                NOW,
                "",
                "l",
                NOW,
                "c0",
                3,
                finished=True,
                confirmations=2,
            )
        ]
        assert ledger.watermarks() == [Watermark("events", "m", DAY, NOW)]
        assert ledger.media() == [MediaEntry("m", DAY, NOW)]
        assert ledger.runs() == [Run("r1", "manual", "live", "running", NOW)]
        assert ledger.summary(ledger.runs()[0]) == {"rows": 3}
        assert ledger.open_intervals() == ledger.intervals()
        assert ledger.compacted() == {}
        tables = {"gold.x": TableRef("a", 7), "gold.y": TableRef("b", None)}
        assert ledger.publication() == Publication("r1", NOW, tables)

    def test_a_failed_upgrade_changes_nothing(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        SqliteLedger(path).put_facts("lake", {"layout": 1})
        broken = (*sqlite_ledger.UPGRADES, ("CREATE TABLE extra (x)", "INSERT INTO nowhere VALUES (1)"))
        monkeypatch.setattr(sqlite_ledger, "UPGRADES", broken)
        with pytest.raises(StoreError):
            SqliteLedger(path)
        monkeypatch.undo()
        tables = SqliteLedger(path)._database.rows("SELECT name FROM sqlite_master", (), tuple)
        assert ("extra",) not in tables

    @pytest.mark.parametrize(
        ("table", "kind", "more"),
        [
            ("intervals", Interval, {"compacted"}),
            ("watermarks", Watermark, set()),
            ("media", MediaEntry, set()),
            ("labels", MediaLabels, set()),
            ("alerts", Alert, set()),
            ("runs", Run, {"summary"}),
        ],
    )
    def test_columns_are_the_fields(self, path: Path, table: str, kind: Any, more: set[str]) -> None:
        columns = SqliteLedger(path)._database.rows(f"PRAGMA table_info({table})", (), lambda row: row[1])
        assert set(columns) == {f.name for f in fields(kind)} | more

    @pytest.mark.parametrize(
        "filters",
        [
            {"dataset": "events"},
            {"media_id": ALPHA},
            {"start": DAY},
            {"end": DAY},
            {"dataset": "events", "media_id": ALPHA, "start": DAY},
            {"media_id": ALPHA, "end": DAY},
        ],
    )
    def test_every_filter_uses_an_index(self, path: Path, filters: dict[str, Any]) -> None:
        ledger = SqliteLedger(path)
        asked: list[str] = []
        ledger._database._connection.set_trace_callback(asked.append)
        ledger.intervals(**filters)
        ledger._database._connection.set_trace_callback(None)
        plan = ledger._database.rows(f"EXPLAIN QUERY PLAN {asked[-1]}", (), lambda row: row[3])
        assert not [step for step in some(plan) if step.startswith("SCAN")], plan

    @pytest.mark.parametrize("media_ids", [None, [ALPHA]])
    def test_open_ones_are_read_from_their_index_alone(self, path: Path, media_ids: list[str] | None) -> None:
        ledger = SqliteLedger(path)
        asked: list[str] = []
        ledger._database._connection.set_trace_callback(asked.append)
        ledger.open_intervals(media_ids)
        ledger._database._connection.set_trace_callback(None)
        plan = ledger._database.rows(f"EXPLAIN QUERY PLAN {asked[-1]}", (), lambda row: row[3])
        assert [step for step in plan if "intervals" in step] == [
            "SCAN intervals USING INDEX open_intervals"
        ], plan

    def test_a_lease_has_a_plain_name(self, path: Path) -> None:
        with (
            pytest.raises(StoreError, match="isn't a name of a lease"),
            SqliteLedger(path).lease("../x", "r1", NOW, 9),
        ):
            pass
