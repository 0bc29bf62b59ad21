"""The numbers that people see, from published tables only. Report, digest and app share them, so that they
can't disagree. SQL that DuckDB and Athena read alike; ratios are ratios of sums, uniques are recounted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from wistlake.foreign import one_line
from wistlake_dashboard import tables, words
from wistlake_dashboard.coverage import Coverage, coverage
from wistlake_dashboard.names import unique
from wistlake_dashboard.scope import Scope, day_literal, listed

if TYPE_CHECKING:
    from wistlake.ports import Query

Row = dict[str, Any]
UNCLASSIFIED = "unclassified"
BREAKDOWNS: Mapping[str, tuple[str, str]] = {
    # name: (table, expression)
    "channel": ("gold.channel_daily", "channel"),
    "country": ("gold.geo_daily", "country"),
    "device": ("gold.device_daily", "platform || CASE WHEN is_mobile THEN ', mobile' ELSE '' END"),
    "browser": ("gold.device_daily", "browser"),
    "embed": ("gold.embed_daily", "embed_host"),
}
_SUMS = (
    "loads", "plays", "plays_from_events", "sessions", "timed_sessions", "watch_milliseconds",
    "full_milliseconds", "viewed_millionths", "reached_25", "reached_50", "reached_75", "reached_95", "conversions",
)  # fmt: skip
_ADDED = ", ".join(f"sum({name}) AS {name}" for name in _SUMS) + (
    ", sum(CASE WHEN sessions > 0 AND coalesce(loads, 0) = 0 THEN 1 ELSE 0 END) AS days_without_loads"
)


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over some media days, and the ratios that follow. None where nobody has said."""

    loads: int | None = None
    plays: int | None = None
    plays_from_events: int = 0
    sessions: int = 0
    timed_sessions: int = 0
    unique_viewers: int = 0
    viewers_of_loads: int = 0
    watch_milliseconds: int | None = 0
    full_milliseconds: int = 0
    viewed_millionths: int = 0
    reached_25: int = 0
    reached_50: int = 0
    reached_75: int = 0
    reached_95: int = 0
    conversions: int = 0

    @property
    def viewers_per_load(self) -> float | None:
        """viewers_per_load: distinct viewers over loads, of the same media days."""
        return _ratio(self.viewers_of_loads, self.loads)

    @property
    def played(self) -> int:
        """Plays as Wistia counts them, or in sessions where it has not said."""
        return self.plays_from_events if self.plays is None else self.plays

    @property
    def watch_seconds(self) -> float | None:
        """Seconds watched, in the sessions whose media has a known duration; None if none of them has."""
        return None if self.watch_milliseconds is None else self.watch_milliseconds / 1000

    @property
    def watch_hours(self) -> float | None:
        """The same in hours."""
        return None if self.watch_seconds is None else self.watch_seconds / 3600

    @property
    def completion(self) -> float | None:
        """completion_share."""
        return _ratio(self.reached_95, self.sessions)

    @property
    def average_viewed(self) -> float | None:
        """average_viewed_share."""
        return _ratio(self.viewed_millionths / 1e6, self.sessions)


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def totals_of(sums: Mapping[str, Any], viewers: Mapping[str, Any] | None = None) -> Totals:
    """A row of sums and one of recounted viewers as Totals; absent and NULL values take their defaults, but
    sessions without a watch time were not watched for no time: it is unknown. Where every day has loads, all
    viewers have."""
    people = viewers or {}
    row = {"viewers_of_loads": people.get("unique_viewers"), **sums, **people}
    known = {f.name: row[f.name] for f in fields(Totals) if row.get(f.name) is not None}
    if row.get("sessions") and not row.get("timed_sessions", True):
        known["watch_milliseconds"] = None
    return Totals(**known)


def rows(query: "Query", text: str) -> list[Row]:
    """A query's rows as dicts, texts fit to be shown. Sums of integers are integers: one engine calls them
    decimals."""
    return [{k: _plain(v) for k, v in row.items()} for row in query.sql(text).to_pylist()]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return one_line(value) if isinstance(value, str) else value


def extent(query: "Query") -> tuple[date, date] | None:
    """First and last published day; None while there is none."""
    found = rows(query, "SELECT min(date) AS first, max(date) AS last FROM gold.fact_media_daily")[0]
    return (found["first"], found["last"]) if found["last"] else None


def media(query: "Query") -> dict[str, Row]:
    """media_id to title, duration, channel and `name` (the title, with the id where several media share it),
    also for media that have numbers but no row of their own."""
    found = rows(
        query,
        "SELECT d.media_id, m.title, m.duration_seconds, m.channel, m.url FROM "
        "(SELECT DISTINCT media_id FROM gold.fact_media_daily UNION SELECT media_id FROM silver.dim_media) d "
        "LEFT JOIN silver.dim_media m ON m.media_id = d.media_id ORDER BY m.title, d.media_id",
    )
    titles = {r["media_id"]: r["title"] or r["media_id"] for r in found}
    names = unique(titles)
    return {m: r | {"title": titles[m], "name": names[m]} for m, r in ((r["media_id"], r) for r in found)}


def names(query: "Query") -> dict[str, str]:
    """media_id to a name that no other media has."""
    return {m: str(row["name"]) for m, row in media(query).items()}


def totals(query: "Query", scope: Scope) -> Totals:
    """One scope's sums, and its visitors counted once."""
    sums = rows(query, f"SELECT {_ADDED} FROM {tables.daily(scope)} d WHERE {scope.where()}")[0]
    return totals_of(sums, _viewers(query, "1", scope, [sums]).get(1))


def by_day(query: "Query", scope: Scope) -> dict[date, Totals]:
    """Each published day's sums; a day that is missing is not zero."""
    found = rows(
        query,
        f"SELECT date, {_ADDED} FROM {tables.daily(scope)} d WHERE {scope.where()} GROUP BY date ORDER BY date",
    )
    viewers = _viewers(query, "date", scope, found)
    return {r["date"]: totals_of(r, viewers.get(r["date"])) for r in found}


def by_media(query: "Query", scope: Scope) -> dict[str, Totals]:
    """Each media's sums."""
    found = rows(
        query,
        f"SELECT media_id, {_ADDED} FROM {tables.daily(scope)} d WHERE {scope.where()} GROUP BY media_id",
    )
    viewers = _viewers(query, "media_id", scope, found)
    return {r["media_id"]: totals_of(r, viewers.get(r["media_id"])) for r in found}


def _viewers(query: "Query", by: str, scope: Scope, sums: Iterable[Row]) -> dict[Any, Row]:
    grouped = f" GROUP BY {by}" if by != "1" else ""
    counted, engagement = _people(scope, sums)
    found = rows(query, f"SELECT {by} AS k, {counted} FROM {engagement} e WHERE {scope.where()}{grouped}")
    return {r["k"]: r for r in found}


def _people(scope: Scope, sums: Iterable[Row]) -> tuple[str, str]:
    """What counts viewers anew, and where. Those of media days without loads have nothing to be divided by: they
    are told apart where there are such days, for that takes three times as long."""
    counted = "count(DISTINCT visitor_id) AS unique_viewers"
    if scope.channels or not any(r["days_without_loads"] for r in sums):
        return counted, tables.engagement(scope)
    of_loads = "count(DISTINCT CASE WHEN loads > 0 THEN visitor_id END) AS viewers_of_loads"
    return f"{counted}, {of_loads}", tables.engagement_and_loads()


_Sums = dict[tuple[int, str | None], Totals]


@dataclass(frozen=True, slots=True)
class Pair:
    """A period beside the one before; `before` is None where too little of that one is published. `alike` is
    the part of `now` that is compared with it: all of it, unless one of the two lacks days."""

    now: Totals
    before: Totals | None
    alike: Totals | None = None

    @property
    def compared(self) -> Totals:
        """What of `now` stands against `before`."""
        return self.now if self.alike is None else self.alike


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything about a period and the one before that adds up, and what the two lack."""

    whole: Pair
    media: dict[str, Pair]
    coverage: Coverage


def compare(query: "Query", scope: Scope) -> Comparison:
    """Two periods, whole and by media. Like is compared with like: a media's day that one of them lacks
    is left out of both, and a media without half of its days is not compared."""
    cover = coverage(query, scope)
    every = _two_periods(query, scope, "")
    even = every if cover.is_whole else _two_periods(query, scope, f" AND {cover.condition()}")
    ids = sorted({m for _, m in every if m})
    return Comparison(
        _pair(every, even if cover.even else None, None),
        {m: _pair(every, even if m in cover.even else None, m) for m in ids},
        cover,
    )


def _pair(every: _Sums, even: _Sums | None, media_id: str | None) -> Pair:
    """All that is shown of `every`, and what of it is compared: `even`, or nothing."""
    now, nothing = every.get((1, media_id), Totals()), Totals(loads=0, plays=0)
    if even is None:
        return Pair(now, None)
    return Pair(now, even.get((0, media_id), nothing), even.get((1, media_id), nothing))


def _two_periods(query: "Query", scope: Scope, condition: str) -> _Sums:
    """Sums by (1 for the scope, 0 for the period before; media, None for all of them), in two queries: uniques
    are counted in each group anew."""
    both = scope.with_before
    # Grouping sets over names: not every engine takes expressions there.
    split = f"CASE WHEN date >= {day_literal(scope.start)} THEN 1 ELSE 0 END AS p"
    grouped = "GROUP BY GROUPING SETS ((p), (p, media_id))"
    where = f"WHERE {both.where()}{condition}"
    sums = rows(
        query,
        f"SELECT p, media_id, {_ADDED} FROM (SELECT {split}, d.* FROM {tables.daily(both)} d {where}) s {grouped}",
    )
    counted, engagement = _people(both, sums)
    viewers = {
        (r["p"], r["media_id"]): r
        for r in rows(
            query,
            f"SELECT p, media_id, {counted} FROM (SELECT {split}, e.* FROM {engagement} e {where}) s {grouped}",
        )
    }
    return {(r["p"], r["media_id"]): totals_of(r, viewers.get((r["p"], r["media_id"]))) for r in sums}


def breakdown(query: "Query", name: str, scope: Scope) -> list[Row]:
    """`name` (a value of BREAKDOWNS), plays_from_events, sessions, and what all those sessions watched: greatest
    first; "" is unknown."""
    table, expression = BREAKDOWNS[name]
    where = scope.where_channel() if name == "channel" else scope.where()
    return rows(
        query,
        f"SELECT {expression} AS name, sum(plays_from_events) AS plays_from_events, sum(sessions) AS sessions, "
        f"sum(watch_milliseconds) AS watch_milliseconds, sum(reached_95) AS reached_95 "
        f"FROM {tables.dimension(table, scope)} d WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1",
    )


def channels_by_day(query: "Query", scope: Scope) -> list[Row]:
    """date, channel, plays_from_events."""
    return rows(
        query,
        "SELECT date, channel, sum(plays_from_events) AS plays_from_events FROM gold.channel_daily "
        f"WHERE {scope.where_channel()} GROUP BY date, channel ORDER BY date, channel",
    )


_REASONS = {
    "comparable": "nothing was played between them",
    "media_swapped": "the file was swapped between them",
    "duration_changed": "the duration changed between them",
    "restated": "Wistia restated the curve between them",
}


@dataclass(frozen=True, slots=True)
class Retention:
    """The share of plays that saw each second (or each thousandth of a long media); who sees a second again is
    not counted again. `ever` is the newest lifetime snapshot of the scope, `lately` what was added since the
    first one: None unless they can be compared."""

    media_id: str
    first_day: date
    last_day: date
    duration_seconds: float | None
    ever: list[float]
    lately: list[float] | None
    engagement_first: float | None
    engagement_last: float | None
    verdict: str

    @property
    def moved(self) -> str:
        """How the curve moved between the two snapshots, in words; or why that can't be said."""
        said = f"Snapshots of {words.day(self.first_day)} and {words.day(self.last_day)}."
        if self.first_day == self.last_day:
            return f"Snapshot of {words.day(self.last_day)}; there is no earlier one in these days."
        if self.engagement_first is not None and self.engagement_last is not None:
            first, last = words.share(self.engagement_first), words.share(self.engagement_last)
            said += f" Seen on average, ever: {first}, then {last}."
        if self.lately is None:
            said += f" No curve of these days alone: {_REASONS[self.verdict]}."
        return said


def retention(query: "Query", scope: Scope) -> dict[str, Retention]:
    """By media: the newest curve of the scope, and how it moved between the scope's snapshots."""
    chosen = f"media_id IN {listed(scope.media)} AND " if scope.media else ""
    found = rows(
        query,
        "SELECT l.media_id, l.snapshot_date, l.play_count, l.engagement, l.engagement_data, l.rewatch_data, "
        "l.duration_seconds, l.original_asset FROM silver.media_lifetime l JOIN (SELECT media_id, "
        "min(snapshot_date) AS lo, max(snapshot_date) AS hi FROM silver.media_lifetime "
        f"WHERE {chosen}{_snapshots(query, scope)} AND play_count > 0 AND engagement_data IS NOT NULL "
        "GROUP BY media_id) e "
        "ON l.media_id = e.media_id AND (l.snapshot_date = e.lo OR l.snapshot_date = e.hi) "
        "ORDER BY l.media_id, l.snapshot_date",
    )
    by_id: dict[str, list[Row]] = {}
    for r in found:
        if r["engagement_data"]:
            by_id.setdefault(r["media_id"], []).append(r)
    return {m: _curves(snapshots[0], snapshots[-1]) for m, snapshots in by_id.items()}


def _snapshots(query: "Query", scope: Scope) -> str:
    """A condition on the snapshots that tell of the scope. One of day D + 1, early in the morning, is the state
    at the end of day D; days are published a day or two after they end, so the newest days have all newer ones."""
    since = f"snapshot_date >= {day_literal(scope.start)}"
    published = extent(query)
    if published is None or published[1] <= scope.end:
        return since
    return f"{since} AND snapshot_date <= {day_literal(_after(scope.end))}"


def _after(day: date) -> date:
    return date.fromordinal(day.toordinal() + 1)


def _first_views(snapshot: Row) -> list[int]:
    """Plays that saw each second, once or more."""
    views: list[int] = snapshot["engagement_data"]
    again = snapshot["rewatch_data"] or []
    if len(again) != len(views):
        return views
    return [max(0, seen - repeated) for seen, repeated in zip(views, again, strict=True)]


def _shares(seen: list[int], plays: int) -> list[float]:
    """Of the plays. Wistia counts plays and curves at moments of its own: there were at least as many plays as
    saw one second."""
    whole = max(plays, *seen)
    return [n / whole for n in seen]


def _curves(first: Row, last: Row) -> Retention:
    verdict = _comparable(first, last)
    lately = None
    if verdict == "comparable":
        plays = last["play_count"] - first["play_count"]
        added = [b - a for a, b in zip(_first_views(first), _first_views(last), strict=True)]
        lately = _shares(added, plays) if max(plays, *added) > 0 else None
    return Retention(
        last["media_id"],
        first["snapshot_date"],
        last["snapshot_date"],
        last["duration_seconds"],
        _shares(_first_views(last), last["play_count"]),
        lately,
        first["engagement"],
        last["engagement"],
        verdict,
    )


def _comparable(first: Row, last: Row) -> str:
    """The same three reasons as gold.media_retention_daily's verdict, from the first to the last snapshot."""
    if first["original_asset"] != last["original_asset"]:
        return "media_swapped"
    a, b = first["engagement_data"], last["engagement_data"]
    if first["duration_seconds"] != last["duration_seconds"] or len(a) != len(b):
        return "duration_changed"
    counted = ((a, b), (_first_views(first), _first_views(last)))
    fell = any(new < old for was, now in counted for old, new in zip(was, now, strict=True))
    return "restated" if fell or last["play_count"] < first["play_count"] else "comparable"


@dataclass(frozen=True, slots=True)
class Trust:
    """How far the scope's numbers may be believed. `last_run` is NULL-free or None."""

    certificates: dict[str, int]
    provisional: tuple[date, date] | None
    last_run: Row | None
    broken: int
    quarantined: int
    failed: int
    is_simulated: bool

    @property
    def media_days(self) -> int:
        """Published (media, day) pairs."""
        return sum(self.certificates.values())

    @property
    def certified(self) -> int:
        """Those with the highest certificate."""
        return self.certificates.get("certified", 0)


def trust(query: "Query", scope: Scope) -> Trust:
    """Certificates, last run, broken identities, refused records and failed intervals of the scope."""
    certificates = rows(
        query,
        "SELECT certificate, count(*) AS n, min(date) AS first, max(date) AS last FROM gold.fact_media_daily "
        f"WHERE {scope.where()} GROUP BY certificate",
    )
    runs = rows(
        query,
        "SELECT run_id, trigger, origin, status, started_at, ended_at FROM ops.runs ORDER BY started_at DESC LIMIT 1",
    )
    counts = rows(
        query,
        "SELECT (SELECT count(*) FROM ops.reconciliation WHERE verdict = 'broken' AND "
        f"{scope.where()}) AS broken, "
        f"(SELECT count(*) FROM silver.quarantine WHERE {scope.where('dt')}) AS quarantined, "
        f"(SELECT count(*) FROM ops.intervals WHERE state = 'failed' AND {scope.where('day')}) AS failed",
    )[0]
    open_days = next((r for r in certificates if r["certificate"] == "provisional"), None)
    return Trust(
        {r["certificate"]: r["n"] for r in certificates},
        (open_days["first"], open_days["last"]) if open_days else None,
        runs[0] if runs else None,
        counts["broken"],
        counts["quarantined"],
        counts["failed"],
        bool(runs) and runs[0]["origin"] == "simulated",
    )


def movers(comparison: Comparison, count: int = 5) -> list[tuple[str, int, Pair]]:
    """Media whose plays changed the most, greatest change first: media_id, change in plays, both periods.
    Plays in sessions, where Wistia's count is of no media known (as in a scope of channels)."""
    counted = any(pair.now.plays is not None for pair in comparison.media.values())
    moved = [
        (m, _played(pair.compared, counted=counted) - _played(pair.before, counted=counted), pair)
        for m, pair in comparison.media.items()
        if pair.before is not None
    ]
    return sorted((m for m in moved if m[1]), key=lambda m: (-abs(m[1]), m[0]))[:count]


def _played(totals: Totals, *, counted: bool) -> int:
    return (totals.plays or 0) if counted else totals.plays_from_events


def funnel(totals: Totals) -> list[tuple[str, str, int | None]]:
    """How many came how far, in words, with the metric and the number: loads, plays, then each mark. Where
    Wistia's counts are not known (as in a scope of channels) it begins with the sessions that the marks are of."""
    reached = [
        (f"Saw {mark} %", f"reached_{mark}", getattr(totals, f"reached_{mark}")) for mark in (25, 50, 75, 95)
    ]
    if totals.plays is None:
        return [("Sessions", "sessions", totals.sessions), *reached]
    return [("Loads", "loads", totals.loads), ("Plays", "plays", totals.plays), *reached]


def shares(found: Iterable[Row], top: int = 8) -> list[tuple[str, int, float]]:
    """A breakdown as (name, plays, share of all), the small ones added up as `other`."""
    listed_rows = [(r["name"] or "unknown", int(r["plays_from_events"] or 0)) for r in found]
    listed_rows = [r for r in listed_rows if r[1] > 0]
    whole = sum(n for _, n in listed_rows)
    shown = listed_rows[:top]
    rest = sum(n for _, n in listed_rows[top:])
    if rest:
        left = len(listed_rows) - top
        shown.append((f"{left} {'other' if left == 1 else 'others'}", rest))
    return [(name, n, n / whole) for name, n in shown]


def share_of(found: Iterable[Row], name: str) -> float:
    """The share of all plays of a breakdown that are of `name`, however few they are."""
    plays = {r["name"]: int(r["plays_from_events"] or 0) for r in found}
    return _ratio(plays.get(name, 0), sum(plays.values())) or 0.0
