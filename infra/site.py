"""Lays the pages of the documentation site together, below `build/pages`.

    python infra/site.py

The site's root is `docs`. README.md becomes its first page; other pages from outside of `docs` keep their place beside
it. Links between them are led to where the pages are then.
"""

import os
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "build" / "pages"
OUTSIDE = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "exploration/README.md")
_LINK = re.compile(r"(?<=\]\()([^)\s#]+)(?=[)#])")
_NOTE = re.compile(r"^<!-- not run: [^>]*-->\n+", re.MULTILINE)  # for the test that types the page's blocks


def place(file: Path) -> Path | None:
    """Where a file of the repository is on the site, from its root; None if it isn't there."""
    inside = file.relative_to(ROOT)
    if inside.parts[0] == "docs":
        return inside.relative_to("docs")
    if inside.as_posix() == "README.md":
        return Path("index.md")
    return inside if inside.as_posix() in OUTSIDE else None


def rewritten(page: Path, text: str) -> str:
    """The text of a page with links that are right on the site."""
    here = place(page) or Path()

    def moved(link: re.Match[str]) -> str:
        target = (page.parent / link[1]).resolve()
        there = place(target) if "://" not in link[1] and target.is_relative_to(ROOT) else None
        return os.path.relpath(there, here.parent) if there else link[1]

    return _NOTE.sub("", _LINK.sub(moved, text))


def main() -> None:
    """Lay everything out anew."""
    shutil.rmtree(TARGET, ignore_errors=True)
    shutil.copytree(ROOT / "docs", TARGET)
    for page in [*ROOT.glob("docs/**/*.md"), *(ROOT / name for name in OUTSIDE)]:
        there = TARGET / (place(page) or "")
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_text(rewritten(page, page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
