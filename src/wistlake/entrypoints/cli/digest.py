"""`digest`: the newest week as a message."""

from typing import Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.errors import ConfigError

NOT_DELIVERED = 75


def digest(
    stdout: Annotated[bool, typer.Option("--stdout", help="As plain text, here; the default.")] = False,
    slack: Annotated[bool, typer.Option("--slack", help="As Slack's payload.")] = False,
    send: Annotated[
        bool, typer.Option("--send", help="Post it to SLACK_WEBHOOK_URL; without this it is only shown.")
    ] = False,
) -> None:
    """The newest week in a message.

    Totals, the media that moved the most, and how far to trust them. Dry unless --send.

    Example: wistlake digest --slack --send
    """
    from wistlake.ports import Notice
    from wistlake.wiring import notifiers
    from wistlake_dashboard.digest import digest as weekly

    if send and not slack:
        raise ConfigError("digest --send goes to Slack: say --slack --send")
    lake = session.lake()
    channel = notifiers.slack(lake.settings) if send else None
    week = weekly(lake.query())
    notice = Notice(week.title, week.text, failed=week.doubtful)
    if stdout or not slack:
        output.say(f"{notice.title}\n{notice.text}")
    if slack and not send:
        output.print_json(notifiers.slack_payload(lake.settings, notice))
    if channel is not None:
        if not channel.deliver(notice):
            raise typer.Exit(NOT_DELIVERED)
        output.say("sent to Slack")
