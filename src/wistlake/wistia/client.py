"""The client: complete listings of Wistia's datasets, and single pages for those who explore."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx2

from wistlake.contracts.form import Source
from wistlake.errors import ConfigError, SourceChanged, SourceMissing, SourceUnavailable
from wistlake.wistia import responses as answers
from wistlake.wistia.connection import MOST_PER_PAGE, Connection
from wistlake.wistia.endpoints import (
    MEDIA_LIST,
    Endpoint,
    Params,
    Shape,
    endpoint,
    folder_list,
    free_path,
    is_segment,
    media_list_params,
    path,
    stands_apart,
)
from wistlake.wistia.folders import folder_id
from wistlake.wistia.pagination import MOST_PAGES, Order, Proof, Sizes, Walker, steady_walk
from wistlake.wistia.requests import ATTEMPTS, Ask, Monotonic, Sender, Sleep, Stats, Wall, logger, utc_now
from wistlake.wistia.responses import Answer, Record

if TYPE_CHECKING:
    from wistlake.ports import Budget

PROBE_ATTEMPTS = 3  # somebody sits in front of the screen


@dataclass(frozen=True, slots=True)
class Listing:
    """One complete listing. `missing`: Wistia answers 404, there is no such media.

    `request` is path and params without paging, `api` is base and version, `walk` proves that the listing
    is complete and stood still; all three go into the manifest, none of them knows the token.
    `requests` counts every attempt that the listing took.
    """

    records: list[Record] = field(repr=False)
    pages: int
    requests: int
    request: Mapping[str, Any]
    api: Mapping[str, Any]
    walk: Mapping[str, Any] = field(default_factory=dict)
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One answer as served: `body` is a list or an object; seconds on the wire, bytes when decompressed."""

    body: Any = field(repr=False)
    status: int
    seconds: float
    bytes: int

    @property
    def records(self) -> list[Record]:
        """The objects in the answer: those of the list, or the one that it is."""
        return [r for r in (self.body if isinstance(self.body, list) else [self.body]) if isinstance(r, dict)]


@dataclass(frozen=True, slots=True)
class Probe:
    """What a token may do, as far as one request each can tell. `seconds` is the slower of the two."""

    host: str
    version: str | None
    has_media: bool
    seconds: float


class WistiaClient:
    """An account's Wistia, from inside `async with`. Many fetches may run at once: `max_concurrency` of
    them are worked on, and as many requests are under way, each after its turn in `budget`.

    Time comes in through `sleep`, `monotonic` (seconds) and `wall` (an aware datetime, only for
    Retry-After headers that hold a date); the network through `transport`.
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
        self._working = asyncio.Semaphore(connection.max_concurrency)
        self._workers = 0
        self._sizes: dict[str, Sizes] = {}
        self._down: set[str] = set()  # optional datasets whose last listing was asked for in vain

    async def __aenter__(self) -> Self:
        await self._sender.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sender.__aexit__(kind, error, trace)

    @property
    def stats(self) -> Stats:
        """What this client has asked so far."""
        return self._sender.stats

    async def fetch(self, source: Source, media_id: str, start: date, end: date) -> Listing:
        """The complete listing of `source` for a media and the days from `start` to `end`, both included.

        Snapshots have no days, account-wide sources no media: they leave the arguments aside. A media
        that is gone gives an empty listing marked `missing`. Raises SourceUnavailable (run again later),
        SourceRefused (the token), SourceChanged (the payload), SourceMissing (the account has no such
        dataset) and ConfigError.
        """
        how = endpoint(source, self.connection)
        if start > end:
            raise ConfigError(f"{source.name}: the days {start}..{end} are reversed")
        ask = self._ask(source, how, media_id, start, end)
        try:
            async with self._seat():
                records, walk = await self._list(source, how, ask)
        except SourceUnavailable:
            if source.optional:
                self._down.add(source.name)
            raise
        except SourceMissing as e:
            if how.absent == "media":
                return self._listing(ask, [], {"pages": 0, "terminal": "missing"}, missing=True)
            gone = f"{source.name}: dataset unavailable. {e}"
        else:
            self._down.discard(source.name)
            return self._listing(ask, records, walk)
        raise SourceMissing(gone)

    async def list_media(self, folder: str | None = None, tag: str | None = None) -> list[Record]:
        """The account's media, by ascending id; those of a folder (its name or hashed id), or with a tag, if
        asked.

        Walks by cursor, which no insertion can disturb, and by page where Wistia serves none.
        ConfigError if there is no such folder, or more than one.
        """
        chosen = None if folder is None else await self._folder(folder)
        params = media_list_params(self.connection, chosen, tag)
        ask = Ask(MEDIA_LIST, self._paged(params), logger(dataset="media_list"), by_hand=True)
        try:
            return _with_ids(await self._by_cursor(ask))
        except SourceMissing as e:
            problem = str(e)
        raise ConfigError(f"{problem}: check the folder id, {folder!r}" if folder else problem)

    async def _folder(self, asked: str) -> str:
        """The hashed id of a folder. Where the API lists no folders, what was asked for must be one."""
        ask = Ask(folder_list(self.connection), self._paged({}), logger(dataset="folder_list"), by_hand=True)
        try:
            return folder_id(await self._by_cursor(ask), asked)
        except SourceMissing:
            return asked

    async def page(self, path: str, params: Params | None = None) -> Page:
        """One answer from any path below the base, such as /stats/events. SourceMissing for a 404."""
        apart = stands_apart(free_path(path))
        ask = Ask(path, params or {}, logger(dataset="explore"), by_hand=True, apart=apart)
        answer = await self._sender.get(ask)
        return Page(answer.body, answer.status, answer.seconds, answer.bytes)

    async def probe(self) -> Probe:
        """One cheap request for each permission that the token needs; raises what `page` raises, sooner."""
        yesterday = (self._wall().date() - timedelta(days=1)).isoformat()
        media = await self._probe(MEDIA_LIST, {"per_page": "1"})
        stats = await self._probe(
            "/stats/events", {"start_date": yesterday, "end_date": yesterday, "per_page": "1"}
        )
        connection = self.connection
        slower = max(media.seconds, stats.seconds)
        return Probe(connection.host, connection.api_version, bool(media.body), slower)

    @asynccontextmanager
    async def _seat(self) -> AsyncIterator[None]:
        """Bounds the listings in memory, and counts those that are entitled to a request."""
        async with self._working:
            self._workers += 1
            try:
                yield
            finally:
                self._workers -= 1

    def _idle(self) -> int:
        """How many pages may be asked for ahead of need: what neither requests nor other listings need."""
        return max(0, min(self._sender.idle, self.connection.max_concurrency - self._workers))

    async def _probe(self, path: str, params: Params) -> Answer:
        ask = Ask(path, params, logger(dataset="probe"), attempts=PROBE_ATTEMPTS)
        answer = await self._sender.get(ask)
        answers.records(answer.body, path)
        return answer

    def _paged(self, params: Params) -> dict[str, str]:
        """Always with a page size: a short page ends a list only because we know how long pages are."""
        return {**params, "per_page": str(self.connection.per_page)}

    def _ask(self, source: Source, how: Endpoint, media_id: str, start: date, end: date) -> Ask:
        where = path(source, media_id)
        params = how.params(media_id, start, end)
        day = start.isoformat() if start == end else f"{start}..{end}"
        return Ask(
            where,
            self._paged(params) if how.shape is Shape.PAGES else params,
            logger(dataset=source.name, media_id=media_id, day=day),
            apart=source.optional,
            # Every listing of a service that is down would wait for minutes: the next ones only look.
            attempts=1 if source.name in self._down else ATTEMPTS,
        )

    async def _list(self, source: Source, how: Endpoint, ask: Ask) -> tuple[list[Record], Mapping[str, Any]]:
        if how.shape is Shape.PAGES:
            order = Order(source.key, how.newest_first, how.jumpy)
            records, proof = await steady_walk(self._walker(ask, source), order)
            return records, proof.as_dict()
        answer = await self._sender.get(ask)
        one = how.shape is Shape.OBJECT
        records = [answers.record(answer.body, ask.path)] if one else answers.records(answer.body, ask.path)
        answers.check_fields(source, records, ask.path)
        return records, Proof(1, len(records), "single").as_dict()

    def _walker(self, ask: Ask, source: Source | None = None) -> Walker:
        sizes = self._sizes.setdefault(ask.path, Sizes())

        async def read(number: int) -> list[Record]:
            answer = await self._sender.get(ask, page=str(number))
            rows = answers.records(answer.body, f"{ask.path} page {number}")
            if source is not None:
                answers.check_fields(source, rows, f"{ask.path} page {number}")
            return rows

        return Walker(read, ask.path, self.connection.per_page, self._idle, sizes)

    async def _by_cursor(self, ask: Ask) -> list[Record]:
        rows: list[Record] = []
        place = first = {"sort_by": "id", "cursor[enabled]": "1"}
        while True:
            answer = await self._sender.get(ask, **place)
            page = answers.records(answer.body, ask.path)
            rows += page
            if not page:
                return rows
            if len(rows) > MOST_PAGES * MOST_PER_PAGE:
                raise SourceChanged(f"{ask.path}: more than {len(rows)} entries: the list never ends")
            cursor = page[-1].get("cursor")
            if not isinstance(cursor, str | int):
                return [row for walked in await self._walker(ask).walk() for row in walked]
            following = first | {"cursor[after]": str(cursor)}
            if following == place:
                raise SourceChanged(f"{ask.path}: the cursor does not advance: the list never ends")
            place = following

    def _listing(
        self, ask: Ask, records: list[Record], walk: Mapping[str, Any], *, missing: bool = False
    ) -> Listing:
        return Listing(
            records=records,
            pages=int(walk["pages"]),
            requests=ask.stats.requests,
            request={"path": ask.path, "params": dict(ask.params)},
            api={"base": self.connection.base_url, "version": self.connection.api_version},
            walk=walk,
            missing=missing,
        )


def _with_ids(media: list[Record]) -> list[Record]:
    """The media, whose ids become parts of paths and keys. SourceChanged if one can't."""
    odd = [number for number, m in enumerate(media, 1) if not is_segment(m.get("hashed_id"))]
    if odd:
        raise SourceChanged(
            f"{MEDIA_LIST}: entry {odd[0]} has no usable hashed_id: letters, digits, - and _ only"
        )
    return media
