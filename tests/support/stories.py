"""The story that every table must survive: whatever a healthy account does to its numbers, in ten days."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from wistia_simulator import MediaChange, Profile

FIRST = date(2026, 3, 2)  # America's clocks go forward on the 8th
DAYS = 10


def moment(day: int, hour: int, minute: int = 0) -> datetime:
    """A time, UTC, of the n-th day of the story."""
    return datetime(FIRST.year, FIRST.month, FIRST.day, hour, minute, tzinfo=UTC) + timedelta(days=day)


# Somebody says what a media is for, and changes their mind: before days that are long settled, and of a media that is
# deleted by then.
LABELS = (
    (moment(2, 1), 0, {"channel": "podcast", "campaign": "अभियान 🎉"}),
    (moment(5, 1), 2, {"audience": "new"}),
    (moment(7, 1), 0, {"channel": "newsletter"}),
    (moment(8, 1), 1, {"channel": "podcast"}),
)
# Sessions grow, come late, come twice, move to another day and vanish; media change, join and leave.
HOSTILE = replace(
    Profile.hostile(),
    media=3,
    sessions_per_day=25.0,
    history_days=12,
    growing=0.6,
    late=0.08,
    late_days=4.0,
    duplicated=0.03,
    moving=0.5,
    vanishing=0.04,
    conversion_share=0.03,
    embed_query_share=0.4,
    privacy_mode_share=0.1,
    returning_share=0.2,
    changes=(
        MediaChange(0, moment(3, 12), "rename", "A new name"),
        MediaChange(1, moment(4, 12), "duration", 200.5),
        MediaChange(0, moment(6, 12), "retag", ("facebook", "vsl")),
        MediaChange(3, moment(2, 12), "add", "Added YouTube talk"),
        MediaChange(1, moment(7, 12), "delete"),
    ),
)
