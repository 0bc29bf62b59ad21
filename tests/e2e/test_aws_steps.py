"""The four steps on an emulated account: handlers in this process, the Glue script on Apache Spark."""

import json
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from support.aws_lake import AwsLake, aws_lake
from support.compare import differences
from support.emulated import Account
from support.lake import START, Lake, Scenario
from wistia_simulator import Profile
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.contracts import TABLES
from wistlake.entrypoints.cli.main import app
from wistlake.errors import ConfigError
from wistlake.quality.metrics import views
from wistlake.settings import Settings
from wistlake.wiring import laptop as wiring

pytestmark = [pytest.mark.aws, pytest.mark.spark, pytest.mark.engine, pytest.mark.timeout(1200)]
DASHBOARD = Path(__file__).parents[2] / "src/wistlake/entrypoints/dashboard.py"
SCENARIO = Scenario(Profile(media=2, sessions_per_day=10, history_days=4), settings={"lookback_days": 2})


@pytest.fixture
def lake(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsLake]:
    with aws_lake(account, SCENARIO, monkeypatch) as lake:
        yield lake


WELL_KNOWN = (
    "SELECT dt, count(*) AS n FROM wistia_gold_fact_media_daily GROUP BY dt ORDER BY dt",
    "SELECT media_id, dt, play_rate FROM wistia_gold_fact_media_daily ORDER BY media_id, dt",
)


def check_readers(lake: AwsLake, laptop: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that read find the same in the lake on AWS; those that would work on it say where to."""
    monkeypatch.setenv("WISTLAKE_PLACE", "aws")
    monkeypatch.setenv("GLUE_DATABASE", lake.database)
    athena = lake.account.client("athena")
    results = {"OutputLocation": f"s3://{lake.silver}/athena-results/"}
    athena.create_work_group(Name="steps", Configuration={"ResultConfiguration": results})
    monkeypatch.setenv("ATHENA_WORKGROUP", "steps")
    ours = DuckDBQuery(laptop.ledger, views())
    for way in ("duckdb", "athena"):
        monkeypatch.setenv("WISTLAKE_QUERY", way)
        theirs = wiring.query(Settings())
        for text in WELL_KNOWN:
            assert theirs.sql(text).to_pylist() == ours.sql(text).to_pylist()
    monkeypatch.setenv("WISTLAKE_QUERY", "duckdb")
    runner = CliRunner()
    now = (START + timedelta(days=1)).isoformat()
    told = {
        command: runner.invoke(app, [*command.split(), "--json", "--now", now])
        for command in ("status", "certify --days 2", "gaps")
    }
    assert {command: said.exit_code for command, said in told.items()} == dict.fromkeys(told, 0), told
    status = json.loads(told["status"].stdout)
    assert (status["last_run"]["run_id"], status["gaps"]) == ("run-0002", [])
    certified = json.loads(told["certify --days 2"].stdout)
    assert [d["origin"] for d in certified["days"]] == ["simulated"] * 2
    media, day = ours.sql("SELECT media_id, date FROM gold.fact_media_daily LIMIT 1").to_pylist()[0].values()
    explained = runner.invoke(
        app, ["explain", "fact_media_daily", "--media", media, "--date", str(day), "--json"]
    )
    assert explained.exit_code == 0, explained.output
    refused = runner.invoke(app, ["run"])
    assert isinstance(refused.exception, ConfigError)
    assert "start an execution" in str(refused.exception)


def check_pictures(laptop: Lake, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Report and dashboard of the lake on AWS, by the same settings: the laptop's figures."""
    # Streamlit's test runner takes the place of `__main__`, which processes that start later would run.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setenv("WISTLAKE_LAKE", str(laptop.folder))
    seen = {}
    for place in ("aws", "laptop"):
        monkeypatch.setenv("WISTLAKE_PLACE", place)
        report = folder / f"{place}.html"
        said = CliRunner().invoke(app, ["report", "--out", str(report)])
        assert said.exit_code == 0, said.output
        shown = AppTest.from_file(DASHBOARD, default_timeout=120).run()
        assert not shown.exception
        tiles = {m.label: m.value for m in shown.metric}
        assert tiles["Plays"] not in ("", "0")
        seen[place] = (tiles, re.findall(r"<t[dh][^>]*>([^<]*)<", report.read_text(encoding="utf-8")))
    assert seen["aws"] == seen["laptop"]
    assert len(seen["aws"][1]) > 50


def test_two_days_are_the_laptops_row_by_row(
    lake: AwsLake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [lake.run_day(f"run-{n + 1:04d}", START + timedelta(days=n)) for n in range(2)]
    assert [s["verdict"] for s in said] == ["succeeded", "succeeded"], said
    laptop = Lake(tmp_path, SCENARIO)  # its runs are called as those above: some tables tell of runs
    laptop.run_days(2)
    for table in TABLES:
        assert differences(table, laptop.rows(table.full_name), lake.rows(table.full_name)) == []
    assert [(w.dataset, w.media_id, w.last_date) for w in lake.ledger.watermarks()] == [
        (w.dataset, w.media_id, w.last_date) for w in laptop.ledger.watermarks()
    ]
    check_readers(lake, laptop, monkeypatch)
    check_pictures(laptop, tmp_path, monkeypatch)
    before = lake.ledger.publication()
    again = lake.run_day("run-again", START + timedelta(days=1))
    assert again["verdict"] == "succeeded"
    assert again["published"]["watermarks"] == 0
    after = lake.ledger.publication()
    assert before
    assert after
    assert before.tables == after.tables
