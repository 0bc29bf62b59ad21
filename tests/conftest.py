"""What every test may count on: no setting of this machine takes part."""

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from support import workers
from support.emulated import Account, emulator

# How fast this machine is at the moment says nothing about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> workers.ByFile:
    """Called by xdist where there are several workers."""
    return workers.scheduler(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first."""
    workers.longest_first(items)


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("WISTIA_", "WISTLAKE_", "MEDIA_IDS", "SLACK_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _logs_as_they_come() -> Iterator[None]:
    """A command sets up logging for its whole process: the next test begins anew."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """One emulated AWS account for all tests that ask for it."""
    with emulator(tmp_path_factory.mktemp("emulator")) as started:
        yield started
