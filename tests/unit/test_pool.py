"""Several calls at a time: all of them, in order, and never more than memory takes."""

import threading

import pytest

from wistlake.pool import in_order


class Counted:
    """Calls that meet: each waits until `together` are under way, if so many ever are."""

    def __init__(self, together: int) -> None:
        self.met = threading.Barrier(together)
        self.lock, self.now, self.most = threading.Lock(), 0, 0

    def __call__(self, number: int) -> int:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.met.wait(timeout=10)
        with self.lock:
            self.now -= 1
        return number * number


def test_so_many_calls_are_under_way_and_no_more() -> None:
    counted = Counted(together=4)
    assert in_order(counted, range(12), workers=4) == [n * n for n in range(12)]
    assert counted.most == 4


def test_nothing_to_do_is_no_work() -> None:
    assert in_order(Counted(1), []) == []


def test_the_first_error_is_the_callers() -> None:
    def fail(number: int) -> int:
        raise ValueError(number)

    with pytest.raises(ValueError, match=r"^0$"):
        in_order(fail, range(3))
