"""The weekly digest: sent once on its day, however many runs end on it."""

from collections.abc import Callable
from datetime import date

from wistlake.ports import Ledger

FACTS = "digest"  # the ledger's document: the day on which it was sent last


def send_once(ledger: Ledger, today: date, send: Callable[[], bool]) -> None:
    """Send it unless it was sent today. `send` says whether anybody took it; if not, the next call tries again."""
    sent = {"sent": today.isoformat()}
    if ledger.facts(FACTS) != sent and send():
        ledger.put_facts(FACTS, sent)
