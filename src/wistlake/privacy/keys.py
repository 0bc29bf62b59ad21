"""The pseudonym keys of a lake: a chain of epochs, oldest first.

A rotation stores the new key as pending first, then re-keys the stored ids with it, then makes it the newest epoch:
a crash between the steps loses nothing.
"""

import json
import secrets
from dataclasses import dataclass, field

from wistlake.errors import StoreDamaged, StoreError

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeyChain:
    """Keys of all epochs; `repr` shows none."""

    keys: tuple[bytes, ...] = field(repr=False)
    pending: bytes | None = field(default=None, repr=False)

    @property
    def epoch(self) -> int:
        """The newest epoch, from 1."""
        return len(self.keys)

    def settled(self) -> "KeyChain":
        """The chain itself; StoreError if a rotation was interrupted, which only the rotation can finish."""
        if self.pending:
            raise StoreError("a rotation of the pseudonym key was interrupted: `wistlake key rotate` ends it")
        return self

    def begun(self) -> "KeyChain":
        """The chain with a pending key, a new one unless there is one already."""
        return self if self.pending else KeyChain(self.keys, secrets.token_bytes(KEY_BYTES))

    def rotated(self) -> "KeyChain":
        """The chain with the pending key (or a new one) as its newest epoch."""
        return KeyChain((*self.keys, self.begun().pending or b""))


def fresh() -> KeyChain:
    """A chain of one new key."""
    return KeyChain((secrets.token_bytes(KEY_BYTES),))


def encode(chain: KeyChain) -> str:
    """The chain as JSON, for an owner-only file or a secret store."""
    plain: dict[str, object] = {"format": 1, "keys": [k.hex() for k in chain.keys]}
    if chain.pending:
        plain["pending"] = chain.pending.hex()
    return json.dumps(plain)


def decode(text: str) -> KeyChain:
    """The chain in `text`; StoreDamaged, which never quotes it, if there is none."""
    try:
        plain = json.loads(text)
        keys = tuple(bytes.fromhex(k) for k in plain["keys"])
        pending = bytes.fromhex(plain["pending"]) if plain.get("pending") else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise StoreDamaged(
            "the pseudonym key is damaged: restore it from a backup; without it visitors can't be joined"
        ) from None
    if not keys or any(len(k) < KEY_BYTES for k in (*keys, *filter(None, [pending]))):
        raise StoreDamaged(f"the pseudonym key needs {KEY_BYTES} bytes an epoch: restore it from a backup")
    return KeyChain(keys, pending)
