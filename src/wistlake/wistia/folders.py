"""The account's folders (v1 calls them projects), found by their name or their id."""

import re
import unicodedata
from collections.abc import Iterable

from wistlake.derive.mask import plain_name
from wistlake.errors import ConfigError, closest
from wistlake.foreign import one_line
from wistlake.wistia.endpoints import is_segment
from wistlake.wistia.responses import Record

_MAX_NAMED = 5
_ID_PATTERN = re.compile(r"[a-z0-9]{10}|\d+")  # hashed, or numeric


def find_folder(folders: Iterable[Record], name_or_id: str) -> str:
    """The id of the folder with this id or name. ConfigError if there is none, or more than one.

    An id is preferred to a name, and a name as written to one in other capitals. What isn't a name but looks like
    an id is returned as one, because a list may omit a folder.
    """
    ids = {_id(f): _name(f.get("name")) for f in folders if is_segment(_id(f))}
    if name_or_id.strip() in ids:
        return name_or_id.strip()
    name = _name(name_or_id)
    for same in (name.__eq__, lambda other: other.casefold() == name.casefold()):
        fits = sorted(i for i, other in ids.items() if same(other))
        if len(fits) > 1:
            raise ConfigError(
                f"WISTLAKE_MEDIA_FOLDER: {len(fits)} folders are called {_quoted(name)}: name one of them by its id, "
                f"{', '.join(fits[:_MAX_NAMED])}"
            )
        if fits:
            return fits[0]
    if _ID_PATTERN.fullmatch(name):
        return name
    raise ConfigError(
        f"WISTLAKE_MEDIA_FOLDER: the account has no folder {_quoted(name)}{_suggestion(name, ids.values())}"
    )


def _id(folder: Record) -> str:
    """Wistia's documentation spells the key one way, its responses the other."""
    return str(folder.get("hashed_id") or folder.get("hashedId") or "")


def _name(text: object) -> str:
    return unicodedata.normalize("NFC", str(text or "")).strip()


def _suggestion(name: str, names: Iterable[str]) -> str:
    there = sorted(set(filter(None, names)))
    if match := closest(name, there):
        return f", did you mean {_quoted(match)}?"
    if not there:
        return ": it has none, so use MEDIA_IDS=all"
    more = ", ..." if len(there) > _MAX_NAMED else ""
    return f" (there are {', '.join(map(_quoted, there[:_MAX_NAMED]))}{more})"


def _quoted(name: str) -> str:
    """Errors go into the ledger and to people: without the addresses that a name may hold, as in the tables."""
    return f"'{one_line(plain_name(name)[:60])}'"
