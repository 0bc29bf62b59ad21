"""What a newcomer does first, as a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.processes import work_of_children

COMMAND = str(Path(sys.executable).with_name("wistlake"))


def wistlake(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The installed command, in `folder`, without this machine's settings."""
    settings = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment}
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env=settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.engine
def test_the_demo_leaves_a_lake_a_report_and_what_to_try_next(tmp_path: Path) -> None:
    done = wistlake(tmp_path, "demo", "--days", "2")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo-lake" / "report.html").stat().st_size > 10_000
    assert [path.name for path in tmp_path.iterdir()] == ["demo-lake"]
    tried = [line.split(maxsplit=3) for line in done.stdout.splitlines() if line.startswith("  WIST")]
    assert [(words[0], Path(words[1]).name, words[2]) for words in tried] == [
        ("WISTLAKE_LAKE=demo-lake", "wistlake", command) for command in ("status", "query", "query")
    ]
    lake = {"WISTLAKE_LAKE": "demo-lake"}
    asked = wistlake(
        tmp_path, "query", "SELECT count(*) AS n FROM silver.fact_events", "--format", "json", **lake
    )
    assert json.loads(asked.stdout)[0]["n"] > 1000
    summed = wistlake(
        tmp_path,
        "query",
        "SELECT sum(unique_viewers) AS n FROM gold.fact_media_daily",
        "--format",
        "csv",
        **lake,
    )
    assert (summed.returncode, len(summed.stdout.splitlines())) == (0, 2)
    assert "uniques don't add up" in summed.stderr
    shown = wistlake(tmp_path, "status", "--json", "--now", "2026-03-03T02:15Z", **lake)
    assert json.loads(shown.stdout)["gaps"] == []
    mixed = wistlake(tmp_path, "run", WISTIA_API_TOKEN="a-real-one", MEDIA_IDS="all", **lake)
    assert (mixed.returncode, "this lake holds simulated days" in mixed.stderr) == (2, True)


def test_help_is_there_at_once(tmp_path: Path) -> None:
    began = work_of_children()
    done = wistlake(tmp_path, "--help")
    assert done.returncode == 0
    assert work_of_children() - began < 0.5
    assert "backfill" in done.stdout


def test_without_a_token_the_cure_and_the_demo_are_named(tmp_path: Path) -> None:
    done = wistlake(tmp_path, "run", MEDIA_IDS="abc123xyz0")
    assert done.returncode == 2
    assert "WISTIA_API_TOKEN is not set" in done.stderr
    assert "wistlake demo" in done.stderr


def test_a_query_can_only_read(tmp_path: Path) -> None:
    done = wistlake(tmp_path, "query", "DROP TABLE silver.fact_events")
    assert done.returncode == 2
