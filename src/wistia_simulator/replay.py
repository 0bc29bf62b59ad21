"""Recorded payloads, served as Wistia does: its day windows, its paging, its shapes per base."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import cast

from starlette.applications import Starlette

from wistia_simulator.backend import Backend, EventQuery, Slices, VisitorQuery
from wistia_simulator.faults import FaultPlan
from wistia_simulator.http.app import build_app
from wistia_simulator.http.options import ServerOptions
from wistia_simulator.payloads import Payload, snake_case
from wistia_simulator.versions import Api

_RECORDER_KEYS = ("_page", "_pos", "media_id")
"""Keys that recorders add to the lines of a visitor walk."""
_SPAN = re.compile(r"_\d{4}-\d{2}-\d{2}_to_\d{4}-\d{2}-\d{2}$")


class Recording:
    """The files of one folder. Attributes map a media's hashed id to its recorded payload.

    Files: ``stats_events__<media>_<from>_to_<to>.json``,
    ``stats_medias_by_date__<media>_<from>_to_<to>.json``, ``medias_show__<media>.json``,
    ``stats_medias__<media>.json``, ``stats_engagement__<media>.json``,
    ``stats_visitors*.json`` or ``.ndjson``.
    """

    def __init__(self, folder: Path) -> None:
        self.events = self._lists(folder, "stats_events__", "event_key")
        for rows in self.events.values():
            rows.sort(key=lambda row: cast("str", row["received_at"]), reverse=True)
        self.by_date = self._lists(folder, "stats_medias_by_date__", "date")
        self.medias = self._objects(folder, "medias_show__")
        self.media_stats = self._objects(folder, "stats_medias__")
        self.engagement = self._objects(folder, "stats_engagement__")
        self.visitors = self._visitors(folder)

    @staticmethod
    def _lists(folder: Path, prefix: str, key: str) -> dict[str, list[Payload]]:
        lists: dict[str, list[Payload]] = {}
        for path in sorted(folder.glob(f"{prefix}*.json")):
            media = _SPAN.sub("", path.stem.removeprefix(prefix))
            _merge(lists.setdefault(media, []), _rows(path), key)
        return lists

    @staticmethod
    def _objects(folder: Path, prefix: str) -> dict[str, Payload]:
        paths = sorted(folder.glob(f"{prefix}*.json"))
        return {
            path.stem.removeprefix(prefix): json.loads(path.read_text(encoding="utf-8")) for path in paths
        }

    @staticmethod
    def _visitors(folder: Path) -> list[Payload] | None:
        paths = sorted([*folder.glob("stats_visitors*.json"), *folder.glob("stats_visitors*.ndjson")])
        if not paths:
            return None
        visitors: list[Payload] = []
        for path in paths:
            rows = ({k: v for k, v in row.items() if k not in _RECORDER_KEYS} for row in _rows(path))
            _merge(visitors, rows, "visitor_key")
        visitors.sort(key=lambda row: cast("str", row["last_active_at"]), reverse=True)
        return visitors


def _rows(path: Path) -> Iterator[Payload]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ndjson":
        yield from (json.loads(line) for line in text.splitlines() if line.strip())
    else:
        yield from json.loads(text)


def _merge(merged: list[Payload], rows: Iterable[Payload], key: str) -> None:
    """Add the rows of one more file, without those of earlier files; repeats within the file stay."""
    keys = {row[key] for row in merged}
    merged += [row for row in rows if row[key] not in keys]


class ReplayBackend(Backend):
    """Serves a recording; anything else is a 404."""

    def __init__(self, recording: Recording, now: datetime) -> None:
        self._recording = recording
        self._now = now

    def now(self) -> datetime:
        return self._now

    def _hashed(self, media_id: str) -> str:
        """The hashed id of a hashed or numeric one."""
        for hashed, media in self._recording.medias.items():
            if str(media.get("id")) == media_id:
                return hashed
        return media_id

    def events(self, query: EventQuery, api: Api) -> Slices | None:
        recorded = self._recording.events
        media_ids = list(recorded) if query.media_id is None else [query.media_id]
        if not recorded or any(media_id not in recorded for media_id in media_ids):
            return None
        rows = [row for media_id in media_ids for row in recorded[media_id] if _is_in_window(row, query)]
        if len(media_ids) > 1:
            rows.sort(key=lambda row: cast("str", row["received_at"]), reverse=True)
        return lambda start, stop: rows[start:stop]

    def event(self, key: str, api: Api) -> Payload | None:
        rows = (row for rows in self._recording.events.values() for row in rows)
        return next((row for row in rows if row["event_key"] == key), None)

    def visitors(self, query: VisitorQuery) -> Slices | None:
        if self._recording.visitors is None:
            return None
        rows = [row for row in self._recording.visitors if _fits(row, query)]
        return lambda start, stop: rows[start:stop]

    def visitor(self, key: str) -> Payload | None:
        rows = self._recording.visitors or []
        return next((row for row in rows if row["visitor_key"] == key), None)

    def by_date(self, media_id: str, first: date | None, last: date | None) -> list[Payload] | None:
        recorded = self._recording.by_date.get(self._hashed(media_id))
        if recorded is None:
            return None
        by_day = {cast("str", row["date"]): row for row in recorded}
        today = self._now.date()
        day, end = first or today - timedelta(days=1), last or today
        rows = []
        while day <= end:
            rows.append(by_day.get(day.isoformat(), _zeros(day)))
            day += timedelta(days=1)
        return rows

    def media_stats(self, media_id: str, api: Api) -> Payload | None:
        return self._recording.media_stats.get(self._hashed(media_id))

    def engagement(self, media_id: str) -> Payload | None:
        return self._recording.engagement.get(self._hashed(media_id))

    def medias(self, api: Api) -> list[Payload] | None:
        medias = sorted(self._recording.medias.values(), key=lambda media: cast("int", media["id"]))
        return [_shaped(media, api) for media in medias] if medias else None

    def media(self, media_id: str, api: Api) -> Payload | None:
        media = self._recording.medias.get(self._hashed(media_id))
        return None if media is None else _shaped(media, api)


def _is_in_window(row: Payload, query: EventQuery) -> bool:
    day = cast("str", row["received_at"])[:10]
    return (
        (query.first is None or query.first.isoformat() <= day)
        and (query.last is None or day <= query.last.isoformat())
        and query.visitor_key in (None, row["visitor_key"])
    )


def _fits(row: Payload, query: VisitorQuery) -> bool:
    identity = cast("Payload", row.get("visitor_identity") or {})
    name, email = str(identity.get("name") or ""), str(identity.get("email") or "")
    if query.criterion == "has_name" and not name:
        return False
    if query.criterion == "has_email" and not email:
        return False
    if query.criterion == "identified_by_email_gate" and not row.get("identifying_event_key"):
        return False
    return not query.search or query.search.lower() in f"{name} {email}".lower()


def _zeros(day: date) -> Payload:
    return {"date": day.isoformat(), "load_count": 0, "play_count": 0, "hours_watched": 0}


def _shaped(media: Payload, api: Api) -> Payload:
    """A media as recorded on v1, translated for the modern base."""
    if api.base == "v1":
        return media
    shaped: Payload = {}
    for name, value in media.items():
        if name == "project":
            shaped["folder"] = _folder(cast("Payload | None", value))
        elif name == "assets":
            shaped["assets"] = [snake_case(asset) for asset in cast("list[Payload]", value)]
        else:
            shaped[name] = value
        if name == "description":
            shaped.setdefault("protected", None)
    return shaped


def _folder(project: Payload | None) -> Payload | None:
    return project and {name: project.get(name) for name in ("id", "name", "hashed_id")}


def create_replay_app(
    folder: Path,
    options: ServerOptions | None = None,
    now: datetime | None = None,
    faults: FaultPlan | None = None,
) -> Starlette:
    """The API over recorded payloads; ``now`` (by default the recording's end) dates default ranges."""
    recording = Recording(folder)
    moment = now if now is not None else _end_of(recording)
    return build_app(ReplayBackend(recording, moment), options or ServerOptions(), faults)


def _end_of(recording: Recording) -> datetime:
    days = [cast("str", row["date"]) for rows in recording.by_date.values() for row in rows]
    days += [cast("str", row["received_at"])[:10] for rows in recording.events.values() for row in rows]
    last = max(days, default="1970-01-01")
    return datetime.fromisoformat(f"{last}T00:00:00+00:00") + timedelta(days=1)
