"""An oddly named lake under a plain name, for engines.

Sail percent-encodes whatever is no plain character of a URL, also where it writes: the tables of a lake below
`~/jörg` would come to lie below `~/j%C3%B6rg`. Engines therefore see the lake under an alias, a
folder of plain characters that lives as long as the engine. Data files lie in the lake, behind a link;
manifests, which name other files, are translated on the way in and out: nothing in the lake knows the alias.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wistlake.adapters import avro as avro_bytes
from wistlake.adapters import iceberg_paths as paths
from wistlake.adapters.iceberg_rewrite import rewrite_avro
from wistlake.adapters.local.rest_catalog import Answer, Answering
from wistlake.adapters.local.scratch import aside
from wistlake.errors import ConfigError

WAREHOUSE = "warehouse"


@contextmanager
def alias(lake: Path) -> Iterator["Alias"]:
    """The lake under a plain name for the length of the block; its own, if it is plain."""
    if paths.is_plain(lake):
        yield Alias(lake, lake)
        return
    scratch = next((p for p in [Path(tempfile.gettempdir())] if paths.is_plain(p) and p.is_dir()), None)
    if scratch is None:
        raise ConfigError(
            f"the lake {lake} needs a folder for scratch whose name is plain: set TMPDIR to one of letters, "
            "digits and - . _ only"
        )
    with aside(scratch, "wistlake-alias") as folder:
        (folder / "lake").symlink_to(lake, target_is_directory=True)
        yield Alias(lake, folder)


class Alias:
    """Translates between the lake's own paths and those that the engine sees below `folder`."""

    def __init__(self, lake: Path, folder: Path) -> None:
        self._lake, self._folder = lake, folder
        self._is_needed = lake != folder
        tables, seen = lake / WAREHOUSE, folder / WAREHOUSE
        self._out = paths.moved(str(tables), str(seen))
        self._back = paths.moved(str(seen), str(tables))

    def place(self, path: str) -> str:
        """What the engine calls a file or folder in the lake that is not a table's."""
        below = Path(path)
        return str(self._folder / "lake" / below.relative_to(self._lake)) if self._is_needed else path

    def around(self, catalog: Answering) -> Answering:
        """The catalog as the engine must see it."""
        return _Translated(catalog, self) if self._is_needed else catalog

    def shown(self, answer: Any) -> Any:
        """An answer of the catalog, in the engine's paths. It will look for the files that they name."""
        seen = paths.renamed(answer, self._out)
        if metadata := answer.get("metadata"):
            self._show(metadata)
            paths.path(seen["metadata-location"]).write_text(json.dumps(seen["metadata"]))
        return seen

    def taken(self, request: Any) -> Any:
        """A request of the engine, in the lake's paths. The manifests that it commits are brought in."""
        for update in request.get("updates", ()):
            if update.get("action") == "add-snapshot":
                self._bring_in(paths.path(update["snapshot"]["manifest-list"]))
        return paths.renamed(request, self._back)

    def _show(self, metadata: Any) -> None:
        """Let the engine see the table's folder, and its current snapshot."""
        real = paths.path(metadata["location"])
        seen = paths.path(self._out(metadata["location"]))
        (seen / "metadata").mkdir(mode=0o700, parents=True, exist_ok=True)
        (real / "data").mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (seen / "data").exists():
            (seen / "data").symlink_to(real / "data", target_is_directory=True)
        current = metadata.get("current-snapshot-id")
        for snapshot in metadata.get("snapshots", ()):
            if snapshot["snapshot-id"] == current:
                self._show_manifests(paths.path(snapshot["manifest-list"]))

    def _show_manifests(self, manifest_list: Path) -> None:
        for manifest in _manifests(manifest_list):
            self._translate(manifest, self._out)
        self._translate(manifest_list, self._out)

    def _bring_in(self, manifest_list: Path) -> None:
        for manifest in _manifests(manifest_list):
            self._translate(manifest, self._back)
        self._translate(manifest_list, self._back)

    def _translate(self, file: Path, rename: paths.Rename) -> None:
        """Manifests never change once they are written: what has been translated stays."""
        target = paths.path(rename(str(file)))
        if not target.exists():
            rewrite_avro(file, target, rename)


def _manifests(manifest_list: Path) -> list[Path]:
    return [paths.path(r["manifest_path"]) for r in avro_bytes.records(manifest_list.read_bytes())]


class _Translated:
    """A catalog whose paths are those of the alias."""

    def __init__(self, catalog: Answering, alias: Alias) -> None:
        self._catalog, self._alias = catalog, alias

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """The answer to one request."""
        request = json.dumps(self._alias.taken(json.loads(body))).encode() if body else body
        status, content = self._catalog.answer(method, path, request)
        if content is None:
            return status, None
        plain = json.loads(content) if isinstance(content, bytes) else content
        return status, self._alias.shown(plain)
