"""Builds of a few landings that are written by hand: one story a media, on one engine."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.small import KEY, NOW, SmallLake, session, small_lake
from wistlake.bronze import Manifest
from wistlake.derive.checks import KEYS
from wistlake.derive.pseudonym import pseudonym
from wistlake.pipeline.tables import BuildResult, VisitorScope
from wistlake.planning.shared_keys import SharedDays
from wistlake.quality.certificates import Certificate
from wistlake.quality.reconciliation import GOLD_IS_SILVER, GROWTH, OF_DAYS, PLAUSIBLE, Verdict

pytestmark = pytest.mark.engine
FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)
LATER = NOW + timedelta(days=1)
FACTS = ("silver.fact_events", "silver.fact_media_by_date", "gold.fact_media_daily")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLake]:
    with small_lake(tmp_path_factory.mktemp("small") / "lake") as made:
        yield made


def seen(media_id: str, key: str, day: date, hour: int = 10, **more: Any) -> Any:
    return session(f"{media_id}-{key}", f"{day}T{hour:02}:00:00Z", media_id=media_id, **more)


def listed(lake: SmallLake, media_id: str, day: date, *sessions: Any, at: datetime = NOW) -> Manifest:
    return lake.land("events", day, sessions, media_id=media_id, run_id=f"run-{at:%d%H}", at=at)


def counted(lake: SmallLake, media_id: str, day: date, plays: int, at: datetime = NOW) -> Manifest:
    record = {"date": day.isoformat(), "load_count": 2 * plays, "play_count": plays, "hours_watched": 0.5}
    return lake.land("media_by_date", day, [record], media_id=media_id, run_id=f"run-{at:%d%H}", at=at)


def places(lake: SmallLake, media_id: str) -> dict[str, tuple[date, bool]]:
    """The day of each session of the media, and whether it is there still."""
    rows = lake.rows(
        "silver.fact_events", "event_key", "event_date", "removed_at", where=f"media_id = '{media_id}'"
    )
    return {key.removeprefix(f"{media_id}-"): (day, removed is None) for key, day, removed in rows}


def of_media(lake: SmallLake, media_id: str, *columns: str, table: str = "gold.fact_media_daily") -> Any:
    return lake.rows(table, *columns, where=f"media_id = '{media_id}'")


def verdicts(built: BuildResult, identity: str) -> dict[date, Verdict]:
    return {j.date: j.verdict for j in built.judgements if j.identity == identity}


@pytest.mark.parametrize(
    ("media_id", "read", "is_taken", "moves"),
    [
        ("moves", NOW, True, True),
        ("read-later", LATER + timedelta(hours=1), True, False),  # its own day listed it once more since
        ("not-taken", LATER + timedelta(hours=1), False, True),  # ... which silver was not built from
    ],
)
def test_a_key_on_two_days_belongs_to_the_one_that_listed_it_last(
    lake: SmallLake, media_id: str, read: datetime, is_taken: bool, moves: bool
) -> None:
    own, other = (media_id, FIRST), (media_id, SECOND)
    lake.build(listed(lake, media_id, FIRST, seen(media_id, "a", FIRST), seen(media_id, "b", FIRST)))
    again = listed(lake, media_id, SECOND, seen(media_id, "a", SECOND, viewed=0.9), at=LATER)
    built = lake.build(
        again, pairs={own, other}, read_at={own: read, other: LATER}, listed_at={own: read} if is_taken else {},
        started_at=LATER,
    )  # fmt: skip
    assert places(lake, media_id) == {"a": (SECOND if moves else FIRST, True), "b": (FIRST, True)}
    assert built.shared == {SharedDays(media_id, FIRST, SECOND, -1 if read > LATER else 1)}
    assert (
        of_media(lake, media_id, "date", "sessions") == [(FIRST, 1), (SECOND, 1)] if moves else [(FIRST, 2)]
    )
    assert built.by_interval["events", media_id, SECOND]["rows"] == 1
    assert verdicts(built, GOLD_IS_SILVER)[SECOND] is Verdict.HOLDS


@pytest.mark.parametrize(
    ("media_id", "days", "known", "moves"),
    [("month", 31, False, True), ("far", 32, False, False), ("far-known", 32, True, True)],
)
def test_a_key_is_looked_for_within_a_month_and_where_it_is_known_to_stand(
    lake: SmallLake, media_id: str, days: int, known: bool, moves: bool
) -> None:
    later = FIRST + timedelta(days=days)
    lake.build(listed(lake, media_id, FIRST, seen(media_id, "a", FIRST), seen(media_id, "b", FIRST)))
    again = listed(lake, media_id, later, seen(media_id, "a", later, viewed=0.9), at=LATER)
    shared = frozenset({SharedDays.of(media_id, FIRST, later)} if known else ())
    read = {(media_id, FIRST): NOW, (media_id, later): LATER}
    lake.build(again, pairs=set(read), read_at=read, listed_at=read, shared=shared, started_at=LATER)
    where = f"media_id = '{media_id}' and event_key like '%a'"
    days_of_key = {r[0] for r in lake.rows("silver.fact_events", "event_date", where=where)}
    assert days_of_key == ({later} if moves else {FIRST, later})


def test_days_of_one_build_that_list_the_same_key_share_it(lake: SmallLake) -> None:
    days = [FIRST, SECOND, date(2026, 3, 3)]
    landings = [
        listed(lake, "spread", d, seen("spread", "a", d), seen("spread", str(d.day), d)) for d in days
    ]
    built = lake.build(*landings, read_at={("spread", d): NOW for d in days})
    assert built.shared == {SharedDays("spread", a, b, 0) for a in days for b in days if a < b}


def test_a_day_that_loses_too_many_sessions_is_stopped_until_somebody_accepts_it(lake: SmallLake) -> None:
    before = [seen("shrinks", f"{n:02}", FIRST) for n in range(30)]
    lake.build(listed(lake, "shrinks", FIRST, *before))
    fewer = listed(lake, "shrinks", FIRST, *before[:9], at=LATER)
    built = lake.build(
        fewer, listed(lake, "stays", FIRST, seen("stays", "a", FIRST), at=LATER), started_at=LATER
    )
    assert list(built.stopped) == [("events", "shrinks", FIRST)]
    assert "2026-03-01 lost 21 of 30 sessions" in built.stopped["events", "shrinks", FIRST]
    assert "--media shrinks --accept-shrink" in built.stopped["events", "shrinks", FIRST]
    assert set(built.published) == {("stays", FIRST)}
    assert all(is_there for _, is_there in places(lake, "shrinks").values())
    accepted = lake.build(fewer, accept_shrink=frozenset({"shrinks"}), started_at=LATER)
    assert accepted.stopped == {}
    assert accepted.by_interval["events", "shrinks", FIRST] == {
        "rows": 9, "quarantined": 0, "unchanged": 9, "removed": 21,
    }  # fmt: skip
    assert of_media(lake, "shrinks", "date", "sessions") == [(FIRST, 9)]


def test_a_day_may_lose_a_few_sessions(lake: SmallLake) -> None:
    before = [seen("few", f"{n:02}", FIRST) for n in range(21)]
    lake.build(listed(lake, "few", FIRST, *before))
    built = lake.build(listed(lake, "few", FIRST, *before[:1], at=LATER), started_at=LATER)
    assert built.stopped == {}
    assert sum(is_there for _, is_there in places(lake, "few").values()) == 1


def test_a_session_is_gone_only_where_no_listing_may_hold_it(lake: SmallLake) -> None:
    kept, refused, gone = (seen("held", key, FIRST) for key in ("kept", "refused", "gone"))
    lake.build(listed(lake, "held", FIRST, kept, refused, gone))
    worse = refused | {"percent_viewed": 7}
    lake.build(listed(lake, "held", FIRST, kept, worse, at=LATER), started_at=LATER)
    assert {k: there for k, (_, there) in places(lake, "held").items()} == {
        "kept": True, "refused": True, "gone": False,
    }  # fmt: skip
    at = LATER + timedelta(days=1)
    nameless = {k: v for k, v in kept.items() if k != "event_key"}
    lake.build(listed(lake, "held", FIRST, nameless, at=at), started_at=at)
    assert places(lake, "held")["kept"] == (FIRST, True), "the nameless record may be any session"
    assert of_media(lake, "held", "line", "reason", table="silver.quarantine") == [(1, "missing_event_key")]
    at += timedelta(days=1)
    lake.build(listed(lake, "held", FIRST, seen("held", "new", FIRST), at=at), started_at=at)
    assert {k for k, (_, there) in places(lake, "held").items() if there} == {"new"}
    assert of_media(lake, "held", "line", table="silver.quarantine") == []


def test_a_refused_record_of_another_day_holds_its_key(lake: SmallLake) -> None:
    """Also one that an earlier build refused."""
    moved = seen("other", "a", SECOND, viewed=7)
    lake.build(listed(lake, "other", FIRST, seen("other", "a", FIRST), seen("other", "b", FIRST)))
    lake.build(listed(lake, "other", SECOND, moved, seen("other", "c", SECOND)))
    lake.build(listed(lake, "other", FIRST, seen("other", "b", FIRST), at=LATER), started_at=LATER)
    assert places(lake, "other")["a"] == (FIRST, True)


def test_wild_plays_wait_for_a_second_reading_of_their_magnitude(lake: SmallLake) -> None:
    pair, sessions = ("wild", FIRST), [seen("wild", str(n), FIRST) for n in range(3)]
    first = lake.build(listed(lake, "wild", FIRST, *sessions), counted(lake, "wild", FIRST, 5_000))
    assert (first.blocked, first.published) == ({pair}, {})
    assert verdicts(first, PLAUSIBLE) == {FIRST: Verdict.BROKEN}
    # The ledger may call the counts confirmed, but this build is the first to see these.
    more = counted(lake, "wild", FIRST, 50_000, at=LATER)
    second = lake.build(more, started_at=LATER, counts_confirmed=frozenset({pair}))
    assert second.blocked == {pair}
    at = LATER + timedelta(days=1)
    third = lake.build(counted(lake, "wild", FIRST, 50_001, at=at), started_at=at)
    assert third.published == {pair: Certificate.PROVISIONAL}
    assert of_media(lake, "wild", "date", "plays", "sessions") == [(FIRST, 50_001, 3)]


def test_counts_that_the_ledger_has_confirmed_are_believed(lake: SmallLake) -> None:
    pair = ("confirmed", FIRST)
    lake.build(
        listed(lake, "confirmed", FIRST, seen("confirmed", "a", FIRST)),
        counted(lake, "confirmed", FIRST, 5_000),
    )
    again = lake.build(pairs={pair}, refresh=frozenset({pair}), counts_confirmed=frozenset({pair}))
    assert again.published == {pair: Certificate.PROVISIONAL}


def test_days_of_gold_are_withdrawn_from_every_table(lake: SmallLake) -> None:
    days = [FIRST, SECOND]
    lake.build(*(listed(lake, "withdrawn", d, seen("withdrawn", str(d.day), d)) for d in days))
    built = lake.build(pairs=(), withdrawn=frozenset({("withdrawn", FIRST)}))
    assert built.withdrawn == {("withdrawn", FIRST)}
    assert {(j.identity, j.verdict) for j in built.judgements} == {
        (i, Verdict.NOT_APPLICABLE) for i in OF_DAYS
    }
    for table in ("gold.fact_media_daily", "gold.fact_media_engagement", "gold.geo_daily"):
        assert of_media(lake, "withdrawn", "date", table=table) == [(SECOND,)]


def test_sessions_without_raw_pages_move_to_another_zone(lake: SmallLake) -> None:
    """Of two months: each is built by itself."""
    days = [date(2026, 2, 20), FIRST]
    lake.build(
        *(
            listed(lake, "zones", d, seen("zones", f"{d.day}-a", d, 3), seen("zones", f"{d.day}-b", d))
            for d in days
        )
    )
    built = lake.build(
        pairs={("zones", d - timedelta(days=n)) for d in days for n in (0, 1)},
        zone="-05:00", rezoned=frozenset(("zones", d) for d in days),
    )  # fmt: skip
    rows = of_media(lake, "zones", "event_key", "event_date_local", table="silver.fact_events")
    assert {key.removeprefix("zones-"): day for key, day in rows} == {
        "20-a": date(2026, 2, 19), "20-b": date(2026, 2, 20), "1-a": date(2026, 2, 28), "1-b": FIRST,
    }  # fmt: skip
    assert built.counts["silver.fact_events"]["updated"] == 2
    assert len(built.published) == 4


# ---- media, and their figures of a lifetime


def described(lake: SmallLake, media_id: str, at: datetime = NOW, **fields: Any) -> Manifest:
    record = {"hashed_id": media_id, "name": "A media", **fields}
    return lake.land("media_metadata", at.date(), [record], media_id=media_id, run_id=f"run-{at:%d%H}", at=at)


def findings(built: BuildResult, check: str) -> dict[str, Verdict]:
    return {f.table: f.verdict for f in built.findings if f.check == check}


def test_a_media_without_a_description_is_named_until_there_is_one(lake: SmallLake) -> None:
    day = date(2026, 3, 20)  # on which no other media has sessions
    first = lake.build(listed(lake, "new", day, seen("new", "a", day)), counted(lake, "new", day, 1))
    assert findings(first, "references") == dict.fromkeys(FACTS, Verdict.BROKEN)
    second = lake.build(
        described(lake, "new"), listed(lake, "new", day, seen("new", "a", day), at=LATER), started_at=LATER
    )
    assert findings(second, "references")["silver.fact_events"] is Verdict.HOLDS
    assert "references" not in {f.check for f in lake.build(described(lake, "new", LATER)).findings}


def test_a_duration_that_comes_late_times_the_sessions(lake: SmallLake) -> None:
    lake.build(described(lake, "timed"), listed(lake, "timed", FIRST, seen("timed", "a", FIRST)))
    name = ("watch_milliseconds", "duration_seconds")
    assert of_media(lake, "timed", *name, table="silver.fact_events") == [(None, None)]
    built = lake.build(
        described(lake, "timed", LATER, duration=100.0), pairs={("timed", FIRST)}, started_at=LATER
    )
    assert of_media(lake, "timed", *name, table="silver.fact_events") == [(50_000, 100.0)]
    assert of_media(lake, "timed", "watch_milliseconds") == [(50_000,)]
    assert built.published == {("timed", FIRST): Certificate.PROVISIONAL}


def test_a_media_that_the_source_has_no_more_is_marked(lake: SmallLake) -> None:
    lake.build(described(lake, "lost"))
    lake.build(replace(described(lake, "lost", LATER), missing=True), started_at=LATER)
    assert of_media(lake, "lost", "title", "is_deleted", table="silver.dim_media") == [("A media", True)]


def test_a_media_has_the_newest_page_that_its_sessions_name(lake: SmallLake) -> None:
    page = "https://simulated.example/medias/paged"
    lake.build(described(lake, "paged"), listed(lake, "paged", FIRST, seen("paged", "a", FIRST)))
    named = lake.build(listed(lake, "paged", SECOND, seen("paged", "b", SECOND, media_url=page)))
    assert of_media(lake, "paged", "url", table="silver.dim_media") == [(page,)]
    assert named.counts["silver.dim_media"]["updated"] == 1
    again = lake.build(listed(lake, "paged", SECOND, seen("paged", "b", SECOND, media_url=page), at=LATER))
    assert "silver.dim_media" not in again.counts


def taken(lake: SmallLake, media_id: str, at: datetime, plays: int) -> tuple[Manifest, Manifest]:
    """Lifetime figures that agree with each other, for a media of a hundred seconds."""
    stats = {
        "load_count": 2 * plays, "play_count": plays, "play_rate": 0.5, "visitors": 200, "engagement": 0.5,
        "hours_watched": plays * 100 * 0.5 / 3600,
    }  # fmt: skip
    curve = {"engagement": 0.5, "engagement_data": [plays, 1], "rewatch_data": [0, 0]}
    more: dict[str, Any] = {"media_id": media_id, "run_id": f"run-{at:%d%H}", "at": at}
    return (
        lake.land("media_stats", at.date(), [stats], **more),
        lake.land("media_engagement", at.date(), [curve], **more),
    )


@pytest.mark.parametrize(
    ("grown", "verdict", "certificate"),
    [(70, Verdict.HOLDS, Certificate.CERTIFIED), (7_000, Verdict.BROKEN, Certificate.SETTLED)],
)
def test_a_week_of_plays_is_held_against_what_a_media_has_grown(
    lake: SmallLake, grown: int, verdict: Verdict, certificate: Certificate
) -> None:
    media_id, start = f"grows-{grown}", datetime(2026, 3, 9, 2, 15, tzinfo=UTC)
    week_ago = start - timedelta(days=7)
    days = [start.date() - timedelta(days=n) for n in range(1, 10)]
    lake.build(
        described(lake, media_id, week_ago, duration=100.0), *taken(lake, media_id, week_ago, 1_000),
        *(counted(lake, media_id, d, 10) for d in days), started_at=week_ago,
    )  # fmt: skip
    built = lake.build(*taken(lake, media_id, start, 1_000 + grown), started_at=start)
    judged = {j.identity: (j.verdict, j.ours, j.theirs) for j in built.judgements if j.media_id == media_id}
    assert judged[GROWTH] == (verdict, grown, 60)
    assert len(judged) == 3
    # The morning after a day speaks about it: the day may be certified only if that morning agrees.
    pairs = frozenset({(media_id, days[0]), (media_id, days[1])})
    rest = {"refresh": pairs, "past_lookback": pairs, "confirmed": pairs, "listed": frozenset()}
    after = lake.build(pairs=pairs, started_at=start, **rest)
    assert after.published == {(media_id, days[0]): certificate, (media_id, days[1]): Certificate.CERTIFIED}
    retention = of_media(lake, media_id, "previous_date", "date", table="gold.media_retention_daily")
    assert retention == [(week_ago.date(), start.date())]


def test_what_the_account_says_of_visitors_is_beside_what_sessions_say(lake: SmallLake) -> None:
    times = {"created_at": "2026-01-01T00:00:00Z", "last_active_at": "2026-03-01T10:00:00Z"}
    lake.build(listed(lake, "visited", FIRST, seen("visited", "a", FIRST, visitor_key="somebody")))
    who = f"visitor_id = '{pseudonym([KEY], 'somebody')}'"
    assert lake.rows("gold.dim_visitor", "sessions", "account_load_count", where=who) == [(1, None)]
    record = {"visitor_key": "somebody", "load_count": 7, "play_count": 4, **times}
    lake.build(lake.land("visitors", FIRST, [record], media_id="_account"))
    assert lake.rows("gold.dim_visitor", "sessions", "account_load_count", where=who) == [(1, 7)]


def test_visitors_wait_for_the_build_that_makes_them_all(lake: SmallLake) -> None:
    first = listed(lake, "waits", FIRST, seen("waits", "a", FIRST), seen("waits", "b", FIRST))
    built = lake.build(first, visitors=VisitorScope.NOBODY)
    assert "gold.dim_visitor" not in built.counts
    here = len(lake.rows("gold.dim_visitor", "visitor_id"))
    built = lake.build(visitors=VisitorScope.ALL, visitor_days=20)
    assert built.counts["gold.dim_visitor"] == {"new": 2, "unchanged": here}
    (of_keys,) = (f for f in built.findings if (f.check, f.table) == (KEYS, "gold.dim_visitor"))
    assert of_keys.checked == 2  # of all shares
    # Whoever is in no published day any more leaves the table.
    lake.build(pairs=[], withdrawn=frozenset({("waits", FIRST)}), visitors=VisitorScope.NOBODY)
    built = lake.build(visitors=VisitorScope.ALL)
    assert built.counts["gold.dim_visitor"] == {"removed": 2, "unchanged": here}


def test_a_lake_without_sessions_has_no_visitors(tmp_path: Path) -> None:
    with small_lake(tmp_path / "lake") as empty:
        empty.build(visitors=VisitorScope.ALL)
        assert empty.rows("gold.dim_visitor", "visitor_id") == []
