"""Retention: shares of plays from the first run on, whatever moves between the snapshots."""

from datetime import date
from typing import Any

import pytest

from support.published import Published
from wistlake.quality.scope import Scope
from wistlake_dashboard.report import newest_scope, page
from wistlake_dashboard.retention import Retention, retention

Row = dict[str, Any]
DAY = date(2026, 3, 2)


def snapshot(day: int, plays: int, views: list[int], again: list[int], **further: Any) -> Row:
    """One media's lifetime on a day of March."""
    return {
        "media_id": "m1", "snapshot_date": date(2026, 3, day), "play_count": plays, "engagement_data": views,
        "rewatch_data": again, "duration_seconds": float(len(views)), "original_asset": "file", **further,
    }  # fmt: skip


def step(day: int, views: list[int], again: list[int], verdict: str = "comparable") -> Row:
    """What gold says of a snapshot and the one before."""
    differences = {"views": views, "rewatches": again} if verdict == "comparable" else {}
    return {
        "media_id": "m1", "date": date(2026, 3, day), "previous_date": date(2026, 3, day - 1), "verdict": verdict,
        **differences,
    }  # fmt: skip


def published(*snapshots: Row, days: tuple[int, ...] = (1, 2), steps: tuple[Row, ...] = ()) -> Published:
    """Snapshots, what gold says of them, and the days of March that are published."""
    daily = [{"media_id": "m1", "date": date(2026, 3, day), "certificate": "provisional"} for day in days]
    return Published(
        {
            "silver.media_lifetime": snapshots,
            "gold.fact_media_daily": daily,
            "gold.media_retention_daily": steps,
        }
    )


def curve(query: Published, first: int = 1, last: int = 2) -> Retention:
    """The media's retention between two days of March."""
    return retention(query, Scope(date(2026, 3, first), date(2026, 3, last)))["m1"]


def test_who_sees_a_second_again_is_one_of_the_plays() -> None:
    """Four plays saw the first second five times: that is all of them, not 125 %."""
    assert curve(published(snapshot(3, 4, [5, 4, 2], [1, 1, 1]))).ever == [1.0, 0.75, 0.25]


def test_no_curve_leaves_the_plays_behind() -> None:
    """The curve was counted later than the plays: five plays are proven by it."""
    snapshots = snapshot(2, 4, [4, 2], [0, 0]), snapshot(3, 5, [9, 4], [0, 0])
    found = curve(published(*snapshots, steps=(step(3, [5, 2], [0, 0]),)))
    assert found.ever == [1.0, 4 / 9]
    assert found.lately == [1.0, 2 / 5]


def test_curves_without_repeated_views_are_taken_as_they_are() -> None:
    assert curve(published(snapshot(3, 4, [4, 2], []))).ever == [1.0, 0.5]
    assert curve(published(snapshot(3, 4, [4, 2], [1], duration_seconds=2.0))).ever == [1.0, 0.5]


def test_the_first_run_already_shows_the_snapshot_that_it_took() -> None:
    """A run early on the 4th publishes the 2nd as its newest day: the snapshot is two days younger than that."""
    query = published(snapshot(4, 10, [10, 5], [0, 0]))
    found = curve(query)
    assert (found.last_day, found.ever) == (date(2026, 3, 4), [1.0, 0.5])
    assert "Engagement of" in page(query, newest_scope(query))


def test_each_of_several_media_has_its_curve_once_and_those_beyond_the_third_are_counted() -> None:
    names = [f"m{number}" for number in range(10)]
    query = Published(
        {
            "silver.media_lifetime": [snapshot(3, 4, [4, 2], [0, 0], media_id=name) for name in names],
            "gold.fact_media_daily": [
                {"media_id": name, "date": DAY, "certificate": "provisional"} for name in names
            ],
            "gold.media_retention_daily": (),
        }
    )
    drawn = page(query, newest_scope(query))
    assert [drawn.count(f'Engagement of {name}" class="chart') for name in names] == [1] * 3 + [0] * 7
    assert "The 3 most played videos; 7 others left out." in drawn


def test_the_newest_days_show_the_newest_snapshot_and_older_days_their_own() -> None:
    query = published(
        *(snapshot(day, 10 * day, [10 * day, day], [0, 0]) for day in (2, 3, 4, 5)), days=(1, 2, 3)
    )
    assert (curve(query, 1, 3).first_day.day, curve(query, 1, 3).last_day.day) == (2, 5)
    assert curve(query, 1, 2).last_day.day == 3


def test_a_snapshot_without_a_curve_hides_no_other() -> None:
    query = published(
        snapshot(2, 10, [10, 5], [0, 0]), snapshot(3, 12, [12], [0]) | {"engagement_data": None}
    )
    assert curve(query).last_day == DAY


@pytest.mark.parametrize(
    ("plays", "of_gold", "verdict"),
    [
        (12, step(3, [], [], "restated"), "restated"),
        (12, step(3, [2, 0], [2, 3]), "restated"),  # fewer plays saw the end than before
        (9, step(3, [2, 1], [0, 0]), "restated"),  # fewer plays than before
        (12, step(3, [], [], "duration_changed"), "duration_changed"),
        (12, step(3, [], [], "media_swapped"), "media_swapped"),
        (12, step(2, [1, 1], [0, 0]), "not built"),  # of the snapshots before these
    ],
)
def test_what_can_not_be_compared_has_no_curve_of_these_days(plays: int, of_gold: Row, verdict: str) -> None:
    snapshots = snapshot(2, 10, [10, 5], [0, 0]), snapshot(3, plays, [12, 6], [0, 0])
    found = curve(published(*snapshots, steps=(of_gold,)))
    assert (found.verdict, found.lately) == (verdict, None)
    assert "No curve of this period" in found.summary


def test_the_curve_of_these_days_adds_up_what_gold_says_of_each_of_them() -> None:
    snapshots = [
        snapshot(2, 10, [10, 5], [0, 0]),
        snapshot(3, 12, [12, 5], [0, 0]),
        snapshot(4, 20, [21, 10], [3, 0]),
    ]
    steps = (step(2, [9, 9], [0, 0]), step(3, [2, 0], [0, 0]), step(4, [9, 5], [3, 0]))
    assert curve(published(*snapshots, steps=steps)).lately == [0.8, 0.5]
    restated = (*steps[:2], step(4, [], [], "restated"))
    assert curve(published(*snapshots, steps=restated)).verdict == "restated"


def test_days_without_a_play_have_no_curve() -> None:
    snapshots = snapshot(2, 10, [10, 5], [0, 0]), snapshot(3, 10, [10, 5], [0, 0])
    found = curve(published(*snapshots, steps=(step(3, [0, 0], [0, 0]),)))
    assert (found.verdict, found.lately) == ("comparable", None)
    assert "nothing was played" in found.summary
