"""The engine's process: Sail, without any secret in its memory or environment. `sail.py` runs this file as a program.

Sail's port has no password, and every client can run code in its process. Three levels protect it:

    namespace  the process has its own network (Linux, where unprivileged users may have that)
    sealed     the port stops listening once wistlake is connected; any other connection ends the process
    open       neither is possible: other users of the machine can reach the port during a build

Requests pass through Unix sockets in an owner-only folder: this process listens on `engine`, the lake's catalog on
`catalog`. Its parameters are one line of JSON on standard input. It ends when that closes, also by the parent's
death. Imports the standard library and pysail, nothing else.
"""

import ctypes
import json
import os
import shutil
import socket
import stat
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

HERE = "127.0.0.1"
NAMESPACE, SEALED, OPEN = "namespace", "sealed", "open"
ENGINE, CATALOG = "engine", "catalog"  # the sockets' names
INTRUDED = 9  # exit code: another client was connected before the port was closed
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000  # of unshare(2), which `os` has from Python 3.12 on
_SET_FLAGS, _UP = 0x8914, 0x1  # SIOCSIFFLAGS, IFF_UP
_CAPABILITIES = struct.pack("Ii", 0x20080522, 0)  # version 3, of this process
_CHUNK = 1 << 16
_PATIENCE_SECONDS = 20.0
_running: list[object] = []  # Sail stops when its server is garbage-collected


def enter_namespace() -> bool:
    """Move this process to a new network with a loopback only; False if the system does not allow it."""
    if sys.platform != "linux":
        return False
    user, group = os.geteuid(), os.getegid()
    # Root needs no user namespace, and would lose its rights over other users' files in one.
    libc = ctypes.CDLL(None)
    if libc.unshare(_NEW_NET | (_NEW_USER if user else 0)) != 0:
        return False
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    import fcntl

    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))
    if user and libc.capset(_CAPABILITIES, bytes(24)) != 0:  # drop the rights that the namespace gave
        os._exit(os.EX_OSERR)
    return True


def _sockets() -> Iterator[tuple[int, socket.socket]]:
    """Every TCP socket of this process with its descriptor; the socket is a copy that is closed afterwards."""
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):
            if not stat.S_ISSOCK(os.stat(int(name)).st_mode):
                continue
            with socket.socket(fileno=os.dup(int(name))) as copy:
                if copy.family == socket.AF_INET:
                    yield int(name), copy


def _peers(port: int) -> set[int]:
    """The client ports of all connections to `port` of this process."""
    peers = set()
    for _, each in _sockets():
        with suppress(OSError):
            if each.getsockname()[1] == port:
                peers.add(each.getpeername()[1])
    return peers


def seal(port: int, own: socket.socket) -> str:
    """Stop listening on `port` once `own` is connected; end the process if there is any other connection.

    The descriptor becomes one end of a silent pipe, so that Sail, which can't stop listening, waits there for ever.
    """
    own_port = own.getsockname()[1]
    limit = time.monotonic() + _PATIENCE_SECONDS
    while own_port not in _peers(port):  # until Sail has accepted it: a pending connection would be lost
        if time.monotonic() > limit:
            return OPEN
        time.sleep(0.001)
    silence, _ = os.pipe()
    for descriptor in _listening(port):
        os.dup2(silence, descriptor)
    if _peers(port) - {own_port}:
        os._exit(INTRUDED)
    return SEALED if _refuses(port) else OPEN


def _listening(port: int) -> list[int]:
    listening = []
    for descriptor, each in _sockets():
        with suppress(OSError):
            if each.getsockname()[1] == port and each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                listening.append(descriptor)
    return listening


def _refuses(port: int) -> bool:
    try:
        socket.create_connection((HERE, port), 1).close()
    except OSError:
        return True
    return False


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Copy bytes one way until an end closes, then shut down both."""
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _join(one: socket.socket, other: socket.socket) -> None:
    for pair in ((one, other), (other, one)):
        threading.Thread(target=_pump, args=pair, daemon=True).start()


def _unix(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    return client


def _catalog_port(folder: Path) -> int:
    """A port of this process that forwards to the catalog's socket: Sail reaches catalogs by HTTP over TCP only."""
    server = socket.create_server((HERE, 0))

    def serve() -> None:
        while True:
            caller, address = server.accept()
            if any(address[1] == each.getsockname()[1] for _, each in _sockets()):
                _join(caller, _unix(folder / CATALOG))
            else:  # from another process
                caller.close()

    threading.Thread(target=serve, daemon=True).start()
    port: int = server.getsockname()[1]
    return port


def _start(catalog_uri: str) -> int:
    """Start Sail, which reads its catalogs from the environment; its port."""
    os.environ["SAIL_CATALOG__LIST"] = (
        f'[{{name="lake", type="iceberg-rest", uri={json.dumps(catalog_uri)}}}]'
    )
    os.environ["SAIL_CATALOG__DEFAULT_CATALOG"] = "lake"
    _without_python()
    # Only now: Sail reads its environment, and looks for PySpark, when it is imported.
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(HERE, 0)
    server.start(background=True)
    _running.append(server)
    address = server.listening_address
    assert address is not None  # noqa: S101, the server is running
    port: int = address[1]
    return port


def _without_python() -> None:
    """Replace PySpark by its version number, the only part that Sail needs: wistlake runs no Python in the engine, and
    code that a stranger sends can't be unpickled. Sail also starts faster."""
    only_version = ModuleType("pyspark")
    only_version.__version__ = version("pyspark-client")  # type: ignore[attr-defined]
    sys.modules["pyspark"] = only_version


def _connected(port: int) -> socket.socket:
    client = socket.create_connection((HERE, port), _PATIENCE_SECONDS)
    client.settimeout(None)  # a long statement sends nothing for a long time
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def _behind_sockets(folder: Path, secret: str, *, private: bool) -> str:
    """Start Sail behind the folder's socket; how its port is protected."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(folder / ENGINE))
    server.listen(1)
    port = _start(f"http://{HERE}:{_catalog_port(folder)}/{secret}")
    own = _connected(port)
    isolation = NAMESPACE if private else seal(port, own)

    def serve() -> None:
        caller, _ = server.accept()
        if not private:  # a sealed port takes no second connection
            server.close()
        _join(caller, own)
        while private:  # gRPC drops a connection that is slow at first, and opens another
            caller, _ = server.accept()
            _join(caller, _connected(port))

    threading.Thread(target=serve, daemon=True).start()
    return isolation


def main() -> None:
    """Read the parameters, start, report how the port is protected, and run until standard input closes."""
    request = json.loads(sys.stdin.buffer.readline())
    private = request["private"] and enter_namespace()
    ready: dict[str, str | int]
    if "folder" in request:
        folder = Path(request["folder"])
        ready = {"isolation": _behind_sockets(folder, request["secret"], private=private)}
    else:
        ready = {"isolation": OPEN, "port": _start(request["catalog"])}
    sys.stdout.write(f"{json.dumps(ready)}\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    if "folder" in request:
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)  # without a slow, orderly shutdown of the engine


if __name__ == "__main__":
    main()
