"""A gold formula exists once: whatever report, app and digest compute is a metric's own SQL."""

import ast
import re
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from dashboard.published import Published, days
from support.some import some
from wistlake.contracts import TABLES
from wistlake.contracts.fact_media_daily import TABLE as DAILY
from wistlake.contracts.measures import OF_MEDIA_DAY, OF_SESSION, OF_SESSIONS, SPREAD
from wistlake.quality.metrics import ANALYTICS, METRICS, Adds
from wistlake.quality.scope import Scope
from wistlake_dashboard.digest import digest
from wistlake_dashboard.reader import Reader
from wistlake_dashboard.sections import SECTIONS, view

SOURCE = Path(__file__).parents[2] / "src"
FIRST = date(2026, 3, 2)
WEEK = Scope(date(2026, 3, 9), date(2026, 3, 15))
GOLD = [table for table in TABLES if table.layer == "gold"]
DECLARED = {
    *OF_SESSION.values(), *OF_SESSIONS.values(), *OF_MEDIA_DAY.values(), *SPREAD.values(),
    *(m.recount for m in METRICS if m.recount),
    *(m.over_days() for m in ANALYTICS),
    *(m.over_days(table) for m in METRICS for table in GOLD if m.adds in (Adds.SUM, Adds.RATIO)),
}  # fmt: skip
COMPUTED = re.compile(
    r"\b(?:sum|avg|median)\s*\(|\bcount\s*\((?!\*\))|/|\bfloor\b|percent_viewed\s*[<>]", re.IGNORECASE
)


_NO_GOLD = r"FROM (?:ops\.(?:intervals|reconciliation)|silver\.media_by_date_observations)\b"


class Heard(Published):
    """Keeps the text of each query."""

    def __init__(self) -> None:
        super().__init__(
            {"gold.fact_media_daily": [*days("a", FIRST, [10] * 14), *days("b", FIRST, [4] * 13)]}
        )
        self.texts: list[str] = []

    def sql(self, text: str) -> pa.Table:
        self.texts.append(text)
        return super().sql(text)


def computed(text: str) -> list[str]:
    """What a query computes that no metric declares. The ledger's intervals and verdicts, and Wistia's readings, are
    no gold."""
    for formula in sorted(DECLARED, key=len, reverse=True):
        text = text.replace(formula, "metric")
    return [] if re.search(_NO_GOLD, text) else COMPUTED.findall(text)


@pytest.mark.parametrize("channels", [(), ("facebook",)], ids=["all", "a channel"])
def test_no_figure_restates_a_formula(channels: tuple[str, ...]) -> None:
    query = Heard()
    seen = view(Reader(query), Scope(WEEK.start, WEEK.end, (), channels))
    for section in SECTIONS:
        section.blocks(seen)
    digest(query)
    assert [(found, text) for text in some(query.texts) if (found := computed(text))] == []
    assert len([text for text in query.texts if any(formula in text for formula in DECLARED)]) > 5


@pytest.mark.parametrize(
    "text",
    [
        "SELECT sum(plays) / sum(loads) FROM gold.fact_media_daily",
        "SELECT sum(CASE WHEN percent_viewed >= 0.95 THEN 1 ELSE 0 END) FROM silver.fact_events",
        "SELECT count(DISTINCT media_id) FROM gold.fact_media_daily",
    ],
)
def test_a_formula_of_its_own_is_found(text: str) -> None:
    assert computed(text)


FORMULA = re.compile(
    r"\b(?:sum|avg|median)\s*\(\s*(?:coalesce\s*\(\s*)?(?:\w\.)?(?:" + "|".join(DAILY.column_names) + r")\b|"
    r"\bcount\s*\(\s*distinct\s+(?:\w\.)?visitor_id|percent_viewed\s*[<>]",
    re.IGNORECASE,
)
MADE_OF = ("over_days", "of_day", "recount", "OF_MEDIA_DAY", "OF_SESSION", "OF_SESSIONS", "SPREAD")


def restated(tree: ast.AST) -> list[str]:
    """What a module says of a formula: its SQL, or the parts of which the planner makes it."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if FORMULA.search(text):
                found.append(text)
            case ast.Attribute(attr=name) | ast.alias(name=name) if name in MADE_OF:
                found.append(name)
    return found


def test_no_reader_of_figures_has_a_formula_of_its_own() -> None:
    """Report, dashboard, digest, commands and answers take every metric's SQL from the planner."""
    rooms = ("wistlake_dashboard", "wistlake/insight", "wistlake/entrypoints", "wistlake/wiring")
    modules = [path for room in rooms for path in some((SOURCE / room).rglob("*.py"))]
    found = {m.name: restated(ast.parse(m.read_text(encoding="utf-8"))) for m in modules}
    assert "sum(plays)" in found.pop("demo.py")[0]  # how people would write it, and nobody reads
    assert {name: texts for name, texts in found.items() if texts} == {}
    planner = SOURCE / "wistlake/quality/metric_query.py"
    assert restated(ast.parse(planner.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "code",
    [
        'f"SELECT sum(plays) / sum(loads) FROM gold.fact_media_daily WHERE {where}"',
        '"SELECT count(DISTINCT visitor_id) FROM gold.fact_media_engagement"',
        'metric("plays").over_days()',
        "from wistlake.contracts.measures import OF_MEDIA_DAY",
    ],
)
def test_a_formula_in_a_module_is_found(code: str) -> None:
    assert restated(ast.parse(code))
