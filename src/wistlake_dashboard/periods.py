"""Which days are looked at unless somebody says so."""

from datetime import date

from wistlake_dashboard.scope import Scope, last_days

DAYS = 28


def usual(first: date, last: date, media: tuple[str, ...] = ()) -> Scope:
    """The newest days of those from `first` to `last`: 28, or fewer while there would be no period before to
    compare with; whole weeks as soon as there are any, since days of the week differ."""
    half = ((last - first).days + 1) // 2
    length = max(1, min(DAYS, half))
    return last_days(last, length - length % 7 if length > 7 else length, media)
