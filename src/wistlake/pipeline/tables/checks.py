"""The contract checks of a build: what the staged rows of a table break, and which days that stops."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from wistlake.contracts.form import Table
from wistlake.derive import checks
from wistlake.errors import ContractViolation
from wistlake.pipeline.tables.plan import Pair
from wistlake.pipeline.tables.row_changes import TableChanges
from wistlake.quality.checks import Effect, Finding, finding
from wistlake.transforms import change_counts

_FATAL = (checks.KEYS, checks.NULLS)  # no reader can live with these
MOST_REPORTED = 50  # places that one check names in one build


def effect(table: Table, check: str) -> Effect:
    """Facts and gold stop the day that breaks them; other tables stop where keys or presence are at stake."""
    by_day = table.day_column not in ("", "snapshot_date") and table.has("media_id")
    return Effect.STOP if by_day or check in _FATAL else Effect.WARN


def findings(changes: TableChanges) -> Iterator[Finding]:
    """One finding a check over the whole table, then one for each media and day that breaks it."""
    written = sum(c.count for c in changes.by_day if c.is_written)
    table = changes.table
    for check in checks.names(table):
        places: Counter[tuple[str, date | None]] = Counter()
        for c in changes.by_day:
            if count := c.broken.get(check, 0):
                places[(c.media_id or "", c.day)] += count
        total = sum(places.values())
        detail = _columns_at_fault(changes, check) if total else ""
        yield finding(check, table.full_name, effect(table, check), written, total, detail)
        for (media_id, day), count in places.most_common(MOST_REPORTED):
            yield finding(check, table.full_name, effect(table, check), count, count, detail, media_id, day)


def _columns_at_fault(changes: TableChanges, check: str) -> str:
    """The columns or rules that are broken. Costs a query, so that it is asked only when something is."""
    columns = checks.by_column(changes.table).get(check)
    if not columns:
        return f"key: {', '.join(changes.table.key)}"
    row = change_counts.by_condition(changes.staged, columns.values()).collect()[0]
    return ", ".join(name for n, name in enumerate(columns) if row[f"c{n}"])


def key_finding(changes: TableChanges, key: str) -> Finding:
    """Whether each `key` is written once in the whole table, wherever its row stands."""
    row = change_counts.by_key(changes.staged, key).collect()[0]
    count = row["rows"] or 0
    table = changes.table.full_name
    return finding(checks.KEYS, table, Effect.STOP, count, count - row["keys"], f"key: {key}")


def stopped(findings: Iterable[Finding]) -> dict[Pair, str]:
    """The (media, day) places that broken checks stop, and why."""
    return {
        (f.media_id, f.day): f"{f.violations} rows for {f.table} break {f.check} ({f.detail})"
        for f in findings
        if f.is_broken and f.effect is Effect.STOP and f.media_id and f.day
    }


def reject_table(findings: Iterable[Finding]) -> None:
    """ContractViolation for a broken promise that no media and day can be held back for."""
    for f in findings:
        if f.is_broken and f.effect is Effect.STOP and not (f.media_id and f.day):
            raise ContractViolation(
                f"{f.table}: {f.violations} of {f.checked} rows break {f.check} ({f.detail}); nothing of it was "
                "written. Look at the source's answer with `wistlake quarantine list`, and at the contract"
            )
