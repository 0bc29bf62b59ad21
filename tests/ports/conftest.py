"""Every implementation of every port, by name. A new adapter joins a suite with one line here."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from ports.clock import Clock
from wistlake.adapters.local_objects import LocalObjects
from wistlake.adapters.memory import MemoryBudget, MemoryLedger, MemoryObjects
from wistlake.adapters.sqlite_budget import SqliteBudget
from wistlake.adapters.sqlite_ledger import SqliteLedger
from wistlake.ports import Budget, Ledger, ObjectStore

Wall = Callable[[], float]


@contextmanager
def _memory_objects(folder: Path) -> Iterator[ObjectStore]:
    yield MemoryObjects()


@contextmanager
def _local_objects(folder: Path) -> Iterator[ObjectStore]:
    yield LocalObjects(folder / "lake")


@contextmanager
def _memory_ledger(folder: Path) -> Iterator[Ledger]:
    yield MemoryLedger()


@contextmanager
def _sqlite_ledger(folder: Path) -> Iterator[Ledger]:
    ledger = SqliteLedger(folder / "lake" / "ledger.db")
    yield ledger
    ledger.close()


@contextmanager
def _memory_budget(folder: Path, per_minute: int, burst: int, wall: Wall) -> Iterator[Budget]:
    yield MemoryBudget(per_minute, burst, wall)


@contextmanager
def _sqlite_budget(folder: Path, per_minute: int, burst: int, wall: Wall) -> Iterator[Budget]:
    budget = SqliteBudget(folder / "budget.db", "account", per_minute, burst, wall)
    yield budget
    budget.close()


OBJECTS: dict[str, Callable[[Path], AbstractContextManager[ObjectStore]]] = {
    "memory": _memory_objects,
    "local": _local_objects,
}
LEDGERS: dict[str, Callable[[Path], AbstractContextManager[Ledger]]] = {
    "memory": _memory_ledger,
    "sqlite": _sqlite_ledger,
}
BUDGETS: dict[str, Callable[[Path, int, int, Wall], AbstractContextManager[Budget]]] = {
    "memory": _memory_budget,
    "sqlite": _sqlite_budget,
}


@pytest.fixture(params=OBJECTS)
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    with OBJECTS[request.param](tmp_path) as store:
        yield store


@pytest.fixture(params=LEDGERS)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    with LEDGERS[request.param](tmp_path) as store:
        yield store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=BUDGETS)
def make_budget(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> Callable[[int, int], AbstractContextManager[Budget]]:
    """(per_minute, burst) -> a budget that runs on `clock`."""
    return lambda per_minute, burst: BUDGETS[request.param](tmp_path, per_minute, burst, clock)
