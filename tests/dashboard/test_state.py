"""What a reader has chosen stands in the address, and is read from there again."""

from datetime import date
from typing import Any

import pytest

from dashboard.published import DAILY, Published, days
from wistlake.quality.scope import Against, Grain, Scope
from wistlake_dashboard.app.state import (
    CUSTOM,
    MONTH,
    QUARTER,
    Chosen,
    chosen,
    days_of,
    filtered,
    first_choice,
)
from wistlake_dashboard.blocks import Days
from wistlake_dashboard.reader import Reader
from wistlake_dashboard.sections import overview, view

PUBLISHED = (date(2026, 1, 5), date(2026, 3, 15))
MEDIA = ("a", "b")


def params(**words: str | list[str]) -> dict[str, list[str]]:
    return {name.rstrip("_"): [w] if isinstance(w, str) else w for name, w in words.items()}


@pytest.mark.parametrize(
    "address",
    [
        {}, params(period="7"), params(period="90"), params(period="month"), params(period="quarter"),
        params(period="custom", from_="2026-02-01", to="2026-02-14"), params(compare="year"), params(by="week"),
        params(channel=["facebook", "youtube"]), params(folder="Main Funnel"), params(media=["a", "b"]),
        params(video="b"), params(split="2026-02-20"), params(label=["audience=new", "campaign=नए 🎉"]),
        params(period="7", compare="year", by="month", channel="x", folder="y", media="a", video="a",
               label="z=z", split="2026-03-01"),
    ],
)  # fmt: skip
def test_an_address_says_what_was_chosen_and_nothing_more(address: dict[str, list[str]]) -> None:
    assert chosen(address, PUBLISHED, MEDIA).params(PUBLISHED) == address


@pytest.mark.parametrize(
    ("address", "says"),
    [
        (params(period="forever"), {}), (params(by="hour"), {}), (params(compare="never"), {}),
        (params(media=["gone", "a"]), params(media="a")), (params(video="gone"), {}), (params(split="soon"), {}),
        (params(period="custom"), {}), (params(period="custom", from_="x", to="2026-02-01"), {}),
        (params(period="custom", from_="2026-02-09", to="2026-02-01"), {}),
        (params(period="custom", from_="2027-01-01", to="2027-02-01"), {}),
        (params(period="custom", from_="2025-01-01", to="2026-01-06"),
         params(period="custom", from_="2026-01-05", to="2026-01-06")),
    ],
)  # fmt: skip
def test_what_an_address_says_wrongly_is_as_at_first(
    address: dict[str, list[str]], says: dict[str, list[str]]
) -> None:
    assert chosen(address, PUBLISHED, MEDIA).params(PUBLISHED) == says


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("7 days", date(2026, 3, 9), date(2026, 3, 15)), ("28 days", date(2026, 2, 16), date(2026, 3, 15)),
        ("90 days", date(2026, 1, 5), date(2026, 3, 15)), (MONTH, date(2026, 3, 1), date(2026, 3, 15)),
        (QUARTER, date(2026, 1, 5), date(2026, 3, 15)), (CUSTOM, date(2026, 2, 1), date(2026, 2, 2)),
    ],
)  # fmt: skip
def test_a_period_ends_with_the_newest_day(period: str, first: date, last: date) -> None:
    custom = (date(2026, 2, 1), date(2026, 2, 2))
    assert days_of(period, custom, PUBLISHED) == (first, last)


@pytest.mark.parametrize(
    ("days", "period"),
    [(70, "28 days"), (56, "28 days"), (55, CUSTOM), (14, "7 days"), (13, CUSTOM), (1, CUSTOM)],
)
def test_at_first_there_is_a_period_before_to_compare_with(days: int, period: str) -> None:
    last = date(2026, 3, 15)
    found = first_choice((date.fromordinal(last.toordinal() - days + 1), last))
    assert found.period == period
    assert found.params((date.fromordinal(last.toordinal() - days + 1), last)) == {}


def test_the_choice_makes_the_scope() -> None:
    split: Any = date(2026, 3, 1)
    found = Chosen("7 days", PUBLISHED, Against.YEAR, Grain.WEEK, ("facebook",), ("f",), ("a",), "b", split)
    assert found.scope(PUBLISHED, ("a",)) == Scope(
        date(2026, 3, 9), date(2026, 3, 15), ("a",), ("facebook",), Against.YEAR, Grain.WEEK, split=split
    )


def on(*day: int) -> str:
    return date(2026, *day).isoformat()


@pytest.mark.parametrize(
    ("clicked", "address"),
    [
        (("channel", "facebook"), {"channel": ["facebook"]}),
        (("named", "campaign=a=b"), {"label": ["campaign=a=b"]}),
        (("days", f"{on(3, 2)}/{on(3, 8)}"), {"period": ["custom"], "from": [on(3, 2)], "to": [on(3, 8)]}),
    ],
)
def test_what_is_clicked_filters(clicked: tuple[str, str], address: dict[str, list[str]]) -> None:
    assert filtered(clicked) == address


@pytest.mark.parametrize(
    ("start", "grain", "spans"),
    [
        ((3, 14), Grain.DAY, [((3, 14), (3, 14)), ((3, 15), (3, 15))]),
        ((3, 1), Grain.WEEK, [((3, 1), (3, 7)), ((3, 8), (3, 14)), ((3, 15), (3, 15))]),
        ((2, 27), Grain.MONTH, [((2, 27), (2, 28)), ((3, 1), (3, 15))]),
        ((3, 15), Grain.DAY, []),  # nothing to choose from
    ],
)
def test_a_point_of_the_chart_stands_for_its_days(start: tuple[int, int], grain: Grain, spans: Any) -> None:
    last = date(2026, 3, 15)
    query = Published({DAILY: days("a", date(2026, 2, 27), [1] * 17)})
    blocks = overview.BY_DAY.blocks(view(Reader(query), Scope(date(2026, *start), last, grain=grain)))
    (chart,) = (b for b in blocks if isinstance(b, Days))
    assert chart.clicks == {n: ("days", f"{on(*a)}/{on(*b)}") for n, (a, b) in enumerate(spans)}
