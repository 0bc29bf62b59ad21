"""Every spelling in which the pseudonym key, or a pad made of it, could stand somewhere."""

import base64

from wistlake.derive.pseudonym import pads


def key_texts(key: bytes) -> list[bytes]:
    """The key and its pads: raw, as hex in both cases, and in base64."""
    raw = [key, *(bytes.fromhex(pad) for pad in pads((key,)).values())]
    found = [*raw, *(r.hex().encode() for r in raw), *(r.hex().upper().encode() for r in raw)]
    return found + [base64.b64encode(r)[:40] for r in raw]
