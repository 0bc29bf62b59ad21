"""The engine's process: what it is given, where its sockets lie, and what is said when it ends."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wistlake.adapters.engine import sail, sail_process, spark
from wistlake.adapters.engine.sail_process import HERE, OPEN, SEALED
from wistlake.adapters.local.catalog import LocalCatalog


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (-9, "signal 9; was memory short"),
        (0, "has ended .code 0.: nothing is half published"),
        (3, "code 3"),
        (sail_process.INTRUDED, "another process of this machine was at the engine's port"),
    ],
)
def test_an_engine_that_has_ended_says_how(code: int, text: str) -> None:
    process: Any = SimpleNamespace(returncode=code)
    with pytest.raises(sail.StoreError, match=text):
        raise sail._ended(process)


@pytest.mark.parametrize(("length", "parent"), [(80, None), (81, "/tmp")])
def test_sockets_lie_where_their_paths_are_short(
    monkeypatch: pytest.MonkeyPatch, length: int, parent: str | None
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: "/" + "x" * (length - 1))
    assert sail._short() == parent


def test_the_engine_inherits_what_it_needs_and_no_more(tmp_path: Path) -> None:
    ours = {"PATH": "/bin", "SAIL_X": "1", "RUST_LOG": "debug", "WISTIA_API_TOKEN": "secret", "PATHS": "no"}
    given = sail.environment(ours, tmp_path)
    assert {k: given.get(k) for k in ours} == {**ours, "WISTIA_API_TOKEN": None, "PATHS": None}
    assert (given["TMPDIR"], given["MIMALLOC_PURGE_DELAY"]) == (str(tmp_path), "1")
    assert "" not in given["PYTHONPATH"].split(os.pathsep)


def test_the_engine_has_a_session_of_its_own_and_ends_when_its_input_closes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C at the terminal goes to every process of the session: the engine must outlive it, to end a write."""
    program = tmp_path / "program.py"
    program.write_text(
        "import json, os, sys\n"
        "asked = json.loads(sys.stdin.readline())\n"
        "print(json.dumps({**asked, 'session': os.getsid(0)}), flush=True)\n"
        "sys.stdin.read()\n"
    )
    monkeypatch.setattr(sail_process, "__file__", str(program))
    scratch = tmp_path / "deep" / "scratch"
    for _ in range(2):
        with sail._started({"catalog": "http://x"}, scratch) as (process, ready):
            assert ready == {"catalog": "http://x", "session": process.pid}
            assert process.poll() is None
            assert scratch.stat().st_mode & 0o777 == 0o700
        assert process.poll() == 0


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_without_a_network_of_its_own_the_engine_does_not_claim_one(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(sail_process.sys, "platform", platform)
    refused = SimpleNamespace(unshare=lambda _: -1 if platform == "linux" else 0)
    monkeypatch.setattr(sail_process.ctypes, "CDLL", lambda _: refused)
    assert sail_process.enter_namespace() is False


@pytest.mark.parametrize(
    ("user", "written"),
    [(0, {}), (1000, {"setgroups": "deny", "uid_map": "1000 1000 1", "gid_map": "100 100 1"})],
)
def test_who_is_not_root_stays_the_same_user_in_a_namespace_and_gets_no_rights(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, user: int, written: dict[str, str]
) -> None:
    """Root needs no user namespace, and would lose its rights over other users' files in one."""
    called: list[str] = []
    libc = SimpleNamespace(
        unshare=lambda flags: (
            called.append(f"user {bool(flags & 0x10000000)} net {bool(flags & 0x40000000)}") or 0
        ),
        capset=lambda _, rights: called.append(f"rights {any(rights)}") or 0,
    )
    monkeypatch.setattr(sail_process.ctypes, "CDLL", lambda _: libc)
    monkeypatch.setattr(sail_process.os, "geteuid", lambda: user)
    monkeypatch.setattr(sail_process.os, "getegid", lambda: 100)
    monkeypatch.setattr(sail_process, "Path", lambda path: tmp_path / path.removeprefix("/proc/self/"))
    monkeypatch.setattr("fcntl.ioctl", lambda *_: called.append("loopback"))
    assert sail_process.enter_namespace() is True
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == written
    assert called == [f"user {bool(user)} net True", "loopback", *(["rights False"] if user else [])]


# ---- a port that is sealed: by sockets of this process, in place of the engine's


@pytest.fixture
def door() -> Any:
    with socket.create_server((HERE, 0)) as server:
        yield server


def port_of(server: socket.socket) -> int:
    number: int = server.getsockname()[1]
    return number


def test_a_port_that_is_sealed_takes_nobody_else_and_keeps_whom_it_has(door: socket.socket) -> None:
    port = port_of(door)
    with socket.create_connection((HERE, port)) as own, socket.create_server((HERE, 0)) as other:
        inside, _ = door.accept()
        assert sail_process._listening(port) == [door.fileno()]
        assert own.getsockname()[1] in sail_process._peers(port)
        assert not sail_process._refuses(port)
        assert sail_process.seal(port, own) == SEALED
        assert sail_process._refuses(port)
        assert sail_process._listening(port) == []
        own.sendall(b"still here")
        assert inside.recv(20) == b"still here"
        assert not sail_process._refuses(port_of(other)), "other ports stay as they are"
        inside.close()


def test_a_port_that_nobody_accepts_at_stays_open(
    door: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pending connection would be lost."""
    moments = iter((0.0, 19.0, 20.0, 20.1))
    monkeypatch.setattr(sail_process.time, "monotonic", lambda: next(moments))
    monkeypatch.setattr(sail_process.time, "sleep", lambda _: None)
    with socket.create_connection((HERE, port_of(door))) as own:
        assert sail_process.seal(port_of(door), own) == OPEN
        assert not sail_process._refuses(port_of(door))
    assert list(moments) == []


def test_what_comes_in_at_one_end_goes_out_at_the_other() -> None:
    here, one = socket.socketpair()
    other, there = socket.socketpair()
    sail_process._join(one, other)
    for first, last in ((here, there), (there, here)):
        first.sendall(b"x" * 100_000)
        assert len(last.recv(100_000, socket.MSG_WAITALL)) == 100_000
    here.close()
    assert there.recv(1) == b"", "an end that closes closes the other"
    for end in (there, one, other):
        end.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the process of an engine ends with its sockets
def test_only_this_process_reaches_the_catalog(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as catalog:
        catalog.bind(str(tmp_path / sail_process.CATALOG))
        catalog.listen()
        port = sail_process._catalog_port(tmp_path)
        with socket.create_connection((HERE, port), 10) as caller:
            caller.sendall(b"GET /")
            inside, _ = catalog.accept()
            assert inside.recv(10) == b"GET /"
            inside.close()
        story = f"""
import socket
with socket.create_connection(({HERE!r}, {port}), 10) as stranger:
    try:
        stranger.sendall(b"GET /")
        print(stranger.recv(1))
    except OSError:
        print(b"")
"""
        done = subprocess.run(
            [sys.executable, "-c", story], capture_output=True, text=True, check=True, timeout=30
        )
        assert done.stdout.strip() == "b''"


# ---- Spark on this machine


class Builder:
    """Notes the settings of a session, and the environment in which it starts."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}
        self.environment: dict[str, str] = {}
        self.stopped = False

    def master(self, _: str) -> "Builder":
        return self

    def appName(self, _: str) -> "Builder":
        return self

    def config(self, name: str, value: str) -> "Builder":
        self.settings[name] = value
        return self

    def getOrCreate(self) -> Any:
        self.environment = dict(os.environ)
        return SimpleNamespace(sparkContext=SimpleNamespace(setLogLevel=lambda _: None), stop=self.stop)

    def stop(self) -> None:
        self.stopped = True


def test_spark_starts_without_secrets_and_spills_into_the_lake(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    builder, scratch = Builder(), tmp_path / "deep" / "scratch"
    monkeypatch.setattr("pyspark.sql.SparkSession", SimpleNamespace(builder=builder))
    monkeypatch.setattr(spark, "iceberg_jar", lambda: tmp_path / "iceberg.jar")
    monkeypatch.setattr(spark, "find_spec", lambda _: "py4j")
    for name, value in {"JAVA_HOME": "/java", "WISTIA_API_TOKEN": "secret", "SPARK_REMOTE": "sc://x"}.items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        with spark.session(LocalCatalog(tmp_path).sql, scratch):
            assert os.environ["WISTIA_API_TOKEN"] == "secret"
        assert scratch.stat().st_mode & 0o777 == 0o700
    assert builder.stopped
    assert not {"WISTIA_API_TOKEN", "SPARK_REMOTE"} & builder.environment.keys()
    assert builder.environment["JAVA_HOME"] == "/java"
    assert builder.settings["spark.local.dir"] == str(scratch)
    assert builder.settings["spark.sql.catalog.lake.uri"].startswith("http://127.0.0.1:")
    assert {builder.settings[f"spark.{n}"] for n in ("authenticate", "io.encryption.enabled")} == {"true"}
