"""One lake of people, three days old, for the tests that forget some of them."""

import pytest

from privacy.people import DAYS, lake_of_people
from support.checkpoints import Checkpoint
from support.lake import Lake


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """The lake as its three runs have left it."""
    lake = lake_of_people(tmp_path_factory.mktemp("people") / "lake")
    lake.run_days(DAYS)
    return Checkpoint(lake)


@pytest.fixture
def lake(built: Checkpoint) -> Lake:
    """A copy of it, to change."""
    return built.restored()
