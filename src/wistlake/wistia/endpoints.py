"""How each dataset is requested, as data: the path is in the contract, everything else is here."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum, auto

from wistlake.contracts import source
from wistlake.contracts.form import ACCOUNT, Source
from wistlake.errors import ConfigError
from wistlake.wistia.connection import Connection

STATS = "Read detailed stats"
MEDIA = "Read all folder and media data"
MEDIA_LIST = "/medias"
ACCOUNT_DAYS = "/stats/account/by_date"  # without both days it answers 500
SEPARATE_SERVICE = "/analytics"  # it may be down while the rest is up
FOLDER_LISTS = ("/folders", "/projects")  # of the dated API and of the frozen one
EVENTS, VISITORS = source("events").endpoint, source("visitors").endpoint
_SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PATH = re.compile(r"(/[A-Za-z0-9_-]+(\.json)?)+")

Params = Mapping[str, str | list[str]]
ParamsBuilder = Callable[[str, date, date], dict[str, str]]


class Shape(Enum):
    """What one response holds."""

    PAGES = auto()  # one page of a list
    LIST = auto()  # the whole list
    OBJECT = auto()  # one record
    CURSOR = auto()  # one page of a list, and the cursor of the next one


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a dataset is requested. `params` takes media id, first and last day (both included).

    Pages are sorted by the field `sorted_by`, newest first. A list that `reorders` moves a record to the front
    when something happens to it. `missing_means` names what a 404 says is missing.
    """

    shape: Shape
    params: ParamsBuilder = lambda *_: {}
    sorted_by: str = ""
    reorders: bool = False
    missing_means: str = "media"  # or "dataset"
    dated_only: bool = False
    group_by: str = ""  # the parameter that names one of the source's dimensions


def day_range(_media_id: str, start: date, end: date) -> dict[str, str]:
    """The parameters of a range of days, both included."""
    return {"start_date": start.isoformat(), "end_date": end.isoformat()}


def _sessions(media_id: str, start: date, end: date) -> dict[str, str]:
    of_media = {} if media_id == ACCOUNT else {"media_id": media_id}
    return of_media | day_range(media_id, start, end)


def _daily_until_day_after(media_id: str, start: date, end: date) -> dict[str, str]:
    return day_range(media_id, start, end + timedelta(days=1)) | {"granularity": "daily"}


def _until_day_after(media_id: str, start: date, end: date) -> dict[str, str]:
    return day_range(media_id, start, end + timedelta(days=1)) | {"per_page": "100"}


def _daily_breakdown(media_id: str, start: date, end: date) -> dict[str, str]:
    return _daily_until_day_after(media_id, start, end) | {"per_page": "100"}


_BREAKDOWN = Endpoint(Shape.LIST, _until_day_after, missing_means="dataset", dated_only=True)
ENDPOINTS: Mapping[str, Endpoint] = {
    "media_metadata": Endpoint(Shape.OBJECT),
    "media_stats": Endpoint(Shape.OBJECT),
    "media_engagement": Endpoint(Shape.OBJECT),
    "media_by_date": Endpoint(Shape.LIST, day_range),
    "events": Endpoint(Shape.PAGES, _sessions, sorted_by="received_at"),
    "analytics_daily": Endpoint(Shape.LIST, _daily_until_day_after, missing_means="dataset", dated_only=True),
    "traffic_daily": replace(_BREAKDOWN, group_by="group_by"),
    "languages_daily": _BREAKDOWN,
    "embed_locations_daily": replace(_BREAKDOWN, params=_daily_breakdown),
    "conversions": replace(_BREAKDOWN, shape=Shape.CURSOR),
    "visitors": Endpoint(Shape.PAGES, sorted_by="last_active_at", reorders=True, missing_means="dataset"),
}


def endpoint(source: Source, connection: Connection) -> Endpoint:
    """How `source` is requested. ConfigError if this API has no such dataset."""
    declared = ENDPOINTS.get(source.name)
    if declared is None:
        raise ConfigError(f"{source.name} is not a dataset of Wistia: choose from {', '.join(ENDPOINTS)}")
    if declared.dated_only and not connection.is_modern:
        raise ConfigError(
            f"{source.name} exists on the dated API only: drop it from WISTLAKE_DATASETS, "
            "or use a WISTIA_BASE_URL that ends in /modern"
        )
    return declared


def by_dimension(source: Source) -> tuple[dict[str, str], ...]:
    """What tells the requests of one listing apart: the parameter that names each of the source's dimensions. Nothing
    where one request is the whole listing."""
    parameter = ENDPOINTS[source.name].group_by
    return tuple({parameter: dimension} for dimension in source.dimensions) if parameter else ({},)


def path(source: Source, media_id: str) -> str:
    """The source's path with the media id in it. ConfigError for what can't be an id."""
    if source.account_wide:
        return source.endpoint
    return source.endpoint.format(media_id=segment(media_id, "media id"))


def is_segment(text: object) -> bool:
    """Whether it is safe in a path or as an id: letters, digits, - and _."""
    return isinstance(text, str) and bool(_SEGMENT.fullmatch(text))


def segment(text: str, what: str) -> str:
    """`text` if `is_segment`; ConfigError otherwise."""
    if not is_segment(text):
        raise ConfigError(f"{text[:40]!r} is no {what}: letters, digits, - and _ only")
    return text


def checked_path(text: str) -> str:
    """A path given by hand, such as /stats/events. ConfigError if it could leave the API's base."""
    if not _PATH.fullmatch(text):
        raise ConfigError(
            f"{text[:60]!r} isn't a path below the base URL: write it as /stats/events, without a query"
        )
    return text


def permission(of_path: str) -> str:
    """The token permission that a path needs, in Wistia's words."""
    return MEDIA if of_path.startswith((MEDIA_LIST, *FOLDER_LISTS)) else STATS


def folder_list(connection: Connection) -> str:
    """The path at which the connection's API lists folders."""
    dated, frozen = FOLDER_LISTS
    return dated if connection.is_modern else frozen


def media_list_params(connection: Connection, folder: str | None, tag: str | None) -> dict[str, str]:
    """Filters of the media list, in the spelling of the connection's API."""
    params: dict[str, str] = {}
    if folder is not None:
        params["folder_id" if connection.is_modern else "project_id"] = segment(folder, "folder id")
    if tag is not None:
        params["tags[]"] = tag
    return params
