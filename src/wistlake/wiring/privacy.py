"""The laptop's parts for forgetting, rotating and looking for personal data."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from wistlake.adapters.lake_folder import LakeFolder
from wistlake.adapters.local_objects import LocalObjects
from wistlake.contracts import SOURCES
from wistlake.errors import StoreError
from wistlake.pipeline.order import Client, Parts, RunOrder
from wistlake.planning.intervals import ACCOUNT
from wistlake.privacy.keys import KeyChain
from wistlake.settings import Settings
from wistlake.wiring import laptop

if TYPE_CHECKING:
    from wistlake.pipeline.forget import Purge, Search


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


def whole_lake(settings: Settings, run_id: str, trigger: str, now: datetime) -> RunOrder:
    """An order about everything that the lake holds, whatever the settings follow today.

    ConfigError if there is no lake.
    """
    media = tuple(m.media_id for m in laptop.ledger(settings, read_only=True).media()) or (ACCOUNT,)
    names = tuple(s.name for s in SOURCES)
    return laptop.order(settings, run_id=run_id, trigger=trigger, now=now, media=media, datasets=names)


def for_rotation(settings: Settings, outside: laptop.Outside, ring: KeyFile) -> Parts:
    """A run's parts, also while a rotation is unfinished. Nothing is fetched or landed with them."""
    laptop.here(settings).open(settings.account_timezone, outside.clock())

    @asynccontextmanager
    async def nobody() -> AsyncIterator[Client]:
        raise StoreError("a rotation asks nobody")
        yield

    return Parts(
        objects=LocalObjects(settings.lake),
        ledger=laptop.ledger(settings),
        tables=laptop.tables(settings),
        client=nobody,
        notifier=laptop.notifier(settings, outside),
        keys=lambda: ring.load().keys,
        clock=outside.clock,
        monotonic=outside.monotonic,
    )


def purge(settings: Settings) -> "Purge":
    """Takes the past away from the lake's tables."""
    from wistlake.adapters.local_purge import LocalPurge

    return LocalPurge(settings.lake)


def search(settings: Settings) -> "Search":
    """Looks for texts in every byte of the lake."""

    def looked(texts: Iterable[str]) -> Mapping[str, int]:
        from wistlake.adapters import lake_bytes

        return lake_bytes.search(settings.lake, texts)

    return looked
