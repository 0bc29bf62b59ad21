"""Every table as it should be, from the simulator's truth, in plain Python.

Nothing of the product takes part but the manifests, which say what was observed and when; what an
observation contains is asked of the world. Rows are dictionaries as readers get them, lineage left out.
"""

import hashlib
import hmac
import itertools
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from support import twofold
from support.lake import KEY, Lake
from wistia_simulator import TrueSession, World

Row = dict[str, Any]
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Observation:
    """One landing's identity: what was listed, and when."""

    dataset: str
    media_id: str
    day: date
    at: datetime
    missing: bool


def observations(folder: Path) -> list[Observation]:
    """Every landing in bronze, in the order of observation."""
    found = []
    for path in folder.glob("bronze/wistia/*/dt=*/media_id=*/run_id=*/manifest.json"):
        plain = json.loads(path.read_text())
        found.append(
            Observation(
                plain["dataset"],
                plain["media_id"],
                date.fromisoformat(plain["day"]),
                datetime.fromisoformat(plain["observed_at"]),
                plain["missing"],
            )
        )
    return sorted(found, key=lambda o: (o.at, o.dataset, o.media_id, o.day))


def expected(lake: Lake, until: datetime | None = None) -> dict[str, list[Row]]:
    """The tables that follow from what `lake` has observed (by the moment `until`): silver and gold, by
    full name."""
    seen = [o for o in observations(lake.folder) if until is None or o.at <= until]
    zone, is_twofold = lake.scenario.profile.account_timezone, lake.scenario.twofold
    return _Model(lake.world, seen, zone, twofold=is_twofold).tables()


def settled(lake: Lake) -> set[tuple[str, date]]:
    """The published (media, local day) pairs that may be called settled: no run asks for them again because of
    their age, and the newest two readings of everything that they stand on agree."""
    seen = observations(lake.folder)
    model = _Model(lake.world, seen, lake.scenario.profile.account_timezone, twofold=lake.scenario.twofold)
    now = max(o.at for o in seen)
    newest = min(now.date(), model._local(now)) - DAY
    aged = newest - (lake.settings().lookback_days + 1) * DAY
    return {(media, day) for media, day in model.days if day < aged and model.has_settled(media, day)}


class _Model:
    """A perfect consumer that saw what the lake saw."""

    def __init__(self, world: World, seen: list[Observation], zone: str, *, twofold: bool = False) -> None:
        self.world, self.seen, self.zone, self.twofold = world, seen, ZoneInfo(zone), twofold
        self.media = self._media()
        self.by_date = self._newest("media_by_date")
        self.sessions = self._sessions()
        self.days = self._published_days()

    def tables(self) -> dict[str, list[Row]]:
        engagement = self._engagement()
        return {
            "silver.dim_media": self._dim_media(),
            "silver.fact_media_by_date": [
                {"media_id": media, "date": day, **self._counts(media, day, at)}
                for (media, day), at in self.by_date.items()
            ],
            "silver.fact_events": [self._event(*s) for s in self.sessions.values()],
            "gold.fact_media_daily": [self._day(media, day) for media, day in sorted(self.days)],
            "gold.fact_media_engagement": engagement,
            "gold.dim_visitor": self._visitors(),
            "gold.channel_daily": self._by("channel"),
            "gold.geo_daily": self._by("country", "region"),
            "gold.device_daily": self._by("platform", "browser", "is_mobile"),
            "gold.embed_daily": self._by("embed_host"),
            "gold.media_retention_daily": self._retention(),
        }

    # what was seen

    def _newest(self, dataset: str) -> dict[tuple[str, date], datetime]:
        return {(o.media_id, o.day): o.at for o in self.seen if o.dataset == dataset and not o.missing}

    def _media(self) -> dict[str, list[tuple[datetime, Any]]]:
        """Every description seen of each media; None where it was gone."""
        found: dict[str, list[tuple[datetime, Any]]] = defaultdict(list)
        for o in self.seen:
            if o.dataset == "media_metadata":
                described = {m.media_id: m for m in self.world.truth.medias(o.at)}
                found[o.media_id].append((o.at, None if o.missing else described[o.media_id]))
        return found

    def _sessions(self) -> dict[str, tuple[TrueSession, datetime | None]]:
        """Each session as last listed, and since when it is gone: the listings replayed one moment at a time."""
        state: dict[str, tuple[TrueSession, datetime | None]] = {}
        lists: dict[tuple[str, date], tuple[datetime, dict[str, TrueSession]]] = {}
        by_moment: dict[datetime, set[tuple[str, date]]] = defaultdict(set)
        for o in self.seen:
            if o.dataset == "events" and not o.missing:
                by_moment[o.at].add((o.media_id, o.day))
        for at, scopes in sorted(by_moment.items()):
            for media, day in scopes:
                lists[(media, day)] = (at, {s.event_key: s for s in self._listed_on(media, day, at)})
            copies: dict[str, list[tuple[datetime, TrueSession]]] = defaultdict(list)
            for seen, listed in lists.values():
                for key, session in listed.items():
                    copies[key].append((seen, session))
            for key in state.keys() | copies.keys():
                state[key] = self._placed(key, state.get(key), copies.get(key, []), lists)
        return state

    def _listed_on(self, media: str, day: date, at: datetime) -> list[TrueSession]:
        if self.twofold:
            return twofold.listed(self.world, media, day, at)
        return self.world.truth.sessions(media, day, day, at=at)

    def _placed(
        self,
        key: str,
        known: tuple[TrueSession, datetime | None] | None,
        copies: list[tuple[datetime, TrueSession]],
        lists: dict[tuple[str, date], tuple[datetime, dict[str, TrueSession]]],
    ) -> tuple[TrueSession, datetime | None]:
        """A key belongs to the newest listing that has it, and of equally new ones to the copy that saw most, then
        to the later one. When its day's listing lacks it, only a listing that is no older brings it back."""
        best = max(copies, key=lambda c: (c[0], c[1].percent_viewed, c[1].received_at), default=None)
        if known is None:
            assert best is not None
            return best[1], None
        session, gone = known
        seen, listed = lists[(session.media_id, session.received_at.date())]
        left = gone or (None if key in listed else seen)
        if best is not None and (left is None or best[0] >= left):
            return best[1], None
        return session, left

    def _published_days(self) -> set[tuple[str, date]]:
        """Local days that were over, with every UTC day they touch, when all of them were listed last."""
        events = self._newest("events")
        return {
            (media, day)
            for (media, day), at in self.by_date.items()
            if self._start(day + DAY) <= at
            and all(
                events.get((media, d), at) >= _midnight(d + DAY) and (media, d) in events
                for d in self._touched(day)
            )
        }

    def has_settled(self, media: str, day: date) -> bool:
        """Whether the last two readings of the day's sessions, and of its counts, say the same."""
        counts = self._readings("media_by_date", media, day, self._start(day + DAY))[-2:]
        lists = {d: self._readings("events", media, d, _midnight(d + DAY))[-2:] for d in self._touched(day)}
        return all(
            [
                len({self._plays(media, day, at) for at in counts}) == 1 < len(counts),
                *(len(of) > 1 and self._agree(media, d, *of) for d, of in lists.items()),
            ]
        )

    def _readings(self, dataset: str, media: str, day: date, over: datetime) -> list[datetime]:
        """The moments at which the day was read after it was over."""
        key = (dataset, media, day)
        return sorted({o.at for o in self.seen if (o.dataset, o.media_id, o.day) == key and o.at >= over})

    def _agree(self, media: str, day: date, one: datetime, other: datetime) -> bool:
        first, second = ({s.event_key: s for s in self._listed_on(media, day, at)} for at in (one, other))
        return first == second

    def _plays(self, media: str, day: date, at: datetime) -> tuple[Any, Any]:
        counts = self._counts(media, day, at)
        return counts["load_count"], counts["play_count"]

    def _start(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)

    def _touched(self, day: date) -> list[date]:
        first, last = self._start(day).date(), (self._start(day + DAY) - timedelta(microseconds=1)).date()
        return [first + n * DAY for n in range((last - first).days + 1)]

    def _local(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    # silver

    def _as_of(self, media_id: str, moment: datetime) -> Any:
        """The media as it had been described by `moment`; before that, as it was described first."""
        alive = [(at, m) for at, m in self.media.get(media_id, []) if m is not None]
        before = [m for at, m in alive if at <= moment]
        return before[-1] if before else alive[0][1] if alive else None

    def _duration(self, media_id: str, moment: datetime) -> float | None:
        """The last duration known by `moment`; before any was, the first one."""
        known = [(at, m.duration) for at, m in self.media.get(media_id, []) if m is not None and m.duration]
        before = [d for at, d in known if at <= moment]
        return before[-1] if before else known[0][1] if known else None

    def _counts(self, media_id: str, day: date, at: datetime) -> Row:
        (row,) = self.world.truth.by_date(media_id, day, day, at=at)
        return {
            "load_count": row["load_count"],
            "play_count": row["play_count"],
            "hours_watched_modelled": float(row["hours_watched"]),  # type: ignore[arg-type]
        }

    def _dim_media(self) -> list[Row]:
        found = []
        for media_id, seen in self.media.items():
            media = next((m for _, m in reversed(seen) if m is not None), None)
            if media is None:
                continue
            index = self.world.media_ids.index(media_id)
            alive_at = max(at for at, m in seen if m is not None)
            state = self.world.catalog.state(index, int(alive_at.timestamp()))
            assert state is not None
            folder_id = self.world.catalog.folder_id("folder", media.folder)
            found.append(
                {
                    "media_id": media_id,
                    "numeric_id": media.numeric_id,
                    "title": media.name,
                    "type": "Video",
                    "status": media.status,
                    "archived": media.archived,
                    "duration_seconds": media.duration,
                    "folder": media.folder,
                    "subfolder": state.subfolder,
                    "tags": sorted(media.tags),
                    "url": self._url(media_id),
                    "channel": _media_channel(media, state.subfolder) or "unclassified",
                    "folder_id": folder_id,
                    "original_asset": self._asset(index),
                    "created_at": media.created,
                    "is_deleted": seen[-1][1] is None,
                }
            )
        return found

    def _url(self, media_id: str) -> str | None:
        seen = any(s.media_id == media_id for s, _ in self.sessions.values())
        return f"https://example.wistia.com/medias/{media_id}" if seen else None

    def _asset(self, index: int) -> str:
        url = f"http://embed.wistia.com/deliveries/{self.world.catalog.deliveries('asset 0', index)}.bin"
        return hashlib.sha256(url.encode()).hexdigest()

    def _event(self, s: TrueSession, gone: datetime | None) -> Row:
        media = self._as_of(s.media_id, s.received_at)
        page, query = urlsplit(s.embed_url), parse_qs(urlsplit(s.embed_url).query)
        utm = {name: (query.get(f"utm_{name}") or [None])[0] for name in ("source", "medium", "campaign")}
        host = page.hostname or None
        subfolder = self.world.catalog._first[self.world.media_ids.index(s.media_id)].subfolder
        duration = self._duration(s.media_id, s.received_at)
        return {
            "event_key": s.event_key,
            "received_at": s.received_at,
            "event_date": s.received_at.date(),
            "event_date_local": self._local(s.received_at),
            "media_id": s.media_id,
            "visitor_id": visitor_id(s.visitor_key),
            "percent_viewed": s.percent_viewed,
            "watch_milliseconds": math.floor(s.percent_viewed * duration * 1000 + 0.5) if duration else None,
            "duration_seconds": duration,
            "conversion_type": s.conversion_type or None,
            "country": s.country or None,
            "region": s.region or None,
            "browser": s.browser,
            "browser_version": s.browser_version,
            "platform": s.platform,
            "is_mobile": s.mobile,
            "embed_host": host,
            "embed_path": page.path or None,
            **{f"utm_{name}": value for name, value in utm.items()},
            "channel": _event_channel(utm["source"], utm["medium"], host)
            or (_media_channel(media, subfolder) if media else None)
            or "unclassified",
            "removed_at": gone,
        }

    # gold

    def _listed(self) -> Iterator[Row]:
        for session, gone in self.sessions.values():
            if gone is None and (session.media_id, self._local(session.received_at)) in self.days:
                yield self._event(session, None)

    def _day(self, media_id: str, day: date) -> Row:
        rows = [r for r in self._listed() if (r["media_id"], r["event_date_local"]) == (media_id, day)]
        counts = self._counts(media_id, day, self.by_date[(media_id, day)])
        timed = [r for r in rows if r["watch_milliseconds"] is not None]
        viewers = len({r["visitor_id"] for r in rows})
        return {
            "media_id": media_id,
            "date": day,
            "loads": counts["load_count"],
            "plays": counts["play_count"],
            "play_rate_analytics": None,
            "play_rate_estimated": viewers / counts["load_count"] if counts["load_count"] else None,
            "timed_sessions": len(timed),
            "full_milliseconds": sum(math.floor(r["duration_seconds"] * 1000 + 0.5) for r in timed),
            "viewed_millionths": sum(_millionths(r) for r in rows),
            **{f"reached_{m}": sum(r["percent_viewed"] >= m / 100 for r in rows) for m in (25, 50, 75)},
            "hours_watched_modelled": counts["hours_watched_modelled"],
            **_measures(rows),
        }

    def _engagement(self) -> list[Row]:
        found = []
        for (media, visitor, day), rows in _grouped(
            self._listed(), "media_id", "visitor_id", "event_date_local"
        ).items():
            seen = sum(_millionths(r) for r in rows)
            found.append(
                {
                    "media_id": media,
                    "visitor_id": visitor,
                    "date": day,
                    "play_count": sum(r["conversion_type"] is None for r in rows),
                    "sessions": len(rows),
                    "watch_milliseconds": _watched(rows),
                    "viewed_millionths": seen,
                    "watched_share": seen / (len(rows) * 1_000_000),
                    "first_received_at": min(r["received_at"] for r in rows),
                    "last_received_at": max(r["received_at"] for r in rows),
                }
            )
        return found

    def _visitors(self) -> list[Row]:
        found = []
        for (visitor,), rows in _grouped(self._listed(), "visitor_id").items():
            last = max(rows, key=lambda r: (r["received_at"], r["event_key"]))
            found.append(
                {
                    "visitor_id": visitor,
                    **{c: last[c] for c in ("country", "region", "browser", "platform", "is_mobile")},
                    "first_seen_at": min(r["received_at"] for r in rows),
                    "last_seen_at": last["received_at"],
                    "play_count": sum(r["conversion_type"] is None for r in rows),
                    "sessions": len(rows),
                    "media_count": len({r["media_id"] for r in rows}),
                    "watch_milliseconds": _watched(rows),
                    "account_load_count": None,
                }
            )
        return found

    def _by(self, *dimensions: str) -> list[Row]:
        def known(row: Row) -> Row:
            return row | {d: "" for d in dimensions if row[d] is None}

        rows = [known(r) for r in self._listed()]
        return [
            {"media_id": media, "date": day, **dict(zip(dimensions, values, strict=True)), **_measures(of)}
            for (media, day, *values), of in _grouped(
                rows, "media_id", "event_date_local", *dimensions
            ).items()
        ]

    def _retention(self) -> list[Row]:
        found = []
        curves = self._newest("media_engagement")
        for media_id in {m for m, _ in curves}:
            index = self.world.media_ids.index(media_id)
            snapshots = []
            for day, at in sorted((d, at) for (m, d), at in curves.items() if m == media_id):
                body = self.world.truth.engagement(media_id, at=at)
                duration = self.world.catalog.duration(index, int(at.timestamp()))
                if body["engagement_data"]:
                    snapshots.append((day, duration, body["engagement_data"], body["rewatch_data"]))
            for before, after in itertools.pairwise(snapshots):
                found.append(_difference(media_id, before, after))
        return found


def _difference(media_id: str, before: Any, after: Any) -> Row:
    if before[1] != after[1] or len(before[2]) != len(after[2]):
        verdict = "duration_changed"
    elif any(new < old for old, new in zip(before[2], after[2], strict=True)):
        verdict = "restated"
    else:
        verdict = "comparable"

    def minus(n: int) -> list[int] | None:
        if verdict != "comparable":
            return None
        return [new - old for old, new in zip(before[n], after[n], strict=True)]

    return {
        "media_id": media_id,
        "date": after[0],
        "previous_date": before[0],
        "verdict": verdict,
        "views": minus(2),
        "rewatches": minus(3),
    }


def visitor_id(visitor_key: str) -> str:
    """The pseudonym under the tests' key."""
    return hmac.new(KEY, visitor_key.encode(), hashlib.sha256).hexdigest()[:32]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _millionths(row: Row) -> int:
    return math.floor(row["percent_viewed"] * 1e6 + 0.5)


def _measures(rows: list[Row]) -> Row:
    return {
        "plays_from_events": sum(r["conversion_type"] is None for r in rows),
        "sessions": len(rows),
        "unique_viewers": len({r["visitor_id"] for r in rows}),
        "watch_milliseconds": _watched(rows),
        "reached_95": sum(r["percent_viewed"] >= 0.95 for r in rows),
        "conversions": sum(r["conversion_type"] is not None for r in rows),
    }


def _watched(rows: list[Row]) -> int | None:
    """Time watched in sessions; unknown, not zero, if no duration is known."""
    known = [r["watch_milliseconds"] for r in rows if r["watch_milliseconds"] is not None]
    return sum(known) if known or not rows else None


def _grouped(rows: Iterable[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row[n] for n in names)].append(row)
    return found


# Channels, as the documentation has them: the words of each platform, in order.
_WORDS = {
    "youtube": ("youtube", "yt"),
    "facebook": ("facebook", "fb", "meta"),
    "instagram": ("instagram", "ig"),
    "linkedin": ("linkedin",),
    "tiktok": ("tiktok",),
}


def _event_channel(source: str | None, medium: str | None, host: str | None) -> str | None:
    if medium in ("email", "newsletter"):
        return "email"
    for channel, words in _WORDS.items():
        if source in words:
            return channel
    if source == "google":
        return "google"
    if medium is not None and (medium in ("cpc", "ppc", "display") or medium.startswith("paid")):
        return "paid"
    return next((c for c in _WORDS if host is not None and host.endswith(f"{c}.com")), None)


def _media_channel(media: Any, subfolder: str) -> str | None:
    """The first platform whose word is in the tags, else in the folder, the subfolder, the title."""
    for text in ("\n".join(media.tags), media.folder, subfolder, media.name):
        words = re.split(r"[^a-z0-9]+", text.lower())
        for channel, names in _WORDS.items():
            if set(words) & set(names):
                return channel
    return None
