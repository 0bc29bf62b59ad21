"""The engine's own process: Sail, with nothing of ours in its memory or environment. `sail.py` runs it as a program.

Sail's port takes no password, and whoever reaches it may run code in the process behind it. Nobody else may:

    namespace  the process has a network of its own (Linux, where the system allows that to anybody)
    sealed     the port is closed for good once our own connection stands; a stranger's ends the process
    open       neither can be had: other users of this machine can reach the port while a build runs

The way in and the way out are Unix sockets in a folder that only the owner may enter: on `engine` this process
listens, `catalog` is the lake's. Its order is one line of JSON on standard input. It ends when that closes, also
because whoever started it was killed. Imports the standard library and pysail, nothing else.
"""

import ctypes
import json
import os
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
INTRUDED = 9  # exit code: somebody else was connected before the port was closed
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000  # of unshare(2), which `os` has from Python 3.12 on
_SET_FLAGS, _UP = 0x8914, 0x1  # SIOCSIFFLAGS, IFF_UP
_CAPABILITIES = struct.pack("Ii", 0x20080522, 0)  # version 3, of this process
_CHUNK = 1 << 16
_PATIENCE_SECONDS = 20.0
_running: list[object] = []  # Sail stops when nothing holds its server any more


def enter_namespace() -> bool:
    """Give this process a network of its own, with nothing but a loopback; False if the system does not let it."""
    if sys.platform != "linux":
        return False
    user, group = os.geteuid(), os.getegid()
    # Root may have one as it is; in a user namespace it would lose its rights over other users' files.
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
    if user and libc.capset(_CAPABILITIES, bytes(24)) != 0:  # over our own files we want no more than before
        os._exit(os.EX_OSERR)
    return True


def _sockets() -> Iterator[tuple[int, socket.socket]]:
    """Every TCP socket of this process, with its descriptor; each is a copy that is closed afterwards."""
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):
            if not stat.S_ISSOCK(os.stat(int(name)).st_mode):
                continue
            with socket.socket(fileno=os.dup(int(name))) as found:
                if found.family == socket.AF_INET:
                    yield int(name), found


def _peers(port: int) -> set[int]:
    """The ports at the other end of what is connected to `port` of this process."""
    found = set()
    for _, each in _sockets():
        with suppress(OSError):
            if each.getsockname()[1] == port:
                found.add(each.getpeername()[1])
    return found


def seal(port: int, own: socket.socket) -> str:
    """Close the listening socket of `port` behind `own`, the only connection to it; end the process if it is not.

    The descriptor stays in use, as one end of a pipe on which nothing ever comes: Sail, which does not know,
    waits there for connections for ever.
    """
    mine = own.getsockname()[1]
    limit = time.monotonic() + _PATIENCE_SECONDS
    while mine not in _peers(port):  # until it is accepted: what only waits in line would be cut
        if time.monotonic() > limit:
            return OPEN
        time.sleep(0.001)
    silence, _ = os.pipe()
    for descriptor in _listening(port):
        os.dup2(silence, descriptor)
    if _peers(port) - {mine}:
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
    """Carry bytes one way until an end closes, and let the other side know."""
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
    found = socket.socket(socket.AF_UNIX)
    found.connect(str(path))
    return found


def _way_to_catalog(folder: Path) -> int:
    """A port of this process that leads to the lake's catalog, for Sail knows no other way there."""
    door = socket.create_server((HERE, 0))

    def serve() -> None:
        while True:
            caller, address = door.accept()
            if any(address[1] == each.getsockname()[1] for _, each in _sockets()):
                _join(caller, _unix(folder / CATALOG))
            else:  # no connection of this process
                caller.close()

    threading.Thread(target=serve, daemon=True).start()
    port: int = door.getsockname()[1]
    return port


def _start(catalog_uri: str) -> int:
    """Start Sail, which takes its catalogs from the environment; its port."""
    catalog = (("name", "lake"), ("type", "iceberg-rest"), ("uri", catalog_uri))
    fields = ", ".join(f"{name}={json.dumps(value)}" for name, value in catalog)
    os.environ["SAIL_CATALOG__LIST"] = f"[{{{fields}}}]"
    os.environ["SAIL_CATALOG__DEFAULT_CATALOG"] = "lake"
    _without_python()
    from pysail.spark import SparkConnectServer

    server = SparkConnectServer(HERE, 0)
    server.start(background=True)
    _running.append(server)
    address = server.listening_address
    assert address is not None  # noqa: S101, it has just started
    port: int = address[1]
    return port


def _without_python() -> None:
    """Let Sail find PySpark's version, which it asks for, and no PySpark: nothing of ours runs Python in the engine,
    and what somebody sends there to be run finds nothing that could unpack it. It starts sooner, too."""
    only_version = ModuleType("pyspark")
    only_version.__version__ = version("pyspark")  # type: ignore[attr-defined]
    sys.modules["pyspark"] = only_version


def _connected(port: int) -> socket.socket:
    way_in = socket.create_connection((HERE, port), _PATIENCE_SECONDS)
    way_in.settimeout(None)  # a long statement is silent for long
    way_in.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return way_in


def _behind_sockets(folder: Path, word: str, *, private: bool) -> str:
    """Start Sail, and let the one who gave the order in through the folder's socket; how it is guarded."""
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(folder / ENGINE))
    door.listen(1)
    port = _start(f"http://{HERE}:{_way_to_catalog(folder)}/{word}")
    own = _connected(port)
    guarded = NAMESPACE if private else seal(port, own)

    def let_in() -> None:
        caller, _ = door.accept()
        if not private:  # there can be no second connection to a sealed port
            door.close()
        _join(caller, own)
        while private:  # gRPC gives a connection up that is slow at first, and tries another
            caller, _ = door.accept()
            _join(caller, _connected(port))

    threading.Thread(target=let_in, daemon=True).start()
    return guarded


def main() -> None:
    """Read the order, start, say how the port is guarded, and stay until standard input closes."""
    order = json.loads(sys.stdin.buffer.readline())
    private = order["private"] and enter_namespace()
    ready: dict[str, str | int]
    if "folder" in order:
        folder = Path(order["folder"])
        ready = {"isolation": _behind_sockets(folder, order["word"], private=private)}
    else:
        ready = {"isolation": OPEN, "port": _start(order["catalog"])}
    sys.stdout.write(f"{json.dumps(ready)}\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    if "folder" in order:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)  # at once: taking the engine down piece by piece takes long


if __name__ == "__main__":
    main()
