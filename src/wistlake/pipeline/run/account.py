"""One request a run for the account's own totals, of the days that its media are asked for."""

import asyncio
from collections.abc import Sequence
from datetime import date

import structlog

from wistlake.errors import WistlakeError
from wistlake.pipeline.run.spec import Dependencies, RunSpec
from wistlake.planning import account
from wistlake.planning.account import AccountDay, Days
from wistlake.planning.intervals import Fetch

log = structlog.get_logger()
SECONDS = 20.0  # a run waits no longer for what it can do without


async def read_totals(
    deps: Dependencies, spec: RunSpec, fetches: Sequence[Fetch], *, follows_all: bool | None
) -> None:
    """Write the account's totals to the ledger, or why there are none. `follows_all`: whether the run follows all that
    the account lists; None if it can't tell."""
    days = account.days_of(fetches)
    if not days:
        return
    now = await _totals(deps, spec, days)
    before = account.read(deps.ledger.facts(account.FACTS))
    after = account.merged(before, now, follows_all=follows_all)
    deps.ledger.put_facts(account.FACTS, account.document(after))


async def _totals(deps: Dependencies, spec: RunSpec, days: Sequence[date]) -> Days:
    """Wistia's answer, or what came in its place."""
    try:
        async with asyncio.timeout(SECONDS), deps.client() as client:
            rows = await client.account_days(days[0], days[-1])
        return account.answered(days, rows, spec.window.now)
    except (WistlakeError, ValueError) as e:
        reason = str(e).partition(". ")[0]
    except TimeoutError:
        reason = f"no answer within {SECONDS:.0f} s"
    log.info("the account's totals are not available", run_id=spec.run_id, reason=reason)
    return {day: AccountDay(day, reason=reason) for day in days}
