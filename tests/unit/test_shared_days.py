"""Days that list the same key: which of them are built together, and when they have to be built again."""

from datetime import UTC, date, datetime, timedelta

import pytest

from wistlake.planning import shared
from wistlake.planning.shared import Shared, between

A, B, C, D = (date(2026, 3, n) for n in range(1, 5))
R1, R2 = (datetime(2026, 3, n, 2, 15, tzinfo=UTC) for n in (8, 9))


def key(day: date, media_id: str = "m") -> tuple[str, str, date]:
    return ("events", media_id, day)


def test_two_days_are_the_same_in_either_order() -> None:
    assert between("m", B, A) == between("m", A, B) == Shared("m", A, B)


@pytest.mark.parametrize(
    ("known", "first", "last", "again"),
    [(0, R1, R1, False), (0, R2, R1, True), (0, R1, R2, True), (-1, R2, R1, False), (1, R2, R1, True),
     (None, R1, R1, True)],
)  # fmt: skip
def test_days_are_built_again_when_the_order_of_their_readings_has_changed(
    known: int | None, first: datetime, last: datetime, again: bool
) -> None:
    found = shared.restless([Shared("m", A, B, known)], {("m", A): first, ("m", B): last})
    assert found == ({key(A), key(B)} if again else set())


def test_a_day_brings_its_neighbours_and_not_theirs() -> None:
    chain = [Shared("m", A, B, 0), Shared("m", B, C, 0), Shared("m", C, D, 0), Shared("other", A, B, 0)]
    assert shared.neighbours({key(B)}, chain) == {key(A), key(C)}
    assert shared.neighbours({key(A, "third")}, chain) == set()


def test_a_build_has_the_last_word_on_its_own_days_and_none_on_others() -> None:
    known = [Shared("m", A, B, None), Shared("m", C, D, 0), Shared("n", A, B, 1)]
    read_at = dict.fromkeys((("m", A), ("m", B), ("m", C)), R1) | {("m", D): R2}
    assert shared.built(known, {key(A), key(B)}, [Shared("m", A, B)], read_at) == {
        Shared("m", A, B, 0), Shared("m", C, D, 0), Shared("n", A, B, 1),
    }  # fmt: skip
    assert shared.built(known, {key(C), key(D)}, [], read_at) == {known[0], known[2]}
    assert Shared("m", C, D, 1) in shared.built(known, {key(C)}, [Shared("m", C, D)], read_at)
    assert Shared("m", C, D, 0) not in shared.built(known, {key(C)}, [Shared("m", C, D)], read_at)


def test_a_day_built_without_its_neighbour_does_not_forget_that_they_share_a_key() -> None:
    known = [Shared("m", A, B, 1), Shared("m", B, C, 0)]
    read_at = {("m", A): R1, ("m", B): R2, ("m", C): R2}
    assert shared.built(known, {key(B), key(C)}, [], read_at) == {known[0]}
    assert shared.restless([known[0]], read_at | {("m", A): R2}) == {key(A), key(B)}


def test_what_is_found_before_a_commit_is_restless_until_it_is_published() -> None:
    settled = Shared("m", A, B, 0)
    found = shared.added([settled, Shared("m", C, D, 0)], [Shared("m", A, B)])
    assert found == {Shared("m", A, B, None), Shared("m", C, D, 0)}
    read_at = dict.fromkeys((("m", d) for d in (A, B, C, D)), R1)
    assert shared.restless(found, read_at) == {key(A), key(B)}


def test_the_ledgers_document_is_read_as_it_was_written() -> None:
    days = frozenset(Shared("m", A, A + timedelta(days=n), n - 2 if n < 4 else None) for n in range(1, 5))
    assert shared.read(shared.document(days)) == days
    assert shared.read({}) == frozenset()


def test_a_day_that_is_built_for_another_media_only_counts_as_read_when_it_was() -> None:
    """Else a key that stands there seems to have been read long ago, and goes to a day that says no more of it."""
    second, third = date(2026, 3, 5), date(2026, 3, 6)
    at = datetime(2026, 3, 10, 3, 15, tzinfo=UTC)
    read_at = {("m1", second): at, ("m2", second): at, ("m1", third): at, ("m2", third): at}
    assert shared.readings(read_at, {("m1", third)}, {second}) == [
        (("m1", second), at),
        (("m2", second), at),
        (("m1", third), at),
    ]
    assert shared.readings(read_at, {("m3", third)}, ()) == []
