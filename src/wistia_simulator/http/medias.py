"""Filtering, sorting and paging of the media list, the only list with cursors."""

import base64
import binascii
from collections.abc import Callable
from typing import cast

from starlette.datastructures import QueryParams

from wistia_simulator.http.paging import PageRequest
from wistia_simulator.payloads import Payload

__all__ = ["CursorError", "list_medias"]

_CURSOR_SORTS = ("id", "created")
_SORTS = (*_CURSOR_SORTS, "name", "updated", "position")

SortKey = tuple[object, int]


class CursorError(ValueError):
    """A cursor that can't be used in this way."""


def list_medias(rows: list[Payload], query: QueryParams, page: PageRequest) -> list[Payload]:
    """One page of ``rows`` after filters and sorting; with cursors every record carries its own."""
    sort_by = query.get("sort_by", "id")
    rows = [row for row in rows if _passes(row, query)]
    by_cursor = "cursor[after]" in query or "cursor[before]" in query or query.get("cursor[enabled]") == "1"
    if by_cursor:
        return _by_cursor(rows, query, page.size, sort_by)
    rows.sort(key=_sort_key(sort_by if sort_by in _SORTS else "id"), reverse=_descending(query))
    return page.cut(lambda start, stop: rows[start:stop])


def _descending(query: QueryParams) -> bool:
    return query.get("sort_direction") == "0"


def _sort_key(sort_by: str) -> Callable[[Payload], SortKey]:
    def key(row: Payload) -> SortKey:
        # A media has no field for its position; the order of creation stands for it.
        return (row[sort_by] if sort_by not in ("id", "position") else 0), cast("int", row["id"])

    return key


def _passes(row: Payload, query: QueryParams) -> bool:
    folder = cast("Payload", row.get("folder") or row.get("project") or {})
    wanted = {
        "name": row["name"],
        "type": row["type"],
        "hashed_id": row["hashed_id"],
        "archived": str(row["archived"]).lower(),
    }
    if any(query[name] != value for name, value in wanted.items() if name in query):
        return False
    folder_id = query.get("folder_id" if "folder" in row else "project_id")
    if folder_id and folder_id not in (folder.get("hashed_id"), str(folder.get("id"))):
        return False
    hashed_ids = query.getlist("hashed_ids[]")
    if hashed_ids and row["hashed_id"] not in hashed_ids:
        return False
    return set(query.getlist("tags[]")) <= set(cast("list[str]", row.get("tags", [])))


def _by_cursor(rows: list[Payload], query: QueryParams, size: int, sort_by: str) -> list[Payload]:
    if sort_by not in _CURSOR_SORTS:
        raise CursorError("cursor pagination requires sort_by id or created")
    if "page" in query:
        raise CursorError("cursor pagination can't be combined with page")
    key = _sort_key(sort_by)
    rows.sort(key=key, reverse=_descending(query))
    if after := query.get("cursor[after]"):
        rows = rows[_place(rows, after, sort_by) + 1 :]
        chosen = rows[:size]
    elif before := query.get("cursor[before]"):
        rows = rows[: _place(rows, before, sort_by)]
        chosen = rows[max(0, len(rows) - size) :]
    else:
        chosen = rows[:size]
    return [row | {"cursor": _cursor(row, sort_by)} for row in chosen]


def _cursor(row: Payload, sort_by: str) -> str:
    return base64.urlsafe_b64encode(f"{sort_by}:{row['id']}".encode()).decode()


def _place(rows: list[Payload], cursor: str, sort_by: str) -> int:
    """The index of the record that a cursor stands for."""
    try:
        name, _, number = base64.urlsafe_b64decode(cursor).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise CursorError("the cursor can't be read") from None
    if name != sort_by:
        raise CursorError("the cursor belongs to another sort_by")
    for place, row in enumerate(rows):
        if str(row["id"]) == number:
            return place
    raise CursorError("the record of the cursor does not exist any more")
