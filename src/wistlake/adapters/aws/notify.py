"""Notices to an SNS topic."""

import json
from typing import Any

from wistlake.adapters.aws.client import client
from wistlake.adapters.notify import deliver, plain
from wistlake.ports import Notice, Notifier

_MOST_SUBJECT = 100


class SnsNotifier(Notifier):
    """Publishes each notice to `topic` as JSON, under a subject that mail programs show."""

    def __init__(self, topic: str, *, secrets: tuple[str, ...] = (), sns: Any = None) -> None:
        self._topic, self._secrets = topic, secrets
        self._sns = sns or client("sns")

    def notify(self, notice: Notice) -> bool:
        return deliver("sns", lambda: self._publish(plain(notice, self._secrets)))

    def _publish(self, parts: dict[str, Any]) -> None:
        subject = " ".join(parts["title"].encode("ascii", "replace").decode().split())
        self._sns.publish(
            TopicArn=self._topic, Subject=subject[:_MOST_SUBJECT], Message=json.dumps(parts, indent=1)
        )
