"""The ledger as tables: `ops.runs`, `ops.intervals` and the others, whoever answers the query. Loads no engine."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, get_type_hints

from wistlake.adapters.table_names import plain_name
from wistlake.contracts.form import Type
from wistlake.planning import account, optional
from wistlake.planning.account import AccountDay
from wistlake.planning.intervals import Interval, MediaEntry, State, Watermark
from wistlake.ports import Ledger, Run
from wistlake.quality.alert_history import Alert

_TYPES: Mapping[Any, Type] = {
    str: Type.STRING,
    State: Type.STRING,
    int: Type.LONG,
    int | None: Type.LONG,
    float: Type.DOUBLE,
    bool: Type.BOOLEAN,
    date: Type.DATE,
    datetime: Type.TIMESTAMP,
    datetime | None: Type.TIMESTAMP,
}
_INTERVAL_COLUMNS = (
    "dataset", "media_id", "day", "state", "reason", "rows", "finished", "missing", "confirmations", "observed_at",
    "published_at", "run_id", "landing_id", "moved_at",
)  # fmt: skip
_RUN_COLUMNS = ("run_id", "trigger", "origin", "status", "started_at", "ended_at", "error")
MOST_RUNS = 10_000


@dataclass(frozen=True, slots=True)
class LedgerTable:
    """One of the tables: its columns, and what its rows are made of, an object a row with a field a column."""

    columns: Mapping[str, Type]
    read: Callable[[Ledger], Sequence[object]]


def _table(kind: type, read: Callable[[Ledger], Sequence[object]], names: Sequence[str] = ()) -> LedgerTable:
    """A column for each of the named fields of a dataclass, or for all."""
    types = get_type_hints(kind)
    return LedgerTable({name: _TYPES[types[name]] for name in names or types}, read)


INTERVALS = "ops.intervals"
LEDGER_TABLES: Mapping[str, LedgerTable] = {
    # Every interval: whoever may meet a large ledger reads `interval_columns` instead.
    INTERVALS: _table(Interval, lambda ledger: ledger.intervals(), _INTERVAL_COLUMNS),
    "ops.watermarks": _table(Watermark, lambda ledger: ledger.watermarks()),
    "ops.runs": _table(Run, lambda ledger: ledger.runs(MOST_RUNS), _RUN_COLUMNS),
    "ops.media": _table(MediaEntry, lambda ledger: ledger.media()),
    "ops.alerts": _table(Alert, lambda ledger: ledger.alerts()),
    "ops.account": _table(AccountDay, lambda ledger: [*account.read(ledger.facts(account.FACTS)).values()]),
    "ops.not_in_plan": _table(
        optional.Refusal, lambda ledger: optional.refusals(ledger.facts(optional.FACTS))
    ),
}


def words(text: str) -> set[str]:
    """The words of a query, with their schema where it is given."""
    return set(re.findall(r"[\w.]+", plain_name(text)))


def are_ledgers_alone(names: Collection[str]) -> bool:
    """Whether every table of the lake among the names is one of the ledger's, and one is there."""
    ours = {name for name in names if name.startswith(("silver.", "gold.", "ops."))}
    return bool(ours) and ours <= LEDGER_TABLES.keys()


def columns_named(name: str, text: str) -> dict[str, Type]:
    """The columns of a table that a query can need: those that it names, all if it may mean all, one at least."""
    columns, named = LEDGER_TABLES[name].columns, words(text)
    if "natural" in named or re.search(r"\*", re.sub(r"(?i)\bcount\s*\(\s*\*\s*\)", "", text)):
        return dict(columns)
    plain = {word.rpartition(".")[2] for word in named}
    return {c: kind for c, kind in columns.items() if c in plain} or dict([next(iter(columns.items()))])
