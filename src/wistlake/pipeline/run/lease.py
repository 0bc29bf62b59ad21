"""The lake's lease for a run whose steps are processes of their own: it is held under the run's id.

A run in one process, and every other job, holds it by `Ledger.lease`.
"""

from datetime import datetime
from typing import Protocol

from wistlake.ports import LEASE, LEASE_SECONDS, Lease


class SharedLease(Protocol):
    """A lease that outlives the process that took it."""

    def take(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> Lease:
        """Hold it until `release`, or its end; the owner may take it again. LeaseHeld if another holds it."""

    def renew(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> None:
        """Hold it for longer; LeaseHeld if it is another's by now."""

    def release(self, name: str, owner: str) -> None:
        """Give it back, if it is the owner's."""


def take(lease: SharedLease, run_id: str, now: datetime) -> None:
    """Take the lake for the run. LeaseHeld if another run holds it."""
    lease.take(LEASE, run_id, now, LEASE_SECONDS)


def renew(lease: SharedLease, run_id: str, now: datetime) -> None:
    """Hold the lake for longer. LeaseHeld if the run has lost it."""
    lease.renew(LEASE, run_id, now, LEASE_SECONDS)


def release(lease: SharedLease, run_id: str) -> None:
    """Give the lake back."""
    lease.release(LEASE, run_id)
