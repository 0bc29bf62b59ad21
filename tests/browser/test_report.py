"""The report in a browser: light and dark, wide and narrow, on paper, and by keyboard alone."""

from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.keys import Keys

from browser.chrome import LOOKS, complaints, cut, faint, fresh, hosts, look, overflow, screenshot
from browser.served import height

pytestmark = [pytest.mark.browser, pytest.mark.engine]


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_it_looks_right(driver: Chrome, report: Path, tmp_path: Path, width: int, scheme: str) -> None:
    fresh(driver)
    look(driver, width, scheme)
    driver.get(report.as_uri())
    driver.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert faint(driver) == []
    assert overflow(driver) == 0
    assert cut(driver) == []
    picture = tmp_path / "report.png"
    screenshot(driver, picture, width, scheme, height(driver))
    assert picture.stat().st_size > 20_000
    assert complaints(driver) == []
    assert hosts(driver) == set()


def test_dark_is_dark(driver: Chrome, report: Path) -> None:
    shades = []
    for scheme in ("light", "dark"):
        look(driver, 1280, scheme)
        driver.get(report.as_uri())
        shades.append(driver.execute_script("return getComputedStyle(document.body).backgroundColor"))
    assert shades == ["rgb(255, 255, 255)", "rgb(18, 21, 27)"]


@pytest.mark.parametrize("width", [1280, 390])
def test_every_definition_appears_on_focus_and_on_hover(driver: Chrome, report: Path, width: int) -> None:
    look(driver, width, "light")
    driver.get(report.as_uri())
    driver.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true })")
    shown = driver.execute_script("""
      return [...document.querySelectorAll('.term')].map(term => {
        const tip = document.getElementById(term.getAttribute('aria-describedby'));
        const before = tip.checkVisibility();
        term.focus();
        const box = tip.getBoundingClientRect();
        const inside = box.left >= 0 && box.right <= innerWidth;
        return [term.textContent, before, tip.checkVisibility(), inside, tip.textContent];
      })""")
    assert len(shown) > 20
    assert [s for s in shown if s[1:4] != [False, True, True] or not s[4]] == []


def test_the_keyboard_reaches_the_first_definition(driver: Chrome, report: Path) -> None:
    look(driver, 1280, "light")
    driver.get(report.as_uri())
    driver.switch_to.active_element.send_keys(Keys.TAB)
    assert driver.switch_to.active_element.text == "Plays"


def test_on_paper_nothing_is_hidden_behind_a_pointer(driver: Chrome, report: Path) -> None:
    look(driver, 800, "dark")
    driver.get(report.as_uri())
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert (
            driver.execute_script("return getComputedStyle(document.body).backgroundColor")
            == "rgb(255, 255, 255)"
        )
        assert not driver.execute_script(
            "return [...document.querySelectorAll('.tip')].some(t => t.checkVisibility())"
        )
        assert "Definitions" in driver.execute_script("return document.body.innerText")
        assert faint(driver) == []
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
