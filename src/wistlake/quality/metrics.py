"""Metrics as code: one declaration each, from which views, documentation, tooltips and tests follow.

A metric is a numerator and, for ratios, a denominator, both SQL aggregates over rows of `fact_media_daily`, or of the
tables of Wistia's analytics. Sums add up over media and days; a ratio is always a ratio of sums; uniques are counted
anew.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from wistlake.contracts.fact_media_daily import TABLE as DAILY
from wistlake.contracts.form import Table, Type
from wistlake.errors import ConfigError
from wistlake.quality import account


class Adds(StrEnum):
    """What may be done with a metric's values of several days or media."""

    SUM = "adds up"
    RATIO = "no: ratio of sums"
    RECOUNT = "no: count anew"
    DAY = "no: of a media's day only"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `numerator` and `denominator` are columns of `gold.fact_media_daily`, added up; `scale`
    turns stored integers into the unit. `counted_in` is the column that counts the sessions for which the numerator has
    a value: if there are sessions and none has one, the sum is NULL, whatever days without a session add.
    `recount` is what a period counts anew in place of the numerator: an SQL aggregate over rows of
    `gold.fact_media_engagement`, each with the loads of its media's day.
    `daily`: a media's day has it, and not only a period."""

    name: str
    doc: str
    numerator: str
    adds: Adds
    source: str
    denominator: str = ""
    unit: str = "count"
    scale: float = 1.0
    bias: str = ""
    daily: bool = True
    counted_in: str = ""
    recount: str = ""

    @property
    def tooltip(self) -> str:
        """Definition and known bias, in a sentence or two."""
        return f"{self.doc} {self.bias}".strip()

    def of_day(self) -> str:
        """SQL of the metric on one row of `fact_media_daily`."""
        return self._sql(self.numerator, self.denominator)

    def over_days(self, table: Table = DAILY) -> str:
        """SQL of the metric over any group of rows, also of a table by a dimension. ConfigError for what is counted
        anew, or per day only."""
        if self.adds is Adds.RECOUNT:
            raise ConfigError(
                f"{self.name} does not add up: count distinct visitors in fact_media_engagement"
            )
        if self.adds is Adds.DAY:
            raise ConfigError(f"{self.name} is a value of a media's day, and of no longer period")
        below = f"sum({self.denominator})" if self.denominator else ""
        above = f"sum({self.numerator})"
        # A table by a dimension has rows of sessions only: no zero of a day without one can hide that nothing is known.
        if self.counted_in and table.has(self.counted_in):
            above = f"(CASE WHEN sum({self.counted_in}) > 0 OR sum(sessions) = 0 THEN {above} END)"
        return self._sql(above, below)

    def quotient(self, count: float | None, below: float | None) -> float | None:
        """The metric of a period whose `recount` and added denominator two queries have answered."""
        return count / below if count is not None and below else None

    def recounted(self, count: str, below: str) -> str:
        """SQL of the metric of a period from its `recount` and, if it has one, its added denominator."""
        return self._sql(count, below)

    @property
    def type(self) -> Type:
        """Of the metric's values in a view."""
        whole = not self.denominator and self.scale == 1.0
        return DAILY.column(self.numerator).type if whole else Type.DOUBLE

    def _sql(self, above: str, below: str) -> str:
        scaled = above if self.scale == 1.0 else f"CAST({above} AS DOUBLE) / {self.scale}"
        return f"CAST({scaled} AS DOUBLE) / NULLIF({below}, 0)" if below else scaled


_EVENTS, _BY_DATE = "sessions (/stats/events)", "Wistia's daily counts (by_date)"
_ANALYTICS = "Wistia's analytics"

METRICS: tuple[Metric, ...] = (
    Metric("loads", "Times the player was loaded on the account's day.", "loads", Adds.SUM, _BY_DATE),
    Metric("plays", "Times it was played on the account's day.", "plays", Adds.SUM, _BY_DATE),
    Metric(
        "plays_from_events", "Distinct sessions without a conversion.", "plays_from_events", Adds.SUM, _EVENTS,
        bias="About 0.95 to 1.02 of plays: viewers in private sessions are not listed.",
    ),
    Metric("sessions", "Distinct sessions, those with a conversion too.", "sessions", Adds.SUM, _EVENTS),
    Metric(
        "unique_viewers", "Distinct visitors of the sessions.", "unique_viewers", Adds.RECOUNT, _EVENTS,
        recount="count(DISTINCT visitor_id)",
        bias="Privacy Mode gives every session a visitor of its own.",
    ),
    Metric(
        "play_rate_analytics", "Unique plays / unique loads, as Wistia computes it.", "play_rate_analytics",
        Adds.DAY, _ANALYTICS, unit="share",
    ),
    Metric(
        "play_rate_estimated", "Our estimate of a day: distinct viewers / loads of the media's day.",
        "unique_viewers", Adds.DAY, f"{_EVENTS} and {_BY_DATE}", "loads", "share",
        bias="Loads are not unique loads; never mixed with play_rate_analytics. Of a period: viewers_per_load.",
    ),
    Metric(
        "viewers_per_load", "Distinct viewers of the days / loads of the days.",
        "unique_viewers", Adds.RECOUNT, f"{_EVENTS} and {_BY_DATE}", "loads", "share",
        bias="Who comes back is one viewer and several loads: it falls as days are added, so compare periods of "
        "equal length. It is not Wistia's play rate.",
        daily=False, recount="count(DISTINCT CASE WHEN loads > 0 THEN visitor_id END)",
    ),
    Metric(
        "plays_per_load", "Plays / loads.", "plays", Adds.RATIO, _BY_DATE, "loads", "ratio",
        bias="May exceed 1; it is not the play rate.",
    ),
    Metric(
        "watch_seconds", "Time watched: share seen x duration, added up.", "watch_milliseconds", Adds.SUM,
        _EVENTS, unit="s", scale=1000.0, counted_in="timed_sessions",
        bias="Sessions without a known duration are left out; NULL if that is all.",
    ),
    Metric(
        "hours_watched_modelled", "Wistia's model: plays x lifetime engagement x duration.",
        "hours_watched_modelled", Adds.SUM, _BY_DATE, unit="hours",
        bias="Not what was watched that day, and restated for closed days: never a daily trend.",
    ),
    Metric(
        "average_viewed_share", "Share of the media that a session saw, on average.", "viewed_millionths",
        Adds.RATIO, _EVENTS, "sessions", "share", 1_000_000.0,
    ),
    Metric(
        "engagement_share", "Time watched / time there was to watch in the sessions.", "watch_milliseconds",
        Adds.RATIO, _EVENTS, "full_milliseconds", "share",
    ),
    Metric(
        "completion_share", "Sessions that saw 95 % or more / sessions.", "reached_95", Adds.RATIO, _EVENTS,
        "sessions", "share",
    ),
    *(
        Metric(f"reached_{m}", f"Sessions that saw {m} % or more.", f"reached_{m}", Adds.SUM, _EVENTS)
        for m in (25, 50, 75, 95)
    ),
    Metric("conversions", "Sessions with a conversion.", "conversions", Adds.SUM, _EVENTS),
)  # fmt: skip

# Of `gold.traffic_daily` and `gold.conversion_daily`. They add up within one dimension or kind alone: each play is in
# all dimensions, and a click may be in several kinds.
ANALYTICS: tuple[Metric, ...] = (
    Metric("analytics_loads", "Players loaded, after Wistia's bot filter.", "loads", Adds.SUM, _ANALYTICS),
    Metric(
        "analytics_plays", "Plays after Wistia's bot filter.", "plays", Adds.SUM, _ANALYTICS,
        bias="On busy days about a seventh fewer than plays; never mixed with figures of sessions.",
    ),
    Metric(
        "analytics_engagement", "Share of the media that a play saw, on average, after Wistia's bot filter.",
        "plays * engagement", Adds.RATIO, _ANALYTICS, "CASE WHEN engagement IS NOT NULL THEN plays END", "share",
    ),
    Metric(
        "impressions", "Times that a call to action or form was shown.", "impressions", Adds.SUM, _ANALYTICS,
        bias="Of forms Wistia does not tell.",
    ),
    Metric(
        "actions", "Times that a call to action was clicked, or a form sent.", "actions", Adds.SUM, _ANALYTICS,
        bias="Kinds overlap: they are never added up.",
    ),
    Metric(
        "action_rate", "Actions / impressions, where both are known.",
        "CASE WHEN impressions > 0 THEN actions END", Adds.RATIO, _ANALYTICS,
        "CASE WHEN actions IS NOT NULL THEN impressions END", "share",
    ),
)  # fmt: skip

_UNIQUES = ("unique_viewers", "unique_visitors")
_RATIOS = (
    *(m.name for m in METRICS if m.denominator or m.adds is Adds.DAY),
    "play_rate",
    "watched_share",
    "watched_percent",
    "share_of_plays",
    "rate",
)

# An aggregate over one column, also where it stands in coalesce() or behind a condition.
_CALL = re.compile(
    r"\b(avg|mean|median|sum)\s*\(\s*(?:coalesce\s*\(\s*|case\b[^()]*\bthen\s+)?(?:\w+\.)?(\w+)\s*(?:[),*/]|\bend\b)"
)


def metric(name: str) -> Metric:
    """The metric called `name`; KeyError if there is none."""
    return {m.name: m for m in (*METRICS, *ANALYTICS)}[name]


def definition(name: str) -> str:
    """Tooltip of the metric called `name`, else the contract's description of that column. KeyError if neither."""
    for one in (*METRICS, *ANALYTICS):
        if one.name == name:
            return one.tooltip
    for column in DAILY.columns:
        if column.name == name:
            return column.doc
    raise KeyError(name)


def misuses(sql: str) -> tuple[str, ...]:
    """Statistical mistakes in a query: averaged ratios and summed uniques, each as a sentence."""
    text = re.sub(r"'[^']*'|--[^\n]*", " ", sql.lower())
    mistakes = []
    for call, argument in re.findall(_CALL, text):
        if argument in _RATIOS:
            mistakes.append(f"{call}({argument}): a ratio is never averaged or added; divide the sums")
        elif call == "sum" and argument in _UNIQUES:
            mistakes.append(f"sum({argument}): uniques don't add up; count distinct visitor_id anew")
    return tuple(mistakes)


def media_view() -> str:
    """`gold.media_metrics`: every metric of a media over all its days; uniques counted anew. Days without
    loads don't count for viewers per load."""
    summed = ", ".join(f"{m.over_days()} AS {m.name}" for m in METRICS if adds_up(m))
    viewers, rate = metric("unique_viewers"), metric("viewers_per_load")
    return (
        "SELECT d.*, coalesce(u.unique_viewers, 0) AS unique_viewers,"
        f" {rate.recounted('coalesce(u.viewers_of_loads, 0)', 'd.loads')} AS viewers_per_load"
        f" FROM (SELECT media_id, {summed} FROM gold.fact_media_daily GROUP BY media_id) d"
        f" LEFT JOIN (SELECT e.media_id, {viewers.recount} AS unique_viewers,"
        f" {rate.recount} AS viewers_of_loads"
        " FROM gold.fact_media_engagement e JOIN gold.fact_media_daily f"
        " ON f.media_id = e.media_id AND f.date = e.date GROUP BY e.media_id) u ON u.media_id = d.media_id"
    )


def adds_up(one: Metric) -> bool:
    """Whether the metric of a period follows from sums over its days."""
    return one.adds in (Adds.SUM, Adds.RATIO)


def page() -> str:
    """The documentation of all metrics, as Markdown."""
    head = """# Metrics

Generated from the declarations; edit those. Ratios are never averaged; uniques are never summed.

| metric | definition | numerator / denominator | unit | over days and media | source | known bias |
| --- | --- | --- | --- | --- | --- | --- |
"""
    rows = [
        f"| `{m.name}` | {m.doc} | `{m.numerator}`{f' / `{m.denominator}`' if m.denominator else ''}"
        f" | {m.unit} | {m.adds} | {m.source} | {m.bias or '-'} |"
        for m in (*METRICS, *ANALYTICS)
    ]
    of_account = (
        f"\n## Share of the account\n\n`account_share`, of plays and of loads: {account.DEFINITION} A ratio of sums"
        " over any days; `ops.account` has the account's figures. The followed media may exceed them, or lack of them"
        f" where they are all that the account lists, by {account.BAND_LEAST} or {account.BAND_SHARE:.0%}, whichever is"
        " more, of a day and of all days together. A day is judged by what Wistia says more than"
        f" {account.REST_DAYS} days after it. Media"
        " that are followed no longer may be in the account's figures, or not.\n"
    )
    return head + "\n".join(rows) + "\n" + of_account
