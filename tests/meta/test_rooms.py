"""The rooms: who imports whom, and that no dataset is half there."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.some import some
from wistlake.contracts import SOURCES, TABLES, dimension_daily
from wistlake.contracts.form import Privacy, Table

ROOT = Path(__file__).parents[2]
LEDGER_TABLES = ("quality_results", "reconciliation")  # written by the build itself, not transformed


def test_layers_hold() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--config", "pyproject.toml"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]


def asks_for_the_place(tree: ast.AST) -> bool:
    """Whether the code reads the setting that tells a lake on this machine from one on AWS."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == "place"
        and ast.unparse(node.value).rpartition(".")[2] == "settings"
        for node in ast.walk(tree)
    )


def test_one_module_chooses_between_laptop_and_aws() -> None:
    modules = some((ROOT / "src").rglob("*.py"))
    asking = [m for m in modules if asks_for_the_place(ast.parse(m.read_text(encoding="utf-8")))]
    assert [str(m.relative_to(ROOT / "src")) for m in asking] == ["wistlake/wiring/lake.py"]
    assert asks_for_the_place(ast.parse("lake.settings.place == 'aws'"))


_WRITES = frozenset(
    [
        "lease",
        "record",
        "advance",
        "override",
        "put_media",
        "put_run",
        "publish",
        "put_facts",
        "put",
        "delete",
    ]
)  # of the ledger and the object store


def writes(tree: ast.AST) -> set[str]:
    """The writing methods of the ledger and the object store that the code calls."""
    return {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _WRITES
    }


@pytest.mark.parametrize("room", ["insight", "entrypoints/cli"])
def test_a_room_that_reads_writes_nothing(room: str) -> None:
    modules = some((ROOT / "src/wistlake" / room).rglob("*.py"))
    found = {m.name: writes(ast.parse(m.read_text(encoding="utf-8"))) for m in modules}
    assert {name: calls for name, calls in found.items() if calls} == {}
    assert writes(ast.parse("with lake.ledger().lease(LEASE, run_id, now, 1.0): pass")) == {"lease"}


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.full_name)
def test_every_table_is_whole(table: Table) -> None:
    assert table.doc
    assert table.grain
    assert set(table.key) <= set(table.column_names)
    assert not table.day_column or table.has(table.day_column)
    assert all(c.doc for c in table.columns)
    assert all(c.privacy is not Privacy.PERSONAL for c in table.columns), "personal data ends in bronze"
    assert all(not table.column(k).nullable for k in table.key)


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.full_name)
def test_every_table_has_its_transform(table: Table) -> None:
    if table.name in LEDGER_TABLES:
        return
    module = "dimension_daily" if table in dimension_daily.TABLES else table.name
    module = "visitor_activity" if table.name == "visitors" else module
    assert callable(importlib.import_module(f"wistlake.transforms.{module}").build)


def test_the_pipeline_orders_work_and_computes_nothing() -> None:
    """Import-linter can forbid pyspark as a whole only, and frames pass through the pipeline."""
    imports = [
        f"{path.name}: {name}"
        for path in some((ROOT / "src/wistlake/pipeline").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _imported(node)
        if name.startswith("pyspark.sql.functions")
    ]
    assert imports == [], "name the expression in transforms"


def test_groups_are_columns_and_not_names() -> None:
    """Spark's client asks the engine for the schema to look up a name: a request for each group."""
    named = [
        f"{path.name}:{node.lineno}"
        for path in some((ROOT / "src/wistlake/transforms").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "groupBy"
        if any(
            isinstance(a, ast.Constant) or (isinstance(a, ast.Starred) and not isinstance(a.value, ast.Call))
            for a in node.args
        )
    ]
    assert named == [], "give F.col(name)"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def test_every_source_feeds_a_table() -> None:
    fed = {name for table in TABLES for name in table.sources}
    assert {s.name for s in SOURCES} == fed


def test_the_simulator_stands_alone() -> None:
    code = (
        "import sys, wistia_simulator, wistia_simulator.main;"
        "print([m for m in sys.modules if m.split('.')[0] == 'wistlake'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "module", ["wistlake.wistia", "wistlake.pipeline.run.ingest", "wistlake.adapters.local.ledger"]
)
def test_fetching_needs_no_engine(module: str) -> None:
    heavy = ("pyspark", "pyiceberg", "duckdb", "pyarrow")
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_the_walk_through_a_days_run_is_short_and_leads_nowhere_else() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    walk = re.findall(r"^\d+\. `([\w/]+\.py)`", page, flags=re.MULTILINE)
    assert len(some(walk)) <= 30
    assert [path for path in walk if not (ROOT / "src" / "wistlake" / path).is_file()] == []


def test_every_room_has_its_line() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms_told = page[page.index("## Rooms") : page.index("A room may import only")]
    source = ROOT / "src" / "wistlake"
    rooms = {p.relative_to(source).parent for p in source.rglob("*.py")} - {Path()}
    tops = {room.parts[0] for room in some(rooms)} - {"adapters", "pipeline"}
    inner = {str(r) for r in rooms if r.parts[0] in ("adapters", "pipeline") and len(r.parts) == 2}
    packages = {p.name for p in (ROOT / "src").iterdir() if (p / "__init__.py").exists()} - {"wistlake"}
    told = {room.rpartition("/")[2] for room in tops | inner | packages}
    assert [room for room in sorted(told) if f"{room}/" not in rooms_told] == []
