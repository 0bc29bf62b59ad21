"""The laptop's engine: Sail or Spark on this machine, with the catalog of a lake folder."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from wistlake import machine
from wistlake.adapters.local import checksums, damage, disk
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.errors import explained
from wistlake.ports import TableStore


def load() -> None:
    """Import what `tables` needs, and the report after it. A run does so beside its fetching: it is most of a small
    run's time."""
    import duckdb
    import pyspark.sql.connect.session  # noqa: F401

    import wistlake.adapters.engine.sail
    import wistlake.adapters.local.catalog
    import wistlake.pipeline.tables.gold
    import wistlake.pipeline.tables.silver  # noqa: F401
    from wistlake.adapters import duckdb_query

    with suppress(duckdb.Error):  # whoever reads tables will say it
        duckdb_query.are_signed()


def tables(folder: LakeFolder, engine_name: str) -> Callable[[], AbstractContextManager[TableStore]]:
    """Starts the engine, with the lake's catalog, for the length of a block."""

    @contextmanager
    def started() -> Iterator[TableStore]:
        from wistlake.adapters.engine import path_alias, sail, spark
        from wistlake.adapters.engine.tables import EngineTables, wipe
        from wistlake.adapters.local.catalog import LocalCatalog

        machine.open_enough_files()
        with explained(lambda: disk.troubles(folder.root)), damage.explained(folder):
            catalog = LocalCatalog(folder.root)
            catalog.require(SqliteLedger(folder.ledger, read_only=True).publication())
            engine = sail.session if engine_name == "sail" else spark.session
            scratch = folder.staging / engine_name
            wipe(folder.staging)  # left by a run that died
            with (
                path_alias.alias(folder.root) as lake,
                engine(catalog.sql, scratch, middleware=lake.middleware) as session,
            ):
                yield EngineTables(session, catalog, Path(lake.place(str(folder.staging))), place=lake.place)
            wipe(folder.staging)
            catalog.require(None)
            for lacking in damage.tables(folder, deep=False):
                raise lacking
            checksums.seal(folder.root)

    return started
