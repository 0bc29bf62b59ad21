"""The laptop's lake as a folder: its files, its layout version, and its pseudonym key."""

import hashlib
import json
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from wistlake import lake_marker
from wistlake.adapters.local.locks import exclusive
from wistlake.adapters.local.scratch import aside, sweep
from wistlake.adapters.local.whole_files import create_file, replace_file
from wistlake.errors import ConfigError, StoreDamaged, StoreError
from wistlake.machine import OTHERS, make_private
from wistlake.privacy import keys
from wistlake.privacy.keys import KeyChain

BACKUP = "restore it from a backup"
# DuckDB can't take quotes in a path; control characters are mistakes in the setting.
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f"\ud800-\udfff]')


class _Part:
    """A file or folder of the lake, by its name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, folder: "LakeFolder", _kind: object) -> Path:
        return folder.root / self._name


@dataclass(frozen=True, slots=True)
class LakeFolder:
    """The paths of one lake. ConfigError if `root` has forbidden characters."""

    root: Path

    def __post_init__(self) -> None:
        if wrong := _FORBIDDEN.search(str(self.root)):
            raise ConfigError(
                f"the lake's path {str(self.root)!r} holds {wrong[0]!r}, which no lake can: rename the folder, "
                "or set WISTLAKE_LAKE to another one"
            )

    marker = _Part(
        "lake.json"
    )  # layout version, path and zone: shows whether the lake was moved, or is newer
    ledger = _Part("ledger.db")
    budget = _Part("budget.db")  # of requests
    catalog = _Part("catalog.db")  # the newest metadata file of each table
    warehouse = _Part("warehouse")  # the tables' files
    staging = _Part("staging")  # rows of a build: pseudonymised, owner-only, removed at the start of each
    key_file = _Part("pseudonym-key.json")
    report = _Part("report.html")  # the newest one

    def exists(self) -> bool:
        """Whether there is a lake."""
        return self.marker.exists()

    def require_complete(self) -> None:
        """StoreError, with the cure, if some of the lake's parts are missing.

        A run would replace them by empty ones: with one day of history, or with the people that were forgotten.
        """
        if missing := list(self._missing()):
            raise StoreDamaged("\n".join(missing))

    def _missing(self) -> Iterator[str]:
        tables, raw = _has_files(self.warehouse), _has_files(self.root / "bronze")
        in_use = self.ledger.exists() or self.catalog.exists() or tables or raw
        if in_use and not self.marker.exists():
            yield f"{self.marker} is gone, and the lake is not: {BACKUP}, or `wistlake repair --marker`"
        if (self.catalog.exists() or tables or raw) and not self.ledger.exists():
            yield f"{self.ledger} is gone, and the lake is not: {BACKUP}, or `wistlake repair --ledger`"
        if tables and not self.catalog.exists():
            yield f"{self.catalog} is gone, and the tables are not: {BACKUP}, or `wistlake repair --catalog`"
        if in_use and not self.key_file.exists():
            yield f"{self.key_file} is gone, and the lake's visitors depend on it: {BACKUP}"

    def is_new(self) -> bool:
        """Whether there is no lake yet. StoreError if there is one whose marker is missing."""
        if not self.exists():
            self.require_complete()
        return not self.exists()

    def open(self, zone_name: str, now: datetime) -> Mapping[str, Any]:
        """Check the lake, or create one. ConfigError, with the cure, if it is newer, moved, or of another zone."""
        self.require_complete()
        sweep(self.root, self.key_file.name)  # a copy that a killed process has left
        if not self.exists():
            self.make()
            create_file(self.marker, _encode(lake_marker.new(zone_name, now, path=str(self.root))))
        described = self.described()
        if problems := list(self._problems(described, zone_name)):
            raise ConfigError(problems)
        return described

    @contextmanager
    def demo(self, zone_name: str, now: datetime) -> Iterator[None]:
        """Create a lake that is marked as a demo's, in the place of an earlier one, which goes at once. ConfigError
        if the folder holds anything else; StoreBusy, during the block, to other demos."""
        place = self.root.resolve()
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = place.with_name(f".{place.name}.demo")
        if not os.access(place.parent, os.W_OK):
            name = hashlib.sha256(os.fsencode(place)).hexdigest()[:16]
            lock = Path(tempfile.gettempdir()) / f".wistlake-{name}.demo"
        with exclusive(lock, f"making the demo's lake {self.root}"):
            if self.exists() and self.described().get("demo"):
                LakeFolder(place).remove()
            elif place.is_file() or (place.is_dir() and any(place.iterdir())):
                raise ConfigError(
                    f"{self.root} is not a demo's lake, and stays as it is: name another folder with --lake"
                )
            LakeFolder(place).make()
            self.write_marker(lake_marker.new(zone_name, now, path=str(self.root), demo="yes"))
            yield

    def remove(self) -> None:
        """Remove the lake, at once where that can be."""
        try:
            with aside(self.root.parent, f"{self.root.name}.before") as folder:
                self.root.rename(folder / self.root.name)
        except OSError:  # its parent is another user's, or another disk
            for path in self.root.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path != self.marker:
                    path.unlink(missing_ok=True)
            self.marker.unlink()  # last: without it, this is nobody's lake

    def described(self) -> Mapping[str, Any]:
        """The content of `lake.json`. ConfigError if there is none, StoreError if it is damaged."""
        try:
            described = json.loads(self.marker.read_text())
            texts = {name: described[name] for name in ("path", "zone")}
            if not all(isinstance(text, str) for text in texts.values()):
                raise TypeError("path and zone are texts")
            return {**described, "layout": int(described["layout"])}
        except FileNotFoundError:
            raise ConfigError(
                f"{self.root} isn't a lake yet: run `wistlake run`, or set WISTLAKE_LAKE to a folder that is one "
                "(that of `wistlake demo` is demo-lake)"
            ) from None
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as e:
            raise StoreDamaged(
                f"{self.marker} is damaged: {BACKUP}, or remove it and `wistlake repair --marker`"
            ) from e

    def require_readable(self) -> Mapping[str, Any]:
        """The content of `lake.json`. ConfigError, with the cure, if the lake can't be read: there is none, it is
        newer, or was moved. StoreError if the marker or the ledger is missing."""
        needed = (str(self.marker), str(self.ledger))
        if missing := [line for line in self._missing() if line.startswith(needed)]:
            raise StoreDamaged("\n".join(missing))
        described = self.described()
        if problems := list(self._problems(described, str(described.get("zone", "")))):
            raise ConfigError(problems)
        return described

    def _problems(self, described: Mapping[str, Any], zone_name: str) -> Iterator[str]:
        yield from lake_marker.newer_layout(described, str(self.root))
        if described["path"] != str(self.root):
            yield (
                f"{self.root} was made at {described['path']}, and its tables hold absolute paths: move it back, "
                f"or make a working copy with `wistlake restore {shlex.quote(str(self.root))} --to FOLDER`"
            )
        rebuild = "set it back, or run `wistlake rebuild --zone` to compute every day anew"
        yield from lake_marker.other_zone(described, zone_name, rebuild)

    def make(self) -> None:
        """Create the folder, owner-only. StoreError if that fails."""
        try:
            make_private(self.root)
        except OSError as e:
            raise StoreError(f"cannot make the lake {self.root}: {e.strerror}") from e

    def write_marker(self, described: Mapping[str, Any]) -> None:
        """Replace `lake.json` atomically."""
        replace_file(self.marker, _encode(described))

    def key_chain(self, *, rotating: bool = False) -> KeyChain:
        """The pseudonym keys, generated on first use. ConfigError if others can read the file; StoreError if a
        rotation was interrupted, unless the caller is `rotating`."""
        if not self.key_file.exists():
            self.require_complete()
            create_file(self.key_file, keys.encode(keys.fresh()))
        if os.name == "posix" and self.key_file.stat().st_mode & OTHERS:
            raise ConfigError(
                f"{self.key_file} can be read by others: chmod 600 {shlex.quote(str(self.key_file))}"
            )
        try:  # damaged bytes become characters that no key has
            chain = keys.decode(self.key_file.read_text(encoding="utf-8", errors="replace"))
        except OSError as e:
            raise StoreError(f"{self.key_file} can't be read ({e.strerror}): check its rights") from e
        return chain if rotating else chain.settled()

    def write_keys(self, chain: KeyChain) -> None:
        """Replace the key file atomically."""
        replace_file(self.key_file, keys.encode(chain))


def _has_files(folder: Path) -> bool:
    # Not `rglob`: it fails if a folder goes meanwhile.
    return any(not name.startswith(".") for _, _, names in os.walk(folder) for name in names)


def _encode(described: Mapping[str, Any]) -> str:
    return json.dumps(dict(described), indent=1)
