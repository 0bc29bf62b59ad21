"""What every test may count on: no setting of this machine takes part."""

import os
from collections.abc import Iterator

import pytest
import structlog

from support.emulated import Account, emulator


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
