"""How numbers are written for people: one way each, everywhere, in the reader's locale."""

from collections.abc import Callable, Collection
from datetime import date, datetime

from wistlake.date_ranges import ranges
from wistlake_dashboard import locales

NOTHING = "–"
LONG_AXIS = 180  # days: longer ones name months, with their year
MOST_SPANS = 3  # that a sentence names one by one
LEAST_PLAYS = 20  # of fewer, a percentage says nothing


def count(value: float | None) -> str:
    """1,234; a dash for unknown."""
    return NOTHING if value is None else locales.number(value)


def number(value: float) -> str:
    """1,234.5: as many decimals as there are, and six figures at most."""
    decimals = len(f"{value:.6g}".partition(".")[2]) if abs(value) < 1e6 else 0
    return locales.number(value, decimals)


def text(value: object) -> str:
    """As it is; yes or no."""
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def hours(value: float) -> str:
    """12.5, 3, 0.25."""
    return number(round(value, 1)) if value >= 1 else number(float(f"{value:.2g}"))


def share(value: float | None) -> str:
    """27.3 %; only what is nothing is 0.0 %, and only what is all is 100.0 %."""
    if value is None:
        return NOTHING
    if 0 < value < 0.0005:
        return f"<{locales.number(0.1, 1)} %"
    if 0.9995 <= value < 1:
        return f">{locales.number(99.9, 1)} %"
    return f"{locales.number(100 * value, 1)} %"


def ratio(value: float) -> str:
    """0.45: two decimals."""
    return locales.number(value, 2)


def whole_share(value: float) -> str:
    """27 %; <1 % of what is not nothing."""
    return "<1 %" if 0 < value < 0.005 else f"{locales.number(100 * value)} %"


def duration(seconds: float | None) -> str:
    """12 h 5 min, 4 min 10 s, 9 s: two units at most."""
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    if whole >= 100 * 3600:
        return f"{locales.number(whole / 3600)} h"
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def clock(seconds: float) -> str:
    """3:05, as a player shows it."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def day(value: date) -> str:
    """2 Mar 2026."""
    return locales.day(value)


def weekday(value: date) -> str:
    """Fri 6 Mar."""
    return locales.weekday(value)


def tick(value: date, days: int) -> str:
    """A day on an axis of so many days: 6 Mar, or Mar 2026."""
    return locales.month(value) if days > LONG_AXIS else locales.day_of_year(value)


def span(start: date, end: date) -> str:
    """2–8 Mar 2026, or as much as is needed to tell the ends apart."""
    if start == end:
        return day(end)
    return locales.span(start, end)


def spans(days: Collection[date]) -> str:
    """2–3 Mar 2026, 8 Mar 2026; where that would be long, how many days of which span."""
    parts = ranges(days)
    if len(parts) > MOST_SPANS:
        return f"{plural(len(days), 'day')} of {span(min(days), max(days))}"
    return ", ".join(span(*each) for each in parts)


def moment(value: datetime) -> str:
    """2 Mar 2026, 02:15 UTC."""
    return f"{day(value.date())}, {value:%H:%M} UTC"


def change(
    now: float | None, before: float | None, basis: float, write: Callable[[float | None], str] = count
) -> str:
    """+12 %, −3 %, no change; empty if there is nothing to compare with. A percentage needs a `basis` of 20
    plays: of fewer, the difference itself is shown, as `write` spells it."""
    if now is None or before is None:
        return ""
    if basis < LEAST_PLAYS or not before:
        difference = write(abs(now - before))
        return "no change" if difference == write(0) else f"{'+' if now > before else '−'}{difference}"
    moved = round(100 * (now - before) / before)
    return "no change" if moved == 0 else f"{signed(moved)} %"


def change_in_share(now: float | None, before: float | None, basis: float) -> str:
    """+1.2 points; empty if there is nothing to compare with, or a share is of fewer than 20 plays."""
    if now is None or before is None or basis < LEAST_PLAYS:
        return ""
    moved = round(100 * (now - before), 1)
    return "no change" if moved == 0 else f"{signed(moved)} points"


def signed(value: float) -> str:
    """+12, −3, 0."""
    sign = "+" if value > 0 else "−" if value else ""
    return f"{sign}{locales.number(abs(value), 0 if isinstance(value, int) else 1)}"


def plural(number: int, noun: str) -> str:
    """1 day, 2 days."""
    return f"{locales.number(number)} {noun}{'' if number == 1 else 's'}"
