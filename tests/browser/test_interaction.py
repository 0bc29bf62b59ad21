"""The dashboard by hand, wide and narrow: a preset, a filter, a click, a reload, a file, and by keyboard alone. What is
chosen stands in the address."""

import csv
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from browser.chrome import LOOKS, look, until
from browser.served import dashboard, drawn, open_page
from browser.test_many import LAST, TITLES, rows
from support.lake import Lake
from support.published import publish
from wistlake.contracts import table

pytestmark = [pytest.mark.browser, pytest.mark.engine]


def chosen(driver: Chrome) -> dict[str, list[str]]:
    """What the address says."""
    return parse_qs(urlsplit(driver.current_url).query)


def press(driver: Chrome, css: str, text: str) -> None:
    """Click what has this text, as soon as it is there."""
    found = "return [...document.querySelectorAll(arguments[0])].find(e => e.innerText.trim().startsWith(arguments[1]))"
    until(lambda: driver.execute_script(found, css, text))
    driver.execute_script(found, css, text).click()


def shown(driver: Chrome, label: str) -> str:
    """What a box of the bar shows."""
    return str(
        driver.execute_script(
            "const box = [...document.querySelectorAll('[data-testid=stSelectbox]')]"
            ".find(b => b.innerText.startsWith(arguments[0])); return (box.querySelector('input').value "
            "|| box.innerText).replace(arguments[0], '').trim()",
            label,
        )
    )


@pytest.fixture(params=LOOKS[::3], ids=str)
def at_first(request: pytest.FixtureRequest, driver: Chrome, address: str) -> Chrome:
    """The overview, as it is at first: in a wide window that is light, and in a narrow one that is dark."""
    look(driver, *request.param)
    driver.get(address)
    until(lambda: drawn(driver))
    return driver


def told(driver: Chrome) -> str:
    """What the page says."""
    return str(driver.find_element(By.CSS_SELECTOR, "[data-testid=stMain]").text)


def click_in(driver: Chrome, css: str, right: float, down: float) -> None:
    """Click so far (of its width) into the first of these, and so many pixels down."""
    found = driver.find_element(By.CSS_SELECTOR, css)
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
    width, height = found.size["width"], found.size["height"]
    # Offsets count from the middle.
    x, y = int(width * right) - width // 2, int(down) - height // 2
    ActionChains(driver).move_to_element_with_offset(found, x, y).click().perform()


def test_a_preset_stays_over_pages_and_a_reload(at_first: Chrome, address: str) -> None:
    press(at_first, "[data-testid=stSelectbox] [role=combobox], [data-testid=stSelectbox] input", "")
    press(at_first, "[role=option]", "7 days")
    until(lambda: chosen(at_first).get("period") == ["7"])
    open_page(at_first, address, "traffic")
    until(lambda: chosen(at_first).get("period") == ["7"])
    at_first.refresh()
    until(lambda: drawn(at_first))
    assert chosen(at_first) == {"period": ["7"]}
    assert shown(at_first, "Period") == "7 days"
    assert at_first.find_element(By.TAG_NAME, "h1").text == "Traffic"


def test_an_address_shows_what_it_says(driver: Chrome, address: str, lake: Lake) -> None:
    (row,) = lake.sql("SELECT min(media_id) AS m, max(date) AS d FROM gold.fact_media_daily")
    (plays,) = lake.sql(
        "SELECT sum(plays)::BIGINT AS n FROM gold.fact_media_daily "
        f"WHERE media_id = '{row['m']}' AND date = '{row['d']}'"
    )
    look(driver, 1280, "light")
    driver.get(f"{address}?period=custom&from={row['d']}&to={row['d']}&media={row['m']}")
    until(lambda: drawn(driver))
    value = driver.find_element(By.CSS_SELECTOR, "[data-testid=stMetricValue]").text
    assert value == f"{plays['n']:,}"


def test_a_channel_is_a_filter_and_stands_in_the_address(at_first: Chrome) -> None:
    press(at_first, "[data-testid=stPopover] button", "")
    box = "[data-testid=stMultiSelect] input"
    until(lambda: at_first.find_elements(By.CSS_SELECTOR, box))
    at_first.find_elements(By.CSS_SELECTOR, box)[0].click()
    press(at_first, "[role=option]", "")
    until(lambda: "channel" in chosen(at_first))
    until(lambda: "Plays in sessions" in told(at_first) and drawn(at_first))
    numbers = "[data-testid=stMetricValue]"
    before = [e.text for e in at_first.find_elements(By.CSS_SELECTOR, numbers)]
    at_first.refresh()
    until(lambda: drawn(at_first))
    assert [e.text for e in at_first.find_elements(By.CSS_SELECTOR, numbers)] == before


def test_a_row_opens_its_video(at_first: Chrome, address: str, lake: Lake) -> None:
    open_page(at_first, address, "videos")
    (most,) = lake.sql(
        "SELECT media_id FROM gold.fact_media_daily GROUP BY 1 ORDER BY sum(plays) DESC LIMIT 1"
    )
    width = at_first.find_element(By.CSS_SELECTOR, "[data-testid=stDataFrame]").size["width"]
    # The box at the left of the first row, below the header.
    click_in(at_first, "[data-testid=stDataFrame]", 20 / width, 54)
    until(lambda: urlsplit(at_first.current_url).path.endswith("/video"))
    assert chosen(at_first)["video"] == [most["media_id"]]
    until(lambda: drawn(at_first))
    assert at_first.find_element(By.TAG_NAME, "h1").text == "Video"
    at_first.refresh()
    until(lambda: drawn(at_first))
    assert chosen(at_first)["video"] == [most["media_id"]]


def test_a_channels_bar_filters(driver: Chrome, served: str) -> None:
    look(driver, 1280, "light")
    driver.get(served)
    until(lambda: drawn(driver))
    open_page(driver, served, "traffic")
    bar = "[data-testid=stVegaLiteChart] .mark-rect.role-mark path"
    found = driver.find_element(By.CSS_SELECTOR, bar)
    assert "What: Facebook" in str(found.get_attribute("aria-label"))
    click_in(driver, bar, 0.5, found.size["height"] / 2)
    until(lambda: chosen(driver).get("channel") == ["facebook"])
    until(lambda: drawn(driver) and "Filters (1)" in told(driver))


def test_a_day_that_is_clicked_is_shown_alone(driver: Chrome, served: str) -> None:
    look(driver, 1280, "light")
    driver.get(served)
    until(lambda: drawn(driver))
    chart = "[data-testid=stVegaLiteChart] svg"
    click_in(driver, chart, 0.97, 120)
    until(lambda: "from" in chosen(driver))
    assert chosen(driver) == {"period": ["custom"], "from": [LAST.isoformat()], "to": [LAST.isoformat()]}
    until(lambda: drawn(driver))
    driver.back()
    until(lambda: "from" not in chosen(driver) and drawn(driver))


def test_a_labels_row_filters(driver: Chrome, served: str) -> None:
    look(driver, 1280, "light")
    driver.get(served)
    until(lambda: drawn(driver))
    open_page(driver, served, "traffic")
    tables = driver.find_elements(By.CSS_SELECTOR, "[data-testid=stDataFrame]")
    width = tables[-1].size["width"]
    driver.execute_script("arguments[0].id = 'labels'", tables[-1])
    click_in(driver, "#labels", 20 / width, 54)
    until(lambda: "label" in chosen(driver))
    (label,) = chosen(driver)["label"]
    assert label.removeprefix("campaign=") in TITLES
    until(lambda: drawn(driver) and "Filters (1)" in told(driver))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard of a few videos with two weeks of plays, channels and labels."""
    folder = tmp_path_factory.mktemp("few") / "lake"
    publish(folder, {table(name): of_table for name, of_table in rows(5, 4).items()})
    with dashboard(folder) as found:
        yield found


def test_a_table_is_a_file_named_by_its_days(
    at_first: Chrome, address: str, lake: Lake, tmp_path: Path
) -> None:
    open_page(at_first, address, "videos")
    allow = {"behavior": "allow", "downloadPath": str(tmp_path)}
    at_first.execute_cdp_cmd("Browser.setDownloadBehavior", allow)
    press(at_first, "[data-testid=stDownloadButton] button", "")
    until(lambda: list(tmp_path.glob("wistlake-media-*.csv")))
    (file,) = tmp_path.glob("wistlake-media-*-to-*.csv")
    found = list(csv.DictReader(file.open(encoding="utf-8")))
    assert {r["media_id"] for r in found} == {r["media_id"] for r in lake.rows("silver.dim_media")}
    assert "average_viewed_share (share of 1)" in found[0]


def tab_to(driver: Chrome, css: str) -> None:
    """Press Tab until the focus is on one of these. AssertionError if it never is."""
    for _ in range(80):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        if driver.execute_script("return document.activeElement.matches(arguments[0])", css):
            return
    raise AssertionError(f"the keyboard does not reach {css}")


def test_the_keyboard_alone_changes_the_period_and_the_page(driver: Chrome, served: str) -> None:
    look(driver, 1280, "light")
    driver.get(served)
    until(lambda: drawn(driver))
    tab_to(driver, "[data-testid=stSelectbox] input, [data-testid=stSelectbox] [role=combobox]")
    ActionChains(driver).send_keys("90").perform()
    options = "return [...document.querySelectorAll('[role=option]')].map(e => e.innerText)"
    until(lambda: driver.execute_script(options) == ["90 days"])
    ActionChains(driver).send_keys(Keys.ENTER).perform()
    until(lambda: chosen(driver).get("period") == ["90"] and drawn(driver))
    driver.execute_script("document.activeElement.blur()")
    tab_to(driver, "[data-testid=stSidebarNavLink][href$='/traffic']")
    ActionChains(driver).send_keys(Keys.ENTER).perform()
    title = "return document.querySelector('h1')?.innerText"
    until(lambda: driver.execute_script(title) == "Traffic" and drawn(driver))
    assert chosen(driver) == {"period": ["90"]}
    tab_to(driver, "[data-testid=stPopover] button")
    ActionChains(driver).send_keys(Keys.ENTER).perform()
    until(lambda: driver.find_elements(By.CSS_SELECTOR, "[data-testid=stMultiSelect]"))
