"""What an operator decides about media: which ones the lake follows, and how far a watermark counts."""

from dataclasses import replace
from datetime import date, datetime

from wistlake.errors import ConfigError
from wistlake.planning.intervals import MediaEntry, Watermark
from wistlake.ports import LEASE, LEASE_SECONDS, Ledger


def follow(
    ledger: Ledger, media_id: str, first: date | None, default_first: date, run_id: str, now: datetime
) -> None:
    """Follow a media from its own `first` day; one that is followed already, or was retired, keeps its own where
    none is given."""
    with ledger.lease(LEASE, run_id, now, LEASE_SECONDS):
        entry = _entry(ledger, media_id) or MediaEntry(media_id, first or default_first, now)
        ledger.put_media([replace(entry, first_day=first or entry.first_day, retired_at=None, reason="")])


def retire(ledger: Ledger, media_id: str, reason: str, run_id: str, now: datetime) -> None:
    """Follow a media no longer. ConfigError if the lake never did."""
    with ledger.lease(LEASE, run_id, now, LEASE_SECONDS):
        entry = _entry(ledger, media_id)
        if entry is None:
            raise ConfigError(f"the lake does not follow {media_id}: `wistlake media list` says which")
        ledger.put_media([replace(entry, retired_at=now, reason=reason)])


def set_watermark(ledger: Ledger, watermark: Watermark, run_id: str) -> None:
    """Set a watermark by hand. ConfigError without a reason."""
    with ledger.lease(LEASE, run_id, watermark.updated_at, LEASE_SECONDS):
        ledger.override(watermark)


def followed(ledger: Ledger) -> tuple[str, ...]:
    """The media that are not retired."""
    return tuple(m.media_id for m in ledger.media() if m.retired_at is None)


def _entry(ledger: Ledger, media_id: str) -> MediaEntry | None:
    return next((m for m in ledger.media() if m.media_id == media_id), None)
