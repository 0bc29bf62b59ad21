"""Where news go on this machine: every channel that the settings name."""

from collections.abc import Mapping
from typing import Any

from wistlake.adapters.mail import Attachment, MailNotifier, MailServer
from wistlake.adapters.notify import (
    CommandNotifier,
    Several,
    SlackNotifier,
    TeamsNotifier,
    WebhookNotifier,
    slack_message,
    teams_message,
)
from wistlake.errors import ConfigError
from wistlake.ports import Notice, Notifier, Query
from wistlake.quality.scope import Scope
from wistlake.settings import Settings


def notifier(settings: Settings, environment: Mapping[str, str]) -> Notifier:
    """All channels of the settings as one; commands run with `environment`. ConfigError if there are recipients of
    mails, and no server that sends them."""
    channels = of_this_machine(settings, environment)
    if settings.slack_webhook_url:
        channels.append(slack(settings))
    if settings.teams_webhook_url:
        channels.append(teams(settings))
    if settings.mail_to:
        channels.append(mail(settings))
    return Several(channels)


def of_this_machine(settings: Settings, environment: Mapping[str, str]) -> list[Notifier]:
    """The command and the webhook, as far as they are set."""
    secrets = settings.secrets()
    channels: list[Notifier] = []
    if settings.notify_command:
        channels.append(CommandNotifier(settings.notify_command, environment, secrets=secrets))
    if settings.notify_webhook:
        channels.append(WebhookNotifier(settings.notify_webhook.get_secret_value(), secrets=secrets))
    return channels


def slack(settings: Settings) -> SlackNotifier:
    """Slack's incoming webhook. ConfigError if none is set."""
    if settings.slack_webhook_url is None:
        raise ConfigError("SLACK_WEBHOOK_URL is not set: put the address of an incoming webhook there")
    return SlackNotifier(settings.slack_webhook_url.get_secret_value(), secrets=settings.secrets())


def teams(settings: Settings) -> TeamsNotifier:
    """The workflow of Teams. ConfigError if none is set."""
    if settings.teams_webhook_url is None:
        raise ConfigError("TEAMS_WEBHOOK_URL is not set: put the address of a Teams workflow there")
    return TeamsNotifier(settings.teams_webhook_url.get_secret_value(), secrets=settings.secrets())


def mail(settings: Settings) -> MailNotifier:
    """The mail server, for all recipients. ConfigError names everything that is not set."""
    needs = {"WISTLAKE_SMTP_HOST": settings.smtp_host, "WISTLAKE_MAIL_TO": settings.mail_to}
    problems = [f"{name} is not set: mails need it" for name, value in needs.items() if not value]
    if bool(settings.smtp_user) != (settings.smtp_password is not None):
        problems.append("WISTLAKE_SMTP_USER and WISTLAKE_SMTP_PASSWORD: set both, or neither")
    if problems:
        raise ConfigError(problems)
    server = MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        (*settings.mail_from, *settings.mail_to)[0],
        settings.smtp_user,
        settings.smtp_password.get_secret_value() if settings.smtp_password else "",
    )
    return MailNotifier(server, settings.mail_to, secrets=settings.secrets())


def report(query: Query) -> list[Attachment]:
    """The lake's report as a file of a mail; none while nothing is published."""
    from wistlake_dashboard.report import newest_scope

    scope = newest_scope(query)
    return [report_file(query, scope)] if scope else []


def report_file(query: Query, scope: Scope) -> Attachment:
    """The report of these days as a file of a mail."""
    from wistlake_dashboard.report import page

    name = f"wistlake-{scope.start}-to-{scope.end}.html"
    return Attachment(name, "text/html", page(query, scope).encode())


def slack_payload(settings: Settings, notice: Notice) -> Mapping[str, str]:
    """The notice as `slack` would post it, without secrets."""
    return slack_message(notice, settings.secrets())


def teams_payload(settings: Settings, notice: Notice) -> Mapping[str, Any]:
    """The notice as `teams` would post it, without secrets."""
    return teams_message(notice, settings.secrets())
