"""The account's folders (v1 calls them projects), found by their name or their id."""

import re
import unicodedata
from collections.abc import Iterable

from wistlake.errors import ConfigError, closest
from wistlake.foreign import one_line
from wistlake.wistia.endpoints import is_segment
from wistlake.wistia.responses import Record

_MOST_NAMED = 5
_LIKE_AN_ID = re.compile(r"[a-z0-9]{10}|\d+")  # hashed, or numeric


def folder_id(folders: Iterable[Record], asked: str) -> str:
    """The id of the folder that `asked` is the id or the name of. An id goes before a name, and a name as it is
    written before one in other capitals; what is no name and looks like an id is taken for one, for a list may
    leave a folder out. ConfigError if there is none, or more than one."""
    ids = {_id(f): _name(f.get("name")) for f in folders if is_segment(_id(f))}
    if asked.strip() in ids:
        return asked.strip()
    name = _name(asked)
    for same in (name.__eq__, lambda other: other.casefold() == name.casefold()):
        fits = sorted(i for i, other in ids.items() if same(other))
        if len(fits) > 1:
            raise ConfigError(
                f"WISTLAKE_MEDIA_FOLDER: {len(fits)} folders are called {_shown(name)}: name one of them by its id, "
                f"{', '.join(fits[:_MOST_NAMED])}"
            )
        if fits:
            return fits[0]
    if _LIKE_AN_ID.fullmatch(name):
        return name
    raise ConfigError(
        f"WISTLAKE_MEDIA_FOLDER: the account has no folder {_shown(name)}{_meant(name, ids.values())}"
    )


def _id(folder: Record) -> str:
    """Wistia's descriptions spell it one way, and its answers the other."""
    return str(folder.get("hashed_id") or folder.get("hashedId") or "")


def _name(text: object) -> str:
    return unicodedata.normalize("NFC", str(text or "")).strip()


def _meant(name: str, names: Iterable[str]) -> str:
    there = sorted(set(filter(None, names)))
    if meant := closest(name, there):
        return f", did you mean {_shown(meant)}?"
    if not there:
        return ": it has none, so use MEDIA_IDS=all"
    more = ", ..." if len(there) > _MOST_NAMED else ""
    return f" (there are {', '.join(map(_shown, there[:_MOST_NAMED]))}{more})"


def _shown(name: str) -> str:
    return f"'{one_line(name[:60])}'"
