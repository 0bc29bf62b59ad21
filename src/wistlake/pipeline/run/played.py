"""Which days have plays, and which optional datasets the account's plan includes: what a run need not ask for."""

from collections.abc import Callable, Collection
from datetime import date, datetime, tzinfo

from wistlake import bronze
from wistlake.pipeline.run.view import LedgerView
from wistlake.planning import optional
from wistlake.planning.calendar import utc_days_of
from wistlake.planning.intervals import Fetch, Interval
from wistlake.planning.publishing import BY_DATE, EVENTS
from wistlake.ports import Ledger, ObjectStore

Key = tuple[str, str, date]


def counted_by(key: Key, tz: tzinfo) -> tuple[Key, ...]:
    """The intervals that tell whether a media has plays on a day: its counts, and its sessions."""
    _, media_id, day = key
    return ((BY_DATE, media_id, day), *((EVENTS, media_id, utc_day) for utc_day in utc_days_of(day, tz)))


def has_plays(key: Key, known: Callable[[Key], Interval | None], objects: ObjectStore, tz: tzinfo) -> bool:
    """Whether Wistia counts plays of a day; where its counts were not read, whether any session is listed of it.
    `known` gives what the ledger, and the run so far, know of an interval."""
    of_day, *of_sessions = counted_by(key, tz)
    counts = known(of_day)
    if counts is None or not counts.landing_id:
        listed = map(known, of_sessions)
        return any(i is not None and i.rows > 0 for i in listed)
    if counts.changed_at is None or not counts.rows:
        return False  # nobody has even loaded it
    part = bronze.part_key(counts.landing_id, 1)
    if not objects.exists(part):
        return True
    return any(r.get("play_count") for _, r in bronze.decode_lines(objects.get(part)))


def with_plays(
    fetches: Collection[Fetch],
    view: LedgerView,
    known: Callable[[Key], Interval | None],
    objects: ObjectStore,
    tz: tzinfo,
) -> list[Fetch]:
    """Those of the fetches that are about any day with plays. Loads into the `view` what tells."""
    view.load(counted for f in fetches for key in f.keys for counted in counted_by(key, tz))
    return [f for f in fetches if any(has_plays(key, known, objects, tz) for key in f.keys)]


def note_plan(ledger: Ledger, refused: Collection[str], asked: Collection[str], now: datetime) -> None:
    """Write down which datasets the account's plan does not include, and forget what it has included since."""
    before = ledger.facts(optional.FACTS)
    after = optional.after(before, refused, set(asked) - set(refused), now)
    if after != before:
        ledger.put_facts(optional.FACTS, after)
