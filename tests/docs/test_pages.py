"""What the documentation says is there: links, anchors, commands, options, settings."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from docs.pages import PAGES, ROOT, anchors, blocks, links, name
from support.some import some
from wistlake.entrypoints.cli.main import app
from wistlake.insight.probes import PROBES
from wistlake.settings import DOCS

INLINE = re.compile(r"`(?:\.venv/bin/)?wistlake ([a-z][^`]*)`")
SETTING = re.compile(r"\b(?:WISTLAKE|WISTIA)_[A-Z_]+[A-Z]\b")
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=name)


def _commands(group: Any = None, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every command by its full name, such as `key rotate`."""
    for called, command in getattr(group or get_command(app), "commands").items():  # noqa: B009 - typer's group
        yield f"{above}{called}", command
        if hasattr(command, "commands"):
            yield from _commands(command, f"{above}{called} ")


COMMANDS = dict(_commands())


def _typed(page: Path) -> list[str]:
    """Every command line of ours on a page, in text and in blocks, without the program's name."""
    found = INLINE.findall(page.read_text())
    for block in blocks("sh", "console", "powershell"):
        if block.page == page:
            found += re.findall(r"(?:^|[\s\\/])wistlake ([a-z].*)$", block.text, re.MULTILINE)
    return [re.sub(r"\s#\s.*", "", line) for line in found]


@EVERY_PAGE
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        if "://" in target:
            assert target.startswith(("https://", "http://127.0.0.1")), target
            continue
        file, _, anchor = target.partition("#")
        there = page if not file else (page.parent / file).resolve()
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there), target


def test_every_page_can_be_reached_from_the_first() -> None:
    seen: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in seen and page.suffix == ".md" and page.exists():
            seen.add(page)
            ahead += [(page.parent / t.partition("#")[0]).resolve() for t in links(page) if "://" not in t]
    assert [name(page) for page in PAGES if page not in seen and page.name != "CHANGELOG.md"] == []


@EVERY_PAGE
def test_commands_and_their_options_exist(page: Path) -> None:
    for line in _typed(page):
        words = line.split()
        command = COMMANDS.get(" ".join(words[:2])) or COMMANDS.get(words[0])
        assert command is not None, line
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        used = {w.partition("=")[0] for w in words if re.fullmatch(r"--[a-z-]+(=.*)?", w)}
        assert used <= known, line


@EVERY_PAGE
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE)) <= targets


@EVERY_PAGE
def test_settings_exist(page: Path) -> None:
    workflows = "".join(w.read_text() for w in ROOT.glob(".github/workflows/*.yml"))
    known = {doc.variable for doc in DOCS} | set(re.findall(r"\bvars\.(\w+)", workflows))
    assert set(SETTING.findall(page.read_text())) - known == set()


def test_every_command_has_help_with_an_example() -> None:
    helps = {called: c.help or "" for called, c in COMMANDS.items() if not hasattr(c, "commands")}
    assert [called for called, text in some(helps.items()) if "Example:" not in text] == []


def test_every_command_and_setting_is_documented() -> None:
    commands = (ROOT / "docs" / "commands.md").read_text()
    told = [c for c, command in COMMANDS.items() if not hasattr(command, "commands")]
    assert [c for c in some(told) if f"\n## wistlake {c}\n" not in commands] == []
    settings = (ROOT / "docs" / "settings.md").read_text()
    assert [doc.variable for doc in DOCS if f"| `{doc.variable}` |" not in settings] == []


def test_examples_are_commands_that_exist() -> None:
    for called, command in COMMANDS.items():
        example = " ".join((command.help or "").partition("Example:")[2].split())
        if not hasattr(command, "commands"):
            assert example.startswith(f"wistlake {called}"), called
            known = {option for parameter in command.params for option in parameter.opts}
            assert set(re.findall(r"(?<=\s)--[a-z-]+", example)) <= known, called


def test_the_first_screen_says_what_it_is_and_how_to_see_it() -> None:
    first_screen = "\n".join((ROOT / "README.md").read_text().splitlines()[:32])
    for wanted in ("make demo", "make test", "![", "───"):
        assert wanted in first_screen


def test_every_probe_settles_an_assumption() -> None:
    page = (ROOT / "docs" / "assumptions.md").read_text()
    assert [probe for probe, _ in PROBES if f"probe *{probe}*" not in page] == []


def test_the_list_of_decisions_is_whole() -> None:
    listed = set(links(ROOT / "docs" / "adr" / "README.md"))
    assert {p.name for p in (ROOT / "docs" / "adr").glob("0*.md")} <= listed


def test_the_glossary_is_in_order() -> None:
    terms = re.findall(r"^\*\*([^*]+)\*\*", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    assert terms == sorted(terms, key=str.lower)


def test_the_runbook_counts_a_deleted_media_as_a_run_does() -> None:
    """A run succeeds where a media is not found (tests/pipeline/test_bad_input.py): it stands under no failure."""
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    sections = {s.partition("\n")[0]: s for s in runbook.split("\n## ")}
    assert [title for title, text in sections.items() if "not found at the source" in text] == [
        "A media was deleted at Wistia"
    ]
    assert "the run succeeds" in sections["A media was deleted at Wistia"].lower()
