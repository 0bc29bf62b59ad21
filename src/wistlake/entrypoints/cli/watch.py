"""`watch`: goals and alerts, as the lake has them now."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import Json, Now

if TYPE_CHECKING:
    from wistlake.quality.alert_history import Alert

COLUMNS = ("day", "rule", "subject", "kind", "value", "expected", "early", "told_at", "withdrawn_at")


def watch(
    history: Annotated[
        bool, typer.Option("--history", help="Everything that was ever told, and evaluate nothing.")
    ] = False,
    send: Annotated[
        bool, typer.Option("--send", help="Write down and tell what is new, as the next run would.")
    ] = False,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Evaluate goals and alerts, and list what holds.

    Every run that publishes does the same, and tells what is new. Without --send nothing is written or sent.

    Example: wistlake watch --history
    """
    from wistlake.pipeline.jobs.watch import evaluation, watch_now
    from wistlake.quality.alert_history import sentence
    from wistlake.wiring import notifiers

    lake = session.lake(now)
    rules = lake.settings.alerts
    ledger = lake.ledger(read_only=not send)
    if history:
        output.listing("Alerts", COLUMNS, reversed(ledger.alerts()), as_json=as_json)
        return
    at = session.as_of(now, ledger)
    before = ledger.alerts()
    if send:
        people = notifiers.notifier(lake.settings, lake.runtime.environment)
        result = watch_now(rules, lake.query, ledger, people, at)
    else:
        result = evaluation(rules, lake.query(), before, at)
    standing = result.standing(before)
    if as_json:
        output.print_json(
            {
                "rules": len(rules),
                "alerts": [_shown(a, sentence(a, result.names)) for a in standing],
                "new": len(result.changes.new),
                "withdrawn": len(result.changes.withdrawn),
            }
        )
        return
    if not rules:
        output.say(
            "no goals and no alerts: write [[alert]] entries into wistlake.toml, as docs/alerts.md shows"
        )
        return
    for alert in standing:
        mark = "new  " if alert in result.changes.new else "     "
        output.say(f"{mark}{sentence(alert, result.names)}")
    output.say(
        f"{len(rules)} rules: {len(standing)} alerts stand, {len(result.changes.new)} new, "
        f"{len(result.changes.withdrawn)} withdrawn"
    )


def _shown(alert: "Alert", text: str) -> dict[str, object]:
    return {**asdict(alert), "text": text}
