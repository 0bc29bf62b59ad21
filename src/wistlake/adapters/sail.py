"""Sail: a Spark Connect server in Rust, in this process. No Java."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@contextmanager
def session(catalog_uri: str) -> Iterator["SparkSession"]:
    """A session whose catalog `lake` is the Iceberg REST service at `catalog_uri`.

    Sail takes its catalogs from the environment, once, when its server starts.
    """
    os.environ["SAIL_CATALOG__LIST"] = (
        json.dumps([{"name": "lake", "type": "iceberg-rest", "uri": catalog_uri}])
        .replace('"name":', "name=")
        .replace('"type":', "type=")
        .replace('"uri":', "uri=")
    )
    os.environ["SAIL_CATALOG__DEFAULT_CATALOG"] = "lake"
    os.environ.setdefault("RUST_LOG", "error")
    # Sail's allocator keeps what it has freed unless told otherwise: a fifth of a small run's memory.
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", "0")
    # As small as at the default level, and written in five sixths of the time.
    os.environ.setdefault("SAIL_PARQUET__COMPRESSION", "zstd(1)")
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer("127.0.0.1", 0)
    server.start(background=True)
    try:
        _, port = server.listening_address
        spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").create()
        # A session's zone decides how timestamps without one are read: everything here is UTC.
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        try:
            yield spark
        finally:
            # Also after an error: a session left behind would be asked by whatever is built next.
            spark.stop()
    finally:
        server.stop()
