"""What the documentation says is there."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from wistlake.entrypoints.cli.main import app
from wistlake.settings import DOCS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"`(?:\.venv/bin/)?wistlake ([a-z]+)(?: ([a-z-]+))?")
SETTING = re.compile(r"\b(?:WISTLAKE|WISTIA)_[A-Z_]+[A-Z]\b")


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = [t for t in LINK.findall(page.read_text()) if "://" not in t]
    assert [t for t in targets if not (page.parent / t).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    commands = getattr(get_command(app), "commands")  # noqa: B009 - typer's group, by its documented name
    assert [c for c, _ in COMMAND.findall(page.read_text()) if c not in commands] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_settings_exist(page: Path) -> None:
    workflows = "".join(w.read_text() for w in ROOT.glob(".github/workflows/*.yml"))
    known = {doc.variable for doc in DOCS} | set(re.findall(r"\bvars\.(\w+)", workflows))
    assert set(SETTING.findall(page.read_text())) - known == set()


def test_every_command_has_help_with_an_example() -> None:
    commands = getattr(get_command(app), "commands")  # noqa: B009
    helps = {
        name: command.help or "" for name, command in commands.items() if not hasattr(command, "commands")
    }
    assert [name for name, text in helps.items() if "Example:" not in text] == []


def test_the_two_commands_are_on_the_first_screen() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:25])
    assert "make demo" in first_screen
    assert "make test" in first_screen
