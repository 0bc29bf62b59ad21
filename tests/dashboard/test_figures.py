"""The numbers behind report and dashboard, against plain SQL and against each other."""

from dataclasses import replace
from datetime import date

import pytest

from support.lake import Lake
from support.some import some
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake_dashboard import figures, health
from wistlake_dashboard.periods import usual
from wistlake_dashboard.scope import Scope

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def query(lake: Lake) -> DuckDBQuery:
    return DuckDBQuery(lake.ledger)


@pytest.fixture(scope="module")
def whole(query: DuckDBQuery) -> Scope:
    extent = figures.extent(query)
    assert extent is not None
    return Scope(*extent)


def test_all_channels_together_are_what_gold_says(query: DuckDBQuery, whole: Scope) -> None:
    names = tuple(r["name"] for r in figures.breakdown(query, "channel", whole))
    by_channels = replace(whole, channels=names)
    gold, sessions = figures.totals(query, whole), figures.totals(query, by_channels)
    assert gold.plays
    assert sessions.plays is sessions.loads is sessions.viewers_per_load is None
    unknown = {"loads": gold.loads, "plays": gold.plays, "viewers_of_loads": gold.viewers_of_loads}
    assert replace(sessions, **unknown) == gold
    for name in figures.BREAKDOWNS:
        assert figures.breakdown(query, name, by_channels) == figures.breakdown(query, name, whole)


def test_channels_add_up_and_a_day_without_them_is_zero(query: DuckDBQuery, whole: Scope) -> None:
    names = [r["name"] for r in figures.breakdown(query, "channel", whole)]
    each = [figures.totals(query, replace(whole, channels=(n,))).sessions for n in names]
    assert sum(each) == figures.totals(query, whole).sessions
    nowhere = figures.by_day(query, replace(whole, channels=("nowhere",)))
    assert [t.sessions for t in nowhere.values()] == [0] * whole.length


def test_two_periods_are_each_counted_alone(query: DuckDBQuery, whole: Scope) -> None:
    half = usual(whole.start, whole.end)
    compared = figures.compare(query, half)
    assert compared.whole.now == figures.totals(query, half)
    assert compared.whole.before == figures.totals(query, half.before)
    assert {m: p.now for m, p in compared.media.items()} == figures.by_media(query, half)


def test_a_funnel_never_widens(query: DuckDBQuery, whole: Scope) -> None:
    steps = [n for _, _, n in figures.funnel(figures.totals(query, whole)) if n is not None]
    assert steps == sorted(steps, reverse=True)
    assert len(steps) == 6


def test_the_calendar_shows_each_dataset_and_its_worst(lake: Lake, query: DuckDBQuery, whole: Scope) -> None:
    found = health.calendar(query, whole)
    assert {r["dataset"] for r in found} >= {"events", "media_by_date"}
    intervals = [
        i for i in lake.ledger.intervals() if i.dataset != "gold" and whole.start <= i.day <= whole.end
    ]
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
def test_the_usual_days_leave_room_for_the_period_before(days: int, length: int) -> None:
    first = date(2026, 1, 1)
    last = date.fromordinal(first.toordinal() + days - 1)
    found = usual(first, last)
    assert (found.end, found.length) == (last, length)
    assert days == 1 or found.before.start >= first


@pytest.mark.parametrize(
    ("sessions", "timed", "added", "seconds"),
    [(4, 2, 3000, 3.0), (4, 0, None, None), (4, 0, 0, None), (0, 0, 0, 0.0), (None, None, None, 0.0)],
)
def test_sessions_without_a_duration_were_not_watched_for_no_time(
    sessions: int | None, timed: int | None, added: int | None, seconds: float | None
) -> None:
    """Also where days without a session add their zero to it."""
    row = {"sessions": sessions, "timed_sessions": timed, "watch_milliseconds": added}
    assert figures.totals_of(row).watch_seconds == seconds
