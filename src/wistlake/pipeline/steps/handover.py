"""The documents that steps hand on: the plan, and the verdicts of a build. Standard library only."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from wistlake.contracts import source
from wistlake.errors import ConfigError, StoreDamaged, StoreError
from wistlake.pipeline.run.spec import MediaChoice, RunSpec
from wistlake.pipeline.tables import BuildResult
from wistlake.planning import shared
from wistlake.planning.calendar import days, zone
from wistlake.planning.intervals import Fetch, Interval, State
from wistlake.planning.plan import Window
from wistlake.ports import TableRef
from wistlake.quality.certificates import Certificate
from wistlake.quality.checks import Effect, Finding
from wistlake.quality.reconciliation import Judgement, Verdict
from wistlake.transforms.channels import Rule

FORMAT = 1
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_MOMENTS = ("updated_at", "observed_at", "published_at", "moved_at")
Document = Mapping[str, Any]


def folder(run_id: str) -> str:
    """Where the documents of a run lie. ConfigError for an id that can't be part of a key."""
    if not _RUN_ID.fullmatch(run_id):
        raise ConfigError(f"{run_id[:80]!r} is no run's id: up to 80 letters, digits, - and _")
    return f"runs/{run_id}"


def plan_key(run_id: str) -> str:
    """The plan's key."""
    return f"{folder(run_id)}/plan.json"


def harvest_key(run_id: str, media_id: str) -> str:
    """Key of what was fetched of one media."""
    return f"{folder(run_id)}/ingested/{media_id}.json"


def verdicts_key(run_id: str) -> str:
    """The verdicts' key."""
    return f"{folder(run_id)}/verdicts.json"


@dataclass(frozen=True, slots=True)
class Planned:
    """What a run is about: its order, what is asked of each media, the media that left the account's list,
    and when it really began, whatever time it is about."""

    spec: RunSpec
    fetches: Mapping[str, tuple[Fetch, ...]]
    left: tuple[str, ...]
    began: datetime


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a build found: its result (of the judgements, those that are broken), None if there was nothing
    to build; and the intervals as they are once readers follow its tables."""

    built: BuildResult | None
    intervals: tuple[Interval, ...]


def by_media(fetches: Iterable[Fetch]) -> dict[str, tuple[Fetch, ...]]:
    """Fetches by media, in the order in which they were planned."""
    found: dict[str, list[Fetch]] = {}
    for fetch in fetches:
        found.setdefault(fetch.media_id, []).append(fetch)
    return {media: tuple(of_media) for media, of_media in found.items()}


def encode_plan(planned: Planned) -> bytes:
    """The plan as JSON; days in a row that are asked for one by one are one entry."""
    spec, window = planned.spec, planned.spec.window
    return _dumped(
        {
            "run_id": spec.run_id,
            "trigger": spec.trigger,
            "origin": spec.origin,
            "zone": spec.zone_name,
            "now": _text(window.now),
            "lookback_days": window.lookback_days,
            "start": _text(window.start),
            "end": _text(window.end),
            "start_date": _text(window.start_date),
            "include_open_days": window.include_open_days,
            "datasets": [s.name for s in spec.sources],
            "choice": asdict(spec.choice),
            "max_concurrency": spec.max_concurrency,
            "rules": [[r.channel, r.field, r.pattern] for r in spec.rules],
            "accept_shrink": sorted(spec.accept_shrink),
            "fetches": {media: _packed(of_media) for media, of_media in planned.fetches.items()},
            "left": list(planned.left),
            "began": _text(planned.began),
        }
    )


def decode_plan(data: bytes) -> Planned:
    """The plan in `data`."""
    plain = _loaded(data, "plan")
    choice = plain["choice"]
    spec = RunSpec(
        run_id=plain["run_id"],
        trigger=plain["trigger"],
        origin=plain["origin"],
        zone_name=plain["zone"],
        window=Window(
            datetime.fromisoformat(plain["now"]),
            zone(plain["zone"]),
            plain["lookback_days"],
            _day(plain["start"]),
            _day(plain["end"]),
            _day(plain["start_date"]),
            plain["include_open_days"],
        ),
        sources=tuple(source(name) for name in plain["datasets"]),
        choice=MediaChoice(tuple(choice["ids"]), choice["folder"], choice["tag"]),
        max_concurrency=plain["max_concurrency"],
        rules=tuple(Rule(*r) for r in plain["rules"]),
        accept_shrink=frozenset(plain["accept_shrink"]),
    )
    fetches = {media: _unpacked(media, packed) for media, packed in plain["fetches"].items()}
    return Planned(spec, fetches, tuple(plain["left"]), datetime.fromisoformat(plain["began"]))


def _packed(fetches: Sequence[Fetch]) -> list[list[Any]]:
    """[dataset, first day, last day, whether each day is a fetch of its own]."""
    packed: list[list[Any]] = []
    for fetch in fetches:
        one = fetch.start == fetch.end
        last = packed[-1] if packed else None
        if (
            last
            and one
            and last[3]
            and last[0] == fetch.dataset
            and last[2] + timedelta(days=1) == fetch.start
        ):
            last[2] = fetch.end
        else:
            packed.append([fetch.dataset, fetch.start, fetch.end, one])
    return [[dataset, start.isoformat(), end.isoformat(), each] for dataset, start, end, each in packed]


def _unpacked(media_id: str, packed: Iterable[Sequence[Any]]) -> tuple[Fetch, ...]:
    found: list[Fetch] = []
    for dataset, start, end, each in packed:
        first, last = date.fromisoformat(start), date.fromisoformat(end)
        if each:
            found += (Fetch(dataset, media_id, day, day) for day in days(first, last))
        else:
            found.append(Fetch(dataset, media_id, first, last))
    return tuple(found)


def encode_verdicts(verdicts: Verdicts) -> bytes:
    """The verdicts as JSON."""
    built = verdicts.built
    return _dumped(
        {
            "built": None if built is None else _plain_result(built),
            "intervals": [_plain_interval(i) for i in verdicts.intervals],
        }
    )


def decode_verdicts(data: bytes) -> Verdicts:
    """The verdicts in `data`."""
    plain = _loaded(data, "verdicts")
    built = plain["built"]
    return Verdicts(
        None if built is None else _result(built), tuple(_interval(i) for i in plain["intervals"])
    )


def _plain_result(built: BuildResult) -> Document:
    return {
        "counts": {name: dict(counts) for name, counts in built.counts.items()},
        "by_interval": [
            [*_plain_key(key), dict(counts)] for key, counts in sorted(built.by_interval.items())
        ],
        "broken": [
            [j.identity, j.media_id, j.date.isoformat(), j.blocking, j.ours, j.theirs, j.lower, j.upper]
            for j in built.judgements
            if j.verdict is Verdict.BROKEN
        ],
        "stopped": [[*_plain_key(key), why] for key, why in sorted(built.stopped.items())],
        "published": [[m, d.isoformat(), str(c)] for (m, d), c in sorted(built.published.items())],
        "blocked": [[m, d.isoformat()] for m, d in sorted(built.blocked)],
        "tables": {name: [ref.metadata_location, ref.snapshot_id] for name, ref in built.tables.items()},
        "findings": [{**asdict(f), "day": _text(f.day)} for f in built.findings],
        "withdrawn": [[m, d.isoformat()] for m, d in sorted(built.withdrawn)],
        "shared": shared.document(built.shared),
    }


def _result(plain: Document) -> BuildResult:
    day = date.fromisoformat
    return BuildResult(
        counts=plain["counts"],
        by_interval={(s, m, day(d)): counts for s, m, d, counts in plain["by_interval"]},
        judgements=tuple(
            Judgement(identity, m, day(d), Verdict.BROKEN, *rest) for identity, m, d, *rest in plain["broken"]
        ),
        stopped={(s, m, day(d)): why for s, m, d, why in plain["stopped"]},
        published={(m, day(d)): Certificate(c) for m, d, c in plain["published"]},
        blocked=frozenset((m, day(d)) for m, d in plain["blocked"]),
        tables={name: TableRef(*ref) for name, ref in plain["tables"].items()},
        findings=tuple(_finding(f) for f in plain["findings"]),
        withdrawn=frozenset((m, day(d)) for m, d in plain["withdrawn"]),
        shared=shared.read(plain["shared"]),
    )


def _finding(plain: Document) -> Finding:
    told = {
        "verdict": Verdict(plain["verdict"]),
        "effect": Effect(plain["effect"]),
        "day": _day(plain["day"]),
    }
    return Finding(**{**plain, **told})


def _plain_key(key: tuple[str, str, date]) -> tuple[str, str, str]:
    return (key[0], key[1], key[2].isoformat())


def _plain_interval(interval: Interval) -> Document:
    found = {f.name: getattr(interval, f.name) for f in fields(interval)}
    moments = {name: _text(found[name]) for name in _MOMENTS}
    return {**found, "day": found["day"].isoformat(), "state": str(found["state"]), **moments}


def _interval(plain: Document) -> Interval:
    moments = {
        name: None if plain[name] is None else datetime.fromisoformat(plain[name]) for name in _MOMENTS
    }
    return Interval(
        **{**plain, "day": date.fromisoformat(plain["day"]), "state": State(plain["state"]), **moments}
    )


def _text(value: date | datetime | None) -> str | None:
    if isinstance(value, datetime):
        value = value.astimezone(UTC)
    return None if value is None else value.isoformat()


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _dumped(plain: Document) -> bytes:
    return json.dumps({"format": FORMAT, **plain}, separators=(",", ":")).encode()


def _loaded(data: bytes, what: str) -> Document:
    """StoreError if the document is of a newer program, or damaged."""
    try:
        plain: Document = json.loads(data)
        newer = plain["format"] > FORMAT
    except (ValueError, KeyError, TypeError) as e:
        raise StoreDamaged(f"the {what} of the run is damaged ({len(data)} bytes): start the run anew") from e
    if newer:
        raise StoreError(f"the {what} of the run is of a newer wistlake: deploy every function again")
    return plain
