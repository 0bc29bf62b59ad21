"""Keyed pseudonyms: HMAC-SHA-256, cut to 32 hex characters, in Python and as SQL over two pad columns a key.

The pads are columns of a one-row frame, never literals: engines print literals in plans and errors.
Rotation wraps: with keys k1, k2 the id is h(k2, h(k1, visitor_key)), so that old ids can be brought
forward without the raw key.
"""

import hashlib
import hmac
from collections.abc import Sequence

from wistlake.contracts.form import Privacy, Table

_BLOCK = 64
LENGTH = 32


def pseudonym(keys: Sequence[bytes], value: str) -> str:
    """The id of `value` under the chain of `keys`, oldest first."""
    for key in keys:
        value = hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:LENGTH]
    return value


def pads(keys: Sequence[bytes]) -> dict[str, str]:
    """Inner and outer pad of each key as hex, under the column names that `sql` reads."""
    columns: dict[str, str] = {}
    for epoch, key in enumerate(keys, 1):
        block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
        columns[f"_inner_{epoch}"] = bytes(b ^ 0x36 for b in block).hex()
        columns[f"_outer_{epoch}"] = bytes(b ^ 0x5C for b in block).hex()
    return columns


def sql(value: str, epochs: int) -> str:
    """SQL for the id of the text `value`, over the columns of `pads`; NULL for NULL.

    Not with `substring`: Sail plans it twice wherever it stands, so each rotation would double a build's time."""
    for epoch in range(1, epochs + 1):
        inner = f"sha2(concat(unhex(_inner_{epoch}), encode({value}, 'UTF-8')), 256)"
        value = f"left(sha2(concat(unhex(_outer_{epoch}), unhex({inner})), 256), {LENGTH})"
    return f"cast({value} as string)"  # Sail's `left` gives views of texts, which not all that follows takes


def pseudonyms(table: Table) -> tuple[str, ...]:
    """The table's columns that hold a keyed pseudonym."""
    return tuple(c.name for c in table.columns if c.privacy is Privacy.PSEUDONYM)
