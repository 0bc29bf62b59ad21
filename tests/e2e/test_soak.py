"""A week under fire, as the command lives through it."""

import json
from pathlib import Path

import pytest

from wistlake.entrypoints.cli.main import main

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]
SEED = "2"  # every kind of fault happens in it


def test_a_hostile_week_loses_doubles_and_bends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["soak", "--days", "7", "--profile", "hostile", "--seed", SEED, "--json"])
    assert not ended.value.code
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["passed"], found["findings"]
    assert (found["lost"], found["duplicated"], found["wrong"]) == (0, 0, 0)
    assert (found["contradicted_days"], found["moved_by_rebuild"], found["moved_by_a_repeated_run"]) == (
        0,
        0,
        0,
    )
    assert found["certified_days"] > 0
    kinds = {"process_death", "missed_day", "started_twice", "run_repeated", "rate_limited", "http503", "hang",
             "drift_insert", "drift_delete", "late_session", "growing_session", "moving_session",
             "vanished_session", "doubled_session", "restless_session", "straddling_session",
             "refused_no_percent", "refused_no_visitor", "listed_above_one", "scaled_percent", "empty_list",
             "lost_catalog", "media_deleted", "media_delete", "media_rename", "schema_addition"}  # fmt: skip
    assert kinds <= {kind for kind, times in found["faults"].items() if times}, sorted(found["faults"])
    assert found["never_happened"] == []
    assert found["survived"] == found["faults_injected"] > 300
    assert found["rows"] > 5_000


def test_a_calm_day_ends_with_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["soak", "--days", "2", "--profile", "calm", "--seed", "3"])
    assert not ended.value.code
    said = capsys.readouterr().out
    for word in ("Faults injected", "survived", "requests", "rows", "lost", "duplicated", "wrong", "passed"):
        assert word in said
