"""`digest`: the newest week as a message, and its delivery on the weekday that the settings name."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.errors import ConfigError, reason

if TYPE_CHECKING:
    from wistlake.ports import Notice, Query
    from wistlake.settings import Settings
    from wistlake.wiring.lake import Lake

NOT_DELIVERED = 75
SLACK, TEAMS, MAIL = "Slack", "Teams", "e-mail"
Send = Callable[[], bool]


def digest(
    stdout: Annotated[bool, typer.Option("--stdout", help="As plain text, here; the default.")] = False,
    slack: Annotated[bool, typer.Option("--slack", help="As Slack's payload.")] = False,
    teams: Annotated[bool, typer.Option("--teams", help="As the card that Teams gets.")] = False,
    email: Annotated[
        bool, typer.Option("--email", help="As a mail to WISTLAKE_MAIL_TO, with the report attached.")
    ] = False,
    send: Annotated[
        bool,
        typer.Option("--send", help="Send it where the options before say; without this it is only shown."),
    ] = False,
) -> None:
    """The newest week in a message.

    Totals, the media that moved the most, and how far to trust them. Dry unless --send. With WISTLAKE_DIGEST_DAY the
    first run of that weekday sends it everywhere.

    Example: wistlake digest --email --send
    """
    from wistlake.wiring import notifiers

    channels = {name for name, given in ((SLACK, slack), (TEAMS, teams), (MAIL, email)) if given}
    if send and not channels:
        raise ConfigError("digest --send does not say where: add --slack, --teams or --email")
    lake = session.lake()
    query = lake.query()
    notice = _notice(query)
    ways = _ways(lake.settings, query, notice, channels) if send else {}
    if stdout or not channels:
        output.say(f"{notice.title}\n{notice.text}")
    if not send and slack:
        output.print_json(notifiers.slack_payload(lake.settings, notice))
    if not send and teams:
        output.print_json(notifiers.teams_payload(lake.settings, notice))
    if not send and email:
        output.say(notifiers.mail(lake.settings).shown(notice, notifiers.report(query)))
    delivered = {way: deliver() for way, deliver in ways.items()}
    for way in (way for way, accepted in delivered.items() if accepted):
        output.say(f"sent {'by' if way == MAIL else 'to'} {way}")
    if not all(delivered.values()):
        raise typer.Exit(NOT_DELIVERED)


def send_after_run(lake: "Lake", now: datetime) -> None:
    """Send the digest everywhere if this is the first run on its weekday. A failure is logged: the run has succeeded,
    and the next one of that day tries again."""
    import structlog

    from wistlake.pipeline.jobs.digest import NotRecorded, send_once

    if f"{now:%A}".lower() != lake.settings.digest_day:
        return
    try:
        send_once(lake.ledger(), now.date(), lambda: _sent_everywhere(lake))
    except NotRecorded as e:
        structlog.get_logger().warning("the digest was sent, but not recorded", error=reason(e))
    except Exception as e:
        structlog.get_logger().warning("the digest could not be sent", error=reason(e))


def _sent_everywhere(lake: "Lake") -> bool:
    """Send it each way that the settings name; whether any of them took it."""
    from wistlake.wiring import notifiers

    settings, environment = lake.settings, lake.runtime.environment
    others = notifiers.of_this_machine(settings, environment)
    channels = _configured(settings)
    if not (channels or others):
        raise ConfigError("WISTLAKE_DIGEST_DAY is set, and nobody gets it: name a way in the settings")
    query = lake.query()
    notice = _notice(query)
    delivered = [deliver() for deliver in _ways(settings, query, notice, channels).values()]
    delivered += [other.notify(notice) for other in others]
    return any(delivered)


def _notice(query: "Query") -> "Notice":
    from wistlake.ports import Notice
    from wistlake_dashboard.digest import digest as weekly

    week = weekly(query)
    return Notice(week.title, week.text, failed=week.doubtful)


def _configured(settings: "Settings") -> set[str]:
    ways = {
        SLACK: settings.slack_webhook_url,
        TEAMS: settings.teams_webhook_url,
        MAIL: settings.mail_to,
    }
    return {name for name, value in ways.items() if value}


def _ways(settings: "Settings", query: "Query", notice: "Notice", channels: set[str]) -> Mapping[str, Send]:
    """How to send it each way. ConfigError if a setting of one of them is missing: then nothing is sent."""
    from wistlake.wiring import notifiers

    ways: dict[str, Send] = {}
    if SLACK in channels:
        slack = notifiers.slack(settings)
        ways[SLACK] = lambda: slack.deliver(notice)
    if TEAMS in channels:
        teams = notifiers.teams(settings)
        ways[TEAMS] = lambda: teams.deliver(notice)
    if MAIL in channels:
        mail = notifiers.mail(settings)
        ways[MAIL] = lambda: mail.deliver(notice, notifiers.report(query))
    return ways
