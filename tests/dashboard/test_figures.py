"""The numbers behind report and dashboard, against plain SQL and against each other."""

from dataclasses import replace
from datetime import date

import pytest

from dashboard.published import DAILY, Published
from support.lake import Lake
from support.some import some
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.quality.metric_query import DIMENSIONS
from wistlake.quality.scope import Scope, default_scope
from wistlake_dashboard import figures, health
from wistlake_dashboard.reader import extent

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def query(lake: Lake) -> DuckDBQuery:
    return DuckDBQuery(lake.ledger)


@pytest.fixture(scope="module")
def whole(query: DuckDBQuery) -> Scope:
    published = extent(query)
    assert published is not None
    return Scope(*published)


def totals(query: DuckDBQuery, scope: Scope) -> figures.Totals:
    return figures.compare(query, scope).whole.now


def test_all_channels_together_are_what_gold_says(query: DuckDBQuery, whole: Scope) -> None:
    names = tuple(r["name"] for r in figures.breakdown(query, "channel", whole))
    by_channels = replace(whole, channels=names)
    gold, sessions = totals(query, whole), totals(query, by_channels)
    assert gold.plays
    assert sessions.plays is sessions.loads is sessions.viewers_per_load is sessions.plays_per_load is None
    unknown = {"loads": gold.loads, "plays": gold.plays, "viewers_per_load": gold.viewers_per_load,
               "plays_per_load": gold.plays_per_load}  # fmt: skip
    assert replace(sessions, **unknown) == gold
    for name in some(d.name for d in DIMENSIONS if d.of_sessions):
        assert figures.breakdown(query, name, by_channels) == figures.breakdown(query, name, whole)


def test_channels_add_up_and_a_day_without_them_is_zero(query: DuckDBQuery, whole: Scope) -> None:
    names = [r["name"] for r in figures.breakdown(query, "channel", whole)]
    each = [totals(query, replace(whole, channels=(n,))).sessions for n in names]
    assert sum(each) == totals(query, whole).sessions > 0
    nowhere = figures.by_day(query, replace(whole, channels=("nowhere",)))
    assert [t.sessions for t in nowhere.values()] == [0] * whole.length
    assert [t.watch_seconds for t in nowhere.values()] == [0.0] * whole.length


SUMS = (
    "sum(loads) AS loads, sum(plays) AS plays, sum(sessions) AS sessions, sum(reached_95) / sum(sessions) AS "
    "completion_share, sum(watch_milliseconds) / 1000 AS watch_seconds, sum(viewed_millionths) / 1e6 / sum(sessions) "
    "AS average_viewed_share, sum(conversions) AS conversions"
)
VIEWERS = "(SELECT count(DISTINCT visitor_id) FROM gold.fact_media_engagement WHERE "


def test_two_periods_are_what_plain_sums_say(lake: Lake, query: DuckDBQuery, whole: Scope) -> None:
    half = default_scope(whole.start, whole.end)
    compared = figures.compare(query, half)
    _as_counted(lake, half.before.where(), compared.whole.before)
    _as_counted(lake, half.where(), compared.whole.now)
    for media_id, pair in some(compared.media.items()):
        _as_counted(lake, replace(half, media=(media_id,)).where(), pair.now)
    by_day = figures.by_day(query, half)
    assert list(by_day) == half.days
    for day, totals in some(by_day.items()):
        _as_counted(lake, Scope(day, day).where(), totals)


def _as_counted(lake: Lake, where: str, found: figures.Totals | None) -> None:
    (row,) = lake.sql(
        f"SELECT {SUMS}, {VIEWERS}{where}) AS unique_viewers FROM gold.fact_media_daily WHERE {where}"
    )
    assert row["sessions"] > 0
    assert {name: pytest.approx(getattr(found, name)) for name in row} == {
        n: float(v) for n, v in row.items()
    }


def test_a_funnel_never_widens(query: DuckDBQuery, whole: Scope) -> None:
    steps = [n for _, n in figures.funnel(totals(query, whole))]
    assert steps == sorted(steps, reverse=True)
    assert len(steps) == 6


def test_the_calendar_shows_each_dataset_and_its_worst(lake: Lake, query: DuckDBQuery, whole: Scope) -> None:
    found = health.calendar(query, whole)
    assert {r["dataset"] for r in found} >= {"events", "media_by_date"}
    ahead = whole.end + health.AHEAD  # the newest day shows what is fetched and not published yet, too
    intervals = [i for i in lake.ledger.intervals() if i.dataset != "gold" and whole.start <= i.day <= ahead]
    assert max(i.day for i in intervals) > whole.end
    assert sum(r["intervals"] for r in found) == len(intervals)
    assert {r["state"] for r in found} == {"published"}


def test_revisions_keep_the_first_and_the_newest_count(lake: Lake, query: DuckDBQuery, whole: Scope) -> None:
    told = {(r["media_id"], r["date"]): r for r in health.revisions(query, whole)}
    rows = sorted(lake.rows("silver.media_by_date_observations"), key=lambda r: r["observed_at"])
    for (media_id, day), line in some(told.items()):
        seen = [r for r in rows if (r["media_id"], r["date"]) == (media_id, day)]
        assert (line["first_plays"], line["plays"]) == (seen[0]["play_count"], seen[-1]["play_count"])
        assert line["readings"] + line["restated"] == len(seen)


@pytest.mark.parametrize(
    ("days", "length"), [(1, 1), (2, 1), (13, 6), (14, 7), (20, 7), (30, 14), (56, 28), (400, 28)]
)
def test_the_default_days_leave_room_for_the_period_before(days: int, length: int) -> None:
    first = date(2026, 1, 1)
    last = date.fromordinal(first.toordinal() + days - 1)
    found = default_scope(first, last)
    assert (found.end, found.length) == (last, length)
    assert days == 1 or found.before.start >= first


@pytest.mark.parametrize(
    ("sessions", "timed", "added", "seconds"),
    [(4, 2, 3000, 3.0), (4, 0, None, None), (4, 0, 0, None), (0, 0, 0, 0.0)],
)
def test_sessions_without_a_duration_were_not_watched_for_no_time(
    sessions: int, timed: int, added: int | None, seconds: float | None
) -> None:
    """Also where days without a session add their zero to it."""
    day = {"media_id": "m", "sessions": sessions, "timed_sessions": timed, "watch_milliseconds": added}
    idle = {"media_id": "m", "sessions": 0, "timed_sessions": 0, "watch_milliseconds": 0}
    first, last = date(2026, 3, 2), date(2026, 3, 3)
    query = Published({DAILY: [day | {"date": first}, idle | {"date": last}]})
    assert figures.compare(query, Scope(first, last)).whole.now.watch_seconds == seconds
