"""Writes the generated pages: `python -m wistlake.entrypoints.docs FOLDER`."""

import sys
from collections.abc import Mapping
from pathlib import Path

from wistlake.derive import dataset_docs
from wistlake.quality import metrics


def pages() -> Mapping[str, str]:
    """Generated pages by file name."""
    return {"datasets.md": dataset_docs.page(), "metrics.md": metrics.page()}


def main(folder: Path) -> None:
    """Write every page into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
