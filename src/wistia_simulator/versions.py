"""The two bases of the API and the dated releases of the modern one."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

RELEASES = ("2026-01", "2026-03", "2026-05", "2026-07", "2026-09")
"""All known releases, oldest first."""

_RELEASE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True)
class Api:
    """What a request speaks: ``v1``, or ``modern`` in one release."""

    base: Literal["v1", "modern"]
    release: str = ""

    def at_least(self, release: str) -> bool:
        """Whether this is the modern API in ``release`` or a later one."""
        return self.base == "modern" and self.release >= release


def resolve_release(header: str | None, today: date) -> str:
    """The release that serves a request: each is supported for a year, the newest one for ever.

    No (or no legible) header gives the newest release, a month without a release the one before it, and an
    unsupported release the oldest supported one.
    """
    supported = [name for name in RELEASES if not _expired(name, today)] or [RELEASES[-1]]
    if header is None or not _RELEASE.fullmatch(header.strip()):
        return RELEASES[-1]
    earlier = [name for name in supported if name <= header.strip()]
    return earlier[-1] if earlier else supported[0]


def _expired(release: str, today: date) -> bool:
    year, month = map(int, release.split("-"))
    return today >= date(year + 1, month, 1)
