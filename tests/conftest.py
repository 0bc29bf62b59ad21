"""What every test may count on: no setting of this machine takes part."""

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from support.emulated import Account, emulator

# How fast this machine is at the moment says nothing about the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# Tests that share something expensive beyond their file, and files that take minutes: these start first, so
# that no worker is left alone with them at the end.
STAGE = tuple(
    f"tests/aws/test_{name}.py" for name in ("deployed", "smoke", "scripts")
)  # one build, one account
SLOW = (
    *STAGE,
    "tests/parity/",
    "tests/pipeline/test_crash",
    "tests/privacy/",
    "tests/e2e/",
)


def pytest_configure(config: pytest.Config) -> None:
    """The order of this file is the workers': left alone, they begin with the files of the most tests."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Divide the tests among workers by file (`pytest -n 2 --dist loadgroup`): lakes are made once a file."""
    for item in items:
        place = item.nodeid.split("::")[0]
        item.add_marker(pytest.mark.xdist_group(STAGE[0] if place in STAGE else place))
    items.sort(key=lambda item: next((n for n, p in enumerate(SLOW) if item.nodeid.startswith(p)), len(SLOW)))


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
