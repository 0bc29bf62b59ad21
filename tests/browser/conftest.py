"""One lake, one dashboard, one browser for all of these tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome

from browser.chrome import CHROMIUM, DRIVER, chromium
from browser.served import dashboard
from dashboard.lakes import hostile
from support.lake import Lake
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake_dashboard.report import newest_scope, page


@pytest.fixture(scope="package")
def driver() -> Iterator[Chrome]:
    assert CHROMIUM, "these tests need Chromium: `make chromium` installs it"
    assert DRIVER, "these tests need Chromium's driver: `make chromium` installs it"
    with chromium() as found:
        yield found


@pytest.fixture(scope="package")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return hostile(tmp_path_factory.mktemp("browser") / "lake")


@pytest.fixture(scope="package")
def report(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    query = DuckDBQuery(lake.ledger)
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page(query, newest_scope(query)), encoding="utf-8")
    return path


@pytest.fixture(scope="package")
def address(lake: Lake) -> Iterator[str]:
    with dashboard(lake.folder) as found:
        yield found
