"""Thirty questions that a marketer asks an assistant, the tool that answers each, and its truth in plain Python.

The truth comes from the simulated world (`wistlake_soak.truth`): no code of the planner takes part.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from wistlake_soak.truth import Truth

Row = dict[str, Any]
WEEK = (date(2026, 2, 16), date(2026, 2, 22))
LATELY = (date(2026, 2, 23), date(2026, 3, 1))  # the newest days may still change
BOTH = (WEEK[0], LATELY[1])
CAMPAIGN = {0: {"campaign": "spring"}, 1: {"campaign": "spring", "audience": "new"}}
LOOKBACK_DAYS = 2
Period = tuple[date, date]


class Facts:
    """The world as it was read: media days, sessions, and what people call the media."""

    def __init__(self, truth: Truth, media: list[str]) -> None:
        tables = truth.tables()
        self.media = media
        self.titles = {r["media_id"]: r["title"] for r in tables["silver.dim_media"]}
        self._days: list[Row] = tables["gold.fact_media_daily"]
        self._sessions = [s | {"date": s["event_date_local"]} for s in truth.published_sessions]
        self.lifetime: list[Row] = tables["silver.media_lifetime"]
        self.settled = truth.settled(LOOKBACK_DAYS)

    def days(self, period: Period, media: tuple[str, ...] = ()) -> list[Row]:
        """Media days of the period."""
        return [d for d in self._days if _within(d, period, media)]

    def sessions(self, period: Period, media: tuple[str, ...] = (), channel: str = "") -> list[Row]:
        """Sessions of the period."""
        return [
            s
            for s in self._sessions
            if _within(s, period, media) and (not channel or s["channel"] == channel)
        ]

    def loaded(self, period: Period) -> list[Row]:
        """Sessions of the media days that have loads."""
        loads = {(d["media_id"], d["date"]) for d in self.days(period) if d["loads"]}
        return [s for s in self.sessions(period) if (s["media_id"], s["date"]) in loads]

    def labelled(self, label: str) -> tuple[str, ...]:
        """The media with `label=value`."""
        name, _, value = label.partition("=")
        return tuple(self.media[n] for n, of in CAMPAIGN.items() if of.get(name) == value)

    @property
    def channel(self) -> str:
        """The one with the most sessions lately."""
        counts = by(self.sessions(LATELY), "channel", len)
        return str(max(sorted(counts, key=str), key=lambda c: counts[c]))

    @property
    def best(self) -> str:
        """The media with the most plays of the week."""
        plays = by(self.days(WEEK), "media_id", lambda d: added(d, "plays"))
        return str(max(plays, key=lambda m: plays[m]))


def _within(row: Row, period: Period, media: tuple[str, ...]) -> bool:
    return period[0] <= row["date"] <= period[1] and (not media or row["media_id"] in media)


def by(rows: list[Row], name: str, value: Callable[[list[Row]], Any]) -> dict[Hashable, Any]:
    """The value of each group."""
    groups: dict[Hashable, list[Row]] = defaultdict(list)
    for row in rows:
        groups["" if row[name] is None else row[name]].append(row)
    return {key: value(of) for key, of in groups.items()}


def added(rows: list[Row], name: str) -> Any:
    """The sum of what is known."""
    return sum(r[name] for r in rows if r[name] is not None)


def viewers(rows: list[Row]) -> int:
    return len({r["visitor_id"] for r in rows})


def completed(rows: list[Row]) -> float:
    return sum(r["percent_viewed"] >= 0.95 for r in rows) / len(rows)


def converted(rows: list[Row]) -> int:
    return sum(bool(r["conversion_type"]) for r in rows)


def played(rows: list[Row]) -> int:
    return len(rows) - converted(rows)


def watched(rows: list[Row]) -> Any:
    timed = [r["watch_milliseconds"] for r in rows if r["watch_milliseconds"] is not None]
    return sum(timed) / 1000 if timed else None


def device(row: Row) -> str:
    return f"{row['platform'] or ''}{', mobile' if row['is_mobile'] else ''}"


@dataclass(frozen=True)
class Question:
    """What is asked, of which tool with which arguments, and what is true. `column` is the dimension of its rows, none
    for a single figure; the figure's own column is the metric's, or `figure`."""

    asks: str
    tool: str
    arguments: Callable[[Facts], Mapping[str, Any]]
    truth: Callable[[Facts], Any]
    period: Period
    column: str = ""
    figure: str = ""
    media: Callable[[Facts], tuple[str, ...]] = lambda _: ()

    def answered(self, answer: Mapping[str, Any], facts: Facts) -> Any:
        """The figures of an answer, in the form of the truth."""
        figure = self.figure or str(self.arguments(facts)["metric"])
        if not self.column:
            return answer["rows"][0][figure]
        return {_key(row[self.column]): row[figure] for row in answer["rows"]}


def _key(value: Any) -> Any:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return value


def _metric(
    asks: str, metric: str, period: Period, truth: Callable[[Facts], Any], dimension: str = "", **more: Any
) -> Question:
    said = {"metric": metric, "start": str(period[0]), "end": str(period[1])}
    if dimension:
        said |= {"by": [dimension]}
    media = more.pop("only", lambda _: ())
    figure, asked = more.pop("figure", ""), more.pop("asked", lambda _: {})
    column = "media_id" if dimension == "media" else dimension
    return Question(
        asks, "metric", lambda f: {**said, **more, **asked(f)}, truth, period, column, figure, media
    )


QUESTIONS = (
    _metric("How many plays did we have in the week of 16 February?", "plays", WEEK,
            lambda f: added(f.days(WEEK), "plays")),
    _metric("And each video?", "plays", WEEK,
            lambda f: by(f.days(WEEK), "media_id", lambda d: added(d, "plays")), "media"),
    Question("Which video was played most that week?", "top",
             lambda f: {"metric": "plays", "count": 1, "start": str(WEEK[0]), "end": str(WEEK[1])},
             lambda f: {f.best: added(f.days(WEEK, (f.best,)), "plays")}, WEEK, "media_id"),
    _metric("How many people watched?", "unique_viewers", WEEK, lambda f: viewers(f.sessions(WEEK))),
    _metric("How many people by channel, lately?", "unique_viewers", LATELY,
            lambda f: by(f.sessions(LATELY), "channel", viewers), "channel"),
    _metric("How many plays were there before these days?", "plays", LATELY, lambda f: added(f.days(WEEK), "plays"),
            compare=True, figure="before"),
    _metric("By how much did the number of viewers change?", "unique_viewers", LATELY,
            lambda f: viewers(f.sessions(LATELY)) - viewers(f.sessions(WEEK)), compare=True, figure="change"),
    _metric("Plays on each day, lately?", "plays", LATELY,
            lambda f: by(f.days(LATELY), "date", lambda d: added(d, "plays")), "date"),
    _metric("Plays week by week?", "plays", BOTH,
            lambda f: {p[0]: added(f.days(p), "plays") for p in (WEEK, LATELY)}, "week"),
    _metric("Viewers week by week?", "unique_viewers", BOTH,
            lambda f: {p[0]: viewers(f.sessions(p)) for p in (WEEK, LATELY)}, "week"),
    _metric("How often was a player loaded?", "loads", WEEK, lambda f: added(f.days(WEEK), "loads")),
    _metric("What share of loads became plays?", "plays_per_load", WEEK,
            lambda f: added(f.days(WEEK), "plays") / added(f.days(WEEK), "loads")),
    _metric("How many viewers for each load?", "viewers_per_load", WEEK,
            lambda f: viewers(f.loaded(WEEK)) / added(f.days(WEEK), "loads")),
    _metric("How long did people watch, in seconds?", "watch_seconds", WEEK, lambda f: watched(f.sessions(WEEK))),
    _metric("Which video held people longest in all?", "watch_seconds", WEEK,
            lambda f: dict.fromkeys(f.media, 0.0) | by(f.sessions(WEEK), "media_id", watched), "media"),
    _metric("How much of a video do people see on average?", "average_viewed_share", LATELY,
            lambda f: added(f.sessions(LATELY), "percent_viewed") / len(f.sessions(LATELY))),
    _metric("Which videos are watched to the end?", "completion_share", WEEK,
            lambda f: dict.fromkeys(f.media) | by(f.sessions(WEEK), "media_id", completed), "media"),
    _metric("Which channel's viewers stay to the end?", "completion_share", LATELY,
            lambda f: by(f.sessions(LATELY), "channel", completed), "channel"),
    _metric("Plays of the spring campaign?", "plays", WEEK,
            lambda f: added(f.days(WEEK, f.labelled("campaign=spring")), "plays"), labels=["campaign=spring"],
            only=lambda f: f.labelled("campaign=spring")),
    _metric("Plays by label?", "plays", WEEK,
            lambda f: {n: added(f.days(WEEK, f.labelled(n)), "plays") for n in ("campaign=spring", "audience=new")},
            "label"),
    _metric("From which countries are the plays, lately?", "plays_from_events", LATELY,
            lambda f: by(f.sessions(LATELY), "country", played), "country"),
    _metric("How many viewers does each country have?", "unique_viewers", LATELY,
            lambda f: by(f.sessions(LATELY), "country", viewers), "country"),
    _metric("On which devices?", "sessions", WEEK,
            lambda f: by([s | {"device": device(s)} for s in f.sessions(WEEK)], "device", len), "device"),
    _metric("How many conversions, lately?", "conversions", LATELY, lambda f: converted(f.sessions(LATELY))),
    _metric("Which channel converts?", "conversions", LATELY,
            lambda f: by(f.sessions(LATELY), "channel", converted), "channel"),
    _metric("How many got past the first quarter?", "reached_25", WEEK,
            lambda f: sum(s["percent_viewed"] >= 0.25 for s in f.sessions(WEEK))),
    _metric("Of the strongest channel alone: sessions by video?", "sessions", LATELY,
            lambda f: {m: len(f.sessions(LATELY, (m,), f.channel)) for m in f.media}, "media",
            asked=lambda f: {"channels": [f.channel]}),
    _metric("Which campaigns brought plays?", "plays_from_events", LATELY,
            lambda f: by(f.sessions(LATELY), "utm_campaign", played), "utm_campaign"),
    _metric("How many people watched our best video on each day?", "unique_viewers", WEEK,
            lambda f: {WEEK[0] + timedelta(days=n): viewers(f.sessions((WEEK[0] + timedelta(days=n),) * 2, (f.best,)))
                       for n in range(7)}, "date", asked=lambda f: {"media": f.best}, only=lambda f: (f.best,)),
    Question("Why has our best video this number of plays on 18 February?", "explain",
             lambda f: {"media": f.best, "day": "2026-02-18"},
             lambda f: added(f.days((date(2026, 2, 18),) * 2, (f.best,)), "plays"),
             (date(2026, 2, 18), date(2026, 2, 18)), figure="plays", media=lambda f: (f.best,)),
)  # fmt: skip
