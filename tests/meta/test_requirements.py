"""Every statement of what was asked for has its row in docs/requirements.md, and the row names what is there."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from support.some import some
from wistlake.entrypoints.cli.main import app
from wistlake.settings import DOCS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
STATEMENTS = {"E": 8, "P": 13, "S": 6, "B": 7, "D": 6}  # how many there are of each document
IDS = [f"{letter}{n + 1}" for letter, count in STATEMENTS.items() for n in range(count)]
ROW = re.compile(r"^\| ([A-Z]\d+) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
ROWS = {row[0]: row[1:] for row in ROW.findall(PAGE)}
COMMANDS = get_command(app)


def spans(text: str) -> list[str]:
    """What is written as code."""
    return re.findall(r"`([^`]+)`", text)


def is_command(words: list[str]) -> bool:
    """Whether these words, after `wistlake`, are a command."""
    group = COMMANDS
    for word in words:
        group = getattr(group, "commands", {}).get(word)
        if group is None:
            return False
    return not hasattr(group, "commands")


def is_there(place: str) -> bool:
    """Whether a place is a command, a file or folder, or a test in a file."""
    if place.startswith("wistlake "):
        return is_command(place.split()[1:])
    path, _, test = place.partition("::")
    file = ROOT / path
    return file.exists() and (not test or f"def {test}(" in file.read_text(encoding="utf-8"))


def test_every_statement_is_answered_once_and_in_order() -> None:
    assert [row[0] for row in ROW.findall(PAGE)] == IDS
    assert len(IDS) == 40


@pytest.mark.parametrize("statement", IDS)
def test_an_answer_is_one_of_four_and_names_what_is_there(statement: str) -> None:
    _, answer, where, tests = ROWS[statement]
    assert re.match(r"(yes|otherwise|partly|not yet)\b", answer), answer
    assert [place for place in some(spans(where)) if not is_there(place)] == []
    assert [test for test in some(spans(tests)) if not (test.startswith("tests/") and is_there(test))] == []


def test_what_is_not_there_is_noticed() -> None:
    assert is_there("wistlake watermark set")
    missing = ("wistlake watermark", "wistlake soaks", "docs/none.md", "tests/meta/test_words.py::test_none")
    assert [place for place in missing if is_there(place)] == []


def test_settings_that_are_named_exist() -> None:
    named = set(re.findall(r"`((?:WISTLAKE|WISTIA|BRONZE|SILVER|DDB|MEDIA)_[A-Z_]+)`", PAGE))
    assert set(some(named)) - {doc.variable for doc in DOCS} == set()


def test_defaults_that_differ_are_the_real_ones() -> None:
    real = {doc.variable: doc.default for doc in DOCS}
    told = re.findall(r"^\| `([A-Z_]+)`: (\S+) \| `(\S+)` \| .+ \|$", PAGE, re.MULTILINE)
    assert [variable for variable, _, here in some(told) if real[variable] != here] == []
    assert len(told) == 4


def test_planned_folders_have_their_rooms() -> None:
    section = PAGE[PAGE.index("## The planned folders") :]
    rooms = re.findall(r"^\| .+? \| (`.+) \|$", section, re.MULTILINE)
    assert [room for row in some(rooms) for room in spans(row) if not (ROOT / room).is_dir()] == []
