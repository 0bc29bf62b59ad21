"""Raw pages without a person: every landing that names them is landed again without them, and the old one deleted."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from wistlake import bronze
from wistlake.bronze import Manifest, Part
from wistlake.contracts import SOURCES, source
from wistlake.derive import plain
from wistlake.errors import StoreError
from wistlake.pipeline.jobs.forget.request import Work
from wistlake.pipeline.jobs.rewrite import resigned
from wistlake.pipeline.run.recover import manifests
from wistlake.planning.intervals import Interval
from wistlake.privacy import tombstones
from wistlake.privacy.tombstones import Person

ALL = tuple(s.name for s in SOURCES)
PERSONAL = tuple(s.name for s in SOURCES if tombstones.is_personal(s))
COUNTED = "conversions"  # people are in its raw pages, and in no row: tables count it only
_COPY = re.compile(r"-f(\d+)$")
Lines = list[tuple[int, dict[str, Any]]]  # records by line number


@dataclass(frozen=True, slots=True)
class LandingCopy:
    """A landing that names the person, and the id of the one that takes its place. `lines` are the person's,
    `mentions` those of others that hold the person's address."""

    old: Manifest
    new: str
    lines: frozenset[int]
    mentions: frozenset[int]

    @classmethod
    def of(cls, old: Manifest, lines: Iterable[int], mentions: Iterable[int]) -> "LandingCopy":
        """The new landing's run id sorts right after the old one's."""
        copied = _COPY.search(old.landing_id)
        base, number = (old.landing_id[: copied.start()], int(copied[1])) if copied else (old.landing_id, 0)
        return cls(old, f"{base}-f{number + 1}", frozenset(lines), frozenset(mentions))


def each(work: Work, datasets: Iterable[str] = ALL) -> Iterator[tuple[Manifest, Lines]]:
    """Every landing of the datasets, with its records."""
    for dataset in datasets:
        for manifest in manifests(work.deps.objects, f"{bronze.ROOT}/{dataset}/"):
            yield manifest, [line for p in manifest.parts for line in _lines(work, p.key)]


def _lines(work: Work, key: str) -> Lines:
    return list(bronze.decode_lines(work.deps.objects.get(key)))


def is_mentioned(work: Work, person: Person, record: dict[str, Any]) -> bool:
    """Whether a record of somebody else holds the person's address."""
    return tombstones.without(person, work.keys, record) is not record


def land_copies(work: Work, copies: Sequence[LandingCopy], person: Person) -> None:
    """Land each landing again without the person, and move the ledger's intervals to the new ones."""
    landed = {c.old.landing_id: _land_copy(work, c, person) for c in copies}
    moved = []
    ledger, asked = work.deps.ledger, sorted({(c.old.dataset, c.old.media_id, c.old.day) for c in copies})
    for interval in (i for dataset, m, day in asked for i in ledger.intervals(dataset, m, day, day)):
        new = landed.get(interval.landing_id)
        while new is not None and new.landing_id in landed:
            new = landed[new.landing_id]
        if new is not None:
            moved.append(_moved(work, interval, new))
    ledger.record(moved)


def _land_copy(work: Work, copy: LandingCopy, person: Person) -> Manifest:
    objects, key = work.deps.objects, bronze.manifest_key(copy.new)
    if objects.exists(key):  # this was done before a crash
        return bronze.decode_manifest(objects.get(key))
    parts: list[Part] = []
    records: list[dict[str, Any]] = []
    for number, part in enumerate(copy.old.parts, 1):
        lines = [
            (n, dict(tombstones.without(person, work.keys, r)) if n in copy.mentions else r)
            for n, r in _lines(work, part.key)
            if n not in copy.lines
        ]
        data = bronze.encode_numbered(copy.new, lines)
        objects.put(bronze.part_key(copy.new, number), data)
        parts.append(Part(bronze.part_key(copy.new, number), len(lines), len(data), bronze.sha256(data)))
        records += [r for _, r in lines]
    contract = source(copy.old.dataset)
    content, steady = bronze.hashes(contract, records)
    manifest = replace(
        copy.old,
        landing_id=copy.new,
        run_id=copy.new.rpartition("run_id=")[2],
        rows=len(records),
        content_hash=content,
        steady_hash=steady,
        payload_sha256=bronze.payload_hash(parts),
        parts=tuple(parts),
        supersedes=copy.old.landing_id,
        plain=plain.mark(contract, records),
    )
    objects.put(key, bronze.encode_manifest(manifest), if_absent=True)
    return manifest


def _moved(work: Work, interval: Interval, new: Manifest) -> Interval:
    """The interval on its new landing. It stays built: the person's rows leave silver as well."""
    moved = replace(
        interval,
        landing_id=new.landing_id,
        content_hash=new.content_hash,
        steady_hash=new.steady_hash or new.content_hash,
        rows=new.rows,
    )
    return resigned(interval, moved, work.spec, len(work.keys), len(work.keys))


def delete_old(work: Work, copies: Iterable[LandingCopy]) -> int:
    """Delete the landings that were copied, manifests first: parts without one do not exist. How many objects."""
    objects = work.deps.objects
    return sum(
        objects.delete([bronze.manifest_key(c.old.landing_id)]) + objects.delete(p.key for p in c.old.parts)
        for c in copies
    )


def delete_strays(work: Work, person: Person) -> int:
    """Delete parts without a manifest, left by a run that died, if they name the person or can't be read; how many."""
    objects = work.deps.objects
    keys = [k for k in objects.list(f"{bronze.ROOT}/") if not k.endswith(f"/{bronze.MANIFEST}")]
    promised = {p.key for m in manifests(objects) for p in m.parts}
    return objects.delete([k for k in keys if k not in promised and _names(work, person, k)])


def _names(work: Work, person: Person, key: str) -> bool:
    try:
        records = [r for _, r in _lines(work, key)]
    except StoreError:
        return True
    return any(tombstones.is_about(person, work.keys, r) or is_mentioned(work, person, r) for r in records)
