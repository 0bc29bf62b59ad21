"""Retention: raw pages and refused records go when their time is over, and no byte of them stays."""

import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from privacy.test_canary import Marked
from support.compare import differences
from support.lake import START
from wistlake.adapters import lake_bytes
from wistlake.contracts import fact_events
from wistlake.pipeline.jobs.maintain import MaintenanceResult, maintain

pytestmark = pytest.mark.engine
DAYS = 30


def kept(marked: Marked, now: datetime) -> MaintenanceResult:
    lake = marked.lake.opened()
    marked.lake._query = None
    return maintain(
        lake.ledger(),
        lake.objects(),
        lake.upkeep(),
        run_id=f"maintain-{now:%Y%m%d%H}",
        now=now,
        retention_days=DAYS,
    )


def test_what_is_over_goes_and_the_rest_stays(tmp_path: Path) -> None:
    marked = Marked(tmp_path / "lake")
    marked.run(0)
    marked.run(1)
    lake = marked.lake
    refused = lake.rows("silver.quarantine")
    sessions = lake.rows("silver.fact_events")
    older = [r for r in refused if r["observed_at"] < START + timedelta(hours=1)]
    assert older
    assert len(older) < len(refused)

    early = kept(marked, START + timedelta(days=DAYS - 1))
    assert (early.landings_removed, early.refused_removed) == (0, 0)
    first = kept(marked, START + timedelta(days=DAYS, hours=1))
    assert first.landings_removed > 0
    assert first.refused_removed == len(older)
    assert len(lake.rows("silver.quarantine")) == len(refused) - len(older)
    raw = [gzip.decompress(p.read_bytes()) for p in lake.folder.glob("bronze/**/part-*.gz")]
    assert raw
    assert all(json.loads(line)["_landing"].endswith("run-0002") for r in raw for line in r.splitlines())

    kept(marked, START + timedelta(days=DAYS + 1, hours=2))
    kept(marked, datetime.now(START.tzinfo) + timedelta(days=3))  # files are as old as the disk says
    assert not lake_bytes.search(lake.folder, [r["record_hash"] for r in refused])
    assert not list(lake.folder.glob("bronze/**/*.gz"))
    marked.lake._query = None
    assert differences(fact_events.TABLE, sessions, lake.rows("silver.fact_events")) == []
