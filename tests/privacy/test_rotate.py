"""Rotation: every id is the old one wrapped, rows stay joinable, nothing of the old epoch is left."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from privacy.people import lake_of_people
from support.checkpoints import Checkpoint
from support.lake import KEY, START, Lake
from wistlake.adapters import lake_bytes
from wistlake.derive.pseudonym import pseudonym
from wistlake.errors import StoreError
from wistlake.pipeline.jobs.rotate import rotate
from wistlake.wiring.laptop import LaptopLake
from wistlake.wiring.runtime import Runtime

pytestmark = pytest.mark.engine


class DiesAfter:
    """A purge that never comes to its work: the process died just before."""

    def expire(self, _tables: Any) -> Mapping[str, list[int]]:
        raise KeyboardInterrupt

    refs = sweep = expire


def turn(lake: Lake, purge: Any = None) -> dict[str, Any]:
    lake._query = None
    now = START + timedelta(hours=3)
    opened = LaptopLake(lake.settings(), Runtime(lambda: now, lambda: 0.0))
    with capture_logs():
        spec = opened.whole_lake("rotation", "rotate", now)
        return rotate(spec, opened.rotation_dependencies(), opened.key_ring(), purge or opened.purge())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    lake = lake_of_people(tmp_path_factory.mktemp("people") / "lake")
    lake.run_day(START)
    return Checkpoint(lake)


@pytest.mark.parametrize("dies", [False, True])
def test_ids_are_wrapped_once_and_stay_joinable(built: Checkpoint, dies: bool) -> None:
    lake = built.restored()
    before = {r["event_key"]: r["visitor_id"] for r in lake.rows("silver.fact_events")}
    visitors = {r["visitor_id"]: r["play_count"] for r in lake.rows("gold.dim_visitor")}
    if dies:
        with pytest.raises(KeyboardInterrupt):
            turn(lake, DiesAfter())
        with pytest.raises(StoreError, match="wistlake key rotate"):
            lake.run_day(START + timedelta(days=1))
        with pytest.raises(StoreError, match="wistlake key rotate"):
            lake.opened().maintain("upkeep", START + timedelta(days=1))
    assert turn(lake)["epoch"] == 2

    chain = lake.opened().key_chain()
    assert chain.keys[0] == KEY
    assert chain.epoch == 2

    def wrapped(old: str) -> str:
        return pseudonym(chain.keys[1:], old)

    assert {r["event_key"]: r["visitor_id"] for r in lake.rows("silver.fact_events")} == {
        k: wrapped(v) for k, v in before.items()
    }
    assert {r["visitor_id"]: r["play_count"] for r in lake.rows("gold.dim_visitor")} == {
        wrapped(v): n for v, n in visitors.items()
    }
    assert not lake_bytes.search(lake.folder, before.values())
    assert lake.run_day(START + timedelta(hours=4)).tables.get("silver.fact_events", {}).get("new", 0) == 0
    lake.run_day(START + timedelta(days=1))
    assert {r["event_key"]: r["visitor_id"] for r in lake.rows("silver.fact_events")}.items() >= {
        k: wrapped(v) for k, v in before.items()
    }.items()
