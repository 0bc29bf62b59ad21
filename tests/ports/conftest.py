"""Every implementation of every port, by name. A new adapter joins a suite with one line here."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from ports.clock import Clock
from support.emulated import Account
from support.memory import MemoryBudget, MemoryLedger, MemoryObjects
from wistlake.adapters.aws.budget import DynamoBudget
from wistlake.adapters.aws.ledger import DynamoLedger
from wistlake.adapters.aws.objects import S3Objects
from wistlake.adapters.local.budget import SqliteBudget
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.objects import LocalObjects
from wistlake.ports import Budget, Ledger, ObjectStore

Wall = Callable[[], float]


class Place:
    """Where an implementation keeps its things: a folder, or an emulated account that starts when asked for."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self._request, self.folder = request, folder

    @property
    def account(self) -> Account:
        started: Account = self._request.getfixturevalue("account")
        return started


@contextmanager
def _memory_objects(place: Place) -> Iterator[ObjectStore]:
    yield MemoryObjects()


@contextmanager
def _local_objects(place: Place) -> Iterator[ObjectStore]:
    yield LocalObjects(place.folder / "lake")


@contextmanager
def _memory_ledger(place: Place) -> Iterator[Ledger]:
    yield MemoryLedger()


@contextmanager
def _sqlite_ledger(place: Place) -> Iterator[Ledger]:
    ledger = SqliteLedger(place.folder / "lake" / "ledger.db")
    yield ledger
    ledger.close()


@contextmanager
def _memory_budget(place: Place, per_minute: int, burst: int, wall: Wall) -> Iterator[Budget]:
    yield MemoryBudget(per_minute, burst, wall)


@contextmanager
def _sqlite_budget(place: Place, per_minute: int, burst: int, wall: Wall) -> Iterator[Budget]:
    budget = SqliteBudget(place.folder / "budget.db", "account", per_minute, burst, wall)
    yield budget
    budget.close()


@contextmanager
def _s3_objects(place: Place) -> Iterator[ObjectStore]:
    yield S3Objects(place.account.bucket(), place.account.client("s3"))


@contextmanager
def _dynamo_ledger(place: Place) -> Iterator[Ledger]:
    account = place.account
    yield DynamoLedger(
        account.table("pk", "sk"), account.table("dataset", "media_id"), account.client("dynamodb")
    )


@contextmanager
def _dynamo_budget(place: Place, per_minute: int, burst: int, wall: Wall) -> Iterator[Budget]:
    account = place.account
    yield DynamoBudget(
        account.table("pk", "sk"), "account", per_minute, burst, wall, account.client("dynamodb")
    )


OBJECTS: dict[str, Callable[[Place], AbstractContextManager[ObjectStore]]] = {
    "memory": _memory_objects,
    "local": _local_objects,
    "aws": _s3_objects,
}
LEDGERS: dict[str, Callable[[Place], AbstractContextManager[Ledger]]] = {
    "memory": _memory_ledger,
    "sqlite": _sqlite_ledger,
    "aws": _dynamo_ledger,
}
BUDGETS: dict[str, Callable[[Place, int, int, Wall], AbstractContextManager[Budget]]] = {
    "memory": _memory_budget,
    "sqlite": _sqlite_budget,
    "aws": _dynamo_budget,
}


def _marked(names: Iterable[str]) -> list[object]:
    return [pytest.param(n, marks=pytest.mark.aws if n == "aws" else ()) for n in names]


@pytest.fixture(params=_marked(OBJECTS))
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    with OBJECTS[request.param](Place(request, tmp_path)) as store:
        yield store


@pytest.fixture(params=_marked(LEDGERS))
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    with LEDGERS[request.param](Place(request, tmp_path)) as store:
        yield store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=_marked(BUDGETS))
def make_budget(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> Callable[[int, int], AbstractContextManager[Budget]]:
    """(per_minute, burst) -> a budget that runs on `clock`."""
    return lambda per_minute, burst: BUDGETS[request.param](
        Place(request, tmp_path), per_minute, burst, clock
    )
