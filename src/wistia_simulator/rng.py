"""Randomness that depends on names only: a name always gives the same number, in any order of calls."""

import hashlib
import random

_FRACTION_BITS = 53


def digest(*name: object) -> int:
    """256 bits that belong to ``name``; never ``hash()``, which differs from process to process."""
    text = "|".join(map(str, name))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=32).digest(), "big")


def fraction(*name: object) -> float:
    """A number in [0, 1) that belongs to ``name``."""
    return float((digest(*name) & ((1 << _FRACTION_BITS) - 1)) / (1 << _FRACTION_BITS))


def hexadecimal(length: int, *name: object) -> str:
    """``length`` (at most 64) lower-case hexadecimal digits that belong to ``name``."""
    return f"{digest(*name):064x}"[:length]


def stream(*name: object) -> random.Random:
    """An own generator for one object, e.g. one media on one day."""
    return random.Random(digest(*name))  # noqa: S311 - reproducible on purpose
