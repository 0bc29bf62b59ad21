"""Two periods beside each other: like with like, what is missing named, and what only seems to move told apart."""

from datetime import date, timedelta

import pytest

from dashboard.published import DAILY, DIM, HISTORY, INTERVALS, MEDIA, Published, days
from support.some import some
from wistlake.quality.scope import Scope, default_scope
from wistlake_dashboard import figures, gaps, words
from wistlake_dashboard.answer import sentence
from wistlake_dashboard.changes import changes
from wistlake_dashboard.coverage import Reason, coverage
from wistlake_dashboard.digest import digest
from wistlake_dashboard.figures import Comparison
from wistlake_dashboard.findings import findings
from wistlake_dashboard.report import page
from wistlake_dashboard.tiles import TILES

BEFORE, FIRST, LAST = date(2026, 3, 2), date(2026, 3, 9), date(2026, 3, 15)
WEEK = Scope(FIRST, LAST)
STEADY = [10] * 14  # ten plays a day in both weeks
NAMES = {"a": "Lake tour", "b": "Gap method"}


def lake(*rows: list[dict[str, object]], **tables: object) -> Published:
    made = Published({DAILY: [row for part in rows for row in part]})
    for media_id in {str(row["media_id"]) for part in rows for row in part}:
        made.add(DIM, [{"media_id": media_id, "title": NAMES.get(media_id, media_id), "is_deleted": False}])
    return made


def told(query: Published, scope: Scope = WEEK) -> list[str]:
    compared = figures.compare(query, scope)
    return gaps.sentences(compared.coverage, NAMES, compared=compared.is_possible)


def moves(compared: Comparison) -> dict[str, int]:
    return {m: change for m, change, _ in figures.movers(compared)}


def plays_tile(compared: Comparison) -> str:
    return TILES[0].change(compared.whole)


# missing and blocked days


@pytest.mark.parametrize(
    ("unknown", "change", "answer"),
    [
        (range(3), "no change", "140 plays, flat against the week before."),
        (range(7, 9), "no change", "100 plays, flat against the week before."),
        (range(4), "", "140 plays."),
    ],
)
def test_a_day_without_wistias_counts_is_compared_with_nothing(
    unknown: range, change: str, answer: str
) -> None:
    """Sessions of all days are there. A sum would take unknown counts for zero."""
    rows = days("a", BEFORE, [20] * 14)
    for n in unknown:
        rows[n] |= {"plays": None, "loads": None}
    query = lake(rows)
    compared = figures.compare(query, WEEK)
    assert plays_tile(compared) == change
    assert compared.whole.now.plays == 20 * sum(n not in unknown for n in range(7, 14))
    assert sentence(findings(query, WEEK), NAMES).startswith(answer)
    said = told(query)
    assert (gaps.LIKE_WITH_LIKE in said) is bool(change)
    if change:  # else only what the week itself lacks is said
        assert said[0].startswith("Without Wistia's counts, so plays and loads are unknown: ")


def test_a_media_without_any_counts_is_compared_by_its_sessions() -> None:
    rows = [r | {"plays": None, "loads": None} for r in days("a", BEFORE, [20] * 7 + [40] * 7)]
    compared = figures.compare(lake(rows), WEEK)
    assert compared.coverage.gaps == ()
    assert moves(compared) == {"a": 140}


def test_whole_periods_are_compared_as_they_are_and_nothing_is_named() -> None:
    query = lake(days("a", BEFORE, [10] * 7 + [15] * 7))
    compared = figures.compare(query, WEEK)
    assert plays_tile(compared) == "+50 %"
    assert told(query) == []


@pytest.mark.parametrize(("missing", "day"), [(2, "4 Mar 2026"), (9, "11 Mar 2026")])
def test_a_day_that_one_period_lacks_is_named_and_left_out_of_both(missing: int, day: str) -> None:
    plays: list[int | None] = [*STEADY]
    plays[missing] = None
    query = lake(days("a", BEFORE, plays), days("b", BEFORE, STEADY))
    compared = figures.compare(query, WEEK)
    assert plays_tile(compared) == "no change"
    assert compared.whole.compared.plays == compared.whole.before.plays == 6 * 10 + 7 * 10
    assert moves(compared) == {}
    assert told(query) == [f"Not published: {day} (Lake tour).", gaps.LIKE_WITH_LIKE]


def test_the_shown_numbers_are_all_there_are_whatever_is_compared() -> None:
    plays: list[int | None] = [*STEADY]
    plays[2] = None
    compared = figures.compare(lake(days("a", BEFORE, plays)), WEEK)
    assert compared.whole.now.plays == 70
    assert compared.whole.compared.plays == 60


def test_viewers_are_counted_anew_in_what_is_compared() -> None:
    plays: list[int | None] = [*STEADY]
    plays[13] = None
    query = lake(days("a", BEFORE, plays))
    seen = [("x", 0), ("y", 6), ("x", 7), ("z", 8)]  # y on the day whose counterpart is missing
    query.add(
        "gold.fact_media_engagement",
        [{"media_id": "a", "visitor_id": v, "date": BEFORE + timedelta(days=n)} for v, n in seen],
    )
    compared = figures.compare(query, WEEK)
    assert compared.whole.before.unique_viewers == 1
    assert compared.whole.compared.unique_viewers == 2


def test_a_day_that_no_media_has_is_said_of_all_media() -> None:
    plays = [*STEADY[:10], None, *STEADY[11:]]
    assert told(lake(days("a", BEFORE, plays), days("b", BEFORE, plays)))[0] == (
        "Not published: 12 Mar 2026 (all media)."
    )


@pytest.mark.parametrize(
    ("dataset", "day"), [("media_by_date", FIRST), ("events", FIRST + timedelta(days=1))]
)
def test_a_blocked_day_is_called_blocked(dataset: str, day: date) -> None:
    query = lake(days("a", BEFORE, [*STEADY[:7], None, *STEADY[8:]]))
    query.add(INTERVALS, [{"dataset": dataset, "media_id": "a", "day": day, "state": "failed"}])
    assert told(query)[0] == "Blocked, for a reading failed or does not reconcile: 9 Mar 2026 (Lake tour)."


def test_older_numbers_that_a_blocked_reading_left_are_not_compared() -> None:
    query = lake(days("a", BEFORE, [10] * 7 + [100] + [10] * 6))
    query.add(INTERVALS, [{"dataset": "gold", "media_id": "a", "day": FIRST, "state": "built"}])
    assert plays_tile(figures.compare(query, WEEK)) == "no change"
    assert told(query)[0] == "Older numbers stand, for the newest reading is blocked: 9 Mar 2026 (Lake tour)."


def test_half_a_period_is_no_comparison() -> None:
    query = lake(days("a", date(2026, 3, 6), [10] * 10))
    compared = figures.compare(query, WEEK)
    assert compared.whole.before is None
    assert compared.media["a"].before is None
    assert gaps.NO_COMPARISON in page(query, WEEK)


def test_what_was_never_played_is_no_comparison_for_the_rest() -> None:
    """The one media that both periods have was not played: that the other is as it was would be a guess."""
    query = lake(days("a", FIRST, [30] * 7), days("b", BEFORE, [0] * 14))
    compared = figures.compare(query, WEEK)
    assert (compared.is_possible, plays_tile(compared)) == (False, "")
    assert "210 plays." in page(query, WEEK)
    assert figures.compare(lake(days("b", BEFORE, [0] * 14)), WEEK).is_possible


def test_a_media_whose_every_day_is_blocked_is_named_too() -> None:
    query = lake(days("a", BEFORE, STEADY))
    query.add(MEDIA, [{"media_id": "b", "first_day": BEFORE}])
    query.add(
        INTERVALS,
        [
            {"dataset": "media_by_date", "media_id": "b", "day": d, "state": "failed"}
            for d in WEEK.with_before.days
        ],
    )
    assert "2–15 Mar 2026 (Gap method)" in told(query)[0]


def test_days_beyond_the_last_published_one_are_named() -> None:
    assert told(lake(days("a", BEFORE, STEADY)), Scope(FIRST, LAST + timedelta(days=2)))[0] == (
        "Not published: 16–17 Mar 2026 (Lake tour)."
    )


def test_report_and_digest_name_what_is_missing() -> None:
    query = lake(days("a", BEFORE, [*STEADY[:9], None, *STEADY[10:]]), days("b", BEFORE, STEADY))
    named = "Not published: 11 Mar 2026 (Lake tour)."
    assert named in page(query, WEEK)
    assert named in digest(query).lines


def test_an_absent_day_is_a_row_of_dashes_in_the_report() -> None:
    text = page(lake(days("a", BEFORE, [*STEADY[:9], None, *STEADY[10:]])), WEEK)
    row = text.split('<th scope="row">11 Mar 2026</th>')[1].split("</tr>")[0]
    assert row.count("–") == row.count("<td") - 1 == len(TILES)  # plays of the day before it are known


def test_many_gaps_are_counted_not_listed() -> None:
    rows = [days(f"m{n}", BEFORE, [*STEADY[:n], None, *STEADY[n + 1 :]]) for n in range(12)]
    lines = told(lake(*rows))
    assert len(lines) == gaps.MOST_SENTENCES + 1
    assert lines[-2] == "And 7 gaps more."


# media that are new, gone or newly followed


def followed_since(first: date, created: str | None = "2020-01-01") -> Published:
    query = lake(days("a", BEFORE, STEADY), days("b", first, [30] * ((LAST - first).days + 1)))
    query.change("UPDATE silver.dim_media SET created_at = ? WHERE media_id = 'b'", created)
    query.change("UPDATE silver.dim_media SET created_at = '2020-01-01' WHERE media_id = 'a'")
    return query


def test_a_newly_followed_media_is_no_mover_and_not_new() -> None:
    query = followed_since(FIRST)
    compared = figures.compare(query, WEEK)
    assert moves(compared) == {}
    assert plays_tile(compared) == "no change"
    assert compared.media["b"].now.plays == 210
    assert compared.coverage.notes == {"b": "followed since 9 Mar 2026"}
    assert told(query)[0] == "Not followed before 9 Mar 2026: Gap method."
    assert changes(query, WEEK) == []


def test_a_media_followed_for_some_days_is_compared_on_those_days() -> None:
    compared = figures.compare(followed_since(date(2026, 3, 4)), WEEK)
    assert moves(compared) == {}
    assert compared.media["b"].compared.plays == compared.media["b"].before.plays == 5 * 30


def test_only_a_media_made_in_the_period_is_new() -> None:
    query = followed_since(FIRST, "2026-03-09 08:00")
    compared = figures.compare(query, WEEK)
    assert moves(compared) == {"b": 210}
    assert compared.coverage.notes == {"b": "new"}
    assert told(query) == []
    assert [(c["day"], c["media_id"], c["what"]) for c in changes(query, WEEK)] == [(FIRST, "b", "new video")]
    assert "  +210 Gap method (210), new" in digest(query).lines
    assert "+210, new" in page(query, WEEK)


def test_a_media_that_was_there_and_had_no_plays_before_is_not_new() -> None:
    query = lake(days("a", BEFORE, [0] * 7 + [30] * 7))
    compared = figures.compare(query, WEEK)
    assert plays_tile(compared) == "+210"
    assert compared.coverage.notes == {}
    assert "new" not in [w.strip(",") for line in digest(query).lines for w in line.split()]


def test_a_deleted_media_says_so_and_is_listed() -> None:
    query = lake(days("a", BEFORE, STEADY), days("b", BEFORE, [30] * 9))
    query.change("UPDATE silver.dim_media SET is_deleted = true WHERE media_id = 'b'")
    query.add(
        INTERVALS,
        [{"dataset": "media_metadata", "media_id": "b", "day": date(2026, 3, d), "state": "published",
          "missing": d > 12, "landing_id": "l"} for d in (10, 11, 12, 13, 14)],
    )  # fmt: skip
    compared = figures.compare(query, WEEK)
    assert moves(compared) == {"b": 60 - 210}
    assert compared.coverage.notes == {"b": "deleted, nothing after 10 Mar 2026"}
    assert told(query) == ["Deleted at Wistia, no numbers after 10 Mar 2026: Gap method."]
    assert [(c["day"], c["what"]) for c in changes(query, WEEK)] == [
        (date(2026, 3, 11), "deleted at Wistia, noticed 13 Mar 2026")
    ]
    assert "  −150 Gap method (60), deleted, nothing after 10 Mar 2026" in digest(query).lines
    text = page(query, WEEK)
    assert "deleted at Wistia, noticed 13 Mar 2026" in text.split("<h3>What changed at Wistia</h3>")[1]


def test_a_media_that_came_back_was_not_deleted() -> None:
    query = lake(days("a", BEFORE, STEADY))
    query.add(
        INTERVALS,
        [{"dataset": "media_metadata", "media_id": "a", "day": FIRST, "state": "published", "missing": True}],
    )
    assert changes(query, WEEK) == []
    assert coverage(query, WEEK).notes == {}


def test_a_media_that_is_followed_no_longer_is_no_mover() -> None:
    query = lake(days("a", BEFORE, STEADY), days("b", BEFORE, [30] * 8))
    query.add(MEDIA, [{"media_id": "b", "first_day": BEFORE, "retired_at": "2026-03-11 02:15"}])
    compared = figures.compare(query, WEEK)
    assert moves(compared) == {}
    assert [gap.reason for gap in compared.coverage.gaps] == [Reason.NO_LONGER]


def test_renamed_and_swapped_media_are_listed_in_order() -> None:
    query = lake(days("a", BEFORE, STEADY))
    query.add(
        HISTORY,
        [
            {
                "media_id": "a",
                "valid_from": f"2026-03-{d:02} 02:15",
                "title": title,
                "tags": [],
                "original_asset": asset,
            }
            for d, title, asset in ((1, "Old", "x"), (10, "New", "x"), (12, "New", "y"))
        ],
    )
    assert [(c["day"].day, c["what"]) for c in changes(query, WEEK)] == [
        (10, "title Old → New"),
        (12, "file swapped"),
    ]


# few plays


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [(40, 19, "+21"), (40, 20, "+100 %"), (3, 19, "−16"), (3, 20, "−85 %"), (7, 7, "no change")],
)
def test_fewer_than_twenty_plays_make_no_percentage(now: int, before: int, said: str) -> None:
    query = lake(days("a", BEFORE, [before, *[0] * 6, now, *[0] * 6]))
    compared = figures.compare(query, WEEK)
    assert plays_tile(compared) == said
    assert f"Plays: {now} ({said})" in digest(query).lines


@pytest.mark.parametrize(("before", "now", "moved"), [(19, 40, "+21 min 0 s"), (40, 19, "−52 %")])
def test_of_few_plays_no_change_in_points(before: int, now: int, moved: str) -> None:
    compared = figures.compare(lake(days("a", BEFORE, [before, *[0] * 6, now, *[0] * 6], reached_95=3)), WEEK)
    changes = {t.title: t.change(compared.whole) for t in TILES}
    assert [name for name, change in some(changes.items()) if "points" in change] == []
    assert changes["Watch time"] == moved


def test_a_few_conversions_make_no_percentage_of_many_plays() -> None:
    rows = days("a", BEFORE, [30] * 14)
    rows[0]["conversions"], rows[7]["conversions"] = 2, 3
    compared = figures.compare(lake(rows), WEEK)
    assert {t.title: t.change(compared.whole) for t in TILES}["Conversions"] == "+1"


def test_what_is_not_nothing_is_not_zero_percent() -> None:
    assert [words.share(v) for v in (0.0, 0.0001, 0.0005, 0.9996, 1.0)] == [
        "0.0 %", "<0.1 %", "0.1 %", ">99.9 %", "100.0 %"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("days", "length"),
    [(1, 1), (2, 1), (13, 6), (14, 7), (15, 7), (16, 7), (27, 7), (28, 14), (55, 21), (56, 28), (100, 28)],
)
def test_the_usual_days_are_the_newer_half_in_whole_weeks_and_four_at_most(days: int, length: int) -> None:
    last = date(2026, 3, 15)
    found = default_scope(last - timedelta(days=days - 1), last)
    assert (found.length, found.end, found.media) == (length, last, ())
