"""Sail: a Spark Connect server in Rust, in a process of its own. No Java.

PySpark and gRPC load slowly, so they are imported when a session is opened.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from wistlake.adapters.engine import sail_process
from wistlake.adapters.local import rest_catalog
from wistlake.adapters.local.rest_catalog import Middleware, no_middleware
from wistlake.errors import StoreError
from wistlake.machine import make_private

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyspark.sql import SparkSession

# The variables that the engine's process inherits: no token, no webhook's address, no proxy.
_INHERITED = (
    *("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT"),
)
_INHERITED_PREFIXES = ("SAIL_", "RUST_", "MIMALLOC_")
_DEFAULTS: Mapping[str, str] = {
    "RUST_LOG": "error",
    # By default Sail's allocator keeps freed memory and reserves more than it needs. It gives it back after a
    # millisecond: to do so at once (0) costs a quarter of the processor time.
    "MIMALLOC_PURGE_DELAY": "1",
    "MIMALLOC_ARENA_EAGER_COMMIT": "0",
    # Files as small as at the default level, written in five sixths of the time.
    "SAIL_PARQUET__COMPRESSION": "zstd(1)",
}
_FOLDER_LIMIT = 80  # characters; a socket's path can have about a hundred
_SECONDS_TO_END = 10.0
_SECONDS_TO_START = 120.0  # normally less than one
# One connection for the whole build, without a proxy: no second one is accepted. Sail rejects the host name that
# gRPC gives a Unix socket.
_CHANNEL = (
    ("grpc.client_idle_timeout_ms", 2**31 - 1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.default_authority", "localhost"),
)


@contextmanager
def session(
    catalog: "SqlCatalog", scratch: Path, *, middleware: Middleware = no_middleware, private: bool = True
) -> Iterator["SparkSession"]:
    """A session with `catalog` as its catalog `lake`; it spills to `scratch`.

    With `private`, the engine runs in a network namespace of its own, if the system allows it.
    """
    with engine(catalog, scratch, middleware=middleware, private=private) as running:
        spark = _connect(running.address)
        # Timestamps without a zone are read in the session's.
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        try:
            yield spark
        except Exception as e:
            if running.process.poll() is not None:
                raise _ended(running.process) from e
            raise
        finally:
            # Also after an error: Spark would reuse the session for the next build.
            spark.stop()


def isolation() -> str:
    """How the engine's port is protected here: a constant of `sail_process`. Starts an engine to find out."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch,
        engine(None, Path(scratch)) as it,
    ):
        return it.isolation


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine, its address for gRPC, and how its port is protected."""

    process: "subprocess.Popen[bytes]"
    address: str
    isolation: str


@contextmanager
def engine(
    catalog: "SqlCatalog | None",
    scratch: Path,
    *,
    middleware: Middleware = no_middleware,
    private: bool = True,
) -> Iterator[Engine]:
    """The engine, connected to the catalog, during the block. Without a catalog it can't read tables."""
    if not hasattr(socket, "AF_UNIX"):
        with (
            rest_catalog.serve(catalog, middleware=middleware) as uri,
            _started({"catalog": uri, "private": False}, scratch) as (process, ready),
        ):
            yield Engine(process, f"{sail_process.HERE}:{ready['port']}", ready["isolation"])
        return
    with tempfile.TemporaryDirectory(prefix="wistlake-", dir=_short(), ignore_cleanup_errors=True) as folder:
        sockets = Path(folder)
        with (
            rest_catalog.serve_at(sockets / sail_process.CATALOG, catalog, middleware) as secret,
            _started({"folder": folder, "secret": secret, "private": private}, scratch) as (process, ready),
        ):
            yield Engine(process, f"unix:{quote(str(sockets / sail_process.ENGINE))}", ready["isolation"])


def _short() -> str | None:
    """The parent of the sockets' folder: None (the default), unless its path is too long for sockets."""
    return None if len(tempfile.gettempdir()) <= _FOLDER_LIMIT else "/tmp"  # noqa: S108, mkdtemp makes it ours


@contextmanager
def _started(
    request: Mapping[str, Any], scratch: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", Mapping[str, Any]]]:
    """The engine's process, and its response to `request` once it is ready."""
    make_private(scratch)
    process = subprocess.Popen(  # noqa: S603, wistlake's own program
        [sys.executable, "-P", sail_process.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(os.environ, scratch),
        start_new_session=True,  # so that Ctrl-C does not reach it: it ends when its standard input closes
    )
    try:
        yield process, _ready(process, request)
    finally:
        _end(process)


def environment(ours: Mapping[str, str], scratch: Path) -> dict[str, str]:
    """The environment of the engine's process, from that of this one."""
    inherited = {k: v for k, v in ours.items() if k in _INHERITED or k.startswith(_INHERITED_PREFIXES)}
    return {
        **_DEFAULTS,
        **inherited,
        "TMPDIR": str(scratch),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }


def _ready(process: "subprocess.Popen[bytes]", request: Mapping[str, Any]) -> Mapping[str, Any]:
    assert process.stdin is not None  # noqa: S101, both are pipes
    assert process.stdout is not None  # noqa: S101
    with suppress(BrokenPipeError):  # it has ended already, and sends no response
        process.stdin.write(f"{json.dumps(request)}\n".encode())
        process.stdin.flush()
    limit = threading.Timer(_SECONDS_TO_START, process.kill)
    limit.start()
    response = process.stdout.readline()
    limit.cancel()
    if not response:
        process.wait()
        raise _ended(process)
    ready: Mapping[str, Any] = json.loads(response)
    return ready


def _ended(process: "subprocess.Popen[bytes]") -> StoreError:
    code = process.returncode
    if code == sail_process.INTRUDED:
        return StoreError(
            "another process of this machine was at the engine's port before it was closed, so the engine was "
            "stopped: run again, and if it comes back, run where nobody else can log in"
        )
    how = f"signal {-code}; was memory short?" if code < 0 else f"code {code}"
    return StoreError(f"the engine's process has ended ({how}): nothing is half published, run again")


def _end(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _connect(address: str) -> "SparkSession":
    import grpc
    from pyspark.sql.connect import client
    from pyspark.sql.connect.session import SparkSession as Session

    class Here(client.DefaultChannelBuilder):  # type: ignore[misc]  # pyspark has no types for it
        """Connects to an address that Spark's own URLs can't express."""

        def toChannel(self) -> grpc.Channel:  # noqa: N802, the base class's name
            return grpc.insecure_channel(address, options=[*self._channel_options, *_CHANNEL])

    # Spark's own builder sets it, too: its functions read here which kind of session there is.
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    spark = Session.builder.channelBuilder(Here("sc://engine")).create()
    # By default Spark retries for many minutes, but a local engine that does not respond will not come back.
    spark.client.set_retry_policies([client.retries.DefaultPolicy(max_retries=2)])
    # It writes every plan as text for a log that nobody keeps: a tenth of a small run's time.
    spark.client._proto_to_string = lambda *_: ""
    return cast("SparkSession", spark)
