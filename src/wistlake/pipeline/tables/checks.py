"""The contract checks of a build: what the staged rows of a table break, and what becomes of that."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from pyspark.sql import functions as F

from wistlake.contracts.form import Table
from wistlake.derive import checks
from wistlake.errors import ContractViolation
from wistlake.pipeline.tables.row_changes import TableChanges, grouped_by_key
from wistlake.quality.checks import Effect, Finding, finding

Place = tuple[str, date]
_FATAL = (checks.KEYS, checks.NULLS)  # no reader can live with these
MOST_TOLD = 50  # places that one check names in one build


def effect(table: Table, check: str) -> Effect:
    """Facts and gold stop the day that breaks them; other tables stop where keys or presence are at stake."""
    by_day = table.day_column and table.has("media_id")
    return Effect.STOP if by_day or check in _FATAL else Effect.WARN


def asked(table: Table) -> tuple[str, ...]:
    """The names of the row checks that the table's contract asks for."""
    return tuple(
        c for c in (checks.KEYS, *checks.violations(table)) if c != checks.KEYS or grouped_by_key(table)
    )


def findings(applied: TableChanges) -> Iterator[Finding]:
    """One finding a check over the whole table, then one for each media and day that breaks it."""
    written = sum(t.count for t in applied.tally if t.is_written)
    table = applied.table
    for check in asked(table):
        places: Counter[tuple[str, date | None]] = Counter()
        for t in applied.tally:
            if count := t.broken.get(check, 0):
                places[(t.media_id or "", t.day)] += count
        total = sum(places.values())
        detail = _blamed(applied, check) if total else ""
        yield finding(check, table.full_name, effect(table, check), written, total, detail)
        for (media_id, day), count in places.most_common(MOST_TOLD):
            yield finding(check, table.full_name, effect(table, check), count, count, detail, media_id, day)


def _blamed(applied: TableChanges, check: str) -> str:
    """The columns or rules that are broken: asked for only when something is."""
    columns = checks.by_column(applied.table, check)
    if not columns:
        return f"key: {', '.join(applied.table.key)}"
    counts = applied.changes.where("_change in ('new', 'updated')").agg(
        *(
            F.expr(f"sum(case when {c} then 1 else 0 end)").alias(f"c{n}")
            for n, c in enumerate(columns.values())
        )
    )
    row = counts.collect()[0]
    return ", ".join(name for n, name in enumerate(columns) if row[f"c{n}"])


def stopped(found: Iterable[Finding]) -> dict[Place, str]:
    """The (media, day) places that broken checks stop, and why."""
    return {
        (f.media_id, f.day): f"{f.violations} rows for {f.table} break {f.check} ({f.detail})"
        for f in found
        if f.is_broken and f.effect is Effect.STOP and f.media_id and f.day
    }


def refuse_whole(found: Iterable[Finding]) -> None:
    """ContractViolation for a broken promise that no media and day can be held back for."""
    for f in found:
        if f.is_broken and f.effect is Effect.STOP and not (f.media_id and f.day):
            raise ContractViolation(
                f"{f.table}: {f.violations} of {f.checked} rows break {f.check} ({f.detail}); nothing of it was "
                "written. Look at the source's answer with `wistlake quarantine list`, and at the contract"
            )
