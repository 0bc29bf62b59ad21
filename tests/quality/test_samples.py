"""The identities on figures that Wistia really served."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from wistlake.quality.lifetime import Snapshot
from wistlake.quality.lifetime import judge as judge_lifetime
from wistlake.quality.reconciliation import (
    DEFAULT_BAND,
    EVENTS_AND_PLAYS,
    GROWTH,
    PLAYED_HOURS,
    WHOLE_PLAYERS,
    DayFigures,
    Verdict,
    judge,
)

SAMPLES = Path(__file__).parents[2].parent / "shared/wistia-api/samples"
VISITS, WEEK = SAMPLES / "visitors_stats_v1_2025-09", SAMPLES / "events_by_date_v1_2024-12"
BUSY = "v08dlrgr7v"
DURATION = 435.456  # of both recorded media
pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason="the recorded payloads are not on this machine")


@pytest.mark.parametrize("media", [BUSY, "gskhw4w4lm"])
def test_lifetime_figures_agree_with_themselves(media: str) -> None:
    body = json.loads((VISITS / f"stats_medias__{media}.json").read_text())
    read = Snapshot(
        media, date(2025, 9, 16), datetime(2025, 9, 16, 12, tzinfo=UTC), body["play_count"], body["visitors"],
        body["play_rate"], body["hours_watched"], body["engagement"], DURATION,
    )  # fmt: skip
    found = {j.identity: j for j in judge_lifetime([read], {}, UTC)}
    assert found[PLAYED_HOURS].verdict is Verdict.HOLDS
    assert found[WHOLE_PLAYERS].verdict is Verdict.HOLDS
    assert found[WHOLE_PLAYERS].theirs in (41_173, 16_200)
    assert found[GROWTH].verdict is Verdict.NOT_APPLICABLE


def _events_in(zone: timezone) -> Counter[date]:
    """Distinct sessions of the busy media by day of `zone`."""
    (path,) = WEEK.glob(f"stats_events__{BUSY}_*.json")
    keys = {e["event_key"]: datetime.fromisoformat(e["received_at"]) for e in json.loads(path.read_text())}
    return Counter(at.astimezone(zone).date() for at in keys.values())


def _verdicts(zone: timezone) -> list[Verdict]:
    (path,) = WEEK.glob(f"stats_medias_by_date__{BUSY}_*.json")
    plays = {date.fromisoformat(r["date"]): r["play_count"] for r in json.loads(path.read_text())}
    events = _events_in(zone)
    found = []
    for day in sorted(plays)[:-1]:  # the last local day has hours in a UTC day that was not recorded
        figures = DayFigures(BUSY, day, plays[day], events[day], events[day], misplaced=0, settled=True)
        found += [j.verdict for j in judge(figures, DEFAULT_BAND) if j.identity == EVENTS_AND_PLAYS]
    return found


def test_sessions_and_plays_agree_on_each_full_day_five_hours_west() -> None:
    assert _verdicts(timezone(timedelta(hours=-5))) == [Verdict.HOLDS] * 6


def test_the_band_is_narrow_enough_to_tell_a_wrong_zone() -> None:
    assert Verdict.BROKEN in _verdicts(UTC)
