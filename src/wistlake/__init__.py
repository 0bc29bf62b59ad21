"""Wistia's engagement numbers as a lakehouse. `wistlake.open(path)` reads one from Python.

Days are `datetime.date` or text as 2026-03-02; without any, an answer is of the newest four weeks; of a lake younger
than eight, about half. Wherever names are taken, one or several are. Errors are `wistlake.errors.ConfigError`, and name
what there is.
"""

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from wistlake.insight.answer import Answer
    from wistlake.ports import Query

__all__ = ["Lake", "open"]

Day = date | str | None
Names = str | Sequence[str]


class Lake:
    """The published tables of a lake folder, read-only, all of one moment; safe while a run writes."""

    def __init__(self, query: "Query") -> None:
        self._query = query

    def metric(
        self,
        name: str,
        by: Names = (),
        *,
        start: Day = None,
        end: Day = None,
        media: Names = (),
        labels: Names = (),
        channels: Names = (),
        compare: bool = False,
    ) -> "Answer":
        """A metric (docs/metrics.md) by dimensions (channel, country, device, media, title, label, date, week, month,
        ...): ratios of sums, viewers counted anew in each group, in the unit that the answer names. `labels` are
        `label=value`. `compare` adds `before` (as many days right before) and `change`.

        ConfigError for a metric, dimension, media, label or channel that is not there, and for what is not known by
        these dimensions."""
        from wistlake.insight import ask

        selection = ask.Selection.of(start, end, media, labels, channels)
        return ask.metric(self._query, name, selection, ask.several(by), compare=compare)

    def top(
        self, name: str = "plays", by: str = "media", count: int = 10, *, start: Day = None, end: Day = None,
        media: Names = (), labels: Names = (), channels: Names = (),
    ) -> "Answer":  # fmt: skip
        """The `count` groups of a dimension with the most of a metric, beside the period before."""
        from wistlake.insight import ask

        return ask.top(self._query, name, ask.Selection.of(start, end, media, labels, channels), by, count)

    def retention(self, media_id: str, *, start: Day = None, end: Day = None) -> "Answer":
        """The share of a media's plays that saw each second (0..1), of all time and of the period. ConfigError if
        these days have no snapshot of it."""
        from wistlake.insight import ask

        return ask.retention(self._query, media_id, ask.Selection(ask.day(start), ask.day(end)))

    def trust(self, *, start: Day = None, end: Day = None, media: Names = ()) -> "Answer":
        """Each day's certificate, what is missing, and what is wrong. Without days: of the newest four weeks, or
        all days of a younger lake, failed ones at its end too. No rows while nothing is published."""
        from wistlake.insight import ask

        return ask.trust(self._query, ask.Selection.of(start, end, media, (), ()))

    def metrics(self) -> "Answer":
        """Every metric, with its definition and unit."""
        from wistlake.insight import ask

        return ask.list_metrics(self._query)

    def sql(self, text: str) -> "pa.Table":
        """The rows of one SELECT over `layer.table`s. ConfigError with the engine's words if it can't run."""
        return self._query.sql(text)

    def table(self, name: str) -> "pa.Table":
        """All rows of `layer.table`. ConfigError if there is no such table."""
        from wistlake.errors import unknown

        if name not in self.tables():
            raise unknown("table", name, self.tables())
        return self._query.sql(f"SELECT * FROM {name}")

    def tables(self) -> tuple[str, ...]:
        """The tables' full names, in build order."""
        from wistlake.contracts import TABLES

        return tuple(t.full_name for t in TABLES)


def open(path: str | Path = "lake") -> Lake:  # noqa: A001, as in `wistlake.open`
    """The lake in the folder `path`. ConfigError if there is none, it was moved, or it is newer."""
    from wistlake.errors import ConfigError
    from wistlake.wiring.laptop import query_folder

    try:
        folder = Path(os.path.abspath(Path(path).expanduser()))
    except RuntimeError:
        raise ConfigError(f"{path}: there is no such home folder") from None
    return Lake(query_folder(folder))
