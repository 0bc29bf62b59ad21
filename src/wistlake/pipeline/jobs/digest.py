"""The weekly digest: sent once on its day, however many runs end on it."""

from collections.abc import Callable
from datetime import date

from wistlake.errors import StoreError, reason
from wistlake.ports import Ledger

FACTS = "digest"  # the ledger's document: by way, the day on which it was sent last
EVERYWHERE = "sent"


class NotRecorded(StoreError):
    """It was sent, and the ledger could not keep that: the next call of the day sends it again."""


def was_sent(ledger: Ledger, today: date, way: str = EVERYWHERE) -> bool:
    """Whether somebody took it that way today."""
    return bool(ledger.facts(FACTS).get(way) == today.isoformat())


def record(ledger: Ledger, today: date, way: str = EVERYWHERE) -> None:
    """Keep that somebody took it that way today. NotRecorded if the ledger can't."""
    try:
        ledger.put_facts(FACTS, {**ledger.facts(FACTS), way: today.isoformat()})
    except Exception as e:
        raise NotRecorded(f"a further call today sends it again: {reason(e)}") from e


def send_once(ledger: Ledger, today: date, send: Callable[[], bool]) -> None:
    """Send it unless it was sent today. `send` says whether anybody took it; if not, the next call tries again."""
    if not was_sent(ledger, today) and send():
        record(ledger, today)
