"""What the steps of a run hand on: one value in memory, and documents among the objects where each step is a process.

`runs/<run id>/` holds `plan.json`, `ingested/<batch>.json` and `verdicts.json`. Standard library only.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from wistlake.codec import decode, encode
from wistlake.contracts import source
from wistlake.errors import ConfigError, StoreDamaged, StoreError, WistlakeError
from wistlake.pipeline.run.fetched import FetchLine, FetchSummary
from wistlake.pipeline.run.result import RunResult
from wistlake.pipeline.run.spec import MediaChoice, RunSpec
from wistlake.pipeline.tables import BuildResult
from wistlake.planning import shared_keys
from wistlake.planning.calendar import days, zone
from wistlake.planning.intervals import Fetch, Interval
from wistlake.planning.plan import Window
from wistlake.ports import ObjectStore, TableRef
from wistlake.quality.certificates import Certificate
from wistlake.quality.checks import Finding
from wistlake.quality.reconciliation import Judgement, Verdict
from wistlake.transforms.channels import Rule

FORMAT = 2  # 2: fetches are listings of any number of media
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The run's spec, its fetches, the media that left the account's list, and when the run really began, whatever time
    it is about. `absent`: media that the settings name, and Wistia does not have."""

    spec: RunSpec
    fetches: tuple[Fetch, ...]
    left: tuple[str, ...]
    began: datetime
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a build came to: its result (of the judgements, those that are broken), None if there was nothing
    to build; and the intervals as they are once readers follow its tables. `epoch`: of the pseudonyms that it was built
    with; `built_from`: what each dataset was built from, empty if nobody wrote that down."""

    built: BuildResult | None
    intervals: tuple[Interval, ...]
    epoch: int = 0
    built_from: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Handover:
    """What one step knows and the next one needs. `errors` concern single media or steps: the run goes on, and is
    failed or partial at its end. `verdicts` are None before the build, and if it failed; `result` is written at the
    end."""

    plan: RunPlan
    result: RunResult
    fetched: FetchSummary = field(default_factory=FetchSummary)
    verdicts: Verdicts | None = None
    errors: tuple[WistlakeError, ...] = ()


def begin(spec: RunSpec, began: datetime) -> Handover:
    """The handover to the first step."""
    return of_plan(RunPlan(spec, (), (), began))


def of_plan(plan: RunPlan) -> Handover:
    """The handover of the first step."""
    errors = tuple(
        ConfigError(
            f"{m}: Wistia has no such media: correct MEDIA_IDS, `wistlake explore medias` prints the ids"
        )
        for m in plan.absent
    )
    return Handover(plan, RunResult(plan.spec.run_id, plan.spec.trigger), errors=errors)


def folder(run_id: str) -> str:
    """Where the documents of a run lie. ConfigError for an id that can't be part of a key."""
    if not _RUN_ID.fullmatch(run_id):
        raise ConfigError(f"{run_id[:80]!r} isn't a run's id: up to 80 letters, digits, - and _")
    return f"runs/{run_id}"


def plan_key(run_id: str) -> str:
    """The plan's key."""
    return f"{folder(run_id)}/plan.json"


def summary_key(run_id: str, batch: str) -> str:
    """Key of the figures of one batch of fetches."""
    return f"{folder(run_id)}/ingested/{batch}.json"


def items_key(run_id: str, phase: int) -> str:
    """Key of the batches of one phase, where the machine reads them from there."""
    return f"{folder(run_id)}/batches-{phase}.json"


def verdicts_key(run_id: str) -> str:
    """The verdicts' key."""
    return f"{folder(run_id)}/verdicts.json"


# The documents: their fields are named as in the JSON.

_Broken = tuple[str, str, date, bool, float | None, float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class _PlanDocument:
    run_id: str
    trigger: str
    origin: str
    zone: str
    now: datetime
    lookback_days: int
    start: date | None
    end: date | None
    start_date: date | None
    include_open_days: bool
    datasets: tuple[str, ...]
    choice: MediaChoice
    max_concurrency: int
    rules: tuple[tuple[str, str, str], ...]
    accept_shrink: frozenset[str]
    fetches: tuple[Fetch, ...]
    left: tuple[str, ...]
    began: datetime
    tolerated_percent: float = 10.0
    keep_city: bool = False
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _SummaryDocument:
    lines: tuple[FetchLine, ...]
    unavailable: Mapping[str, str]
    unknown_keys: Mapping[str, frozenset[str]]
    carried: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _BuildDocument:
    counts: Mapping[str, Mapping[str, int]]
    by_interval: tuple[tuple[str, str, date, Mapping[str, int]], ...]
    broken: tuple[_Broken, ...]
    stopped: tuple[tuple[str, str, date, str], ...]
    published: tuple[tuple[str, date, Certificate], ...]
    blocked: frozenset[tuple[str, date]]
    tables: Mapping[str, tuple[str, int | None]]
    findings: tuple[Finding, ...]
    withdrawn: frozenset[tuple[str, date]]
    shared: Mapping[str, Any]
    labelled: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _VerdictsDocument:
    built: _BuildDocument | None
    intervals: tuple[Interval, ...]
    epoch: int = 0
    built_from: Mapping[str, str] = field(default_factory=dict)


def encode_plan(plan: RunPlan) -> bytes:
    """The plan as JSON."""
    spec, window = plan.spec, plan.spec.window
    document = _PlanDocument(
        run_id=spec.run_id,
        trigger=spec.trigger,
        origin=spec.origin,
        zone=spec.zone_name,
        now=window.now,
        lookback_days=window.lookback_days,
        start=window.start,
        end=window.end,
        start_date=window.start_date,
        include_open_days=window.include_open_days,
        datasets=tuple(s.name for s in spec.sources),
        choice=spec.choice,
        max_concurrency=spec.max_concurrency,
        rules=tuple((r.channel, r.field, r.pattern) for r in spec.rules),
        accept_shrink=spec.accept_shrink,
        fetches=plan.fetches,
        left=plan.left,
        began=plan.began,
        tolerated_percent=spec.tolerated_percent,
        keep_city=spec.keep_city,
        absent=plan.absent,
    )
    return _dump(_PlanDocument, document)


def decode_plan(data: bytes) -> RunPlan:
    """The plan in `data`. StoreError if it is damaged, or of a newer program."""
    plain = _load(_PlanDocument, data, "plan", _fetches_of_format_1)
    window = Window(
        plain.now,
        zone(plain.zone),
        plain.lookback_days,
        plain.start,
        plain.end,
        plain.start_date,
        plain.include_open_days,
    )
    spec = RunSpec(
        plain.run_id,
        plain.trigger,
        plain.origin,
        plain.zone,
        window,
        tuple(source(name) for name in plain.datasets),
        plain.choice,
        plain.max_concurrency,
        tuple(Rule(*rule) for rule in plain.rules),
        accept_shrink=plain.accept_shrink,
        tolerated_percent=plain.tolerated_percent,
        keep_city=plain.keep_city,
    )
    return RunPlan(spec, plain.fetches, plain.left, plain.began, plain.absent)


def _fetches_of_format_1(plain: dict[str, Any]) -> None:
    """Format 1 had the fetches by media, and days in a row that were asked for one by one as one entry."""
    if isinstance(by_media := plain.get("fetches"), Mapping):
        plain["fetches"] = [
            {"dataset": dataset, "media_id": media_id, "start": start, "end": end}
            for media_id, of_media in by_media.items()
            for dataset, first, last, each in of_media
            for start, end in (_each_day(first, last) if each else [(first, last)])
        ]


def _each_day(first: str, last: str) -> Iterator[tuple[str, str]]:
    for day in days(date.fromisoformat(first), date.fromisoformat(last)):
        yield day.isoformat(), day.isoformat()


def add_summary(objects: ObjectStore, run_id: str, batch: str, summary: FetchSummary) -> None:
    """Add the figures of a round to those of the rounds before it."""
    whole = read_summary(objects, run_id, batch)
    whole.add(summary)
    unknown = {dataset: frozenset(keys) for dataset, keys in whole.unknown_keys.items()}
    document = _SummaryDocument(tuple(whole.lines.values()), whole.unavailable, unknown, whole.carried)
    objects.put(summary_key(run_id, batch), _dump(_SummaryDocument, document))


def read_summary(objects: ObjectStore, run_id: str, batch: str) -> FetchSummary:
    """The figures of one batch of fetches; empty if there are none yet."""
    key = summary_key(run_id, batch)
    if not objects.exists(key):
        return FetchSummary()
    plain = _load(_SummaryDocument, objects.get(key), f"summary of {batch}")
    return FetchSummary(
        {(line.dataset, line.media_id): line for line in plain.lines},
        dict(plain.unavailable),
        {dataset: set(keys) for dataset, keys in plain.unknown_keys.items()},
        dict(plain.carried),
    )


def encode_verdicts(verdicts: Verdicts) -> bytes:
    """The verdicts as JSON."""
    built = verdicts.built
    document = _VerdictsDocument(
        None if built is None else _document_of(built),
        verdicts.intervals,
        verdicts.epoch,
        verdicts.built_from,
    )
    return _dump(_VerdictsDocument, document)


def decode_verdicts(data: bytes) -> Verdicts:
    """The verdicts in `data`. StoreError if they are damaged, or of a newer program."""
    plain = _load(_VerdictsDocument, data, "verdicts")
    built = None if plain.built is None else _result_of(plain.built)
    return Verdicts(built, plain.intervals, plain.epoch, plain.built_from)


def _document_of(built: BuildResult) -> _BuildDocument:
    return _BuildDocument(
        counts=built.counts,
        by_interval=tuple((*key, counts) for key, counts in sorted(built.by_interval.items())),
        broken=tuple(
            (j.identity, j.media_id, j.date, j.blocking, j.ours, j.theirs, j.lower, j.upper)
            for j in built.judgements
            if j.verdict is Verdict.BROKEN
        ),
        stopped=tuple((*key, reason) for key, reason in sorted(built.stopped.items())),
        published=tuple((*pair, certificate) for pair, certificate in sorted(built.published.items())),
        blocked=built.blocked,
        tables={name: (ref.metadata_location, ref.snapshot_id) for name, ref in built.tables.items()},
        findings=built.findings,
        withdrawn=built.withdrawn,
        shared=shared_keys.document(built.shared),
        labelled=built.labelled,
    )


def _result_of(plain: _BuildDocument) -> BuildResult:
    return BuildResult(
        counts=plain.counts,
        by_interval={(s, m, day): counts for s, m, day, counts in plain.by_interval},
        judgements=tuple(
            Judgement(identity, media_id, day, Verdict.BROKEN, blocking, *figures)
            for identity, media_id, day, blocking, *figures in plain.broken
        ),
        stopped={(s, m, day): reason for s, m, day, reason in plain.stopped},
        published={(m, day): certificate for m, day, certificate in plain.published},
        blocked=plain.blocked,
        tables={name: TableRef(*ref) for name, ref in plain.tables.items()},
        findings=plain.findings,
        withdrawn=plain.withdrawn,
        shared=shared_keys.read(plain.shared),
        labelled=plain.labelled,
    )


def _dump(kind: type[_V], document: _V) -> bytes:
    return json.dumps({"format": FORMAT, **encode(kind, document)}, separators=(",", ":")).encode()


def _load(
    kind: type[_V], data: bytes, what: str, upgrade: Callable[[dict[str, Any]], None] = lambda _plain: None
) -> _V:
    """The document in `data`, which `upgrade` brings to today's format. StoreError, which quotes nothing, if it is
    none. Summaries of older programs name no format."""
    try:
        plain = dict(json.loads(data))
        newer = plain.pop("format", FORMAT) > FORMAT
        if not newer:
            upgrade(plain)
            return decode(kind, plain)
    except (ValueError, TypeError) as e:
        raise StoreDamaged(f"the {what} of the run is damaged ({len(data)} bytes): start the run anew") from e
    raise StoreError(f"the {what} of the run is of a newer wistlake: deploy every function again")
