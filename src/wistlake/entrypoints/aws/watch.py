"""Lambda `watch`: goals and alerts over what an execution has published."""

from typing import Any

from wistlake.entrypoints.aws import events
from wistlake.errors import reason
from wistlake.pipeline.jobs.watch import watch_publication
from wistlake.wiring import aws

RULES_AT_ONCE = 4  # each waits for two or three queries of Athena's, one after the other


def handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    """See the package's docstring for what goes in and comes out. What goes wrong is told, and nothing is raised:
    called again, it would be told again."""
    events.configure_logs()
    nothing = {"new": 0, "withdrawn": 0}
    if (settings := events.settings_or_told("alerts", "could not be evaluated")) is None:
        return nothing
    people = aws.notifier(settings)
    try:
        changes = watch_publication(
            settings.alerts,
            lambda: aws.query(settings),
            aws.ledger(settings),
            people,
            events.wall(),
            RULES_AT_ONCE,
        )
    except Exception as e:
        events.tell(people, "alerts", "could not be evaluated", reason(e))
        return nothing
    return {"new": len(changes.new), "withdrawn": len(changes.withdrawn)}
