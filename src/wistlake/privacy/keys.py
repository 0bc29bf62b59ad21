"""The pseudonym keys of a lake: a chain of epochs, oldest first."""

import json
import secrets
from dataclasses import dataclass, field

from wistlake.errors import StoreError

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeyChain:
    """Keys of all epochs. Never printed."""

    keys: tuple[bytes, ...] = field(repr=False)

    @property
    def epoch(self) -> int:
        """The newest epoch, from 1."""
        return len(self.keys)

    def rotated(self) -> "KeyChain":
        """A chain with a fresh key wrapped around."""
        return KeyChain((*self.keys, secrets.token_bytes(KEY_BYTES)))


def fresh() -> KeyChain:
    """A chain of one new key."""
    return KeyChain((secrets.token_bytes(KEY_BYTES),))


def encode(chain: KeyChain) -> str:
    """The chain as JSON, for an owner-only file or a secret store."""
    return json.dumps({"format": 1, "keys": [k.hex() for k in chain.keys]})


def decode(text: str) -> KeyChain:
    """The chain in `text`; StoreError, which never quotes it, if it is none."""
    try:
        keys = tuple(bytes.fromhex(k) for k in json.loads(text)["keys"])
    except (ValueError, KeyError, TypeError):
        raise StoreError(
            "the pseudonym key is damaged: restore it from a backup; without it visitors can't be joined"
        ) from None
    if not keys or any(len(k) < KEY_BYTES for k in keys):
        raise StoreError(f"the pseudonym key needs {KEY_BYTES} bytes an epoch: restore it from a backup")
    return KeyChain(keys)
