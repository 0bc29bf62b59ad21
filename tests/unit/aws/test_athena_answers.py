"""Questions of `insight.ask` through Athena's reader: the same answers as through DuckDB's.

In place of the service a DuckDB runs what is sent to it; `tests/aws/test_deployed.py` asks the emulated service.
"""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from quality.test_metric_query import BY, NOW, VALUES
from support.aws import tools
from support.memory import MemoryLedger, MemoryObjects
from support.published import Published
from support.some import some
from unit.test_ask import LAST, TITLES, WEEK, rows
from wistlake.adapters.aws.ledger_text import LONGEST
from wistlake.adapters.aws.query import AthenaQuery, AthenaRecords
from wistlake.adapters.ledger_tables import words
from wistlake.contracts import TABLES
from wistlake.derive.athena import table_name
from wistlake.errors import ConfigError
from wistlake.insight import ask, status
from wistlake.insight.certify import evidence
from wistlake.planning import account
from wistlake.planning.account import AccountDay
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.plan import Window
from wistlake.ports import Publication, Query, Run, TableRef
from wistlake.quality.account import DAYS
from wistlake.quality.metric_query import plan
from wistlake.quality.views import views
from wistlake_dashboard.report import newest_scope, page

AT = datetime(2026, 3, 16, tzinfo=UTC)
_TYPES = {"BIGINT": "bigint", "INTEGER": "integer", "DOUBLE": "double", "DATE": "date", "BOOLEAN": "boolean",
          "HUGEINT": "bigint", "TIMESTAMP WITH TIME ZONE": "timestamp with time zone", "array": "array"}  # fmt: skip

_DIALECT = {
    "sequence(": "generate_series(",
    "timestamp(6) with time zone": "timestamptz",
}  # Athena's and DuckDB's

_DUCKDBS_ALONE = ("regexp_matches", "regexp_full_match", "list_value", "strftime", "epoch_ms")


class Service:
    """Athena's client: one database of tables `layer_name`, each read as of a version."""

    def __init__(self, query: Published) -> None:
        self._query, self._asked = query, ""

    def start_query_execution(self, **given: Any) -> dict[str, Any]:
        text = re.sub(r" FOR VERSION AS OF \d+", "", given["QueryString"])
        for theirs, ours in _DIALECT.items():
            text = text.replace(theirs, ours)
        for table in TABLES:
            text = re.sub(rf"\b{table_name(table.full_name)}\b", table.full_name, text)
        self._asked = text
        return {"QueryExecutionId": "q"}

    def get_query_execution(self, **_: Any) -> dict[str, Any]:
        if name := next((f for f in _DUCKDBS_ALONE if f"{f}(" in self._asked), ""):
            reason = f"Function '{name}' not registered"
            return {"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": reason}}}
        try:
            connection = self._query._open()
            self._query._make(connection, words(self._asked))
            self._result = connection.execute(self._asked)
            self._description, self._rows = self._result.description, self._result.fetchall()
        except duckdb.Error as e:
            return {"QueryExecution": {"Status": {"State": "FAILED", "StateChangeReason": str(e)}}}
        return {"QueryExecution": {"Status": {"State": "SUCCEEDED"}}}

    def get_paginator(self, _: str) -> "Service":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        kinds = ["array" if str(d[1]).endswith("[]") else str(d[1]) for d in self._description]
        columns = [
            {"Name": d[0], "Type": _TYPES.get(kind, "varchar")}
            for d, kind in zip(self._description, kinds, strict=True)
        ]
        listed = [tuple(d[0] for d in self._description), *self._rows]
        data = [{"Data": [{} if v is None else {"VarCharValue": _text(v)} for v in row]} for row in listed]
        return [{"ResultSet": {"ResultSetMetadata": {"ColumnInfo": columns}, "Rows": data}}]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join('null' if v is None else str(v) for v in value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture(scope="module")
def both() -> tuple[Published, AthenaQuery]:
    """The same rows, publication and ledger behind both."""
    ledger = MemoryLedger()
    ledger.put_run(Run("r1", "scheduled", "live", "succeeded", AT, AT))
    ledger.put_media([MediaEntry(m, date(2026, 3, 2), AT) for m in ("aaaaaa", "bbbbbb", "cccccc")])
    ledger.put_facts(
        account.FACTS, account.document({LAST: AccountDay(LAST, 500, 90, AT, reason="it's new")})
    )
    ledger.record(
        Interval("media_by_date", m, LAST - timedelta(days=n), state, "r1", AT, observed_at=AT)
        for m, state in (("aaaaaa", State.PUBLISHED), ("bbbbbb", State.FAILED))
        for n in range(3)
    )
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
    "trust without days": ask.trust,
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


JOINED = "FROM gold.fact_media_daily g JOIN ops.intervals i ON i.media_id = g.media_id AND i.day = g.date"
MIXED = {
    "the account's totals beside the media's": DAYS,
    "a subquery of the ledger": (
        "SELECT title FROM silver.dim_media "
        "WHERE media_id IN (SELECT media_id FROM ops.intervals WHERE state = 'failed')"
    ),
    "one that needs what is around it": (
        "SELECT m.media_id, (SELECT count(*) FROM ops.intervals i WHERE i.media_id = m.media_id) AS n "
        "FROM silver.dim_media m ORDER BY 1"
    ),
    "one whose column is not of the ledger": (
        "SELECT media_id FROM gold.fact_media_daily WHERE EXISTS (SELECT 1 FROM ops.runs WHERE plays > 0) ORDER BY 1"
    ),
    "a join": f"SELECT i.media_id, i.day, i.state, i.observed_at, g.plays {JOINED} ORDER BY 1, 2",
    "every column": f"SELECT i.* {JOINED} ORDER BY media_id, day",
    "no column": "SELECT count(*) AS n FROM gold.fact_media_daily, ops.intervals",
    "a name in a text": (
        "SELECT m.title, ')', '(SELECT 1 FROM ops.runs' AS b FROM silver.dim_media m, ops.runs ORDER BY 1"
    ),
    "a column without a name of its own": (
        "SELECT count(*) AS n FROM gold.fact_media_daily "
        "WHERE date = (SELECT max(day) FROM ops.intervals WHERE dataset = 'media_by_date')"
    ),
    "a table in a comment": (
        "SELECT m.title, r.status -- of ops.runs, it's said\n"
        "FROM silver.dim_media m, ops.runs r /* ops.account */ ORDER BY 1"
    ),
    "days before a media": (
        f"SELECT i.media_id, i.day "
        f"{JOINED.replace('ops.intervals', '(SELECT day, media_id FROM ops.intervals)')} ORDER BY 1, 2"
    ),
    "an empty one": (
        "SELECT a.rule, a.value, a.told_at FROM gold.fact_media_daily LEFT JOIN ops.alerts a ON a.day = date"
    ),
    "published tables in quotes": 'SELECT "m"."title", r.status FROM "silver"."dim_media" m, "ops".Runs r ORDER BY 1',
    "a view": "SELECT v.title, r.status FROM dim_media v, ops.runs r ORDER BY 1",
    "a name of a WITH that is a view's": (
        "WITH dim_media AS (SELECT media_id FROM ops.media WHERE media_id <> 'aaaaaa') "
        "SELECT count(*) AS n, (SELECT count(*) FROM silver.dim_media) AS every FROM dim_media"
    ),
    "a name in quotes that is no table": (
        'SELECT r.status AS "ops.runs", m.title AS "silver.dim_media" FROM ops.runs r, silver.dim_media m ORDER BY 2'
    ),
    "a text with a quote": (
        "SELECT a.reason, g.plays FROM ops.account a JOIN gold.fact_media_daily g ON g.date = a.date"
    ),
}  # fmt: skip


@pytest.mark.parametrize("asked", MIXED)
def test_the_ledger_can_be_joined_with_what_is_published(
    asked: str, both: tuple[Published, AthenaQuery]
) -> None:
    duck, athena = both
    expected = duck.sql(MIXED[asked])
    assert expected.num_rows
    found = athena.sql(MIXED[asked])
    assert found.to_pylist() == expected.to_pylist()
    records = AthenaRecords(athena._ledger, "db", "wg", views(), Service(duck), lambda seconds: None)
    if "ops.intervals" not in MIXED[asked]:  # of which it has those that are not published
        assert records.sql(MIXED[asked]).to_pylist() == found.to_pylist()


def test_a_text_that_holds_a_name_is_the_ledgers(both: tuple[Published, AthenaQuery]) -> None:
    asked = "SELECT run_id FROM ops.runs WHERE error NOT LIKE '%FROM fact_events%' /* FROM gold.x */ -- FROM dim_media"
    assert both[1]._is_of_ledger(asked)
    assert not both[1]._is_of_ledger(f"{asked}\nUNION ALL SELECT media_id FROM dim_media")


@pytest.mark.parametrize(
    "name", ["gold_fact_media_daily", '"Gold_fact_media_daily"', "db.gold_fact_media_daily",
             "awsdatacatalog.db.gold_fact_media_daily"],
)  # fmt: skip
def test_a_table_by_athenas_name_is_as_it_was_published(
    both: tuple[Published, AthenaQuery], name: str
) -> None:
    found = both[1].as_published(f"SELECT plays FROM {name}")
    assert found == "SELECT plays FROM gold_fact_media_daily FOR VERSION AS OF 1"
    assert both[1].as_published("SELECT 1 FROM gold_wistia_gold_fact_media_daily") == both[1].as_published(
        "SELECT 1 FROM gold.wistia_gold_fact_media_daily"
    )


@pytest.mark.parametrize("layer", ['"{}"', "{}", '"{}" ', "{} "])
@pytest.mark.parametrize("spelled", [str.lower, str.title, str.upper])
@pytest.mark.parametrize("name", ['"{}"', "{}"])
def test_a_table_is_known_by_any_spelling_of_its_name(
    both: tuple[Published, AthenaQuery], layer: str, spelled: Callable[[str], str], name: str
) -> None:
    asked = f"SELECT i.media_id, i.state, g.plays {JOINED}"

    def written(match: re.Match[str]) -> str:
        return f"{layer.format(spelled(match[1]))}.{name.format(spelled(match[2]))}"

    other = re.sub(r"\b(ops|gold)\.(\w+)", written, asked)
    assert both[1].as_published(other) == both[1].as_published(asked)


@pytest.mark.parametrize("asked", [status.account, status.verdicts, status.refused])
def test_the_status_is_the_same(both: tuple[Published, AthenaQuery], asked: Callable[[Query], Any]) -> None:
    duck, athena = both
    assert asked(athena) == asked(duck)
    assert status.account(duck)


def test_evidence_is_the_same(both: tuple[Published, AthenaQuery]) -> None:
    ledger = both[0]._ledger
    assert ledger
    values = (
        {"media_id": "aaaaaa", "value": value}
        for value in ("ada@example.org", "10.0.0.7", "1.2.3", "/a", None)
    )
    duck = Published({"silver.traffic_by_date": values})
    duck._published = ledger.publication()
    athena = AthenaQuery(ledger, "db", "wg", views(), Service(duck), lambda seconds: None)
    window = Window(AT, UTC, 7)
    expected = evidence(ledger, duck, window, 2)
    assert "2 rows of silver.traffic_by_date hold what looks like an address" in expected.problems
    assert evidence(ledger, athena, window, 2) == expected


class TestLists:
    """What a list is of, the tables that a query names say, and no other table."""

    def test_it_is_of_what_its_table_declares(self, both: tuple[Published, AthenaQuery]) -> None:
        asked = "SELECT l.media_id, l.engagement_data FROM silver.media_lifetime l ORDER BY 1"
        (row, *_) = found = both[1].sql(asked).to_pylist()
        assert found == both[0].sql(asked).to_pylist()
        assert row["engagement_data"]

    def test_a_list_that_has_the_name_of_another_tables_stays_a_text(
        self, both: tuple[Published, AthenaQuery]
    ) -> None:
        asked = "SELECT array_agg(media_id ORDER BY media_id) AS engagement_data FROM silver.dim_media"
        assert both[1].sql(asked).to_pylist() == [{"engagement_data": "[aaaaaa, bbbbbb, cccccc]"}]

    def test_a_list_that_has_the_name_of_its_tables_is_refused_with_a_cure(
        self, both: tuple[Published, AthenaQuery]
    ) -> None:
        asked = "SELECT array_agg(media_id) AS engagement_data FROM silver.media_lifetime"
        with pytest.raises(ConfigError, match="engagement_data is not the engagement_data of its table"):
            both[1].sql(asked)


def test_whole_numbers_are_divided_as_athena_does(both: tuple[Published, AthenaQuery]) -> None:
    asked = "SELECT date, n FROM gold.fact_media_daily, (SELECT 7 / 2 AS n FROM ops.runs) ORDER BY 1 LIMIT 1"
    assert [r["n"] for r in both[1].sql(asked).to_pylist()] == [3]


def test_a_function_has_the_intervals_that_are_not_published(both: tuple[Published, AthenaQuery]) -> None:
    records = AthenaRecords(both[1]._ledger, "db", "wg", (), Service(both[0]), lambda seconds: None)
    asked = "SELECT media_id, day FROM ops.intervals ORDER BY day"
    rows = [{"media_id": "bbbbbb", "day": LAST - timedelta(days=n)} for n in (2, 1, 0)]
    assert records.sql(asked).to_pylist() == rows
    assert (
        both[1].sql(asked.replace("ops.intervals", "ops.intervals WHERE state = 'failed'")).to_pylist()
        == rows
    )


SINCE = LAST - timedelta(days=8)


@pytest.fixture(scope="module")
def function() -> tuple[Published, AthenaRecords, list[str]]:
    """A week of readings of three media, one of them deleted and one read anew; what SQLite is asked."""
    ledger = MemoryLedger()
    ledger.put_run(Run("r1", "scheduled", "live", "succeeded", AT, AT))
    ledger.put_media([MediaEntry(m, date(2026, 3, 2), AT) for m in TITLES])
    week = [LAST - timedelta(days=n) for n in range(7)]
    ledger.put_facts(
        account.FACTS, account.document({d: AccountDay(d, 500, 90, AT, follows_all=True) for d in week})
    )
    read = [
        Interval(dataset, m, d, State.PUBLISHED, "r1", AT, landing_id=f"{dataset}-{m}-{d}", observed_at=AT)
        for dataset in ("events", "media_by_date", "media_metadata")
        for m in TITLES
        for d in week
    ]
    changed: dict[Any, dict[str, Any]] = {
        ("media_metadata", "cccccc", week[0]): {"missing": True},
        ("media_metadata", "cccccc", week[1]): {"missing": True},
        ("media_by_date", "bbbbbb", week[2]): {"observed_at": AT + timedelta(minutes=1)},
        ("events", "aaaaaa", week[0]): {"state": State.FAILED, "reason": "DATE '2026-03-01' or TRUE"},
        ("events", "bbbbbb", week[0]): {"state": State.LANDED},
    }
    ledger.record(replace(i, **changed.get(i.key, {})) for i in read)
    ledger.record([Interval("events", "aaaaaa", date(2025, 3, 2), State.PUBLISHED, "r0", AT)])
    ledger.publish(Publication("r1", AT, {t.full_name: TableRef(f"x/{t.name}", 1) for t in TABLES}))
    tables = rows()
    tables["silver.dim_media"] = [
        r | {"is_deleted": r["media_id"] == "cccccc", "observed_at": AT} for r in tables["silver.dim_media"]
    ]
    duck = Published(tables)
    duck._ledger, duck._published = ledger, ledger.publication()
    records = AthenaRecords(ledger, "db", "wg", views(), Service(duck), lambda seconds: None, since=SINCE)
    asked: list[str] = []
    records._intervals._database.set_trace_callback(asked.append)
    return duck, records, asked


class TestOfAFunction:
    """What a function answers by itself, without DuckDB, is what DuckDB answers."""

    def test_the_report_is_the_laptops(self, function: tuple[Published, AthenaRecords, list[str]]) -> None:
        duck, records, asked = function
        scope = newest_scope(duck)
        assert scope
        assert scope.start > SINCE
        expected = page(duck, scope)
        for shown in ("deleted at Wistia", "Intervals by dataset and day", "Share of the account", "or TRUE"):
            assert shown in expected
        found = page(records, scope)
        assert some(re.findall(r">([^<]+)<", expected)) == re.findall(r">([^<]+)<", found)
        words = re.compile(r"\b(WITH|TRUE|FALSE|OVER|FILTER|DATE\s')", re.IGNORECASE)  # not in SQLite 3.7
        selects = [re.sub("'[^']*'", "''", text) for text in asked if text.lstrip().startswith("SELECT")]
        assert [text for text in some(selects) if words.search(text)] == []

    @pytest.mark.parametrize(
        "asked",
        [
            "SELECT dataset, count(*) AS n FROM ops.intervals WHERE day > DATE '2026-03-01' GROUP BY 1 ORDER BY 1",
            "SELECT reason, observed_at FROM ops.intervals WHERE state = 'failed' AND TRUE AND day > DATE '2026-03-01'",
            "SELECT media_id, day, reason FROM ops.intervals WHERE dataset = 'nobody'",
        ],
    )
    def test_an_answer_is_duckdbs(
        self, function: tuple[Published, AthenaRecords, list[str]], asked: str
    ) -> None:
        duck, records, _ = function
        assert records.sql(asked).to_pylist() == duck.sql(asked).to_pylist()

    def test_it_has_published_intervals_since_a_day(
        self, function: tuple[Published, AthenaRecords, list[str]]
    ) -> None:
        duck, records, _ = function
        asked = "SELECT count(*) AS n FROM ops.intervals"
        assert [q.sql(asked).to_pylist() for q in (duck, records)] == [[{"n": 64}], [{"n": 63}]]

    def test_what_sqlite_can_not_answer_is_a_mistake_or_asked_of_athena(
        self, function: tuple[Published, AthenaRecords, list[str]]
    ) -> None:
        duck, records, _ = function
        with pytest.raises(ConfigError, match="can't run: no such column: of_nobody"):
            records.sql("SELECT of_nobody FROM ops.intervals")
        part = (
            "SELECT count(*) FROM ops.intervals i WHERE i.media_id = m.media_id AND i.day > DATE '2026-01-01'"
        )
        around = f"SELECT m.media_id, ({part}) AS n FROM silver.dim_media m ORDER BY 1"
        assert records.sql(around).to_pylist() == duck.sql(around).to_pylist()

    @pytest.mark.parametrize(
        "asked",
        [
            "max(day) - min(day)",
            "max(day) + 1",
            "max(CAST(day AS bigint))",
            "max(CASE WHEN state LIKE 'F%' THEN 1 END)",
            'max("of_nobody")',
        ],
    )
    def test_what_sqlite_answers_otherwise_is_refused(
        self, function: tuple[Published, AthenaRecords, list[str]], asked: str
    ) -> None:
        with pytest.raises(ConfigError, match="compute with the rows"):
            function[1].sql(f"SELECT {asked} FROM ops.intervals")

    def test_in_texts_and_comments_it_is_not(
        self, function: tuple[Published, AthenaRecords, list[str]]
    ) -> None:
        asked = """SELECT 1 AS n FROM ops.intervals WHERE reason = 'as "a" + LIKE' -- CAST"""
        assert function[1].sql(asked).to_pylist() == []

    def test_an_answer_without_rows_has_the_types_of_the_ledger(
        self, function: tuple[Published, AthenaRecords, list[str]]
    ) -> None:
        duck, records, _ = function
        none = "SELECT day, media_id AS m FROM ops.intervals WHERE dataset = 'nobody'"
        joined = f"SELECT g.media_id, n.m FROM gold.fact_media_daily g LEFT JOIN ({none}) n ON n.day = g.date LIMIT 1"
        assert records.sql(joined).to_pylist() == duck.sql(joined).to_pylist()
        assert 'CAST(NULL AS date) AS "day"' in records.as_published(joined)

    def test_an_answer_is_short_however_many_intervals_there_are(self, large: AthenaQuery) -> None:
        records = AthenaRecords(large._ledger, "db", "wg", (), object(), since=date(2026, 1, 1))
        part = "SELECT media_id, max(run_id) AS last, count(*) AS n FROM ops.intervals GROUP BY media_id"
        asked = f"SELECT g.plays FROM gold.fact_media_daily g JOIN ({part}) i ON i.media_id = g.media_id"
        assert len(records.as_published(asked)) < LONGEST / 10


@pytest.fixture(scope="module")
def large() -> AthenaQuery:
    """A quarter of a year of a hundred media, each day by a run of its own."""
    ledger = MemoryLedger()
    ledger.record(
        Interval("events", f"media{m:05}", LAST - timedelta(days=n), State.PUBLISHED, f"run-{n}", AT)
        for m in range(100)
        for n in range(90)
    )
    return AthenaQuery(ledger, "db", "wg", (), object())


class TestBound:
    """What is too long for Athena is refused here, in words that help."""

    ASKED = "SELECT i.run_id FROM ops.intervals i, gold.fact_media_daily g WHERE i.dataset <> g.media_id"

    def test_rows_that_are_too_many_are_named_with_a_cure(self, large: AthenaQuery) -> None:
        with pytest.raises(ConfigError) as refused:
            large.as_published(self.ASKED)
        (line,) = str(refused.value).splitlines()
        assert re.match(
            r"with the rows of ops.intervals the query has \d{3},\d{3} bytes, and Athena takes 262,144", line
        )
        assert line.endswith("or set WISTLAKE_QUERY=duckdb")

    def test_columns_that_are_not_named_and_days_in_a_row_take_no_room(self, large: AthenaQuery) -> None:
        text = large.as_published(self.ASKED.replace("i.run_id", "i.media_id, i.day"))
        assert len(text) < 10_000 < LONGEST
        assert text.count("media000") == 100

    def test_days_in_a_row_take_no_room_in_an_answer(self, large: AthenaQuery) -> None:
        days = "(SELECT media_id, day FROM ops.intervals WHERE state = 'published')"
        asked = f"SELECT 1 FROM gold.fact_media_daily g JOIN {days} i ON i.day = g.date"
        assert len(large.as_published(asked)) < 10_000

    def test_an_answer_takes_no_more_room_than_it_has_rows(self, large: AthenaQuery) -> None:
        newest = "SELECT dataset, max(day) AS day FROM ops.intervals GROUP BY dataset"
        text = large.as_published(
            f"SELECT 1 FROM gold.fact_media_daily g JOIN ({newest}) n ON n.day = g.date"
        )
        assert f"VALUES ('events', DATE '{LAST}', DATE '{LAST}')" in text
        assert len(text) < 1_200


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
