"""What every table must hold, computed from the simulated world in plain Python.

Of the lake only its manifests and its pseudonym keys take part: a manifest says which list was read and when, the
world says what that list held at that moment. No code of the pipeline is used: shared code would share its bugs.
"""

import hashlib
import hmac
import itertools
import json
import math
import operator
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from wistia_simulator import TrueMedia, TrueSession, World
from wistlake_soak import details

Row = dict[str, Any]
Pair = tuple[str, date]  # a media and a local day
Labels = Mapping[str, Mapping[str, tuple[str, datetime]]]  # by media and label: the value, and since when
ListSessions = Callable[[str, date, datetime], list[TrueSession]]
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
_T = TypeVar("_T")
REFUSED = ("no_percent", "no_visitor")  # flaws that make a record useless; a hair above 1 counts as 1
ATTRIBUTES = ("country", "region", "browser", "platform", "is_mobile")
UTM = ("source", "medium", "campaign")
STATS = ("load_count", "play_count", "visitors", "play_rate", "hours_watched", "engagement")
CURVES = ("engagement_data", "rewatch_data")
BREAKDOWNS = {
    "gold.channel_daily": ("channel",),
    "gold.geo_daily": ("country", "region"),
    "gold.device_daily": ("platform", "browser", "is_mobile"),
    "gold.embed_daily": ("embed_host",),
}
PLATFORMS = {  # the words that name a platform, in the documented order
    "youtube": ("youtube", "yt"),
    "facebook": ("facebook", "fb", "meta"),
    "instagram": ("instagram", "ig"),
    "linkedin": ("linkedin",),
    "tiktok": ("tiktok",),
}


@dataclass(frozen=True, slots=True)
class Landing:
    """One list that a run has read: what was listed, and when."""

    dataset: str
    media_id: str
    day: date
    at: datetime
    missing: bool


def landings(lake: Path) -> list[Landing]:
    """Every list that was read, in the order of reading: landings in bronze, and readings that only confirmed one."""
    manifests = [json.loads(path.read_text()) for path in (lake / "bronze").rglob("manifest.json")]
    for path in (lake / "bronze/confirmed").rglob("*.json"):
        manifests += [c | {"missing": False} for c in json.loads(path.read_text())]
    return [
        Landing(
            m["dataset"],
            m["media_id"],
            date.fromisoformat(m["day"]),
            datetime.fromisoformat(m["observed_at"]),
            m["missing"],
        )
        for m in sorted(manifests, key=lambda m: (m["observed_at"], m["run_id"]))
    ]


def is_past_lookback(day: date, now: datetime, zone: tzinfo, lookback_days: int) -> bool:
    """Whether a run at `now` reads nothing of a local day, because the day is too old.

    A run goes back `lookback_days` from the last finished day, by UTC and by the account's zone. A local day may
    touch the UTC day after it.
    """
    last_finished = min(now.astimezone(UTC).date(), now.astimezone(zone).date()) - DAY
    return day < last_finished - (lookback_days + 1) * DAY


class Truth:
    """The tables that follow from what a lake has read.

    `until` leaves out what was read later. `list_sessions` replaces the world's own lists. `is_scaled` says whether
    lists were useless at a moment, because their unit had changed. `first_read` are the moments at which each media's
    descriptions were first read; by default the manifests say so, but they also name descriptions that a dead run
    has read and no build has used. `labels` are those that people have given.
    """

    def __init__(
        self,
        world: World,
        lake: Path,
        zone: tzinfo,
        *,
        until: datetime | None = None,
        list_sessions: ListSessions | None = None,
        is_scaled: Callable[[datetime], bool] = lambda _: False,
        first_read: Mapping[str, Sequence[datetime]] | None = None,
        labels: Labels | None = None,
        _earlier: dict[datetime, "Truth"] | None = None,
    ) -> None:
        self.world, self.zone = world, zone
        self._lake, self._first_read = lake, first_read
        self._earlier = {} if _earlier is None else _earlier  # by `until`, shared by all that come of one
        self._list_sessions = list_sessions or (
            lambda media, day, at: world.truth.sessions(media, day, day, at)
        )
        self._is_scaled = is_scaled
        self._labels = labels or {}
        keys = json.loads((lake / "pseudonym-key.json").read_text())["keys"]
        self._keys = [bytes.fromhex(k) for k in keys]
        self.landings = [x for x in landings(lake) if until is None or x.at <= until]
        self.refused: Counter[str] = Counter()  # updates that no contract accepts, by their flaw
        self._index = {media: n for n, media in enumerate(world.media_ids)}
        self._descriptions = self._described()
        self._history = self._first_described() if first_read is not None else self._descriptions
        self._counted, self._analysed = self._newest("media_by_date"), self._newest("analytics_daily")
        self._useful_lists = [x for x in self.landings if x.dataset == "events" and not self._is_useless(x)]
        self.sessions = self._replay()
        self.waiting = self._waiting()
        self.days = self._published_days()

    def tables(self) -> dict[str, list[Row]]:
        """The rows of silver and gold by full table name, with the columns that the world determines."""
        published = self.published_sessions
        engagement = _engagement(published)
        return {
            "silver.dim_media": self._dim_media(),
            "silver.fact_media_by_date": [
                {"media_id": media, "date": day, **self.counts(media, day, at)}
                for (media, day), at in self._counted.items()
            ],
            "silver.fact_events": self._events(),
            "silver.media_lifetime": self._lifetime(),
            "gold.fact_media_daily": self._daily(published),
            "gold.fact_media_engagement": engagement,
            "gold.dim_visitor": self._visitors(published, engagement),
            **{name: _breakdown(published, names) for name, names in BREAKDOWNS.items()},
            "gold.media_retention_daily": self._retention(),
            **({"gold.dim_media_label": self._label_rows()} if self._labels else {}),
            **details.tables(self.world, self._newest),
        }

    # which days may be certified

    def settled(self, lookback_days: int) -> set[Pair]:
        """The published days that have settled: past the lookback, and readings on two UTC days agree about
        everything that they are built from."""
        now = max(x.at for x in self.landings)
        return {
            (media, day)
            for media, day in self.days
            if is_past_lookback(day, now, self.zone, lookback_days) and self.is_confirmed(media, day)
        }

    def is_confirmed(self, media: str, day: date) -> bool:
        """Whether the last readings of a day's counts, and of each of its lists, agree. A day without counts, of a
        deleted media, is built from its lists alone."""
        counts = self._readings("media_by_date", media, day, self._start(day + DAY))
        counts_agree = not counts or _agree(counts, lambda at: self._plays(media, day, at))
        return counts_agree and all(
            _agree(
                self._readings("events", media, d, _midnight(d + DAY)),
                lambda at, d=d: {s.event_key: s for s in self._list_sessions(media, d, at)},  # type: ignore[misc]
            )
            for d in self.utc_days(day)
        )

    def _plays(self, media: str, day: date, at: datetime) -> tuple[Any, Any]:
        """The counts that confirm a day: hours do not, the source restates them for ever."""
        counts = self.counts(media, day, at)
        return counts["load_count"], counts["play_count"]

    def _readings(self, dataset: str, media: str, day: date, over: datetime) -> list[datetime]:
        """The moments at which a day was read after it was over."""
        key = (dataset, media, day)
        return [
            x.at
            for x in self.landings
            if (x.dataset, x.media_id, x.day) == key
            and x.at >= over
            and not x.missing
            and not self._is_useless(x)
        ]

    # what was read

    def _newest(self, dataset: str) -> dict[Pair, datetime]:
        return {(x.media_id, x.day): x.at for x in self.landings if x.dataset == dataset and not x.missing}

    def _is_useless(self, landing: Landing) -> bool:
        """Whether no build may use a list: its unit was another one. An empty list has no unit."""
        return landing.dataset == "events" and self._is_scaled(landing.at) and bool(self._listed(landing))

    def _listed(self, landing: Landing) -> list[TrueSession]:
        """The sessions that the source had when the list was read."""
        if landing.missing:
            return []
        return self._list_sessions(landing.media_id, landing.day, landing.at)

    def _described(self) -> dict[str, list[tuple[datetime, TrueMedia | None]]]:
        """Every description that was read of each media; None where it was gone."""
        descriptions: dict[str, list[tuple[datetime, TrueMedia | None]]] = defaultdict(list)
        for x in self.landings:
            if x.dataset == "media_metadata":
                media = None if x.missing else self._media(x.media_id, x.at)
                descriptions[x.media_id].append((x.at, media))
        return descriptions

    def _first_described(self) -> dict[str, list[tuple[datetime, TrueMedia | None]]]:
        return {
            media: [(at, self._media(media, at)) for at in sorted(moments)]
            for media, moments in (self._first_read or {}).items()
        }

    def _media(self, media_id: str, at: datetime) -> TrueMedia:
        return next(m for m in self.world.truth.medias(at) if m.media_id == media_id)

    def _replay(self) -> dict[str, tuple[TrueSession, datetime | None]]:
        """Each session as last listed, and since when it is gone.

        The lists are replayed in the order of reading. A later list replaces an earlier one; of two copies read at
        once, the one that was watched further stands, then the one received later. A session is gone when the list
        that it stands on lacks it. A session that a list misshapes is not gone from it.
        """
        standing: dict[str, tuple[Landing, TrueSession]] = {}
        removed: dict[str, tuple[TrueSession, datetime | None]] = {}
        places: dict[Pair, set[str]] = defaultdict(set)
        for landing in self._useful_lists:
            if landing.missing:
                continue
            here = places[landing.media_id, landing.day]
            listed = {s.event_key: s for s in self._listed(landing)}
            for key in here - listed.keys():
                removed[key] = (standing.pop(key)[1], landing.at)
            here.intersection_update(listed)
            for key, s in listed.items():
                before = standing.get(key)
                if s.flaw in REFUSED:
                    self.refused[f"refused_{s.flaw}"] += before is not None and before[1].flaw not in REFUSED
                    continue
                self.refused["listed_above_one"] += s.flaw == "above_one"
                if before is None or _rank(landing, s) >= _rank(*before):
                    if before is not None:
                        places[before[0].media_id, before[0].day].discard(key)
                    standing[key] = (landing, s)
                    removed.pop(key, None)
                    here.add(key)
        return removed | {key: (s, None) for key, (_, s) in standing.items()}

    def refused_records(self) -> list[Row]:
        """How many records of the newest list of each media and day no contract accepts. Of a list in another unit
        most are refused; how many is not the source's to say."""
        newest = {(x.media_id, x.day): x for x in self.landings if x.dataset == "events"}
        rows = []
        for (media, day), x in newest.items():
            refused = sum(1 + s.listed_twice for s in self._listed(x) if s.flaw in REFUSED)
            row = {"media_id": media, "dt": day, "dataset": "events"}
            if self._is_useless(x):
                rows.append(row)
            elif refused:
                rows.append(row | {"records": refused})
        return rows

    # which days are published

    def utc_days(self, day: date) -> list[date]:
        """The UTC days that a local day touches."""
        first, last = self._start(day).date(), (self._start(day + DAY) - SECOND).date()
        return [first + n * DAY for n in range((last - first).days + 1)]

    def _start(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)

    def local(self, moment: datetime) -> date:
        """The local day of a moment."""
        return moment.astimezone(self.zone).date()

    def _waiting(self) -> dict[Pair, datetime]:
        """The days that wait for a list that can be used, with the moment since which they wait.

        Readers keep what was published of such a day before that moment, although silver may move on.
        """
        since: dict[Pair, datetime] = {}  # by UTC day
        for x in self.landings:
            if x.dataset == "events":
                if self._is_useless(x):
                    since.setdefault((x.media_id, x.day), x.at)
                else:
                    since.pop((x.media_id, x.day), None)
        waiting: dict[Pair, datetime] = {}
        for (media, utc_day), at in since.items():
            for day in {self.local(_midnight(utc_day)), self.local(_midnight(utc_day + DAY) - SECOND)}:
                waiting[media, day] = min(at, waiting.get((media, day), at))
        return waiting

    def _published_days(self) -> set[Pair]:
        """The days of which all lists and the counts were read after they were over.

        A deleted media never gives the counts that are still missing: its sessions do not wait for them.
        """
        lists = {(x.media_id, x.day): x.at for x in self._useful_lists if not x.missing}
        over = {(media, day) for (media, day), at in lists.items() if at >= _midnight(day + DAY)}
        deleted = {media for media, read in self._descriptions.items() if read[-1][1] is None}
        pairs = {pair for pair, at in self._counted.items() if at >= self._start(pair[1] + DAY)}
        pairs |= {
            (media, self.local(moment))
            for media, day in over
            if media in deleted
            for moment in (_midnight(day), _midnight(day + DAY))
        }
        whole = {(m, d) for m, d in pairs if all((m, u) in over for u in self.utc_days(d))}
        return {(m, d) for m, d in whole if (m, d) not in self.waiting or (m, d) in self._of_day(m, d).days}

    def _before(self, moment: datetime) -> "Truth":
        """The truth before a moment."""
        until = moment - timedelta(microseconds=1)
        if until not in self._earlier:
            self._earlier[until] = Truth(
                self.world,
                self._lake,
                self.zone,
                until=until,
                list_sessions=self._list_sessions,
                is_scaled=self._is_scaled,
                first_read=self._first_read,
                labels=self._labels,
                _earlier=self._earlier,
            )
        return self._earlier[until]

    def _of_day(self, media: str, day: date) -> "Truth":
        """The truth that gold holds of a day: of one that waits, an earlier one."""
        since = self.waiting.get((media, day))
        return self._before(since)._of_day(media, day) if since else self

    @cached_property
    def published_sessions(self) -> list[Row]:
        """The listed sessions that gold is built from, as rows of `fact_events`."""
        current = [
            row
            for row in self._events()
            if row["removed_at"] is None and _pair(row) in self.days and _pair(row) not in self.waiting
        ]
        waiting = [
            row
            for at in set(self.waiting.values())
            for row in self._before(at).published_sessions
            if self.waiting.get(_pair(row)) == at
        ]
        return [*current, *waiting]

    # silver

    def visitor(self, key: str) -> str:
        """The pseudonym of a visitor key."""
        for secret in self._keys:
            key = hmac.new(secret, key.encode(), hashlib.sha256).hexdigest()[:32]
        return key

    def _as_of(self, media_id: str, moment: datetime) -> TrueMedia | None:
        """The media as described by `moment`; before its first description, as described first."""
        alive = [(at, m) for at, m in self._history.get(media_id, ()) if m is not None]
        return _latest(alive, moment)

    def _duration(self, media_id: str, moment: datetime) -> float | None:
        """The last duration known by `moment`; before any was, the first one."""
        history = self._history.get(media_id, ())
        return _latest([(at, m.duration) for at, m in history if m is not None and m.duration], moment)

    def counts(self, media_id: str, day: date, at: datetime | None) -> Row:
        """The source's counts of a local day at a moment (None: the world's present)."""
        (row,) = self.world.truth.by_date(media_id, day, day, at=at)
        return {
            "load_count": row["load_count"],
            "play_count": row["play_count"],
            "hours_watched_modelled": float(row["hours_watched"]),  # type: ignore[arg-type]
        }

    def _dim_media(self) -> list[Row]:
        """The newest description of each media; a deleted one keeps its last."""
        rows = []
        seen_on_page = {s.media_id for s, _ in self.sessions.values()}
        for media_id, read in self._descriptions.items():
            alive = [(at, m) for at, m in read if m is not None]
            if not alive:
                continue
            at, media = alive[-1]
            index = self._index[media_id]
            state = self.world.catalog.state(index, int(at.timestamp()))
            subfolder = state.subfolder if state else ""
            url = f"https://example.wistia.com/medias/{media_id}" if media_id in seen_on_page else None
            rows.append(
                {
                    "media_id": media_id,
                    "numeric_id": media.numeric_id,
                    "title": media.name,
                    "type": "Video",
                    "status": media.status,
                    "archived": media.archived,
                    "duration_seconds": media.duration,
                    "folder": media.folder,
                    "subfolder": subfolder,
                    "tags": sorted(media.tags),
                    "url": url,
                    "channel": self._channel(media_id) or _media_channel(media, subfolder) or "unclassified",
                    "folder_id": self.world.catalog.folder_id("folder", media.folder),
                    "original_asset": self._asset(index),
                    "created_at": media.created,
                    "is_deleted": read[-1][1] is None,
                }
            )
        return rows

    def _channel(self, media_id: str) -> str | None:
        """The channel that people have given to a media."""
        value, _ = self._labels.get(media_id, {}).get("channel", (None, None))
        return value

    def _label_rows(self) -> list[Row]:
        return [
            {"media_id": media_id, "label": label, "value": value, "labelled_at": at}
            for media_id, of_media in self._labels.items()
            for label, (value, at) in of_media.items()
        ]

    def _asset(self, index: int) -> str:
        url = f"http://embed.wistia.com/deliveries/{self.world.catalog.deliveries('asset 0', index)}.bin"
        return hashlib.sha256(url.encode()).hexdigest()

    def _events(self) -> list[Row]:
        return [self.event(s, removed_at) for s, removed_at in self.sessions.values()]

    def event(self, s: TrueSession, removed_at: datetime | None) -> Row:
        """A session as `fact_events` has it."""
        media, duration = self._as_of(s.media_id, s.received_at), self._duration(s.media_id, s.received_at)
        page, query = urlsplit(s.embed_url), parse_qs(urlsplit(s.embed_url).query)
        utm = {name: next(iter(query.get(f"utm_{name}", ())), None) for name in UTM}
        host = (page.hostname or "").lower() or None
        subfolder = self.world.catalog._first[self._index[s.media_id]].subfolder
        return {
            "event_key": s.event_key,
            "received_at": s.received_at,
            "event_date": s.received_at.date(),
            "event_date_local": self.local(s.received_at),
            "media_id": s.media_id,
            "visitor_id": self.visitor(s.visitor_key),
            "percent_viewed": s.percent_viewed,
            "watch_milliseconds": math.floor(s.percent_viewed * duration * 1000 + 0.5) if duration else None,
            "duration_seconds": duration,
            "conversion_type": s.conversion_type or None,
            "country": s.country or None,
            "region": s.region or None,
            "city": None,  # unless a setting keeps it
            "browser": s.browser,
            "browser_version": s.browser_version,
            "platform": s.platform,
            "is_mobile": s.mobile,
            "embed_host": host,
            "embed_path": page.path or None,
            **{f"utm_{name}": value for name, value in utm.items()},
            "channel": _event_channel(utm["source"], utm["medium"], host)
            or self._channel(s.media_id)
            or (_media_channel(media, subfolder) if media else None)
            or "unclassified",
            "removed_at": removed_at,
        }

    def _lifetime(self) -> list[Row]:
        """What was read of each snapshot. A media may be deleted between its two responses."""
        stats, curves = self._newest("media_stats"), self._newest("media_engagement")
        return [
            {"media_id": media, "snapshot_date": day}
            | _columns(self.world.truth.lifetime, media, stats.get((media, day)), STATS)
            | details.actions(self.world, media, stats.get((media, day)))
            | _columns(self.world.truth.engagement, media, curves.get((media, day)), CURVES)
            for media, day in stats.keys() | curves.keys()
        ]

    # gold

    def _daily(self, sessions: list[Row]) -> list[Row]:
        by_day = _groups(sessions, "media_id", "event_date_local")
        rows = []
        for media, day in sorted(self.days):
            of_day = by_day.get((media, day), [])
            counts = self._of_day(media, day)._totals(media, day)
            viewers, loads = len({r["visitor_id"] for r in of_day}), counts["loads"]
            timed = [r for r in of_day if r["watch_milliseconds"] is not None]
            rows.append(
                {
                    "media_id": media,
                    "date": day,
                    **counts,
                    "play_rate_analytics": self._of_day(media, day)._play_rate(media, day),
                    "play_rate_estimated": viewers / loads if loads else None,
                    "full_milliseconds": sum(math.floor(r["duration_seconds"] * 1000 + 0.5) for r in timed),
                    **measures(of_day),
                    **reach(of_day),
                }
            )
        return rows

    def _visitors(self, sessions: list[Row], engagement: list[Row]) -> list[Row]:
        of_visitor = _groups(sessions, "visitor_id")
        rows = []
        for (visitor,), days in _groups(engagement, "visitor_id").items():
            latest = max(of_visitor[visitor,], key=lambda r: (r["received_at"], r["event_key"]))
            rows.append(
                {
                    "visitor_id": visitor,
                    **({c: latest[c] for c in ATTRIBUTES} if self._is_current(latest) else {}),
                    "first_seen_at": min(r["first_received_at"] for r in days),
                    "last_seen_at": max(r["last_received_at"] for r in days),
                    "play_count": sum(r["play_count"] for r in days),
                    "sessions": sum(r["sessions"] for r in days),
                    "media_count": len({r["media_id"] for r in days}),
                    "watch_milliseconds": _watched(days),
                    "account_load_count": None,
                }
            )
        return rows

    def _is_current(self, event: Row) -> bool:
        """Whether silver still has a session of gold at its moment. Of a day that waits, silver may have moved on:
        a visitor's attributes, which come from silver, are undetermined then."""
        s, removed_at = self.sessions.get(event["event_key"], (None, None))
        return s is not None and removed_at is None and s.received_at == event["received_at"]

    def _totals(self, media: str, day: date) -> Row:
        at = self._counted.get((media, day))
        counts = self.counts(media, day, at) if at else {}
        return {
            "loads": counts.get("load_count"),
            "plays": counts.get("play_count"),
            "hours_watched_modelled": counts.get("hours_watched_modelled"),
        }

    def _play_rate(self, media: str, day: date) -> float | None:
        at = self._analysed.get((media, day))
        return details.analytics(self.world, media, day, at)["play_rate"] if at else None

    def _retention(self) -> list[Row]:
        snapshots = defaultdict(list)
        for (media, day), at in sorted(self._newest("media_engagement").items()):
            curves = self.world.truth.engagement(media, at=at)
            if curves["engagement_data"]:
                snapshots[media].append((day, self._duration(media, at), *(curves[n] for n in CURVES)))
        return [
            _difference(media, before, after)
            for media, of_media in snapshots.items()
            for before, after in itertools.pairwise(of_media)
        ]

    # what the source says now

    def source_figures(self, media: str, day: date) -> Row:
        """What the source says of a local day at the world's present moment, in columns of `fact_media_daily`."""
        sessions = [self.event(s, None) for s in self._now(media, day)]
        counts = self.counts(media, day, None)
        seen = {n: v for n, v in measures(sessions).items() if n != "watch_milliseconds"}
        by_share = {n: v for n, v in reach(sessions).items() if n != "timed_sessions"}
        return {**seen, **by_share, "loads": counts["load_count"], "plays": counts["play_count"]}

    def _now(self, media: str, day: date) -> list[TrueSession]:
        """A local day's sessions as the source has them now. One that it misshapes counts as it was last read; one
        that it lists on two days stands where it was read last."""
        days = self.utc_days(day)
        placed = (self._placed(s) for s in self.world.truth.sessions(media, days[0] - DAY, days[-1] + DAY))
        return [s for s in placed if s is not None and self.local(s.received_at) == day]

    def _placed(self, s: TrueSession) -> TrueSession | None:
        last_read, removed_at = self.sessions.get(s.event_key, (None, None))
        listed = last_read if removed_at is None else None
        if s.flaw in REFUSED:
            return listed
        return replace(s, received_at=listed.received_at) if listed and s.straddles else s


def measures(sessions: list[Row]) -> Row:
    """The columns that every gold table by day adds up from its sessions."""
    return {
        "plays_from_events": sum(r["conversion_type"] is None for r in sessions),
        "sessions": len(sessions),
        "unique_viewers": len({r["visitor_id"] for r in sessions}),
        "watch_milliseconds": _watched(sessions),
        "reached_95": _reached(sessions, 95),
        "conversions": sum(r["conversion_type"] is not None for r in sessions),
    }


def reach(sessions: list[Row]) -> Row:
    """The columns that only `fact_media_daily` adds up from its sessions."""
    return {
        "timed_sessions": sum(r["watch_milliseconds"] is not None for r in sessions),
        "viewed_millionths": sum(_millionths(r) for r in sessions),
        **{f"reached_{mark}": _reached(sessions, mark) for mark in (25, 50, 75)},
    }


def _reached(sessions: list[Row], mark: int) -> int:
    return sum(r["percent_viewed"] >= mark / 100 for r in sessions)


def _engagement(sessions: list[Row]) -> list[Row]:
    rows = []
    for (media, visitor, day), of_day in _groups(
        sessions, "media_id", "visitor_id", "event_date_local"
    ).items():
        viewed = sum(_millionths(r) for r in of_day)
        rows.append(
            {
                "media_id": media,
                "visitor_id": visitor,
                "date": day,
                "play_count": sum(r["conversion_type"] is None for r in of_day),
                "sessions": len(of_day),
                "watch_milliseconds": _watched(of_day),
                "viewed_millionths": viewed,
                "watched_share": viewed / (len(of_day) * 1_000_000),
                "first_received_at": min(r["received_at"] for r in of_day),
                "last_received_at": max(r["received_at"] for r in of_day),
            }
        )
    return rows


def _breakdown(sessions: list[Row], names: tuple[str, ...]) -> list[Row]:
    """Sessions by media, local day and `names`; unknown texts are empty."""
    rows = [r | {n: "" for n in names if r[n] is None} for r in sessions]
    return [
        {"media_id": media, "date": day, **dict(zip(names, values, strict=True)), **measures(group)}
        for (media, day, *values), group in _groups(rows, "media_id", "event_date_local", *names).items()
    ]


def _difference(media_id: str, before: Any, after: Any) -> Row:
    """What was watched between two snapshots of (day, duration, views, rewatches)."""
    if before[1] != after[1] or len(before[2]) != len(after[2]):
        verdict = "duration_changed"
    elif any(map(operator.lt, after[2], before[2])):
        verdict = "restated"
    else:
        verdict = "comparable"

    def minus(n: int) -> list[int] | None:
        if verdict != "comparable":
            return None
        return list(map(operator.sub, after[n], before[n]))

    return {
        "media_id": media_id,
        "date": after[0],
        "previous_date": before[0],
        "verdict": verdict,
        "views": minus(2),
        "rewatches": minus(3),
    }


def _agree(moments: Sequence[datetime], read: Callable[[datetime], Any]) -> bool:
    """Whether the readings at the end agree, and were made on more than one UTC day."""
    newest = read(moments[-1]) if moments else None
    agreeing = itertools.takewhile(lambda at: read(at) == newest, reversed(moments))
    return len({at.date() for at in agreeing}) > 1


def _latest(steps: Sequence[tuple[datetime, _T]], moment: datetime) -> _T | None:
    """The value of the last step by `moment`; before the first step, its value."""
    before = [value for at, value in steps if at <= moment]
    return before[-1] if before else steps[0][1] if steps else None


def _rank(landing: Landing, s: TrueSession) -> tuple[datetime, float, datetime]:
    """Of two copies of a session, the greater one stands."""
    return landing.at, s.percent_viewed, s.received_at


def _columns(
    ask: Callable[..., Mapping[str, Any]], media: str, at: datetime | None, names: tuple[str, ...]
) -> Row:
    """What the source said at a moment; None where it was not asked, or had nothing to say."""
    body = ask(media, at) if at else {}
    return {name: body.get(name) for name in names}


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _pair(event: Row) -> Pair:
    return event["media_id"], event["event_date_local"]


def _millionths(event: Row) -> int:
    share: float = event["percent_viewed"]
    return math.floor(share * 1e6 + 0.5)


def _watched(rows: list[Row]) -> int | None:
    """Time watched; unknown, not zero, if no duration is known."""
    times = [r["watch_milliseconds"] for r in rows if r["watch_milliseconds"] is not None]
    return sum(times) if times or not rows else None


def _groups(rows: Iterable[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[n] for n in names)].append(row)
    return groups


def _event_channel(source: str | None, medium: str | None, host: str | None) -> str | None:
    if medium in ("email", "newsletter"):
        return "email"
    for channel, words in PLATFORMS.items():
        if source in words:
            return channel
    if source == "google":
        return "google"
    if medium is not None and (medium in ("cpc", "ppc", "display") or medium.startswith("paid")):
        return "paid"
    return next((c for c in PLATFORMS if host is not None and host.endswith(f"{c}.com")), None)


def _media_channel(media: TrueMedia, subfolder: str) -> str | None:
    """The first platform that is named in the tags, else in the folder, the subfolder, the title."""
    for text in ("\n".join(media.tags), media.folder, subfolder, media.name):
        words = re.split(r"[^a-z0-9]+", text.lower())
        for channel, names in PLATFORMS.items():
            if set(words) & set(names):
                return channel
    return None
