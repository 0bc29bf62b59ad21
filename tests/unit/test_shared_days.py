"""Days that list the same key: which of them are built together, and when they have to be built again."""

from datetime import UTC, date, datetime, timedelta

import pytest

from wistlake.planning import shared_keys
from wistlake.planning.shared_keys import SharedDays

A, B, C, D = (date(2026, 3, n) for n in range(1, 5))
R1, R2 = (datetime(2026, 3, n, 2, 15, tzinfo=UTC) for n in (8, 9))


def key(day: date, media_id: str = "m") -> tuple[str, str, date]:
    return ("events", media_id, day)


def test_two_days_are_the_same_in_either_order() -> None:
    assert SharedDays.of("m", B, A) == SharedDays.of("m", A, B) == SharedDays("m", A, B)


@pytest.mark.parametrize(
    ("known", "first", "last", "again"),
    [(0, R1, R1, False), (0, R2, R1, True), (0, R1, R2, True), (-1, R2, R1, False), (1, R2, R1, True),
     (None, R1, R1, True)],
)  # fmt: skip
def test_days_are_built_again_when_the_order_of_their_readings_has_changed(
    known: int | None, first: datetime, last: datetime, again: bool
) -> None:
    found = shared_keys.reordered([SharedDays("m", A, B, known)], {("m", A): first, ("m", B): last})
    assert found == ({key(A), key(B)} if again else set())


def test_a_day_brings_its_neighbours_and_not_theirs() -> None:
    chain = [
        SharedDays("m", A, B, 0),
        SharedDays("m", B, C, 0),
        SharedDays("m", C, D, 0),
        SharedDays("other", A, B, 0),
    ]
    assert shared_keys.neighbours({key(B)}, chain) == {key(A), key(C)}
    assert shared_keys.neighbours({key(A, "third")}, chain) == set()


def test_a_build_has_the_last_word_on_its_own_days_and_none_on_others() -> None:
    known = [SharedDays("m", A, B, None), SharedDays("m", C, D, 0), SharedDays("n", A, B, 1)]
    read_at = dict.fromkeys((("m", A), ("m", B), ("m", C)), R1) | {("m", D): R2}
    assert shared_keys.after_build(known, {key(A), key(B)}, [SharedDays("m", A, B)], read_at) == {
        SharedDays("m", A, B, 0), SharedDays("m", C, D, 0), SharedDays("n", A, B, 1),
    }  # fmt: skip
    assert shared_keys.after_build(known, {key(C), key(D)}, [], read_at) == {known[0], known[2]}
    assert SharedDays("m", C, D, 1) in shared_keys.after_build(
        known, {key(C)}, [SharedDays("m", C, D)], read_at
    )
    assert SharedDays("m", C, D, 0) not in shared_keys.after_build(
        known, {key(C)}, [SharedDays("m", C, D)], read_at
    )


def test_a_day_built_without_its_neighbour_does_not_forget_that_they_share_a_key() -> None:
    known = [SharedDays("m", A, B, 1), SharedDays("m", B, C, 0)]
    read_at = {("m", A): R1, ("m", B): R2, ("m", C): R2}
    assert shared_keys.after_build(known, {key(B), key(C)}, [], read_at) == {known[0]}
    assert shared_keys.reordered([known[0]], read_at | {("m", A): R2}) == {key(A), key(B)}


def test_what_is_found_before_a_commit_is_restless_until_it_is_published() -> None:
    settled = SharedDays("m", A, B, 0)
    found = shared_keys.before_publication([settled, SharedDays("m", C, D, 0)], [SharedDays("m", A, B)])
    assert found == {SharedDays("m", A, B, None), SharedDays("m", C, D, 0)}
    read_at = dict.fromkeys((("m", d) for d in (A, B, C, D)), R1)
    assert shared_keys.reordered(found, read_at) == {key(A), key(B)}


def test_the_ledgers_document_is_read_as_it_was_written() -> None:
    days = frozenset(SharedDays("m", A, A + timedelta(days=n), n - 2 if n < 4 else None) for n in range(1, 5))
    assert shared_keys.read(shared_keys.document(days)) == days
    assert shared_keys.read({}) == frozenset()


def test_a_day_that_is_built_for_another_media_only_counts_as_read_when_it_was() -> None:
    """Else a key that stands there seems to have been read long ago, and goes to a day that says no more of it."""
    second, third = date(2026, 3, 5), date(2026, 3, 6)
    at = datetime(2026, 3, 10, 3, 15, tzinfo=UTC)
    read_at = {("m1", second): at, ("m2", second): at, ("m1", third): at, ("m2", third): at}
    assert shared_keys.readings(read_at, {("m1", third)}, {second}) == [
        (("m1", second), at),
        (("m2", second), at),
        (("m1", third), at),
    ]
    assert shared_keys.readings(read_at, {("m3", third)}, ()) == []


def test_keys_are_looked_for_within_a_month_and_where_one_was_found_before() -> None:
    """However long the history: a day's build reads these days, and no others."""
    day = date(2026, 3, 4)
    months = {day + timedelta(days=n) for n in range(-31, 32)} - {day}
    far, others = date(2025, 1, 1), date(2025, 6, 1)
    shared = [SharedDays.of("m1", far, day), SharedDays.of("m1", far, others)]
    assert shared_keys.elsewhere({day}, shared) == months | {far}
    assert shared_keys.elsewhere(set(), shared) == set()
