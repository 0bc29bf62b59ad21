"""The documentation as data: its pages, their headings, links and code blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
OWN_TESTS = {"docs/readers.md": "tests/e2e/test_readers.py"}
"""Pages whose blocks have a test of their own, for they need several engines."""
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOTE = re.compile(r"<!-- ([^>]+) -->\s*\Z")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """One fenced block. `heading` is the nearest one above, `note` the comment right before the fence."""

    page: Path
    line: int
    language: str
    text: str
    heading: str
    note: str

    def __str__(self) -> str:
        return f"{name(self.page)}:{self.line}"


def name(page: Path) -> str:
    """The page as people call it."""
    return str(page.relative_to(ROOT))


def blocks(*languages: str) -> list[Block]:
    """Every block in one of these languages, page by page; not of pages with tests of their own."""
    found = (block for page in PAGES if not _has_own_test(page) for block in _blocks(page))
    return [block for block in found if block.language in languages]


def _has_own_test(page: Path) -> bool:
    return name(page) in OWN_TESTS and (ROOT / OWN_TESTS[name(page)]).exists()


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        before = text[: found.start()]
        note = _NOTE.search(before)
        headings = _HEADING.findall(prose(before))
        line = before.count("\n") + 1
        yield Block(
            page, line, found[1], found[2], headings[-1] if headings else "", note[1].strip() if note else ""
        )


def prose(text: str) -> str:
    """A page's text without its blocks."""
    return _FENCE.sub("", text)


def links(page: Path) -> list[str]:
    """Where a page's links and pictures lead."""
    return _LINK.findall(prose(page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """What a link to this page may name after #, as GitHub makes it from headings."""
    headings = _HEADING.findall(prose(page.read_text(encoding="utf-8")))
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", h).lower() for h in headings)
    return {re.sub(r"[^\w\- ]", "", h).strip().replace(" ", "-") for h in plain}
