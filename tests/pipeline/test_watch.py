"""Alerts over published tables: figures by the metric layer, told once, taken back once, and never a failed run."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Barrier, Lock, get_ident
from typing import Any

import pytest
from structlog.testing import capture_logs

from dashboard.published import Published, days
from support.memory import MemoryLedger, RecordingNotifier
from wistlake.alert_rules import Kind, Rule
from wistlake.errors import StoreError
from wistlake.pipeline.jobs.watch import MOST_LINES, evaluation, watch_after_run, watch_now
from wistlake.quality.alert_history import EVERYTHING

NOW = datetime(2026, 6, 1, 2, 15, tzinfo=UTC)
FIRST = date(2026, 2, 2)
M, N = "abc123def4", "xyz987uvw6"
DROP = Rule("fell", Kind.DROP)
LENGTH = 100
LAST = FIRST + timedelta(days=LENGTH - 1)


def usual(mean: int, last: int | None = None) -> list[int]:
    counts = [mean + (n * n) % 7 if n % 7 < 5 else mean // 2 for n in range(LENGTH)]
    return counts if last is None else [*counts[:-1], last]


def lake(*media: tuple[str, Sequence[int]], certificate: str = "settled", **tables: Any) -> Published:
    rows = [row for media_id, plays in media for row in days(media_id, FIRST, plays, certificate=certificate)]
    titles = [{"media_id": m, "title": f"Film {m[0]}"} for m, _ in media]
    return Published({"gold.fact_media_daily": rows, "silver.dim_media": titles, **tables})


class World:
    """A ledger and people, and what an evaluation tells them."""

    def __init__(self) -> None:
        self.ledger, self.people = MemoryLedger(), RecordingNotifier()

    def tell(self, query: Published, *rules: Rule) -> list[str]:
        """Evaluate; the lines that people got."""
        before = len(self.people.notices)
        watch_now(rules or (DROP,), lambda: query, self.ledger, self.people, NOW)
        return [line for n in self.people.notices[before:] for line in n.text.split("\n")]


@pytest.fixture
def world() -> World:
    return World()


def test_it_is_told_once_and_taken_back_once(world: World) -> None:
    fell = lake((M, usual(100, 10)), (N, usual(100)))
    (line,) = world.tell(fell)
    assert line == f"fell: Film a: 10 plays on {LAST}, about 101 are usual (−90 %)"
    assert world.people.notices[0].title == "wistlake alerts: 1 new"
    assert world.people.notices[0].failed
    assert world.tell(fell) == []
    restated = lake((M, usual(100)), (N, usual(100)))
    (line,) = world.tell(restated)
    assert line.startswith(f"fell: withdrawn, Film a on {LAST}")
    assert world.people.notices[1].title == "wistlake alerts: 1 withdrawn"
    assert not world.people.notices[1].failed
    assert world.tell(restated) == []
    (kept,) = world.ledger.alerts()
    assert (kept.subject, kept.day, kept.withdrawn_at) == (M, LAST, NOW)


def test_rules_that_are_read_at_once_are_told_in_their_order() -> None:
    """Where several threads may ask: four rules wait for each other, and a fifth comes after them."""
    query = lake((M, usual(100, 10)), (N, usual(100, 10)))
    rules = [replace(DROP, name=f"fell {n}") for n in range(5)]
    asked, alone, together = Counter[int](), Lock(), Barrier(4, timeout=60)

    class Slow:
        def sql(self, text: str) -> Any:
            if text.startswith("SELECT media_id, date, certificate"):
                asked[get_ident()] += 1
                if sum(asked.values()) <= 4:
                    together.wait()
            with alone:
                return query.sql(text)

    found = evaluation(rules, Slow(), (), NOW, at_once=4)
    assert len(asked) == 4
    assert found == evaluation(rules, query, (), NOW)
    assert [(a.rule, a.subject) for a in found.changes.new] == [(r.name, m) for r in rules for m in (M, N)]


def test_the_first_rule_that_fails_is_what_is_told() -> None:
    query = lake((M, usual(100)))

    class Away:
        def sql(self, text: str) -> Any:
            if "certificate" in text:
                raise StoreError("Athena is away")
            return query.sql(text)

    with pytest.raises(StoreError, match="Athena is away"):
        evaluation([DROP], Away(), (), NOW, at_once=4)


def test_what_nobody_took_is_told_again_until_somebody_does(world: World) -> None:
    class Down(RecordingNotifier):
        def notify(self, notice: Any) -> bool:
            super().notify(notice)
            return False

    fell = lake((M, usual(100, 10)), (N, usual(100)))
    taken, world.people = world.people, Down()
    assert len(world.tell(fell)) == len(world.tell(fell)) == 1
    world.people = taken
    (line,) = world.tell(fell)
    assert line.startswith("fell: Film a")
    assert world.tell(fell) == []
    assert len(world.ledger.alerts()) == 1


def test_alerts_of_rules_that_are_gone_or_ask_something_else_stand_no_more(world: World) -> None:
    query = lake((M, usual(100, 10)))
    goal = Rule("sale", Kind.GOAL, goal=100.0, every="month")
    world.tell(query, DROP, goal)
    history = world.ledger.alerts()
    assert {a.rule for a in evaluation((DROP, goal), query, history, NOW).standing(history)} == {
        "fell",
        "sale",
    }
    assert [a.rule for a in evaluation((DROP,), query, history, NOW).standing(history)] == ["fell"]
    assert evaluation((), query, history, NOW).standing(history) == []
    assert world.tell(query, DROP, replace(goal, goal=1e9)) == [], "nothing was restated"


def test_provisional_days_are_early_and_confirmed_in_silence(world: World) -> None:
    (line,) = world.tell(lake((M, usual(100, 10)), certificate="provisional"))
    assert line.endswith("(early: these days may still change)")
    assert world.tell(lake((M, usual(100, 10)), certificate="certified")) == []
    assert [a.early for a in world.ledger.alerts()] == [False]
    assert (
        World().tell(lake((M, usual(100, 10)), certificate="provisional"), replace(DROP, early=False)) == []
    )


def test_only_the_media_that_are_named(world: World) -> None:
    fell = lake((M, usual(100, 10)), (N, usual(100, 10)))
    assert len(world.tell(fell, replace(DROP, media=(N,)))) == 1
    assert [a.subject for a in world.ledger.alerts()] == [N]


def test_media_of_a_label_are_counted_together_and_their_lowest_certificate_counts(world: World) -> None:
    both = [
        *days(M, FIRST, usual(100, 10), certificate="certified"),
        *days(N, FIRST, usual(100, 10), certificate="provisional"),
    ]
    labels = [{"media_id": m, "label": "campaign", "value": "spring's"} for m in (M, N)]
    query = Published({"gold.fact_media_daily": both, "gold.dim_media_label": labels})
    (line,) = world.tell(query, replace(DROP, label="campaign=spring's"))
    assert line.startswith(f"fell: campaign=spring's: 20 plays on {LAST}, about 202")
    assert "early" in line
    assert world.tell(query, replace(DROP, label="campaign=none")) == []


def test_viewers_of_a_label_are_counted_anew_and_not_added(world: World) -> None:
    of_days = [*days(M, FIRST, usual(50)), *days(N, FIRST, usual(50))]
    seen = [
        {"media_id": m, "visitor_id": f"v{n}", "date": FIRST + timedelta(days=d)}
        for m in (M, N)
        for d in range(LENGTH)
        for n in range(2 if d == LENGTH - 1 else 40)
    ]
    labels = [{"media_id": m, "label": "team", "value": "a"} for m in (M, N)]
    query = Published(
        {"gold.fact_media_daily": of_days, "gold.fact_media_engagement": seen, "gold.dim_media_label": labels}
    )
    (line,) = world.tell(query, replace(DROP, label="team=a", metric="unique_viewers"))
    assert f"2 unique viewers on {LAST}, about 40 are usual" in line


def test_a_goal_of_everything(world: World) -> None:
    query = lake((M, [10] * LENGTH), (N, [10] * LENGTH))
    month = Rule("ten", Kind.GOAL, goal=100.0, every="month")
    lines = world.tell(query, month)
    assert lines == [
        f"ten: {EVERYTHING}: 100 plays by 2026-0{m}-05: the goal of 100 is reached" for m in (4, 5)
    ]
    assert not world.people.notices[0].failed
    assert world.tell(query, month) == []


def test_retention_after_a_swap(world: World) -> None:
    swap = LAST - timedelta(days=10)
    rows = [
        {**row, "viewed_millionths": int(1e6 * row["plays"] * (0.3 if row["date"] > swap else 0.7))}
        for row in days(M, FIRST, [50] * LENGTH, certificate="settled")
    ]
    versions = [
        {"media_id": M, "original_asset": file, "valid_from": at}
        for file, at in (
            ("a", datetime(2026, 1, 1, tzinfo=UTC)),
            ("b", datetime.combine(swap, NOW.time(), UTC)),
        )
    ]
    query = Published({"gold.fact_media_daily": rows, "silver.dim_media_history": versions})
    (line,) = world.tell(query, Rule("worse", Kind.RETENTION))
    assert line == f"worse: {M}: sessions see 30% of it since the file was swapped on {swap}, 70% before"
    assert world.tell(query, Rule("worse", Kind.RETENTION)) == []


def test_nothing_is_asked_without_rules_nor_of_an_empty_lake(world: World) -> None:
    def never() -> Published:
        raise AssertionError("asked")

    watch_now((), never, world.ledger, world.people, NOW)
    assert world.tell(Published({}), DROP) == []


def test_a_notice_is_bounded(world: World) -> None:
    media = [(f"media{n:04}", usual(100, 0)) for n in range(MOST_LINES + 5)]
    lines = world.tell(lake(*media))
    assert len(lines) == MOST_LINES + 1
    assert lines[-1] == "and 5 more: `wistlake watch --history`"
    assert len(world.ledger.alerts()) == MOST_LINES + 5


def test_behind_a_run_a_failure_is_a_line_in_the_log(world: World) -> None:
    def broken() -> Published:
        raise StoreError("the disk is full")

    def odd() -> Published:
        raise ValueError("a row of jane@example.org")

    with capture_logs() as logs:
        for query in (broken, odd):
            watch_after_run((DROP,), query, world.ledger, world.people, NOW)
    assert [line["error"] for line in logs] == ["the disk is full", "ValueError"]
    assert world.people.notices == []
