"""Writes docs/licences.md: every package that an installation brings along, and under which licence.

`python -m wistlake.entrypoints.licences` reads the locked requirements and the metadata of what is installed.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

LOCKED = ("laptop", "dashboard", "mcp", "handoff", "lambda")  # what is shipped; tools of development are not
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)([^\\]*)", re.MULTILINE)
_HEAD = """# Licences

Generated from the locked requirements and the packages' own metadata. Wistlake itself is Apache-2.0.

| package | version | licence | brought by |
| --- | --- | --- | --- |
"""
_LONGEST = 60


def pinned(requirements: Path) -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """Package to its version and the requirement files that name it, those for other platforms left out."""
    packages: dict[str, tuple[str, tuple[str, ...]]] = {}
    for name in LOCKED:
        for package, version, rest in _PINNED.findall((requirements / f"{name}.txt").read_text()):
            if "sys_platform == 'win32'" in rest or "platform_system == 'Windows'" in rest:
                continue
            _, before = packages.get(package, (version, ()))
            packages[package] = (version, (*before, name))
    return dict(sorted(packages.items()))


def licence(package: str) -> str:
    """What the installed package says of its licence: expression, classifiers or text, in that order."""
    try:
        fields = metadata(package)
    except PackageNotFoundError:
        return ""
    if "License-Expression" in fields:
        return fields["License-Expression"]
    classified = [
        c.rpartition(" :: ")[2] for c in fields.get_all("Classifier") or () if c.startswith("License ::")
    ]
    if named := [c for c in classified if c != "OSI Approved"]:
        return ", ".join(named)
    text = fields["License"].strip() if "License" in fields else ""
    return text.splitlines()[0][:_LONGEST] if text else ""


def rows(requirements: Path) -> Iterator[tuple[str, str, str, str]]:
    """(package, version, licence, brought by) of everything that is shipped."""
    for package, (version, by) in pinned(requirements).items():
        yield package, version, licence(package), ", ".join(by)


def page(requirements: Path) -> str:
    """The whole page as Markdown."""
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows(requirements))


if __name__ == "__main__":
    Path("docs/licences.md").write_text(page(Path("requirements")), encoding="utf-8")
    sys.stdout.write("docs/licences.md\n")
