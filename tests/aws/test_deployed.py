"""Seven days through the deployed machine, and everything that may go wrong. The tests build on each other:
each begins where the one before has left the lake, as days do."""

import base64
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from support.aws import tools
from support.aws.door import plain
from support.aws.stage import Stage
from support.compare import differences
from support.lake import KEY, START, Lake
from support.some import some
from wistlake import contracts
from wistlake.adapters.aws.objects import S3Objects
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.adapters.lake_bytes import hits
from wistlake.contracts import TABLES
from wistlake.derive.pseudonym import pseudonym
from wistlake.entrypoints.cli import session
from wistlake.entrypoints.cli.main import app
from wistlake.errors import ConfigError
from wistlake.insight import ask
from wistlake.insight.certify import evidence
from wistlake.planning.intervals import Interval, State
from wistlake.ports import Run
from wistlake.privacy.scan import KINDS
from wistlake.quality.views import views
from wistlake.wiring.spec import window as window_of
from wistlake_dashboard.digest import digest

pytestmark = [pytest.mark.aws, pytest.mark.spark, pytest.mark.engine, pytest.mark.timeout(3600)]
DAYS, APART = 7, 3
LAST = START + timedelta(days=DAYS - 1)
OF_GLUE = "/aws-glue/jobs/wistlake-dev-role/x/output"  # Glue would make it
FACTS = "wistia_gold_fact_media_daily"
WELL_KNOWN = (
    f"SELECT dt, count(*) AS n FROM {FACTS} GROUP BY dt ORDER BY dt",
    f"SELECT media_id, dt, play_rate FROM {FACTS} ORDER BY media_id, dt",
)
DASHBOARD = tools.ROOT / "src" / "wistlake" / "entrypoints" / "dashboard.py"


def on(day: int) -> datetime:
    """When the run of the nth day is due."""
    return START + timedelta(days=day)


@pytest.fixture(scope="module")
def week(deployed: Stage) -> Stage:
    """Seven days, one execution each, nobody's hand in it; on one of them each batch is an execution too."""
    for day in range(DAYS):
        ended = deployed.day(on(day), **({"distributed": True} if day == APART else {}))
        assert ended.status == "SUCCEEDED", ended.cause
        assert ended.output["verdict"] == "succeeded", (day, deployed.ledger.runs(1)[0].result)
    return deployed


@pytest.fixture(scope="module")
def laptop(week: Stage, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The same week on a laptop."""
    lake = Lake(tmp_path_factory.mktemp("laptop"), week.scenario)
    lake.run_days(DAYS)
    return lake


class TestWeek:
    def test_every_table_is_the_laptops_row_by_row(self, week: Stage, laptop: Lake) -> None:
        found = week.tables()
        assert sum(map(len, found.values())) > 100
        for table in TABLES:
            expected = laptop.rows(table.full_name)
            assert differences(table, expected, found[table.full_name]) == []

    def test_watermarks_are_right(self, week: Stage, laptop: Lake) -> None:
        assert week.watermarks() == {(w.dataset, w.media_id): w.last_date for w in laptop.ledger.watermarks()}
        table = week.cloud.client("dynamodb").describe_table(TableName="WistiaWatermarks-dev")["Table"]
        assert [k["AttributeName"] for k in table["KeySchema"]] == ["dataset", "media_id"]

    def test_the_week_is_certified_and_marked_as_simulated(self, week: Stage, laptop: Lake) -> None:
        window = window_of(laptop.settings(), LAST)
        found = evidence(week.ledger, week, window, DAYS)
        assert found.passed, (found.problems, [d.problems for d in found.days])
        assert [d.origin for d in found.days] == ["simulated"] * DAYS

    def test_a_day_of_batches_that_are_executions_of_their_own(self, week: Stage) -> None:
        """What it made is compared with the laptop's above."""
        prefix = f"runs/run-{APART + 1:04d}/batches-"
        read = [c["arguments"] for c in week.cloud.calls() if c["resource"].endswith(":s3:getObject")]
        assert [(r["Key"], r["items"] > 0) for r in read] == [
            (f"{prefix}{phase}.json", True) for phase in (0, 1)
        ]
        called = [c["arguments"]["Payload"] for c in week.cloud.calls() if "lambda:invoke" in c["resource"]]
        batches = [p["batch"] for p in called if p["run_id"] == f"run-{APART + 1:04d}" and "batch" in p]
        assert len(batches) == sum(r["items"] for r in read)

    def test_states_stay_small(self, week: Stage) -> None:
        for call in some(week.cloud.calls()):
            assert len(json.dumps(call["arguments"])) < 64 * 1024

    def test_the_well_known_checks(self, week: Stage, laptop: Lake) -> None:
        per_day = f"SELECT dt, count(*) AS n FROM {FACTS} GROUP BY dt ORDER BY dt"
        assert week.query(per_day) == [
            {"dt": str(r["dt"]), "n": str(r["n"])} for r in laptop_view(laptop, per_day)
        ]
        top = f"SELECT media_id FROM {FACTS} ORDER BY play_rate DESC NULLS LAST, media_id, dt LIMIT 10"
        assert week.query(top) == laptop_view(laptop, top)

    def test_named_queries_and_views_execute(self, week: Stage) -> None:
        athena, made = week.cloud.client("athena"), week.outputs
        named = athena.list_named_queries(WorkGroup=made["Workgroup"])["NamedQueryIds"]
        assert len(named) >= 5
        for query in named:
            found = athena.get_named_query(NamedQueryId=query)["NamedQuery"]
            rows = week.query(found["QueryString"])
            assert rows or found["Name"] in ("broken_identities", "quarantine_by_reason"), found["Name"]
        tables = week.cloud.client("glue").get_tables(DatabaseName=made["Database"])["TableList"]
        views = [t["Name"] for t in tables if t["TableType"] == "VIRTUAL_VIEW"]
        assert FACTS in views
        published = week.ledger.publication()
        assert published
        versions = {
            found[0]: int(found[1])
            for t in tables
            if t["TableType"] == "VIRTUAL_VIEW"
            for found in re.findall(r"(\w+) FOR VERSION AS OF (\d+)", view_text(t))
        }
        assert versions
        assert versions == {n: published.tables[n.replace("_", ".", 1)].snapshot_id for n in versions}
        for view in some(set(views) - {"gold_label_daily_metrics"}):  # nobody has given a label
            assert week.query(f"SELECT count(*) AS n FROM {view}")[0]["n"] != "0", view

    @pytest.mark.parametrize("way", ["duckdb", "athena"])
    def test_queries_find_what_they_find_on_the_laptop(
        self, week: Stage, laptop: Lake, reader: pytest.MonkeyPatch, way: str
    ) -> None:
        reader.setenv("WISTLAKE_QUERY", way)
        theirs = session.lake().query()
        for text in WELL_KNOWN:
            expected = laptop_view(laptop, text)
            assert expected
            assert theirs.sql(text).to_pylist() == expected

    @pytest.mark.parametrize("way", ["duckdb", "athena"])
    def test_metrics_are_those_of_the_laptop(
        self, week: Stage, laptop: Lake, reader: pytest.MonkeyPatch, way: str
    ) -> None:
        """And so is what is said of their trust, for which the ledger is asked too."""
        reader.setenv("WISTLAKE_QUERY", way)
        theirs, ours = session.lake().query(), laptop.opened().query()
        of = ask.Selection(start=(on(0) - timedelta(days=3)).date())
        for name, by in (
            ("unique_viewers", ("channel",)), ("plays", ("media",)), ("completion_share", ("title", "week")),
            ("viewers_per_load", ()), ("watch_seconds", ("country", "date")), ("plays_per_load", ("date",)),
        ):  # fmt: skip
            expected = ask.metric(ours, name, of, by, compare=True)
            assert expected.rows
            assert ask.metric(theirs, name, of, by, compare=True) == expected
        assert ask.trust(theirs, of).rows == ask.trust(ours, of).rows
        (row,) = laptop.sql("SELECT media_id, date FROM gold.fact_media_daily LIMIT 1")
        asked = ("--media", row["media_id"], "--date", str(row["date"]), "--json")
        assert command_here("explain", "fact_media_daily", *asked).exit_code == 0

    def test_commands_that_read_tell_of_the_week(
        self, week: Stage, laptop: Lake, reader: pytest.MonkeyPatch
    ) -> None:
        now = LAST.isoformat()
        told = {
            command: command_here(*command.split(), "--json", "--now", now)
            for command in ("status", f"certify --days {DAYS}", "gaps")
        }
        assert {command: said.exit_code for command, said in told.items()} == dict.fromkeys(told, 0), told
        status = json.loads(told["status"].stdout)
        assert (status["last_run"]["run_id"], status["gaps"]) == (f"run-{DAYS:04}", [])
        certified = json.loads(told[f"certify --days {DAYS}"].stdout)
        assert [d["origin"] for d in certified["days"]] == ["simulated"] * DAYS
        (row,) = laptop.sql("SELECT media_id, date FROM gold.fact_media_daily LIMIT 1")
        day = str(row["date"])
        asked = ("explain", "fact_media_daily", "--media", row["media_id"], "--date", day, "--json")
        explained = command_here(*asked)
        assert explained.exit_code == 0, explained.output

    def test_a_command_that_would_work_on_it_says_where_to(
        self, week: Stage, reader: pytest.MonkeyPatch
    ) -> None:
        refused = command_here("run")
        assert isinstance(refused.exception, ConfigError)
        assert "start an execution" in str(refused.exception)

    def test_report_and_dashboard_show_the_laptops_figures(
        self, week: Stage, laptop: Lake, reader: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        # Streamlit's test runner takes the place of `__main__`, which processes that start later would run.
        reader.setitem(sys.modules, "__main__", sys.modules["__main__"])
        reader.setenv("WISTLAKE_LAKE", str(laptop.folder))
        seen = {}
        for place in ("aws", "laptop"):
            reader.setenv("WISTLAKE_PLACE", place)
            seen[place] = (tiles(), cells(tmp_path / f"{place}.html"))
        assert seen["aws"] == seen["laptop"]
        assert len(seen["aws"][1]) > 50

    def test_the_weeks_digest_is_the_laptops(self, week: Stage, laptop: Lake) -> None:
        """By the deployed function, with its own rights; when a run began is each lake's own."""
        queue = week.cloud.listen(week.outputs["TopicArn"])
        answer = week.cloud.client("lambda").invoke(FunctionName="wistlake-dev-digest", Payload=b"{}")
        (heard,) = week.cloud.heard(queue)
        said, expected = json.loads(heard["Message"]), digest(DuckDBQuery(laptop.ledger, views()))
        assert json.loads(answer["Payload"].read()) == {"sent": True}, said
        began = re.compile(r"Last run (\w+), [^.]+\.")
        assert (said["title"], began.sub(r"\1", said["text"])) == (
            expected.title,
            began.sub(r"\1", expected.text),
        )

    def test_the_same_day_again_changes_nothing(self, week: Stage) -> None:
        before, marks = week.ledger.publication(), week.watermarks()
        ended = week.day(LAST)
        assert ended.status == "SUCCEEDED", ended.cause
        assert ended.output["published"]["watermarks"] == 0
        assert week.watermarks() == marks
        after = week.ledger.publication()
        assert before
        assert after
        assert before.tables == after.tables


def view_text(table: dict[str, Any]) -> str:
    """The SELECT of a view as the catalog keeps it."""
    wrapped = table["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    return str(json.loads(base64.b64decode(wrapped))["originalSql"])


def laptop_view(laptop: Lake, text: str) -> list[dict[str, Any]]:
    """The rows of a SELECT over the laptop's views."""
    rows: list[dict[str, Any]] = DuckDBQuery(laptop.ledger, views()).sql(text).to_pylist()
    return rows


@pytest.fixture
def reader(week: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """This process's environment becomes that of somebody whose lake the stage is."""
    with plain(week.cloud.port, week.cloud.folder / "cert.pem") as endpoint:
        for name, value in (week.reading | {"AWS_ENDPOINT_URL": endpoint}).items():
            monkeypatch.setenv(name, value)
        yield monkeypatch


def command_here(*arguments: str) -> Result:
    """What a command answers in this process."""
    return CliRunner().invoke(app, arguments)


def tiles() -> dict[str, str]:
    """The dashboard's key figures."""
    shown = AppTest.from_file(DASHBOARD, default_timeout=120).run()
    assert not shown.exception
    found = {m.label: m.value for m in shown.metric}
    assert found["Plays"] not in ("", "0")
    return found


def cells(report: Path) -> list[str]:
    """What stands in the report's tables of figures; each lake has runs of its own, which the appendix lists."""
    said = command_here("report", "--out", str(report))
    assert said.exit_code == 0, said.output
    figures, health, _ = report.read_text(encoding="utf-8").partition("<h3>Days fetched</h3>")
    assert health
    return re.findall(r"<t[dh][^>]*>([^<]*)<", figures)


@pytest.fixture
def ear(week: Stage) -> Iterator[Any]:
    """What the topic says from now on."""
    queue = week.cloud.listen(week.outputs["TopicArn"])
    yield lambda: json.dumps(week.cloud.heard(queue))
    week.trouble.poisoned = week.trouble.limited = ""


class TestTrouble:
    """Day after day, each with something wrong."""

    def test_a_rate_limit_is_tried_again_by_its_name(self, week: Stage) -> None:
        media, before = week.world.truth.medias()[0].media_id, len(week.cloud.calls())
        week.trouble.limited, week.trouble.times = media, 10
        ended = week.day(on(DAYS))
        assert ended.status == "SUCCEEDED", ended.cause
        tries = [
            c
            for c in week.cloud.calls()[before:]
            if c["arguments"].get("Payload", {}).get("batch") == "snapshots-1"
        ]
        assert [c["error"] for c in tries] == ["SourceUnavailable", ""]
        assert week.trouble.seen.count("limit") == 10

    def test_a_poisoned_media_fails_the_run_and_not_the_others(self, week: Stage, ear: Any) -> None:
        poisoned, *others = (m.media_id for m in week.world.truth.medias())
        before = week.watermarks()
        week.trouble.poisoned = poisoned
        ended = week.day(on(DAYS + 1))
        assert ended.status == "FAILED"
        assert poisoned in ended.cause
        assert "SourceChanged" in ended.cause
        assert poisoned in ear()
        moved = {key for key, day in week.watermarks().items() if before.get(key) != day}
        assert {media for _, media in moved} >= set(others)

    def test_a_failed_build_leaves_watermarks_and_the_next_day_repairs(self, week: Stage, ear: Any) -> None:
        before = week.watermarks()
        with broken_build(week):
            ended = week.day(on(DAYS + 2))
        assert ended.status == "FAILED"
        assert week.watermarks() == before
        assert "fail" in ear().lower()
        assert week.day(on(DAYS + 3)).status == "SUCCEEDED"
        after = week.watermarks()
        events = [key for key in after if key[0] == "events"]
        assert {after[key] for key in events} == {(on(DAYS + 3) - timedelta(days=1)).date()}

    @pytest.mark.parametrize(
        ("role", "action"),
        [
            ("PlanRole", "secretsmanager:GetSecretValue"),
            ("IngestRole", "s3:PutObject"),
            ("BuildRole", "glue:UpdateTable"),
            ("MachineRole", "glue:StartJobRun"),
            ("PublishRole", "dynamodb:UpdateItem"),
        ],
    )
    def test_a_right_that_is_missing_is_a_failure(self, week: Stage, role: str, action: str) -> None:
        with week.without(role, action):
            ended = week.day(on(DAYS + 4))
        assert ended.status == "FAILED"
        assert any(word in ended.cause for word in ("not authorized", "AccessDenied", "denied")), ended.cause
        with week.ledger.lease("lake", "the next", datetime.now(UTC), 60):
            pass  # whatever could not let go of it

    def test_with_all_rights_the_schedule_starts_a_day_that_makes_good(self, week: Stage) -> None:
        """Nobody's hand is in it: the deployed schedule starts the deployed machine when it is due."""
        made, due, earlier = week.outputs, on(DAYS + 5), len(week.cloud.calls())
        found = week.cloud.client("scheduler").get_schedule(Name=made["Schedule"])
        assert found["ScheduleExpression"] == f"cron({due.minute} {due.hour} * * ? *)" == "cron(15 2 * * ? *)"
        assert found["ScheduleExpressionTimezone"] == "UTC"
        assert found["State"] == "ENABLED"
        assert found["Target"]["Arn"] == made["MachineArn"]

        _died_while_ingesting(week, due)
        before, published = _executions(week), week.ledger.publication()
        week.world.clock.set(due)
        week.cloud.pass_time(due - timedelta(seconds=1), due)
        ended = week.cloud.ended(_next_execution(week, before))
        assert ended.status == "SUCCEEDED", ended.cause
        given = [
            c["arguments"]["Payload"]
            for c in week.cloud.calls()[earlier:]
            if c["arguments"].get("FunctionName", "").endswith("-plan:live")
        ]
        assert given[0]["trigger"] == "schedule"
        assert datetime.fromisoformat(given[0]["scheduled_time"]) == due
        after = week.ledger.publication()
        assert published
        assert after
        assert after.run_id != published.run_id
        assert _executions(week) - before == {ended.name}, "once"


def _died_while_ingesting(stage: Stage, now: datetime) -> None:
    """A run of the night before that never came back: the plan must look for what it has landed."""
    night = now - timedelta(hours=20)
    stage.ledger.put_run(Run("died", "scheduled", "simulated", "failed", night))
    planned = Interval("events", stage.world.media_ids[0], night.date(), State.PLANNED, "died", night)
    stage.ledger.record([planned])


def _executions(stage: Stage) -> set[str]:
    """The names of the machine's runs."""
    pages = stage.cloud.client("stepfunctions").get_paginator("list_executions")
    found = pages.paginate(stateMachineArn=stage.outputs["MachineArn"])
    return {execution["name"] for page in found for execution in page["executions"]}


def _next_execution(stage: Stage, before: set[str]) -> str:
    """The machine's run that is none of those before, as soon as there is one."""
    until = time.monotonic() + 60
    while not (found := _executions(stage) - before):
        assert time.monotonic() < until, "the schedule started nothing"
        time.sleep(0.1)
    (name,) = found
    return f"{stage.outputs['MachineArn'].replace(':stateMachine:', ':execution:')}:{name}"


class TestKeeping:
    """Beside the days: what a stage's keeper does, by the commands that the runbook gives."""

    def test_upkeep_is_scheduled_and_loses_no_row(self, week: Stage) -> None:
        made = week.outputs
        found = week.cloud.client("scheduler").get_schedule(Name="wistlake-dev-upkeep")
        assert found["Target"]["Arn"] == made["KeepMachineArn"]
        assert found["ScheduleExpression"] == "cron(45 5 ? * SUN *)"
        before = week.tables()
        week.cloud.client("logs").create_log_group(logGroupName=OF_GLUE)
        ended = week.cloud.run(made["KeepMachineArn"], "upkeep-1", {})
        assert ended.status == "SUCCEEDED", ended.cause
        groups = week.cloud.client("logs").describe_log_groups(logGroupNamePrefix="/aws-glue/")["logGroups"]
        assert [(g["logGroupName"], g["retentionInDays"]) for g in groups] == [(OF_GLUE, 30)]
        done = week.kept("upkeep-1")
        assert done["files_merged"] > 0
        assert done["snapshots_expired"] > 0
        after = week.tables()
        for table in TABLES:
            assert differences(table, before[table.full_name], after[table.full_name]) == []

    def test_nobody_is_in_the_lake_but_in_raw_pages(self, week: Stage) -> None:
        checks = json.loads(week.command("doctor", "--privacy", "--json"))["checks"]
        assert {c["verdict"] for c in checks} == {"ok"}, checks
        assert len(checks) == len(KINDS)
        _, keys = _somebody(week)
        stray = {"Bucket": week.outputs["SilverBucket"], "Key": "notes.txt"}
        s3 = week.cloud.client("s3")
        s3.put_object(**stray, Body="\n".join(keys).encode())
        s3.delete_object(**stray)  # it is in an older version still
        with pytest.raises(subprocess.CalledProcessError) as caught:
            week.command("doctor", "--privacy", "--json")
        assert "silver/notes.txt" in caught.value.stderr
        assert not [key for key in some(keys) if key in caught.value.stderr]

    def test_a_person_is_forgotten(self, week: Stage) -> None:
        email, keys = _somebody(week)
        visitors = {pseudonym([KEY], key) for key in keys}
        texts, before = {email, *keys, *visitors}, week.tables()
        before_in = hits(week.everything(), texts)
        assert any(place.endswith("notes.txt") for place in before_in)
        S3Objects(week.outputs["SilverBucket"], week.cloud.client("s3")).delete(["notes.txt"])
        asked = ("forget", "--email", email, "--json")
        would = json.loads(week.command(*asked, "--dry-run", now=on(DAYS + 6)))
        assert would["tables"]["silver.fact_events"] > 1
        unchanged = week.tables()
        for name, rows in some(before.items()):
            assert differences(contracts.table(name), rows, unchanged[name]) == []

        receipt = json.loads(week.command(*asked, now=on(DAYS + 6)))
        assert receipt["second_look"] == "nothing found"
        assert receipt["source_asked"]
        assert receipt["tables"]["silver.fact_events"] == would["tables"]["silver.fact_events"]
        assert not [t for t in texts if t in json.dumps(receipt)]
        assert hits(week.everything(), texts) == {}
        after = week.tables()
        for name in ("silver.fact_events", "gold.fact_media_engagement", "gold.dim_visitor"):
            others = [r for r in before[name] if r["visitor_id"] not in visitors]
            assert differences(contracts.table(name), others, after[name]) == []
            assert len(others) < len(before[name])

        backfill = {"trigger": "backfill", "from": (START - timedelta(days=4)).date().isoformat()}
        ended = week.day(on(DAYS + 6), **backfill, to=(on(DAYS + 5)).date().isoformat())
        assert ended.status == "SUCCEEDED", ended.cause
        assert hits(week.everything(), texts) == {}

    def test_a_new_key_keeps_ids_joinable(self, week: Stage) -> None:
        before = {r["event_key"]: r["visitor_id"] for r in week.tables()["silver.fact_events"]}
        said = json.loads(week.command("key", "rotate", "--json", now=on(DAYS + 7)))
        assert said["epoch"] == 2
        assert week.command("key", "show-epoch").strip() == "2"
        after = {r["event_key"]: r["visitor_id"] for r in week.tables()["silver.fact_events"]}
        became = {(before[key], after[key]) for key in before}
        assert len(became) == len(set(before.values())) == len(set(after.values()))
        assert not set(before.values()) & set(after.values())
        ended = week.day(on(DAYS + 7))
        assert ended.status == "SUCCEEDED", ended.cause
        now = {r["event_key"]: r["visitor_id"] for r in week.tables()["silver.fact_events"]}
        assert {key: now[key] for key in after} == after

    def test_a_right_that_is_missing_is_said_plainly(self, week: Stage) -> None:
        with (
            week.without("KeepRole", "secretsmanager:PutSecretValue"),
            pytest.raises(subprocess.CalledProcessError) as caught,
        ):
            week.command("key", "rotate", now=on(DAYS + 8))
        assert "PutSecretValue" in caught.value.stderr
        assert week.command("key", "show-epoch").strip() == "2"


def _somebody(stage: Stage) -> tuple[str, frozenset[str]]:
    """The address that was seen most often, and its visitors' keys."""
    seen: dict[str, list[str]] = {}
    for viewing in stage.world.truth.sessions():
        if viewing.email:
            seen.setdefault(viewing.email, []).append(viewing.visitor_key)
    email, keys = max(seen.items(), key=lambda found: (len(found[1]), found[0]))
    return email, frozenset(keys)


class broken_build:  # noqa: N801 - reads as a statement
    """The block with a Glue script that ends badly."""

    def __init__(self, stage: Stage) -> None:
        self._s3 = stage.cloud.client("s3")
        job = stage.cloud.client("glue").get_job(JobName=stage.outputs["BuildJob"])["Job"]
        bucket, _, key = job["Command"]["ScriptLocation"].removeprefix("s3://").partition("/")
        self._where = {"Bucket": bucket, "Key": key}

    def __enter__(self) -> None:
        self._script = self._s3.get_object(**self._where)["Body"].read()
        self._s3.put_object(**self._where, Body=b"raise MemoryError('a worker died')\n")

    def __exit__(self, *_: object) -> None:
        self._s3.put_object(**self._where, Body=self._script)
