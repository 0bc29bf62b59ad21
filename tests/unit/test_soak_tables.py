"""The truth and the judge over a week that is written here by hand, with the right answer of every table beside it.

Two videos, "Tour" and "Intro", and five runs at 07:15 UTC of the 3rd to the 7th of March in New York, five hours
behind: the 1st and the 2nd are days that readers have, Intro is deleted before the third run.
"""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from dashboard.published import Published
from support.tables import cells
from wistia_simulator import TrueMedia, TrueSession, World
from wistlake_soak.judge import KEYS, MOST_FINDINGS, Judgement, judge
from wistlake_soak.truth import Truth

ZONE = ZoneInfo("America/New_York")
# printf ann | openssl dgst -sha256 -hmac one: its first 32 digits, and those once more with "two".
ANN, BOB = "8c82a44376a0d6705401b559c865e034", "b937080585b323ba42c34daa260590d6"
FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)
RUNS = [datetime(2026, 3, n, 7, 15, tzinfo=UTC) for n in range(3, 8)]
MADE = datetime(2026, 2, 20, tzinfo=UTC)
LOOKBACK = 2

TOUR = TrueMedia("tour", 11, "Tour", 100.0006, False, "ready", ("b", "a"), "Ads", MADE, MADE)
INTRO = TrueMedia("intro", 12, "Intro on Instagram", 0.0, False, "ready", (), "Ads", MADE, MADE)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def session(key: str, visitor: str, received: datetime, share: float, **more: Any) -> TrueSession:
    """A session of Tour in an ordinary browser, unless told otherwise."""
    ordinary = {
        "media_id": "tour", "email": None, "embed_url": "", "browser": "Chrome", "browser_version": "140",
        "platform": "Mac", "mobile": False, "conversion_type": "", "first_listed_at": received, "vanished_at": None,
        "page_loaded_at": received, "listed_twice": False, "private": False, "country": "US", "region": "NY",
    }  # fmt: skip
    return TrueSession(
        event_key=key, visitor_key=visitor, received_at=received, percent_viewed=share, **{**ordinary, **more}
    )


EMAIL = "https://WWW.Example.com/a?utm_source=news&utm_medium=email&utm_campaign=spring"
SESSIONS = [
    session("e1", "ann", at(1, 15), 0.25, embed_url=EMAIL),
    session("e2", "ann", at(2, 3), 0.95, country="", region="", mobile=True, platform="iOS"),
    session("e3", "bob", at(2, 15), 0.75, conversion_type="cta"),
    session("e4", "bob", at(2, 16), 0.5),
    session("e5", "bob", at(2, 17), 0.5, vanished_at=at(4, 0)),
    session("e6", "bob", at(2, 18), 0.4999996, media_id="intro"),
    session("e7", "ann", at(3, 12), 0.1),
]


CURVES = {
    3: ([5, 4], [1, 0]), 4: ([9, 6], [2, 0]), 5: ([9, 5], [2, 0]), 6: ([9, 7], [2, 1]), 7: ([9, 7, 1], [2, 1, 0]),
}  # fmt: skip


class Written:
    """A `World` as far as truth and judge ask one: every answer stands here."""

    media_ids = ("tour", "intro")

    def __init__(self, *sessions: TrueSession, now: datetime = RUNS[-1]) -> None:
        self.truth = self.catalog = self
        self._first = [SimpleNamespace(subfolder="Spring"), SimpleNamespace(subfolder="")]
        self._sessions, self._now = sessions or SESSIONS, now
        self.states = {"tour": TOUR, "intro": INTRO}

    def sessions(self, media: str, start: date, end: date, at: datetime | None = None) -> list[TrueSession]:
        moment = at or self._now
        return [
            s
            for s in self._sessions
            if s.media_id == media
            and start <= s.received_at.date() <= end
            and s.first_listed_at <= moment
            and not (s.vanished_at and s.vanished_at <= moment)
        ]

    def medias(self, at: datetime | None = None) -> list[TrueMedia]:
        moment = at or self._now
        tour = self.states["tour"] if moment < RUNS[1] else replace(self.states["tour"], name="The tour")
        return [replace(tour, duration=120.0) if moment >= RUNS[3] else tour] + (
            [self.states["intro"]] if moment < RUNS[2] else []
        )

    def by_date(self, media: str, start: date, end: date, at: datetime | None = None) -> list[dict[str, Any]]:
        assert start == end
        moment = at or self._now
        loads, plays = (12, 4) if media == "tour" and start == SECOND and moment >= RUNS[1] else (10, 3)
        hours = plays + moment.day / 100 if media == "tour" else 0  # restated for ever
        return [{"load_count": loads, "play_count": plays, "hours_watched": hours}]

    def lifetime(self, media: str, at: datetime) -> dict[str, Any]:
        return {
            "load_count": 100, "play_count": 20 + at.day, "visitors": 9, "play_rate": 0.5, "hours_watched": 1.5,
            "engagement": 0.25,
        }  # fmt: skip

    def engagement(self, media: str, at: datetime) -> dict[str, Any]:
        views, again = CURVES[at.day] if media == "tour" else ([], [])
        return {"engagement": 0.25, "engagement_data": views, "rewatch_data": again}

    def state(self, index: int, at: int) -> SimpleNamespace:
        return self._first[index]

    def folder_id(self, kind: str, name: str) -> str:
        return f"{kind} {name}"

    def deliveries(self, name: str, index: int) -> str:
        return f"file {index}"


def lands(lake: Path, dataset: str, media: str, day: date, at: datetime, *, missing: bool = False) -> None:
    """A manifest, as a run leaves it."""
    folder = lake / "bronze" / dataset / media / str(day) / f"{at:%d%H%M}"
    folder.mkdir(parents=True)
    manifest = {"dataset": dataset, "media_id": media, "day": str(day), "observed_at": at.isoformat(),
                "run_id": f"run-{at.isoformat()}", "missing": missing}  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """What the five runs have read. The key was changed once."""
    (tmp_path / "pseudonym-key.json").write_text(json.dumps({"keys": [b"one".hex(), b"two".hex()]}))
    for run in RUNS:
        gone = run >= RUNS[2]
        for media, missing in (("tour", False), ("intro", gone)):
            lands(tmp_path, "media_metadata", media, run.date(), run, missing=missing)
            lands(tmp_path, "media_stats", media, run.date(), run, missing=missing)
            lands(tmp_path, "media_engagement", media, run.date(), run, missing=missing)
            for age in range(1, 4):
                day = run.date() - timedelta(days=age)
                if FIRST <= day <= date(2026, 3, 3):
                    lands(tmp_path, "events", media, day, run, missing=missing)
                    if day <= SECOND:
                        lands(tmp_path, "media_by_date", media, day, run, missing=missing)
    return tmp_path


UTM = ("utm_source", "utm_medium", "utm_campaign")
BY_MAIL = {"embed_host": "www.example.com", "embed_path": "/a"} | dict(
    zip(UTM, ("news", "email", "spring"), strict=True)
)


def truth(lake: Path, world: Written | None = None, **more: Any) -> Truth:
    return Truth(cast(World, world or Written()), lake, ZONE, **more)


def written(*texts: str, **alike: Any) -> list[dict[str, str]]:
    """The rows of text tables that stand beside each other; `alike` are columns with one value in all rows. An empty
    cell is NULL."""
    rows: list[dict[str, str]] = []
    for text in texts:
        header, *lines = cells(text)
        parts = [dict(zip(header, line, strict=True)) for line in lines]
        rows = [a | b for a, b in zip(rows, parts, strict=True)] if rows else parts
    return [row | {n: spelled(v) for n, v in alike.items()} for row in rows]


def spelled(value: Any) -> str:
    """A value as a cell of such a table."""
    return "" if value is None else '""' if value == "" else str(value)


def sha(file: int) -> str:
    return hashlib.sha256(f"http://embed.wistia.com/deliveries/file {file}.bin".encode()).hexdigest()


EXPECTED = {
    "silver.dim_media": [
        row | {"url": f"https://example.wistia.com/medias/{row['media_id']}", "original_asset": sha(file)}
        for file, row in enumerate(
            written(
                """
                media_id | numeric_id | title              | duration_seconds | subfolder | tags
                tour     | 11         | The tour           | 120.0            | Spring    | ['a', 'b']
                intro    | 12         | Intro on Instagram | 0.0              | ""        | []
                """,
                """
                channel      | is_deleted
                unclassified | False
                instagram    | True
                """,
                type="Video", status="ready", archived=False, folder="Ads", folder_id="folder Ads", created_at=MADE,
            )
        )
    ],
    "silver.fact_media_by_date": written(
        """
        media_id | date       | load_count | play_count | hours_watched_modelled
        intro    | 2026-03-01 | 10         | 3          | 0.0
        intro    | 2026-03-02 | 10         | 3          | 0.0
        tour     | 2026-03-01 | 10         | 3          | 3.04
        tour     | 2026-03-02 | 12         | 4          | 4.05
        """
    ),
    "silver.fact_events": [
        dict.fromkeys(("city", "embed_host", "embed_path", *UTM), "") | {"region": "NY" if row["country"] else ""} | row
        | (BY_MAIL if row["channel"] == "email" else {})
        for row in written(
            f"""
            event_key | received_at               | event_date | event_date_local | media_id | visitor_id
            e1        | 2026-03-01 15:00:00+00:00 | 2026-03-01 | 2026-03-01       | tour     | {ANN}
            e2        | 2026-03-02 03:00:00+00:00 | 2026-03-02 | 2026-03-01       | tour     | {ANN}
            e3        | 2026-03-02 15:00:00+00:00 | 2026-03-02 | 2026-03-02       | tour     | {BOB}
            e4        | 2026-03-02 16:00:00+00:00 | 2026-03-02 | 2026-03-02       | tour     | {BOB}
            e5        | 2026-03-02 17:00:00+00:00 | 2026-03-02 | 2026-03-02       | tour     | {BOB}
            e6        | 2026-03-02 18:00:00+00:00 | 2026-03-02 | 2026-03-02       | intro    | {BOB}
            e7        | 2026-03-03 12:00:00+00:00 | 2026-03-03 | 2026-03-03       | tour     | {ANN}
            """,
            """
            percent_viewed | watch_milliseconds | duration_seconds | conversion_type | country | platform
            0.25           | 25000              | 100.0006         |                 | US      | Mac
            0.95           | 95001              | 100.0006         |                 |         | iOS
            0.75           | 75000              | 100.0006         | cta             | US      | Mac
            0.5            | 50000              | 100.0006         |                 | US      | Mac
            0.5            | 50000              | 100.0006         |                 | US      | Mac
            0.4999996      |                    |                  |                 | US      | Mac
            0.1            | 10000              | 100.0006         |                 | US      | Mac
            """,
            f"""
            is_mobile | channel      | removed_at
            False     | email        |
            True      | unclassified |
            False     | unclassified |
            False     | unclassified |
            False     | unclassified | {RUNS[1]}
            False     | instagram    |
            False     | unclassified |
            """,
            browser="Chrome", browser_version="140",
        )
    ],
    "silver.media_lifetime": written(
        """
        media_id | snapshot_date | play_count | engagement_data | rewatch_data
        intro    | 2026-03-03    | 23         | []              | []
        intro    | 2026-03-04    | 24         | []              | []
        tour     | 2026-03-03    | 23         | [5, 4]          | [1, 0]
        tour     | 2026-03-04    | 24         | [9, 6]          | [2, 0]
        tour     | 2026-03-05    | 25         | [9, 5]          | [2, 0]
        tour     | 2026-03-06    | 26         | [9, 7]          | [2, 1]
        tour     | 2026-03-07    | 27         | [9, 7, 1]       | [2, 1, 0]
        """,
        load_count=100, visitors=9, play_rate=0.5, hours_watched=1.5, engagement=0.25,
        action_types=None, action_counts=None, action_impressions=None,
    ),
    "gold.fact_media_daily": written(
        """
        media_id | date       | loads | plays | hours_watched_modelled | play_rate_estimated | full_milliseconds
        intro    | 2026-03-01 | 10    | 3     | 0.0                    | 0.0                 | 0
        intro    | 2026-03-02 | 10    | 3     | 0.0                    | 0.1                 | 0
        tour     | 2026-03-01 | 10    | 3     | 3.04                   | 0.1                 | 200002
        tour     | 2026-03-02 | 12    | 4     | 4.05                   | 0.08333333333333333 | 200002
        """,
        """
        plays_from_events | sessions | unique_viewers | watch_milliseconds | timed_sessions | conversions
        0                 | 0        | 0              | 0                  | 0              | 0
        1                 | 1        | 1              |                    | 0              | 0
        2                 | 2        | 1              | 120001             | 2              | 0
        1                 | 2        | 1              | 125000             | 2              | 1
        """,
        """
        viewed_millionths | reached_25 | reached_50 | reached_75 | reached_95
        0                 | 0          | 0          | 0          | 0
        500000            | 1          | 0          | 0          | 0
        1200000           | 2          | 1          | 1          | 1
        1250000           | 2          | 2          | 1          | 0
        """,
        play_rate_analytics=None,
    ),
    "gold.fact_media_engagement": written(
        f"""
        media_id | visitor_id | date       | play_count | sessions | watch_milliseconds | viewed_millionths
        intro    | {BOB}      | 2026-03-02 | 1          | 1        |                    | 500000
        tour     | {ANN}      | 2026-03-01 | 2          | 2        | 120001             | 1200000
        tour     | {BOB}      | 2026-03-02 | 1          | 2        | 125000             | 1250000
        """,
        """
        watched_share | first_received_at         | last_received_at
        0.5           | 2026-03-02 18:00:00+00:00 | 2026-03-02 18:00:00+00:00
        0.6           | 2026-03-01 15:00:00+00:00 | 2026-03-02 03:00:00+00:00
        0.625         | 2026-03-02 15:00:00+00:00 | 2026-03-02 16:00:00+00:00
        """
    ),
    "gold.dim_visitor": written(
        f"""
        visitor_id | country | region | platform | is_mobile | first_seen_at
        {ANN}      |         |        | iOS      | True      | 2026-03-01 15:00:00+00:00
        {BOB}      | US      | NY     | Mac      | False     | 2026-03-02 15:00:00+00:00
        """,
        """
        last_seen_at              | play_count | sessions | media_count | watch_milliseconds
        2026-03-02 03:00:00+00:00 | 2          | 2        | 1           | 120001
        2026-03-02 18:00:00+00:00 | 2          | 3        | 2           | 125000
        """,
        browser="Chrome", account_load_count=None,
    ),
    "gold.channel_daily": written(
        """
        media_id | date       | channel      | plays_from_events | sessions | unique_viewers
        intro    | 2026-03-02 | instagram    | 1                 | 1        | 1
        tour     | 2026-03-01 | email        | 1                 | 1        | 1
        tour     | 2026-03-01 | unclassified | 1                 | 1        | 1
        tour     | 2026-03-02 | unclassified | 1                 | 2        | 1
        """,
        """
        watch_milliseconds | reached_95 | conversions
        | 0          | 0
        25000              | 0          | 0
        95001              | 1          | 0
        125000             | 0          | 1
        """
    ),
    "gold.geo_daily": written(
        """
        media_id | date       | country | region | plays_from_events | sessions | unique_viewers
        intro    | 2026-03-02 | US      | NY     | 1                 | 1        | 1
        tour     | 2026-03-01 | ""      | ""     | 1                 | 1        | 1
        tour     | 2026-03-01 | US      | NY     | 1                 | 1        | 1
        tour     | 2026-03-02 | US      | NY     | 1                 | 2        | 1
        """,
        """
        watch_milliseconds | reached_95 | conversions
        | 0          | 0
        95001              | 1          | 0
        25000              | 0          | 0
        125000             | 0          | 1
        """
    ),
    "gold.device_daily": written(
        """
        media_id | date       | platform | is_mobile | plays_from_events | sessions | unique_viewers
        intro    | 2026-03-02 | Mac      | False     | 1                 | 1        | 1
        tour     | 2026-03-01 | Mac      | False     | 1                 | 1        | 1
        tour     | 2026-03-01 | iOS      | True      | 1                 | 1        | 1
        tour     | 2026-03-02 | Mac      | False     | 1                 | 2        | 1
        """,
        """
        watch_milliseconds | reached_95 | conversions
        | 0          | 0
        25000              | 0          | 0
        95001              | 1          | 0
        125000             | 0          | 1
        """,
        browser="Chrome",
    ),
    "gold.embed_daily": written(
        """
        media_id | date       | embed_host      | plays_from_events | sessions | unique_viewers
        intro    | 2026-03-02 | ""              | 1                 | 1        | 1
        tour     | 2026-03-01 | ""              | 1                 | 1        | 1
        tour     | 2026-03-01 | www.example.com | 1                 | 1        | 1
        tour     | 2026-03-02 | ""              | 1                 | 2        | 1
        """,
        """
        watch_milliseconds | reached_95 | conversions
        | 0          | 0
        95001              | 1          | 0
        25000              | 0          | 0
        125000             | 0          | 1
        """
    ),
    "gold.media_retention_daily": written(
        """
        media_id | date       | previous_date | verdict          | views  | rewatches
        tour     | 2026-03-04 | 2026-03-03    | comparable       | [4, 2] | [1, 0]
        tour     | 2026-03-05 | 2026-03-04    | restated         |        |
        tour     | 2026-03-06 | 2026-03-05    | duration_changed |        |
        tour     | 2026-03-07 | 2026-03-06    | duration_changed |        |
        """
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_the_truth_of_every_table(lake: Path, name: str) -> None:
    rows = [{n: spelled(v) for n, v in row.items()} for row in truth(lake).tables()[name]]
    assert by_key(name, rows) == by_key(name, EXPECTED[name])


def by_key(name: str, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(rows, key=lambda row: [row[n] for n in KEYS[name]])


def test_no_table_is_left_out(lake: Path) -> None:
    assert list(truth(lake).tables()) == list(EXPECTED)
    assert KEYS.keys() == EXPECTED.keys()


# which days may be certified


def test_days_that_have_settled_are_past_the_lookback_and_were_read_alike_on_two_days(lake: Path) -> None:
    """Of Intro's 2nd the list of the 3rd, which that day reaches into, was read once before it was deleted."""
    pairs = {("tour", FIRST), ("tour", SECOND), ("intro", FIRST)}
    assert truth(lake).settled(2) == pairs
    assert truth(lake).settled(3) == {(media, day) for media, day in pairs if day == FIRST}
    assert truth(lake).settled(4) == set()


READ = {
    ("events", 1): [at(2, 0), at(3, 0)],
    ("events", 2): [at(4, 7), at(5, 7)],
    ("media_by_date", 1): [at(2, 5), at(3, 7)],
}


@pytest.mark.parametrize(
    ("read", "confirmed"),
    [
        ({}, True),
        ({("media_by_date", 1): []}, True),  # as of a deleted media
        ({("media_by_date", 1): [at(3, 7)]}, False),
        ({("media_by_date", 1): [at(2, 4, 59), at(3, 7)]}, False),  # the day was not over yet
        ({("media_by_date", 1): [at(3, 7), at(3, 20)]}, False),
        ({("events", 1): [at(3, 0)]}, False),
        ({("events", 1): [at(1, 23, 59), at(3, 0)]}, False),
        ({("events", 2): []}, False),
        ({("events", 2): [at(3, 7), at(4, 7), at(4, 9)]}, False),  # a session was gone on the 4th
        ({("events", 2): [at(3, 7), at(4, 7), at(5, 7)]}, True),
    ],
)
def test_what_confirms_a_day(tmp_path: Path, read: dict[Any, list[datetime]], confirmed: bool) -> None:
    """The 1st in New York touches two lists, and is over at five. Tour's session e5 vanishes as the 4th begins."""
    (tmp_path / "pseudonym-key.json").write_text('{"keys": []}')
    for (dataset, day), moments in {**READ, **read}.items():
        for moment in moments:
            lands(tmp_path, dataset, "tour", date(2026, 3, day), moment)
    assert truth(tmp_path).is_confirmed("tour", FIRST) is confirmed


@pytest.mark.parametrize(
    ("dataset", "day", "over"),
    [("events", 1, at(2, 0)), ("events", 2, at(3, 0)), ("media_by_date", 1, at(2, 5))],
)
def test_a_day_is_published_when_everything_was_read_after_it_was_over(
    tmp_path: Path, dataset: str, day: int, over: datetime
) -> None:
    (tmp_path / "pseudonym-key.json").write_text('{"keys": []}')
    for at_once in [("events", 1), ("events", 2), ("media_by_date", 1)]:
        if at_once != (dataset, day):
            lands(tmp_path, at_once[0], "tour", date(2026, 3, at_once[1]), at(3, 7))
    lands(tmp_path, dataset, "tour", date(2026, 3, day), over - timedelta(minutes=1))
    assert truth(tmp_path).days == set()
    lands(tmp_path, dataset, "tour", date(2026, 3, day), over)
    assert truth(tmp_path).days == {("tour", FIRST)}


# channels


@pytest.mark.parametrize(
    ("url", "media", "channel"),
    [
        ("https://x.example/?utm_medium=email&utm_source=facebook", {}, "email"),
        ("https://x.example/?utm_medium=newsletter", {}, "email"),
        ("https://x.example/?utm_source=fb&utm_medium=cpc", {}, "facebook"),
        ("https://x.example/?utm_source=yt", {}, "youtube"),
        ("https://x.example/?utm_source=google&utm_medium=cpc", {}, "google"),
        ("https://x.example/?utm_medium=cpc", {}, "paid"),
        ("https://x.example/?utm_medium=paid_social", {}, "paid"),
        ("https://www.tiktok.com/v", {}, "tiktok"),
        ("https://www.tiktok.com.example/v", {}, "unclassified"),
        ("https://x.example/?utm_source=somewhere", {"name": "On LinkedIn"}, "linkedin"),
        ("", {"tags": ("autumn", "IG"), "folder": "YouTube", "name": "tiktok"}, "instagram"),
        ("", {"tags": ("autumn",), "folder": "YouTube", "name": "tiktok"}, "youtube"),
        ("", {"name": "For tiktok, and facebook"}, "facebook"),
        ("", {"name": "The yacht"}, "unclassified"),
        ("", {}, "unclassified"),
    ],
)
def test_the_channel_of_a_session(lake: Path, url: str, media: dict[str, Any], channel: str) -> None:
    """By its link first, then by the page, then by the words about the media."""
    world = Written(session("e1", "ann", at(1, 15), 0.5, embed_url=url))
    world.states["tour"] = replace(TOUR, **media)
    (row,) = truth(lake, world, until=RUNS[0]).tables()["silver.fact_events"]
    assert row["channel"] == channel


# the judge


def published(lake: Path) -> Published:
    """The lake as a product without a fault publishes it."""
    first, renamed, longer = RUNS[0], RUNS[1], RUNS[3]
    ends = [("tour", first, renamed, "Tour"), ("tour", renamed, longer, "The tour"), ("tour", longer, None, "The tour"),
            ("intro", first, None, "Intro on Instagram")]  # fmt: skip
    media = {
        "tour": {"tags": ["a", "b"], "duration_seconds": 120.0},
        "intro": {"tags": [], "duration_seconds": 0.0},
    }
    tables = truth(lake).tables()
    for row in tables["gold.fact_media_daily"]:
        row["certificate"] = CERTIFICATES[row["media_id"], row["date"]]
    return Published(
        tables
        | {
            "silver.dim_media_history": [
                {"media_id": m, "valid_from": start, "valid_to": end, "title": title, "archived": False,
                 "is_current": end is None, **media[m]}
                for m, start, end, title in ends
            ],
            "silver.media_by_date_observations": [
                {"media_id": "tour", "date": SECOND, "observed_at": run, "load_count": loads, "play_count": plays,
                 "hours_watched_modelled": hours}
                for run, loads, plays, hours in ((RUNS[0], 10, 3, 3.03), (RUNS[1], 12, 4, 4.04))
            ],
        }
    )  # fmt: skip


CERTIFICATES = {
    ("tour", FIRST): "certified", ("tour", SECOND): "certified", ("intro", FIRST): "settled",
    ("intro", SECOND): "provisional",
}  # fmt: skip


def judged(lake: Path, query: Published) -> Judgement:
    return judge(cast(World, Written()), lake, ZONE, lambda text: query.sql(text).to_pylist(), LOOKBACK)


def counts(judgement: Judgement) -> tuple[int, int, int, int]:
    return judgement.lost, judgement.duplicated, judgement.wrong, judgement.contradicted


def test_a_lake_without_a_fault_is_not_accused(lake: Path) -> None:
    judgement = judged(lake, published(lake))
    assert judgement.findings == []
    assert (counts(judgement), judgement.certified) == ((0, 0, 0, 0), 2)
    assert judgement.tables == {name: len(rows) for name, rows in EXPECTED.items()} | {
        "silver.fact_events": 6, "silver.quarantine": 0, "silver.media_by_date_observations": 2,
        "silver.dim_media_history": 4,
    }  # fmt: skip
    assert judgement.rows == sum(judgement.tables.values()) == 54


@pytest.mark.parametrize(
    ("fault", "counted", "words"),
    [
        ("DELETE FROM silver.fact_events WHERE event_key = 'e1'", (1, 0, 0, 0), "silver.fact_events: ('e1',) is lost"),
        ("UPDATE silver.fact_events SET removed_at = NULL WHERE event_key = 'e5'", (0, 0, 1, 0),
         "silver.fact_events: ('e5',) should not be there"),
        ("INSERT INTO silver.fact_events SELECT * FROM silver.fact_events WHERE event_key = 'e5'", (0, 1, 0, 0), None),
        ("INSERT INTO gold.dim_visitor SELECT * FROM gold.dim_visitor WHERE sessions = 2", (0, 1, 0, 0),
         f"gold.dim_visitor: ('{ANN}',) is there twice"),
        ("INSERT INTO silver.quarantine (media_id, dt, dataset) VALUES ('tour', '2026-03-02', 'events')", (0, 0, 1, 0),
         "silver.quarantine: ('tour', datetime.date(2026, 3, 2), 'events') should not be there"),
        ("UPDATE gold.geo_daily SET sessions = 7 WHERE region = ''", (0, 0, 1, 0),
         "gold.geo_daily: ('tour', datetime.date(2026, 3, 1), '', ''): sessions is 7, should be 1"),
        ("UPDATE silver.media_by_date_observations SET play_count = 5 WHERE play_count = 4", (0, 0, 1, 0),
         "play_count is 5, should be 4"),
        ("UPDATE silver.dim_media_history SET valid_to = '2026-03-04 07:16:00+00' WHERE title = 'Tour'", (0, 0, 1, 0),
         "valid_to is"),
        ("UPDATE silver.dim_media_history SET valid_to = '2026-03-09' WHERE media_id = 'intro'", (0, 0, 1, 0),
         "should be None"),
        ("UPDATE silver.dim_media_history SET is_current = true WHERE title = 'Tour'", (0, 0, 1, 0),
         "is_current is True, should be False"),
        ("UPDATE silver.dim_media_history SET title = 'Tur' WHERE is_current AND media_id = 'tour'", (0, 0, 1, 0),
         "title is 'Tur', should be 'The tour'"),
        ("UPDATE gold.fact_media_daily SET certificate = 'settled' WHERE certificate = 'provisional'", (0, 0, 0, 1),
         "certificates: intro on 2026-03-02 is settled, but a later run would read it again"),
        ("UPDATE gold.fact_media_daily SET plays = 9 WHERE plays = 4", (0, 0, 1, 1),
         "certificates: tour on 2026-03-02 is certified, but plays is 9, the source says 4"),
        ("UPDATE gold.fact_media_daily SET sessions = 9 WHERE plays = 4", (0, 0, 1, 1),
         "certificates: tour on 2026-03-02 is certified, but sessions is 9, the source says 2"),
        ("UPDATE gold.fact_media_daily SET reached_50 = 9 WHERE plays = 4", (0, 0, 1, 1),
         "certificates: tour on 2026-03-02 is certified, but reached_50 is 9, the source says 2"),
        ("UPDATE gold.fact_media_daily SET watch_milliseconds = 9, timed_sessions = 9 WHERE plays = 4", (0, 0, 1, 0),
         "gold.fact_media_daily: ('tour', datetime.date(2026, 3, 2)): "),
    ],
)  # fmt: skip
def test_a_fault_is_counted_and_named(
    lake: Path, fault: str, counted: tuple[int, int, int, int], words: str | None
) -> None:
    query = published(lake)
    query.change(fault)
    judgement = judged(lake, query)
    assert counts(judgement) == counted
    assert len(judgement.findings) == sum(counted) * (words is not None)
    assert words is None or words in judgement.findings[-1]


@pytest.mark.parametrize(
    ("actual", "wrong"),
    [(0.1 + 0.2, 0), (0.3 + 1e-12, 0), (0.3 + 1e-8, 1), (None, 1)],
)
def test_fractions_are_compared_as_far_as_their_sums_are_exact(actual: float | None, wrong: int) -> None:
    judgement = Judgement()
    judgement.compare("t", ("k",), [{"k": 1, "n": 0.3}], [{"k": 1, "n": actual, "more": 0}])
    assert counts(judgement) == (0, 0, wrong, 0)


def test_a_record_that_no_contract_accepts_is_refused_as_often_as_it_is_listed(lake: Path) -> None:
    flawed = [
        replace(s, flaw="no_percent" if s.event_key in ("e1", "e3", "e4") else "above_one") for s in SESSIONS
    ]
    world = Written(*(replace(s, listed_twice=s.event_key == "e3") for s in flawed))
    found = {(r["media_id"], r["dt"]): r["records"] for r in truth(lake, world).refused_records()}
    assert found == {("tour", FIRST): 1, ("tour", SECOND): 3}


def test_only_the_first_findings_about_a_table_are_told() -> None:
    judgement = Judgement()
    judgement.compare("one", ("k",), [{"k": n} for n in range(9)], [])
    judgement.compare("other", ("k",), [], [{"k": 1}])
    assert (judgement.lost, judgement.wrong, len(judgement.findings)) == (9, 1, MOST_FINDINGS + 1)
