"""Every table of silver and gold has a transform and a table test, each under the name of its contract."""

import importlib
from pathlib import Path

import pytest

from wistlake import contracts
from wistlake.contracts.form import Table

_TESTS = Path(__file__).parents[1] / "transforms"
_BUILT = {
    name: module.TABLE
    for name, module in vars(contracts).items()
    if isinstance(getattr(module, "TABLE", None), Table) and module.TABLE.layer in ("silver", "gold")
}


def test_every_table_of_silver_and_gold_is_looked_at() -> None:
    tables = {t.full_name for t in contracts.TABLES if t.layer in ("silver", "gold")}
    assert {t.full_name for t in _BUILT.values()} == tables


@pytest.mark.parametrize("name", sorted(_BUILT))
def test_transform_and_table_test(name: str) -> None:
    transform = importlib.import_module(f"wistlake.transforms.{name}")
    assert callable(transform.build)
    test = _TESTS / f"test_{name}.py"
    assert test.exists(), f"write {test.name}"
    assert "transform.build(" in test.read_text()
