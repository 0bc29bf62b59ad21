"""The dashboard by hand: a preset, a filter, a row, a reload, a file. What is chosen stands in the address."""

import csv
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By

from browser.chrome import look, until
from browser.served import drawn, open_page
from support.lake import Lake

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


@pytest.fixture
def at_first(driver: Chrome, address: str) -> Chrome:
    """The overview, as it is at first."""
    look(driver, 1280, "light")
    driver.get(address)
    until(lambda: drawn(driver))
    return driver


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
    until(lambda: "Plays in sessions" in at_first.find_element(By.CSS_SELECTOR, "[data-testid=stMain]").text)


def test_a_row_opens_its_video(driver: Chrome, address: str, lake: Lake) -> None:
    look(driver, 1280, "light")
    driver.get(address)
    until(lambda: drawn(driver))
    open_page(driver, address, "videos")
    (most,) = lake.sql(
        "SELECT media_id FROM gold.fact_media_daily GROUP BY 1 ORDER BY sum(plays) DESC LIMIT 1"
    )
    table = driver.find_element(By.CSS_SELECTOR, "[data-testid=stDataFrame]")
    width, height = table.size["width"], table.size["height"]
    # The box at the left of the first row, below the header; offsets count from the middle.
    ActionChains(driver).move_to_element_with_offset(
        table, 20 - width // 2, 54 - height // 2
    ).click().perform()
    until(lambda: urlsplit(driver.current_url).path.endswith("/video"))
    assert chosen(driver)["video"] == [most["media_id"]]
    until(lambda: drawn(driver))
    assert driver.find_element(By.TAG_NAME, "h1").text == "Video"


def test_a_table_is_a_file_named_by_its_days(
    driver: Chrome, address: str, lake: Lake, tmp_path: Path
) -> None:
    look(driver, 1280, "light")
    driver.get(address)
    until(lambda: drawn(driver))
    open_page(driver, address, "videos")
    allow = {"behavior": "allow", "downloadPath": str(tmp_path)}
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", allow)
    press(driver, "[data-testid=stDownloadButton] button", "")
    until(lambda: list(tmp_path.glob("wistlake-media-*.csv")))
    (file,) = tmp_path.glob("wistlake-media-*-to-*.csv")
    rows = list(csv.DictReader(file.open(encoding="utf-8")))
    assert {r["media_id"] for r in rows} == {r["media_id"] for r in lake.rows("silver.dim_media")}
    assert "average_viewed_share (share of 1)" in rows[0]
