"""Build, deploy, release and contract scripts, as far as they need no account."""

import json
import os
import re
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.aws import tools
from support.aws.script import script
from support.aws.templates import of_type, template
from support.some import some
from wistia_simulator import Profile, ServerOptions, World, create_app, transport
from wistlake.entrypoints import aws
from wistlake.settings import Settings

pytestmark = pytest.mark.aws
_HEAVY = ("pyspark", "pyarrow", "pandas", "pyiceberg", "duckdb", "pysail", "boto3")
MOST_MODULES = 750  # that a function loads: each costs a cold start time


deploy, release, contract = script("deploy"), script("release"), script("contract")


class TestEars:
    """Somebody hears of a failure, or has said that nobody wants to."""

    @pytest.mark.parametrize("step", ["check", "changeset"])
    @pytest.mark.parametrize(
        ("given", "refused"),
        [
            ({}, True),
            ({"ALERT_EMAIL": " ", "SLACK_SECRET_ARN": "", "ALERTS": "none"}, True),
            ({"ALERT_EMAIL": "me@example.com"}, False),
            ({"SLACK_SECRET_ARN": "arn:aws:secretsmanager:x:y:secret:wistlake-slack"}, False),
            ({"TEAMS_SECRET_ARN": "arn:aws:secretsmanager:x:y:secret:wistlake-teams"}, False),
            ({"ALERTS": "nobody"}, False),
        ],
    )
    def test_a_target_is_set_or_declined_by_name(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        step: str,
        given: dict[str, str],
        refused: bool,
    ) -> None:
        for name in (*deploy.EARS, "ALERTS"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {**dict.fromkeys(deploy.REQUIRED, "set"), **given}.items():
            monkeypatch.setenv(name, value)

        def no_stack(_: str) -> None:
            raise deploy.Broken("there is no stack")

        monkeypatch.setattr(deploy, "outputs", no_stack)
        code, said = deploy.main([step]), capsys.readouterr().out
        assert (
            "nobody would hear of a failure: set ALERT_EMAIL or SLACK_SECRET_ARN or TEAMS_SECRET_ARN" in said
        ) is refused
        assert code == (1 if refused or step == "changeset" else 0)

    def test_the_workflow_hands_on_who_declined(self) -> None:
        jobs = yaml.safe_load((tools.ROOT / ".github/workflows/deploy-stage.yml").read_text(encoding="utf-8"))
        steps = [s for job in jobs["jobs"].values() for s in job["steps"] if "deploy.py" in s.get("run", "")]
        asks = [s for s in steps if "deploy.py changeset" in s["run"] or "deploy.py smoke" in s["run"]]
        for step in some(asks):
            assert step["env"]["ALERTS"] == "${{ vars.ALERTS }}"

    @pytest.mark.parametrize(
        ("subscribed", "declined", "heard"),
        [
            ([], False, False),
            (["PendingConfirmation"], False, False),
            (["PendingConfirmation", "arn:aws:sns:x:y:wistlake-dev-alerts:1"], False, True),
            ([], True, True),
        ],
    )
    def test_a_smoke_test_wants_a_subscriber_who_has_confirmed(
        self, monkeypatch: pytest.MonkeyPatch, subscribed: list[str], declined: bool, heard: bool
    ) -> None:
        asked: list[str] = []

        class Pages:
            def paginate(self, **given: str) -> list[Any]:
                asked.append(given["TopicArn"])
                return [{"Subscriptions": [{"SubscriptionArn": arn} for arn in subscribed]}]

        class Sns:
            def get_paginator(self, _: str) -> Pages:
                return Pages()

        monkeypatch.setenv("ALERTS", "nobody" if declined else "")
        monkeypatch.setattr(deploy.boto3, "client", lambda _: Sns())
        if heard:
            deploy._require_subscriber("topic", 0, 0)
        else:
            with pytest.raises(deploy.Broken, match="nobody has confirmed"):
                deploy._require_subscriber("topic", 0, 0)
        assert asked == ([] if declined else ["topic"])


class TestCheck:
    def test_names_every_variable_that_is_missing(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name in deploy.REQUIRED:
            monkeypatch.setenv(name, "set")
        monkeypatch.setenv("ALERTS", "nobody")
        assert deploy.main(["check"]) == 0
        monkeypatch.delenv("MEDIA_IDS")
        monkeypatch.setenv("WISTIA_API_TOKEN", " ")
        assert deploy.main(["check"]) == 1
        said = capsys.readouterr().out
        assert "not set: MEDIA_IDS, WISTIA_API_TOKEN" in said

    @pytest.mark.parametrize("step", [["check"], ["changeset", "--stage", "dev", "--version", "v1"]])
    def test_a_key_that_no_function_would_get_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: list[str]
    ) -> None:
        for name in deploy.REQUIRED:
            monkeypatch.setenv(name, "set")
        monkeypatch.setenv("ALERTS", "nobody")
        monkeypatch.setenv("WISTLAKE_LINEAGE_KEY", "hush")
        assert deploy.main(step) == 1
        said = capsys.readouterr().out
        assert "WISTLAKE_LINEAGE_KEY does not reach the functions" in said
        assert "LINEAGE_SECRET_ARN" in said
        assert "hush" not in said

    @pytest.mark.parametrize("step", [["check"], ["changeset", "--stage", "dev", "--version", "v1"]])
    def test_recipients_of_mails_want_a_mail_server(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: list[str]
    ) -> None:
        for name in deploy.REQUIRED:
            monkeypatch.setenv(name, "set")
        monkeypatch.setenv("ALERTS", "nobody")
        monkeypatch.setenv("WISTLAKE_MAIL_TO", "ada@example.org")
        assert deploy.main(step) == 1
        assert "SMTP_SECRET_ARN no mail server: set both, or neither" in capsys.readouterr().out
        monkeypatch.setenv("SMTP_SECRET_ARN", "arn:aws:secretsmanager:x:y:secret:wistlake-dev/smtp")
        assert deploy.main(["check"]) == 0
        unsaid = "WISTLAKE_DIGEST_DAY is not: nobody gets the digest by mail"
        assert unsaid in capsys.readouterr().out
        monkeypatch.setenv("WISTLAKE_DIGEST_DAY", "monday")
        assert deploy.main(["check"]) == 0
        assert unsaid not in capsys.readouterr().out

    @pytest.mark.parametrize("step", [["check"], ["changeset", "--stage", "dev", "--version", "v1"]])
    @pytest.mark.parametrize("name", ["WISTLAKE_MAIL_TO", "WISTLAKE_MAIL_FROM"])
    def test_mail_addresses_that_the_function_could_not_read_are_refused(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], step: list[str], name: str
    ) -> None:
        for required in (*deploy.REQUIRED, "SMTP_SECRET_ARN"):
            monkeypatch.setenv(required, "set")
        monkeypatch.setenv("ALERTS", "nobody")
        monkeypatch.setenv("WISTLAKE_MAIL_TO", "ada@example.org")
        monkeypatch.setenv(name, "a@x.org;b@y.org")
        assert deploy.main(step) == 1
        assert f"{name} holds something that is no address" in capsys.readouterr().out

    @pytest.mark.parametrize("workflow", ["deploy-stage.yml", "changeset.yml"])
    def test_the_workflow_hands_over_every_variable(self, workflow: str) -> None:
        text = (tools.ROOT / ".github/workflows" / workflow).read_text(encoding="utf-8")
        for variable in (*deploy.PARAMETERS, *deploy.FILES):
            assert f"{variable}: ${{{{ vars.{variable} }}}}" in text

    def test_every_parameter_has_a_variable(self) -> None:
        assert {*deploy.PARAMETERS.values(), *deploy.OF_THE_SCRIPT} == template("template.yaml")[
            "Parameters"
        ].keys()

    @pytest.mark.parametrize("variable", [*deploy.PARAMETERS, *deploy.FILES])
    def test_every_variable_is_explained(self, variable: str) -> None:
        assert f"`{variable}`" in (tools.ROOT / "docs/setup.md").read_text(encoding="utf-8")

    def test_the_functions_get_every_setting_that_is_handed_over(self) -> None:
        given = template("template.yaml")["Globals"]["Function"]["Environment"]["Variables"]
        ours = {
            v: p
            for v, p in deploy.PARAMETERS.items()
            if v.startswith(("WISTLAKE_", "WISTIA_", "MEDIA_IDS"))
            and p not in ("DigestDay", "MailTo", "MailFrom")  # a schedule's, and one function's
        }
        assert {"MEDIA_IDS", "WISTLAKE_MEDIA_FOLDER", "WISTLAKE_MEDIA_TAG"} <= ours.keys()
        assert {variable: given.get(variable) for variable in ours} == {
            v: {"Ref": p} for v, p in ours.items()
        }


class TestChosen:
    """What a deployment says of every parameter."""

    declared = template("template.yaml")["Parameters"]

    def test_a_variable_that_is_not_set_returns_to_its_default(self) -> None:
        once = deploy.chosen({"MEDIA_IDS": "all", "GLUE_WORKERS": "10", "WISTLAKE_MEDIA_TAG": "a tag"})
        assert (once["GlueWorkers"], once["MediaTag"]) == ("10", "a tag")
        later = deploy.chosen({"MEDIA_IDS": "all", "GLUE_WORKERS": " "})
        assert later.keys() == {*self.declared} - {*deploy.OF_THE_SCRIPT}
        assert later == {name: str(self.declared[name].get("Default", "")) for name in later} | {
            "MediaIds": "all"
        }

    @pytest.mark.parametrize("day", [*deploy.WEEKDAYS, " Sunday\n", ""])
    def test_the_day_of_the_digest_is_one_that_schedules_know(self, day: str) -> None:
        given = deploy.chosen({"WISTLAKE_DIGEST_DAY": day})["DigestDay"]
        assert given == day.strip()[:3].upper()
        assert given in self.declared["DigestDay"]["AllowedValues"]

    def test_a_day_that_is_none_is_not_deployed(self) -> None:
        with pytest.raises(
            deploy.Broken, match="WISTLAKE_DIGEST_DAY is mo: write a weekday, monday to sunday"
        ):
            deploy.chosen({"WISTLAKE_DIGEST_DAY": "mo"})

    def test_media_may_be_written_in_lines(self) -> None:
        given = deploy.chosen({"MEDIA_IDS": "abcdef1234, bcdef12345\ncdef123456,\n"})["MediaIds"]
        assert given == "abcdef1234,bcdef12345,cdef123456"
        assert re.fullmatch(self.declared["MediaIds"]["AllowedPattern"], given)


class TestPackagedSettings:
    """What is too long for a function's environment, and files that a setting names."""

    @pytest.fixture
    def functions(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        for variable in ("MEDIA_IDS", *deploy.FILES, "WISTLAKE_CONFIG"):
            monkeypatch.delenv(variable, raising=False)
        folder = tmp_path / "var" / "task"
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)  # where Lambda starts a function
        monkeypatch.setattr(deploy, "ROOT", tmp_path)
        return folder

    def test_a_thousand_media(self, functions: Path) -> None:
        media = [f"media{n:05}" for n in range(1000)]
        environment = {"MEDIA_IDS": ",".join(media)}
        assert deploy._package(functions, environment) == {"MEDIA_IDS"}
        assert Settings().require_media() == tuple(media)

    def test_a_few_media_are_a_parameter(self, functions: Path) -> None:
        assert deploy._package(functions, {"MEDIA_IDS": "abcdef1234"}) == set()
        assert Settings().media_ids == ()

    def test_rules_of_channels(self, functions: Path, tmp_path: Path) -> None:
        (tmp_path / "rules.toml").write_text(
            '[[rule]]\nchannel = "ours"\nfield = "embed_host"\npattern = "ours"\n'
        )
        assert deploy._package(functions, {"WISTLAKE_CHANNELS": "rules.toml"}) == {"WISTLAKE_CHANNELS"}
        assert Settings().channels == functions / "channels.toml"
        assert deploy._package(functions, {}) == set()
        assert Settings().channels is None
        assert not (functions / "channels.toml").exists()

    def test_rules_in_a_bucket_are_a_parameter_and_no_file(self, functions: Path) -> None:
        place = "s3://wistlake-bronze-dev-123456789012-eu-central-1/settings/channels.toml"
        given = {"MEDIA_IDS": "all", "WISTLAKE_CHANNELS": place}
        assert deploy._package(functions, given) == set()
        chosen = deploy.chosen(given)["ChannelRules"]
        assert chosen == place
        pattern = template("template.yaml")["Parameters"]["ChannelRules"]["AllowedPattern"]
        assert re.fullmatch(pattern, place)
        assert not re.fullmatch(pattern, place.replace("/settings/", "/bronze/")), (
            "which the plan may not read"
        )

    @pytest.mark.parametrize(
        ("variable", "text", "why"),
        [
            ("WISTLAKE_ALERTS", '[[alert]]\nname = "x"\nkind = "dropp"\n', "kind is 'dropp'"),
            ("WISTLAKE_ALERTS", "[[alert]", "can't be read"),
            ("WISTLAKE_CHANNELS", '[[rule]]\nchannel = "ours"\n', "field"),
        ],
    )
    def test_a_file_that_the_functions_could_not_read_is_not_deployed(
        self, functions: Path, tmp_path: Path, variable: str, text: str, why: str
    ) -> None:
        (tmp_path / "ours.toml").write_text(text)
        with pytest.raises(deploy.Broken, match=f"{variable}: .*{why}"):
            deploy._package(functions, {variable: "ours.toml"})

    def test_an_object_that_no_parameter_names_is_refused(self, functions: Path) -> None:
        with pytest.raises(deploy.Broken, match=r"WISTLAKE_ALERTS: s3://b/alerts\.toml lies in a bucket"):
            deploy._package(functions, {"WISTLAKE_ALERTS": "s3://b/alerts.toml"})

    def test_labels(self, functions: Path, tmp_path: Path) -> None:
        (tmp_path / "ours.csv").write_text("media_id,campaign\nabc123xyz0,spring\n")
        assert deploy._package(functions, {"WISTLAKE_LABELS": "ours.csv"}) == {"WISTLAKE_LABELS"}
        assert Settings().labels == functions / "labels.csv"
        assert deploy._package(functions, {}) == set()
        assert Settings().labels is None

    def test_a_file_that_is_not_there_is_named(self, functions: Path) -> None:
        with pytest.raises(deploy.Broken, match="WISTLAKE_CHANNELS: the repository has no file rules"):
            deploy._package(functions, {"WISTLAKE_CHANNELS": "rules.toml"})


class TestRerun:
    def asked(self, *options: str) -> Any:
        return deploy._arguments(["rerun", "--stage", "dev", *options])

    @pytest.fixture
    def orders(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        orders: list[Any] = []

        def run(made: Any, order: Any, poll: int) -> Any:
            orders.append(order)
            return {"verdict": "failed" if order["reason"] == "fail" else "partial", "errors": ["why"]}

        monkeypatch.setattr(deploy, "outputs", lambda stack: {})
        monkeypatch.setattr(deploy, "_by_machine", run)
        return orders

    def test_a_day_of_some_media(self, orders: list[Any]) -> None:
        deploy.rerun(self.asked("--from", "2026-03-01", "--media", "abcdef1234, bcdef12345"))
        assert orders == [
            {
                "trigger": "backfill",
                "from": "2026-03-01",
                "to": "2026-03-01",
                "reason": "asked for by hand",
                "medias": ["abcdef1234", "bcdef12345"],
            }
        ]

    def test_days_of_all_media(self, orders: list[Any]) -> None:
        deploy.rerun(self.asked("--from", "2026-03-01", "--to", "2026-03-04", "--reason", "missed"))
        (order,) = orders
        assert (order["to"], order["reason"]) == ("2026-03-04", "missed")
        assert "medias" not in order

    def test_what_failed_and_what_is_missing_is_said(self, orders: list[Any]) -> None:
        with pytest.raises(deploy.Broken, match="the run is failed: why"):
            deploy.rerun(self.asked("--from", "2026-03-01", "--reason", "fail"))
        with pytest.raises(deploy.Broken, match="--from"):
            deploy.rerun(self.asked())


class TestVersions:
    """The aliases that the machine calls, forth and back."""

    class Functions:
        """Lambda with versions: what was published, and where each alias points."""

        def __init__(self, alias: str) -> None:
            self.alias = dict.fromkeys(("plan", "ingest", "publish"), alias)
            self.versions = ["$LATEST", "1", "2", "3"]

        def get_alias(self, FunctionName: str, Name: str) -> Any:  # noqa: N803, boto3's names
            return {"FunctionVersion": self.alias[FunctionName.rpartition(":")[2]]}

        def update_alias(self, FunctionName: str, Name: str, FunctionVersion: str) -> None:  # noqa: N803
            assert Name == "live"
            self.alias[FunctionName.rpartition(":")[2]] = FunctionVersion

        def get_paginator(self, name: str) -> Any:
            assert name == "list_versions_by_function"
            page = {"Versions": [{"Version": v} for v in self.versions]}
            return type("Pages", (), {"paginate": staticmethod(lambda **_: [page])})

    def rolled_back(self, monkeypatch: pytest.MonkeyPatch, alias: str) -> dict[str, str]:
        functions = self.Functions(alias)
        names = {"PlanFunction": "plan", "IngestFunction": "ingest", "PublishFunction": "publish"}
        made = {output: f"arn:aws:lambda:r:1:function:{name}:live" for output, name in names.items()}
        monkeypatch.setattr(deploy, "outputs", lambda stack: made)
        monkeypatch.setattr(deploy.boto3, "client", lambda service: functions)
        deploy.rollback(deploy._arguments(["rollback", "--stage", "dev"]))
        return functions.alias

    def test_every_function_goes_back_by_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.rolled_back(monkeypatch, "3") == dict.fromkeys(("plan", "ingest", "publish"), "2")

    @pytest.mark.parametrize("alias", ["1", "$LATEST"])
    def test_before_the_first_there_is_none(self, monkeypatch: pytest.MonkeyPatch, alias: str) -> None:
        with pytest.raises(deploy.Broken, match=re.escape(f"no version before {alias}")):
            self.rolled_back(monkeypatch, alias)


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


class TestSmoke:
    """What the smoke test calls a fault of the deployment."""

    def test_it_waits_longer_than_any_function_may_take_and_calls_none_twice(self) -> None:
        functions = of_type(template("template.yaml"), "AWS::Serverless::Function")
        assert deploy.WAITING.read_timeout > max(f["Timeout"] for f in functions.values())
        assert deploy.WAITING.retries == {"total_max_attempts": 1}

    @pytest.mark.parametrize(
        ("verdict", "failed", "passes"),
        [
            ("succeeded", 0, True),
            ("partial", 1, True),
            ("failed", 1, True),
            ("failed", 2, True),
            ("failed", 0, False),  # no media's fault
            ("failed", 3, False),  # all of them: it will be ours
        ],
    )
    def test_trouble_of_one_media_is_none_of_the_deployments(
        self, verdict: str, failed: int, passes: bool
    ) -> None:
        answer = {"verdict": verdict, "failed": failed, "errors": ["why"]}
        if passes:
            deploy._judge("publish", answer)
        else:
            with pytest.raises(deploy.Broken, match="publish says failed: why"):
                deploy._judge("publish", answer)

    @pytest.mark.parametrize(
        ("kind", "goes_on"),
        [("SourceChanged", True), ("SourceRefused", False), ("ClientError", False), ("LeaseHeld", False)],
    )
    def test_a_batch_that_fails_by_its_media_is_left_to_publish(
        self, monkeypatch: pytest.MonkeyPatch, kind: str, goes_on: bool
    ) -> None:
        def raises(function: str, event: Any, shape: Any) -> Any:
            raise deploy.Raised(function, {"errorType": kind, "errorMessage": "why"})

        monkeypatch.setattr(deploy, "call", raises)
        if goes_on:
            (failed,) = deploy._ingest("ingest", {"batch": "by_date-1"})
            assert failed == {"batch": "by_date-1", "error": kind, "message": f"ingest raised {kind}: why"}
        else:
            with pytest.raises(deploy.Raised, match=kind):
                deploy._ingest("ingest", {"batch": "by_date-1"})

    def test_a_run_that_is_under_way_is_waited_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = iter(["LeaseHeld", "LeaseHeld", ""])

        def held_at_first(function: str, event: Any, shape: Any) -> Any:
            if kind := next(answers):
                raise deploy.Raised(function, {"errorType": kind, "errorMessage": "another run"})
            return {"run_id": "r"}

        monkeypatch.setattr(deploy, "call", held_at_first)
        assert deploy._plan("plan", {}, poll=0) == {"run_id": "r"}
        monkeypatch.setattr(deploy, "PATIENCE", -1)
        answers = iter(["LeaseHeld"])
        with pytest.raises(deploy.Raised, match="LeaseHeld"):
            deploy._plan("plan", {}, poll=0)


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

    def test_a_digest_is_written_there_as_on_a_laptop(self, built: Path) -> None:
        """By the one locale that the package has."""
        wrote = (
            "from datetime import date; from wistlake_dashboard import words; first = date(2026, 2, 23);"
            "print([words.span(first, date(2026, 3, 1)), words.day(first), words.count(1234567), words.share(0.273)]);"
            "from wistlake_dashboard.report import page; print(page(None, None))"
        )
        here = subprocess.run(
            [sys.executable, "-c", wrote], capture_output=True, text=True, check=True, timeout=60
        )
        assert self.python("lambda-runtime", built / "lambda", wrote) == here.stdout
        assert "1,234,567" in here.stdout
        assert "Nothing is published yet" in here.stdout

    @pytest.mark.parametrize("name", ["plan", "ingest", "publish", "release", "watch", "chat", "digest"])
    def test_each_function_loads_on_lambdas_python(self, built: Path, name: str) -> None:
        said = self.python(
            "lambda-runtime",
            built / "lambda",
            f"from wistlake.entrypoints.aws.{name} import handler;"
            "import json, sys; print(json.dumps(sorted(sys.modules)))",
        )
        modules = json.loads(said)
        assert len(modules) < MOST_MODULES
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
