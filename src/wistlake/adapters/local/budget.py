"""The request budget that all processes of one machine share: one sqlite row an account."""

import time
from collections.abc import Callable
from pathlib import Path

from wistlake.adapters.local.database import Database
from wistlake.planning.pacing import Booking, Change, PacedBudget

_UPGRADES = (
    (
        """
        CREATE TABLE budgets (
            account TEXT NOT NULL PRIMARY KEY, booked INTEGER NOT NULL, paused INTEGER NOT NULL,
            seen INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
    ),
)


class SqliteBudget(PacedBudget):
    """Budget of `account` in the sqlite file at `path`."""

    def __init__(
        self,
        path: Path,
        account: str,
        per_minute: int,
        burst: int | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(per_minute, burst, wall)
        self._account = account
        self._database = Database(
            path,
            _UPGRADES,
            if_damaged="remove it, it holds the last minute only",
            durable=False,  # a power cut may lose bookings, but they are old when the machine is back
        )

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _change(self, change: Change) -> int:
        with self._database.writing() as connection:
            row = connection.execute(
                "SELECT booked, paused, seen FROM budgets WHERE account = ?", (self._account,)
            ).fetchone()
            # The clock is read inside the transaction, so that bookings are in the order of their times.
            booking, wait = change(Booking(*row) if row else Booking(), self._now())
            connection.execute(
                "INSERT OR REPLACE INTO budgets VALUES (?, ?, ?, ?)",
                (self._account, booking.booked, booking.paused, booking.seen),
            )
        return wait
