"""The mutations are up to date: each line is there once, and the tests that must catch it exist."""

import importlib.util
from pathlib import Path

import pytest

from support.some import some

ROOT = Path(__file__).parents[2]
_SPEC = importlib.util.spec_from_file_location("mutate", Path(__file__).with_name("mutate.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
mutate = importlib.util.module_from_spec(_SPEC)
__import__("sys").modules["mutate"] = mutate
_SPEC.loader.exec_module(mutate)


@pytest.mark.parametrize("mutation", mutate.MUTATIONS, ids=lambda m: m.name)
def test_the_line_stands_once_and_the_tests_exist(mutation, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    mutate.broken(mutation, tmp_path / "src")
    changed = (tmp_path / "src" / mutation.path).read_text()
    compile(changed, mutation.path, "exec")
    for test in some(mutation.tests):
        path, _, name = test.partition("::")
        assert not name or f"def {name}(" in (ROOT / path).read_text()


def test_there_are_twenty() -> None:
    assert len({m.name for m in mutate.MUTATIONS}) == 20
