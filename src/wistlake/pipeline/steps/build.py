"""Third step: build what is pending, and write down what came of it. Loads an engine, but no HTTP client."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import date

from wistlake.pipeline.run.pending import Done, assemble, following, pending
from wistlake.pipeline.run.publish import intend, outcome, shared_days, unchanged
from wistlake.pipeline.run.recover import adopt
from wistlake.pipeline.run.spec import RunSpec
from wistlake.pipeline.steps.handover import Planned, Verdicts, encode_verdicts, verdicts_key
from wistlake.pipeline.tables import BuildResult, build, merged
from wistlake.planning.intervals import Interval, MediaEntry
from wistlake.planning.shared import Shared
from wistlake.ports import Ledger, ObjectStore, TableStore

Key = tuple[str, str, date]
Tables = Callable[[], AbstractContextManager[TableStore]]


def build_run(
    planned: Planned, ledger: Ledger, objects: ObjectStore, keys: tuple[bytes, ...], tables: Tables
) -> Verdicts:
    """Build what is pending in the lake, as many times as memory asks for; no engine, if nothing is. The
    verdicts lie among the objects afterwards; the ledger learns of them when they are published."""
    spec = planned.spec
    adopt(ledger, objects, spec.run_id)
    known = {i.key: i for i in ledger.intervals()}
    waiting = {i.key for i in pending(known.values(), spec, len(keys))}
    written = unchanged(spec, known.values(), waiting)
    media = [m for m in ledger.media() if m.media_id not in planned.left]
    result = _build(_Work(spec, ledger, objects, keys, tables, media, {**known, **written}), written)
    verdicts = Verdicts(result, tuple(written[key] for key in sorted(written)))
    objects.put(verdicts_key(spec.run_id), encode_verdicts(verdicts))
    return verdicts


class _Work:
    """One build at work: what the ledger will know, should the build be published."""

    def __init__(
        self,
        spec: RunSpec,
        ledger: Ledger,
        objects: ObjectStore,
        keys: tuple[bytes, ...],
        tables: Tables,
        media: list[MediaEntry],
        known: dict[Key, Interval],
    ) -> None:
        self.spec, self.ledger, self.objects, self.keys = spec, ledger, objects, keys
        self.tables, self.media, self.known = tables, media, known

    def intend(self, pairs: set[tuple[str, date]], shared: Collection[Shared] = ()) -> None:
        """Written at once: should the build die, the next one must know of these days."""
        self.known.update(intend(self.spec, self.ledger, self.known, pairs, shared))


def _build(at_work: _Work, written: dict[Key, Interval]) -> BuildResult | None:
    spec, known = at_work.spec, at_work.known
    days = shared_days(at_work.ledger)
    work = assemble(spec, at_work.media, list(known.values()), at_work.objects, at_work.keys, shared=days)
    if not work.is_needed:
        return None
    done: list[Done] = []
    with at_work.tables() as store:
        while work.is_needed:
            result = build(work, at_work.objects, store, at_work.intend)
            done.append((work, result))
            changed = outcome(spec, known, work, result)
            known.update(changed)
            written.update(changed)
            work = following(spec, at_work.media, list(known.values()), at_work.objects, at_work.keys, done)
    return merged([result for _, result in done])
