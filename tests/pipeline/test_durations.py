"""A media without a known duration has no watch time, which is not none; and gets it when the duration is known."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from support import tampering
from support.compare import differences
from support.lake import START, Lake, Scenario
from support.rebuilding import rebuild
from support.some import some
from wistia_simulator import Profile
from wistlake.contracts import TABLES, table
from wistlake.insight import gaps
from wistlake.pipeline.run.driver import RunFailed
from wistlake.quality.scope import Scope
from wistlake.wiring.laptop import query_folder
from wistlake_dashboard import figures
from wistlake_dashboard.reader import extent
from wistlake_dashboard.tiles import tiles

pytestmark = pytest.mark.engine
SCENARIO = Scenario(
    replace(Profile.calm(), media=2, sessions_per_day=10.0, history_days=6, account_timezone="UTC"),
    settings={"lookback_days": 1},
)
WATCHED = (
    "silver.fact_events", "gold.fact_media_daily", "gold.fact_media_engagement", "gold.dim_visitor",
    "gold.channel_daily", "gold.geo_daily", "gold.device_daily", "gold.embed_daily",
)  # fmt: skip
Described = dict[str, Any]


class Source:
    """A lake of which one media is described as `described` says, until that is emptied."""

    def __init__(self, lake: Path, /, **described: Any) -> None:
        self.described = described
        self.lake = tampering.lake(lake, tampering.of_media(self._changed), SCENARIO)
        self.media, self.other = self.lake.world.media_ids

    def _changed(self, body: Described) -> Described:
        return body | self.described if body["hashed_id"] == self.media else body


def watched(lake: Lake, name: str, media: str) -> set[int | None]:
    """The watch times of a media in a table that has it."""
    return {r["watch_milliseconds"] for r in lake.rows(name) if r["media_id"] == media}


def settled(lake: Lake) -> dict[str, list[dict[str, Any]]]:
    """Every table of silver and gold."""
    return {t.full_name: lake.rows(t.full_name) for t in TABLES if t.layer != "ops"}


@pytest.mark.parametrize("unknown", [None, 0])
def test_sessions_from_before_the_duration_was_known_get_it_when_it_is(
    tmp_path: Path, unknown: float | None
) -> None:
    source = Source(tmp_path / "lake", duration=unknown)
    lake, media = source.lake, source.media
    first = START.date() - timedelta(days=5)
    lake.run_day(START, start=first, end=START.date() - timedelta(days=1), trigger="backfill")
    for name in WATCHED:
        if name == "gold.dim_visitor":
            continue
        times = watched(lake, name, media)
        assert None in times, name
        assert not [t for t in times if t], name
        assert None not in watched(lake, name, source.other), name
    bare = {r["date"]: r["sessions"] for r in lake.rows("gold.fact_media_daily") if r["media_id"] == media}
    assert watched(lake, "gold.fact_media_daily", media) == ({None} | ({0} if 0 in bare.values() else set()))

    _nobody_is_told_zero(lake, media)

    source.described.clear()
    later = lake.run_day(START + timedelta(days=1))
    assert later.status == "succeeded"
    expected = lake.truth().tables()
    for name in WATCHED:
        assert expected[name]
        assert differences(table(name), expected[name], lake.rows(name)) == [], name
    assert min(r["event_date"] for r in lake.rows("silver.fact_events")) < START.date() - timedelta(days=3)

    held = settled(lake)
    rebuild(lake, START + timedelta(days=1, hours=1))
    for name, rows in some(held.items()):
        assert differences(table(name), rows, lake.rows(name)) == [], name


def _nobody_is_told_zero(lake: Lake, media: str) -> None:
    """Report, dashboard, digest and views: of sessions whose media has no duration, watch time is a dash."""
    query = query_folder(lake.folder)
    published = extent(query)
    assert published is not None
    of_media = Scope(*published, media=(media,))
    channels = tuple(r["name"] for r in figures.breakdown(query, "channel", of_media))
    for scope in (of_media, replace(of_media, channels=channels)):
        compared = figures.compare(query, scope)
        assert compared.whole.now.sessions > 0
        told = {t.metric: t.number(compared.whole).value for t in tiles(scope)}
        assert told["watch_seconds"] == "–"
        assert {r["watch_seconds"] for r in figures.breakdown(query, "country", scope)} == {None}
        assert None in {t.watch_seconds for t in figures.by_day(query, scope).values()}
    for view in ("media_daily_metrics", "media_metrics"):
        rows = query.sql(f"SELECT * FROM gold.{view} WHERE media_id = '{media}' AND sessions > 0").to_pylist()
        assert {r["watch_seconds"] for r in rows} == {None}
    everything = figures.compare(query, Scope(*published)).whole.now
    assert everything.watch_seconds


def test_sessions_from_before_any_description_get_all_that_it_says(tmp_path: Path) -> None:
    """A description that is refused is none: duration and channel are those of the first one that is not."""
    source = Source(tmp_path / "lake", duration=-5, tags=["youtube"])
    lake, media = source.lake, source.media
    with pytest.raises(RunFailed, match="bad_duration"):
        lake.run_day(START)
    assert {r["channel"] for r in lake.rows("silver.fact_events") if r["media_id"] == media} >= {
        "unclassified"
    }
    source.described["duration"] = 80.0
    lake.run_day(START + timedelta(days=1))
    rows = [r for r in lake.rows("silver.fact_events") if r["media_id"] == media]
    assert {r["duration_seconds"] for r in rows} == {80.0}
    assert "unclassified" not in {r["channel"] for r in rows}
    assert not gaps.failed(lake.ledger.intervals(), lake.ledger.media())
    held = settled(lake)
    with pytest.raises(RunFailed, match="bad_duration"):  # that description is still none
        rebuild(lake, START + timedelta(days=1, hours=1))
    for name in WATCHED:
        assert differences(table(name), held[name], lake.rows(name)) == [], name


def test_a_media_without_a_name_keeps_its_watch_time(tmp_path: Path) -> None:
    """What only describes a media, never costs its description: name, kind, picture, tags, dates, folder."""
    broken = {
        "name": None, "type": 7, "id": "none", "tags": "none", "thumbnail": None, "created": "long ago",
        "updated": 5, "folder": [], "archived": "perhaps", "status": {}, "subfolder": "none", "section": {"a": 1},
    }  # fmt: skip
    source = Source(tmp_path / "lake", **broken)
    assert source.lake.run_day(START).status == "succeeded"
    assert source.lake.rows("silver.quarantine") == []
    name = "gold.fact_media_daily"
    expected = source.lake.truth().tables()[name]
    assert sum(r["watch_milliseconds"] for r in expected if r["media_id"] == source.media) > 0
    assert differences(table(name), expected, source.lake.rows(name)) == []
    (row,) = (r for r in source.lake.rows("silver.dim_media") if r["media_id"] == source.media)
    assert (row["title"], row["type"], row["duration_seconds"] is not None) == (None, "7", True)
    assert (row["tags"], row["folder"], row["created_at"]) == ([], None, None)
