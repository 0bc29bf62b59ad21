"""Lambda `release`: an execution that failed, timed out or was aborted holds the lake's lease no more."""

from typing import Any

import structlog

from wistlake.entrypoints.aws import events
from wistlake.ports import LEASE
from wistlake.settings import Settings
from wistlake.wiring import aws


def handler(event: dict[str, Any], _context: Any) -> None:
    """See the package's docstring for what goes in. Whose lease it is is in its item: another's stays."""
    events.configure_logs()
    ended = event.get("detail") or {}
    run_id = events.text(ended, "name")
    aws.ledger(Settings()).release(LEASE, run_id)
    structlog.get_logger().info("released", run_id=run_id, status=ended.get("status"))
