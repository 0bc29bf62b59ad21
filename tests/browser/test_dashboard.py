"""The dashboard in a browser: its looks, its numbers, and whom it lets in."""

import json
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Chrome

from browser.chrome import LOOKS, complaints, cut, faint, fresh, hosts, look, overflow, screenshot, until
from browser.served import PAGES, bare, command, dashboard, height, open_page
from support.lake import Lake
from wistlake.quality.metrics import definition
from wistlake.quality.scope import default_scope

pytestmark = [pytest.mark.browser, pytest.mark.engine]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_every_page_looks_right(
    driver: Chrome, address: str, tmp_path: Path, width: int, scheme: str
) -> None:
    fresh(driver)
    for page in PAGES:
        look(driver, width, scheme)
        open_page(driver, address, page)
        assert faint(driver) == [], page
        assert overflow(driver) == 0, page
        assert cut(driver) == [], page
        assert bare(driver) == [], page
        picture = tmp_path / f"{page or 'overview'}.png"
        screenshot(driver, picture, width, scheme, height(driver))
        assert picture.stat().st_size > 10_000
    assert complaints(driver) == []
    assert hosts(driver) == {"127.0.0.1"}


def test_tiles_equal_the_query(driver: Chrome, address: str, lake: Lake) -> None:
    (extent,) = lake.sql("SELECT min(date) AS first, max(date) AS last FROM gold.fact_media_daily")
    where = default_scope(extent["first"], extent["last"]).where()
    counted = command(
        lake.folder, "query", "--format", "json",
        "SELECT sum(loads)::BIGINT AS loads, sum(plays)::BIGINT AS plays, sum(watch_milliseconds)::BIGINT AS watched, "
        "sum(viewed_millionths) / 1e6 / sum(sessions) AS seen, "
        "(SELECT count(DISTINCT visitor_id) FROM gold.fact_media_engagement WHERE " + where + ") AS viewers "
        "FROM gold.fact_media_daily WHERE " + where,
    )  # fmt: skip
    (row,) = json.loads(counted.communicate(timeout=60)[0])
    look(driver, 1280, "light")
    open_page(driver, address, "")
    shown = dict(
        driver.execute_script("""
          return [...document.querySelectorAll('[data-testid=stMetric]')].map(m => [
            m.querySelector('[data-testid=stMetricLabel]').innerText.trim(),
            m.querySelector('[data-testid=stMetricValue]').innerText.trim()])""")
    )
    minutes, seconds = divmod(round(row["watched"] / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    assert shown == {
        "Plays": f"{row['plays']:,}",
        "Viewers": f"{row['viewers']:,}",
        "Watch time": f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s",
        "Average engagement": f"{100 * row['seen']:.1f} %",
        "Plays per load": f"{row['plays'] / row['loads']:.2f}",
    }


_BARS = """
const chart = document.querySelector('[data-testid=stVegaLiteChart]');
const middle = e => { const box = e.getBoundingClientRect(); return Math.round(box.left + box.width / 2); };
return [[...chart.querySelectorAll('.role-axis-label text')].map(e => [e.textContent, middle(e)])
          .filter(([text]) => / /.test(text)),
        [...new Set([...chart.querySelectorAll('.mark-rect.role-mark path')].map(middle))].sort((a, b) => a - b)];
"""


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati"])
def test_each_bar_stands_over_its_own_day_wherever_the_browser_is(
    driver: Chrome, address: str, lake: Lake, zone: str
) -> None:
    days = [r["date"] for r in lake.sql("SELECT DISTINCT date FROM gold.fact_media_daily ORDER BY 1")]
    start = default_scope(days[0], days[-1]).start
    driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": zone})
    try:
        fresh(driver)
        look(driver, 1280, "light")
        open_page(driver, address, "traffic")
        labels, bars = driver.execute_script(_BARS)
    finally:
        driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})
        fresh(driver)
    shown = [d for d in days if d >= start]
    assert len(shown) > 0
    assert [text for text, _ in labels] == [f"{d.day} {d:%b}" for d in shown]
    assert len(bars) == len(labels)
    assert max(abs(at - bar) for (_, at), bar in zip(labels, bars, strict=True)) <= 3


def test_a_definition_appears_on_focus(driver: Chrome, address: str) -> None:
    look(driver, 1280, "light")
    open_page(driver, address, "")
    driver.execute_script("document.querySelector('[aria-label=\"Help for Plays\"]').focus()")
    shown = "return document.querySelector('[data-testid=stTooltipContent]')?.innerText ?? ''"
    until(lambda: driver.execute_script(shown), 10)
    assert driver.execute_script(shown) == definition("plays")


def test_a_hostile_name_is_text(driver: Chrome, address: str) -> None:
    look(driver, 1280, "light")
    open_page(driver, address, "video")
    assert not driver.execute_script(
        "return [...document.querySelectorAll('script, img')].some(e => e.outerHTML.includes('x.example') "
        "|| e.textContent.includes(\"alert('x')\"))"
    )


@pytest.mark.parametrize(
    ("path", "host", "code"),
    [
        ("secret", None, 200),
        ("", None, 404),
        ("_stcore/health", None, 404),
        ("secret", "wistlake.example", 400),
    ],
)
def test_only_who_knows_the_address_gets_in(address: str, path: str, host: str | None, code: int) -> None:
    parts = urlsplit(address)
    target = address if path == "secret" else f"{parts.scheme}://{parts.netloc}/{path}"
    request = urllib.request.Request(target, headers={"Host": host} if host else {})
    assert status(request) == code
    assert parts.hostname == "127.0.0.1"
    assert len(parts.path.strip("/")) >= 20


def status(request: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            found: int = answer.status
    except urllib.error.HTTPError as e:
        found = e.code
    return found


def test_a_browser_is_told_to_ask_nobody_for_pictures(driver: Chrome, address: str) -> None:
    look(driver, 1280, "light")
    open_page(driver, address, "")
    blocked = driver.execute_async_script("""
      const done = arguments[0], image = new Image();
      document.addEventListener('securitypolicyviolation', e => done(e.blockedURI), {once: true});
      setTimeout(() => done('nothing was blocked'), 5000);
      image.src = 'https://embed-ssl.wistia.com/x.jpg';""")
    assert blocked.startswith("https://embed-ssl.wistia.com/")
    fresh(driver)


def test_with_the_setting_wistia_is_asked_for_pictures_and_nobody_else(driver: Chrome, lake: Lake) -> None:
    look(driver, 1280, "light")
    fresh(driver)
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*wistia.com*"]})
    try:
        with dashboard(lake.folder, WISTLAKE_THUMBNAILS="true") as address:
            for page in ("videos", "video"):
                asked: set[str] = set()
                open_page(driver, address, page)
                until(lambda seen=asked: seen.update(hosts(driver)) or "embed-ssl.wistia.com" in seen)
                assert asked == {"127.0.0.1", "embed-ssl.wistia.com"}
            fresh(driver)
    finally:
        driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
