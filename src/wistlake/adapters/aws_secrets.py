"""Secrets: the token, the pseudonym keys, the Slack address."""

import json
from typing import Any

from wistlake.adapters.aws_client import client, explained
from wistlake.errors import ConfigError, StoreError
from wistlake.privacy import keys
from wistlake.privacy.keys import KeyChain


def read(secret: str, secrets_manager: Any = None) -> str:
    """The text of a secret, by name or ARN. ConfigError if it is empty or still what a template put there."""
    manager = secrets_manager or client("secretsmanager")
    with explained(f"the secret {secret}"):
        found = str(manager.get_secret_value(SecretId=secret).get("SecretString", "")).strip()
    if not found:
        raise ConfigError(f"the secret {secret} is empty: store its value in Secrets Manager")
    return found


def read_keys(secret: str, secrets_manager: Any = None) -> KeyChain:
    """The pseudonym keys: a chain as `wistlake.privacy.keys` writes it, or the one long random text that a
    template has generated, as `{"key": "..."}`. StoreError, which never quotes it, if it is neither, or if
    a rotation was begun and not ended."""
    text = read(secret, secrets_manager)
    try:
        plain = json.loads(text)
    except ValueError:
        plain = None
    if isinstance(plain, dict) and isinstance(plain.get("key"), str):
        text = keys.encode(KeyChain((plain["key"].encode(),)))
    chain = keys.decode(text)
    if chain.pending:
        raise StoreError(f"a rotation of the pseudonym key in {secret} was interrupted: end it first")
    return chain
