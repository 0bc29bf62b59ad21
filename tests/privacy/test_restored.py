"""A lake that comes back from an older backup, or lost its ledger's memory, brings nobody back."""

from datetime import timedelta
from pathlib import Path

import pytest

from privacy.people import DAYS, have_forgotten, lake_of_people, somebody
from support.lake import KEY, START, Lake
from wistlake.adapters import lake_bytes
from wistlake.adapters.local import lake_archive
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.objects import LocalObjects
from wistlake.derive.pseudonym import pseudonym
from wistlake.pipeline import tombstone_copies as tombstone_home
from wistlake.pipeline.jobs.forget import reapply
from wistlake.privacy import tombstones

pytestmark = pytest.mark.engine
LATER = START + timedelta(days=DAYS)


def reapplied(lake: Lake) -> dict[str, object]:
    opened = lake.opened()
    spec = opened.whole_lake("restored", "forget", LATER)
    return reapply(spec, lake.parts(opened.settings), opened.purge(), opened.search())


def test_an_older_backup_brings_nobody_back(lake: Lake, tmp_path: Path) -> None:
    who = somebody(lake)
    texts = [who.visitor_key, who.email, pseudonym([KEY], who.visitor_key)]
    lake_archive.backup(lake.folder, tmp_path / "copy")
    have_forgotten(lake, LATER, email=who.email)
    before = lake.rows("silver.fact_events")

    restored = lake_of_people(tmp_path / "restored-keys")
    restored.folder = tmp_path / "restored"
    lake_archive.restore(tmp_path / "copy", restored.folder)
    assert lake_bytes.search(restored.folder, texts)
    home = LocalObjects(restored.folder)
    assert tombstone_home.bring(LocalObjects(lake.folder), home) == 1

    receipt = reapplied(restored)
    assert not lake_bytes.search(restored.folder, texts)
    assert receipt["second_look"] == "nothing found"
    assert {r["event_key"] for r in restored.rows("silver.fact_events")} == {r["event_key"] for r in before}
    restored.run_day(LATER + timedelta(hours=2), start=START.date() - timedelta(days=3), trigger="backfill")
    assert not lake_bytes.search(restored.folder, texts)


def test_a_ledger_that_lost_its_tombstones_lets_nobody_back_in(lake: Lake) -> None:
    who = somebody(lake)
    have_forgotten(lake, LATER, email=who.email)
    SqliteLedger(LakeFolder(lake.folder).ledger).put_facts(tombstones.FACTS, {})
    lake.run_day(LATER + timedelta(hours=2), start=START.date() - timedelta(days=3), trigger="backfill")
    texts = [who.visitor_key, who.email, pseudonym([KEY], who.visitor_key)]
    assert not lake_bytes.search(lake.folder, texts)
    assert tombstones.forgotten(lake.ledger.facts(tombstones.FACTS)) is not None
