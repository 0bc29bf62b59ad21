"""What part of a table a commit may touch, by where the changed rows are and were."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from wistlake.contracts import table
from wistlake.pipeline.tables.row_changes import MOST_MERGED, RowChange, TableChanges, commit

VISITORS = table("gold.dim_visitor")
MONTH = (
    "(t.last_seen_at >= TIMESTAMP'2026-{}-01 00:00:00' AND t.last_seen_at < TIMESTAMP'2026-{}-01 00:00:00')"
)
MARCH, MAY = date(2026, 3, 1), date(2026, 5, 1)


@dataclass
class Store:
    """Notes what part of the table each commit was pruned to."""

    prunes: list[str | None] = field(default_factory=list)

    def merge(self, _table: Any, _changes: Any, prune: str | None) -> None:
        self.prunes.append(prune)


def _row(change: str, count: int, *months: date) -> RowChange:
    return RowChange(change, count, None, None, None, None, None, months=frozenset(months))


@pytest.mark.parametrize(
    ("rows", "prunes"),
    [
        ([_row("unchanged", 9, MARCH)], []),
        ([_row("new", 5, MAY), _row("unchanged", 9, MARCH)], [None]),
        ([_row("updated", MOST_MERGED + 1, MARCH)], [""]),
        (
            [_row("updated", 1, MARCH, MAY), _row("new", 5, MAY), _row("unchanged", 9, date(2025, 1, 1))],
            [f"({MONTH.format('03', '04')} OR {MONTH.format('05', '06')})"],
        ),
    ],
    ids=("nothing", "new ones", "most", "some"),
)
def test_visitors_are_pruned_to_months(rows: list[RowChange], prunes: list[str | None]) -> None:
    store = Store()
    commit(store, TableChanges(VISITORS, None, tuple(rows)))  # type: ignore[arg-type]
    assert store.prunes == prunes


def test_a_small_table_is_written_whole_and_one_with_days_is_pruned_to_them() -> None:
    store = Store()
    commit(store, TableChanges(table("silver.dim_media"), None, (_row("updated", 1),)))  # type: ignore[arg-type]
    moved = RowChange("updated", 1, "m1", MAY, MARCH, None, None)
    commit(store, TableChanges(table("silver.media_lifetime"), None, (moved,)))  # type: ignore[arg-type]
    days = (f"t.snapshot_date BETWEEN DATE'{day}' AND DATE'{day}'" for day in (MARCH, MAY))
    assert store.prunes == ["", f"({' OR '.join(days)})"]
