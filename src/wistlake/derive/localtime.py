"""The account's day of an instant, as SQL."""

from wistlake.zones import fixed_offset


def local_date(instant: str, zone: str) -> str:
    """SQL for the day of the UTC timestamp `instant` in `zone` (an IANA name or a fixed offset).

    Fixed offsets are added by hand: engines disagree on how to spell them.
    """
    offset = fixed_offset(zone)
    if offset is None:
        return f"to_date(from_utc_timestamp({instant}, '{zone}'))"
    minutes = int(offset.total_seconds() // 60)
    return f"to_date({instant} + INTERVAL '{minutes}' MINUTE)"
