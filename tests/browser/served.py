"""The dashboard as people start it, and the report as a file."""

import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome

from browser.chrome import until

PAGES = ("", "videos", "video", "traffic", "audience", "quality")
_READY = """
const app = document.querySelector('[data-testid=stApp]');
return !!app && app.getAttribute('data-test-script-state') === 'notRunning' && !!document.querySelector('h1')
  && !document.querySelector('[data-stale=true]') && !document.querySelector('[data-testid=stSkeleton]')
  && [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].every(c => c.querySelector('canvas, svg'));
"""


def command(lake: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    """`wistlake` on the lake, with these settings and none of this machine's."""
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("WISTIA_", "WISTLAKE_", "MEDIA_IDS"))
    }
    return subprocess.Popen(
        [sys.executable, "-m", "wistlake.entrypoints.cli.main", *arguments],
        cwd=lake.parent, env={**environment, "WISTLAKE_LAKE": str(lake), **settings}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


@contextmanager
def dashboard(lake: Path, **settings: str) -> Iterator[str]:
    """The dashboard's address, while it is served."""
    process = command(lake, "dashboard", "--port", "0", **settings)
    try:
        address = _told(process)
        until(lambda: answers(address))
        yield address
    finally:
        process.terminate()
        process.wait(20)


def _told(process: subprocess.Popen[str]) -> str:
    """The address that the dashboard tells, before or after Streamlit's own words."""
    assert process.stdout is not None
    giving_up = threading.Timer(60, process.kill)
    giving_up.start()
    try:
        for line in process.stdout:
            if line.startswith("dashboard: "):
                return line.removeprefix("dashboard: ").strip()
    finally:
        giving_up.cancel()
    raise AssertionError("the dashboard does not start")


def answers(address: str) -> bool:
    """Whether somebody is there."""
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError):
        return False


def drawn(driver: Chrome) -> bool:
    """Whether the page of the dashboard is drawn."""
    return bool(driver.execute_script(_READY))


def open_page(driver: Chrome, address: str, page: str) -> float:
    """Go to a page of the dashboard by its menu; the seconds until it is drawn."""
    began = time.perf_counter()
    if not driver.current_url.startswith(address):
        driver.get(address)
        until(lambda: drawn(driver))
    link = f"document.querySelector('[data-testid=stSidebarNavLink][href$=\"/{page}\"]')"
    until(lambda: driver.execute_script(f"return !!{link}"))
    driver.execute_script(f"{link}.click()")
    title = f"return {link}.getAttribute('aria-current') === 'page'"
    until(lambda: driver.execute_script(title) and drawn(driver))
    return time.perf_counter() - began


def bare(driver: Chrome) -> list[str]:
    """Charts of the dashboard in which nothing is drawn, by their description."""
    found: list[str] = driver.execute_script("""
      return [...document.querySelectorAll('[data-testid=stVegaLiteChart]')]
        .filter(c => !c.querySelector('.role-mark path[d]:not([d=""])')).map(c => c.innerText.slice(0, 60));""")
    return found


def height(driver: Chrome) -> int:
    """How tall the page is, with nothing to scroll."""
    whole = "document.querySelector('[data-testid=stMain]') ?? document.documentElement"
    return int(driver.execute_script(f"return ({whole}).scrollHeight"))
