"""Sail's port takes no password: nobody but the run itself gets to it, and what stands behind it knows no secret."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wistlake.adapters.engine import sail, sail_process
from wistlake.adapters.engine.tables import EngineTables
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.contracts import fact_events
from wistlake.errors import StoreError

SECRETS = {
    "WISTIA_API_TOKEN": "canary-of-the-token",
    "WISTLAKE_NOTIFY_WEBHOOK": "https://hooks.example/canary",
    "SLACK_WEBHOOK_URL": "https://hooks.example/canary-of-slack",
    "HTTPS_PROXY": "http://canary:canary@proxy.example",
    "AWS_SECRET_ACCESS_KEY": "canary-of-the-cloud",
}
LISTENING, ESTABLISHED = "0A", "01"
linux = pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="looks into /proc")
pytestmark = pytest.mark.engine


@pytest.fixture(params=[True, False], ids=["as far as the system allows", "without a namespace"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sail.Engine]:
    with sail.engine(None, tmp_path / "scratch", private=request.param) as running:
        yield running


def ports(pid: int, state: str) -> set[int]:
    """The TCP ports in `state` that a process holds."""
    held = {os.readlink(f) for f in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return {int(r[1].rpartition(":")[2], 16) for r in rows if r[3] == state and f"socket:[{r[9]}]" in held}


def children() -> set[int]:
    """The processes that this one has started and that still run."""
    return {
        int(pid) for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()
    }


def answers(port: int) -> bool:
    """Whether somebody on this machine who connects to `port` and speaks HTTP is answered."""
    try:
        with socket.create_connection((sail_process.HERE, port), 5) as caller:
            caller.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
            return caller.recv(1) != b""
    except OSError:
        return False


@linux
def test_nobody_else_reaches_the_engine(engine: sail.Engine) -> None:
    assert engine.isolation in (sail_process.NAMESPACE, sail_process.SEALED)
    used = ports(engine.process.pid, LISTENING) | ports(engine.process.pid, ESTABLISHED)
    assert len(used) >= 3, "the engine's, the way to the catalog, and our connection's"
    assert [port for port in used if answers(port)] == []


@linux
def test_the_engine_has_a_network_of_its_own_wherever_the_system_allows_one(tmp_path: Path) -> None:
    flags = "-n" if os.geteuid() == 0 else "-Urn"
    allowed = (
        shutil.which("unshare") and subprocess.run(["unshare", flags, "true"], check=False).returncode == 0
    )
    with sail.engine(None, tmp_path / "scratch") as running:
        others = os.readlink(f"/proc/{running.process.pid}/ns/net") != os.readlink("/proc/self/ns/net")
    assert (running.isolation, others) == (("namespace", True) if allowed else ("sealed", False))


def test_who_was_there_before_the_port_was_closed_ends_the_engine() -> None:
    story = """
import socket
from wistlake.adapters.engine import sail_process as engine
door = socket.create_server((engine.HERE, 0))
port = door.getsockname()[1]
own, stranger = (socket.create_connection((engine.HERE, port)) for _ in range(2))
accepted = [door.accept() for _ in range(2)]
engine.seal(port, own)
"""
    done = subprocess.run([sys.executable, "-c", story], env=_python(), check=False, timeout=60)
    assert done.returncode == sail_process.INTRUDED


@linux
def test_the_engines_process_knows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with sail.engine(None, tmp_path / "scratch") as running:
        seen = Path(f"/proc/{running.process.pid}/environ").read_text()
    assert "PATH=" in seen
    assert "canary" not in seen


@pytest.mark.parametrize("private", [True, False], ids=["namespace", "sealed"])
def test_tables_are_written_and_read_behind_a_closed_port(tmp_path: Path, private: bool) -> None:
    catalog = LocalCatalog(tmp_path)
    with sail.session(catalog.sql, tmp_path / "scratch", private=private) as spark:
        store = EngineTables(spark, catalog, tmp_path / "staging")
        store.ensure([fact_events.TABLE])
        row = spark.sql("SELECT 'k1' AS event_key, 'm1' AS media_id").collect()
        spark.sql("INSERT INTO lake.silver.fact_events (event_key, media_id) VALUES ('k1', 'm1')").collect()
        assert [r["event_key"] for r in store.read(fact_events.TABLE).collect()] == ["k1"] == [row[0][0]]


def test_python_that_is_sent_to_the_engine_does_not_run(tmp_path: Path) -> None:
    from pyspark.sql import functions as F

    def run() -> str:
        (tmp_path / "ran").touch()
        return "ran"

    with (
        sail.session(LocalCatalog(tmp_path).sql, tmp_path / "scratch") as spark,
        pytest.raises(Exception, match="pyspark"),
    ):
        spark.range(1).select(F.udf(run)()).collect()
    assert not (tmp_path / "ran").exists()


@linux
def test_an_engine_that_dies_is_no_mistake_of_ours(tmp_path: Path) -> None:
    def asked_in_vain() -> None:
        before = children()
        with sail.session(LocalCatalog(tmp_path).sql, tmp_path / "scratch") as spark:
            (engine,) = children() - before
            os.kill(engine, signal.SIGKILL)
            spark.sql("SELECT 1").collect()

    with pytest.raises(StoreError, match=r"signal 9; was memory short\?"):
        asked_in_vain()


@linux
def test_the_engine_ends_with_whoever_started_it(tmp_path: Path) -> None:
    story = f"""
import os, signal
from pathlib import Path
from wistlake.adapters.engine import sail
with sail.engine(None, Path({str(tmp_path)!r}) / "scratch") as running:
    print(running.address.removeprefix("unix:"), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    # Its standard error is the engine's as well: the call comes back when both have ended.
    done = subprocess.run(
        [sys.executable, "-c", story], env=_python(), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    assert not Path(done.stdout.strip()).parent.exists(), "the sockets' folder stays behind"


def _python() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
