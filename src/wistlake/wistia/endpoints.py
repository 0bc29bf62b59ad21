"""What each dataset asks of Wistia, as data. The path stands in the contract; everything else is here."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, auto

from wistlake.contracts.form import Source
from wistlake.errors import ConfigError
from wistlake.wistia.connection import Connection

STATS = "Read detailed stats"
MEDIA = "Read all folder and media data"
MEDIA_LIST = "/medias"
_APART = "/analytics"  # answered by a service of its own, which may be down while the rest is up
FOLDER_LISTS = ("/folders", "/projects")  # the dated API, and the frozen one
_SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PATH = re.compile(r"(/[A-Za-z0-9_-]+(\.json)?)+")

Params = Mapping[str, str]
ParamsBuilder = Callable[[str, date, date], dict[str, str]]


class Shape(Enum):
    """What one answer holds."""

    PAGES = auto()  # one page of a list
    LIST = auto()  # the whole list
    OBJECT = auto()  # one record


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a dataset is asked for. `params` takes media id, first and last day (both included).

    `newest_first` names the field by which pages are ordered, newest first. In a `jumpy` list a known
    record comes to the front when something happens to it. `absent` says what a 404 is about.
    """

    shape: Shape
    params: ParamsBuilder
    newest_first: str = ""
    jumpy: bool = False
    absent: str = "media"  # or "dataset"
    dated_only: bool = False


def _nothing(_media_id: str, _start: date, _end: date) -> dict[str, str]:
    return {}


def _inclusive(_media_id: str, start: date, end: date) -> dict[str, str]:
    return {"start_date": start.isoformat(), "end_date": end.isoformat()}


def _of_media(media_id: str, start: date, end: date) -> dict[str, str]:
    return {"media_id": media_id} | _inclusive(media_id, start, end)


def _daily_exclusive(media_id: str, start: date, end: date) -> dict[str, str]:
    return _inclusive(media_id, start, end + timedelta(days=1)) | {"granularity": "daily"}


ENDPOINTS: Mapping[str, Endpoint] = {
    "media_metadata": Endpoint(Shape.OBJECT, _nothing),
    "media_stats": Endpoint(Shape.OBJECT, _nothing),
    "media_engagement": Endpoint(Shape.OBJECT, _nothing),
    "media_by_date": Endpoint(Shape.LIST, _inclusive),
    "events": Endpoint(Shape.PAGES, _of_media, newest_first="received_at"),
    "analytics_daily": Endpoint(Shape.LIST, _daily_exclusive, absent="dataset", dated_only=True),
    "visitors": Endpoint(Shape.PAGES, _nothing, newest_first="last_active_at", jumpy=True, absent="dataset"),
}


def endpoint(source: Source, connection: Connection) -> Endpoint:
    """How `source` is asked for. ConfigError if this API has no such dataset."""
    found = ENDPOINTS.get(source.name)
    if found is None:
        raise ConfigError(f"{source.name} is not a dataset of Wistia: choose from {', '.join(ENDPOINTS)}")
    if found.dated_only and not connection.is_modern:
        raise ConfigError(
            f"{source.name} exists on the dated API only: drop it from WISTLAKE_DATASETS, "
            "or use a WISTIA_BASE_URL that ends in /modern"
        )
    return found


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


def free_path(text: str) -> str:
    """A path given by hand, such as /stats/events. ConfigError if it could leave the API's base."""
    if not _PATH.fullmatch(text):
        raise ConfigError(
            f"{text[:60]!r} is no path below the base URL: write it as /stats/events, without a query"
        )
    return text


def permission(of_path: str) -> str:
    """The token permission that a path needs, in Wistia's words."""
    return MEDIA if of_path.startswith((MEDIA_LIST, *FOLDER_LISTS)) else STATS


def stands_apart(of_path: str) -> bool:
    """Whether a service of its own answers there, so that its outages are nobody else's."""
    return of_path.startswith(_APART)


def folder_list(connection: Connection) -> str:
    """Where the connection's API lists folders."""
    dated, frozen = FOLDER_LISTS
    return dated if connection.is_modern else frozen


def media_list_params(connection: Connection, folder: str | None, tag: str | None) -> dict[str, str]:
    """Filters of the media list, in the spelling of the connection's API."""
    chosen: dict[str, str] = {}
    if folder is not None:
        chosen["folder_id" if connection.is_modern else "project_id"] = segment(folder, "folder id")
    if tag is not None:
        chosen["tags[]"] = tag
    return chosen
