"""From a recognised request to its body."""

import re
from dataclasses import dataclass
from datetime import date
from typing import cast, get_args

from starlette.datastructures import QueryParams
from starlette.responses import Response

from wistia_simulator.backend import Backend, EventQuery, Granularity, VisitorQuery
from wistia_simulator.http import responses
from wistia_simulator.http.medias import CursorError, list_medias
from wistia_simulator.http.paging import PageRequest
from wistia_simulator.http.routes import Match
from wistia_simulator.payloads import Payload
from wistia_simulator.versions import Api

__all__ = ["Call", "answer"]

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}[T ].+")
_LONGEST_ANALYTICS_DAYS = 731


@dataclass(frozen=True)
class Call:
    """A request that is allowed to be answered."""

    match: Match
    api: Api
    query: QueryParams
    page: PageRequest


class _NothingError(Exception):
    """A date that matches no row."""


class _UnreadableError(Exception):
    """A date that can't be understood."""


def answer(call: Call, backend: Backend) -> Response:
    """The response of the real endpoint; parameters it doesn't know are ignored."""
    return _ANSWERS[call.match.name](call, backend)


def _stats(body: object | None) -> Response:
    return responses.empty_not_found() if body is None else responses.json_response(body)


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
    except _UnreadableError as error:
        return responses.invalid(str(error))
    except _NothingError:
        # Observed: a timestamp in place of a date is no error but matches nothing.
        return responses.json_response([])
    rows = backend.events(query, call.api)
    return _stats(None if rows is None else call.page.cut(rows))


def _event(call: Call, backend: Backend) -> Response:
    return _stats(backend.event(call.match.argument, call.api))


def _visitors(call: Call, backend: Backend) -> Response:
    query = VisitorQuery(call.query.get("search") or None, call.query.get("filter") or None)
    rows = backend.visitors(query)
    return _stats(None if rows is None else call.page.cut(rows))


def _visitor(call: Call, backend: Backend) -> Response:
    return _stats(backend.visitor(call.match.argument))


def _by_date(call: Call, backend: Backend) -> Response:
    try:
        first, last = _day(call.query, "start_date"), _day(call.query, "end_date")
    except (_UnreadableError, _NothingError):
        return responses.invalid("start_date and end_date must be formatted YYYY-MM-DD")
    return _stats(backend.by_date(call.match.argument, first, last))


def _media_stats(call: Call, backend: Backend) -> Response:
    return _stats(backend.media_stats(call.match.argument, call.api))


def _engagement(call: Call, backend: Backend) -> Response:
    return _stats(backend.engagement(call.match.argument))


def _media_body(call: Call, body: Payload | None) -> Response:
    if body is None:
        return responses.media_not_found(call.match.base, call.match.argument)
    return responses.json_response(body)


def _medias(call: Call, backend: Backend) -> Response:
    rows = backend.medias(call.api)
    if rows is None:
        return responses.empty_not_found()
    try:
        return responses.json_response(list_medias(rows, call.query, call.page))
    except CursorError as error:
        return responses.bad_request(str(error))


def _media(call: Call, backend: Backend) -> Response:
    return _media_body(call, backend.media(call.match.argument, call.api))


def _media_aggregate(call: Call, backend: Backend) -> Response:
    return _media_body(call, backend.media_aggregate(call.match.argument))


def _analytics(call: Call, backend: Backend) -> Response:
    if not call.api.at_least("2026-03"):
        return responses.empty_not_found()
    granularity = call.query.get("granularity", "")
    try:
        first, end = _day(call.query, "start_date"), _day(call.query, "end_date")
    except (_UnreadableError, _NothingError):
        first = end = None
    if first is None or end is None:
        return responses.bad_request("start_date and end_date are required, formatted YYYY-MM-DD")
    if granularity not in get_args(Granularity):
        return responses.bad_request("granularity must be daily, weekly or monthly")
    if (end - first).days > _LONGEST_ANALYTICS_DAYS:
        return responses.bad_request("the date range must not exceed 2 years")
    return _stats(backend.analytics(call.match.argument, first, end, cast("Granularity", granularity)))


_ANSWERS = {
    "events": _events,
    "event": _event,
    "visitors": _visitors,
    "visitor": _visitor,
    "by_date": _by_date,
    "media_stats": _media_stats,
    "engagement": _engagement,
    "medias": _medias,
    "media": _media,
    "media_aggregate": _media_aggregate,
    "analytics": _analytics,
}
