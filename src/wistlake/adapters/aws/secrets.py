"""Secrets: the token, the pseudonym keys, addresses of those who are told."""

import json
from typing import Any

from wistlake.adapters.aws.client import client, explained
from wistlake.errors import ConfigError
from wistlake.foreign import unquoted
from wistlake.privacy import keys
from wistlake.privacy.keys import KeyChain


def read(secret: str, secrets_manager: Any = None) -> str:
    """The text of a secret, by name or ARN. ConfigError if it is empty."""
    manager = secrets_manager or client("secretsmanager")
    with explained(f"the secret {secret}"):
        text = unquoted(str(manager.get_secret_value(SecretId=secret).get("SecretString", "")))
    if not text:
        raise ConfigError(f"the secret {secret} is empty: store its value in Secrets Manager")
    return text


class SecretKeys:
    """The chain of keys in a secret, for the rotation: `pipeline.jobs.rotate.KeyRing`."""

    def __init__(self, secret: str, secrets_manager: Any = None) -> None:
        self._secret, self._manager = secret, secrets_manager

    def load(self) -> KeyChain:
        """The chain, a pending key included; StoreDamaged, which never quotes it, if it is none. The secret holds
        either the form of `wistlake.privacy.keys`, or `{"key": "..."}` with one long random text, as the stack's
        template generates it."""
        text = read(self._secret, self._manager)
        try:
            plain = json.loads(text)
        except ValueError:
            plain = None
        if isinstance(plain, dict) and isinstance(plain.get("key"), str):
            text = keys.encode(KeyChain((plain["key"].encode(),)))
        return keys.decode(text)

    def save(self, chain: KeyChain) -> None:
        """Replace the chain in one write."""
        manager = self._manager or client("secretsmanager")
        with explained(f"the secret {self._secret}"):
            manager.put_secret_value(SecretId=self._secret, SecretString=keys.encode(chain))
