"""A Chromium without a window, and what it can tell about a page."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import urlsplit

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")
DRIVER = which("chromedriver")
LOOKS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]
ENOUGH = 4.5

# Every visible text against what is painted behind it, by WCAG's formula.
_CONTRAST = """
const seen = [];
const parse = c => { const n = c.match(/[\\d.]+/g).map(Number);
  return [...n.slice(0, 3).map(v => c.startsWith('color(srgb') ? 255 * v : v), n[3] ?? 1]; };
const over = (top, below) => top.slice(0, 3).map((v, i) => v * top[3] + below[i] * (1 - top[3])).concat(1);
const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const behind = e => { const layers = [];
  for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3]) layers.push(c);
    if (c[3] === 1) break; }
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]); };
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const text = walk.currentNode.textContent.trim(), e = walk.currentNode.parentElement;
  if (!text || ['STYLE', 'SCRIPT', 'TITLE', 'NOSCRIPT'].includes(e.tagName.toUpperCase())) continue;
  if (!e.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
  const box = e.getBoundingClientRect(); if (box.width < 2 || box.height < 2) continue;
  const style = getComputedStyle(e), inSvg = e.namespaceURI.endsWith('svg');
  const ink = parse(inSvg ? style.fill : style.color);
  for (let p = e; p; p = p.parentElement) ink[3] *= Number(getComputedStyle(p).opacity);
  const ground = behind(inSvg ? e.closest('svg').parentElement : e), front = over(ink, ground);
  const [a, b] = [light(front), light(ground)].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
  seen.push([Math.round(100 * ratio) / 100, text.slice(0, 40)]);
}
return seen;
"""
_WIDTHS = """
return [document.documentElement, document.querySelector('[data-testid=stMain]')]
  .filter(Boolean).map(e => e.scrollWidth - e.clientWidth);
"""
_CUT = """
return [...document.querySelectorAll('[data-testid=stMetric] *, .tile *, h1, h2, h3, svg.chart text')]
  .filter(e => e.checkVisibility() && ((getComputedStyle(e).overflowX !== 'visible' && e.scrollWidth > e.clientWidth + 1
               && !e.matches('.aside')) || e.getBoundingClientRect().right > innerWidth + 1
               || e.getBoundingClientRect().left < -1))
  .map(e => e.textContent.slice(0, 40));
"""


@contextmanager
def chromium() -> Iterator[Chrome]:
    """A fresh browser, closed afterwards. It logs its console and its network."""
    options = Options()
    options.binary_location = CHROMIUM or ""
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(options=options, service=Service(DRIVER))
    driver.set_page_load_timeout(60)
    try:
        yield driver
    finally:
        driver.quit()


def look(driver: Chrome, width: int, scheme: str, height: int = 900) -> None:
    """A window of that size, for someone who prefers light or dark."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    prefers = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", prefers)


def until(ready: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait for a page; AssertionError if it takes longer."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "the page took too long"
        time.sleep(0.1)


def screenshot(driver: Chrome, path: Path, width: int, scheme: str, height: int) -> None:
    """The whole page as a picture."""
    look(driver, width, scheme, height)
    until(lambda: driver.execute_script("return innerHeight") == height)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert driver.save_screenshot(str(path))


def faint(driver: Chrome) -> list[tuple[float, str]]:
    """Texts whose contrast is below 4.5:1. AssertionError if there is no text at all."""
    seen = driver.execute_script(_CONTRAST)
    assert len(seen) > 5, "there is hardly any text"
    return [(ratio, text) for ratio, text in seen if ratio < ENOUGH]


def fresh(driver: Chrome) -> None:
    """Leave the page, and forget what was logged."""
    driver.get("about:blank")
    driver.get_log("browser")
    driver.get_log("performance")


def overflow(driver: Chrome) -> int:
    """Pixels that the page is wider than the window."""
    return int(max(driver.execute_script(_WIDTHS)))


def cut(driver: Chrome) -> list[str]:
    """Headline texts that are cut off, or run out of the window."""
    found: list[str] = driver.execute_script(_CUT)
    return found


def complaints(driver: Chrome) -> list[str]:
    """Errors in the console since last asked."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def hosts(driver: Chrome) -> set[str]:
    """Whom the page asked since last asked, by host name; files and data have none."""
    found = set()
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
            params = message["params"]
            found.add(urlsplit(params.get("url") or params["request"]["url"]).hostname)
    return {h for h in found if h}
