"""Lambda `digest`: the newest week in a message, once on the day of its schedule; by mail with the report attached."""

from typing import Any

from wistlake.entrypoints.aws import events
from wistlake.errors import reason
from wistlake.pipeline.jobs.digest import NotRecorded, record, was_sent
from wistlake.ports import Notice, Notifier
from wistlake.settings import Settings
from wistlake.wiring import aws
from wistlake_dashboard.digest import digest

TOPIC, MAIL = "topic", "mail"
ABOUT = "digest"


def handler(_event: dict[str, Any], _context: Any) -> dict[str, bool]:
    """See the package's docstring for what goes in and comes out. What goes wrong is told, and nothing is raised:
    called again, it would be told again."""
    events.configure_logs()
    if (settings := events.settings_or_told(ABOUT, "could not be sent")) is None:
        return {"sent": False}
    people = aws.notifier(settings)
    try:
        ledger, today = aws.ledger(settings), events.wall().date()
        ways = (TOPIC, MAIL) if settings.mail_to else (TOPIC,)
        due = [way for way in ways if not was_sent(ledger, today, way)]
        if not due:
            return {"sent": False}
        week = digest(aws.query(settings))
    except Exception as e:
        events.tell(people, ABOUT, "could not be sent", reason(e))
        return {"sent": False}
    notice = Notice(week.title, week.text, failed=week.doubtful)
    sent = []
    # The topic comes first, and is recorded: the report may take longer, or more memory, than the function has.
    for way in due:
        try:
            if people.notify(notice) if way == TOPIC else _mailed(settings, notice, people):
                sent.append(way)
                record(ledger, today, way)
        except NotRecorded as e:
            events.tell(people, ABOUT, "was sent, but not recorded", reason(e))
        except Exception as e:
            events.tell(people, ABOUT, "could not be sent", reason(e))
    return {"sent": bool(sent)}


def _mailed(settings: Settings, notice: Notice, people: Notifier) -> bool:
    """Mail it with the report; whether any recipient's mail was accepted. The topic hears of those that were not."""
    recipients = len(settings.mail_to)
    try:
        accepted = aws.mail(settings).send(notice, aws.report(settings))
    except Exception as e:
        events.tell(people, ABOUT, "not mailed", reason(e))
        return False
    if not accepted:
        events.tell(people, ABOUT, "not mailed", "the mail server did not take it")
    elif accepted < recipients:
        events.tell(
            people,
            ABOUT,
            "not mailed to all",
            f"the mail server took it for {accepted} of {recipients} recipients",
        )
    return bool(accepted)
