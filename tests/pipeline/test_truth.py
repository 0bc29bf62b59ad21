"""After ten days of everything that can happen at the source, every table equals the simulator's truth."""

from datetime import datetime
from typing import Any

import pytest

from support.compare import differences
from support.lake import Lake, Row, Scenario
from support.stories import DAYS, HOSTILE, LABELS, moment
from wistlake.contracts import SOURCES, TABLES, table
from wistlake.contracts.form import Removal, Table

pytestmark = pytest.mark.engine
HOURS = [(2, 15), (9, 15)]
Rows = dict[tuple[Any, ...], Row]


@pytest.fixture(scope="module", params=HOURS, ids=lambda hour: f"{hour[0]:02}:{hour[1]:02}")
def lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The story, lived through at an hour of the day."""
    begins = moment(0, *request.param)
    made = Lake(tmp_path_factory.mktemp("truth") / "lake", Scenario(HOSTILE, starts=begins, labels=LABELS))
    made.moments = [moment(day, *request.param) for day in range(DAYS)]  # type: ignore[attr-defined]
    made.results = [made.run_day(now) for now in made.moments]  # type: ignore[attr-defined]
    return made


def test_every_table_equals_the_truth(lake: Lake) -> None:
    assert {r.status for r in lake.results} == {"succeeded"}  # type: ignore[attr-defined]
    for name, rows in lake.truth().tables().items():
        assert rows, name
        assert differences(table(name), rows, lake.rows(name)) == [], name


def test_a_certificate_says_what_the_readings_of_its_day_allow(lake: Lake) -> None:
    rows = {(r["media_id"], r["date"]): r["certificate"] for r in lake.rows("gold.fact_media_daily")}
    settled = lake.truth().settled(lake.settings().lookback_days)
    assert settled
    assert {pair for pair, certificate in rows.items() if certificate != "provisional"} == settled


def by_key(of: Table, rows: list[Row]) -> Rows:
    """Rows by their key."""
    return {tuple(r[k] for k in of.key): r for r in rows}


def states(lake: Lake) -> list[tuple[datetime, dict[str, list[Row]]]]:
    """All tables as each run left them."""
    return [(now, lake.tables(now)) for now in lake.moments]  # type: ignore[attr-defined]


def test_an_export_of_what_has_changed_since_the_last_one_misses_nothing(lake: Lake) -> None:
    """Of every table: a row that is new, or not what it was, says so in `built_at`; a session that is gone too."""
    seen = dict.fromkeys((t.full_name for t in TABLES), 0)
    before: dict[str, Rows] = {t.full_name: {} for t in TABLES}
    for now, tables in states(lake):
        for t in TABLES:
            rows = by_key(t, tables[t.full_name])
            moved = {k for k, r in rows.items() if _facts(t, r) != _facts(t, before[t.full_name].get(k))}
            assert {rows[k]["built_at"] for k in moved} <= {now}, t.full_name
            exported = before[t.full_name] | {k: r for k, r in rows.items() if r["built_at"] == now}
            if t.removal is not Removal.DELETE:
                assert exported == rows, t.full_name
            seen[t.full_name] += len(moved)
            before[t.full_name] = rows
    optional = {s.name for s in SOURCES if s.optional}
    unread = [t.full_name for t in TABLES if t.sources and optional.issuperset(t.sources)]
    assert {name for name, count in seen.items() if not count} == {*unread, "silver.quarantine"}


def _facts(t: Table, row: Row | None) -> dict[str, Any] | None:
    return row and {c: row[c] for c in (*t.key, *t.compared)}


def test_an_export_of_the_days_that_have_changed_misses_no_row_that_is_gone(lake: Lake) -> None:
    """Gold is replaced by days: those that `fact_media_daily` says have changed."""
    of_days = [t for t in TABLES if t.layer == "gold" and t.scope == ("media_id", "date")]
    assert len(of_days) == 6
    copies: dict[str, Rows] = {t.full_name: {} for t in of_days}
    gone = 0
    for now, tables in states(lake):
        changed = {
            (r["media_id"], r["date"]) for r in tables["gold.fact_media_daily"] if r["built_at"] == now
        }
        for t in of_days:
            kept = {k: r for k, r in copies[t.full_name].items() if (r["media_id"], r["date"]) not in changed}
            rows = by_key(t, tables[t.full_name])
            gone += len(copies[t.full_name].keys() - rows.keys())
            news = {k: r for k, r in rows.items() if (r["media_id"], r["date"]) in changed}
            copies[t.full_name] = kept | news
            assert copies[t.full_name] == rows, t.full_name
    assert gone > 0


def test_a_media_says_when_it_has_last_changed(lake: Lake) -> None:
    """Also where Wistia does not: it is deleted, or its page is seen for the first time."""
    of_media = table("silver.dim_media")
    before: Rows = {}
    deleted = 0
    for now, tables in states(lake):
        rows = by_key(of_media, tables["silver.dim_media"])
        for key in before.keys() & rows.keys():
            was, row = before[key], rows[key]
            moved = _facts(of_media, row) != _facts(of_media, was)
            assert (row["updated_at"] > was["updated_at"]) is moved, (now, key)
            deleted += row["is_deleted"] and not was["is_deleted"]
        before = rows
    assert deleted == 1
    alive = [r for r in before.values() if not r["is_deleted"]]
    bumped = {m.media_id: m.updated for m in lake.world.truth.medias()}
    assert all(r["updated_at"] >= bumped[r["media_id"]] for r in alive)


def test_a_rebuild_changes_no_row(lake: Lake) -> None:
    assert lake.changed_by_rebuild(lake.moments[-1]) == []  # type: ignore[attr-defined]
