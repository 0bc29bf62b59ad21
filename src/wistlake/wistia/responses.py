"""From bytes to records, with limits: a response may be hostile, broken, or not what the contract expects."""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Never

import httpx2

from wistlake.contracts.form import Field, Source, Type
from wistlake.errors import SourceChanged
from wistlake.wistia.failures import Transient, media_type

MAX_BYTES = 64 * 2**20  # of one response, decompressed
MAX_RATIO = 200  # decompressed to compressed, once a response is larger than `SMALL_BYTES`
SMALL_BYTES = 2**20
MAX_DEPTH = 64  # nested containers

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Response:
    """One successful response: its JSON (a list or an object), seconds on the wire, bytes when decompressed."""

    body: Any = field(repr=False)  # personal data: kept out of logs and tracebacks
    status: int
    seconds: float
    bytes: int

    @property
    def records(self) -> list[Record]:
        """The objects in the body: those of the list, or the one that it is."""
        return [r for r in (self.body if isinstance(self.body, list) else [self.body]) if isinstance(r, dict)]


async def read_limited(response: httpx2.Response, request: str) -> bytes:
    """The decompressed body. SourceChanged as soon as it exceeds a limit."""
    read = bytearray()
    async for chunk in response.aiter_bytes():
        read += chunk
        if len(read) > MAX_BYTES:
            raise SourceChanged(f"{request}: the answer is larger than {MAX_BYTES // 2**20} MB")
        if len(read) > SMALL_BYTES and len(read) > MAX_RATIO * max(1, response.num_bytes_downloaded):
            raise SourceChanged(
                f"{request}: the answer is compressed more than {MAX_RATIO} times, as bombs are"
            )
    return bytes(read)


def parse(body: bytes, content_type: str, request: str) -> Any:
    """The JSON in `body`.

    Transient if it is something else: half a response and an edge server's page have status 200, too.
    SourceChanged if it is nested too deeply.
    """
    if content_type and "json" not in content_type.lower():
        raise Transient(f"{request}: answers with {media_type(content_type)} instead of JSON")
    try:
        document = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant, parse_float=_finite)
        problem: Exception | None = None if _depth(document) <= MAX_DEPTH else _too_deep(request)
    except RecursionError:
        problem = _too_deep(request)
    except ValueError:
        problem = Transient(f"{request}: answers with {len(body)} bytes that are no whole JSON")
    if problem is not None:
        raise problem  # outside the handlers: no chained exception may quote the payload
    if b"\\ud" in body.lower():  # lone surrogates, perhaps: JSON can spell them, UTF-8 can't store them
        return json.loads(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"))
    return document


def records(body: Any, request: str) -> list[Record]:
    """The records of a list. SourceChanged if it isn't a list of objects."""
    if not isinstance(body, list):
        raise SourceChanged(f"{request}: answers with {_kind(body)} where a list was promised")
    odd = [number for number, entry in enumerate(body) if not isinstance(entry, dict)]
    if odd:
        raise SourceChanged(
            f"{request}: entry {odd[0] + 1} of the list is {_kind(body[odd[0]])}, not an object"
        )
    return body


def record(body: Any, request: str) -> Record:
    """The one record of a response. SourceChanged if it isn't an object."""
    if not isinstance(body, dict):
        raise SourceChanged(f"{request}: answers with {_kind(body)} where an object was promised")
    return body


def page_and_cursor(body: Any, request: str) -> tuple[list[Record], str | None]:
    """The records of a page, and the cursor of the next one; None on the last page. SourceChanged if it is no page."""
    page = record(body, request)
    rows, info = records(page.get("data"), request), record(page.get("page_info"), request)
    if not info.get("has_next_page"):
        return rows, None
    cursor = info.get("end_cursor")
    if not isinstance(cursor, str) or not cursor:
        raise SourceChanged(f"{request}: another page is promised, and no cursor given to ask for it")
    return rows, cursor


def unfolded(source: Source, page: list[Record], request: str) -> list[Record]:
    """The records of a page, where its objects hold lists of them (`rows_in`); one without a list, or with null, holds
    none. SourceChanged if it holds something else."""
    if not source.rows_in:
        return page
    return [
        {name: value for name, value in held.items() if name != source.rows_in} | row
        for held in page
        if held.get(source.rows_in) is not None
        for row in records(held[source.rows_in], f"{request}: {source.rows_in}")
    ]


def check_fields(source: Source, page: Sequence[Record], request: str) -> None:
    """SourceChanged if a required field is missing from every record of a page, or has the wrong type in all.

    Single records like that pass: bronze stores them, and quarantine reports them.
    """
    required = [f for f in source.fields if f.required]
    lost = [f.path for f in required if not any(_has(r, f.path) for r in page)]
    if page and lost:
        raise SourceChanged(
            f"{request}: no record has {', '.join(lost)}, which {source.name} relies on: "
            "Wistia changed its answer; nothing was stored"
        )
    retyped = [
        f"{f.path} ({_kind(_at(page[0], f.path))} for {f.type})" for f in required if _is_retyped(f, page)
    ]
    if retyped:
        raise SourceChanged(
            f"{request}: no record has {', '.join(retyped)} as {source.name} relies on it: "
            "Wistia changed its answer; nothing was stored"
        )


_SEVERAL = 3  # records that have to agree before an odd value counts as a change of the source


def _is_retyped(field: Field, page: Sequence[Record]) -> bool:
    values = [v for v in (_at(r, field.path) for r in page) if v is not None]
    return len(values) >= _SEVERAL and not any(_fits(v, field.type) for v in values)


def _fits(value: Any, kind: Type) -> bool:
    """Whether silver could read the value as what the contract says: numbers may come as text."""
    if isinstance(value, dict | list):
        return kind in (Type.LONGS, Type.STRINGS) and isinstance(value, list)
    try:
        match kind:
            case Type.LONG | Type.DOUBLE:
                float(value)
            case Type.DATE | Type.TIMESTAMP:
                datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _at(record: Any, path: str) -> Any:
    for name in path.split("."):
        record = record.get(name) if isinstance(record, dict) else None
    return record


def _has(value: Any, path: str) -> bool:
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True


def _depth(document: Any) -> int:
    """Levels of containers, counted as far as one beyond `MAX_DEPTH`. Only containers are followed: nearly all values
    are none."""
    depth, level = 0, [document] if isinstance(document, dict | list) else []
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [child for parent in level for child in _children(parent) if type(child) in (dict, list)]
    return depth


def _children(parent: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return parent.values() if isinstance(parent, dict) else parent


def _too_deep(request: str) -> SourceChanged:
    return SourceChanged(f"{request}: the answer is nested deeper than {MAX_DEPTH} levels")


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float | None:
    """A number; None for one such as 1e400: what no double holds is no JSON when it is written again."""
    value = float(text)
    return value if math.isfinite(value) else None


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
