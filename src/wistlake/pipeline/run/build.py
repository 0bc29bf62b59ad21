"""Third step: build what is pending, as many times as memory asks for. Needs an engine, but no HTTP client."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date

from wistlake.pipeline.run import labels
from wistlake.pipeline.run.handover import Handover, RunPlan, Verdicts, encode_verdicts, verdicts_key
from wistlake.pipeline.run.outcome import (
    Policy,
    advance,
    intend,
    outcome,
    retired,
    shared_days,
    show,
    unchanged,
)
from wistlake.pipeline.run.pending import Done, assemble, following, pending
from wistlake.pipeline.run.recover import recover
from wistlake.pipeline.run.spec import LakeDependencies, Progress, quiet
from wistlake.pipeline.tables import BuildResult, merged
from wistlake.pipeline.tables import build as build_tables
from wistlake.planning.intervals import Interval
from wistlake.planning.shared_keys import SharedDays

Key = tuple[str, str, date]


def build(
    deps: LakeDependencies,
    handover: Handover,
    policy: Policy,
    *,
    progress: Progress = quiet,
    on_engine: Callable[[], None] = lambda: None,
) -> Handover:
    """Build what is pending in the lake; no engine starts if nothing is. What could not be published is not tried
    again by this run. `on_engine` is called when the engine has started."""
    return replace(handover, verdicts=_Build(deps, handover.plan, policy).run(progress, on_engine))


def build_run(deps: LakeDependencies, plan: RunPlan) -> Verdicts:
    """The step as a process of its own. What it came to lies among the objects afterwards; the ledger and readers
    get it when it is published."""
    recover(deps.ledger, deps.objects, plan.spec.run_id)
    verdicts = _Build(deps, plan, Policy.AT_THE_END).run()
    deps.objects.put(verdicts_key(plan.spec.run_id), encode_verdicts(verdicts))
    return verdicts


class _Build:
    """One build at work. `intervals` are those of the ledger, or as they will be once they are published;
    `changed` those that this step has changed."""

    def __init__(self, deps: LakeDependencies, plan: RunPlan, policy: Policy) -> None:
        self.deps, self.spec, self.policy = deps, plan.spec, policy
        self.keys = deps.keys()
        self.media = retired(self.spec, deps.ledger.media(), plan.left)
        self.labels = labels.read(deps.ledger)
        self.intervals = {i.key: i for i in deps.ledger.intervals()}
        self.changed: dict[Key, Interval] = {}

    def run(self, progress: Progress = quiet, on_engine: Callable[[], None] = lambda: None) -> Verdicts:
        """Every build that is needed, as one."""
        result = self._builds(progress, on_engine)
        return Verdicts(result, tuple(self.changed[key] for key in sorted(self.changed)))

    def _builds(self, progress: Progress, on_engine: Callable[[], None]) -> BuildResult | None:
        spec, deps = self.spec, self.deps
        waiting = {i.key for i in pending(self.intervals.values(), spec, len(self.keys))}
        self._note(None, unchanged(spec, self.intervals.values(), waiting))
        plan = assemble(
            spec, self.media, list(self.intervals.values()), deps.objects, self.keys,
            shared=shared_days(deps.ledger), usual=deps.rows_per_build, labels=self.labels,
        )  # fmt: skip
        if not plan.is_needed:
            self._advance()
            return None
        total = max(1, len(waiting))
        done: list[Done] = []
        with deps.tables() as store:
            on_engine()
            while plan.is_needed:
                progress("building", sum(len(p.landings) for p, _ in done), total)
                result = build_tables(plan, deps.objects, store, self._intend)
                done.append((plan, result))
                self._note(result, outcome(spec, self.intervals, plan, result))
                plan = following(
                    spec, self.media, list(self.intervals.values()), deps.objects, self.keys, done,
                    deps.rows_per_build, self.labels.applied_all,
                )  # fmt: skip
        progress("building", total, total)
        return merged([result for _, result in done])

    def _intend(self, pairs: set[tuple[str, date]], shared: Collection[SharedDays] = ()) -> None:
        """Written at once, whatever the policy: should the build die, the next one must know of these days."""
        self.intervals.update(intend(self.spec, self.deps.ledger, self.intervals, pairs, shared))

    def _note(self, result: BuildResult | None, changed: dict[Key, Interval]) -> None:
        """Take over what one build has changed, and show it to readers where the policy says so."""
        self.changed |= changed
        if self.policy is Policy.EACH_BUILD:
            show(self.spec, self.deps.ledger, result, changed.values())
        self.intervals |= changed
        if result is not None:
            self._advance()

    def _advance(self) -> None:
        if self.policy is Policy.EACH_BUILD:
            advance(self.spec, self.deps.ledger, self.media, self.intervals.values())
