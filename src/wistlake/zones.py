"""Time zones by name: IANA names, and the fixed offsets that some accounts' days follow all year."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wistlake.errors import ConfigError

_FARTHEST_WEST, _FARTHEST_EAST = timedelta(hours=-12), timedelta(hours=14)  # beyond them it is a mistyped one
_FIXED = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?([0-5]\d))?")


def fixed_offset(name: str) -> timedelta | None:
    """The offset of a fixed zone such as `UTC-5` or `-05:00`; None if `name` is not of that form."""
    if name.upper() in ("UTC", "GMT", "Z"):
        return timedelta(0)
    if not (match := _FIXED.fullmatch(name)):
        return None
    sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return -offset if sign == "-" else offset


def zone(name: str) -> tzinfo:
    """The zone called `name`: an IANA name or a fixed offset. ConfigError if it is neither."""
    offset = fixed_offset(name)
    if offset is not None and _FARTHEST_WEST <= offset <= _FARTHEST_EAST:
        return timezone(offset)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as e:
        raise ConfigError(
            f"WISTLAKE_ACCOUNT_TIMEZONE is {name!r}, which isn't a zone: "
            "use an IANA name such as America/New_York or an offset such as -05:00"
        ) from e


def of_this_machine(
    environment: Mapping[str, str] = os.environ, localtime: Path = Path("/etc/localtime")
) -> str:
    """The IANA name of this machine's zone; "" where it does not say."""
    named = (
        environment.get("TZ", "").removeprefix(":")
        or localtime.resolve().as_posix().partition("/zoneinfo/")[2]
    )
    try:
        return str(ZoneInfo(named)) if "/" in named else ""
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""
