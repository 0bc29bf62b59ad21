"""Lambda `chat`: whatever the stage's topic says, Slack and Teams hear: notices, failures of the machine, alarms."""

import json
from typing import Any

from wistlake.entrypoints.aws import events
from wistlake.ports import Notice
from wistlake.settings import Settings
from wistlake.wiring import aws


def handler(event: dict[str, Any], _context: Any) -> None:
    """See the package's docstring for what goes in. A message that can't be delivered is a line in the log."""
    events.configure_logs()
    chat = aws.chat(Settings())
    for record in event["Records"]:
        chat.notify(notice_of(record["Sns"]))


def notice_of(message: dict[str, Any]) -> Notice:
    """The notice in a message of the topic: one of ours, an alarm's, or plain text."""
    text, subject = str(message.get("Message") or ""), str(message.get("Subject") or "Wistlake")
    try:
        parts = json.loads(text)
    except ValueError:
        parts = None
    match parts:
        case {"title": str(title), "text": str(body), "failed": bool(failed), "facts": dict(facts)}:
            return Notice(title, body, failed, facts)
        case {"AlarmName": str(name), "NewStateValue": str(state)}:
            texts = (parts.get("AlarmDescription"), parts.get("NewStateReason"))
            return Notice(f"{name} is {state}", "\n".join(str(s) for s in texts if s), state != "OK")
    return Notice(subject, text, failed=True)
