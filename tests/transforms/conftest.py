"""One Sail session for all table tests."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from wistlake.adapters.engine import sail
from wistlake.adapters.engine.tables import EngineTables
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.ports import TableStore

NOW = datetime(2026, 3, 5, 2, 15, tzinfo=UTC)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TableStore]:
    """A table store on Sail, with a lake of its own."""
    lake = tmp_path_factory.mktemp("tables")
    catalog = LocalCatalog(lake)
    with sail.session(catalog.sql, lake / "scratch") as session:
        yield EngineTables(session, catalog, lake / "staging")


@pytest.fixture(scope="session")
def spark(store: TableStore) -> SparkSession:
    """The engine's session."""
    return store.spark


@pytest.fixture
def built_at(spark: SparkSession) -> Column:
    """When the build began."""
    return F.lit(NOW)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every table test needs the engine."""
    for item in items:
        if "tests/transforms" in str(item.path):
            item.add_marker(pytest.mark.engine)
