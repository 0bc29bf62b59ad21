"""The laptop's lake as a folder: what lies where, which layout it has, and its pseudonym key."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from wistlake.errors import ConfigError, StoreDamaged, StoreError
from wistlake.privacy import keys
from wistlake.privacy.keys import KeyChain

LAYOUT = 1
BACKUP = "restore it from a backup"
_OWNER_ONLY = 0o600
# A quote ends a name for DuckDB; control characters are mistakes of whoever wrote the setting.
_NO_PATH = re.compile(r'[\x00-\x1f\x7f"\ud800-\udfff]')


@dataclass(frozen=True, slots=True)
class LakeFolder:
    """Paths below one folder. ConfigError if no lake can lie at that path."""

    root: Path

    def __post_init__(self) -> None:
        if wrong := _NO_PATH.search(str(self.root)):
            raise ConfigError(
                f"the lake's path {str(self.root)!r} holds {wrong[0]!r}, which no lake can: rename the folder, "
                "or set WISTLAKE_LAKE to another one"
            )

    @property
    def marker(self) -> Path:
        """Layout version, absolute path and zone: what tells a moved or newer lake."""
        return self.root / "lake.json"

    @property
    def ledger(self) -> Path:
        """The ledger's database."""
        return self.root / "ledger.db"

    @property
    def budget(self) -> Path:
        """The request budget's database."""
        return self.root / "budget.db"

    @property
    def catalog(self) -> Path:
        """The catalog's database: which metadata file is each table's newest."""
        return self.root / "catalog.db"

    @property
    def warehouse(self) -> Path:
        """The tables' files."""
        return self.root / "warehouse"

    @property
    def staging(self) -> Path:
        """What a build keeps while it runs; pseudonymised, owner-only, wiped at start."""
        return self.root / "staging"

    @property
    def key_file(self) -> Path:
        """The pseudonym keys; owner-only."""
        return self.root / "pseudonym-key.json"

    @property
    def report(self) -> Path:
        """The newest report."""
        return self.root / "report.html"

    def exists(self) -> bool:
        """Whether a run has begun a lake here."""
        return self.marker.exists()

    def require_whole(self) -> None:
        """StoreError, with the cure, if one of the lake's parts is gone while others are there.

        A run would begin such a lake anew: with one day of history, or with the people that were forgotten.
        """
        if gone := list(self._lost()):
            raise StoreDamaged("\n".join(gone))

    def _lost(self) -> Iterator[str]:
        tables, raw = _has_files(self.warehouse), _has_files(self.root / "bronze")
        begun = self.ledger.exists() or self.catalog.exists() or tables or raw
        if begun and not self.marker.exists():
            yield f"{self.marker} is gone, and the lake is not: {BACKUP}, or `wistlake repair --marker`"
        if (self.catalog.exists() or tables or raw) and not self.ledger.exists():
            yield f"{self.ledger} is gone, and the lake is not: {BACKUP}, or `wistlake repair --ledger`"
        if tables and not self.catalog.exists():
            yield f"{self.catalog} is gone, and the tables are not: {BACKUP}, or `wistlake repair --catalog`"
        if begun and not self.key_file.exists():
            yield f"{self.key_file} is gone, and the lake's visitors depend on it: {BACKUP}"

    def is_new(self) -> bool:
        """Whether nothing was ever begun here. StoreError if something was, and its marker is gone."""
        if not self.exists():
            self.require_whole()
        return not self.exists()

    def open(self, zone_name: str, now: datetime) -> Mapping[str, Any]:
        """Check the lake, or begin one. ConfigError, with the cure, if it is newer, moved, or of another zone."""
        self.require_whole()
        if not self.exists():
            return self._begin(zone_name, now)
        found = self.described()
        problems = list(self._problems(found, zone_name))
        if problems:
            raise ConfigError(problems)
        return found

    def described(self) -> Mapping[str, Any]:
        """What `lake.json` says. ConfigError if there is none, StoreError if it is damaged."""
        try:
            found = json.loads(self.marker.read_text())
            return {"layout": int(found["layout"]), **found}
        except FileNotFoundError:
            raise ConfigError(
                f"{self.root} is no lake yet: run `wistlake run` (or `wistlake demo`), or set WISTLAKE_LAKE"
            ) from None
        except (ValueError, KeyError, TypeError) as e:
            raise StoreDamaged(f"{self.marker} is damaged: restore it from a backup") from e

    def readable(self) -> Mapping[str, Any]:
        """What `lake.json` says. ConfigError, with the cure, if readers would find nothing here: no lake, a
        newer one, or one that was moved. StoreError if what they read is gone."""
        needed = (str(self.marker), str(self.ledger))
        if gone := [line for line in self._lost() if line.startswith(needed)]:
            raise StoreDamaged("\n".join(gone))
        found = self.described()
        if problems := list(self._problems(found, str(found.get("zone", "")))):
            raise ConfigError(problems)
        return found

    def _problems(self, found: Mapping[str, Any], zone_name: str) -> Any:
        if found["layout"] > LAYOUT:
            yield (
                f"{self.root} has layout {found['layout']}, newer than this program's {LAYOUT}: upgrade wistlake"
            )
        if found["path"] != str(self.root):
            yield (
                f"{self.root} was made at {found['path']}, and its tables hold absolute paths: move it back, "
                f"or make a working copy with `wistlake restore {self.root} --to FOLDER`"
            )
        if found["zone"] != zone_name:
            yield (
                f"this lake's days are in {found['zone']}, WISTLAKE_ACCOUNT_TIMEZONE says {zone_name}: set it back, "
                "or run `wistlake rebuild --zone` to compute every day anew"
            )

    def _begin(self, zone_name: str, now: datetime) -> Mapping[str, Any]:
        self.make()
        described = {
            "layout": LAYOUT,
            "path": str(self.root),
            "zone": zone_name,
            "created_at": now.isoformat(),
        }
        self.write_marker(described)
        return described

    def make(self) -> None:
        """The folder itself, owner-only. StoreError names what stands in the way."""
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as e:
            raise StoreError(f"cannot make the lake {self.root}: {e.strerror}") from e

    def write_marker(self, described: Mapping[str, Any]) -> None:
        """Replace `lake.json` at once."""
        write_private(self.marker, json.dumps(dict(described), indent=1))

    def key_chain(self, *, rotating: bool = False) -> KeyChain:
        """The pseudonym keys; made on first use. ConfigError if others may read the file, StoreError if a
        rotation was begun and not ended: only the rotation itself may go on then."""
        if not self.key_file.exists():
            self.require_whole()
            self.write_keys(keys.fresh())
        if os.name == "posix" and self.key_file.stat().st_mode & 0o077:
            raise ConfigError(f"{self.key_file} can be read by others: chmod 600 {self.key_file}")
        chain = keys.decode(self._key_text())
        return chain if rotating else chain.settled()

    def _key_text(self) -> str:
        """What the key file holds; bytes that are no text are damage, too. StoreError if it can't be read."""
        try:
            return self.key_file.read_text(encoding="utf-8", errors="replace")
        except OSError as e:
            raise StoreError(f"{self.key_file} can't be read ({e.strerror}): check its rights") from e

    def write_keys(self, chain: KeyChain) -> None:
        """Replace the key file at once."""
        write_private(self.key_file, keys.encode(chain))


def _has_files(folder: Path) -> bool:
    return any(path.is_file() for path in folder.rglob("[!.]*"))


def write_private(path: Path, text: str) -> None:
    """Replace a file of the lake at once, owner-only. StoreError names what stands in the way."""
    fresh = path.with_suffix(".new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as e:
        raise StoreError(f"cannot write {path}: {e.strerror}") from e
