"""The report of a hundred videos, with titles in every script: on paper, wide and narrow, light and dark."""

import base64
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from browser.axe import findings
from browser.chrome import LOOKS, complaints, cut, faint, fresh, look, overflow
from dashboard.published import DAILY, DIM, Published, days
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


def query(media: int, plays: int) -> Published:
    """So many videos with two weeks of plays; each has a long curve, sessions of many pages, and countries."""
    made = Published({})
    for n in range(media):
        m = f"m{n:03}"
        made.add(DAILY, days(m, LAST - timedelta(days=13), [plays * (n % 7 + d % 3) for d in range(14)]))
        made.add(DIM, [{"media_id": m, "title": f"{TITLES[n % 5]} {n}", "is_deleted": False}])
    if plays:
        made.add("silver.media_lifetime", [
            {"media_id": f"m{n:03}", "snapshot_date": LAST, "play_count": 9, "engagement": 0.5,
             "duration_seconds": 90.0,
             "engagement_data": [9 - s // 12 for s in range(90)], "rewatch_data": [0] * 90}
            for n in range(min(media, 9))
        ])  # fmt: skip
        made.add("silver.fact_events", [
            {"event_key": f"e{n}", "media_id": "m000", "visitor_id": f"v{n}", "event_date": LAST,
             "event_date_local": LAST,
             "received_at": f"{LAST} 15:00", "channel": ("facebook", "youtube")[n % 2], "percent_viewed": 0.5,
             "embed_host": "www.example.com", "embed_path": f"/{'a-long-path/' * 6}{n % 30}", "utm_source": "fb",
             "utm_campaign": f"campaign {n % 9}"} for n in range(120)
        ])  # fmt: skip
        made.add("gold.geo_daily", [
            {"media_id": "m000", "date": LAST, "country": c, "plays_from_events": 3}
            for c in ("US", "DE", "IN", "EG", "BR", "FR", "GB", "CA", "MX", "")
        ])  # fmt: skip
    return made


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


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize(
    ("media", "plays", "length"), [(100, 4, 7), (1, 4, 1), (3, 0, 7)], ids=["many", "one day", "zero"]
)
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
