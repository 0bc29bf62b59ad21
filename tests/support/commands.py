"""Commands of the product, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wistia_simulator import ServerOptions, World, create_app
from wistia_simulator.main import running
from wistlake.entrypoints.cli.main import main


def call(*arguments: str) -> int:
    """The exit code of one command."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return int(end.value.code or 0)


@contextmanager
def served(world: World, lake: Path, patch: pytest.MonkeyPatch, **more: str) -> Iterator[None]:
    """Settings that point to the lake in a folder, and to the simulated Wistia of a world; `more` are others."""
    with running(create_app(world, ServerOptions(token="simulated", rate_limit_per_minute=None))) as url:
        for name, value in {
            "WISTIA_API_TOKEN": "simulated",
            "WISTIA_BASE_URL": f"{url}/modern",
            "WISTLAKE_LAKE": str(lake),
            "MEDIA_IDS": "all",
            **more,
        }.items():
            patch.setenv(name, value)
        yield
