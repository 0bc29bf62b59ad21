"""A hundred videos with titles in every script, a single day of one, and none that was played: the report, also on
paper, and every page of the dashboard; wide and narrow, light and dark."""

import base64
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome

from browser.axe import findings
from browser.chrome import LOOKS, complaints, cut, faint, fresh, hosts, look, overflow, until
from browser.served import PAGES, bare, dashboard, drawn, open_page
from dashboard.published import DAILY, DIM, Published, days
from support.published import publish
from wistlake.contracts import table
from wistlake.quality.scope import Scope
from wistlake_dashboard.report import page

pytestmark = [pytest.mark.browser, pytest.mark.engine]
LAST = date(2026, 3, 15)
WEEK = Scope(LAST - timedelta(days=6), LAST)
TITLES = (
    "Spring 🎬🚀 launch",
    "वसंत की बिक्री का वीडियो",
    "فيديو الربيع الكبير",
    "Longer than any line " * 12,
    "W" * 120,
)


Rows = dict[str, list[dict[str, Any]]]


def rows(media: int, plays: int) -> Rows:
    """So many videos with two weeks of plays; some have a long curve, sessions of many pages, and countries."""
    ids = [f"m{n:03}" for n in range(media)]
    start = LAST - timedelta(days=13)
    made: Rows = {
        DAILY: [
            row for n, m in enumerate(ids) for row in days(m, start, [plays * (n % 7 + d % 3) for d in range(14)])
        ],
        DIM: [
            {"media_id": m, "title": f"{TITLES[n % 5]} {n}", "is_deleted": False, "folder": TITLES[n % 3]}
            for n, m in enumerate(ids)
        ],
        "gold.dim_media_label": [
            {"media_id": m, "label": "campaign", "value": TITLES[n % 3]} for n, m in enumerate(ids)
        ],
    }  # fmt: skip
    return made | (played(ids) if plays else {})


def played(ids: list[str]) -> Rows:
    """What only those have that were played."""
    sessions = range(120)
    channels = ("facebook", "youtube")
    return {
        "silver.media_lifetime": [
            {"media_id": m, "snapshot_date": LAST, "play_count": 9, "engagement": 0.5, "duration_seconds": 90.0,
             "engagement_data": [9 - s // 12 for s in range(90)], "rewatch_data": [0] * 90}
            for m in ids[:9]
        ],
        "silver.fact_events": [
            {"event_key": f"e{n}", "media_id": "m000", "visitor_id": f"v{n}", "event_date": LAST,
             "event_date_local": LAST, "received_at": datetime(LAST.year, LAST.month, LAST.day, 15, tzinfo=UTC),
             "channel": channels[n % 2], "percent_viewed": 0.5, "embed_host": "www.example.com",
             "embed_path": f"/{'a-long-path/' * 6}{n % 30}", "utm_source": "fb", "utm_campaign": f"campaign {n % 9}"}
            for n in sessions
        ],
        "gold.channel_daily": [
            {"media_id": "m000", "date": LAST, "channel": c, "sessions": 60, "plays_from_events": 60} for c in channels
        ],
        "gold.geo_daily": [
            {"media_id": "m000", "date": LAST, "country": c, "plays_from_events": 3}
            for c in ("US", "DE", "IN", "EG", "BR", "FR", "GB", "CA", "MX", "")
        ],
    }  # fmt: skip


def query(media: int, plays: int) -> Published:
    """Those videos, as they are published."""
    return Published(rows(media, plays))


def opened(driver: Chrome, path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    driver.get(path.as_uri())


def sheets(driver: Chrome) -> int:
    """How many pages of A4 it prints on."""
    paper = {"printBackground": True, "paperWidth": 8.27, "paperHeight": 11.69}
    pdf = base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", paper)["data"])
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def test_it_prints_on_two_pages_and_an_appendix(driver: Chrome, tmp_path: Path) -> None:
    look(driver, 1280, "light")
    opened(driver, tmp_path / "report.html", page(query(100, 4), WEEK))
    whole = sheets(driver)
    driver.execute_script("document.querySelector('.page').remove()")
    assert sheets(driver) <= 2 < whole


CASES = [(100, 4, 7), (1, 4, 1), (3, 0, 7)]
NAMES = ["many", "one day", "zero"]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize(("media", "plays", "length"), CASES, ids=NAMES)
def test_titles_of_every_script_fit(
    driver: Chrome, tmp_path: Path, width: int, scheme: str, media: int, plays: int, length: int
) -> None:
    fresh(driver)
    look(driver, width, scheme)
    scope = Scope(LAST - timedelta(days=length - 1), LAST)
    opened(driver, tmp_path / "report.html", page(query(media, plays), scope))
    assert overflow(driver) == 0
    assert faint(driver) == []
    assert cut(driver) == []
    assert complaints(driver) == []
    assert findings(driver) == []


@pytest.mark.parametrize(("media", "plays", "length"), CASES, ids=NAMES)
def test_every_page_has_room_for_them(
    driver: Chrome, tmp_path: Path, media: int, plays: int, length: int
) -> None:
    publish(tmp_path / "lake", {table(name): of_table for name, of_table in rows(media, plays).items()})
    days_shown = f"?period=custom&from={LAST - timedelta(days=length - 1)}&to={LAST}"
    with dashboard(tmp_path / "lake") as address:
        for width, scheme in LOOKS[::3]:
            fresh(driver)
            look(driver, width, scheme)
            driver.get(f"{address}{days_shown}")
            until(lambda: drawn(driver))
            for path in PAGES:
                open_page(driver, address, path)
                assert overflow(driver) == 0, path
                assert cut(driver) == [], path
                assert bare(driver) == [], path
                assert faint(driver) == [], path
                assert findings(driver) == [], path
            assert complaints(driver) == []
            assert hosts(driver) == {"127.0.0.1"}
        fresh(driver)
