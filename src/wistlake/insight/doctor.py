"""The checks of `wistlake doctor`: what each one looks at, and its verdict with the cure.

The engines are imported inside `engine`: no other check needs them.
"""

import os
import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from wistlake import bronze
from wistlake.adapters.local import damage
from wistlake.adapters.local import disk as disks
from wistlake.adapters.local.checksums import unsealed
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.contracts import SOURCES
from wistlake.errors import StoreError, WistlakeError
from wistlake.machine import OTHERS
from wistlake.pipeline.run.recover import manifests
from wistlake.ports import ObjectStore
from wistlake.privacy import scan
from wistlake.privacy.scan import Piece
from wistlake.privacy.tombstones import is_personal

OK, FAILED, UNKNOWN = "ok", "failed", "unknown"
FEW = 5  # problems that are named
_YEARS = range(2026, 2100)  # a clock outside of them is wrong
_LEAST_FREE_GB = 1
_PORT = {  # how the engine's port is guarded
    "namespace": (OK, "in a network of its own: nobody else reaches it"),
    "sealed": (OK, "closed behind the one connection of a run: nobody else reaches it"),
    "open": (
        UNKNOWN,
        "other users of this machine reach it while a run builds, and the lake with it: run where nobody else can",
    ),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: `verdict` is ok, failed, unknown, or the answer of a probe."""

    name: str
    verdict: str
    detail: str


NO_LAKE = Check("privacy", FAILED, "there is no lake to look at yet: run `wistlake run` first")


def clock(now: datetime) -> Check:
    """Whether this machine's clock can be right."""
    return Check("clock", OK if now.year in _YEARS else FAILED, f"{now:%Y-%m-%d %H:%M} UTC")


def folder(lake: LakeFolder, zone_name: str, now: datetime) -> Check:
    """Whether the folder holds the lake that the settings describe, or none yet."""
    try:
        if not lake.exists():
            return Check("lake", OK, "none yet: the first run begins it")
        lake.open(zone_name, now)
    except WistlakeError as e:
        return Check("lake", FAILED, str(e))
    return Check("lake", OK, str(lake.root))


def engine(name: str) -> Iterator[Check]:
    """Whether the engine starts, and who else could reach it."""
    try:
        if name == "spark":
            from wistlake.adapters.engine import spark

            spark.require()
            yield Check("engine", OK, f"spark, Java at {spark.java_home()}")
            yield Check("engine's port", OK, "asks for a secret that is new in every run")
            return
        if find_spec("pysail") is None:
            yield Check("engine", FAILED, "sail is not installed: pip install wistlake")
            return
        from wistlake.adapters.engine import sail

        isolation = sail.isolation()
        yield Check("engine", OK, "sail")
        yield Check("engine's port", *_PORT[isolation])
    except WistlakeError as e:
        yield Check("engine", FAILED, str(e))


def disk(path: Path) -> Check:
    """Whether there is room at `path`, and it may be written to."""
    existing = disks.nearest(path)
    free = shutil.disk_usage(existing).free / 1e9
    writable = os.access(existing, os.W_OK)
    enough = free >= _LEAST_FREE_GB and writable
    return Check(
        "disk", OK if enough else FAILED, f"{free:.1f} GB free, {'' if writable else 'not '}writable"
    )


def deep(name: str, errors: Iterable[WistlakeError]) -> Check:
    """The verdict on one part of the lake that was read in full; the first few problems are named."""
    problems = [str(e) for e in errors]
    return Check(f"deep: {name}", FAILED if problems else OK, _few(problems) or "whole")


def _few(problems: Sequence[str]) -> str:
    more = f"; and {len(problems) - FEW} more" if len(problems) > FEW else ""
    return "; ".join(problems[:FEW]) + more


def deep_folder(lake: LakeFolder, objects: ObjectStore) -> Iterator[Check]:
    """Databases, tables and raw pages of a folder, and how many of its files have a checksum."""
    yield deep("databases", damage.databases(lake))
    yield deep("tables", damage.tables(lake))
    yield deep("raw pages", damaged_raw_pages(objects))
    count = unsealed(lake.root)
    detail = f"{count} files have none yet: the next run that builds gives them theirs" if count else ""
    yield Check("deep: checksums", UNKNOWN if count else OK, detail or "all files have one")


def damaged_raw_pages(objects: ObjectStore) -> Iterator[StoreError]:
    """What is wrong with a landing's manifest or parts, the first of each landing."""
    for key in objects.list(f"{bronze.ROOT}/"):
        if key.endswith(f"/{bronze.MANIFEST}"):
            try:
                for part in bronze.decode_manifest(objects.get(key)).parts:
                    bronze.check_part(part, objects.get(part.key))
            except StoreError as e:
                if objects.exists(key):  # or the landing went meanwhile
                    yield e


def personal_data(pieces: Iterable[Piece], objects: ObjectStore, secrets: Iterable[str]) -> Iterator[Check]:
    """What personal data and secrets the pieces seem to hold, a check for each kind; no value is shown."""
    matches = scan.scan(pieces, scan.personal_values(_raw_records(objects)), secrets)
    for kind, places in matches.items():
        named = _few([f"{place} ({count})" for place, count in sorted(places.items())])
        yield Check(f"privacy: {kind}", FAILED if places else OK, named or "none outside of raw pages")


def must_be_clean(objects: ObjectStore, place: str) -> bool:
    """Whether a place may hold no personal data: raw pages may, unless they were redacted before landing."""
    if not place.startswith(f"{bronze.ROOT}/"):
        return True
    manifest = f"{place.rpartition('/')[0]}/{bronze.MANIFEST}"
    return objects.exists(manifest) and bronze.decode_manifest(objects.get(manifest)).redacted


def _raw_records(objects: ObjectStore) -> Iterator[Mapping[str, Any]]:
    """Every record of the raw pages that are kept and not redacted."""
    for dataset in (s.name for s in SOURCES if is_personal(s)):
        for manifest in manifests(objects, f"{bronze.ROOT}/{dataset}/"):
            for part in () if manifest.redacted else manifest.parts:
                yield from (record for _, record in bronze.decode_lines(objects.get(part.key)))


def owner_only(lake: Path) -> Check:
    """Whether others on this machine may open the lake."""
    name = "privacy: owner only"
    if os.name != "posix":
        return Check(name, UNKNOWN, "this platform has no modes: look at the folder's rights")
    if lake.stat().st_mode & OTHERS:
        return Check(
            name, FAILED, f"others on this machine may open the lake: chmod 700 {shlex.quote(str(lake))}"
        )
    return Check(name, OK, "nobody else on this machine may open the lake")
