"""Every table of silver and gold has a transform, and every transform a table test, under the same name."""

import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

import wistlake.transforms
from wistlake import contracts

_TESTS = Path(__file__).parents[1] / "transforms"
_MODULES = sorted(
    p.stem for p in Path(next(iter(wistlake.transforms.__path__))).glob("*.py") if p.stem != "__init__"
)
_BUILT = {
    name: tables
    for name, module in vars(contracts).items()
    if isinstance(module, ModuleType)
    and (tables := [t for t in (getattr(module, "TABLE", None), *getattr(module, "TABLES", ())) if t])
    and all(t.layer in ("silver", "gold") for t in tables)
}


def test_every_table_of_silver_and_gold_is_looked_at() -> None:
    tables = {t.full_name for t in contracts.TABLES if t.layer in ("silver", "gold")}
    assert {t.full_name for of_module in _BUILT.values() for t in of_module} == tables


@pytest.mark.parametrize("name", sorted(_BUILT))
def test_every_table_has_a_transform_that_its_test_builds(name: str) -> None:
    transform = importlib.import_module(f"wistlake.transforms.{name}")
    assert callable(transform.build)
    assert "transform.build(" in (_TESTS / f"test_{name}.py").read_text()


@pytest.mark.parametrize("name", _MODULES)
def test_every_transform_has_its_test(name: str) -> None:
    test = _TESTS / f"test_{name}.py"
    assert test.exists(), f"write tests/transforms/{test.name}"
    imports = re.findall(r"^from wistlake\.transforms\b[^(\n]*(?:\([^)]*\))?", test.read_text(), re.MULTILINE)
    assert any(name in re.findall(r"\w+", line) for line in imports), f"{test.name} tests something else"
