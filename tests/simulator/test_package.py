"""What the package may contain."""

import ast
from pathlib import Path

import wistia_simulator
from support.some import some

ROOT = Path(wistia_simulator.__file__).parent


def test_nothing_is_imported_from_the_consumer():
    for path in some(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.split(".")[0].startswith("wistlake")], path


def test_every_public_name_exists():
    for name in some(wistia_simulator.__all__):
        assert getattr(wistia_simulator, name) is not None
