"""Questions of `insight.ask` through Athena's reader: the same answers as through DuckDB's.

In place of the service a DuckDB runs what is sent to it; `tests/aws/test_deployed.py` asks the emulated service.
"""

import json
import re
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from quality.test_metric_query import BY, NOW, VALUES
from support.aws import tools
from support.memory import MemoryLedger, MemoryObjects
from support.published import Published
from support.some import some
from unit.test_ask import LAST, WEEK, rows
from wistlake.adapters.aws.query import AthenaQuery
from wistlake.contracts import TABLES
from wistlake.derive.athena import table_name
from wistlake.errors import ConfigError
from wistlake.insight import ask
from wistlake.planning.intervals import MediaEntry
from wistlake.ports import Publication, Run, TableRef
from wistlake.quality.metric_query import plan
from wistlake.quality.views import views

AT = datetime(2026, 3, 16, tzinfo=UTC)
_TYPES = {"BIGINT": "bigint", "INTEGER": "integer", "DOUBLE": "double", "DATE": "date", "BOOLEAN": "boolean",
          "HUGEINT": "bigint", "TIMESTAMP WITH TIME ZONE": "timestamp with time zone"}  # fmt: skip


class Service:
    """Athena's client: one database of tables `layer_name`, each read as of a version."""

    def __init__(self, query: Published) -> None:
        self._query, self._asked = query, ""

    def start_query_execution(self, **given: Any) -> dict[str, Any]:
        text = re.sub(r" FOR VERSION AS OF \d+", "", given["QueryString"])
        for table in TABLES:
            text = re.sub(rf"\b{table_name(table.full_name)}\b", table.full_name, text)
        self._asked = text
        return {"QueryExecutionId": "q"}

    def get_query_execution(self, **_: Any) -> dict[str, Any]:
        try:
            self._result = self._query._open().execute(self._asked)
            self._description, self._rows = self._result.description, self._result.fetchall()
        except duckdb.Error as e:
            return {"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": str(e)}}}
        return {"QueryExecution": {"Status": {"State": "SUCCEEDED"}}}

    def get_paginator(self, _: str) -> "Service":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        columns = [{"Name": d[0], "Type": _TYPES.get(str(d[1]), "varchar")} for d in self._description]
        listed = [tuple(d[0] for d in self._description), *self._rows]
        data = [{"Data": [{} if v is None else {"VarCharValue": _text(v)} for v in row]} for row in listed]
        return [{"ResultSet": {"ResultSetMetadata": {"ColumnInfo": columns}, "Rows": data}}]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture(scope="module")
def both() -> tuple[Published, AthenaQuery]:
    """The same rows, publication and ledger behind both."""
    ledger = MemoryLedger()
    ledger.put_run(Run("r1", "scheduled", "live", "succeeded", AT, AT))
    ledger.put_media([MediaEntry(m, date(2026, 3, 2), AT) for m in ("aaaaaa", "bbbbbb", "cccccc")])
    ledger.publish(Publication("r1", AT, {t.full_name: TableRef(f"x/{t.name}", 1) for t in TABLES}))
    duck = Published(rows())
    duck._ledger, duck._published = ledger, ledger.publication()
    return duck, AthenaQuery(ledger, "db", "wg", views(), Service(duck), lambda seconds: None)


QUESTIONS = {
    "a metric beside the period before": lambda q: ask.metric(q, "plays", WEEK, ("media",), compare=True),
    "viewers by title and week": lambda q: ask.metric(q, "unique_viewers", WEEK, ("title", "week")),
    "a ratio by day": lambda q: ask.metric(q, "viewers_per_load", WEEK, ("date",), compare=True),
    "a label's plays": lambda q: ask.metric(q, "plays", ask.Selection(labels=("campaign=spring",)), ("label",)),
    "by channel": lambda q: ask.metric(q, "plays_from_events", WEEK, ("channel", "date")),
    "the top": lambda q: ask.top(q, "watch_seconds", WEEK, "title", 2),
    "trust": lambda q: ask.trust(q, WEEK),
    "media": ask.list_media,
    "metrics": ask.list_metrics,
    "sql": lambda q: ask.sql(q, "SELECT date, sum(plays) AS n FROM gold.fact_media_daily GROUP BY 1 ORDER BY 1", 3, 9),
    "a day explained": lambda q: ask.explain(q, q._ledger, MemoryObjects(), "aaaaaa", LAST, UTC),
}  # fmt: skip


@pytest.mark.parametrize("asked", QUESTIONS)
def test_the_answer_is_the_same(asked: str, both: tuple[Published, AthenaQuery]) -> None:
    duck, athena = both
    expected = QUESTIONS[asked](duck)
    assert expected.rows
    assert QUESTIONS[asked](athena).as_json() == expected.as_json()


@pytest.mark.aws
def test_every_plan_is_in_athenas_dialect(tmp_path: Path) -> None:
    """As far as a parser of that dialect can tell: none is installed beside the product."""
    plans = []
    for by in BY:
        for name in VALUES:
            for compare in (False, True):
                try:
                    plans.append(plan((name,), NOW, by, compare=compare))
                except ConfigError:
                    continue
    (tmp_path / "plans.json").write_text(json.dumps(some(plans)))
    code = (
        "import json, sys, sqlglot; plans = json.load(open(sys.argv[1]));"
        "print(sum(bool(sqlglot.parse_one(p, read='athena').sql('athena')) for p in plans))"
    )
    done = subprocess.run(
        [tools.python("emulator"), "-c", code, tmp_path / "plans.json"],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    assert int(done.stdout) == len(plans) > 100
