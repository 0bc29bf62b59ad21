"""The views: metrics of a media and its days, and the tables under the names and columns by which others know them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wistlake.contracts.dim_media import TABLE as MEDIA
from wistlake.contracts.dim_visitor import TABLE as VISITOR
from wistlake.contracts.fact_events import TABLE as EVENTS
from wistlake.contracts.fact_media_by_date import TABLE as BY_DATE
from wistlake.contracts.fact_media_daily import TABLE as DAILY
from wistlake.contracts.fact_media_engagement import TABLE as ENGAGEMENT
from wistlake.contracts.form import Table, Type
from wistlake.quality.metrics import METRICS, adds_up, media_view

Columns = tuple[tuple[str, Type], ...]


@dataclass(frozen=True, slots=True)
class View:
    """One view: its SELECT in DuckDB's and Athena's common SQL, and the columns that come out, in order."""

    name: str
    holds: str
    select: str
    columns: Columns


def _renamed(name: str, holds: str, table: Table, shown: Mapping[str, str], where: str = "") -> View:
    """A view of one table: its columns (values of `shown`) by other names (keys)."""
    listed = ", ".join(c if c == new else f"{c} AS {new}" for new, c in shown.items())
    select = f"SELECT {listed} FROM {table.full_name}{f' WHERE {where}' if where else ''}"
    return View(name, holds, select, tuple((new, table.column(c).type) for new, c in shown.items()))


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


# The source's value where it is known, else the estimate: one name for whoever does not want to choose.
_PLAY_RATE = "coalesce({0}play_rate_analytics, {0}play_rate_estimated) AS play_rate"

_MEDIA_DAYS = View(
    "gold.media_daily_metrics",
    "Every metric of a media's day, shares included.",
    f"SELECT media_id, date, {', '.join(f'{m.of_day()} AS {m.name}' for m in METRICS if m.daily)}, certificate"
    " FROM gold.fact_media_daily",
    (
        ("media_id", Type.STRING),
        ("date", Type.DATE),
        *((m.name, m.type) for m in METRICS if m.daily),
        ("certificate", Type.STRING),
    ),
)
_MEDIA = View(
    "gold.media_metrics",
    "Every metric of a media over all its days.",
    media_view(),
    (
        ("media_id", Type.STRING),
        *((m.name, m.type) for m in METRICS if adds_up(m)),
        ("unique_viewers", Type.LONG),
        ("viewers_per_load", Type.DOUBLE),
    ),
)

_LABELS = View(
    "gold.label_daily_metrics",
    "Every metric of a media's day, once for each label of the media: choose one label, or days count twice.",
    "SELECT l.label, l.value, d.* FROM gold.dim_media_label l JOIN"
    f" ({_MEDIA_DAYS.select}) d ON d.media_id = l.media_id",
    (("label", Type.STRING), ("value", Type.STRING), *_MEDIA_DAYS.columns),
)


def _media_daily(name: str) -> View:
    return View(
        name,
        "gold.fact_media_daily under its older names; play_rate is Wistia's where known, else the estimate.",
        "SELECT date AS dt, media_id, unique_viewers AS unique_visitors, loads, plays,"
        f" {_PLAY_RATE.format('')}, built_at AS gold_ingested_at FROM gold.fact_media_daily",
        (
            ("dt", Type.DATE),
            ("media_id", Type.STRING),
            *((c, Type.LONG) for c in ("unique_visitors", "loads", "plays")),
            ("play_rate", Type.DOUBLE),
            ("gold_ingested_at", Type.TIMESTAMP),
        ),
    )


def _engagement(name: str) -> View:
    """A play rate is loads against plays: a visitor's day has none, so the media's day lends its own."""
    copied = ("media_id", "visitor_id", "date", "play_count")
    return View(
        name,
        "A visitor's day with a media: seconds watched, percent seen; play_rate is of the media's day.",
        f"SELECT {', '.join(f'e.{c}' for c in copied)}, {_PLAY_RATE.format('d.')},"
        " CAST(e.watch_milliseconds AS DOUBLE) / 1000.0 AS total_watch_time,"
        " e.watched_share * 100.0 AS watched_percent, e.date AS dt"
        f" FROM {ENGAGEMENT.full_name} e LEFT JOIN {DAILY.full_name} d"
        " ON d.media_id = e.media_id AND d.date = e.date",
        (
            *((c, ENGAGEMENT.column(c).type) for c in copied),
            *((c, Type.DOUBLE) for c in ("play_rate", "total_watch_time", "watched_percent")),
            ("dt", Type.DATE),
        ),
    )


VIEWS: tuple[View, ...] = (
    _MEDIA_DAYS,
    _MEDIA,
    _LABELS,
    _media_daily("wistia_gold_fact_media_daily"),
    _media_daily("gold.wistia_gold_fact_media_daily"),
    _engagement("fact_media_engagement"),
    _engagement("fct_media_engagement"),
    _renamed(
        "fact_media_by_date",
        "silver.fact_media_by_date with dt: Wistia's own counts of a media's day.",
        BY_DATE,
        _same("media_id", "date", "load_count", "play_count", "hours_watched_modelled") | {"dt": "date"},
    ),
    _renamed(
        "fact_events",
        "silver.fact_events with dt, the UTC day: the sessions that Wistia still lists.",
        EVENTS,
        _same(
            "event_key", "media_id", "visitor_id", "received_at", "percent_viewed", "country", "region", "city",
            "browser", "browser_version", "platform", "is_mobile", "channel",
        )
        | {"dt": "event_date"},
        "removed_at IS NULL",
    ),
    _renamed(
        "dim_media",
        "silver.dim_media in short: hashed_id is media_id, id is Wistia's number.",
        MEDIA,
        {"media_id": "media_id", "hashed_id": "media_id", "id": "numeric_id"}
        | _same("title", "url", "channel", "created_at"),
    ),
    _renamed(
        "dim_visitor",
        "gold.dim_visitor in short; an address is personal, and ends in bronze.",
        VISITOR,
        _same("visitor_id", "country", "region", "first_seen_at", "last_seen_at"),
    ),
)  # fmt: skip


def views() -> Sequence[tuple[str, str]]:
    """(name, SELECT) of every view."""
    return tuple((v.name, v.select) for v in VIEWS)


def section() -> str:
    """The views and their columns, as Markdown."""
    head = "\n## Views\n\nThe same in DuckDB and in Athena, which writes `_` for `.` in a name.\n\n"
    rows = "".join(
        f"| `{v.name}` | {v.holds} | {', '.join(f'`{c}`' for c, _ in v.columns)} |\n" for v in VIEWS
    )
    return f"{head}| view | holds | columns |\n| --- | --- | --- |\n{rows}"
