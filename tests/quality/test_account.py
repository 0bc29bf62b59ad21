"""The account's own totals beside those of the followed media: each verdict, and a day's figures."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dashboard.published import DAILY, DIM, INTERVALS, MEDIA, Published, days
from wistlake.quality.account import DAYS, Standing, TiedDay, sentences, share, tied

DAY = date(2026, 3, 4)
REST = datetime(2026, 3, 7, 2, 15, tzinfo=UTC)


def tied_day(
    plays: int, account_plays: int | None, loads: int = 0, account_loads: int | None = 0, **more: Any
) -> TiedDay:
    return TiedDay(
        more.pop("date", DAY), account_loads, account_plays, loads, plays, **{"observed_at": REST} | more
    )


PART, ALL = False, True
AGREES, MORE, LESS = Standing.AGREES, Standing.MORE, Standing.LESS


@pytest.mark.parametrize(
    ("plays", "account_plays", "loads", "account_loads", "former", "follows_all", "standing"),
    [
        (62, 100, 100, 180, 0, PART, AGREES),
        (0, 0, 0, 0, 0, PART, AGREES),
        (102, 100, 0, 0, 0, PART, AGREES),
        (103, 100, 0, 0, 0, PART, MORE),
        (0, 0, 103, 100, 0, PART, MORE),
        (2, 0, 0, 0, 0, PART, AGREES),
        (3, 0, 0, 0, 0, PART, MORE),
        (1020, 1000, 0, 0, 0, PART, AGREES),
        (1021, 1000, 0, 0, 0, PART, MORE),
        (103, 100, 0, 0, 0, ALL, MORE),
        (62, 100, 0, 0, 0, ALL, LESS),
        (98, 100, 100, 100, 0, ALL, AGREES),
        (97, 100, 100, 100, 0, ALL, LESS),
        (100, 100, 97, 100, 0, ALL, LESS),
        (980, 1000, 0, 0, 0, ALL, AGREES),
        (979, 1000, 0, 0, 0, ALL, LESS),
        (62, 100, 0, 0, 36, ALL, AGREES),
        (62, 100, 0, 0, 35, ALL, LESS),
        (100, 100, 0, 0, 38, ALL, AGREES),
    ],
)
def test_the_verdict_on_a_day_at_the_edges_of_its_band(
    plays: int,
    account_plays: int,
    loads: int,
    account_loads: int,
    former: int,
    follows_all: bool,
    standing: Standing,
) -> None:
    day = tied_day(plays, account_plays, loads, account_loads, former_plays=former, follows_all=follows_all)
    assert day.standing is standing


@pytest.mark.parametrize(
    ("more", "standing"),
    [
        ({"observed_at": REST - timedelta(days=1)}, Standing.YOUNG),
        ({"observed_at": REST - timedelta(days=1), "lacking": 1}, Standing.PARTIAL),
        ({"lacking": 1}, Standing.PARTIAL),
        ({"reason": "500"}, Standing.UNAVAILABLE),
        ({"observed_at": None}, Standing.UNAVAILABLE),
    ],
)
def test_days_that_prove_nothing(more: Mapping[str, Any], standing: Standing) -> None:
    assert tied_day(50, 100, follows_all=True, **more).standing is standing


def test_what_is_counted_twice_shows_although_a_media_lacks_the_day() -> None:
    assert tied_day(110, 100, lacking=1).standing is Standing.MORE


def test_a_share_is_a_ratio_of_sums() -> None:
    assert share([10, 50], [100, 100]) == 0.3
    assert share([], []) is share([0], [0]) is None


def week(*plays: int, of: int = 100, **more: Any) -> list[TiedDay]:
    return [
        tied_day(n, of, n, of, date=DAY - timedelta(days=len(plays) - 1 - i), **more)
        for i, n in enumerate(plays)
    ]


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        ([], ["The account's own totals are not available."]),
        (
            week(0, of=0, reason="/stats/account/by_date: 500"),
            ["The account's own totals are not available (/stats/account/by_date: 500)."],
        ),
        (
            week(60, 64),
            [
                "The followed media are 62.0 % of the account's plays and 62.0 % of its loads, over 2 days.",
                "Nothing followed is missing or counted twice on 2 days that are at rest.",
            ],
        ),
        (
            week(60, 120),
            [
                "The followed media are 90.0 % of the account's plays and 90.0 % of its loads, over 2 days.",
                "More than the whole account on 2026-03-04: something is counted twice.",
            ],
        ),
        (
            week(60, 60, 60, 60, 100, follows_all=True),
            [
                "The followed media are 68.0 % of the account's plays and 68.0 % of its loads, over 5 days.",
                (
                    "Less than the account on 2026-03-01, 2026-03-02, 2026-03-03 and 1 more, though all is followed: "
                    "something is missing."
                ),
            ],
        ),
        (  # a play or two a day are within the band of each day, and not within that of two weeks
            week(*[18] * 14, of=20, follows_all=True),
            [
                "The followed media are 90.0 % of the account's plays and 90.0 % of its loads, over 14 days.",
                "Together, 14 days have less than the account, though all is followed: something is missing.",
            ],
        ),
        (
            week(*[22] * 14, of=20),
            [
                "The followed media are 110.0 % of the account's plays and 110.0 % of its loads, over 14 days.",
                "Together, 14 days have more than the whole account: something is counted twice.",
            ],
        ),
        (
            [*week(50, lacking=1), *week(50, 50), *week(0, reason="404")],
            [
                "The followed media are 50.0 % of the account's plays and 50.0 % of its loads, over 2 days.",
                "Nothing followed is missing or counted twice on 2 days that are at rest.",
                "On 2026-03-04 a followed media has no current figures: these days are left out.",
                "The account's totals of 1 day are not available (404).",
            ],
        ),
    ],
)
def test_what_people_read(found: list[TiedDay], lines: list[str]) -> None:
    assert sentences(found) == lines


# The days, out of the tables that readers have.


def published(*, observed_at: datetime = REST, **media: Mapping[str, Any]) -> Published:
    """Two media of ten and twenty plays on one day, a third that is followed no longer, of five."""
    entries = {"a": {}, "b": {}, "gone": {"retired_at": REST}} | media
    plays = {"a": 10, "b": 20, "gone": 5}
    return Published(
        {
            "ops.account": [{"date": DAY, "loads": 80, "plays": 40, "observed_at": observed_at, "follows_all": True,
                             "reason": ""}],
            MEDIA: [{"media_id": m, **entry} for m, entry in entries.items()],
            DAILY: [row for m in plays for row in days(m, DAY, [plays[m]])],
            INTERVALS: [{"dataset": "media_by_date", "media_id": m, "day": DAY, "state": "published",
                         "observed_at": REST} for m in plays],
        }
    )  # fmt: skip


def figures(query: Published) -> tuple[int, ...]:
    """Plays and loads of the followed media, of former ones, and how many media lack the day."""
    (day,) = tied(query.sql(DAYS).to_pylist())
    assert (day.account_plays, day.account_loads) == (40, 80)
    return day.plays, day.loads, day.former_plays, day.former_loads, day.lacking


def test_the_sums_of_a_day_are_those_of_published_gold() -> None:
    assert figures(published()) == (30, 60, 5, 10, 0)


def test_figures_that_are_newer_than_the_account_s_are_of_another_moment() -> None:
    assert figures(published(observed_at=REST - timedelta(seconds=1))) == (0, 0, 0, 0, 2)


def test_a_followed_media_without_the_day_is_counted_unless_it_was_made_later() -> None:
    query = published(c={})
    assert figures(query) == (30, 60, 5, 10, 1)
    query.add(DIM, [{"media_id": "c", "created_at": datetime(2026, 3, 4, 12, tzinfo=UTC)}])
    assert figures(query) == (30, 60, 5, 10, 1)
    query.change(f"UPDATE {DIM} SET created_at = ?", datetime(2026, 3, 5, tzinfo=UTC))
    assert figures(query) == (30, 60, 5, 10, 0)


@pytest.mark.parametrize("change", ["state = 'failed'", "state = 'landed'"])
def test_a_day_whose_newest_reading_is_not_published_is_no_figure(change: str) -> None:
    query = published()
    query.change(f"UPDATE {INTERVALS} SET {change} WHERE media_id = 'a'")
    assert figures(query) == (20, 40, 5, 10, 1)
