"""Sail: a Spark Connect server in Rust, in a process of its own. No Java."""

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
from wistlake.adapters.local.rest_catalog import Around, as_it_is
from wistlake.errors import StoreError

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyspark.sql import SparkSession

# All that the engine's process gets to see of the environment: no token, no address of a webhook, no proxy.
_SEEN = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "SYSTEMROOT",
)
_SEEN_PREFIXES = ("SAIL_", "RUST_", "MIMALLOC_")
_DEFAULTS: Mapping[str, str] = {
    "RUST_LOG": "error",
    # Sail's allocator keeps what it has freed unless told otherwise, and takes more than it needs: a fifth of a
    # small run's memory, and a fifth or more of a rebuild's.
    "MIMALLOC_PURGE_DELAY": "0",
    "MIMALLOC_ARENA_EAGER_COMMIT": "0",
    # As small as at the default level, and written in five sixths of the time.
    "SAIL_PARQUET__COMPRESSION": "zstd(1)",
}
_LONGEST_FOLDER = 80  # characters; a socket's whole path may have about a hundred
_SECONDS_TO_END = 10.0
_SECONDS_TO_START = 120.0  # it takes less than one; a machine that needs longer has other troubles
# One connection for the whole build, past any proxy: once it stands, the door behind it is closed. Sail refuses
# what gRPC would call a Unix socket's host.
_CHANNEL = (
    ("grpc.client_idle_timeout_ms", 2**31 - 1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.default_authority", "localhost"),
)


@contextmanager
def session(
    catalog: "SqlCatalog", scratch: Path, *, around: Around = as_it_is, private: bool = True
) -> Iterator["SparkSession"]:
    """A session whose catalog `lake` is the given one; what does not fit into memory spills to `scratch`.

    `around` may stand between the catalog and the engine; `private`: in a network of its own, where the system
    allows it.
    """
    with engine(catalog, scratch, around=around, private=private) as running:
        spark = _connect(running.address)
        # A session's zone decides how timestamps without one are read: everything here is UTC.
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        try:
            yield spark
        except Exception as e:
            if running.process.poll() is not None:
                raise _ended(running.process) from e
            raise
        finally:
            # Also after an error: a session left behind would be asked by whatever is built next.
            spark.stop()


def isolation() -> str:
    """How the engine's port is guarded on this machine, as `sail_process` calls it. Starts an engine to see."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch,
        engine(None, Path(scratch)) as it,
    ):
        return it.isolation


@dataclass(frozen=True, slots=True)
class Engine:
    """A running engine, where gRPC finds it, and how its port is guarded."""

    process: "subprocess.Popen[bytes]"
    address: str
    isolation: str


@contextmanager
def engine(
    catalog: "SqlCatalog | None", scratch: Path, *, around: Around = as_it_is, private: bool = True
) -> Iterator[Engine]:
    """The engine, with its way to the catalog, for the length of the block. Without a catalog it can't read."""
    if not hasattr(socket, "AF_UNIX"):
        with (
            rest_catalog.serve(catalog, around=around) as uri,
            _started({"catalog": uri, "private": False}, scratch) as (process, ready),
        ):
            yield Engine(process, f"{sail_process.HERE}:{ready['port']}", ready["isolation"])
        return
    with tempfile.TemporaryDirectory(prefix="wistlake-", dir=_short(), ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        with (
            rest_catalog.serve_at(place / sail_process.CATALOG, catalog, around) as word,
            _started({"folder": folder, "word": word, "private": private}, scratch) as (process, ready),
        ):
            yield Engine(process, f"unix:{quote(str(place / sail_process.ENGINE))}", ready["isolation"])


def _short() -> str | None:
    """Where the sockets' folder is made: None for the usual place, unless its path is too long for sockets."""
    return None if len(tempfile.gettempdir()) <= _LONGEST_FOLDER else "/tmp"  # noqa: S108, mkdtemp makes it ours


@contextmanager
def _started(
    order: Mapping[str, Any], scratch: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", Mapping[str, Any]]]:
    """The engine's process, and what it answers to `order` once it is ready."""
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    process = subprocess.Popen(  # noqa: S603, our own program
        [sys.executable, "-P", sail_process.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(os.environ, scratch),
        start_new_session=True,  # Ctrl-C is for us: the engine ends when its standard input does
    )
    try:
        yield process, _ready(process, order)
    finally:
        _end(process)


def environment(ours: Mapping[str, str], scratch: Path) -> dict[str, str]:
    """What the engine's process sees of our environment, and what it is told besides."""
    seen = {k: v for k, v in ours.items() if k in _SEEN or k.startswith(_SEEN_PREFIXES)}
    return {
        **_DEFAULTS,
        **seen,
        "TMPDIR": str(scratch),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }


def _ready(process: "subprocess.Popen[bytes]", order: Mapping[str, Any]) -> Mapping[str, Any]:
    assert process.stdin is not None  # noqa: S101, both are pipes
    assert process.stdout is not None  # noqa: S101
    with suppress(BrokenPipeError):  # it has ended: no answer says so, too
        process.stdin.write(f"{json.dumps(order)}\n".encode())
        process.stdin.flush()
    limit = threading.Timer(_SECONDS_TO_START, process.kill)
    limit.start()
    answer = process.stdout.readline()
    limit.cancel()
    if not answer:
        process.wait()
        raise _ended(process)
    ready: Mapping[str, Any] = json.loads(answer)
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
    from pyspark.sql.connect.client import ChannelBuilder
    from pyspark.sql.connect.session import SparkSession as Session

    class Here(ChannelBuilder):  # type: ignore[misc]  # pyspark has no types for it
        """The engine's own address, which a URL of Spark's can't name."""

        def toChannel(self) -> grpc.Channel:  # noqa: N802, the base class's name
            return grpc.insecure_channel(address, options=[*self._channel_options, *_CHANNEL])

    # As Spark's own builder would: its functions look here for what kind of session there is.
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    spark = Session.builder.channelBuilder(Here("sc://engine")).create()
    # An engine on this machine that does not answer will not come back: by default Spark waits many minutes.
    spark.client._retry_policy["max_retries"] = 2
    return cast("SparkSession", spark)
