"""Real payloads, recorded: what the lake makes of them is known to the last digit."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from support.lake import Lake, Scenario
from support.some import some
from wistia_simulator import ServerOptions, create_replay_app, transport
from wistlake.quality.reconciliation import DEFAULT_BAND, EVENTS_AND_PLAYS, DayFigures, Verdict, judge

RECORDED = Path(__file__).parents[2].parent / "shared/wistia-api/samples/events_by_date_v1_2024-12"
BUSY, QUIET = "v08dlrgr7v", "gskhw4w4lm"
NOW = datetime(2024, 12, 11, 12, tzinfo=UTC)
FIRST, LAST = date(2024, 12, 4), date(2024, 12, 10)
PER_DAY = (172, 225, 243, 227, 275, 273, 267)
WAYS: dict[str, dict[str, Any]] = {
    "modern": {},
    "v1 with Basic, five hours west": {
        "base_url": "https://api.wistia.com/v1",
        "auth": "basic",
        "account_timezone": "UTC-5",
        "lookback_days": 1,
    },
}

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not RECORDED.exists(), reason="the recorded payloads are not on this machine"),
]


@pytest.fixture(scope="module", params=WAYS)
def lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The recorded week, run twice."""
    app = create_replay_app(RECORDED, ServerOptions(token="simulated", basic=True), now=NOW)
    made = Lake(
        tmp_path_factory.mktemp("replay") / "lake",
        Scenario(media=(BUSY, QUIET), starts=NOW, settings=WAYS[request.param]),
        source=transport(app),
    )
    made.results = [made.run_day(NOW, start=FIRST, end=LAST, trigger="manual") for _ in range(2)]  # type: ignore[attr-defined]
    return made


def one(lake: Lake, sql: str) -> tuple[Any, ...]:
    """The only row."""
    (row,) = lake.sql(sql)
    return tuple(row.values())


def test_sessions(lake: Lake) -> None:
    counted = one(
        lake,
        "SELECT count(*), count(DISTINCT event_key), count(DISTINCT visitor_id), round(sum(percent_viewed), 3),"
        " count_if(percent_viewed >= 0.95), count_if(removed_at IS NOT NULL) FROM silver.fact_events",
    )
    assert counted == (1682, 1682, 1613, 769.696, 430, 0)


def test_sessions_per_day(lake: Lake) -> None:
    rows = lake.sql("SELECT event_date, count(*) AS n FROM silver.fact_events GROUP BY 1 ORDER BY 1")
    assert [(r["event_date"].day, r["n"]) for r in rows] == list(zip(range(4, 11), PER_DAY, strict=True))


def test_counts_are_the_sources(lake: Lake) -> None:
    rows = lake.sql(f"SELECT * FROM silver.fact_media_by_date WHERE media_id = '{BUSY}' ORDER BY date")
    assert [r["load_count"] for r in rows] == [676, 958, 873, 880, 1003, 1002, 965]
    assert [r["play_count"] for r in rows] == [181, 245, 228, 241, 300, 261, 296]


def test_nothing_watched_is_zero_and_not_absent(lake: Lake) -> None:
    rows = lake.sql(f"SELECT * FROM silver.fact_media_by_date WHERE media_id = '{QUIET}'")
    assert [(r["load_count"], r["play_count"], r["hours_watched_modelled"]) for r in rows] == [
        (0, 0, 0.0)
    ] * 7
    assert lake.sql(f"SELECT * FROM silver.fact_events WHERE media_id = '{QUIET}'") == []


def test_media(lake: Lake) -> None:
    assert one(lake, "SELECT count(*), count(DISTINCT media_id), min(duration_seconds) FROM silver.dim_media") == (
        2, 2, 435.456,
    )  # fmt: skip


def test_gold_waits_for_whole_days(lake: Lake) -> None:
    """Ten UTC hours are enough for six of the account's days: the seventh touches a UTC day that is not over."""
    rows = lake.sql(f"SELECT date, plays FROM gold.fact_media_daily WHERE media_id = '{BUSY}' ORDER BY date")
    assert [r["date"].day for r in rows] == [4, 5, 6, 7, 8, 9]


def test_events_lie_in_the_band_of_plays(lake: Lake) -> None:
    rows = lake.sql(
        "SELECT plays, sessions FROM gold.fact_media_daily"
        f" WHERE media_id = '{BUSY}' AND date BETWEEN '2024-12-04' AND '2024-12-09'"
    )
    assert len(rows) == 6
    assert all(
        -max(2, 0.02 * r["plays"]) <= r["plays"] - r["sessions"] <= max(5, 0.05 * r["plays"]) for r in rows
    )


def test_each_full_day_keeps_its_identities(lake: Lake) -> None:
    """Judged as settled, whatever the lookback: the recording does not move any more."""
    rows = lake.sql(f"SELECT date, plays, sessions FROM gold.fact_media_daily WHERE media_id = '{BUSY}'")
    figures = [
        DayFigures(BUSY, r["date"], r["plays"], r["sessions"], r["sessions"], misplaced=0, settled=True)
        for r in rows
    ]
    assert len(figures) == 6
    judged = [j for day in figures for j in judge(day, DEFAULT_BAND)]
    assert {j.identity for j in judged if j.verdict is Verdict.HOLDS} >= {EVENTS_AND_PLAYS}
    assert [j for j in some(judged) if j.verdict is Verdict.BROKEN] == []


def test_the_lake_judged_what_was_past_its_lookback(lake: Lake) -> None:
    rows = lake.sql(
        f"SELECT date, verdict FROM ops.reconciliation WHERE identity = '{EVENTS_AND_PLAYS}'"
        f" AND media_id = '{BUSY}' ORDER BY date"
    )
    settled = [r["date"].day for r in rows if r["verdict"] != "not_applicable"]
    assert settled == ([4, 5, 6, 7] if lake.settings().lookback_days == 1 else [])
    assert {r["verdict"] for r in rows} <= {"holds", "not_applicable"}
    broken = lake.sql("SELECT identity, media_id, date FROM ops.reconciliation WHERE verdict = 'broken'")
    assert broken == []


def test_the_second_run_changes_nothing(lake: Lake) -> None:
    first, second = lake.results  # type: ignore[attr-defined]
    assert first.tables["silver.fact_events"] == {"new": 1682}
    assert not [name for name, counts in second.tables.items() if set(counts) - {"unchanged"}]
    assert second.status == "succeeded"


def test_datasets_without_a_recording_are_unavailable_and_no_failure(lake: Lake) -> None:
    first, _ = lake.results  # type: ignore[attr-defined]
    assert first.status == "succeeded"
    assert {"media_stats", "media_engagement"} <= set(first.unavailable)
