"""The laptop's parts for forgetting and rotating; looking for personal data in any lake."""

import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wistlake import bronze
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.objects import LocalObjects
from wistlake.contracts import SOURCES
from wistlake.insight.doctor import FAILED, OK, UNKNOWN, Check
from wistlake.pipeline.run.spec import LakeDependencies, RunSpec
from wistlake.planning.intervals import ACCOUNT
from wistlake.ports import ObjectStore
from wistlake.privacy import scan
from wistlake.privacy.keys import KeyChain
from wistlake.privacy.tombstones import is_personal
from wistlake.settings import Settings
from wistlake.wiring import laptop

if TYPE_CHECKING:
    from wistlake.adapters.lake_bytes import Piece
    from wistlake.pipeline.jobs.forget import Purge, Search


class KeyFile:
    """The owner-only key file as the rotation sees it."""

    def __init__(self, lake: Path) -> None:
        self._folder = LakeFolder(lake)

    def load(self) -> KeyChain:
        """The chain, a pending key included."""
        return self._folder.key_chain(rotating=True)

    def save(self, chain: KeyChain) -> None:
        """Replace it at once."""
        self._folder.write_keys(chain)


def whole_lake(settings: Settings, run_id: str, trigger: str, now: datetime) -> RunSpec:
    """An order about everything that the lake holds, whatever the settings follow today.

    ConfigError if there is no lake.
    """
    media = tuple(m.media_id for m in laptop.ledger(settings, read_only=True).media()) or (ACCOUNT,)
    names = tuple(s.name for s in SOURCES)
    return laptop.run_spec(settings, run_id=run_id, trigger=trigger, now=now, media=media, datasets=names)


def for_rotation(settings: Settings, outside: laptop.Runtime, ring: KeyFile) -> LakeDependencies:
    """What a rotation needs, also while one is unfinished."""
    laptop.here(settings).open(settings.account_timezone, outside.clock())
    return LakeDependencies(
        objects=LocalObjects(settings.lake),
        ledger=laptop.ledger(settings),
        tables=laptop.tables(settings),
        keys=lambda: ring.load().keys,
        clock=outside.clock,
    )


def purge(settings: Settings) -> "Purge":
    """Takes the past away from the lake's tables, and the report, which shows titles and figures of then."""
    from wistlake.adapters.local.purge import LocalPurge

    return LocalPurge(settings.lake, (LakeFolder(settings.lake).report,))


def examine(settings: Settings) -> Iterator[Check]:
    """What personal data and secrets seem to be where they should not, a check a kind; values are not told."""
    on_aws = settings.place == "aws"
    if not on_aws and not laptop.here(settings).exists():
        yield Check("privacy", FAILED, "there is no lake to look at yet: run `wistlake run` first")
        return
    objects = laptop.objects(settings)
    found = scan.scan(
        _clean_pieces_on_aws(settings, objects) if on_aws else _clean_pieces_here(settings, objects),
        scan.personal_values(_raw_records(objects)),
        settings.secrets(),
    )
    for kind, places in found.items():
        said = "; ".join(f"{place} ({count})" for place, count in sorted(places.items())[:5])
        more = f"; and {len(places) - 5} more" if len(places) > 5 else ""
        yield Check(
            f"privacy: {kind}", FAILED if places else OK, f"{said}{more}" or "none outside of raw pages"
        )
    if not on_aws:
        yield _owner_only(settings.lake)


def _clean_pieces_here(settings: Settings, objects: ObjectStore) -> "Iterator[Piece]":
    """All of the lake that should hold nobody. The key file is a secret itself."""
    from wistlake.adapters import lake_bytes

    key_file = LakeFolder(settings.lake).key_file.name
    for piece in lake_bytes.pieces(settings.lake):
        if piece.place != key_file and _must_be_clean(objects, piece.place):
            yield piece


def _clean_pieces_on_aws(settings: Settings, objects: ObjectStore) -> "Iterator[Piece]":
    """As above, of both buckets, older versions included: every byte travels to this machine."""
    from wistlake.adapters import lake_bytes
    from wistlake.wiring import aws

    for place, read in aws.versions(settings):
        if _must_be_clean(objects, place):
            yield from lake_bytes.unpacked(place, read())


def _must_be_clean(objects: ObjectStore, place: str) -> bool:
    """Raw pages may hold people unless they were redacted before landing."""
    if not place.startswith(f"{bronze.ROOT}/"):
        return True
    manifest = f"{place.rpartition('/')[0]}/{bronze.MANIFEST}"
    return objects.exists(manifest) and bronze.decode_manifest(objects.get(manifest)).redacted


def _raw_records(objects: ObjectStore) -> Iterator[Mapping[str, Any]]:
    """Every record of the raw pages that are kept and not redacted."""
    for dataset in (s.name for s in SOURCES if is_personal(s)):
        for key in objects.list(f"{bronze.ROOT}/{dataset}/"):
            if key.endswith(f"/{bronze.MANIFEST}"):
                manifest = bronze.decode_manifest(objects.get(key))
                for part in () if manifest.redacted else manifest.parts:
                    yield from (record for _, record in bronze.decode_lines(objects.get(part.key)))


def _owner_only(lake: Path) -> Check:
    """Whether others on this machine may open the lake."""
    name = "privacy: owner only"
    if os.name != "posix":
        return Check(name, UNKNOWN, "this platform has no modes: look at the folder's rights")
    if lake.stat().st_mode & 0o077:
        return Check(
            name, FAILED, f"others on this machine may open the lake: chmod 700 {shlex.quote(str(lake))}"
        )
    return Check(name, OK, "nobody else on this machine may open the lake")


def search(settings: Settings) -> "Search":
    """Looks for texts in every byte of the lake."""

    def looked(texts: Iterable[str]) -> Mapping[str, int]:
        from wistlake.adapters import lake_bytes

        return lake_bytes.search(settings.lake, texts)

    return looked
