"""How the events that wait are shared out among builds."""

from datetime import UTC, date, datetime, timedelta

import pytest

from wistlake.pipeline.run.pending import within_memory
from wistlake.planning.intervals import Interval, State

NOW = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)


def waiting(*rows: int, dataset: str = "events") -> list[Interval]:
    first = date(2026, 1, 1)
    return [
        Interval(dataset, "m1", first + timedelta(days=n), State.LANDED, "r1", NOW, rows=count)
        for n, count in enumerate(rows)
    ]


def builds(left: list[Interval], usual: int) -> list[int]:
    """The rows of one build after the other."""
    found = []
    while left:
        chosen = within_memory(left, usual)
        found.append(sum(i.rows for i in chosen))
        left = [i for i in left if i not in chosen]
    return found


@pytest.mark.parametrize(
    ("days", "usual", "expected"),
    [
        ([10] * 10, 100, [100]),
        ([10] * 11, 100, [110]),  # a small rest isn't a build of its own
        ([10] * 16, 100, [80, 80]),
        ([10] * 35, 100, [80, 90, 90, 90]),
        ([1000], 100, [1000]),  # a day is never cut
        ([0, 0], 100, [0]),
    ],
)
def test_builds_share_the_events_evenly(days, usual, expected):
    assert builds(waiting(*days), usual) == expected


def test_small_datasets_go_along_whole():
    left = [*waiting(50, 50, 50, 50), *waiting(*[1] * 9, dataset="media_by_date")]
    first = within_memory(left, 100)
    assert sum(i.dataset == "media_by_date" for i in first) == 9
    assert [i.rows for i in first if i.dataset == "events"] == [50, 50]
