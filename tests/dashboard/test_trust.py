"""How far numbers can be trusted and what they lack, in words: each sentence at its edge."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dashboard.published import DAILY, DIM, Published, days
from wistlake.quality.scope import Against, Scope, default_scope, last_days, listed
from wistlake_dashboard import digest as digests
from wistlake_dashboard import gaps
from wistlake_dashboard.coverage import Coverage, Gap, Lifespan, Reason
from wistlake_dashboard.digest import LONGEST, Digest, digest
from wistlake_dashboard.figures import compare
from wistlake_dashboard.reader import Reader
from wistlake_dashboard.sections import view
from wistlake_dashboard.trust import Trust, trust

BEFORE, FIRST, LAST = date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 15)
WEEK = Scope(FIRST, LAST)
MADE = date(2026, 3, 1)


def on(n: int) -> date:
    return date(2026, 3, n)


# trust


def trusted(**more: Any) -> Trust:
    usual: dict[str, Any] = {
        "certificates": {"certified": 3}, "broken": 0, "quarantined": 0, "failed": 0,
        "published": 7,
        "last_run": {"origin": "live", "status": "succeeded", "started_at": datetime(2026, 3, 16, 2, 15, tzinfo=UTC)},
    }  # fmt: skip
    return Trust(**{**usual, **more})


@pytest.mark.parametrize(
    ("more", "tone"),
    [
        ({}, ""), ({"failed": 1}, "bad"), ({"last_run": {"status": "failed"}}, "bad"), ({"broken": 1}, "warn"),
        ({"quarantined": 1}, "warn"), ({"open": frozenset({FIRST})}, "warn"), ({"failed": 1, "broken": 1}, "bad"),
        ({"last_run": None}, ""), ({"last_run": {"status": "partial"}}, ""),
        ({"failed": 1, "last_run": {"status": "partial"}}, "warn"),
    ],
)  # fmt: skip
def test_the_tone_is_that_of_the_worst(more: dict[str, Any], tone: str) -> None:
    assert trusted(**more).tone == tone


def test_a_summary_names_what_is_to_be_looked_at() -> None:
    assert (
        trusted().summary
        == "3 of 3 media days verified against Wistia. Last run succeeded, 16 Mar 2026, 02:15 UTC."
    )
    assert trusted(last_run=None, certificates={}).summary == "0 of 0 media days verified against Wistia."
    whole = trusted(
        certificates={"certified": 1, "provisional": 2},
        open=frozenset(WEEK.days),
        broken=2,
        quarantined=1,
        failed=3,
    )
    assert whole.summary == (
        "1 of 3 media days verified against Wistia. May still change: 9–15 Mar 2026. Last run succeeded, 16 Mar 2026, "
        "02:15 UTC. Look at: 2 broken checks, 1 refused record, 3 failed intervals."
    )
    assert "failed interval" not in trusted(broken=1).summary
    assert [trusted(last_run={"origin": o}).is_simulated for o in ("simulated", "live")] == [True, False]
    assert not trusted(last_run=None).is_simulated


def test_trust_is_of_the_scope_and_of_the_last_run() -> None:
    query = Published({DAILY: [*days("a", FIRST, [1] * 6), *days("a", LAST, [1], certificate="provisional"),
                               *days("b", on(13), [1] * 2, certificate="provisional")]})  # fmt: skip
    query.add("ops.runs", [
        {"run_id": "r1", "origin": "simulated", "status": "failed", "started_at": "2026-03-15 02:15"},
        {"run_id": "r2", "origin": "live", "status": "succeeded", "started_at": "2026-03-16 02:15"},
    ])  # fmt: skip
    query.add("ops.reconciliation", [
        {"media_id": "a", "date": FIRST, "identity": "i", "verdict": verdict} for verdict in ("broken", "holds")
    ])  # fmt: skip
    query.add("silver.quarantine", [{"media_id": "a", "dt": d} for d in (FIRST, LAST, BEFORE)])
    query.add(
        "ops.intervals",
        [{"media_id": "a", "dataset": "events", "day": FIRST, "state": s} for s in ("failed", "landed")],
    )
    found = trust(query, WEEK)
    assert found.certificates == {"settled": 6, "provisional": 3}
    assert found.open == {on(13), on(14), LAST}
    assert (found.last_run or {})["status"] == "succeeded"
    assert (found.broken, found.quarantined, found.failed) == (1, 2, 1)
    assert trust(query, Scope(FIRST, on(12))).open == set()


@pytest.mark.parametrize(
    ("days_open", "which"),
    [
        ((9, 14, 15), "9 Mar 2026, 14–15 Mar 2026 may still change"),
        ((9, 11, 13, 15), "4 days of 9–15 Mar 2026 may still change"),
        (range(9, 16), "all published days may still change"),
    ],
)
def test_only_the_days_that_may_still_change_are_named(days_open: Iterable[int], which: str) -> None:
    found = trusted(open=frozenset(map(on, days_open)))
    assert found.stability(WEEK, None) == which


# the message


def week(*more: list[dict[str, Any]]) -> Published:
    """Two weeks of a media: ten plays a day, then twenty."""
    query = Published(
        {DAILY: [*days("a", BEFORE, [10] * 7 + [20] * 7), *(row for rows in more for row in rows)]}
    )
    query.add(DIM, [{"media_id": "a", "title": "Tour", "is_deleted": False}])
    return query


def test_the_week_is_told_beside_the_one_before() -> None:
    message = digest(week())
    assert (message.title, message.doubtful) == ("Wistia, 9–15 Mar 2026", False)
    assert message.lines[0] == "Plays: 140 (+100 %)"
    at = message.lines.index("Moved the most, in plays:")
    assert message.lines[at + 1] == "  +70 Tour (140)"
    assert message.lines[-1].startswith("0 of 7 media days verified against Wistia.")


@pytest.mark.parametrize(("table", "row", "doubtful"), [
    ("ops.reconciliation", {"identity": "i", "date": LAST, "verdict": "broken"}, True),
    ("ops.intervals", {"dataset": "events", "day": LAST, "state": "failed"}, True),
    ("silver.quarantine", {"dt": LAST}, False),
])  # fmt: skip
def test_what_failed_or_does_not_add_up_makes_a_week_doubtful(
    table: str, row: dict[str, Any], doubtful: bool
) -> None:
    query = week()
    query.add(table, [{"media_id": "a", **row}])
    assert digest(query).doubtful is doubtful


def test_a_week_without_movement_or_without_one_before_it_says_so() -> None:
    still = Published({DAILY: days("a", BEFORE, [10] * 14)})
    assert "No media moved." in digest(still).lines
    alone = Published({DAILY: days("a", FIRST, [10] * 7)})
    assert "The week before is not wholly published: there is nothing to compare with." in digest(alone).lines
    assert digest(Published({})).title == "Wistia: nothing is published yet"


def test_at_most_five_media_are_movers() -> None:
    others = [days(f"m{n}", BEFORE, [10] * 7 + [20 + n] * 7) for n in range(6)]
    lines = digest(week(*others)).lines
    at = lines.index("Moved the most, in plays:")
    moved = [line for line in lines[at + 1 :] if line.startswith("  ")]
    assert [line.split()[1] for line in moved] == ["m5", "m4", "m3", "m2", "m1"]


def test_a_simulated_week_says_so_first() -> None:
    query = week()
    query.add(
        "ops.runs",
        [{"run_id": "r", "origin": "simulated", "status": "succeeded", "started_at": "2026-03-16"}],
    )
    assert digest(query).lines[-1].startswith("Simulated data. 0 of 7")
    assert digests.DAYS == 7


@pytest.mark.parametrize(("length", "cut"), [(LONGEST, False), (LONGEST + 1, True)])
def test_a_message_is_cut_where_it_is_too_long(length: int, cut: bool) -> None:
    text = Digest("t", ("x" * length,)).text
    assert (len(text), text.endswith("…")) == (LONGEST, cut)


# what a period lacks


def coverage(*missing: Gap, **more: Any) -> Coverage:
    media = frozenset({g.media_id for g in missing} | {"x", "y"})
    return Coverage(WEEK, missing, **{"media": media, "even": media, **more})


def gap(media: str, first: int, last: int, reason: Reason = Reason.ABSENT) -> Gap:
    return Gap(media, on(first), on(last), reason)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (Reason.ABSENT, "Not published: 10–11 Mar 2026 (a)."),
        (Reason.BLOCKED, "Blocked, for a reading failed or does not reconcile: 10–11 Mar 2026 (a)."),
        (Reason.STALE, "Older numbers stand, for the newest reading is blocked: 10–11 Mar 2026 (a)."),
        (Reason.UNCOUNTED, "Without Wistia's counts, so plays and loads are unknown: 10–11 Mar 2026 (a)."),
        (Reason.NOT_YET, "Not followed before 12 Mar 2026: a."),
        (Reason.NO_LONGER, "No longer followed after 9 Mar 2026: a."),
        (Reason.DELETED, "Deleted at Wistia, no numbers after 9 Mar 2026: a."),
        (Reason.NOT_MADE, None),
    ],
)
def test_a_gap_is_a_sentence(reason: Reason, sentence: str | None) -> None:
    assert gaps.sentences(coverage(gap("a", 10, 11, reason)), {}, compared=False) == (
        [sentence] if sentence else []
    )


@pytest.mark.parametrize(
    ("media", "named"),
    [(["a"], "A"), (["a", "b", "c"], "A, b, c"), (["a", "b", "c", "d"], "A, b, c, 1 other"),
     (["a", "b", "c", "d", "e"], "A, b, c, 2 others")],
)  # fmt: skip
def test_three_media_are_named(media: list[str], named: str) -> None:
    (line,) = gaps.sentences(coverage(*(gap(m, 10, 10) for m in media)), {"a": "A"}, compared=False)
    assert line == f"Not published: 10 Mar 2026 ({named})."


def test_all_media_are_all() -> None:
    for media, named in ((("x", "y"), "all media"), (("x",), "x")):
        cover = Coverage(
            WEEK, tuple(gap(m, 10, 10) for m in media), media=frozenset(media), even=frozenset(media)
        )
        (line,) = gaps.sentences(cover, {}, compared=False)
        assert line == f"Not published: 10 Mar 2026 ({named})."


def test_gaps_of_the_period_before_count_where_it_is_compared_and_come_last() -> None:
    cover = coverage(gap("a", 3, 3), gap("a", 10, 10), gap("b", 8, 8), uneven={"a": frozenset({1})})
    texts = [line.split(": ")[1][:5] for line in gaps.sentences(cover, {}, compared=True)[:-1]]
    assert texts == ["10 Ma", "3 Mar", "8 Mar"]
    assert gaps.sentences(cover, {}, compared=True)[-1] == gaps.LIKE_WITH_LIKE
    assert [line[:16] for line in gaps.sentences(cover, {}, compared=False)] == ["Not published: 1"]


@pytest.mark.parametrize(
    ("count", "lines", "last"), [(6, 6, "14 Mar"), (7, 6, "And 2 gaps more."), (8, 6, "And 3 gaps more.")]
)
def test_six_sentences_are_enough(count: int, lines: int, last: str) -> None:
    """Days that follow each other would be one gap: these are of different media."""
    cover = coverage(*(gap(f"m{n}", 9 + n, 9 + n) for n in range(count)))
    told = gaps.sentences(cover, {}, compared=False)
    assert len(told) == lines
    assert last in told[-1]


@pytest.mark.parametrize(
    ("even", "uneven", "compared", "said"),
    [
        ({"x", "y"}, {}, True, False), ({"x", "y"}, {"x": frozenset({1})}, True, True), ({"x"}, {}, True, True),
        (set(), {"x": frozenset({1})}, True, False), ({"x"}, {}, False, False),
    ],
)  # fmt: skip
def test_that_like_is_compared_with_like_is_said_where_something_was_left_out(
    even: set[str], uneven: Mapping[str, frozenset[int]], compared: bool, said: bool
) -> None:
    cover = coverage(even=frozenset(even), uneven=uneven)
    assert (gaps.LIKE_WITH_LIKE in gaps.sentences(cover, {}, compared=compared)) is said


def test_a_page_without_a_comparison_names_the_gaps_of_its_own_days_alone() -> None:
    rows = [*days("a", BEFORE, [10, None] + [10] * 12)]
    looked_at = view(Reader(Published({DAILY: rows})), WEEK)
    assert looked_at.gaps(compared=False) == []
    assert looked_at.gaps(compared=True) == ["Not published: 3 Mar 2026 (a).", gaps.LIKE_WITH_LIKE]
    alone = view(Reader(Published({DAILY: days("a", FIRST, [10] * 7)})), WEEK)
    assert alone.gaps(compared=True) == alone.gaps(compared=False) == []


# why a media has no number


@pytest.mark.parametrize(
    ("life", "day", "failed", "reason"),
    [
        (Lifespan(made=on(9)), 8, False, Reason.NOT_MADE), (Lifespan(made=on(9)), 9, False, Reason.ABSENT),
        (Lifespan(made=on(9)), 8, True, Reason.NOT_MADE),
        (Lifespan(first=on(9)), 8, False, Reason.NOT_YET), (Lifespan(first=on(9)), 9, False, Reason.ABSENT),
        (Lifespan(first=on(9)), 8, True, Reason.BLOCKED), (Lifespan(followed_from=on(9)), 8, False, Reason.NOT_YET),
        (Lifespan(first=on(7), followed_from=on(9)), 8, False, Reason.ABSENT),
        (Lifespan(last=on(9), deleted=True), 10, False, Reason.DELETED),
        (Lifespan(last=on(9), deleted=True), 9, False, Reason.ABSENT),
        (Lifespan(deleted=True, retired=True), 9, False, Reason.DELETED),
        (Lifespan(last=on(9), retired=True), 10, True, Reason.NO_LONGER),
        (Lifespan(last=on(9), retired=True), 9, True, Reason.BLOCKED),
        (Lifespan(last=on(9)), 10, False, Reason.ABSENT), (Lifespan(), 10, True, Reason.BLOCKED),
    ],
)  # fmt: skip
def test_a_day_has_no_number_for_a_reason(life: Lifespan, day: int, failed: bool, reason: Reason) -> None:
    assert life.reason(on(day), failed=failed) is reason


@pytest.mark.parametrize(
    ("life", "note"),
    [
        (Lifespan(), ""),
        (Lifespan(deleted=True), "deleted"),
        (Lifespan(deleted=True, last=on(14)), "deleted, nothing after 14 Mar 2026"),
        (Lifespan(deleted=True, last=on(15)), ""),
        (Lifespan(made=on(8)), ""), (Lifespan(made=on(9)), "new"), (Lifespan(made=on(15)), "new"),
        (Lifespan(made=on(16)), ""),
        (Lifespan(retired=True, last=on(14)), "no longer followed after 14 Mar 2026"),
        (Lifespan(retired=True, last=on(15)), ""), (Lifespan(retired=True), ""), (Lifespan(last=on(14)), ""),
        (Lifespan(first=on(10)), "followed since 10 Mar 2026"), (Lifespan(first=on(2)), ""),
        (Lifespan(first=on(10), made=on(8)), ""), (Lifespan(first=on(10), made=on(7)), "followed since 10 Mar 2026"),
    ],
)  # fmt: skip
def test_what_explains_a_change_apart_from_viewers_is_noted(life: Lifespan, note: str) -> None:
    assert life.note(WEEK, MADE) == note


def test_a_media_that_was_there_when_the_lake_began_is_not_newly_followed() -> None:
    assert Lifespan(first=on(10)).note(WEEK, on(10)) == ""
    assert Lifespan(first=on(11)).note(WEEK, on(10)) == "followed since 11 Mar 2026"


def test_what_is_compared_are_the_days_that_both_periods_have() -> None:
    assert Coverage(WEEK).condition() == "FALSE"
    whole = Coverage(WEEK, media=frozenset("ab"), even=frozenset("ab"))
    assert (whole.condition(), whole.is_whole) == ("media_id IN ('a', 'b')", True)
    uneven = {"a": frozenset({0, 1, 3}), "b": frozenset({0, 1, 3}), "c": frozenset({2})}
    part = Coverage(WEEK, media=frozenset("abc"), even=frozenset("ab"), uneven=uneven)
    assert not part.is_whole
    assert part.condition() == (
        "media_id IN ('a', 'b') AND NOT (media_id IN ('a', 'b') AND ("
        "date BETWEEN DATE '2026-03-02' AND DATE '2026-03-03' OR date BETWEEN DATE '2026-03-05' AND DATE '2026-03-05' "
        "OR date BETWEEN DATE '2026-03-09' AND DATE '2026-03-10' "
        "OR date BETWEEN DATE '2026-03-12' AND DATE '2026-03-12'))"
    )


# scopes


def test_a_scope_and_the_period_before_it() -> None:
    assert (WEEK.length, WEEK.before, WEEK.with_before) == (
        7, Scope(BEFORE, on(8)), Scope(FIRST, LAST, also=(BEFORE, on(8))),
    )  # fmt: skip
    assert Scope(FIRST, FIRST).before == Scope(on(8), on(8))
    assert WEEK.days == [FIRST + timedelta(days=n) for n in range(7)]
    assert last_days(LAST, 7, ("a",)) == Scope(FIRST, LAST, ("a",))
    assert listed(["a", "o'clock"]) == "('a', 'o''clock')"
    assert default_scope(LAST, LAST) == Scope(LAST, LAST)
    assert WEEK.where() == "date BETWEEN DATE '2026-03-09' AND DATE '2026-03-15'"
    some = Scope(FIRST, FIRST, ("a",), ("b",))
    assert (
        some.where("d.day", "d.m") == "d.day BETWEEN DATE '2026-03-09' AND DATE '2026-03-09' AND d.m IN ('a')"
    )
    assert some.where_channel().endswith("AND media_id IN ('a') AND channel IN ('b')")
    assert (some.where_media(), WEEK.where_media()) == ("media_id IN ('a')", "TRUE")


def test_a_year_before_is_as_many_days_on_the_same_days_of_the_week() -> None:
    year = Scope(FIRST, LAST, against=Against.YEAR)
    assert (year.before.start, year.before.end) == (date(2025, 3, 10), date(2025, 3, 16))
    assert year.before.start.weekday() == FIRST.weekday()
    both = year.with_before
    assert both.days == [*year.before.days, *year.days]
    assert both.where_day() == (
        "(date BETWEEN DATE '2025-03-10' AND DATE '2025-03-16' OR date BETWEEN DATE '2026-03-09' AND DATE '2026-03-15')"
    )
    assert year.offsets((FIRST, LAST, date(2025, 3, 10), date(2025, 3, 16))) == [0, 6, 0, 6]
    assert both.wider(1).ranges == [(date(2025, 3, 9), date(2025, 3, 17)), (on(8), on(16))]


@pytest.mark.parametrize(
    ("days", "against", "words"),
    [(1, Against.PERIOD, "the day before"), (7, Against.PERIOD, "the week before"),
     (28, Against.PERIOD, "the 28 days before"), (7, Against.YEAR, "the same days a year before")],
)  # fmt: skip
def test_what_a_period_is_compared_with_has_a_name(days: int, against: Against, words: str) -> None:
    assert Scope(LAST - timedelta(days=days - 1), LAST, against=against).before_in_words == words


def test_a_year_is_compared_day_by_day_and_the_days_between_count_for_nothing() -> None:
    query = Published(
        {DAILY: [*days("a", date(2025, 3, 10), [10] * 7), *days("a", BEFORE, [99] * 7 + [15] * 7)]}
    )
    compared = compare(query, Scope(FIRST, LAST, against=Against.YEAR))
    assert compared.whole.before is not None
    assert (compared.whole.now.plays, compared.whole.before.plays) == (105, 70)
    assert compared.coverage.is_whole


def test_until_when_days_may_change_is_as_long_as_it_took_the_newest_stable_one() -> None:
    rows = days("a", BEFORE, [1] * 14)
    for row in rows[10:]:
        row["certificate"] = "provisional"
    found = trust(Published({DAILY: rows}), WEEK)
    assert (found.until, found.open) == (on(19), frozenset(on(n) for n in range(12, 16)))
    young = days("a", BEFORE, [1] * 14, certificate="provisional")
    assert trust(Published({DAILY: young}), WEEK).until is None
    assert trust(Published({DAILY: days("a", BEFORE, [1] * 14)}), WEEK).open == frozenset()


def test_days_of_older_numbers_are_not_among_the_stable_ones() -> None:
    old = Coverage(WEEK, gaps=(Gap("a", on(10), on(11), Reason.STALE),))
    text = trusted().stability(WEEK, old)
    assert text == "all other days are stable; older numbers stand for 2 days of 1 media"
    assert trusted().stability(WEEK, Coverage(WEEK)) == "all days are stable"
    assert trusted().stability(WEEK, None) == "all published days are stable"
