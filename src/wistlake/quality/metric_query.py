"""From a question to SQL: metrics by dimensions, of a scope's days, media and channels. Pure.

Every sum and ratio of sums is the metric's own SQL, over the smallest table that has its columns; viewers are counted
anew in each group. The SQL is what DuckDB and Athena read alike.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wistlake.contracts import fact_media_daily, table
from wistlake.contracts.measures import OF_MEDIA_DAY
from wistlake.errors import ConfigError, unknown
from wistlake.quality import sources
from wistlake.quality.metrics import METRICS, Adds, Metric, adds_up, metric
from wistlake.quality.scope import Grain, Scope, day_literal
from wistlake.quality.sources import select

PERIOD, NOW, BEFORE = "period", "now", "before"  # the column that tells two compared periods apart
_COUNTED = "counted_"  # before a metric's name: what was counted anew for it
_BELOW = "below_"  # and what that is divided by


@dataclass(frozen=True, slots=True)
class Dimension:
    """What metrics are broken down by: `sql` is its value for a row. One `of_sessions` is known of sessions alone, and
    `table` is the gold table by it, if there is one."""

    name: str
    doc: str
    sql: str
    of_sessions: bool = False
    table: str = ""

    @property
    def column(self) -> str:
        """Its column in an answer."""
        return "media_id" if self.name == "media" else self.name


def _of_sessions(name: str, doc: str, gold: str = "", sql: str = "") -> Dimension:
    return Dimension(name, doc, sql or f"coalesce({name}, '')", True, gold)


_MOBILE = "coalesce(platform, '') || CASE WHEN is_mobile THEN ', mobile' ELSE '' END"
DIMENSIONS: tuple[Dimension, ...] = (
    Dimension("media", "The media, by its hashed id.", "media_id"),
    Dimension("title", "The media's title; media of one title are one.", "title"),
    Dimension("label", "label=value: a media counts once for each of its labels, and never without one.", "label"),
    Dimension("date", "The account's day.", "date"),
    Dimension("week", "Seven days, the first from the period's first day on; named by its first day.", ""),
    Dimension("month", "The calendar month, named by its first day.", ""),
    _of_sessions("channel", "The channel of a session, by labels and channel rules.", "gold.channel_daily"),
    _of_sessions("country", "Two letters; empty where unknown.", "gold.geo_daily"),
    _of_sessions("region", "The region; empty where unknown.", "gold.geo_daily"),
    _of_sessions("device", "Platform, and whether it is mobile.", "gold.device_daily", _MOBILE),
    _of_sessions("browser", "The browser; empty where unknown.", "gold.device_daily"),
    _of_sessions("embed_host", "The host of the page with the player.", "gold.embed_daily"),
    _of_sessions(
        "page", "Host and path of that page.", sql="coalesce(embed_host, '') || coalesce(embed_path, '')"
    ),
    *(_of_sessions(f"utm_{name}", f"The page's utm_{name}.") for name in ("source", "medium", "campaign")),
)  # fmt: skip


def dimension(name: str) -> Dimension:
    """The dimension called `name`. ConfigError names those that there are."""
    for one in DIMENSIONS:
        if one.name == name:
            return one
    raise unknown("dimension", name, [d.name for d in DIMENSIONS])


def require_metric(name: str) -> Metric:
    """The metric called `name`. ConfigError names those that there are."""
    for one in METRICS:
        if one.name == name:
            return one
    raise unknown("metric", name, [m.name for m in METRICS])


def plan(
    metrics: Sequence[str],
    scope: Scope,
    by: Sequence[str] = (),
    *,
    compare: bool = False,
    condition: str = "",
) -> str:
    """SQL of the metrics: a row a group, with a column a dimension and a column a metric, in no order.

    With `compare`, also of the period before: `period` is `now` or `before`, and days and weeks of the one before
    are those of `now` that they stand beside. `condition` limits rows `t` further. ConfigError for unknown names,
    and for what is not known by these dimensions.
    """
    wanted = [require_metric(name) for name in dict.fromkeys(metrics)]
    dimensions = [dimension(name) for name in dict.fromkeys(by)]
    _require_answerable(wanted, dimensions, scope, compare=compare)
    days = scope.with_before if compare else scope
    keys = {d.column: _value(d, scope, compare=compare) for d in dimensions}
    if compare:
        keys[PERIOD] = f"CASE WHEN date >= {day_literal(scope.start)} THEN '{NOW}' ELSE '{BEFORE}' END"
    within = f" AND {condition}" if condition else ""
    if any(d.of_sessions for d in dimensions):
        return _of_their_sessions(wanted, dimensions, days, keys, within)
    return _of_media_days(wanted, dimensions, days, keys, within)


def added(metrics: Iterable[str], gold: str = fact_media_daily.TABLE.full_name) -> list[str]:
    """The columns of metrics that add up, over rows of a gold table."""
    return [f"{metric(name).over_days(table(gold))} AS {name}" for name in metrics]


def recounted(metrics: Mapping[str, str]) -> list[str]:
    """The columns of metrics that are counted anew, over rows of who watched what on a day: name by metric."""
    return [f"{require_metric(of).recount} AS {name}" for of, name in metrics.items()]


def point(scope: Scope) -> str:
    """SQL of the first day of the day, week or month (the scope's grain) that a row belongs to."""
    name = {Grain.DAY: "date", Grain.WEEK: "week", Grain.MONTH: "month"}[scope.grain]
    return _value(dimension(name), scope, compare=False)


def _value(of: Dimension, scope: Scope, *, compare: bool) -> str:
    start, back = day_literal(scope.start), (scope.start - scope.before.start).days
    day = "date"
    if compare and of.name in ("date", "week"):
        later = f"CAST(date + INTERVAL '{back}' DAY AS DATE)"
        day = f"CASE WHEN date >= {start} THEN date ELSE {later} END"
    if of.name == "date":
        return day
    if of.name == "week":
        return f"CAST({day} - INTERVAL '1' DAY * mod(date_diff('day', {start}, {day}), 7) AS DATE)"
    return "CAST(date_trunc('month', date) AS DATE)" if of.name == "month" else of.sql


def _require_answerable(
    metrics: Sequence[Metric], dimensions: Sequence[Dimension], scope: Scope, *, compare: bool
) -> None:
    names = [d.name for d in dimensions]
    if not metrics:
        raise ConfigError(f"name a metric: {', '.join(m.name for m in METRICS)}")
    if compare and "month" in names:
        raise ConfigError("months differ in length: compare by week, or leave out the dimension month")
    by_sessions = [d.name for d in dimensions if d.of_sessions] or (["channel"] if scope.channels else [])
    for of in metrics:
        if by_sessions and not is_of_sessions(of):
            of_sessions = ", ".join(m.name for m in METRICS if is_of_sessions(m))
            raise ConfigError(
                f"{of.name} is not known by {', '.join(by_sessions)}: Wistia counts it by media and day alone. "
                f"Known of sessions: {of_sessions}"
            )
        if of.adds is Adds.DAY and not {"media", "date"} <= set(names):
            raise ConfigError(
                f"{of.name} is a value of a media's day: ask for it by media and date, "
                "or for viewers_per_load of a longer period"
            )


def is_of_sessions(metric: Metric) -> bool:
    """Whether the metric follows from sessions alone, and is known by what is said of them."""
    return all(name in OF_MEDIA_DAY for name in (metric.numerator, metric.denominator) if name)


def _joined(source: str, dimensions: Iterable[Dimension]) -> str:
    """The source with what the dimensions say of its media."""
    for of in dimensions:
        if of.name == "title":
            source = sources.named(source)
        if of.name == "label":
            source = sources.labelled(source)
    return source


def _of_media_days(
    metrics: Sequence[Metric], dimensions: Sequence[Dimension], days: Scope, keys: Mapping[str, str], within: str
) -> str:  # fmt: skip
    """From media days; viewers from who watched what on a day."""
    viewers = [m for m in metrics if m.adds is Adds.RECOUNT]
    columns = [f"{_over_rows(m)} AS {m.name}" for m in metrics if m not in viewers]
    columns += [f"sum({m.denominator}) AS {_BELOW}{m.name}" for m in viewers if m.denominator]
    where = days.where() + within
    sums = select(
        _joined(sources.daily(days), dimensions), where, keys, columns or ["count(*) AS media_days"]
    )
    if not viewers:
        return sums
    with_loads = any(m.denominator for m in viewers)
    source = sources.engagement_and_loads() if with_loads else sources.engagement(days)
    counts = recounted({m.name: f"{_COUNTED}{m.name}" for m in viewers})
    who = select(_joined(source, dimensions), where, keys, counts)
    beside = " AND ".join(f"v.{name} = s.{name}" for name in keys) or "TRUE"
    shown = [*(f"s.{name}" for name in keys), *(_shown(m) for m in metrics)]
    return f"SELECT {', '.join(shown)} FROM ({sums}) s LEFT JOIN ({who}) v ON {beside}"


def _over_rows(metric: Metric) -> str:
    # A value of a media's day is asked for by media and day: there is one.
    return f"max({metric.of_day()})" if metric.adds is Adds.DAY else metric.over_days()


def _shown(metric: Metric) -> str:
    if metric.adds is not Adds.RECOUNT:
        return f"s.{metric.name}"
    count = f"coalesce(v.{_COUNTED}{metric.name}, 0)"
    below = f"s.{_BELOW}{metric.name}" if metric.denominator else ""
    return f"{metric.recounted(count, below)} AS {metric.name}"


def _of_their_sessions(
    metrics: Sequence[Metric], dimensions: Sequence[Dimension], days: Scope, keys: Mapping[str, str], within: str
) -> str:  # fmt: skip
    """From the gold table by these dimensions, if it has the columns; else from sessions, counted as gold counts."""
    where = days.where_channel() + within
    gold = {d.table for d in dimensions if d.of_sessions}
    by_channel_alone = not days.channels or gold == {"gold.channel_daily"}
    if by_channel_alone and len(gold) == 1 and all(_is_in(name, metrics) for name in gold):
        (name,) = gold
        return select(_joined(name, dimensions), where, keys, added((m.name for m in metrics), name))
    read = [name for name in OF_MEDIA_DAY if any(name in _columns(m) for m in metrics)]
    of_groups = select(_joined(sources.sessions(days), dimensions), where, keys, sources.measures(read))
    # Each group is one row by now: what is counted anew is its own.
    columns = [f"{_of_group(m)} AS {m.name}" for m in metrics]
    return select(f"({of_groups})", "TRUE", {name: name for name in keys}, columns)


def _of_group(metric: Metric) -> str:
    return f"max({metric.numerator})" if metric.adds is Adds.RECOUNT else metric.over_days()


def _columns(metric: Metric) -> tuple[str, ...]:
    """The columns of a daily table that the metric's SQL reads."""
    return (metric.numerator, metric.denominator, metric.counted_in, "sessions" if metric.counted_in else "")


def _is_in(name: str, metrics: Iterable[Metric]) -> bool:
    """Whether a table by dimensions has what these metrics are sums of."""
    return bool(name) and all(
        adds_up(m) and all(table(name).has(c) for c in (m.numerator, m.denominator) if c) for m in metrics
    )
