"""Build, deploy, release and contract scripts, as far as they need no account."""

import importlib.util
import json
import os
import subprocess
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support.aws import tools
from support.aws.templates import template
from support.some import some
from wistia_simulator import Profile, ServerOptions, World, create_app, transport
from wistlake.entrypoints import aws

pytestmark = pytest.mark.aws
_HEAVY = ("pyspark", "pyarrow", "pandas", "pyiceberg", "duckdb", "pysail", "boto3")


def script(name: str) -> ModuleType:
    """A script of `infra/` as a module."""
    spec = importlib.util.spec_from_file_location(f"infra_{name}", tools.ROOT / "infra" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


deploy, release, contract = script("deploy"), script("release"), script("contract")


class TestCheck:
    def test_names_every_variable_that_is_missing(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in deploy.REQUIRED:
            monkeypatch.setenv(name, "set")
        assert deploy.main(["check"]) == 0
        monkeypatch.delenv("MEDIA_IDS")
        monkeypatch.setenv("WISTIA_API_TOKEN", " ")
        assert deploy.main(["check"]) == 1
        said = capsys.readouterr().out
        assert "not set: MEDIA_IDS, WISTIA_API_TOKEN" in said

    def test_the_workflow_hands_over_every_variable(self) -> None:
        workflow = (tools.ROOT / ".github/workflows/deploy-stage.yml").read_text(encoding="utf-8")
        for variable in deploy.PARAMETERS:
            assert f"{variable}: ${{{{ vars.{variable} }}}}" in workflow

    def test_the_functions_get_every_setting_that_is_handed_over(self) -> None:
        given = template("template.yaml")["Globals"]["Function"]["Environment"]["Variables"]
        ours = {
            v: p for v, p in deploy.PARAMETERS.items() if v.startswith(("WISTLAKE_", "WISTIA_", "MEDIA_"))
        }
        assert {"MEDIA_IDS", "WISTLAKE_MEDIA_FOLDER", "WISTLAKE_MEDIA_TAG"} <= ours.keys()
        assert {variable: given.get(variable) for variable in ours} == {
            v: {"Ref": p} for v, p in ours.items()
        }


class TestShapes:
    @pytest.mark.parametrize("shape", ["PLAN", "INGEST", "PUBLISH"])
    def test_they_are_what_the_handlers_promise(self, shape: str) -> None:
        assert aws.__doc__
        for name in some(getattr(deploy, shape)):
            assert f'"{name}"' in aws.__doc__

    def test_another_answer_is_refused(self) -> None:
        good: dict[str, Any] = {"run_id": "r", "plan_key": "k", "batches": [], "nothing_to_do": False}
        deploy._expect("plan", good, deploy.PLAN)
        for wrong in ({**good, "batches": None}, {"run_id": "r"}, [], None):
            with pytest.raises(deploy.Broken):
                deploy._expect("plan", wrong, deploy.PLAN)


@pytest.mark.parametrize(
    ("now", "zone", "day"),
    [
        ("2026-03-03T02:15", "UTC", "2026-03-02"),
        ("2026-03-03T02:15", "America/New_York", "2026-03-01"),  # there it is still the second
        ("2026-03-03T12:00", "America/New_York", "2026-03-01"),  # the second touches a UTC day that runs
        ("2026-03-04T00:00", "America/New_York", "2026-03-02"),
        ("2026-03-03T02:15", "Asia/Tokyo", "2026-03-02"),
    ],
)
def test_the_last_finished_day(now: str, zone: str, day: str) -> None:
    found = deploy.last_finished_day(datetime.fromisoformat(now).replace(tzinfo=UTC), zone)
    assert found == date.fromisoformat(day)


class TestRelease:
    changelog = "# Changelog\n\n## Unreleased\n\n## 1.2.0\n\n### Added\n- A thing.\n\n## 1.1.0\n- Older.\n"

    def test_notes_are_the_versions_own(self) -> None:
        assert release.notes("v1.2.0", "1.2.0", self.changelog) == "### Added\n- A thing."

    @pytest.mark.parametrize(("tag", "version"), [("v1.2.0", "1.3.0"), ("v9.9.9", "9.9.9")])
    def test_a_tag_that_fits_nothing_is_refused(self, tag: str, version: str) -> None:
        with pytest.raises(SystemExit):
            release.notes(tag, version, self.changelog)


class TestContract:
    """The nightly question to the live API, put to the simulator."""

    @pytest.fixture
    def world(self, monkeypatch: pytest.MonkeyPatch) -> World:
        world = World(7, Profile(media=2, sessions_per_day=20, history_days=10), datetime.now(UTC))
        monkeypatch.setenv("MEDIA_IDS", world.truth.medias()[0].media_id)
        return world

    def ask(self, monkeypatch: pytest.MonkeyPatch, app: Any) -> int:
        class Secrets:
            def get_secret_value(self, **_: Any) -> dict[str, str]:
                return {"SecretString": "simulated"}

        monkeypatch.setattr(contract.boto3, "client", lambda _service: Secrets())
        code = contract.main("a-secret", transport(app))
        assert isinstance(code, int)
        return code

    def test_an_api_as_promised(
        self, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        app = create_app(world, ServerOptions(token="simulated", rate_limit_per_minute=None))
        assert self.ask(monkeypatch, app) == 0
        assert capsys.readouterr().out.count("as promised") >= 5

    def test_an_api_that_changed(
        self, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from starlette.responses import JSONResponse

        inner = create_app(world, ServerOptions(token="simulated", rate_limit_per_minute=None))

        async def app(scope: Any, receive: Any, send: Any) -> None:
            changed = scope["type"] == "http" and scope["path"].endswith("/stats/events")
            await (JSONResponse([{"renamed": 1}]) if changed else inner)(scope, receive, send)

        assert self.ask(monkeypatch, app) == 1
        assert "events: SourceChanged" in capsys.readouterr().out


class TestPackages:
    """What Lambda and Glue get, in an interpreter that has what they have."""

    def test_the_functions_package_is_small_and_has_no_engine(self, built: Path, tmp_path: Path) -> None:
        packed = tmp_path / "package.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
            for path in (built / "lambda").rglob("*"):
                package.write(path, path.relative_to(built / "lambda"))
        assert packed.stat().st_size < 20 * 2**20
        assert not {p.name for p in (built / "lambda").iterdir()} & set(_HEAVY)

    @pytest.mark.parametrize("name", ["plan", "ingest", "publish", "release", "slack"])
    def test_each_function_loads_on_lambdas_python(self, built: Path, name: str) -> None:
        said = self.python(
            "lambda-runtime",
            built / "lambda",
            "import time; begun = time.process_time();"
            f"from wistlake.entrypoints.aws.{name} import handler;"
            "import json, sys; print(json.dumps([time.process_time() - begun, sorted(sys.modules)]))",
        )
        seconds, modules = json.loads(said)
        assert seconds < 1.5
        assert not {m.split(".")[0] for m in modules} & (set(_HEAVY) - {"boto3"})

    def test_the_glue_script_brings_its_package(self, built: Path) -> None:
        with zipfile.ZipFile(built / "glue" / "wistlake.zip") as package:
            names = package.namelist()
        assert "wistlake/pipeline/run/build.py" in names
        assert "tzdata/zoneinfo/America/New_York" in names
        assert {name.split("/")[0] for name in names} == {"wistlake", "tzdata"}
        assert (built / "glue" / "glue_build.py").read_text().startswith('"""Glue script')

    def python(self, environment: str, path: Path, code: str) -> str:
        return subprocess.run(
            [str(tools.python(environment)), "-c", code],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(path), "AWS_DEFAULT_REGION": "us-east-1"},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout
