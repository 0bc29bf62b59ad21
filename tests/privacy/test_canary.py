"""No personal marker leaves bronze: every byte of a lake is searched for what was served of people."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import wistlake.contracts as contracts
from privacy.people import PEOPLE
from support.lake import START, Lake, Scenario
from wistia_simulator import Chance, Fault, FaultPlan
from wistlake.adapters import lake_bytes
from wistlake.contracts.form import Privacy

pytestmark = pytest.mark.engine
TROUBLE = FaultPlan(3, (Fault("http503", when=Chance(0.05)), Fault("truncated", when=Chance(0.05))))
ALLOWED = ("region",)  # coarse by contract: shared by many outside of this simulation


def markers(lake: Lake) -> set[str]:
    """Everything personal that was served. Campaign names are kept by contract."""
    found = set()
    for value in lake.world.truth.pii_values():
        parts = value.split("&") if "=" in value else [value]
        found |= {p.partition("=")[2] if "=" in p else p for p in parts if not p.startswith("utm_")}
    return {m for m in found if len(m) >= 8 and not any(f"CANARY-{a}-" in m for a in ALLOWED)}


def leaks(lake: Lake, *, with_bronze: bool = False) -> list[str]:
    found = lake_bytes.search(lake.folder, markers(lake))
    return sorted(p for p in found if with_bronze or not p.startswith("bronze/"))


def run_in_trouble(folder: Path, **settings: object) -> Lake:
    profile = replace(PEOPLE, conversion_share=0.1, ipv6_share=0.2)
    lake = Lake(folder, Scenario(profile=profile, faults=TROUBLE, settings=settings))
    lake.run_days(2)
    return lake


def test_no_marker_leaves_bronze(tmp_path: Path) -> None:
    lake = run_in_trouble(tmp_path / "lake")
    assert leaks(lake) == []
    assert leaks(lake, with_bronze=True), "the search finds nothing at all"


def test_with_redaction_there_is_none_in_bronze_either(tmp_path: Path) -> None:
    lake = run_in_trouble(tmp_path / "lake", bronze_redaction=True)
    assert leaks(lake, with_bronze=True) == []
    assert lake.rows("silver.fact_events")


def test_one_field_in_the_wrong_class_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = contracts.source("events")
    wrong = tuple(replace(f, privacy=Privacy.NONE) if f.path == "email" else f for f in events.fields)
    mutant = replace(events, fields=wrong)
    monkeypatch.setattr(
        contracts, "SOURCES", tuple(mutant if s.name == "events" else s for s in contracts.SOURCES)
    )
    lake = run_in_trouble(tmp_path / "lake", bronze_redaction=True)
    assert any(place.startswith("bronze/") for place in leaks(lake, with_bronze=True))


def test_unpacking_sees_what_compression_hides(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", Scenario(profile=PEOPLE))
    lake.run_day(START)
    row = lake.rows("silver.fact_events")[0]
    assert any(p.endswith(".parquet") for p in lake_bytes.search(lake.folder, [row["event_key"]]))
    assert any(p.endswith(".avro") for p in lake_bytes.search(lake.folder, ["added_snapshot_id"]))
    assert any(p.endswith(".gz") for p in lake_bytes.search(lake.folder, ["_landing"]))
    assert lake.world.clock.now() < START + timedelta(days=1)
