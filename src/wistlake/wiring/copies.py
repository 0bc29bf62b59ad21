"""Restoring a copy of a lake, without the people who were forgotten after the copy was made."""

from dataclasses import replace
from pathlib import Path

from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.objects import LocalObjects
from wistlake.errors import ConfigError
from wistlake.pipeline import tombstone_copies
from wistlake.wiring.laptop import LaptopLake


def restore(source: Path, lake: Path, replaces: Path | None) -> int:
    """Restore a copy at `lake`, with the tombstones of the lake that it replaces; how many of those it
    lacked. While it lacks any, it holds people who were forgotten since: `LaptopLake.forget_again`."""
    from wistlake.adapters.local import lake_archive  # loads pyiceberg

    lake_archive.restore(source, lake)
    if replaces is not None:
        _require_same_key(replaces, lake)
        tombstone_copies.bring(LocalObjects(replaces), LocalObjects(lake))
    folder = LakeFolder(lake)
    folder.require_readable()
    return tombstone_copies.unknown(LocalObjects(lake), SqliteLedger(folder.ledger, read_only=True))


def at(path: Path, lake: LaptopLake) -> LaptopLake:
    """The lake in another folder, in the zone of its days; everything else as the settings say."""
    zone = str(LakeFolder(path).described()["zone"])
    return replace(lake, settings=lake.settings.model_copy(update={"lake": path, "account_timezone": zone}))


def _require_same_key(old: Path, new: Path) -> None:
    """Under another first key, tombstones match no visitor."""
    first = [LakeFolder(lake).key_chain(rotating=True).keys[0] for lake in (old, new)]
    if first[0] != first[1]:
        raise ConfigError(f"{old} and {new} have different pseudonym keys: neither is a copy of the other")
