"""After any story, a rebuild of all that bronze holds changes no row: the lake is what its raw pages say."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
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
    the rebuild reports it again isn't a change.
    """
    before = {t: list(rows) for t, rows in _facts(read())}
    with parts.ledger.lease(LEASE, f"{spec.run_id}-anew", spec.window.now, LEASE_SECONDS):
        invalidate_builds(parts.ledger, parts.objects)
    with suppress(RunFailed):
        run(spec, parts)
    after = dict(_facts(read()))
    lines = [
        f"{t.full_name}: {line}"
        for t in FACTS
        for line in differences(t.key, t.column_names, before[t], after[t])
    ]
    return lines[:_MOST_LINES] + ([f"... {len(lines)} in all"] if len(lines) > _MOST_LINES else [])


def _facts(tables: Tables) -> Iterable[tuple[Table, Iterable[Row]]]:
    return ((t, tables[t.full_name]) for t in FACTS)


def differences(
    key: tuple[str, ...], columns: Sequence[str], before: Iterable[Row], after: Iterable[Row]
) -> list[str]:
    """The rows that only one of two states of a table has, or that differ in `columns`, in words."""
    old, new = (_by_key(key, rows) for rows in (before, after))
    lines = []
    for at in sorted(old.keys() | new.keys(), key=str):
        if at not in new:
            lines.append(f"{at} is gone")
        elif at not in old:
            lines.append(f"{at} is new")
        elif len(old[at]) != len(new[at]):
            lines.append(f"{at} stood {len(old[at])} times, stands {len(new[at])} times")
        elif moved := [c for c in columns if old[at][0][c] != new[at][0][c]]:
            values = ", ".join(f"{c} was {old[at][0][c]!r}, is {new[at][0][c]!r}" for c in moved[:3])
            lines.append(f"{at}: {values}")
    return lines


def _by_key(key: tuple[str, ...], rows: Iterable[Row]) -> dict[tuple[Any, ...], list[Row]]:
    by_key = defaultdict(list)
    for row in rows:
        by_key[tuple(row[k] for k in key)].append(row)
    return by_key
