"""What jobs share that rewrite rows where they are: history goes, and what was built stays built."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from wistlake.contracts.form import Table
from wistlake.pipeline.run.pending import signature
from wistlake.pipeline.run.spec import RunSpec
from wistlake.planning.intervals import Interval
from wistlake.ports import TableRef

Search = Callable[
    [Iterable[str]], Mapping[str, int]
]  # texts to the places that hold one of them, and how often


class Purge(Protocol):
    """Takes the past away from Iceberg tables."""

    def expire(self, tables: Iterable[Table]) -> Mapping[str, list[int]]:
        """Keep each table's current snapshot alone; the ids of those that are gone, by full name."""

    def refs(self, tables: Iterable[Table]) -> Mapping[str, TableRef]:
        """The tables' current state."""

    def sweep(self, tables: Iterable[Table]) -> int:
        """Remove every file that the current state does not need, older versions included; how many."""


def resigned(before: Interval, after: Interval, spec: RunSpec, was_epoch: int, epoch: int) -> Interval:
    """`after`, signed as built if `before` was: its rows in the tables were rewritten in the same way."""
    if before.built_signature != signature(before, spec, was_epoch):
        return after
    return replace(after, built_signature=signature(after, spec, epoch))
