"""The ledger's document of the account's own totals: which days a run asks for, and what Wistia last answered."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from wistlake.codec import decode, encode
from wistlake.planning.intervals import Fetch
from wistlake.planning.publishing import BY_DATE

FACTS = "account"  # the ledger's document


@dataclass(frozen=True, slots=True)
class AccountDay:
    """The account's loads and plays of a day, as they were at `observed_at`. `reason`: why the newest request got no
    answer. `follows_all`: the lake followed everything that the account lists."""

    date: date
    loads: int | None = None
    plays: int | None = None
    observed_at: datetime | None = None
    follows_all: bool = False
    reason: str = ""


Days = Mapping[date, AccountDay]


def read(facts: Mapping[str, Any]) -> dict[date, AccountDay]:
    """The days in the ledger's document."""
    return {day.date: day for day in decode(tuple[AccountDay, ...], facts.get("days", ()))}


def document(of_days: Days) -> Mapping[str, Any]:
    """The ledger's document."""
    return {"days": [encode(AccountDay, of_days[day]) for day in sorted(of_days)]}


def days_of(fetches: Iterable[Fetch]) -> list[date]:
    """The days of which the run asks for a media's counts, ascending."""
    return sorted({key[2] for f in fetches if f.dataset == BY_DATE for key in f.keys})


def answered(asked: Collection[date], rows: Iterable[Mapping[str, Any]], observed_at: datetime) -> Days:
    """The days in Wistia's answer. ValueError if one is not there, or not as a day's counts are."""
    counts = {row.get("date"): (row.get("load_count"), row.get("play_count")) for row in rows}
    whole = {day: counts.get(day.isoformat(), (None, None)) for day in asked}
    if not all(type(count) is int for pair in whole.values() for count in pair):
        raise ValueError("the answer has not the counts of every day")
    return {day: AccountDay(day, *pair, observed_at) for day, pair in whole.items()}


def merged(before: Days, now: Days, *, follows_all: bool | None) -> Days:
    """Both, the newer one last; a day without an answer stays as it was but for the reason. `follows_all` None: as it
    was."""
    after = dict(before)
    for day, entry in now.items():
        old = before.get(day, AccountDay(day))
        follows = old.follows_all if follows_all is None else follows_all
        after[day] = replace(old if entry.reason else entry, follows_all=follows, reason=entry.reason)
    return after
