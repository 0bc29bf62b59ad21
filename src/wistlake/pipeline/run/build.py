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
from wistlake.pipeline.run.pending import (
    Done,
    assemble,
    built_from,
    built_from_all,
    following,
    pending,
    restamped,
    signature,
    tried_by,
)
from wistlake.pipeline.run.raw_pages import RawPages
from wistlake.pipeline.run.recover import recover
from wistlake.pipeline.run.spec import LakeDependencies, Progress, quiet
from wistlake.pipeline.run.view import LedgerView
from wistlake.pipeline.tables import BuildPlan, BuildResult, VisitorScope, merged
from wistlake.pipeline.tables import build as build_tables
from wistlake.planning.compacted import month_of
from wistlake.planning.intervals import Interval
from wistlake.planning.publishing import GOLD
from wistlake.planning.shared_keys import SharedDays

Key = tuple[str, str, date]
# Documents of the ledger.
CITIES = "cities"  # whether silver may have any
VISITORS = "visitors"  # whether `dim_visitor` must be made anew


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
    """One build at work. The `view` has the intervals of the ledger that it asks for, or as they will be once they are
    published; `changed` are those that this step has changed."""

    def __init__(self, deps: LakeDependencies, plan: RunPlan, policy: Policy) -> None:
        self.deps, self.spec, self.policy = deps, plan.spec, policy
        self.keys = deps.keys()
        self.media = retired(self.spec, deps.ledger.media(), plan.left)
        self.labels = labels.read(deps.ledger)
        self.view = LedgerView.of(deps.ledger, as_read=self._as_built)
        self.pages = RawPages.of(deps.objects, deps.ledger)
        self.changed: dict[Key, Interval] = {}
        self._load_retained()
        self.visitors_due = bool(deps.ledger.facts(VISITORS).get("due"))

    def run(self, progress: Progress = quiet, on_engine: Callable[[], None] = lambda: None) -> Verdicts:
        """Every build that is needed, as one."""
        result = self._builds(progress, on_engine)
        if self.policy is Policy.EACH_BUILD:
            # Not before: a later build may hold a day that a landing of an earlier one is about.
            advance(self.spec, self.deps.ledger, self.media, self.view)
        expired = restamped(self.spec, self.view.all(), self.pages, len(self.keys))
        if opened := {key: i for key, i in expired.items() if key not in self.loaded}:
            self._note(None, opened)
        changed = tuple(self.changed[key] for key in sorted(self.changed))
        return Verdicts(result, changed, len(self.keys), built_from_all(self.spec, len(self.keys)))

    def _as_built(self, interval: Interval) -> Interval:
        """A compacted interval as silver has it: what its media's compacted days were built from says more than its
        own signature, which may be older."""
        now = built_from(interval.dataset, self.spec, len(self.keys)) if interval.dataset != GOLD else ""
        if (
            not interval.landing_id
            or self.view.compacted[interval.media_id].built.get(interval.dataset) != now
        ):
            return interval
        return replace(interval, built_signature=signature(interval, self.spec, len(self.keys)))

    def _load_retained(self) -> None:
        """Load the compacted days that a new version builds anew: those of which bronze may still hold the pages."""
        now = built_from_all(self.spec, len(self.keys))
        before = self.pages.gone_before
        keys: set[Key] = set()
        for media_id, of_media in self.view.compacted.items():
            stale = [name for name in of_media.days if name in now and of_media.built.get(name) != now[name]]
            months = {
                m for m, read_at in of_media.months.items() if read_at and not (before and read_at < before)
            }
            keys |= {
                (name, media_id, day)
                for name in stale
                for day in of_media.days_of(name)
                if month_of(day) in months
            }
        opened = set(self.view.intervals)
        self.view.load(keys)
        self.loaded = self.view.intervals.keys() - opened

    def _builds(self, progress: Progress, on_engine: Callable[[], None]) -> BuildResult | None:
        spec, deps = self.spec, self.deps
        waiting = {i.key for i in pending(self.view.all(), spec, len(self.keys))}
        self._note(None, unchanged(spec, self.view.all(), waiting))
        plan = assemble(
            spec, self.media, self.view, self.pages, self.keys,
            shared=shared_days(deps.ledger), usual=deps.rows_per_build, labels=self.labels,
        )  # fmt: skip
        plan = replace(plan, clears_cities=not spec.keep_city and bool(deps.ledger.facts(CITIES).get("kept")))
        plan = self._with_visitors(plan)
        if not plan.is_needed:
            return None
        total = max(1, len(waiting))
        done: list[Done] = []
        if spec.keep_city:  # said first: should the build die, what it wrote is not forgotten
            deps.ledger.put_facts(CITIES, {"kept": True})
        clears = plan.clears_cities
        with deps.tables() as store:
            on_engine()
            while plan.is_needed:
                progress("building", sum(len(p.landings) for p, _ in done), total)
                result = build_tables(plan, deps.objects, store, self._intend)
                self._note(result, outcome(spec, self.view.intervals, plan, result, tried_by(done)))
                done.append((plan, result))
                if plan.visitors is VisitorScope.ALL:
                    self._note_visitors(due=False)
                plan = following(
                    spec, self.media, self.view, self.pages, self.keys, done,
                    deps.rows_per_build, self.labels.applied_all,
                )  # fmt: skip
                plan = self._with_visitors(plan)
        if clears:
            deps.ledger.put_facts(CITIES, {"kept": False})
        progress("building", total, total)
        return merged([result for _, result in done])

    def _with_visitors(self, plan: BuildPlan) -> BuildPlan:
        """The plan of the next build, or of one for `dim_visitor` alone when all others are done: where a run builds
        more than once, each visitor's rows are added up once. The ledger hears of it first, for the run may die."""
        if plan.is_needed:
            if plan.visitors is VisitorScope.NOBODY and not self.visitors_due:
                self._note_visitors(due=True)
            return replace(plan, visitors=VisitorScope.NOBODY) if self.visitors_due else plan
        return replace(plan, visitors=VisitorScope.ALL) if self.visitors_due else plan

    def _note_visitors(self, *, due: bool) -> None:
        self.deps.ledger.put_facts(VISITORS, {"due": due})
        self.visitors_due = due

    def _intend(self, pairs: set[tuple[str, date]], shared: Collection[SharedDays] = ()) -> None:
        """Written at once, whatever the policy: should the build die, the next one must know of these days."""
        self.view.load((GOLD, *pair) for pair in pairs)
        stale = intend(self.spec, self.deps.ledger, self.view.intervals, pairs, shared)
        self.view.intervals |= stale
        for key in stale:  # also what an earlier build of this run has published
            self.changed.pop(key, None)

    def _note(self, result: BuildResult | None, changed: dict[Key, Interval]) -> None:
        """Take over what one build has changed, and show it to readers where the policy says so."""
        self.changed |= changed
        if self.policy is Policy.EACH_BUILD:
            show(self.spec, self.deps.ledger, result, changed.values())
        self.view.intervals |= changed
