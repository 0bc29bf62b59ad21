"""The lake's lease, held together by the steps of one run under the run's id."""

from datetime import datetime
from typing import Protocol

from wistlake.ports import LEASE, LEASE_SECONDS, Lease


class Shared(Protocol):
    """A lease that outlives the process that took it."""

    def take(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> Lease:
        """Hold it until `release`, or its end; the owner may take it again. LeaseHeld if another holds it."""

    def renew(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> None:
        """Hold it for longer; LeaseHeld if it is another's by now."""

    def release(self, name: str, owner: str) -> None:
        """Let go of it, if it is the owner's."""


def take(lease: Shared, run_id: str, now: datetime) -> None:
    """Take the lake for the run."""
    lease.take(LEASE, run_id, now, LEASE_SECONDS)


def renew(lease: Shared, run_id: str, now: datetime) -> None:
    """Go on holding the lake; LeaseHeld if the run has lost it."""
    lease.renew(LEASE, run_id, now, LEASE_SECONDS)


def release(lease: Shared, run_id: str) -> None:
    """Let go of the lake."""
    lease.release(LEASE, run_id)
