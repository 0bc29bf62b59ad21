"""The documentation as a site: its pages, where their links lead there, and how much there is to read."""

import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from docs.pages import PAGES, ROOT, name, prose
from support.some import some

# Written by a program (`make docs`, `make evidence`), or a record that grows and is looked up.
NOT_COUNTED = (
    *(
        f"docs/{page}.md"
        for page in ("commands", "settings", "datasets", "data-model", "metrics", "licences", "privacy")
    ),
    *("docs/channels.md", "docs/requirements.md", "CHANGELOG.md"),
)
MOST_WORDS = 18_000


class _Plain(yaml.SafeLoader):
    """Takes mkdocs' own tags for their text."""


_Plain.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: "")
SITE = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), _Plain)


@pytest.fixture(scope="module")
def layout() -> ModuleType:
    import importlib.util

    spec = importlib.util.spec_from_file_location("site_layout", ROOT / "infra" / "site.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def words(page: Path) -> int:
    """Words of prose and tables: without code, comments and the addresses of links."""
    text = re.sub(r"<!--.*?-->|`[^`\n]*`", "", prose(page.read_text(encoding="utf-8")), flags=re.DOTALL)
    return sum(bool(re.search(r"\w", word)) for word in re.sub(r"\]\([^)]*\)", "]", text).split())


def test_there_is_not_too_much_to_read() -> None:
    read = {name(p): words(p) for p in [*PAGES, ROOT / "exploration" / "README.md"]}
    counted = {
        page: n
        for page, n in some(read.items())
        if page not in NOT_COUNTED and not page.startswith(("docs/adr/", "docs/evidence/"))
    }
    print(sum(counted.values()))
    assert sum(counted.values()) <= MOST_WORDS, sorted(counted.items(), key=lambda kv: -kv[1])[:10]


def _shown() -> list[str]:
    found = [page for part in SITE["nav"] for pages in part.values() for page in pages]
    return [p if isinstance(p, str) else next(iter(p.values())) for p in found]


def test_the_site_has_six_parts_and_every_page(layout: ModuleType) -> None:
    assert [next(iter(part)) for part in SITE["nav"]] == [
        "Start", "For marketers", "Operate", "AWS", "Reference (generated)", "Decisions",
    ]  # fmt: skip
    there = {str(layout.place(page)) for page in [*PAGES, ROOT / "exploration" / "README.md"]}
    listed = {page for page in there if not re.match(r"adr/0|evidence/(2|live|week)", page)}
    assert sorted(_shown()) == sorted(listed)
    assert "search" in SITE["plugins"]


def test_links_lead_to_where_pages_are_on_the_site(layout: ModuleType) -> None:
    places = {str(layout.place(page)) for page in PAGES} | {"LICENSE", "exploration/README.md"}
    files = {str(p.relative_to(ROOT / "docs")) for p in (ROOT / "docs").rglob("*") if p.is_file()}
    for page in PAGES:
        here = layout.place(page)
        text = layout.rewritten(page, page.read_text(encoding="utf-8"))
        for target in re.findall(r"\]\(([^)\s#]+)[)#]", prose(text)):
            if "://" in target:
                continue
            there = Path("/", here.parent, target).resolve().relative_to("/")
            assert str(there) in places | files or any(f.startswith(f"{there}/") for f in files), (
                name(page),
                target,
            )


def test_ci_builds_the_site_strictly_and_a_workflow_publishes_it() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "mkdocs build --strict" in makefile
    assert re.search(r"lint types layers aws-lint site$", makefile, re.MULTILINE)
    workflow = (ROOT / ".github" / "workflows" / "site.yml").read_text(encoding="utf-8")
    assert "run: make site" in workflow
    assert "ghp-import" in workflow
