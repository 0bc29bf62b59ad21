"""The token and the webhooks' addresses show nowhere, whatever goes wrong: every output of every failing path."""

import base64
import io
import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog
from structlog.testing import capture_logs

from support.lake import START, Lake, Scenario
from wistia_simulator import Profile, ServerOptions, create_app, transport
from wistia_simulator.main import running
from wistlake.adapters import lake_bytes
from wistlake.entrypoints.cli import session
from wistlake.entrypoints.cli.main import main
from wistlake.errors import WistlakeError
from wistlake.pipeline.run.driver import run

CANARY = "canary0token1" * 5
HOOK = "canary0hook1" * 4
SPELLINGS = (CANARY, HOOK, base64.b64encode(f"api:{CANARY}".encode()).decode(), CANARY[:26], HOOK[:24])
SCENARIO = Scenario(
    Profile(media=1, sessions_per_day=4, history_days=3),
    settings={
        "token": CANARY,
        "lookback_days": 1,
        "notify_webhook": f"http://127.0.0.1:9/{HOOK}",
        "slack_webhook_url": f"http://127.0.0.1:9/services/{HOOK}",
        "notify_command": f"false {HOOK}",
    },
)


class Trouble(httpx2.AsyncBaseTransport):
    """A source that goes wrong in one way, and repeats what it was sent."""

    def __init__(self, how: Callable[[str], httpx2.Response]) -> None:
        self.how = how

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return self.how(request.headers["authorization"])


def raising(kind: type[Exception]) -> Callable[[str], httpx2.Response]:
    def answer(sent: str) -> httpx2.Response:
        raise kind(f"could not send {sent}")

    return answer


TROUBLES: dict[str, Callable[[str], httpx2.Response]] = {
    "401": lambda sent: httpx2.Response(401, json={"code": "unauthorized_credentials", "error": sent}),
    "403": lambda sent: httpx2.Response(403, text=sent),
    "422": lambda sent: httpx2.Response(422, json={"error": sent}),
    "429": lambda sent: httpx2.Response(429, text=sent, headers={"retry-after": "1"}),
    "500": lambda sent: httpx2.Response(500, text=sent),
    "503": lambda sent: httpx2.Response(503, json={"error": [sent]}),
    "redirect": lambda sent: httpx2.Response(302, headers={"location": f"https://evil.example/{sent}"}),
    "bad JSON": lambda sent: httpx2.Response(200, text=f'{{"{sent}'),
    "no JSON": lambda sent: httpx2.Response(200, text=sent, headers={"content-type": f"text/{sent[7:20]}"}),
    "not a list": lambda sent: httpx2.Response(200, json={"error": sent}),
    "time-out": raising(httpx2.ReadTimeout),
    "connection": raising(httpx2.ConnectError),
    "protocol": raising(httpx2.RemoteProtocolError),
    "operating system": raising(OSError),
    "crash": raising(ZeroDivisionError),
}


def shown(text: str) -> list[str]:
    return [s for s in SPELLINGS if s in text]


@pytest.mark.parametrize("trouble", sorted(TROUBLES))
def test_a_failing_run_says_nothing(
    trouble: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    lake = Lake(tmp_path / "lake", SCENARIO, source=Trouble(TROUBLES[trouble]))
    lake.world.clock.set(START)
    settings = lake.settings()
    with capture_logs() as log:
        try:
            run(lake.run_spec(START, settings), lake.parts(settings))
            said = "no error"
        except (WistlakeError, ZeroDivisionError) as e:
            said = "\n".join((str(e), repr(e), *traceback.format_exception(e)))
    if trouble != "crash":  # there it is the test's own words that stand in the traceback
        assert said != "no error"
        assert not shown(said)
    printed = capfd.readouterr()
    texts = (repr(log), caplog.text, printed.out, printed.err, repr(settings), str(settings))
    assert [shown(t) for t in texts] == [[]] * len(texts)
    assert not lake_bytes.search(lake.folder, SPELLINGS)


@pytest.mark.engine
def test_a_good_run_leaves_nothing_either(tmp_path: Path) -> None:
    world = SCENARIO.world()
    lake = Lake(tmp_path / "lake", SCENARIO, source=transport(create_app(world, ServerOptions(token=CANARY))))
    lake.world = world
    lake.run_day(START)
    lake.run_day(START + timedelta(days=1))
    assert lake.rows("silver.fact_events")
    assert not lake_bytes.search(lake.folder, SPELLINGS)


class TestCommands:
    """The commands themselves, against a Wistia that refuses the token."""

    @pytest.fixture(autouse=True)
    def _refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.chdir(tmp_path)
        with running(create_app(SCENARIO.world(), ServerOptions(token="another"))) as url:
            for name, value in {
                "WISTIA_API_TOKEN": CANARY,
                "WISTIA_BASE_URL": f"{url}/modern",
                "WISTLAKE_LAKE": str(tmp_path / "lake"),
                "WISTLAKE_NOTIFY_WEBHOOK": f"http://127.0.0.1:9/{HOOK}",
                "MEDIA_IDS": "all",
            }.items():
                monkeypatch.setenv(name, value)
            yield

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (("run",), 77),
            (("--verbose", "run", "--json"), 77),
            (("backfill", "--from", "2026-03-01", "--to", "2026-03-01"), 77),
            (("doctor",), 2),
            (("doctor", "--live", "--json"), 2),
            (("init", "--token", CANARY, "--zone", "UTC"), 77),
            (("init", "--token", CANARY, "--zone", "Nowhere"), 2),
            (("plan",), 2),
            (("status",), None),
        ],
        ids=lambda a: " ".join(a[:2]).replace(CANARY, "T") if isinstance(a, tuple) else None,
    )
    def test_no_output_shows_it(
        self, arguments: tuple[str, ...], code: int | None, capfd: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        try:
            main(arguments)
            found = 0
        except SystemExit as e:
            found = int(e.code or 0)
        said = capfd.readouterr()
        assert said.out + said.err
        assert code is None or found == code
        assert not shown(said.out + said.err)
        assert not lake_bytes.search(tmp_path, SPELLINGS)

    def test_wrong_settings_are_named_without_it(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("WISTIA_API_TOKEN", f"two {CANARY}")
        monkeypatch.setenv("WISTIA_BASE_URL", f"https://user:{CANARY}@api.wistia.com/modern")
        monkeypatch.setenv("SLACK_WEBHOOK_URL", f"http://hooks.example.com/{HOOK}")
        monkeypatch.setenv("MEDIA_IDS", CANARY)
        with pytest.raises(SystemExit):
            main(("plan",))
        said = capfd.readouterr().err
        for name in ("WISTIA_API_TOKEN", "WISTIA_BASE_URL", "SLACK_WEBHOOK_URL", "MEDIA_IDS"):
            assert name in said
        assert not shown(said)

    @pytest.mark.parametrize("arguments", [("run",), ("--verbose", "run")])
    def test_a_crash_shows_no_value(
        self, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        def crash(*_: Any, **__: Any) -> Any:
            raise ZeroDivisionError

        monkeypatch.setattr("wistlake.wiring.laptop.LaptopLake.dependencies", crash)
        with pytest.raises(SystemExit):
            main(arguments)
        said = capfd.readouterr()
        assert "ZeroDivisionError" in said.err
        assert not shown(said.out + said.err)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_logged_crash_shows_no_local_variable(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", seen)
    monkeypatch.setenv("WISTLAKE_LOG", form)
    session.configure_logs()
    local = CANARY
    try:
        raise ZeroDivisionError(len(local))
    except ZeroDivisionError:
        structlog.get_logger().exception("went wrong")
    assert "ZeroDivisionError" in seen.getvalue(), "the log has to say what it was"
    assert "test_secrets.py" in seen.getvalue()
    assert not shown(seen.getvalue())
    if form == "json":
        assert json.loads(seen.getvalue())["event"] == "went wrong"
