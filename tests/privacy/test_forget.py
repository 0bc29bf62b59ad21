"""Forgetting: the person is nowhere, everybody else is as before, and nothing brings the person back."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from privacy import people
from privacy.people import DAYS, have_forgotten, somebody
from support.compare import differences
from support.lake import KEY, START, Lake
from support.some import some
from wistlake.adapters import lake_bytes
from wistlake.contracts import TABLES, table
from wistlake.derive.pseudonym import pseudonym
from wistlake.errors import ConfigError, StoreError

pytestmark = pytest.mark.engine
Rows = dict[str, list[dict[str, Any]]]


def expected_without(before: Rows, visitor: str) -> Rows:
    """The tables as they should be afterwards, in plain Python."""
    after = {name: [r for r in rows if r.get("visitor_id") != visitor] for name, rows in before.items()}
    return {n: after[n] for n in ("silver.fact_events", "gold.fact_media_engagement", "gold.dim_visitor")}


def test_a_person_is_gone_everywhere_and_stays_away(lake: Lake) -> None:
    who = somebody(lake)
    visitor = pseudonym([KEY], who.visitor_key)
    before = lake.tables()
    assert sum(r["visitor_id"] == visitor for r in before["silver.fact_events"]) > 1
    assert lake_bytes.search(lake.folder, [who.visitor_key, who.email])

    after_runs = START + timedelta(days=DAYS - 1, hours=1)
    receipt = have_forgotten(lake, after_runs, email=who.email)

    assert not lake_bytes.search(
        lake.folder, [who.visitor_key, who.email, who.email.partition("@")[0], visitor]
    )
    after = lake.tables()
    for name, rows in some(expected_without(before, visitor).items()):
        assert not differences(table(name), rows, after[name]), name
    _aggregates_add_up(after)
    _says_nothing_personal(receipt, who.visitor_key, who.email, visitor)

    lake.run_day(after_runs + timedelta(hours=1), start=START.date() - timedelta(days=8), trigger="backfill")
    assert not lake_bytes.search(lake.folder, [who.visitor_key, who.email, visitor])
    assert not differences(
        table("silver.fact_events"),
        expected_without(before, visitor)["silver.fact_events"],
        [
            r
            for r in lake.rows("silver.fact_events")
            if r["event_key"] in {b["event_key"] for b in before["silver.fact_events"]}
        ],
    )


def _aggregates_add_up(after: Rows) -> None:
    """Every daily count again, from the sessions that are left."""
    left = Counter(
        (r["media_id"], r["event_date_local"]) for r in after["silver.fact_events"] if not r["removed_at"]
    )
    for row in some(after["gold.fact_media_daily"]):
        assert row["sessions"] == left[(row["media_id"], row["date"])]
    per_country: Counter[Any] = Counter()
    for row in after["gold.geo_daily"]:
        per_country[(row["media_id"], row["date"])] += row["plays_from_events"] + row["conversions"]
    assert all(left[pair] == count for pair, count in some(per_country.items()))


def _says_nothing_personal(receipt: dict[str, Any], *texts: str) -> None:
    said = json.dumps(receipt)
    assert not [t for t in texts if t in said]
    assert receipt["bronze"]["records"] > 1
    assert receipt["tables"]["silver.fact_events"] > 1
    assert receipt["snapshots"]["silver.fact_events"]
    assert receipt["second_look"] == "nothing found"
    assert len(receipt["sha256"]) == 64


def test_a_dry_run_counts_and_changes_nothing(lake: Lake) -> None:
    who = somebody(lake)
    before = {p: p.read_bytes() for p in (lake.folder / "bronze").rglob("*") if p.is_file()}
    receipt = have_forgotten(lake, START + timedelta(days=3), dry_run=True, visitor_key=who.visitor_key)
    assert receipt["tables"]["silver.fact_events"] > 1
    assert receipt["bronze"]["records"] > 1
    assert before == {p: p.read_bytes() for p in (lake.folder / "bronze").rglob("*") if p.is_file()}
    assert not lake.ledger.facts("tombstones")


def test_a_crash_is_cured_by_the_same_order(lake: Lake) -> None:
    who = somebody(lake)
    now = START + timedelta(days=3)

    def dies(_texts: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        have_forgotten(lake, now, search=dies, email=who.email)
    have_forgotten(lake, now + timedelta(seconds=1), email=who.email)
    assert not lake_bytes.search(lake.folder, [who.visitor_key, who.email, pseudonym([KEY], who.visitor_key)])
    assert not lake.ledger.facts("forgetting")


def test_a_person_that_is_still_there_is_an_error(lake: Lake) -> None:
    who = somebody(lake)
    with pytest.raises(StoreError, match="second look still finds") as caught:
        have_forgotten(lake, START + timedelta(days=3), search=lambda _: {"copy.txt": 1}, email=who.email)
    assert who.email not in str(caught.value)


def test_an_order_may_be_given_again_when_nothing_names_the_person_any_more(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: object) -> None:
        return None

    monkeypatch.setattr(people, "ask_source", nobody)
    who, now = somebody(lake), START + timedelta(days=3)
    assert have_forgotten(lake, now, email=who.email)["bronze"]["records"] > 1
    again = have_forgotten(lake, now + timedelta(hours=1), email=who.email)
    assert (again["bronze"]["records"], again["second_look"]) == (0, "nothing found")


def test_a_stranger_is_refused_plainly(lake: Lake) -> None:
    with pytest.raises(ConfigError, match="nobody is known by that address"):
        have_forgotten(lake, START + timedelta(days=3), email="nobody@example.org")


@pytest.mark.parametrize("who", [{}, {"email": "a@example.org", "visitor_key": "k"}, {"email": "no address"}])
def test_exactly_one_name_is_taken(lake: Lake, who: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="--email"):
        have_forgotten(lake, START + timedelta(days=DAYS), **who)


def test_contracts_cover_every_table_with_a_visitor() -> None:
    assert {t.full_name for t in TABLES if t.has("visitor_id")} == {
        "silver.fact_events",
        "silver.visitors",
        "gold.fact_media_engagement",
        "gold.dim_visitor",
    }
