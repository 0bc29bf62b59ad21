"""Shows engines a lake under a path of plain characters.

Sail percent-encodes all special characters of a URL, also where it writes: the tables of a lake below `~/jörg`
would be written below `~/j%C3%B6rg`. Engines therefore see the lake under an alias, a folder with a plain path that
exists as long as the engine runs. Data files lie in the lake, behind a link. Manifests contain paths, and are
translated in both directions: no file in the lake contains the alias.
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
from wistlake.adapters.local.rest_catalog import RequestHandler, Response
from wistlake.adapters.local.scratch import aside
from wistlake.errors import ConfigError
from wistlake.machine import make_private

WAREHOUSE = "warehouse"


@contextmanager
def alias(lake: Path) -> Iterator["Alias"]:
    """The alias of the lake during the block; the lake's own path, if it is plain."""
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
        tables, alias = lake / WAREHOUSE, folder / WAREHOUSE
        self._to_alias = paths.moved(str(tables), str(alias))
        self._to_lake = paths.moved(str(alias), str(tables))

    def place(self, path: str) -> str:
        """The engine's path of a file or folder in the lake outside of the tables."""
        if not self._is_needed:
            return path
        return str(self._folder / "lake" / Path(path).relative_to(self._lake))

    def middleware(self, catalog: RequestHandler) -> RequestHandler:
        """The catalog with the engine's paths."""
        return _Translated(catalog, self) if self._is_needed else catalog

    def response(self, plain: Any) -> Any:
        """A response of the catalog with the engine's paths. The engine will open the files there."""
        alias = paths.renamed(plain, self._to_alias)
        if metadata := plain.get("metadata"):
            self._show(metadata)
            shown = paths.to_path(alias["metadata-location"])
            if not shown.exists():  # a state never changes, and the engine may be reading the file
                shown.write_text(json.dumps(alias["metadata"]))
        return alias

    def request(self, plain: Any) -> Any:
        """A request of the engine with the lake's paths. The manifests that it commits are copied into the lake."""
        for update in plain.get("updates", ()):
            if update.get("action") == "add-snapshot":
                self._translate_manifests(paths.to_path(update["snapshot"]["manifest-list"]), self._to_lake)
        return paths.renamed(plain, self._to_lake)

    def _show(self, metadata: Any) -> None:
        """Show the engine the table's folder and its current snapshot."""
        real = paths.to_path(metadata["location"])
        alias = paths.to_path(self._to_alias(metadata["location"]))
        make_private(alias / "metadata")
        make_private(real / "data")
        if not (alias / "data").exists():
            (alias / "data").symlink_to(real / "data", target_is_directory=True)
        current = metadata.get("current-snapshot-id")
        for snapshot in metadata.get("snapshots", ()):
            if snapshot["snapshot-id"] == current:
                self._translate_manifests(paths.to_path(snapshot["manifest-list"]), self._to_alias)

    def _translate_manifests(self, manifest_list: Path, rename: paths.Rename) -> None:
        records = avro_bytes.records(manifest_list.read_bytes())
        for file in (*(paths.to_path(r["manifest_path"]) for r in records), manifest_list):
            target = paths.to_path(rename(str(file)))
            if not target.exists():  # manifests never change once they are written
                rewrite_avro(file, target, rename)


class _Translated(RequestHandler):
    """A catalog with the paths of the alias."""

    def __init__(self, catalog: RequestHandler, alias: Alias) -> None:
        self._catalog, self._alias = catalog, alias

    def answer(self, method: str, path: str, body: bytes) -> Response:
        request = json.dumps(self._alias.request(json.loads(body))).encode() if body else body
        status, content = self._catalog.answer(method, path, request)
        if content is None:
            return status, None
        plain = json.loads(content) if isinstance(content, bytes) else content
        return status, self._alias.response(plain)
