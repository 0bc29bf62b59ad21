"""The client: complete listings of Wistia's datasets, and single pages for those who explore."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx2

from wistlake.contracts.form import Source
from wistlake.errors import (
    ConfigError,
    SourceChanged,
    SourceMissing,
    SourceNotInPlan,
    SourceRefused,
    SourceUnavailable,
)
from wistlake.wistia import responses
from wistlake.wistia.connection import MAX_PER_PAGE, Connection
from wistlake.wistia.endpoints import (
    ACCOUNT_DAYS,
    EVENTS,
    MEDIA_LIST,
    SEPARATE_SERVICE,
    Endpoint,
    Params,
    Shape,
    by_dimension,
    checked_path,
    day_range,
    endpoint,
    folder_list,
    is_segment,
    media_list_params,
    path,
    segment,
)
from wistlake.wistia.folders import find_folder
from wistlake.wistia.pagination import MAX_PAGES, Order, Page, Pager, PageSizes, Proof, read_consistently
from wistlake.wistia.requests import ATTEMPTS, Monotonic, Request, Sender, Sleep, Stats, Wall, logger, utc_now
from wistlake.wistia.responses import Record, Response

if TYPE_CHECKING:
    from wistlake.ports import Budget

NOT_IN_PLAN = 403
PROBE_ATTEMPTS = 3  # a person waits for the result


@dataclass(frozen=True, slots=True)
class Listing:
    """One complete listing. `missing`: Wistia answers 404, there is no such media.

    `request` is path and params without paging, `api` is base and version, `walk` is the proof that the listing is
    complete and did not change while it was read. All three go into the manifest, none of them holds the token.
    `requests` counts every attempt.
    """

    records: list[Record] = field(repr=False)
    pages: int
    requests: int
    request: Mapping[str, Any]
    api: Mapping[str, Any]
    walk: Mapping[str, Any] = field(default_factory=dict)
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Probe:
    """What a token may do, judged by one request for each permission. `seconds` is the slower of the two."""

    host: str
    version: str | None
    seconds: float


class WistiaClient:
    """An account's Wistia, inside `async with`. Many fetches may run at once: at most `max_concurrency` listings
    are read at the same time, with as many requests in flight, each as `budget` allows.

    `sleep`, `monotonic` (seconds), `wall` (an aware datetime, only for Retry-After headers that hold a date) and
    `transport` are the clock and the network; tests pass their own.
    """

    def __init__(
        self,
        connection: Connection,
        budget: "Budget",
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Sleep = asyncio.sleep,
        monotonic: Monotonic = time.monotonic,
        wall: Wall = utc_now,
    ) -> None:
        self.connection = connection
        self._wall = wall
        self._sender = Sender(
            connection, budget, transport=transport, sleep=sleep, monotonic=monotonic, wall=wall
        )
        self._listings = asyncio.Semaphore(connection.max_concurrency)
        self._active_listings = 0
        self._page_sizes: dict[str, PageSizes] = {}
        self._unavailable: set[str] = set()  # datasets whose last listing failed after every retry

    async def __aenter__(self) -> Self:
        await self._sender.http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sender.http.__aexit__(kind, error, trace)

    @property
    def stats(self) -> Stats:
        """Counts of this client's requests so far."""
        return self._sender.stats

    async def fetch(self, source: Source, media_id: str, start: date, end: date, rows: int = 0) -> Listing:
        """The complete listing of `source` for a media and the days from `start` to `end`, both included.

        Snapshots have no days and account-wide sources no media: they ignore these arguments. Sessions of all media
        are listed for `ACCOUNT`. `rows`: how many records there were last time, 0 if unknown. A deleted media gives
        an empty listing marked `missing`. Raises SourceUnavailable (run again later), SourceRefused (the token),
        SourceChanged (the payload), SourceMissing (the account has no such dataset, or, as SourceNotInPlan, its plan
        does not include an optional one) and ConfigError.
        """
        target = endpoint(source, self.connection)
        if start > end:
            raise ConfigError(f"{source.name}: the days {start}..{end} are reversed")
        request = self._request(source, target, media_id, start, end)
        absent: SourceMissing
        try:
            async with self._slot():
                records, walk = await self._read(source, target, request, rows)
        except SourceUnavailable:
            self._unavailable.add(source.name)
            raise
        except SourceRefused as e:
            if not (source.optional and e.status == NOT_IN_PLAN):
                raise
            absent = SourceNotInPlan(f"{source.name}: not in your plan. {e}")
        except SourceMissing as e:
            if target.missing_means == "media":
                return self._listing(request, [], {"pages": 0, "terminal": "missing"}, missing=True)
            absent = SourceMissing(f"{source.name}: dataset unavailable. {e}")
        else:
            self._unavailable.discard(source.name)
            return self._listing(request, records, walk)
        raise absent

    async def describe(self, source: Source, media_ids: Sequence[str]) -> Listing:
        """The metadata of those of some media that the account's list has, in one request for each page. `source` is
        the contract of metadata. One that is missing may be archived or gone: `fetch` tells."""
        params: Params = {"hashed_ids[]": [segment(media_id, "media id") for media_id in media_ids]}
        request = Request(MEDIA_LIST, self._paged(params), logger(dataset=source.name))

        def of_named(pages: Sequence[Page]) -> list[Record]:
            return [row for page in pages for row in page if row.get("hashed_id") in media_ids]

        def are_all(pages: Sequence[Page]) -> bool:
            return len(of_named(pages)) >= len(set(media_ids))

        async with self._slot():
            pages = await self._pager(request, source, suffice=are_all).read_all()
        terminal = "all named" if are_all(pages) else "short page" if pages[-1] else "empty page"
        walk = Proof(len(pages), len(pages[-1]), terminal).as_dict()
        return self._listing(request, of_named(pages), walk)

    async def list_media(self, folder: str | None = None, tag: str | None = None) -> list[Record]:
        """The account's media, by ascending id; those of a folder (its name or hashed id), or with a tag, if
        asked.

        Reads by cursor, which no insertion disturbs, and by page where Wistia serves no cursor.
        ConfigError if there is no such folder, or more than one.
        """
        folder_id = None if folder is None else await self._folder_id(folder)
        params = media_list_params(self.connection, folder_id, tag)
        request = Request(MEDIA_LIST, self._paged(params), logger(dataset="media_list"), by_hand=True)
        try:
            return _with_ids(await self._by_cursor(request))
        except SourceMissing as e:
            problem = str(e)
        raise ConfigError(f"{problem}: check the folder id, {folder!r}" if folder else problem)

    async def account_days(self, start: date, end: date) -> list[Record]:
        """The loads and plays of the whole account by day, in a single attempt. Whatever is wrong there pauses nobody
        else: not every account has it."""
        days = day_range("", start, end)
        request = Request(ACCOUNT_DAYS, days, logger(dataset="account"), separate=True, attempts=1)
        response = await self._sender.get(request)
        return responses.records(response.body, request.path)

    async def _folder_id(self, name_or_id: str) -> str:
        """The hashed id of a folder. Where the API lists no folders, the argument must be an id."""
        request = Request(
            folder_list(self.connection), self._paged({}), logger(dataset="folder_list"), by_hand=True
        )
        try:
            return find_folder(await self._by_cursor(request), name_or_id)
        except SourceMissing:
            return name_or_id

    async def page(self, path: str, params: Params | None = None) -> Response:
        """One response from any path below the base, such as /stats/events. SourceMissing for a 404."""
        separate = checked_path(path).startswith(SEPARATE_SERVICE)
        request = Request(path, params or {}, logger(dataset="explore"), by_hand=True, separate=separate)
        return await self._sender.get(request)

    async def probe(self) -> Probe:
        """One cheap request for each permission that the token needs; raises as `page` does, after fewer retries."""
        yesterday = (self._wall().date() - timedelta(days=1)).isoformat()
        media = await self._probe(MEDIA_LIST, {"per_page": "1"})
        stats = await self._probe(EVENTS, {"start_date": yesterday, "end_date": yesterday, "per_page": "1"})
        connection = self.connection
        slower = max(media.seconds, stats.seconds)
        return Probe(connection.host, connection.api_version, slower)

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """Limits the listings in memory, and counts them: each is entitled to one request."""
        async with self._listings:
            self._active_listings += 1
            try:
                yield
            finally:
                self._active_listings -= 1

    def _spare_requests(self) -> int:
        """How many pages may be requested ahead: the slots that neither requests nor other listings need."""
        return max(0, min(self._sender.spare, self.connection.max_concurrency - self._active_listings))

    async def _probe(self, path: str, params: Params) -> Response:
        request = Request(path, params, logger(dataset="probe"), attempts=PROBE_ATTEMPTS)
        response = await self._sender.get(request)
        responses.records(response.body, path)
        return response

    def _paged(self, params: Params) -> Params:
        """Always with a page size: a short page ends a list only if the size is known."""
        return {**params, "per_page": str(self.connection.per_page)}

    def _request(self, source: Source, target: Endpoint, media_id: str, start: date, end: date) -> Request:
        where = path(source, media_id)
        params = target.params(media_id, start, end)
        day = start.isoformat() if start == end else f"{start}..{end}"
        return Request(
            where,
            self._paged(params) if target.shape is Shape.PAGES else params,
            logger(dataset=source.name, media_id=media_id, day=day),
            separate=source.optional,
            # Each listing of a service that is down would retry for minutes: later ones are given up sooner.
            attempts=_attempts(source) if source.name in self._unavailable else ATTEMPTS,
        )

    async def _read(
        self, source: Source, target: Endpoint, request: Request, rows: int
    ) -> tuple[list[Record], Mapping[str, Any]]:
        if target.shape is Shape.PAGES:
            order = Order(source.key, target.sorted_by, target.reorders)
            records, proof = await read_consistently(self._pager(request, source, rows), order)
            return records, proof.as_dict()
        if target.shape is Shape.CURSOR:
            return await self._to_the_end(source, request)
        if target.group_by:
            return await self._by_dimension(source, request)
        response = await self._sender.get(request)
        one = target.shape is Shape.OBJECT
        records = (
            [responses.record(response.body, request.path)]
            if one
            else responses.unfolded(source, responses.records(response.body, request.path), request.path)
        )
        responses.check_fields(source, records, request.path)
        return records, Proof(1, len(records), "single").as_dict()

    async def _to_the_end(self, source: Source, request: Request) -> tuple[list[Record], Mapping[str, Any]]:
        """A list whose pages name the next one. SourceChanged if it does not end."""
        collected: list[Record] = []
        cursors: set[str] = set()
        more: dict[str, str] = {}
        while True:
            response = await self._sender.get(request, **more)
            page, cursor = responses.page_and_cursor(response.body, request.path)
            responses.check_fields(source, page, request.path)
            collected += page
            if cursor is None:
                return collected, Proof(len(cursors) + 1, len(page), "last page").as_dict()
            if cursor in cursors or len(cursors) >= MAX_PAGES:
                raise SourceChanged(f"{request.path}: the cursor does not advance: the list never ends")
            cursors.add(cursor)
            more = {"cursor": cursor}

    async def _by_dimension(self, source: Source, request: Request) -> tuple[list[Record], Mapping[str, Any]]:
        """One list for each of the source's dimensions; each record says which one it is about."""
        collected: list[Record] = []
        for dimension in by_dimension(source):
            response = await self._sender.get(request, **dimension)
            collected += [{**dimension, **row} for row in responses.records(response.body, request.path)]
        responses.check_fields(source, collected, request.path)
        return collected, Proof(len(source.dimensions), len(collected), "single").as_dict()

    def _pager(
        self,
        request: Request,
        source: Source | None = None,
        rows: int = 0,
        suffice: Callable[[Sequence[Page]], bool] = lambda _pages: False,
    ) -> Pager:
        sizes = self._page_sizes.setdefault(request.path, PageSizes())

        async def read(number: int) -> list[Record]:
            response = await self._sender.get(request, page=str(number))
            rows = responses.records(response.body, f"{request.path} page {number}")
            if source is not None:
                responses.check_fields(source, rows, f"{request.path} page {number}")
            return rows

        return Pager(read, request.path, self.connection.per_page, self._spare_requests, sizes, rows, suffice)

    async def _by_cursor(self, request: Request) -> list[Record]:
        rows: list[Record] = []
        position = first = {"sort_by": "id", "cursor[enabled]": "1"}
        while True:
            response = await self._sender.get(request, **position)
            page = responses.records(response.body, request.path)
            rows += page
            if not page:
                return rows
            if len(rows) > MAX_PAGES * MAX_PER_PAGE:
                raise SourceChanged(f"{request.path}: more than {len(rows)} entries: the list never ends")
            cursor = page[-1].get("cursor")
            if not isinstance(cursor, str | int):
                return [row for page in await self._pager(request).read_all() for row in page]
            following = first | {"cursor[after]": str(cursor)}
            if following == position:
                raise SourceChanged(f"{request.path}: the cursor does not advance: the list never ends")
            position = following

    def _listing(
        self, request: Request, records: list[Record], walk: Mapping[str, Any], *, missing: bool = False
    ) -> Listing:
        return Listing(
            records=records,
            pages=int(walk["pages"]),
            requests=request.stats.requests,
            request={"path": request.path, "params": dict(request.params)},
            api={"base": self.connection.base_url, "version": self.connection.api_version},
            walk=walk,
            missing=missing,
        )


def _attempts(source: Source) -> int:
    """How often a dataset is requested whose last listing failed after every retry."""
    return 1 if source.optional else PROBE_ATTEMPTS


def _with_ids(media: list[Record]) -> list[Record]:
    """The media, whose ids become parts of paths and keys. SourceChanged if an id can't."""
    odd = [number for number, m in enumerate(media, 1) if not is_segment(m.get("hashed_id"))]
    if odd:
        raise SourceChanged(
            f"{MEDIA_LIST}: entry {odd[0]} has no usable hashed_id: letters, digits, - and _ only"
        )
    return media
