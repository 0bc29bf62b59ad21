"""Commands where no lake is yet: what they say, and that they make none."""

import json
from pathlib import Path
from typing import Any

import pytest

from support import spark as in_spark
from support.commands import call
from wistlake.adapters.engine import spark

NOW = "2026-03-05T02:15:00+00:00"


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    call(*arguments, "--json", "--now", NOW)
    answered: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answered


def test_a_plan_is_of_the_datasets_that_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = answer(capsys, "plan", "--from", "2026-03-01", "--to", "2026-03-03", "--datasets", "events")
    assert [(f["dataset"], f["media_id"], f["start"], f["end"], f["landings"]) for f in one["fetches"]] == [
        ("events", "abcdef1234", "2026-03-01", "2026-03-03", 3)
    ]
    both = answer(
        capsys, "plan", "--from", "2026-03-01", "--to", "2026-03-03", "--datasets", "events,media_by_date"
    )
    assert {f["dataset"] for f in both["fetches"]} == {"events", "media_by_date"}
    assert (one["count"], both["count"]) == (1, 2)
    assert "cloud" not in one


def test_what_a_plan_costs_is_of_the_datasets_that_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A request for all days, as no rows are known; the other dataset is one request, too."""
    days = ("--from", "2026-03-01", "--to", "2026-03-03", "--cloud")
    one = answer(capsys, "plan", *days, "--datasets", "events")["cloud"]
    both = answer(capsys, "plan", *days, "--datasets", "events,media_by_date")["cloud"]
    assert (one["requests"], both["requests"]) == (1, 2)
    assert one["dollars_a_month"] == pytest.approx(sum(line["dollars"] for line in one["costs"]))
    assert both["dollars_a_month"] > one["dollars_a_month"] > 0


@pytest.mark.engine
@pytest.mark.parametrize(
    ("engine", "verdict", "detail"),
    [("sail", "ok", "sail"), ("spark", "failed", "WISTLAKE_ENGINE=spark needs")],
)
def test_doctor_looks_at_the_engine_of_the_settings(
    engine: str,
    verdict: str,
    detail: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WISTLAKE_ENGINE", engine)
    monkeypatch.setattr(spark, "find_spec", lambda _: None)
    checks = {c["name"]: c for c in answer(capsys, "doctor")["checks"]}
    assert checks["engine"]["verdict"] == verdict
    assert checks["engine"]["detail"].startswith(detail)
    assert ("make spark" in checks["engine"]["detail"]) == (engine == "spark")
    assert checks["token"]["verdict"] == "failed"
    assert checks["lake"]["detail"].startswith("none yet")
    assert not (folder / "lake").exists()


@pytest.mark.spark
def test_doctor_finds_apache_spark_in_its_own_environment() -> None:
    asked = "from wistlake.insight import doctor; print(*doctor.engine('spark'), sep='\\n')"
    first, *_ = in_spark.python("-c", asked, seconds=60).stdout.splitlines()
    assert "verdict='ok'" in first
    assert "spark, Java at" in first


def test_a_backup_of_no_lake_makes_neither(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("backup", str(folder / "copy.tar")) != 0
    assert "isn't a lake" in capsys.readouterr().err
    assert [p.name for p in folder.iterdir()] == []
