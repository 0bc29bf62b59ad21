"""Prints what the changelog says about one version.

    python infra/release.py v0.1.0

Fails if the tag is not the project's version, or the changelog does not know it.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def notes(tag: str, version: str, changelog: str) -> str:
    """The section about `version`; SystemExit if tag, version and changelog disagree."""
    if tag != f"v{version}":
        raise SystemExit(f"the tag is {tag}, and pyproject.toml says {version}")
    found = re.search(rf"^## \[?{re.escape(version)}\]?.*?$(.*?)(?=^## |\Z)", changelog, re.M | re.S)
    if found is None:
        raise SystemExit(f"CHANGELOG.md has no section {version}: rename Unreleased")
    return found.group(1).strip()


def main(tag: str) -> None:
    """Print the notes of the release that `tag` makes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sys.stdout.write(notes(tag, project["version"], changelog) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
