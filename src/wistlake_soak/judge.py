"""Every table against the truth, in plain Python: no transform, no contract and no engine code takes part.

What the source held when a day was last asked for is the truth about that day; when that was, the
manifests in bronze say. Rows are lost (should be there), duplicated (a key twice) or wrong (another value,
or too many).
"""

import hashlib
import hmac
import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wistia_simulator import TrueSession, World

Row = Mapping[str, Any]
Key = tuple[Any, ...]
Sql = Callable[[str], list[dict[str, Any]]]


MOST_TOLD = 6  # findings in words about one table


@dataclass(slots=True)
class Judgement:
    """What was found. `said` holds the first findings in words."""

    rows: int = 0
    lost: int = 0
    duplicated: int = 0
    wrong: int = 0
    tables: dict[str, int] = field(default_factory=dict)
    certified: int = 0  # days with the highest certificate, of media that are still there
    contradicted: int = 0  # those of them that the truth contradicts
    moved_by_rebuild: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # updates that no contract takes, by their flaw
    said: list[str] = field(default_factory=list)
    _told: Counter[str] = field(default_factory=Counter)

    def compare(
        self, name: str, key: tuple[str, ...], expected: Iterable[Row], found: list[dict[str, Any]]
    ) -> None:
        """Count what is lost, duplicated or wrong; expected rows name the columns that are compared."""
        wanted = {tuple(r[k] for k in key): r for r in expected}
        have: dict[Key, Row] = {}
        self.rows += len(found)
        self.tables[name] = len(found)
        for row in found:
            at = tuple(row[k] for k in key)
            if at in have:
                self.duplicated += 1
                self.say(name, f"{at} is there twice")
            have[at] = row
        for at in wanted.keys() - have.keys():
            self.lost += 1
            self.say(name, f"{at} is lost")
        for at in have.keys() - wanted.keys():
            self.wrong += 1
            self.say(name, f"{at} should not be there")
        for at in wanted.keys() & have.keys():
            bad = [c for c, value in wanted[at].items() if not _same(value, have[at][c])]
            if bad:
                self.wrong += 1
                told = ", ".join(f"{c} is {have[at][c]!r}, should be {wanted[at][c]!r}" for c in bad[:3])
                self.say(name, f"{at}: {told}")

    def say(self, name: str, text: str) -> None:
        """Keep a finding in words, of the first ones about `name`."""
        self._told[name] += 1
        if self._told[name] <= MOST_TOLD:
            self.said.append(f"{name}: {text}")


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float | int):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    return bool(a == b)


STATS = ("load_count", "play_count", "visitors", "play_rate", "hours_watched", "engagement")
CURVES = ("engagement_data", "rewatch_data")
REFUSED = ("no_percent", "no_visitor")  # flaws that make a record useless; a hair above 1 is 1


class Truth:
    """What should be in a lake, from its manifests' times and the world."""

    def __init__(
        self,
        world: World,
        lake: Path,
        zone: tzinfo,
        first_read: Mapping[str, list[datetime]],
        is_scaled: Callable[[datetime], bool],
    ) -> None:
        """`first_read`: when each media's descriptions were first read, as `dim_media_history` says;
        `is_scaled`: whether lists were useless at a moment, because a unit had changed."""
        self.world, self.zone, self.first_read = world, zone, first_read
        self._is_scaled = is_scaled
        keys = json.loads((lake / "pseudonym-key.json").read_text())["keys"]
        self._keys = [bytes.fromhex(k) for k in keys]
        read = (json.loads(path.read_text()) for path in (lake / "bronze").rglob("manifest.json"))
        manifests = sorted(read, key=lambda m: (m["observed_at"], m["run_id"]))
        landings = [_landing(m) for m in manifests]
        self.read = {(x.dataset, x.media, x.day): x for x in landings}
        self.landings = [x for x in landings if not self._is_useless(x)]
        self.newest = {(x.dataset, x.media, x.day): x for x in self.landings}
        self.refused: Counter[str] = Counter()
        self.sessions = self._sessions()
        self.days = self._days()

    def _of(self, dataset: str) -> list[tuple[str, date, datetime, bool]]:
        return [(x.media, x.day, x.at, x.missing) for x in self.newest.values() if x.dataset == dataset]

    def _is_useless(self, landing: "Landing") -> bool:
        """Whether nothing of a landing may be taken: its unit was another one."""
        return landing.dataset == "events" and self._is_scaled(landing.at) and bool(self._listed(landing))

    def _listed(self, landing: "Landing") -> list[TrueSession]:
        """The sessions that the source had when it was asked."""
        if landing.missing:
            return []
        return self.world.truth.sessions(landing.media, landing.day, landing.day, landing.at)

    def _sessions(self) -> dict[str, TrueSession]:
        """What the lists say of each key, one after the other as they were read: a later one knows better, of
        two at once the copy that saw or came more. A key that a list misshapes is not gone from it."""
        standing: dict[str, tuple[Landing, TrueSession]] = {}
        places: dict[tuple[str, date], set[str]] = defaultdict(set)
        for landing in (x for x in self.landings if x.dataset == "events"):
            here = places[landing.media, landing.day]
            listed = {s.event_key: s for s in self._listed(landing)}
            for key in here - listed.keys():
                del standing[key]
            here.intersection_update(listed)
            for key, s in listed.items():
                before = standing.get(key)
                if s.flaw in REFUSED:
                    self.refused[f"refused_{s.flaw}"] += before is not None and before[1].flaw not in REFUSED
                    continue
                self.refused["listed_above_one"] += s.flaw == "above_one"
                if before is None or _rank(landing, s) >= _rank(*before):
                    if before is not None:
                        places[before[0].media, before[0].day].discard(key)
                    standing[key] = (landing, s)
                    here.add(key)
        return {key: s for key, (_, s) in standing.items()}

    def quarantined(self) -> list[dict[str, Any]]:
        """How many records of the newest list of each media and day no contract takes; of one in another unit it
        is most of them."""
        rows = []
        for x in self.read.values():
            flawed = sum(1 + s.listed_twice for s in self._listed(x) if s.flaw in REFUSED)
            if x.dataset == "events" and (flawed or self._is_useless(x)):
                row = {"media_id": x.media, "dt": x.day, "dataset": "events"}
                rows.append(row if self._is_useless(x) else row | {"records": flawed})
        return rows

    def visitor(self, key: str) -> str:
        """The pseudonym of a visitor key."""
        for secret in self._keys:
            key = hmac.new(secret, key.encode(), hashlib.sha256).hexdigest()[:32]
        return key

    def now(self, media: str, day: date) -> list[TrueSession]:
        """A local day's sessions as the source has them at the end. Of one that it misshapes, what it last said
        of it; one that it has on two days stands where it was read last."""
        days = sorted(self._utc_days(day))
        around = (days[0] - timedelta(days=1), days[-1] + timedelta(days=1))
        placed = (self._placed(s) for s in self.world.truth.sessions(media, *around))
        return [s for s in placed if s is not None and self.local(s) == day]

    def _placed(self, s: TrueSession) -> TrueSession | None:
        known = self.sessions.get(s.event_key)
        if s.flaw in REFUSED:
            return known
        return replace(s, received_at=known.received_at) if known and s.straddles else s

    def local(self, s: TrueSession) -> date:
        """The account's day of a session."""
        return s.received_at.astimezone(self.zone).date()

    def session_rows(self) -> list[dict[str, Any]]:
        """`fact_events`, listed ones."""
        steps = {m: self._steps(m) for m in {s.media_id for s in self.sessions.values()}}
        return [self.session_row(s, _step(steps[s.media_id], s.received_at)) for s in self.sessions.values()]

    def _steps(self, media: str) -> list[tuple[datetime, float]]:
        """Known durations from the moment each was first read, by runs that lived or died."""
        read = (
            (at, next(m.duration for m in self.world.truth.medias(at) if m.media_id == media))
            for at in sorted(self.first_read.get(media, ()))
        )
        return [(at, duration) for at, duration in read if duration]

    def session_row(self, s: TrueSession, duration: float | None) -> dict[str, Any]:
        """A session as `fact_events` has it."""
        watched = None if not duration else math.floor(s.percent_viewed * duration * 1000 + 0.5)
        return {
            "event_key": s.event_key,
            "received_at": s.received_at,
            "event_date": s.received_at.astimezone(UTC).date(),
            "event_date_local": self.local(s),
            "media_id": s.media_id,
            "visitor_id": self.visitor(s.visitor_key),
            "percent_viewed": s.percent_viewed,
            "watch_milliseconds": watched,
            "conversion_type": s.conversion_type or None,
            "country": s.country or None,
            "region": s.region or None,
            "browser": s.browser,
            "browser_version": s.browser_version,
            "platform": s.platform,
            "is_mobile": s.mobile,
            "embed_host": (urlsplit(s.embed_url).hostname or "").lower() or None,
        }

    def by_date_rows(self) -> list[dict[str, Any]]:
        """`fact_media_by_date`."""
        return [
            {
                "media_id": media,
                "date": day,
                "load_count": row["load_count"],
                "play_count": row["play_count"],
                "hours_watched_modelled": float(row["hours_watched"]),  # type: ignore[arg-type]
            }
            for media, day, at, missing in self._of("media_by_date")
            if not missing
            for row in self.world.truth.by_date(media, day, day, at)
        ]

    def _days(self) -> set[tuple[str, date]]:
        """The (media, local day) pairs that stand on whole landings. A media that is gone will never give the
        rest of a day that was landed in part; but its sessions do not wait for counts that it never gave."""
        landed = {(m, d) for m, d, _, missing in self._of("events") if not missing}
        counted = {(m, d) for m, d, _, missing in self._of("media_by_date") if not missing}
        whole = {(m, d) for m, d in counted if all((m, u) in landed for u in self._utc_days(d))}
        gone = {row["media_id"] for row in self.media_rows() if row["is_deleted"]}
        first = {m: min(d for n, d in landed if n == m) for m in gone}
        last = self.world.clock.now().date() - timedelta(days=1)
        near = {(m, d + timedelta(days=n)) for m, d in landed | counted if m in gone for n in (-1, 0, 1)}
        over = {
            (m, d) for m, d in near if first[m] <= min(self._utc_days(d)) and max(self._utc_days(d)) <= last
        }
        return whole | {(m, d) for m, d in over if all((m, u) in landed for u in self._utc_days(d))}

    def _utc_days(self, day: date) -> set[date]:
        start = datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)
        after = day + timedelta(days=1)
        end = datetime(after.year, after.month, after.day, tzinfo=self.zone).astimezone(UTC)
        return {start.date(), (end - timedelta(seconds=1)).date()}

    def daily_rows(self, sessions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """`fact_media_daily`."""
        counts = {(r["media_id"], r["date"]): r for r in self.by_date_rows()}
        of_day: dict[tuple[str, date], list[dict[str, Any]]] = defaultdict(list)
        for s in sessions:
            of_day[(s["media_id"], s["event_date_local"])].append(s)
        return [
            {
                "media_id": media,
                "date": day,
                **_measures(of_day[(media, day)]),
                **({} if self._stands_still(media, day) else _totals(counts.get((media, day)))),
            }
            for media, day in self.days
        ]

    def _stands_still(self, media: str, day: date) -> bool:
        """Whether a day waits for a list that can be read: readers keep what they had, of its counts too."""
        read = (self.read.get(("events", media, d)) for d in self._utc_days(day))
        return any(x is not None and self._is_useless(x) for x in read)

    def lifetime_rows(self) -> list[dict[str, Any]]:
        """`media_lifetime`: what was read of a snapshot. A media may be deleted between its two answers."""
        stats = {(m, d): at for m, d, at, missing in self._of("media_stats") if not missing}
        curves = {(m, d): at for m, d, at, missing in self._of("media_engagement") if not missing}
        return [
            {"media_id": media, "snapshot_date": day}
            | self._answer(self.world.truth.lifetime, media, stats.get((media, day)), STATS)
            | self._answer(self.world.truth.engagement, media, curves.get((media, day)), CURVES)
            for media, day in stats.keys() | curves.keys()
        ]

    def _answer(
        self, ask: Callable[..., Row], media: str, at: datetime | None, names: tuple[str, ...]
    ) -> dict[str, Any]:
        """What the source said at a moment; nothing if it was not asked, or had nothing to say."""
        said = ask(media, at) if at else {}
        return {name: said.get(name) for name in names}

    def media_rows(self) -> list[dict[str, Any]]:
        """`dim_media`: the newest description; a deleted one keeps its last."""
        newest: dict[str, tuple[datetime, bool]] = {}
        alive: dict[str, datetime] = {}
        for media, _, at, missing in self._of("media_metadata"):
            newest[media] = max(newest.get(media, (at, missing)), (at, missing))
            if not missing:
                alive[media] = max(alive.get(media, at), at)
        rows = []
        for media, at in alive.items():
            true = next(m for m in self.world.truth.medias(at) if m.media_id == media)
            rows.append(
                {
                    "media_id": media,
                    "numeric_id": true.numeric_id,
                    "title": true.name,
                    "duration_seconds": float(true.duration),
                    "archived": true.archived,
                    "status": true.status,
                    "tags": sorted(true.tags),
                    "folder": true.folder,
                    "is_deleted": newest[media][1],
                }
            )
        return rows


@dataclass(frozen=True, slots=True)
class Landing:
    """What bronze says of one list that was read."""

    dataset: str
    media: str
    day: date
    at: datetime
    missing: bool


def _landing(manifest: Row) -> Landing:
    return Landing(
        manifest["dataset"],
        manifest["media_id"],
        date.fromisoformat(manifest["day"]),
        datetime.fromisoformat(manifest["observed_at"]),
        manifest["missing"],
    )


def _rank(landing: Landing, s: TrueSession) -> tuple[datetime, float, datetime]:
    """Which of two copies of a session stands: the greater one."""
    return landing.at, s.percent_viewed, s.received_at


def _step(steps: list[tuple[datetime, float]], moment: datetime) -> float | None:
    if not steps:
        return None
    return next((d for at, d in reversed(steps) if at <= moment), steps[0][1])


def _measures(sessions: list[dict[str, Any]]) -> dict[str, Any]:
    watched = [s["watch_milliseconds"] for s in sessions if s["watch_milliseconds"] is not None]
    return {
        "sessions": len(sessions),
        "plays_from_events": sum(s["conversion_type"] is None for s in sessions),
        "conversions": sum(s["conversion_type"] is not None for s in sessions),
        "unique_viewers": len({s["visitor_id"] for s in sessions}),
        "watch_milliseconds": sum(watched) if watched or not sessions else None,
        "timed_sessions": len(watched),
        "viewed_millionths": sum(math.floor(s["percent_viewed"] * 1e6 + 0.5) for s in sessions),
        **{f"reached_{m}": sum(s["percent_viewed"] >= m / 100 for s in sessions) for m in (25, 50, 75, 95)},
    }


def _totals(row: dict[str, Any] | None) -> dict[str, Any]:
    if row is None:
        return {"loads": None, "plays": None, "hours_watched_modelled": None}
    return {
        "loads": row["load_count"],
        "plays": row["play_count"],
        "hours_watched_modelled": row["hours_watched_modelled"],
    }


def _grouped(
    sessions: list[dict[str, Any]], days: set[tuple[str, date]], names: tuple[str, ...]
) -> list[Row]:
    """Sessions of published days by media, day and `names`; unknown texts are empty there."""
    groups: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    for s in sessions:
        if (s["media_id"], s["event_date_local"]) in days:
            said = tuple(("" if n != "is_mobile" else False) if s[n] is None else s[n] for n in names)
            groups[(s["media_id"], s["event_date_local"], *said)].append(s)
    wanted = (
        "plays_from_events",
        "sessions",
        "unique_viewers",
        "watch_milliseconds",
        "reached_95",
        "conversions",
    )
    return [
        dict(zip(("media_id", "date", *names), key, strict=True)) | {n: _measures(rows)[n] for n in wanted}
        for key, rows in groups.items()
    ]


def _engagement(sessions: list[dict[str, Any]], days: set[tuple[str, date]]) -> list[Row]:
    groups: dict[Key, list[dict[str, Any]]] = defaultdict(list)
    for s in sessions:
        if (s["media_id"], s["event_date_local"]) in days:
            groups[(s["media_id"], s["visitor_id"], s["event_date_local"])].append(s)
    return [
        {
            "media_id": media,
            "visitor_id": visitor,
            "date": day,
            "play_count": _measures(rows)["plays_from_events"],
            "sessions": len(rows),
            "watch_milliseconds": _measures(rows)["watch_milliseconds"],
            "first_received_at": min(r["received_at"] for r in rows),
            "last_received_at": max(r["received_at"] for r in rows),
        }
        for (media, visitor, day), rows in groups.items()
    ]


def _visitors(engagement: list[Row], sessions: list[dict[str, Any]]) -> list[Row]:
    latest: dict[str, dict[str, Any]] = {}
    for s in sessions:
        before = latest.get(s["visitor_id"])
        if before is None or (s["received_at"], s["event_key"]) > (
            before["received_at"],
            before["event_key"],
        ):
            latest[s["visitor_id"]] = s
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in engagement:
        groups[row["visitor_id"]].append(row)
    return [
        {
            "visitor_id": visitor,
            "first_seen_at": min(r["first_received_at"] for r in rows),
            "last_seen_at": max(r["last_received_at"] for r in rows),
            "play_count": sum(r["play_count"] for r in rows),
            "sessions": sum(r["sessions"] for r in rows),
            "media_count": len({r["media_id"] for r in rows}),
            "watch_milliseconds": _known_sum(r["watch_milliseconds"] for r in rows),
            **{n: latest[visitor][n] for n in ("country", "region", "browser", "platform", "is_mobile")},
        }
        for visitor, rows in groups.items()
    ]


def _known_sum(values: Iterable[int | None]) -> int | None:
    """The sum of what is known; None if nothing is."""
    known = [v for v in values if v is not None]
    return sum(known) if known else None


def judge(
    world: World,
    lake: Path,
    zone: tzinfo,
    sql: Sql,
    is_scaled: Callable[[datetime], bool] = lambda at: False,
) -> Judgement:
    """Every table of the lake against the truth, and every certificate."""
    first_read: dict[str, list[datetime]] = defaultdict(list)
    for row in sql("SELECT media_id, valid_from FROM silver.dim_media_history"):
        first_read[row["media_id"]].append(row["valid_from"])
    truth, found = Truth(world, lake, zone, first_read, is_scaled), Judgement()
    found.refused = truth.refused
    sessions = truth.session_rows()
    published = [s for s in sessions if (s["media_id"], s["event_date_local"]) in truth.days]
    engagement = _engagement(sessions, truth.days)
    listed = sql("SELECT * FROM silver.fact_events")
    found.duplicated += len(listed) - len({r["event_key"] for r in listed})
    found.compare(
        "silver.fact_events", ("event_key",), sessions, [r for r in listed if r["removed_at"] is None]
    )
    checks: tuple[tuple[str, tuple[str, ...], Iterable[Row]], ...] = (
        ("silver.fact_media_by_date", ("media_id", "date"), truth.by_date_rows()),
        ("silver.media_lifetime", ("media_id", "snapshot_date"), truth.lifetime_rows()),
        ("silver.dim_media", ("media_id",), truth.media_rows()),
        ("gold.fact_media_daily", ("media_id", "date"), truth.daily_rows(sessions)),
        ("gold.fact_media_engagement", ("media_id", "visitor_id", "date"), engagement),
        ("gold.dim_visitor", ("visitor_id",), _visitors(engagement, published)),
        *(
            (f"gold.{name}_daily", ("media_id", "date", *dims), _grouped(sessions, truth.days, dims))
            for name, dims in (
                ("geo", ("country", "region")),
                ("device", ("platform", "browser", "is_mobile")),
            )
        ),
    )
    for name, key, expected in checks:
        found.compare(name, key, expected, sql(f"SELECT * FROM {name}"))
    _quarantine(found, truth, sql)
    _derived(found, truth, sql)
    _certificates(found, truth, sql)
    return found


def _quarantine(found: Judgement, truth: Truth, sql: Sql) -> None:
    """As many refused records of each media and day as its newest list misshapes."""
    rows = sql("SELECT media_id, dt, dataset, count(*) AS records FROM silver.quarantine GROUP BY ALL")
    found.compare("silver.quarantine", ("media_id", "dt", "dataset"), truth.quarantined(), rows)


SEEN = ("sessions", "plays_from_events", "conversions", "unique_viewers", "viewed_millionths", "reached_25",
        "reached_50", "reached_75", "reached_95")  # fmt: skip


def _certificates(found: Judgement, truth: Truth, sql: Sql) -> None:
    """A certified day says what the source says at the end. Of a media that is gone nobody can say."""
    alive = {m.media_id for m in truth.world.truth.medias()}
    for row in sql("SELECT * FROM gold.fact_media_daily WHERE certificate = 'certified'"):
        media, day = row["media_id"], row["date"]
        if media not in alive:
            continue
        found.certified += 1
        (counts,) = truth.world.truth.by_date(media, day, day)
        sessions = [truth.session_row(s, None) for s in truth.now(media, day)]
        true = {n: v for n, v in _measures(sessions).items() if n in SEEN}
        true |= {"loads": counts["load_count"], "plays": counts["play_count"]}
        wrong = [f"{n} is {row[n]}, the source says {v}" for n, v in true.items() if row[n] != v]
        if wrong:
            found.contradicted += 1
            found.say("certificates", f"{media} on {day} is certified, but {'; '.join(wrong[:3])}")


def _derived(found: Judgement, truth: Truth, sql: Sql) -> None:
    """Tables that say again, in another shape, what the ones above hold: they must add up to them."""
    listed = {r["event_key"]: r for r in sql("SELECT * FROM silver.fact_events WHERE removed_at IS NULL")}
    for name, dims in (("channel", ("channel",)), ("embed", ("embed_host",))):
        expected = _grouped(list(listed.values()), truth.days, dims)
        found.compare(
            f"gold.{name}_daily",
            ("media_id", "date", *dims),
            expected,
            sql(f"SELECT * FROM gold.{name}_daily"),
        )
    observations = sql("SELECT * FROM silver.media_by_date_observations ORDER BY media_id, date, observed_at")
    expected_rows = []
    for row in observations:
        (true,) = truth.world.truth.by_date(row["media_id"], row["date"], row["date"], row["observed_at"])
        expected_rows.append(
            {"media_id": row["media_id"], "date": row["date"], "observed_at": row["observed_at"]}
            | {n: true[n] for n in ("load_count", "play_count")}
            | {"hours_watched_modelled": float(true["hours_watched"])}  # type: ignore[arg-type]
        )
    key = ("media_id", "date", "observed_at")
    found.compare("silver.media_by_date_observations", key, expected_rows, observations)
    _spans(found, sql)
    _retention(found, sql)


def _spans(found: Judgement, sql: Sql) -> None:
    """`dim_media_history`: spans touch each other, and the current one says what `dim_media` says."""
    rows = sql("SELECT * FROM silver.dim_media_history ORDER BY media_id, valid_from")
    media = {r["media_id"]: r for r in sql("SELECT * FROM silver.dim_media")}
    expected = []
    for number, row in enumerate(rows):
        after = rows[number + 1] if number + 1 < len(rows) else None
        follows = after is not None and after["media_id"] == row["media_id"]
        ends = after["valid_from"] if after is not None and follows else None
        wanted = {"media_id": row["media_id"], "valid_from": row["valid_from"], "valid_to": ends}
        if not follows:
            wanted |= {
                n: media[row["media_id"]][n] for n in ("title", "duration_seconds", "tags", "archived")
            }
        expected.append(wanted | {"is_current": not follows})
    found.compare("silver.dim_media_history", ("media_id", "valid_from"), expected, rows)


def _retention(found: Judgement, sql: Sql) -> None:
    """`media_retention_daily`: one row a pair of snapshots with curves, differences where told."""
    rows = sql("SELECT * FROM silver.media_lifetime ORDER BY media_id, snapshot_date")
    curves = [r for r in rows if r["engagement_data"]]
    expected = []
    for before, after in pairwise(curves):
        if before["media_id"] == after["media_id"]:
            wanted = {"media_id": after["media_id"], "date": after["snapshot_date"]}
            wanted |= {"previous_date": before["snapshot_date"]}
            old, new = before["engagement_data"], after["engagement_data"]
            same = before["duration_seconds"] == after["duration_seconds"] and len(old) == len(new)
            if same and all(b >= a for a, b in zip(old, new, strict=True)):
                wanted |= {"views": [b - a for a, b in zip(old, new, strict=True)], "verdict": "comparable"}
            expected.append(wanted)
    name = "gold.media_retention_daily"
    found.compare(name, ("media_id", "date"), expected, sql(f"SELECT * FROM {name}"))


def differing(
    before: list[dict[str, Any]], after: list[dict[str, Any]], key: tuple[str, ...], columns: tuple[str, ...]
) -> list[str]:
    """The rows of which one of two readings of a table has none, or another one, in words."""
    old, new = ({tuple(r[k] for k in key): r for r in rows} for rows in (before, after))
    counts = [Counter(tuple(r[k] for k in key) for r in rows) for rows in (before, after)]
    found = [f"{at} is gone" for at in old.keys() - new.keys()]
    found += [f"{at} is new" for at in new.keys() - old.keys()]
    for at in old.keys() & new.keys():
        if counts[0][at] != counts[1][at]:
            found.append(f"{at} stood {counts[0][at]} times, stands {counts[1][at]} times")
        moved = [c for c in columns if not _same(old[at][c], new[at][c])]
        if moved:
            c = moved[0]
            found.append(f"{at}: {c} was {old[at][c]!r}, is {new[at][c]!r}")
    return found


def told(counts: Counter[str]) -> dict[str, int]:
    """Counts by kind, ordered by name."""
    return {kind: counts[kind] for kind in sorted(counts)}
