"""Filtering, sorting and paging of the lists that have cursors: medias, and folders (v1: projects)."""

import base64
from collections.abc import Callable
from typing import cast

from starlette.datastructures import QueryParams

from wistia_simulator.http.paging import PageRequest
from wistia_simulator.payloads import Payload

_MEDIA_CURSORS = ("id", "created")
_MEDIA_SORTS = (*_MEDIA_CURSORS, "name", "updated", "position")
_FOLDER_CURSORS = (*_MEDIA_CURSORS, "updated")
_FOLDER_SORTS = (*_FOLDER_CURSORS, "name", "mediaCount")

SortKey = tuple[object, int]


class CursorError(ValueError):
    """A cursor that can't be used in this way."""


def list_medias(rows: list[Payload], query: QueryParams, page: PageRequest) -> list[Payload]:
    """One page of medias after filters and sorting; with cursors every record carries its own."""
    rows = [row for row in rows if _fits(row, query)]
    return _page(rows, query, page, _MEDIA_SORTS, _MEDIA_CURSORS)


def list_folders(rows: list[Payload], query: QueryParams, page: PageRequest) -> list[Payload]:
    """The same for folders; v1 spells their ids ``hashedId``."""
    ids = query.getlist("hashed_ids[]")
    rows = [row for row in rows if not ids or (row.get("hashed_id") or row.get("hashedId")) in ids]
    return _page(rows, query, page, _FOLDER_SORTS, _FOLDER_CURSORS)


def _page(
    rows: list[Payload],
    query: QueryParams,
    page: PageRequest,
    sorts: tuple[str, ...],
    cursors: tuple[str, ...],
) -> list[Payload]:
    sort_by = query.get("sort_by", "id")
    by_cursor = "cursor[after]" in query or "cursor[before]" in query or query.get("cursor[enabled]") == "1"
    if by_cursor:
        if sort_by not in cursors:
            raise CursorError(f"cursor pagination requires sort_by {' or '.join(cursors)}")
        return _by_cursor(rows, query, page.size, sort_by)
    rows.sort(key=_sort_key(sort_by if sort_by in sorts else "id"), reverse=_descending(query))
    return page.cut(lambda start, stop: rows[start:stop])


def _descending(query: QueryParams) -> bool:
    return query.get("sort_direction") == "0"


def _sort_key(sort_by: str) -> Callable[[Payload], SortKey]:
    def key(row: Payload) -> SortKey:
        # A media has no field for its position; the order of creation stands for it.
        return (_sorted_by(row, sort_by) if sort_by not in ("id", "position") else 0), cast("int", row["id"])

    return key


def _sorted_by(row: Payload, name: str) -> object:
    if name == "mediaCount":
        return row.get("mediaCount", row.get("media_count"))
    return row[name]


def _fits(row: Payload, query: QueryParams) -> bool:
    """Whether a media passes every filter of the query."""
    folder = cast("Payload", row.get("folder") or row.get("project") or {})
    equals = {
        "name": row["name"],
        "type": row["type"],
        "hashed_id": row["hashed_id"],
        "archived": str(row["archived"]).lower(),
    }
    if any(query[name] != value for name, value in equals.items() if name in query):
        return False
    folder_id = query.get("folder_id" if "folder" in row else "project_id")
    if folder_id and folder_id not in (folder.get("hashed_id"), str(folder.get("id"))):
        return False
    hashed_ids = query.getlist("hashed_ids[]")
    if hashed_ids and row["hashed_id"] not in hashed_ids:
        return False
    tags = cast("list[str | dict[str, str]]", row.get("tags", []))
    return set(query.getlist("tags[]")) <= {tag if isinstance(tag, str) else tag["name"] for tag in tags}


def _by_cursor(rows: list[Payload], query: QueryParams, size: int, sort_by: str) -> list[Payload]:
    if "page" in query:
        raise CursorError("cursor pagination can't be combined with page")
    rows.sort(key=_sort_key(sort_by), reverse=_descending(query))
    if after := query.get("cursor[after]"):
        rows = rows[_place(rows, after, sort_by) + 1 :]
        listed = rows[:size]
    elif before := query.get("cursor[before]"):
        rows = rows[: _place(rows, before, sort_by)]
        listed = rows[max(0, len(rows) - size) :]
    else:
        listed = rows[:size]
    return [row | {"cursor": _cursor(row, sort_by)} for row in listed]


def _cursor(row: Payload, sort_by: str) -> str:
    return base64.urlsafe_b64encode(f"{sort_by}:{row['id']}".encode()).decode()


def _place(rows: list[Payload], cursor: str, sort_by: str) -> int:
    """The index of the record that a cursor stands for."""
    try:
        name, _, number = base64.urlsafe_b64decode(cursor).decode().partition(":")
    except ValueError:  # a letter outside ASCII, a wrong length, or bytes that are no text
        raise CursorError("the cursor can't be read") from None
    if name != sort_by:
        raise CursorError("the cursor belongs to another sort_by")
    for place, row in enumerate(rows):
        if str(row["id"]) == number:
            return place
    raise CursorError("the record of the cursor does not exist any more")
