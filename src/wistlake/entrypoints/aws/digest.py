"""Lambda `digest`: the newest week in a message, once on the day of its schedule."""

from typing import Any

import structlog

from wistlake.entrypoints.aws import events
from wistlake.errors import WistlakeError
from wistlake.pipeline.jobs.digest import send_once
from wistlake.ports import Notice
from wistlake.settings import Settings
from wistlake.wiring import aws
from wistlake_dashboard.digest import digest


def handler(_event: dict[str, Any], _context: Any) -> dict[str, bool]:
    """See the package's docstring for what goes in and comes out. What goes wrong is told, and nothing is raised:
    called again, it would be told again."""
    events.configure_logs()
    settings = Settings()
    people = aws.notifier(settings)
    sent: list[bool] = []

    def send() -> bool:
        week = digest(aws.query(settings))
        sent.append(people.notify(Notice(week.title, week.text, failed=week.doubtful)))
        return sent[-1]

    try:
        send_once(aws.ledger(settings), events.wall().date(), send)
    except Exception as e:
        reason = str(e) if isinstance(e, WistlakeError) else type(e).__name__  # others may quote rows
        structlog.get_logger().error("the digest could not be sent", error=reason)
        people.notify(Notice("wistlake digest could not be sent", reason, failed=True))
    return {"sent": any(sent)}
