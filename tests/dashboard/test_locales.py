"""Numbers, days and countries as the reader's locale writes them."""

from datetime import date

import pytest

from dashboard.published import DAILY, Published, days
from wistlake.errors import ConfigError
from wistlake.quality.scope import Scope
from wistlake_dashboard import locales, names, words
from wistlake_dashboard.report import page

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 8)


@pytest.mark.parametrize(
    ("locale", "count", "share", "day", "span", "country"),
    [
        (None, "1,234,567", "27.3 %", "2 Mar 2026", "2–8 Mar 2026", "Germany"),
        ("en-US", "1,234,567", "27.3 %", "Mar 2, 2026", "Mar 2–8, 2026", "Germany"),
        ("de-DE", "1.234.567", "27,3 %", "02.03.2026", "2.–8. März 2026", "Deutschland"),
        ("en-IN", "12,34,567", "27.3 %", "2 Mar 2026", "2–8 Mar 2026", "Germany"),
        ("xx", "1,234,567", "27.3 %", "2 Mar 2026", "2–8 Mar 2026", "Germany"),
    ],
)
def test_values_are_written_for_their_readers(
    locale: str | None, count: str, share: str, day: str, span: str, country: str
) -> None:
    with locales.written_for(locale):
        assert (words.count(1_234_567), words.share(0.273), words.day(FIRST)) == (count, share, day)
        assert (words.span(FIRST, LAST), names.country("DE"), names.country("ZZZ")) == (span, country, "ZZZ")


def test_one_reader_changes_nothing_for_the_next() -> None:
    with locales.written_for("de-DE"):
        assert words.count(1234) == "1.234"
    assert words.count(1234) == "1,234"


def test_a_locale_that_nobody_knows_is_said_with_its_cure() -> None:
    with pytest.raises(
        ConfigError, match="--locale xx-YY: no such locale; use a language and a country, as en-US"
    ):
        locales.known("xx-YY")


def test_the_report_is_written_for_its_reader() -> None:
    query = Published({DAILY: days("a", FIRST, [1500] * 7)})
    query.add("gold.geo_daily", [{"media_id": "a", "date": FIRST, "country": "IN", "plays_from_events": 5}])
    text = page(query, Scope(FIRST, LAST), "de-DE")
    assert ">10.500<" in text
    assert "2.–8. März 2026" in text
    assert "Indien" in text
