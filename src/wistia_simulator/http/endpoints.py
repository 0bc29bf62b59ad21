"""One function for each endpoint, from the request to its response."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast, get_args

from starlette.datastructures import QueryParams
from starlette.responses import Response

from wistia_simulator.analytics import GROUPS
from wistia_simulator.backend import Backend, EventQuery, Granularity, VisitorQuery
from wistia_simulator.clock import YEARS
from wistia_simulator.http import responses
from wistia_simulator.http.lists import CursorError, list_folders, list_medias
from wistia_simulator.http.paging import PageRequest
from wistia_simulator.http.routes import Match
from wistia_simulator.payloads import Payload
from wistia_simulator.versions import Api

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[T ].+", re.ASCII)
_LONGEST_ANALYTICS_DAYS = 731
_MEDIAS_OF_A_PROJECT = 500
_GRANULARITIES = f"granularity must be {', '.join(get_args(Granularity))}"
_CURSOR = re.compile(r"c\d{1,9}", re.ASCII)
_DIMENSIONS = {"languages": "language", "embed_locations": "embed_url"}

Cut = Callable[[list[Payload], QueryParams, PageRequest], list[Payload]]


@dataclass(frozen=True)
class Call:
    """A request that passed authentication and limits."""

    match: Match
    api: Api
    query: QueryParams
    page: PageRequest


class _NothingError(Exception):
    """A date that matches no row."""


class _UnreadableError(Exception):
    """A date that can't be understood."""


def answer(call: Call, backend: Backend) -> Response:
    """The response of the real endpoint; unknown parameters are ignored."""
    try:
        return _HANDLERS[call.match.name](call, backend)
    except _UnreadableError as error:
        return responses.invalid(str(error))


def _stats(body: object | None) -> Response:
    return responses.missing_stats() if body is None else responses.json_response(body)


def _day(query: QueryParams, name: str) -> date | None:
    """A date parameter; None if it is absent or empty."""
    text = query.get(name, "").strip()
    if not text:
        return None
    if _TIMESTAMP.fullmatch(text):
        raise _NothingError
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else _refuse(name)
    except ValueError:
        return _refuse(name)


def _figures_day(query: QueryParams, name: str) -> date | None:
    """A date parameter of daily figures; a timestamp is refused."""
    try:
        day = _day(query, name)
    except _NothingError:
        return _refuse(name)
    if day is not None and day.year not in YEARS:
        raise _UnreadableError(f"{name} must lie between {YEARS[0]} and {YEARS[-1]}")
    return day


def _refuse(name: str) -> date:
    raise _UnreadableError(f"{name} must be formatted YYYY-MM-DD")


def _events(call: Call, backend: Backend) -> Response:
    try:
        query = EventQuery(
            media_id=call.query.get("media_id") or None,
            visitor_key=call.query.get("visitor_key") or None,
            first=_day(call.query, "start_date"),
            last=_day(call.query, "end_date"),
        )
    except _NothingError:
        # Observed: a timestamp in place of a date isn't an error, but matches nothing.
        return responses.json_response([])
    rows = backend.events(query, call.api)
    return _stats(None if rows is None else call.page.cut(rows))


def _visitors(call: Call, backend: Backend) -> Response:
    query = VisitorQuery(call.query.get("search") or None, call.query.get("filter") or None)
    rows = backend.visitors(query)
    return _stats(None if rows is None else call.page.cut(rows))


def _by_date(call: Call, backend: Backend) -> Response:
    first, last = _figures_day(call.query, "start_date"), _figures_day(call.query, "end_date")
    return _stats(backend.by_date(call.match.argument, first, last))


def _account_by_date(call: Call, backend: Backend) -> Response:
    first, last = _figures_day(call.query, "start_date"), _figures_day(call.query, "end_date")
    if first is None or last is None:
        # The documentation promises yesterday and today; a client in use reports this error.
        return responses.json_response({"error": "Internal server error"}, 500)
    return _stats(backend.account_by_date(first, last))


def _media_body(call: Call, body: Payload | None) -> Response:
    """The body, or a 404 with the message of the media and folder endpoints."""
    if body is None:
        return responses.missing_media(call.match.base, call.match.argument)
    return responses.json_response(body)


def _list(call: Call, rows: list[Payload] | None, cut: Cut) -> Response:
    if rows is None:
        return responses.missing_stats()
    try:
        return responses.json_response(cut(rows, call.query, call.page))
    except CursorError as error:
        return responses.bad_request(str(error))


def _folder(call: Call, backend: Backend) -> Response:
    """A folder; v1 lists its medias in it, 500 a page."""
    body = backend.folder(call.match.argument, call.api)
    if body is not None and call.match.base == "v1":
        start = (call.page.number - 1) * _MEDIAS_OF_A_PROJECT
        medias = cast("list[Payload]", body["medias"])
        body = body | {"medias": medias[start : start + _MEDIAS_OF_A_PROJECT]}
    return _media_body(call, body)


def _analytics_days(call: Call) -> tuple[date, date] | Response:
    """The range that an analytics endpoint is asked for, its end excluded; else why it is refused."""
    if not call.api.at_least("2026-03"):
        return responses.missing_stats()
    try:
        first, end = _figures_day(call.query, "start_date"), _figures_day(call.query, "end_date")
    except _UnreadableError:
        first = end = None
    if first is None or end is None:
        return responses.bad_request("start_date and end_date are required, formatted YYYY-MM-DD")
    if (end - first).days > _LONGEST_ANALYTICS_DAYS:
        return responses.bad_request("the date range must not exceed 2 years")
    return first, end


def _analytics(call: Call, backend: Backend) -> Response:
    days = _analytics_days(call)
    if isinstance(days, Response):
        return days
    granularity = _granularity(call)
    if granularity is None:
        return responses.bad_request(_GRANULARITIES)
    return _stats(backend.analytics(call.match.argument, *days, granularity))


def _granularity(call: Call) -> Granularity | None:
    text = call.query.get("granularity", "")
    return cast("Granularity", text) if text in get_args(Granularity) else None


def _analytics_total(call: Call, backend: Backend) -> Response:
    days = _analytics_days(call)
    return days if isinstance(days, Response) else _stats(backend.analytics_total(call.match.argument, *days))


def _breakdown(call: Call, backend: Backend) -> Response:
    """Traffic, languages and pages: the first rows of a list without pages, most plays first."""
    days = _analytics_days(call)
    if isinstance(days, Response):
        return days
    dimension = _DIMENSIONS.get(call.match.name) or call.query.get("group_by", "")
    if call.match.name == "traffic" and dimension not in GROUPS:
        return responses.bad_request(f"group_by must be one of {', '.join(GROUPS)}")
    if call.match.name == "embed_locations" and (refused := _forgotten(days[0], backend)):
        return refused
    rows = backend.breakdown(call.match.argument, *days, dimension)
    return _stats(rows and rows[: call.page.size])


def _forgotten(first: date, backend: Backend) -> Response | None:
    """Why pages of so old a day are refused."""
    oldest = backend.now().date() - timedelta(days=backend.embed_pages_kept_days())
    return responses.invalid(f"start_date must not lie before {oldest}") if first < oldest else None


def _embed_timeseries(call: Call, backend: Backend) -> Response:
    """Pages of each day, week or month: those with most plays, and the others in one row."""
    days = _analytics_days(call)
    if isinstance(days, Response):
        return days
    granularity = _granularity(call)
    if granularity is None:
        return responses.bad_request(_GRANULARITIES)
    if refused := _forgotten(days[0], backend):
        return refused
    return _stats(backend.embed_pages(call.match.argument, *days, granularity, call.page.size))


def _conversions(call: Call, backend: Backend) -> Response:
    """Forms that were sent, by cursor."""
    days = _analytics_days(call)
    if isinstance(days, Response):
        return days
    rows = backend.leads(call.match.argument, *days)
    if rows is None:
        return responses.missing_stats()
    cursor = call.query.get("cursor", "")
    if cursor and not (_CURSOR.fullmatch(cursor) and int(cursor[1:]) <= len(rows)):
        return responses.bad_request("the cursor is not valid")
    start = int(cursor[1:]) if cursor else 0
    stop = min(start + call.page.size, len(rows))
    info = {
        "has_next_page": stop < len(rows),
        "has_previous_page": start > 0,
        "end_cursor": f"c{stop}" if rows[start:stop] else None,
        "start_cursor": f"c{start}" if rows[start:stop] else None,
    }
    return responses.json_response({"data": rows[start:stop], "page_info": info})


_HANDLERS: Mapping[str, Callable[[Call, Backend], Response]] = {
    "events": _events,
    "event": lambda call, backend: _stats(backend.event(call.match.argument, call.api)),
    "visitors": _visitors,
    "visitor": lambda call, backend: _stats(backend.visitor(call.match.argument)),
    "by_date": _by_date,
    "media_stats": lambda call, backend: _stats(backend.media_stats(call.match.argument, call.api)),
    "engagement": lambda call, backend: _stats(backend.engagement(call.match.argument)),
    "medias": lambda call, backend: _list(call, backend.medias(call.api), list_medias),
    "media": lambda call, backend: _media_body(call, backend.media(call.match.argument, call.api)),
    "media_aggregate": lambda call, backend: _media_body(call, backend.media_aggregate(call.match.argument)),
    "account": lambda _call, backend: _stats(backend.account()),
    "account_by_date": _account_by_date,
    "project_stats": lambda call, backend: _stats(backend.project_stats(call.match.argument)),
    "folders": lambda call, backend: _list(call, backend.folders(call.api), list_folders),
    "folder": _folder,
    "analytics": _analytics,
    "analytics_total": _analytics_total,
    "traffic": _breakdown,
    "languages": _breakdown,
    "embed_locations": _breakdown,
    "embed_timeseries": _embed_timeseries,
    "conversions": _conversions,
}
