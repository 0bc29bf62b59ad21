"""Which texts can name an object, in every store alike: what lands on a laptop can be copied to a bucket and back."""

import re

from wistlake.errors import StoreError

# A segment that starts with a dot could leave the root or meet unfinished files; `\` and `:` mean
# something else on Windows.
_KEY = re.compile(r"[^./\\:\x00-\x1f][^/\\:\x00-\x1f]*(/[^./\\:\x00-\x1f][^/\\:\x00-\x1f]*)*")


def check_key(key: str) -> str:
    """`key`, if it can name an object; StoreError otherwise."""
    if not _KEY.fullmatch(key):
        raise StoreError(
            f"{key[:80]!r} isn't an object key: segments between single slashes, none empty or beginning "
            "with a dot, without backslash, colon and control characters"
        )
    return key


def check_prefix(prefix: str) -> str:
    """`prefix`, if keys can begin with it; StoreError otherwise."""
    if prefix:
        check_key(prefix.removesuffix("/"))
    return prefix
