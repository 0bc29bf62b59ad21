"""What changes with the labels of media, though nothing of theirs has landed: their sessions' channel, and the labels
themselves. Only media whose tables have other labels are looked at."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from wistlake.contracts.dim_media_history import TABLE as DIM_MEDIA_HISTORY
from wistlake.contracts.dim_media_label import TABLE as DIM_MEDIA_LABEL
from wistlake.contracts.fact_events import TABLE as FACT_EVENTS
from wistlake.derive.merge import days_in
from wistlake.pipeline.tables import silver
from wistlake.pipeline.tables.context import BuildContext
from wistlake.transforms import dim_media_label, fact_events, scope
from wistlake.transforms.conform import local

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

MOST_ROWS = 250_000  # sessions that one commit moves to another channel: an engine holds them in memory


def sessions(context: BuildContext) -> None:
    """`fact_events` whose channel is that of their media: those of all days, raw pages or not."""
    media = context.plan.labels.waiting
    if not media or context.store.refs()[FACT_EVENTS.full_name].snapshot_id is None:
        return
    for days in _batches(_moved(context, context.store.read(FACT_EVENTS))):
        events = context.store.read(FACT_EVENTS).where(days_in("event_date", days))
        rows = context.store.stage("relabelled_sessions", _moved(context, events))
        silver.correct_sessions(context, rows, scope.of_keys(events, rows, ["event_key"]))


def _moved(context: BuildContext, events: "DataFrame") -> "DataFrame":
    plan = context.plan
    history = context.store.read(DIM_MEDIA_HISTORY)
    return fact_events.in_another_channel(events, plan.labels.waiting, history, plan.rules, context.built_at)


def _batches(moved: "DataFrame") -> Iterator[list[date]]:
    """The days of the sessions that move, as many at once as memory takes."""
    counts = [(r["event_date"], r["count"]) for r in moved.groupBy("event_date").count().collect()]
    return batches(sorted(counts))


def batches(counts: Iterable[tuple[date, int]], most: int = MOST_ROWS) -> Iterator[list[date]]:
    """Days with their rows, in order, in groups of at most so many rows; a larger day is a group of its own."""
    group: list[date] = []
    rows = 0
    for day, count in counts:
        if group and rows + count > most:
            yield group
            group, rows = [], 0
        group.append(day)
        rows += count
    if group:
        yield group


def given(context: BuildContext) -> None:
    """`dim_media_label` of those media."""
    labels = context.plan.labels
    if not labels.waiting:
        return
    rows = [
        (e.media_id, c.label, c.value, c.at)
        for e in labels.entries
        if e.media_id in labels.waiting
        for c in e.current.values()
    ]
    current = scope.of_media(context.store.read(DIM_MEDIA_LABEL), labels.waiting)
    built = dim_media_label.build(local(context.spark, rows, dim_media_label.GIVEN), context.built_at)
    context.write(DIM_MEDIA_LABEL, built, scope.whole(current))
