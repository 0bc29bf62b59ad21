"""How tests are divided among workers (`pytest -n 2`): by file, for lakes are made once a file, and the longest first.

Our own scheduler, for `--dist loadgroup` of xdist 3.8 knows no groups under pytest 9.2: each test goes alone.
"""

import pytest
from xdist.scheduler import LoadScopeScheduling

# One build, one emulated account with one deployed stage, and tests that go on where others have left it.
STAGE = tuple(f"tests/aws/test_{name}.py" for name in ("deployed", "smoke", "lease", "scripts", "engines"))
# Files that take minutes start first, so that no worker is left alone with them at the end.
SLOW = (
    *STAGE,
    "tests/parity/",
    "tests/pipeline/test_crash",
    "tests/privacy/",
    "tests/e2e/",
)


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """A worker takes a whole file, in the order of the collection."""

    def _split_scope(self, nodeid: str) -> str:
        place = nodeid.split("::", maxsplit=1)[0]
        return STAGE[0] if place in STAGE else place


def scheduler(config: pytest.Config, log: object) -> ByFile:
    """The scheduler of a run on several workers."""
    config.option.loadscopereorder = False  # left alone, it begins with the files of the most tests
    return ByFile(config, log)


def longest_first(items: list[pytest.Item]) -> None:
    """The order in which workers take what there is."""
    items.sort(key=lambda item: next((n for n, p in enumerate(SLOW) if item.nodeid.startswith(p)), len(SLOW)))
