"""What Glue is to the emulator: one Apache Spark, kept alive, that runs the deployed script for each job.

Reads an order a line on standard input (script, packages, arguments, buckets, environment) and answers
`{"error": ""}`. Each job gets a Spark session of its own, the modules of its own package, its role's keys,
and its settings (`--conf`), with two replaced:

- The catalog: Iceberg's Glue catalog needs AWS's Java SDK, which no Python package carries. The session talks
  to an Iceberg REST service in this process, and that to the emulated Glue, with the job's role.
- The files: `s3://` is a folder that is kept equal to the bucket, also before the job itself looks into it.
"""

import json
import os
import runpy
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import Table

from support import java_names
from support.aws.mirror import ROOT, Mirror, MirrorIO
from wistlake.adapters.engine.spark import iceberg_jar, java_home
from wistlake.adapters.local import rest_catalog

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Order = Mapping[str, Any]
WRITTEN = "--silver_bucket"  # by Spark: what boto3 sees of it must be up to date
OURS = ("wistlake", "wistia_simulator", "wistlake_dashboard")


class _OneLevel(GlueCatalog):
    """Glue's catalog as Iceberg's Java client sees it: `lake.db.table.history` isn't a table of `db.table`, and
    nobody is asked whether it is."""

    def load_table(self, identifier: str | tuple[str, ...]) -> Table:
        """The table; NoSuchTableError for a namespace below a database."""
        if "\x1f" in identifier[0]:
            raise NoSuchTableError(f"{identifier} is below a table")
        return super().load_table(identifier)


def main() -> None:
    """Serve orders until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what jobs print is no answer
    java_names.remember()
    _forget_our_sources()
    spark, mirrors = _spark(), _Mirrors()
    for line in sys.stdin:
        answers.write(json.dumps({"error": _run(spark, json.loads(line), mirrors)}) + "\n")
        answers.flush()


class _Mirrors:
    """The mirrors by their root: one, for all jobs of an account."""

    def __init__(self) -> None:
        self._all: dict[Path, Mirror] = {}

    def of(self, order: Order) -> Mirror:
        """The order's."""
        root = Path(next(iter(order["buckets"].values()))).parent
        return self._all.setdefault(root, Mirror(root))


def _forget_our_sources() -> None:
    """From here on only what a job's package brings can be imported."""
    sys.path[:] = [p for p in sys.path if not (Path(p or ".") / OURS[0]).is_dir()]
    _forget_modules()


def _forget_modules() -> None:
    for name in [n for n in sys.modules if n.split(".")[0] in OURS]:
        del sys.modules[name]


def _spark() -> "SparkSession":
    os.environ["JAVA_HOME"] = java_home()
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.extraClassPath": str(iceberg_jar()),
        "spark.driver.memory": "2g",
        # Jobs of seconds: what is compiled well is compiled for nobody. A heap that begins small is tidied often.
        # With one compiler alone, Java keeps 48 MB of code, and sweeps it all the time.
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m -XX:+UseSerialGC"
        " -Xms1g -Xmn640m -XX:MetaspaceSize=384m",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.local.dir": os.environ["TMPDIR"],
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.leafNodeDefaultParallelism": "1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme",
        "spark.hadoop.fs.viewfs.overload.scheme.target.s3.impl": "org.apache.hadoop.fs.LocalFileSystem",
    }
    builder = SparkSession.builder.master("local[2]").appName("glue")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    SparkSession.stop = lambda self: None  # type: ignore[method-assign]  # a job's end is not ours
    return spark


def _run(spark: "SparkSession", order: Order, mirrors: _Mirrors) -> str:
    """Run one job; what went wrong, or nothing."""
    try:
        with _mirrored(order, mirrors.of(order)):
            return _script(spark, order)
    except Exception as e:
        traceback.print_exc()
        return f"{type(e).__name__}: {e}"


@contextmanager
def _mirrored(order: Order, mirror: Mirror) -> Iterator[None]:
    """The block with folders as the job's role finds the buckets; what it wrote is in them afterwards, and
    whenever it lists one by boto3."""
    client, buckets = _s3(order["environment"]), list(order["buckets"])
    written = order["arguments"].get(WRITTEN)

    def before_listing(params: Mapping[str, Any], **_: Any) -> None:
        if params.get("Bucket") == written:
            mirror.sync(client, [written])

    mirror.begin(client, buckets)
    boto3.setup_default_session()
    for listing in ("ListObjectsV2", "ListObjectVersions"):
        boto3.DEFAULT_SESSION.events.register(f"before-parameter-build.s3.{listing}", before_listing)
    try:
        yield
    finally:
        boto3.DEFAULT_SESSION = None  # it holds this job's keys, and the next one has another role's
        mirror.sync(client, buckets)


def _s3(keys: Mapping[str, str]) -> Any:
    return botocore.session.get_session().create_client(
        "s3",
        region_name=keys["AWS_REGION"],
        endpoint_url=keys["AWS_ENDPOINT_URL"],
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=keys["AWS_SESSION_TOKEN"] or None,
    )


def _script(spark: "SparkSession", order: Order) -> str:
    arguments = order["arguments"]
    before = (list(sys.path), sys.argv, dict(os.environ))
    try:
        with _catalog(order) as uri:
            _session(spark, order, uri)
            sys.path[:0] = order["packages"]
            sys.argv = [order["script"], *(text for pair in arguments.items() for text in pair)]
            os.environ.update(order["environment"])
            runpy.run_path(order["script"], run_name="__main__")
    except SystemExit as e:
        return "" if e.code in (None, 0) else f"the script ended with {e.code}"
    except BaseException as e:
        traceback.print_exc()
        return f"{type(e).__name__}: {e}"
    finally:
        sys.path[:], sys.argv = before[:2]
        os.environ.clear()
        os.environ.update(before[2])
        _forget_modules()
    return ""


@contextmanager
def _catalog(order: Order) -> Iterator[str]:
    """The emulated Glue catalog, seen with the job's role, as an Iceberg REST service."""
    keys = order["environment"]
    access = {
        "endpoint": keys["AWS_ENDPOINT_URL"],
        "region": keys["AWS_REGION"],
        "access-key-id": keys["AWS_ACCESS_KEY_ID"],
        "secret-access-key": keys["AWS_SECRET_ACCESS_KEY"],
        "session-token": keys["AWS_SESSION_TOKEN"],
    }
    mirror = Path(next(iter(order["buckets"].values()))).parent
    catalog = _OneLevel(
        "glue",
        **{f"glue.{name}": value for name, value in access.items()},
        **{"py-io-impl": f"{MirrorIO.__module__}.{MirrorIO.__name__}", ROOT: str(mirror)},
    )
    with rest_catalog.serve(catalog) as uri:  # type: ignore[arg-type]  # any PyIceberg catalog will do
        yield uri


def _session(spark: "SparkSession", order: Order, uri: str) -> None:
    """A session of the job's own becomes the one that `getOrCreate` gives."""
    from pyspark.sql import SparkSession

    files = spark.sparkContext._jsc.hadoopConfiguration()
    for bucket, folder in order["buckets"].items():
        files.set(f"fs.viewfs.mounttable.{bucket}.linkFallback", f"file://{folder}")
    session = spark.newSession()
    for name, value in {**_conf(order["arguments"].get("--conf", "")), **_replaced(uri)}.items():
        if name != "spark.sql.extensions":  # can't be set any more, and is
            session.conf.set(name, value)
    SparkSession._instantiatedSession = session
    for scope in ("setDefaultSession", "setActiveSession"):
        getattr(session._jvm.SparkSession, scope)(session._jsparkSession)  # type: ignore[union-attr]


def _conf(text: str) -> dict[str, str]:
    """Glue's way to give several settings as one argument: `a=b --conf c=d`."""
    pairs = (part.strip().partition("=") for part in text.split("--conf ") if part.strip())
    return {name: value for name, _, value in pairs if "catalog-impl" not in name}


def _replaced(uri: str) -> dict[str, str]:
    lake = "spark.sql.catalog.lake"
    return {
        lake: "org.apache.iceberg.spark.SparkCatalog",
        f"{lake}.type": "rest",
        f"{lake}.uri": uri,
        f"{lake}.io-impl": "org.apache.iceberg.hadoop.HadoopFileIO",
        f"{lake}.cache-enabled": "false",
    }


if __name__ == "__main__":
    main()
