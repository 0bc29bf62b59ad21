"""Names come from the field: few that a stranger has to guess."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from support.some import some

SOURCE = Path(__file__).parents[2] / "src"
GUESSED = frozenset(
    [
        "answers", "asking", "beginning", "bench", "chosen", "doubtful", "dying", "found", "hurt", "kept",
        "known", "laps", "lived", "looks", "meant", "mine", "mortal", "needles", "restless", "rests", "said",
        "sound", "spoils", "spoken", "straddles", "strangers", "strays", "suffice", "tally", "told", "untold",
        "why", "young",
    ]
)  # fmt: skip
LIMIT = 0.004  # of all assigned names


def assigned(tree: ast.AST) -> Iterator[str]:
    """Every name that the code gives: to functions, classes, arguments, variables and attributes."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case (
                ast.arg(arg=name)
                | ast.Name(id=name, ctx=ast.Store())
                | ast.Attribute(attr=name, ctx=ast.Store())
            ):
                yield name


def is_guessed(name: str) -> bool:
    """Whether one of the name's words is on the list."""
    return not GUESSED.isdisjoint(name.lower().strip("_").split("_"))


def test_few_names_have_to_be_guessed() -> None:
    total, guessed = 0, Counter[str]()
    for path in some(SOURCE.rglob("*.py")):
        for name in assigned(ast.parse(path.read_text(encoding="utf-8"))):
            total += 1
            if is_guessed(name):
                guessed[f"{path.relative_to(SOURCE)}: {name}"] += 1
    assert guessed.total() <= LIMIT * total, (
        f"{guessed.total()} of {total} assigned names ({guessed.total() / total:.1%}): {guessed.most_common(40)}"
    )


def test_the_list_is_applied_to_words_and_not_to_parts_of_them() -> None:
    assert is_guessed("_said_again")
    assert is_guessed("Tally")
    assert not is_guessed("unknown_field")
    assert not is_guessed("foundation")
