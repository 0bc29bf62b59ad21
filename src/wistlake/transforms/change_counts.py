"""Counts over a table's staged `changes`: rows by kind, rows that break the contract, keys that repeat.

A build decides on them before it commits: which days it reports, recomputes or stops.
"""

from collections.abc import Collection, Iterator

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.form import Table
from wistlake.derive import checks
from wistlake.transforms.changes import NEW, UPDATED, change_columns

_GROUPS = ("media_id", "event_date", "event_date_local", "date", "dt", "snapshot_date")
_WRITTEN = f"_change in ('{NEW}', '{UPDATED}')"


def by_day(table: Table, staged: DataFrame, measure: str) -> DataFrame:
    """Changes grouped by kind, media and days: `_rows`, `_broken_<check>` and `_measured`, the sum of `measure`
    (SQL of a row; none if ""). `_months` and `_was_months` (their first days), where the table is partitioned by
    the month of a moment."""
    moment = table.moment_column
    groups = [
        c for c in change_columns(table) if (c.startswith("_") or c in _GROUPS) and c != f"_was_{moment}"
    ]
    return staged.groupBy(*map(F.col, groups)).agg(F.count(F.lit(1)).alias("_rows"), *_sums(table, measure))


def _sums(table: Table, measure: str) -> Iterator[Column]:
    for check, condition in checks.violations(table).items():
        yield _rows_that(condition).alias(f"_broken_{check}")
    if checks.counts_keys_by_day(table):
        key = checks.key_text([k for k in table.key if k not in _GROUPS])
        yield F.expr(f"count(1) - count(distinct {key})").alias(f"_broken_{checks.KEYS}")
    if moment := table.moment_column:
        for before in ("", "_was"):
            months = F.expr(f"cast(date_trunc('MONTH', {before}{'_' * bool(before)}{moment}) as date)")
            yield F.collect_set(months).alias(f"{before}_months")
    if measure:
        yield F.expr(f"sum({measure})").alias("_measured")


def by_condition(staged: DataFrame, conditions: Collection[str]) -> DataFrame:
    """One row: how many of the rows to be written meet each condition (`c0`, `c1`, ...)."""
    written = staged.where(_WRITTEN)
    return written.agg(*(_rows_that(condition).alias(f"c{n}") for n, condition in enumerate(conditions)))


def by_key(staged: DataFrame, key: str) -> DataFrame:
    """One row: how many rows are to be written (`rows`, NULL for none), and under how many values of `key` (`keys`)."""
    counted = staged.where(_WRITTEN).groupBy(F.col(key)).agg(F.count(F.lit(1)).alias("n"))
    return counted.agg(F.sum("n").alias("rows"), F.count(F.lit(1)).alias("keys"))


def _rows_that(condition: str) -> Column:
    return F.expr(f"sum(case when {condition} then 1 else 0 end)")
