"""After any story, a rebuild of all that bronze holds changes no row: the lake is what its raw pages say."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from wistlake.contracts import TABLES
from wistlake.contracts.form import Table
from wistlake.pipeline.jobs.rebuild import invalidate_builds
from wistlake.pipeline.run.driver import RunFailed, run
from wistlake.pipeline.run.spec import Dependencies, RunSpec
from wistlake.ports import LEASE, LEASE_SECONDS

Row = Mapping[str, Any]
Tables = Mapping[str, Iterable[Row]]
FACTS = tuple(t for t in TABLES if t.layer != "ops")  # ops tables belong to each run
_MOST_LINES = 20


def changed_by_rebuild(spec: RunSpec, parts: Dependencies, read: Callable[[], Tables]) -> list[str]:
    """What a rebuild changes in silver and gold, in words; nothing if all is well.

    `spec` is a rebuild's (`build_only`); `read` returns the newest published rows of every table by its full name.
    Every column counts, also the moments at which a row last changed. A day that is blocked was blocked before: that
    the rebuild reports it again is no change.
    """
    before = {t: list(rows) for t, rows in _facts(read())}
    with parts.ledger.lease(LEASE, f"{spec.run_id}-anew", spec.window.now, LEASE_SECONDS):
        invalidate_builds(parts.ledger, parts.objects)
    with suppress(RunFailed):
        run(spec, parts)
    after = dict(_facts(read()))
    lines = [line for t in FACTS for line in _differences(t, before[t], after[t])]
    return lines[:_MOST_LINES] + ([f"... {len(lines)} in all"] if len(lines) > _MOST_LINES else [])


def _facts(tables: Tables) -> Iterable[tuple[Table, Iterable[Row]]]:
    return ((t, tables[t.full_name]) for t in FACTS)


def _differences(table: Table, before: Iterable[Row], after: Iterable[Row]) -> Iterable[str]:
    old, new = (_by_key(table, rows) for rows in (before, after))
    for key in sorted(old.keys() | new.keys(), key=str):
        if key not in new:
            yield f"{table.full_name}: {key} is gone"
        elif key not in old:
            yield f"{table.full_name}: {key} is new"
        elif moved := [c for c in table.column_names if old[key][c] != new[key][c]]:
            was_and_is = ", ".join(f"{c} was {old[key][c]!r}, is {new[key][c]!r}" for c in moved[:3])
            yield f"{table.full_name}: {key}: {was_and_is}"


def _by_key(table: Table, rows: Iterable[Row]) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[k] for k in table.key): row for row in rows}
