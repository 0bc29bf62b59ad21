"""An answer: figures, what they mean, which publication they are of, and how far each of their days can be trusted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wistlake.errors import ConfigError
from wistlake.ports import Query
from wistlake.quality.certificates import Certificate
from wistlake.quality.scope import Scope
from wistlake_dashboard import health, words
from wistlake_dashboard.coverage import Coverage
from wistlake_dashboard.reader import Row
from wistlake_dashboard.trust import Spans, Trust, trust

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

NOT_PUBLISHED = "not published"
_ORDER = tuple(map(str, Certificate))  # the lowest first
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Days:
    """Days in a row with one certificate: the lowest that any media of the answer has on them."""

    start: date
    end: date
    certificate: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of figures. `definitions` says of each metric what it means, and its unit; `publication` is the run whose
    tables were read; `certificates` cover every day of the period; `trust` says in a sentence which days may
    still change and what is missing; `notes` what else a reader must know; `facts` are figures that are no rows."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    definitions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    period: tuple[date, date] | None = None
    publication: str = ""
    certificates: tuple[Days, ...] = ()
    trust: str = ""
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    def first(self, count: int) -> "Answer":
        """The same with so many rows at most, and a note of how many there are."""
        rest = len(self.rows) - count
        if rest <= 0:
            return self
        return replace(
            self, rows=self.rows[:count], notes=(*self.notes, f"The first {count} of {len(self.rows)} rows.")
        )

    def every(self, count: int) -> "Answer":
        """The same with about so many of its rows, equally far apart, the last one among them."""
        step = max(1, -(-len(self.rows) // count))
        return replace(self, rows=self.rows[::-step][::-1])

    def as_json(self) -> dict[str, Any]:
        """Plain values, the rows first."""
        period = {"from": self.period[0], "to": self.period[1]} if self.period else None
        days = [{"from": d.start, "to": d.end, "certificate": d.certificate} for d in self.certificates]
        return {
            "rows": list(self.rows),
            **self.facts,
            "definitions": dict(self.definitions),
            "period": period,
            "publication": self.publication,
            "certificates": days,
            "trust": self.trust,
            "notes": list(self.notes),
        }

    def arrow(self) -> "pa.Table":
        """The rows as an Arrow table."""
        import pyarrow as pa

        return pa.table({name: [row[name] for row in self.rows] for name in self.columns})

    def polars(self) -> "pl.DataFrame":
        """The rows as a Polars frame. ConfigError if Polars is not installed."""
        frame: pl.DataFrame = _library("polars").from_arrow(self.arrow())
        return frame

    def pandas(self) -> "pd.DataFrame":
        """The rows as a pandas frame. ConfigError if pandas is not installed."""
        _library("pandas")
        return self.arrow().to_pandas()


def _library(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise ConfigError(f"{name} is not installed: pip install {name}, or take .arrow()") from None


def trusted(query: Query, scope: Scope, answer: Answer, cover: Coverage | None = None) -> Answer:
    """The answer with how far the scope's days, and those of its second range, can be trusted; `cover` says what they
    lack."""
    certificates, state = tuple(_certificates(query, scope)), trust(query, scope)
    absent = [(d.start, d.end) for d in certificates if d.certificate == NOT_PUBLISHED]
    text = _sentence(state, scope, absent, cover)
    publication = query.published
    return replace(
        answer,
        period=(scope.start, scope.end),
        publication=publication.run_id if publication else "",
        certificates=certificates,
        trust=f"Simulated data: {text}" if state.is_simulated else text[0].upper() + text[1:],
    )


def _sentence(state: Trust, scope: Scope, absent: Spans, cover: Coverage | None) -> str:
    """Which days may still change, and which are not there."""
    if not state.published:
        return f"nothing of these days is published: {', '.join(words.span(*span) for span in absent)}."
    return f"{state.stability(scope, cover, absent)}."


def _certificates(query: Query, scope: Scope) -> Iterable[Days]:
    lowest: dict[date, str] = {}
    for row in health.certificates(query, scope):
        before = lowest.get(row["date"], row["certificate"])
        lowest[row["date"]] = min(before, row["certificate"], key=_ORDER.index)
    run: Days | None = None
    for day in sorted(scope.days):
        certificate = lowest.get(day, NOT_PUBLISHED)
        if run and run.certificate == certificate and run.end + _DAY == day:
            run = replace(run, end=day)
            continue
        if run:
            yield run
        run = Days(day, day, certificate)
    if run:
        yield run
