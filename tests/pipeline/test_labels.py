"""A label is applied by the next run, without any news from Wistia, to all days; and nothing else is rewritten."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.lake import START, Lake, Row, Scenario
from support.some import some
from wistia_simulator import Profile
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.objects import LocalObjects
from wistlake.contracts import TABLES
from wistlake.pipeline.jobs.labels import label
from wistlake.pipeline.tables import labels as steps
from wistlake.planning.publishing import GOLD

pytestmark = pytest.mark.engine
FIRST = date(2026, 2, 24)
SCENARIO = Scenario(
    replace(Profile.calm(), media=3, sessions_per_day=12.0, history_days=8, account_timezone="UTC"),
    settings={"lookback_days": 1, "start_date": FIRST},
)
LINEAGE = {"built_at", "observed_at", "landing_id", "updated_at", "first_observed_at"}


class Labelled:
    """A lake that has some days, and the labels that it gets afterwards, an hour apart."""

    def __init__(self, folder: Path) -> None:
        self.lake = Lake(folder, SCENARIO)
        self.now = START
        self.lake.run_day(START)
        self.media, self.other, _ = self.lake.world.media_ids

    def run(self, *, asks: bool = False) -> Any:
        """A run an hour after the last one. Wistia's own restatements would hide what a label changes: only where it
        `asks` does the run fetch anything."""
        self.now += timedelta(hours=1)
        return self.lake.run_day(self.now, build_only=not asks)

    def label(self, *media: str, clear: bool = False, **labels: str) -> None:
        ledger = SqliteLedger(LakeFolder(self.lake.folder).ledger)
        wanted = dict.fromkeys(media, labels)
        label(ledger, wanted, by="ada", run_id="label", now=self.now, clear=clear)
        ledger.close()

    def facts(self) -> dict[str, list[Row]]:
        """Every row of silver and gold without its lineage, in order."""
        return {
            t.full_name: sorted(
                ({k: v for k, v in row.items() if k not in LINEAGE} for row in self.lake.rows(t.full_name)),
                key=str,
            )
            for t in TABLES
            if t.layer != "ops"
        }

    def written(self, table: str) -> list[Row]:
        """What the last run wrote."""
        return [r for r in self.lake.rows(table) if r["built_at"] == self.now]


@pytest.fixture
def labelled(tmp_path: Path) -> Labelled:
    return Labelled(tmp_path / "lake")


def by_channel(rows: list[Row], media: str) -> Counter[tuple[Any, str]]:
    return Counter((r["event_date_local"], r["channel"]) for r in rows if r["media_id"] == media)


def test_a_label_reaches_every_table_of_its_media_by_a_run_without_news(labelled: Labelled) -> None:
    lake, media = labelled.lake, labelled.media
    before = {r["event_key"]: r for r in lake.rows("silver.fact_events")}
    old = labelled.facts()
    labelled.label(media, channel="podcast", campaign="अभियान 🎉")
    labelled.run()

    assert {r["media_id"]: r["channel"] for r in labelled.written("silver.dim_media")} == {media: "podcast"}
    [shown] = [r for r in lake.rows("gold.dim_media_label") if r["label"] == "campaign"]
    given_at = labelled.now - timedelta(hours=1)
    assert shown == {
        "media_id": media, "label": "campaign", "value": "अभियान 🎉", "labelled_at": given_at,
        "built_at": labelled.now,
    }  # fmt: skip

    # A session says where it came from, or its media does.
    moved = labelled.written("silver.fact_events")
    mine = [r for r in before.values() if r["media_id"] == media]
    media_level = {r["event_key"] for r in mine if not r["utm_source"] and not r["utm_medium"]}
    assert {r["event_key"] for r in some(moved)} <= media_level
    assert {r["channel"] for r in moved} == {"podcast"}
    after = {r["event_key"]: r for r in lake.rows("silver.fact_events")}
    for key, row in before.items():
        same = {k: v for k, v in row.items() if k not in ("channel", "built_at")}
        assert same == {k: after[key][k] for k in same}
    assert [k for k, r in after.items() if r != before[k]] == [
        k for k in after if after[k]["built_at"] == labelled.now
    ]

    # All days, older than the lookback too; only those days, and only their channels.
    days = {r["event_date_local"] for r in moved}
    published = {r["date"] for r in lake.rows("gold.fact_media_daily")}
    assert FIRST in days & published
    of_gold = {(r["media_id"], r["date"]) for r in labelled.written("gold.fact_media_daily")}
    assert of_gold == {(media, day) for day in days & published}
    sessions = by_channel(list(after.values()), media)
    gold = {
        (r["date"], r["channel"]): r["sessions"]
        for r in lake.rows("gold.channel_daily")
        if r["media_id"] == media
    }
    assert gold == {k: n for k, n in sessions.items() if k[0] in published}
    builds = [p for p in lake.ledger.publications(START) if p.published_at == labelled.now]
    assert len(builds) == 1, "readers never see half of it"
    changed = {name for name, rows in labelled.facts().items() if rows != old[name]}
    assert changed == {"silver.dim_media", "silver.fact_events", "gold.channel_daily", "gold.dim_media_label"}


def test_a_run_after_it_writes_nothing_and_a_rebuild_changes_no_row(labelled: Labelled) -> None:
    labelled.label(labelled.media, channel="podcast")
    labelled.run()
    first = labelled.lake.ledger.publication()
    labelled.run()
    assert labelled.lake.ledger.publication() == first
    assert labelled.lake.changed_by_rebuild(labelled.now + timedelta(hours=1)) == []


def test_taking_it_away_brings_everything_back(labelled: Labelled) -> None:
    before = labelled.facts()
    labelled.label(labelled.media, labelled.other, channel="podcast", campaign="spring")
    labelled.run()
    assert labelled.facts() != before
    labelled.label(labelled.media, labelled.other, clear=True)
    labelled.run()
    assert labelled.facts() == before


def test_a_campaign_alone_leaves_sessions_and_days_as_they_are(labelled: Labelled) -> None:
    labelled.label(labelled.media, campaign="spring")
    labelled.run()
    written = [t.full_name for t in TABLES if t.layer != "ops" and labelled.written(t.full_name)]
    assert written == ["gold.dim_media_label"]


def test_days_whose_raw_pages_have_expired_get_it_too(labelled: Labelled) -> None:
    objects = LocalObjects(labelled.lake.folder)
    assert objects.delete(list(objects.list("bronze/"))) > 0
    labelled.label(labelled.media, channel="podcast")
    labelled.run()
    channels = {r["channel"] for r in lake_rows(labelled, "silver.fact_events") if not r["utm_source"]}
    assert "podcast" in channels
    assert not any(r["channel"] == "unclassified" for r in lake_rows(labelled, "gold.channel_daily"))


def lake_rows(of: Labelled, table: str) -> list[Row]:
    return [r for r in of.lake.rows(table) if r["media_id"] == of.media]


@pytest.mark.parametrize("step", ["sessions", "given"])
def test_a_run_that_dies_in_between_is_made_good_by_the_next(
    labelled: Labelled, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    labelled.label(labelled.media, channel="podcast", campaign="spring")
    real = getattr(steps, step)

    def die(context: Any) -> None:
        real(context)
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:
        patch.setattr(steps, step, die)
        with pytest.raises(RuntimeError):
            labelled.run(asks=True)
    assert "podcast" not in {r["channel"] for r in labelled.lake.rows("silver.dim_media")}  # as published
    labelled.run(asks=True)
    assert {r["label"] for r in labelled.lake.rows("gold.dim_media_label")} == {"campaign", "channel"}
    published = {r["date"] for r in lake_rows(labelled, "gold.fact_media_daily")}
    gold = {(r["date"], r["channel"]): r["sessions"] for r in lake_rows(labelled, "gold.channel_daily")}
    sessions = by_channel(labelled.lake.rows("silver.fact_events"), labelled.media)
    assert gold == {k: n for k, n in sessions.items() if k[0] in published}
    assert "podcast" in {channel for _, channel in gold}
    assert {i.state for i in labelled.lake.ledger.intervals(GOLD)} == {"published"}


def test_the_settings_file_labels_media_from_their_first_run_on(tmp_path: Path) -> None:
    """Also before they are described; what it says of others is left aside."""
    lake, file = Lake(tmp_path / "lake", SCENARIO), tmp_path / "labels.csv"
    media = lake.world.media_ids[0]
    file.write_text(f"media_id,channel,mood\n{media},podcast,\nstranger00,podcast,good\n")
    lake.run_day(START, changes={"labels": file})
    assert {r["channel"] for r in lake.rows("silver.dim_media") if r["media_id"] == media} == {"podcast"}
    [shown] = lake.rows("gold.dim_media_label")
    assert (shown["media_id"], shown["label"], shown["labelled_at"]) == (media, "channel", START)
    assert [(e.media_id, c.by) for e in lake.ledger.labels() for c in e.changes] == [
        (media, "WISTLAKE_LABELS")
    ]
