"""`wistlake doctor --privacy`: silent about a clean lake, exact about a dirty one, and it never shows a value."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from privacy.people import PEOPLE
from support.checkpoints import Checkpoint
from support.lake import START, Lake, Scenario
from wistia_simulator import ServerOptions, create_app, transport
from wistlake.entrypoints.cli.main import main
from wistlake.privacy.scan import COORDINATES, EMAILS, IPS, TOKENS, VISITORS

pytestmark = pytest.mark.engine
TOKEN = "canary0token1" * 3
RAW = ("events",)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    """A lake with people of every kind in its raw pages; the simulator's marks look like no real values."""
    profile = replace(PEOPLE, canary=None, ipv6_share=0.3, conversion_share=0.1, sessions_per_day=20)
    datasets = ("media_metadata", "media_stats", "media_engagement", "media_by_date", "events", "visitors")
    lake = Lake(
        tmp_path_factory.mktemp("doctor") / "lake",
        Scenario(profile, settings={"lookback_days": 1, "datasets": datasets}),
    )
    lake.run_day(START)
    return Checkpoint(lake)


@pytest.fixture
def lake(grown: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """The lake as it was, which the settings point to."""
    lake = grown.restored()
    pointed_to(lake.folder.parent, monkeypatch)
    return lake


@pytest.fixture
def folder(lake: Lake) -> Path:
    """Where it is."""
    return lake.folder


def pointed_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The lake in there, as that of the settings."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "WISTIA_API_TOKEN": TOKEN, "WISTLAKE_LAKE": str(tmp_path / "lake"), "MEDIA_IDS": "all",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return tmp_path / "lake"


def examined(capsys: pytest.CaptureFixture[str], expected: int) -> tuple[dict[str, dict[str, str]], str]:
    """The checks by name, and all that was printed."""
    capsys.readouterr()
    code = 0
    try:
        main(("doctor", "--privacy", "--json"))
    except SystemExit as e:
        code = int(e.code or 0)
    text = capsys.readouterr().out
    checks = {c["name"].removeprefix("privacy: "): c for c in json.loads(text)["checks"]}
    assert code == expected, text
    return checks, text


def raw(lake: Lake) -> dict[str, Any]:
    """A record of a person whom the raw pages name."""
    for path in sorted(lake.folder.glob("bronze/wistia/events/*/*/*/part-*.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            record: dict[str, Any] = json.loads(line)["record"]
            if record["email"] and record["ip"].startswith("198."):
                return record
    raise AssertionError("nobody is named")


def test_a_clean_lake_is_clean(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks, _ = examined(capsys, 0)
    assert {c["verdict"] for c in checks.values()} == {"ok"}
    assert set(checks) == {IPS, EMAILS, COORDINATES, TOKENS, VISITORS, "owner only"}


class Refusing(httpx2.AsyncBaseTransport):
    """The simulator, with one session a page that breaks its contract, and a media that is named after somebody."""

    def __init__(self, scenario: Scenario) -> None:
        self.world = scenario.world()
        self.rest = transport(create_app(self.world, ServerOptions(token="simulated", basic=True)))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self.rest.handle_async_request(request)
        plain = json.loads(await answer.aread())
        if request.url.path.endswith("/stats/events") and plain:
            plain[0]["percent_viewed"] = 7
        for one in plain if isinstance(plain, list) else [plain]:
            if "hashed_id" in one and "name" in one:
                one["name"] = "For jane.doe@mail.example.org"
        return httpx2.Response(200, json=plain)


def test_one_refused_session_is_no_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = Scenario(replace(PEOPLE, canary=None, sessions_per_day=20), settings={"lookback_days": 1})
    lake = Lake(tmp_path / "lake", scenario, source=Refusing(scenario))
    lake.run_day(START)
    (refused, *_) = lake.rows("silver.quarantine")
    assert refused["reason"] == "bad_percent_viewed"
    assert "event_key" in refused["payload"]
    pointed_to(tmp_path, monkeypatch)
    checks, _ = examined(capsys, 0)
    assert {c["verdict"] for c in checks.values()} == {"ok"}


def a_log(folder: Path, text: str) -> str:
    (folder / "run.log").write_text(f"something about {text}, once\n")
    return "run.log"


def a_column(folder: Path, text: str) -> str:
    path = next((folder / "warehouse").rglob("*.parquet"))
    pq.write_table(pa.table({"name": [text, "other"]}), path)
    return path.relative_to(folder).as_posix()


def a_report(folder: Path, text: str) -> str:
    (folder / "report.html").write_text(f"<td>{text}</td>")
    return "report.html"


@pytest.mark.parametrize("where", [a_log, a_column, a_report])
@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (IPS, lambda r: r["ip"]),
        (IPS, lambda _: "203.0.113.77"),
        (IPS, lambda _: "2001:db8:85a3:0:0:8a2e:370:7334"),
        (EMAILS, lambda r: r["email"]),
        (EMAILS, lambda _: "jane.doe@mail.example.org"),
        (VISITORS, lambda r: r["visitor_key"]),
        (TOKENS, lambda _: TOKEN),
        (TOKENS, lambda _: "Bearer 0123456789abcdef0123456789"),
        (COORDINATES, lambda _: '{"lat": 34.0522, "lon": -118.2437}'),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_a_dirty_one_is_told(
    kind: str,
    what: Callable[[dict[str, Any]], str],
    where: Callable[[Path, str], str],
    lake: Lake,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = what(raw(lake))
    place = where(lake.folder, text)
    checks, said = examined(capsys, 2)
    assert {n for n, c in checks.items() if c["verdict"] != "ok"} == {kind}
    assert place in checks[kind]["detail"]
    assert text not in said


def test_a_column_of_coordinates_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = next((folder / "warehouse").rglob("*.parquet"))
    pq.write_table(pa.table({"visitor_lat": [34.1, -118.2]}), path)
    checks, _ = examined(capsys, 2)
    assert "visitor_lat" in checks[COORDINATES]["detail"]


def test_an_open_lake_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder.chmod(0o755)
    checks, _ = examined(capsys, 2)
    assert checks["owner only"]["detail"].endswith(f"chmod 700 {folder}")
