"""What every Budget promises: no 60 seconds ever hold more requests than allowed."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ports.clock import Clock
from ports.processes import race
from support.memory import MemoryBudget
from wistlake.adapters.local.budget import SqliteBudget
from wistlake.errors import StoreError
from wistlake.ports import Budget

MakeBudget = Callable[[int, int], AbstractContextManager[Budget]]


def busiest_minute(sent: list[float]) -> int:
    """The most requests that any 60 seconds hold."""
    sent = sorted(sent)
    most = first = 0
    for last, at in enumerate(sent):
        while sent[first] <= at - 60:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_a_burst_is_free_and_then_the_pace_begins(make_budget: MakeBudget) -> None:
    with make_budget(60, 5) as budget:
        waits = [budget.reserve() for _ in range(8)]
    assert waits[:5] == [0.0] * 5
    steps = [after - before for before, after in pairwise(waits[4:])]
    assert steps == pytest.approx([60 / 56] * 3, abs=1e-5)


def test_an_idle_budget_recovers_its_burst_and_no_more(make_budget: MakeBudget, clock: Clock) -> None:
    with make_budget(60, 5) as budget:
        for _ in range(5):
            budget.reserve()
        clock.now += 3600
        waits = [budget.reserve() for _ in range(6)]
    assert waits[:5] == [0.0] * 5
    assert waits[5] > 1


def test_several_at_once_cost_as_much_as_one_by_one(make_budget: MakeBudget) -> None:
    with make_budget(60, 5) as budget:
        assert budget.reserve(5) == 0
        assert budget.reserve(3) == pytest.approx(3 * 60 / 56, abs=1e-5)


def test_more_than_a_burst_at_once_is_kept_apart(make_budget: MakeBudget) -> None:
    with make_budget(60, 5) as budget:
        assert budget.reserve(8) == pytest.approx(3 * 60 / 56, abs=1e-5)
        assert budget.reserve() == pytest.approx(7 * 60 / 56, abs=1e-4)


@pytest.mark.parametrize("requests", [0, -1, 61])
def test_what_can_never_be_sent_cannot_be_reserved(make_budget: MakeBudget, requests: int) -> None:
    with make_budget(60, 5) as budget, pytest.raises(ValueError, match="can't be reserved"):
        budget.reserve(requests)


def test_pause_holds_everybody(make_budget: MakeBudget, clock: Clock) -> None:
    with make_budget(60, 2) as budget:
        budget.pause(30)
        assert budget.reserve() == 30
        clock.now += 29
        assert budget.reserve() == 1
        clock.now += 31
        assert budget.reserve() == 0


def test_a_shorter_pause_does_not_end_a_longer_one(make_budget: MakeBudget) -> None:
    with make_budget(60, 2) as budget:
        budget.pause(30)
        budget.pause(5)
        assert budget.reserve() == 30


def test_a_clock_that_is_set_back_stops_nobody(make_budget: MakeBudget, clock: Clock) -> None:
    with make_budget(60, 2) as budget:
        budget.pause(10)
        for _ in range(4):
            budget.reserve()
        clock.now -= 86_400
        assert 10 < budget.reserve() < 15


@pytest.mark.parametrize(("per_minute", "burst"), [(60, 0), (60, 61), (5, 6)])
def test_an_impossible_burst_is_refused(make_budget: MakeBudget, per_minute: int, burst: int) -> None:
    with pytest.raises(ValueError, match="burst"), make_budget(per_minute, burst):
        pass


@settings(max_examples=40, deadline=None)
@given(
    per_minute=st.integers(1, 600),
    share=st.floats(0, 1),
    gaps=st.lists(st.sampled_from([0.0, 0.0, 0.01, 0.2, 1.0, 7.0, 59.9, 61.0]), min_size=50, max_size=200),
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=5),
)
def test_no_minute_is_ever_too_full(
    per_minute: int, share: float, gaps: list[float], sizes: list[int]
) -> None:
    clock = Clock()
    budget = MemoryBudget(per_minute, 1 + int(share * (per_minute - 1)), clock)
    sent: list[float] = []
    for n, gap in enumerate(gaps):
        clock.now += gap
        size = min(sizes[n % len(sizes)], per_minute)
        sent += [clock.now + budget.reserve(size)] * size
    assert busiest_minute(sent) <= per_minute


class TestShared:
    """One sqlite file, many processes."""

    def test_eight_budgets_on_one_virtual_clock(self, tmp_path: Path, clock: Clock) -> None:
        budgets = [SqliteBudget(tmp_path / "budget.db", "account", 540, wall=clock) for _ in range(8)]
        dice = random.Random(8)
        sent: list[float] = []
        ready = [clock.now] * 8  # each waits for its own reservation before it asks again
        while clock.now < 1_800_000_000 + 200:
            who = min(range(8), key=lambda n: ready[n])
            clock.now = max(clock.now, ready[who])
            at = clock.now + budgets[who].reserve()
            sent.append(at)
            ready[who] = at + dice.choice([0.001, 0.05, 0.3])
        for budget in budgets:
            budget.close()
        assert busiest_minute(sent) <= 540
        assert len(sent) > 1_700  # and the allowance is used

    def test_eight_processes_on_the_real_clock(self, tmp_path: Path) -> None:
        printed = race("spend", tmp_path / "budget.db", ["100"] * 8)
        sent = [float(line) for lines in printed for line in lines]
        assert len(sent) == 800
        assert busiest_minute(sent) <= 540

    def test_accounts_do_not_share(self, tmp_path: Path, clock: Clock) -> None:
        ours = SqliteBudget(tmp_path / "budget.db", "ours", 60, 1, clock)
        theirs = SqliteBudget(tmp_path / "budget.db", "theirs", 60, 1, clock)
        assert [ours.reserve(), theirs.reserve()] == [0, 0]
        assert ours.reserve() > 0

    def test_it_outlives_the_process(self, tmp_path: Path, clock: Clock) -> None:
        first = SqliteBudget(tmp_path / "budget.db", "account", 60, 1, clock)
        first.reserve()
        first.close()
        assert SqliteBudget(tmp_path / "budget.db", "account", 60, 1, clock).reserve() > 0

    def test_a_damaged_file_may_be_removed(self, tmp_path: Path) -> None:
        (tmp_path / "budget.db").write_bytes(b"no database" * 500)
        with pytest.raises(StoreError, match=r"budget\.db: it is damaged .*: remove it"):
            SqliteBudget(tmp_path / "budget.db", "account", 60)
