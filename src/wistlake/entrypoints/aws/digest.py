"""Lambda `digest`: the newest week in a message, once on the day of its schedule; by mail with the report attached."""

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
        mailed, facts = _mailed(settings, Notice(week.title, week.text, failed=week.doubtful))
        told = people.notify(Notice(week.title, week.text, failed=week.doubtful or bool(facts), facts=facts))
        sent.append(mailed or told)
        return sent[-1]

    try:
        send_once(aws.ledger(settings), events.wall().date(), send)
    except Exception as e:
        reason = _reason(e)
        structlog.get_logger().error("the digest could not be sent", error=reason)
        people.notify(Notice("wistlake digest could not be sent", reason, failed=True))
    return {"sent": any(sent)}


def _mailed(settings: Settings, notice: Notice) -> tuple[bool, dict[str, str]]:
    """Whether all recipients got it by mail, and for those who hear of it otherwise, what went wrong with that."""
    if not settings.mail_to:
        return False, {}
    try:
        taken = aws.mail(settings).deliver(notice, aws.report(settings))
        reason = "" if taken else "the mail server did not take it"
    except Exception as e:
        reason = _reason(e)
    if reason:
        structlog.get_logger().error("the digest could not be mailed", error=reason)
    return not reason, {"not mailed": reason} if reason else {}


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, WistlakeError) else type(error).__name__  # others may quote rows
