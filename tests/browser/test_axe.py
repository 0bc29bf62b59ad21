"""Nobody is kept out: axe-core finds nothing of moderate impact or worse in report and dashboard."""

from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from browser.axe import findings
from browser.chrome import look
from browser.served import PAGES, open_page
from dashboard.published import Published
from wistlake_dashboard.report import page

pytestmark = [pytest.mark.browser, pytest.mark.engine]
LOOKS = [(1280, "light"), (390, "dark")]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
@pytest.mark.parametrize("path", PAGES, ids=[p or "overview" for p in PAGES])
def test_every_page_of_the_dashboard(
    driver: Chrome, address: str, path: str, width: int, scheme: str
) -> None:
    look(driver, width, scheme)
    open_page(driver, address, path)
    driver.execute_script(
        "document.querySelectorAll('details:not([open]) > summary').forEach(s => s.click())"
    )
    assert findings(driver) == []


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_report(driver: Chrome, report: Path, width: int, scheme: str) -> None:
    look(driver, width, scheme)
    driver.get(report.as_uri())
    driver.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert findings(driver) == []


def test_the_report_of_nothing(driver: Chrome, tmp_path: Path) -> None:
    look(driver, 1280, "light")
    path = tmp_path / "report.html"
    path.write_text(page(Published({}), None), encoding="utf-8")
    driver.get(path.as_uri())
    assert findings(driver) == []
