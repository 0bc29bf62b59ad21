"""How numbers are written for people, at every edge."""

from datetime import UTC, date, datetime

import pytest

from wistlake_dashboard import words
from wistlake_dashboard.blocks import Column, Kind, spelled


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (words.count, None, "–"), (words.count, 0, "0"), (words.count, 1234.4, "1,234"),
        (words.number, 999_999.4, "999,999"), (words.number, 1e6, "1,000,000"), (words.number, 1234.5, "1,234.5"),
        (words.number, -2_500_000.6, "-2,500,001"), (words.number, 0.25, "0.25"),
        (words.text, True, "yes"), (words.text, False, "no"), (words.text, 1, "1"), (words.text, "as is", "as is"),
        (words.hours, 1, "1"), (words.hours, 0.999, "1"), (words.hours, 0.254, "0.25"), (words.hours, 12.5, "12.5"),
        (words.hours, 1234.04, "1,234"),
        (words.share, None, "–"), (words.share, 0, "0.0 %"), (words.share, 0.0004, "<0.1 %"),
        (words.share, 0.0005, "0.1 %"), (words.share, 0.273, "27.3 %"), (words.share, 0.9994, "99.9 %"),
        (words.share, 0.9995, ">99.9 %"), (words.share, 1, "100.0 %"), (words.share, 1.2, "120.0 %"),
        (words.duration, None, "–"), (words.duration, 9.4, "9 s"), (words.duration, 59.5, "1 min 0 s"),
        (words.duration, 250, "4 min 10 s"), (words.duration, 3599, "59 min 59 s"), (words.duration, 3600, "1 h 0 min"),
        (words.duration, 43_500, "12 h 5 min"), (words.duration, 359_999, "99 h 59 min"),
        (words.duration, 360_000, "100 h"), (words.duration, 5_400_000, "1,500 h"),
        (words.clock, 5, "0:05"), (words.clock, 185.4, "3:05"), (words.clock, 3599, "59:59"),
        (words.clock, 3605, "1:00:05"), (words.clock, 7325, "2:02:05"),
        (words.signed, 12, "+12"), (words.signed, 1, "+1"), (words.signed, -3, "−3"), (words.signed, 1234, "+1,234"),
        (words.day, date(2026, 3, 2), "2 Mar 2026"),
        (words.moment, datetime(2026, 3, 2, 2, 15, tzinfo=UTC), "2 Mar 2026, 02:15 UTC"),
    ],
)  # fmt: skip
def test_a_value_is_spelled(write: object, value: object, text: str) -> None:
    assert write(value) == text  # type: ignore[operator]


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ((2026, 3, 2), (2026, 3, 2), "2 Mar 2026"),
        ((2026, 3, 2), (2026, 3, 8), "2–8 Mar 2026"),
        ((2026, 2, 27), (2026, 3, 5), "27 Feb – 5 Mar 2026"),
        ((2025, 12, 30), (2026, 1, 5), "30 Dec 2025 – 5 Jan 2026"),
        ((2025, 3, 2), (2026, 3, 8), "2 Mar 2025 – 8 Mar 2026"),
    ],
)
def test_a_span_names_what_tells_its_ends_apart(
    start: tuple[int, int, int], end: tuple[int, int, int], text: str
) -> None:
    assert words.span(date(*start), date(*end)) == text


@pytest.mark.parametrize(
    ("now", "before", "basis", "text"),
    [
        (None, 5, 50, ""), (5, None, 50, ""),
        (30, 20, 20, "+50 %"), (30, 20, 19, "+10"), (20, 30, 19, "−10"), (20, 20, 19, "no change"),
        (97, 100, 100, "−3 %"), (1004, 1000, 1000, "no change"), (1006, 1000, 1000, "+1 %"),
        (5, 0, 50, "+5"), (0, 0, 50, "no change"), (2.2, 2.4, 5, "no change"), (3000, 100, 100, "+2,900 %"),
    ],
)  # fmt: skip
def test_a_change_is_a_percentage_where_that_says_something(
    now: float | None, before: float | None, basis: float, text: str
) -> None:
    assert words.change(now, before, basis) == text


@pytest.mark.parametrize(
    ("now", "before", "basis", "text"),
    [
        (None, 0.5, 50, ""), (0.5, None, 50, ""), (0.5, 0.4, 19, ""), (0.5, 0.4, 20, "+10.0 points"),
        (0.4, 0.4121, 20, "−1.2 points"), (0.4, 0.4004, 20, "no change"),
    ],
)  # fmt: skip
def test_a_change_of_shares_is_in_points(
    now: float | None, before: float | None, basis: float, text: str
) -> None:
    assert words.change_in_share(now, before, basis) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 days"), (1, "1 day"), (2, "2 days"), (1200, "1,200 days")]
)
def test_one_of_a_kind_has_no_ending(number: int, text: str) -> None:
    assert words.plural(number, "day") == text


def test_a_column_says_what_is_absent_and_sets_numbers_flush_right() -> None:
    assert (spelled(Kind.COUNT, None), Column("a", "A", absent="none").spelled(None)) == ("–", "none")
    assert Column("a", "A", Kind.SECONDS).spelled(61) == "1 min 1 s"
    assert {kind for kind in Kind if not kind.is_number} == {
        Kind.TEXT,
        Kind.DAY,
        Kind.MOMENT,
        Kind.LINK,
        Kind.PICTURE,
    }
