"""Contract to checks: what no row of a table may be, as SQL conditions. Pure text."""

from collections.abc import Iterable, Mapping, Sequence

from wistlake.contracts.form import Column, Table

KEYS, NULLS, RANGES, VALUES, RULES = "unique_keys", "not_null", "in_range", "allowed_values", "row_rules"


def by_column(table: Table) -> Mapping[str, Mapping[str, str]]:
    """Each row check, by its name, column by column (or rule by rule): the SQL that holds on a row that breaks it."""
    bounded = (c for c in table.columns if c.minimum is not None or c.maximum is not None)
    return {
        NULLS: {c.name: f"{c.name} is null" for c in table.columns if not c.nullable},
        RANGES: {c.name: out_of_range(c) for c in bounded},
        VALUES: {c.name: not_allowed(c) for c in table.columns if c.allowed},
        RULES: {rule: f"not ({rule})" for rule in table.rules},
    }


def violations(table: Table) -> Mapping[str, str]:
    """Name of each row check that the contract asks for, and the SQL that holds on a row that breaks it."""
    return {name: _any(columns.values()) for name, columns in by_column(table).items() if columns}


def counts_keys_by_day(table: Table) -> bool:
    """Whether all rows of one key lie in one group of changes, so that a repeated key shows up there. A session's
    key may be on two days: it is counted over the whole table."""
    return table.name != "fact_events"


def names(table: Table) -> tuple[str, ...]:
    """The row checks that the contract asks for, and that of keys where it is counted by day."""
    return (*((KEYS,) if counts_keys_by_day(table) else ()), *violations(table))


def out_of_range(column: Column) -> str:
    """SQL: the value is below the minimum or above the maximum; NULL is neither."""
    limits = ((column.minimum, "<"), (column.maximum, ">"))
    return _any(f"{column.name} {sign} {limit:g}" for limit, sign in limits if limit is not None)


def not_allowed(column: Column) -> str:
    """SQL: the value is none of those that the contract lists; NULL is none, but allowed to be."""
    listed = ", ".join(f"'{value}'" for value in column.allowed)
    return f"{column.name} not in ({listed})"


def key_text(columns: Sequence[str]) -> str:
    """SQL: a key as one text, to count distinct ones; of no columns there is one."""
    texts = [f"cast({c} as string)" for c in columns] or ["''"]
    return texts[0] if len(texts) == 1 else f"concat_ws('|', {', '.join(texts)})"


def _any(conditions: Iterable[str]) -> str:
    return " or ".join(f"({c})" for c in conditions)
