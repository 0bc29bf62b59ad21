"""Drawn mutations: the same seed draws the same ones, each is code that differs from the product's."""

import ast
from pathlib import Path

from mutations.draw import draw

SOURCES = Path(__file__).parents[2] / "src"


def test_a_seed_draws_the_same_mutations_again() -> None:
    first, again = list(draw(SOURCES, 5, 1)), list(draw(SOURCES, 5, 1))
    assert first == again
    assert first != list(draw(SOURCES, 5, 2))


def test_each_is_one_change_that_still_is_python() -> None:
    drawn = list(draw(SOURCES, 40, 3))
    assert len(drawn) == 40
    for mutation in drawn:
        compile(mutation.source, str(mutation.path), "exec")
        before = ast.unparse(ast.parse((SOURCES / mutation.path).read_text())).splitlines()
        after = mutation.source.splitlines()
        assert before != after


def test_many_rooms_are_drawn() -> None:
    assert len({m.path.parts[:2] for m in draw(SOURCES, 200, 4)}) > 15
