"""Where news go on this machine: every channel that the settings name."""

from collections.abc import Mapping

from wistlake.adapters.notify import CommandNotifier, Several, SlackNotifier, WebhookNotifier, slack_message
from wistlake.errors import ConfigError
from wistlake.ports import Notice, Notifier
from wistlake.settings import Settings


def notifier(settings: Settings, environment: Mapping[str, str]) -> Notifier:
    """All channels of the settings as one; commands run with `environment`."""
    secrets = settings.secrets()
    channels: list[Notifier] = []
    if settings.notify_command:
        channels.append(CommandNotifier(settings.notify_command, environment, secrets=secrets))
    if settings.notify_webhook:
        channels.append(WebhookNotifier(settings.notify_webhook.get_secret_value(), secrets=secrets))
    if settings.slack_webhook_url:
        channels.append(slack(settings))
    return Several(channels)


def slack(settings: Settings) -> SlackNotifier:
    """Slack's incoming webhook. ConfigError if none is set."""
    if settings.slack_webhook_url is None:
        raise ConfigError("SLACK_WEBHOOK_URL is not set: put the address of an incoming webhook there")
    return SlackNotifier(settings.slack_webhook_url.get_secret_value(), secrets=settings.secrets())


def slack_payload(settings: Settings, notice: Notice) -> Mapping[str, str]:
    """The notice as `slack` would post it, without secrets."""
    return slack_message(notice, settings.secrets())
