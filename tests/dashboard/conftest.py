"""One lake for all of these tests."""

import sys
from collections.abc import Iterator

import pytest

from dashboard.lakes import hostile
from support.lake import Lake


@pytest.fixture(scope="package")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Two days, two media, one of them with a hostile name."""
    return hostile(tmp_path_factory.mktemp("dashboard") / "lake")


@pytest.fixture(autouse=True)
def _main_module_stays() -> Iterator[None]:
    """Streamlit's test runner takes the place of `__main__`, which processes that start later would run."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before
