"""One account for all tests here: bootstrapped, and `dev` deployed, as docs/setup.md says."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.aws import tools
from support.aws.cloud import running
from support.aws.stage import Stage, stage
from support.lake import Scenario
from wistia_simulator import Profile

SCENARIO = Scenario(
    profile=Profile(media=3, sessions_per_day=10, history_days=4, email_share=0.3, returning_share=0.3),
    settings={"lookback_days": 2},
)


@pytest.fixture(scope="session")
def built() -> Path:
    """What `make aws-build` makes."""
    subprocess.run([sys.executable, "infra/build.py"], cwd=tools.ROOT, check=True, timeout=300)
    return tools.ROOT / "build"


@pytest.fixture(scope="session")
def deployed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The stage `dev`, from an empty account."""
    with running(tmp_path_factory.mktemp("aws") / "account") as cloud, stage(cloud, SCENARIO) as made:
        cloud.bootstrap("dev")
        made.deploy()
        yield made
