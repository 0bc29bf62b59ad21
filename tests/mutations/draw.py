"""Mutations drawn at random over the whole product, by a seed, and caught or not by the fast tests.

    make mutate RANDOM=60 SEED=7

A drawn mutation changes one node of one function: a comparison turned round, `and` and `or` exchanged, a
condition negated, a number off by one, a sign, a constant flag, a returned collection emptied. Annotations,
docstrings, log lines and what only asserts (`strict=` of zip) are left alone. Files are drawn by their number of
such nodes, so a large room is drawn more often than a small one.
"""

import ast
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGES = ("wistlake", "wistlake_soak", "wistia_simulator", "wistlake_dashboard")
_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """One mutation: `path` below src, the function's qualified name, the line, what it did, the mutated source."""

    path: Path
    function: str
    line: int
    what: str
    source: str


def draw(sources: Path, count: int, seed: int) -> Iterator[Drawn]:
    """`count` mutations of the files below `sources`, each in a function of its own where there are enough."""
    places = _places(sources)
    for path, index in random.Random(seed).sample(places, min(count, len(places))):
        yield _mutated(sources, path, index)


@cache
def _places(sources: Path) -> tuple[tuple[Path, int], ...]:
    return tuple(
        (path, index)
        for package in PACKAGES
        for path in sorted((sources / package).rglob("*.py"))
        for index in range(len(_nodes(ast.parse(path.read_text()))))
    )


def _mutated(sources: Path, path: Path, index: int) -> Drawn:
    text = path.read_text()
    tree = ast.parse(text)
    node, function = _nodes(tree)[index]
    before = ast.unparse(node)
    what, attribute, value = _change(node) or ("", "", None)
    setattr(node, attribute, value)
    return Drawn(
        path.relative_to(sources),
        function,
        getattr(node, "lineno", 0),
        f"{what}: {' '.join(before.split())[:80]}",
        ast.unparse(tree),
    )


def _nodes(tree: ast.Module) -> list[tuple[ast.AST, str]]:
    """The nodes that can be mutated, with the function that each is in; only those inside functions."""
    return [
        (node, name) for function, name in _functions(tree, "") for node in _inside(function) if _change(node)
    ]


def _functions(parent: ast.AST, prefix: str) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    """Each function below `parent` with its qualified name, as a code object tells it."""
    for child in ast.iter_child_nodes(parent):
        match child:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield child, f"{prefix}{child.name}"
                yield from _functions(child, f"{prefix}{child.name}.<locals>.")
            case ast.ClassDef():
                yield from _functions(child, f"{prefix}{child.name}.")
            case _:
                yield from _functions(child, prefix)


def _inside(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """Nodes that are computed: no annotations, no decorators, nothing that is only logged or asserted."""
    stack: list[ast.AST] = [*function.body]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Expr) and (isinstance(node.value, ast.Constant) or _is_log(node.value)):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.JoinedStr | ast.Raise):
            continue
        if isinstance(node, ast.Assert) or (isinstance(node, ast.keyword) and node.arg == "strict"):
            continue
        yield node
        stack += [
            child
            for name, value in ast.iter_fields(node)
            if name not in ("annotation", "returns", "decorator_list")
            for child in (value if isinstance(value, list) else [value])
            if isinstance(child, ast.AST)
        ]


def _is_log(node: ast.expr) -> bool:
    call = node.value if isinstance(node, ast.Await) else node
    return isinstance(call, ast.Call) and ast.unparse(call.func).startswith("log.")


def _change(node: ast.AST) -> tuple[str, str, object] | None:
    """What can be changed of a node: in words, its attribute, and that attribute's new value."""
    match node:
        case ast.Compare(ops=[only]) if type(only) in _COMPARE:
            return "comparison turned round", "ops", [_COMPARE[type(only)]()]
        case ast.BoolOp():
            return "and/or exchanged", "op", ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.BinOp() if type(node.op) in _ARITHMETIC and not _is_text(node):
            return "sign changed", "op", _ARITHMETIC[type(node.op)]()
        case ast.If(test=ast.Name() | ast.Call() | ast.Attribute()) | ast.IfExp(test=ast.Name() | ast.Call()):
            return "condition negated", "test", ast.UnaryOp(ast.Not(), node.test)
        case ast.Constant(value=bool()):
            return "flag turned", "value", not node.value
        case ast.Constant(value=int()) if 0 < node.value < 1000:
            return "one more", "value", node.value + 1
        case ast.Return(value=ast.ListComp() | ast.List(elts=[_, *_])):
            return "nothing returned", "value", ast.List([], ast.Load())
        case ast.Return(value=ast.DictComp() | ast.Dict(keys=[_, *_])):
            return "nothing returned", "value", ast.Dict([], [])
    return None


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in (node.left, node.right)
    )
