"""Forgetting on a lake of thirty days, after a rotation: nowhere, for good, and nobody else is touched."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from privacy.people import PEOPLE, Known, have_forgotten, somebody
from privacy.test_rotate import turn
from support.compare import differences
from support.lake import KEY, START, Lake, Scenario
from support.some import some
from wistia_simulator import TrueSession
from wistlake.adapters import lake_bytes
from wistlake.contracts import table
from wistlake.derive.pseudonym import pseudonym

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
DAYS = 30
LAST = START + timedelta(days=2)
FIRST_DAY = LAST.date() - timedelta(days=DAYS)
MONTH = Scenario(
    replace(PEOPLE, media=1, sessions_per_day=6, history_days=DAYS + 2, batched=False, canary=None),
    settings={"lookback_days": 2, "start_date": FIRST_DAY},
)
Rows = dict[str, list[dict[str, Any]]]


class Without:
    """A world (or what it says of itself) in which one person never was; everything else is as it is there."""

    def __init__(self, real: Any, visitor_key: str) -> None:
        self._real, self._key = real, visitor_key

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        return Without(found, self._key) if name == "truth" else found

    def sessions(self, *args: Any, **named: Any) -> Sequence[TrueSession]:
        """The others' sessions."""
        return [s for s in self._real.sessions(*args, **named) if s.visitor_key != self._key]


def state(lake: Lake) -> dict[str, Any]:
    """Every file of the lake by its digest, and what the ledger says; who held its lease is no part of it."""
    ledger = lake.ledger
    said = {"runs": ledger.runs(), "intervals": ledger.intervals(), "tombstones": ledger.facts("tombstones")}
    return {"published": ledger.publication(), **said} | {
        p.relative_to(lake.folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in lake.folder.rglob("*")
        if p.is_file() and not p.name.startswith(("ledger.", "lease"))
    }


def everything_about(lake: Lake, who: Known) -> list[str]:
    """The person's key, address, and ids of every epoch."""
    keys = lake.opened().key_chain().keys
    ids = [pseudonym(keys[:n], who.visitor_key) for n in range(1, len(keys) + 1)]
    return [who.visitor_key, who.email, who.email.partition("@")[0], *ids]


def without(rows: Rows, visitor: str) -> Rows:
    return {name: [r for r in found if r.get("visitor_id") != visitor] for name, found in rows.items()}


def check_others(lake: Lake, before: Rows, visitor: str) -> None:
    """Every row of silver, and every row about somebody, is as it was: value by value, save lineage."""
    after, kept = lake.tables(), without(before, visitor)
    same = {n for n in kept if n.startswith("silver.")} | {"gold.fact_media_engagement", "gold.dim_visitor"}
    for name in same - {"silver.quarantine"}:
        assert not differences(table(name), kept[name], after[name]), name


def check_aggregates(lake: Lake, who: Known) -> None:
    """Every table as plain Python makes it of a world without the person."""
    world: Any = Without(lake.world, who.visitor_key)
    for name, rows in some(lake.truth(world=world).tables().items()):
        assert not differences(table(name), rows, lake.rows(name)), name


def test_a_month_without_the_person(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", MONTH)
    lake.run_day(START)
    ids_before = {r["event_key"]: r["visitor_id"] for r in lake.rows("silver.fact_events")}
    turn(lake)
    key = lake.opened().key_chain().keys[1:]
    lake.run_days(2, START + timedelta(days=1))
    ids_after = {r["event_key"]: r["visitor_id"] for r in lake.rows("silver.fact_events")}
    assert {k: ids_after[k] for k in ids_before} == {k: pseudonym(key, v) for k, v in ids_before.items()}

    who = somebody(lake)
    texts, before = everything_about(lake, who), lake.tables()
    visitor = pseudonym((KEY, *key), who.visitor_key)
    days = {r["event_date"] for r in before["silver.fact_events"]}
    assert (max(days) - min(days)).days >= DAYS - 1
    assert sum(r["visitor_id"] == visitor for r in before["silver.fact_events"]) > 2
    assert lake_bytes.search(lake.folder, texts)

    untouched = state(lake)
    would = have_forgotten(lake, LAST + timedelta(hours=1), dry_run=True, email=who.email)
    assert state(lake) == untouched
    done = have_forgotten(lake, LAST + timedelta(hours=2), email=who.email)
    assert would["bronze"]["records"] == done["bronze"]["records"]
    assert would["tables"].items() <= done["tables"].items()

    assert not lake_bytes.search(lake.folder, texts)
    check_others(lake, before, visitor)
    check_aggregates(lake, who)

    lake.run_day(LAST + timedelta(hours=3), start=FIRST_DAY, trigger="backfill")
    assert not lake_bytes.search(lake.folder, texts)
    check_aggregates(lake, who)
