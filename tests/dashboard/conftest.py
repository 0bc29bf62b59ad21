"""One lake for all of these tests."""

import pytest

from dashboard.lakes import hostile
from support.lake import Lake


@pytest.fixture(scope="package")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Two days, two media, one of them with a hostile name."""
    return hostile(tmp_path_factory.mktemp("dashboard") / "lake")
