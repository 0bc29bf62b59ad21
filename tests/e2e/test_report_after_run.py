"""The report that a run leaves, and that it never stands in the way of one."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.commands import served
from support.lake import START
from wistia_simulator import Profile, World
from wistlake.entrypoints.cli.main import main

pytestmark = pytest.mark.engine
RUN = ("run", "--now", START.isoformat(), "--json")


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Settings for a new lake that is fed by a simulated Wistia."""
    monkeypatch.chdir(tmp_path)
    world = World(3, Profile(media=1, sessions_per_day=5, history_days=9), START)
    with served(world, tmp_path / "lake", monkeypatch, WISTLAKE_LOOKBACK_DAYS="2"):
        yield tmp_path / "lake"


def wistlake(*arguments: str) -> None:
    main(arguments)


def ran(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, object], str]:
    """What a run printed: its JSON result, and what was said beside it."""
    with pytest.raises(SystemExit) as end:
        wistlake(*RUN)
    assert end.value.code == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


def test_a_run_leaves_the_report_and_one_that_cannot_be_drawn_fails_nothing(
    lake: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    result, said = ran(capsys)
    drawn = lake / "report.html"
    assert result["status"] == "succeeded"
    assert "simulated data" in drawn.read_text()
    assert "could not be made" not in said

    drawn.unlink()
    monkeypatch.setenv("WISTLAKE_REPORT", "false")
    ran(capsys)
    assert not drawn.exists()

    monkeypatch.delenv("WISTLAKE_REPORT")
    drawn.mkdir()
    result, said = ran(capsys)
    assert result["status"] == "succeeded"
    assert "the report could not be made" in said
