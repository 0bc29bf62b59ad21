"""Makes docs/evidence: a simulated week in an emulated account, by the deployed machine and nobody's hand.

    python -m support.aws.evidence FOLDER      (or `make evidence`, which takes some minutes)

The page of each day is what `wistlake certify --pages` says, as it would of a live stage.
"""

import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from support.aws import tools
from support.aws.cloud import Execution, running
from support.aws.stage import Stage, stage
from support.lake import START, Scenario
from wistia_simulator import Profile

DAYS, WEEK = 7, "week.md"
SCENARIO = Scenario(
    profile=Profile(media=3, sessions_per_day=40, history_days=4, email_share=0.3, returning_share=0.3),
    settings={"lookback_days": 2},
)
_HEAD = f"""# A simulated week

**Simulated**, by `make evidence`: {DAYS} days, one execution each, nobody's hand in between. Seconds are its own
and say nothing of AWS.

| day | run | execution | seconds | rows read | days published | intervals | verdict |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""
_REST = """
`wistlake certify --days {days}` on that stage:

{certified}
Rows of `gold.fact_media_daily` in Athena, day by day:

{athena}
"""


def run(made: Stage, folder: Path) -> None:
    """The week, and its pages."""
    rows = []
    for number in range(DAYS):
        now = START + timedelta(days=number)
        began = time.monotonic()
        ended = made.day(now)
        rows.append(row(now.date().isoformat(), ended, time.monotonic() - began))
    asked = made.athena | {"WISTLAKE_QUERY": "athena"}  # DuckDB trusts the system's certificates alone
    made.command("certify", "--days", str(DAYS), "--pages", str(folder), **asked)
    certified = made.command("certify", "--days", str(DAYS), **asked)
    counted = made.query("SELECT dt, count(*) AS n FROM wistia_gold_fact_media_daily GROUP BY dt ORDER BY dt")
    athena = "\n".join(["| dt | media |", "| --- | --- |", *(f"| {r['dt']} | {r['n']} |" for r in counted)])
    block = "\n".join(("```text", *(line.rstrip() for line in certified.strip().splitlines()), "```", ""))
    text = _HEAD + "".join(rows) + _REST.format(days=DAYS, certified=block, athena=athena)
    (folder / WEEK).write_text(text, encoding="utf-8")


def row(day: str, ended: Execution, seconds: float) -> str:
    """One day's line of the table. AssertionError if its execution failed."""
    assert ended.status == "SUCCEEDED", ended.cause
    published = ended.output["published"]
    figures = (published["rows"], published["days"], published["intervals"])
    shown = [f"[{day}]({day}.md)", ended.output["run_id"], ended.status, f"{seconds:.0f}", *figures]
    return f"| {' | '.join(map(str, shown))} | {ended.output['verdict']} |\n"


def main(folder: Path) -> None:
    """Build, bootstrap, deploy, and let the week pass."""
    for old in (*folder.glob("2*.md"), folder / WEEK):
        old.unlink(missing_ok=True)
    subprocess.run([sys.executable, "infra/build.py"], cwd=tools.ROOT, check=True, timeout=300)
    with (
        tempfile.TemporaryDirectory() as scratch,
        running(Path(scratch) / "account") as cloud,
        stage(cloud, SCENARIO) as made,
    ):
        cloud.bootstrap("dev")
        made.deploy()
        run(made, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
