"""Log lines are collected instead of printed; tests that care about them ask for `lines`."""

import pytest
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def lines():
    with capture_logs() as collected:
        yield collected
