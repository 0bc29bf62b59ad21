"""Every section, in the report and in the app: the same order, captions and numbers, which are written here by hand."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.published import DAILY, DIM, HISTORY, INTERVALS, Published, days
from dashboard.shown import in_the_app
from support.some import some
from wistlake.quality.scope import Scope
from wistlake_dashboard.blocks import (
    Answer,
    Bars,
    Beside,
    Block,
    Curve,
    Days,
    Grid,
    Heading,
    Notes,
    Numbers,
    Stack,
    Table,
    Text,
)
from wistlake_dashboard.reader import Reader
from wistlake_dashboard.report import page, svg
from wistlake_dashboard.sections import APPENDIX, PAGES, REPORT, SECTIONS, Page, View, overview, video, view
from wistlake_dashboard.sections.analytics import LESS_BOTS
from wistlake_dashboard.sections.labels import NONE_YET

BEFORE, FIRST, LAST = date(2026, 3, 9), date(2026, 3, 11), date(2026, 3, 12)
WEEK = Scope(FIRST, LAST)
NOW = "2026-03-13 02:15:00"


def lake() -> Published:
    """Two media, two days and the two before; something for every section to show."""
    reached = {
        "reached_25": 3,
        "reached_50": 2,
        "reached_75": 2,
        "reached_95": 1,
        "viewed_millionths": 5_000_000,
    }
    tour = days("a", BEFORE, [20, 20, 30, 30], **reached)
    tour[3] |= {"certificate": "certified", "conversions": 1}
    query = Published({DAILY: [*tour, *days("b", BEFORE, [5, 5, 5, 4], **reached)]})
    query.add(
        DIM, [{"media_id": m, "title": t, "is_deleted": False} for m, t in (("a", "Tour"), ("b", "Intro"))]
    )
    query.add(
        HISTORY,
        [
            {"media_id": "a", "valid_from": f"2026-03-{d:02} 02:15", "title": t, "tags": []}
            for d, t in ((1, "Old"), (11, "Tour"))
        ],
    )
    query.add(
        "gold.fact_media_engagement",
        [
            {"media_id": "a", "visitor_id": v, "date": FIRST + timedelta(days=n)}
            for v, n in (("x", 0), ("x", 1), ("y", 1))
        ],
    )
    sessions = {
        "media_id": "a",
        "date": FIRST,
        "sessions": 9,
        "watch_milliseconds": 5_400_000,
        "reached_95": 3,
    }
    for table, key, parts in (
        ("gold.channel_daily", "channel", {"facebook": 6, "unclassified": 2}),
        ("gold.geo_daily", "country", {"DE": 5, "": 3}),
        ("gold.embed_daily", "embed_host", {"www.example.com": 8}),
        ("gold.device_daily", "platform", {"iOS": 7, "Windows": 1}),
    ):
        extra = {"browser": "Safari", "is_mobile": False} if key == "platform" else {}
        query.add(
            table, [sessions | extra | {key: name, "plays_from_events": n} for name, n in parts.items()]
        )
    query.add(
        "silver.media_lifetime",
        [
            {"media_id": "a", "snapshot_date": d, "play_count": plays, "engagement": share, "engagement_data": curve,
             "duration_seconds": 3.0}
            for d, plays, share, curve in ((FIRST, 10, 0.5, [10, 5, 5]), (LAST, 20, 0.6, [20, 10, 5]))
        ],
    )  # fmt: skip
    query.add(
        "gold.media_retention_daily",
        [
            {
                "media_id": "a",
                "date": LAST,
                "previous_date": FIRST,
                "verdict": "comparable",
                "views": [10, 5, 0],
            }
        ],
    )
    query.add(
        INTERVALS,
        [
            {"dataset": dataset, "media_id": "a", "day": d, "state": state, "missing": missing, "reason": reason}
            for dataset, d, state, missing, reason in (
                ("events", FIRST, "published", False, None), ("events", LAST, "failed", False, "HTTP 500"),
                ("media_stats", FIRST, "published", True, None), ("media_stats", LAST, "fetched", False, None),
            )
        ],
    )  # fmt: skip
    query.add(
        "ops.reconciliation",
        [
            {"identity": "events_and_plays", "blocking": True, "media_id": "a", "date": d, "verdict": verdict,
             "ours": 30.0, "theirs": 33.5, "lower": -1.0, "upper": 2.0}
            for d, verdict in ((FIRST, "holds"), (LAST, "broken"))
        ],
    )  # fmt: skip
    query.add(
        "ops.alerts",
        [
            {"rule": rule, "subject": about, "day": d, "kind": kind, "metric": "plays", "last_day": d, "days": n,
             "value": value, "expected": usual, "early": withdrawn is None, "told_at": NOW, "withdrawn_at": withdrawn}
            for rule, about, d, kind, n, value, usual, withdrawn in (
                ("fell", "a", LAST, "drop", 1, 3.0, 30.0, NOW),
                ("month", "all media", FIRST, "goal", 11, 120.0, 100.0, None),
            )
        ],
    )  # fmt: skip
    query.add(
        "silver.quarantine", [{"dataset": "events", "reason": "no key", "dt": d} for d in (FIRST, LAST, LAST)]
    )
    query.add(
        "silver.media_by_date_observations",
        [
            {"media_id": "a", "date": FIRST, "observed_at": f"2026-03-{d} 02:15", "load_count": loads,
             "play_count": plays, "hours_watched_modelled": hours}
            for d, loads, plays, hours in ((12, 50, 20, 1.0), (13, 60, 30, 1.0), (14, 60, 30, 1.2))
        ],
    )  # fmt: skip
    query.add(
        "silver.fact_events",
        [
            {"event_key": f"{channel}-{n}", "media_id": "a", "visitor_id": f"{channel}-{n}", "event_date": d,
             "event_date_local": d, "received_at": f"{d} 15:00", "channel": channel, "percent_viewed": 0.5,
             "embed_host": "www.example.com", "embed_path": path, "utm_source": source, "utm_campaign": campaign}
            for channel, count, path, source, campaign in (
                ("facebook", 24, "/offer", "fb", "spring"), ("youtube", 20, "/", None, None),
            )
            for n in range(count)
            for d in ((FIRST, LAST)[n % 2],)
        ],
    )  # fmt: skip
    query.add(
        "gold.traffic_daily",
        [
            {"media_id": "a", "date": FIRST, "dimension": dimension, "value": value, "plays": plays, "loads": loads,
             "engagement": engagement, "has_captions": captions}
            for dimension, value, plays, loads, engagement, captions in (
                ("referrer_domain", "www.google.com", 6, 9, 0.5, None), ("referrer_domain", "", 2, 4, 0.25, None),
                ("utm_source", "fb", 5, 8, 0.5, None), ("utm_source", "", 3, 5, 0.4, None),
                ("utm_campaign", "spring", 5, 8, 0.5, None), ("utm_campaign", "autumn", 3, 5, 0.4, None),
                ("utm_medium", "", 22, 30, 0.4, None),
                ("embed_page", "www.example.com/offer", 8, 13, 0.45, None), ("embed_page", "", 2, 3, 0.5, None),
                ("language", "en", 6, None, None, True),
                ("language", "de", 2, None, None, False), ("viewer_screen_size", "1920x1080", 8, 13, 0.45, None),
            )
        ],
    )  # fmt: skip
    query.add(
        "gold.traffic_daily",  # the value's engagement is that of its plays, not the mean of its days
        [{"media_id": "a", "date": LAST, "dimension": "referrer_domain", "value": "www.google.com", "plays": 2,
          "loads": 3, "engagement": 0.9}],
    )  # fmt: skip
    query.add(
        "gold.conversion_daily",
        [
            {"media_id": "a", "date": d, "kind": kind, "basis": basis, "previous_date": before, "impressions": shown,
             "actions": taken}
            for d, kind, basis, before, shown, taken in (
                (FIRST, "cta", "day", None, 40, 4), (LAST, "cta", "day", None, 10, 1),
                (FIRST, "form", "day", None, None, 3),
                (FIRST, "call_to_action", "between_snapshots", BEFORE, 70, 7),  # what was done before the first day
                (LAST, "call_to_action", "between_snapshots", FIRST, 30, 3),
                (LAST + timedelta(days=1), "call_to_action", "between_snapshots", LAST, 20, 2),
            )
        ],
    )  # fmt: skip
    query.add(
        "ops.not_in_plan",
        [{"dataset": "conversions", "said_at": NOW, "asked_again_at": "2026-03-20 02:15:00"}],
    )
    query.add(
        "ops.runs",
        [{"run_id": "r1", "trigger": "scheduled", "origin": "live", "status": "succeeded", "started_at": NOW,
          "ended_at": "2026-03-13 02:16:30", "error": None}],
    )  # fmt: skip
    return query


THROUGH = "Through 11 Mar 2026: a day is read a day after it is over."
# Captions, headline numbers and rows of tables of each section, as people read them.
EXPECTED: dict[str, list[Any]] = {
    "answer": [
        ("69 plays, +38 % on the 2 days before, within the usual noise; no clear difference between Facebook and "
        "YouTube. “Tour” +20 plays (more loads)."),
        "11–12 Mar 2026 (through Thu 12 Mar). All days are stable.",
    ],
    "headline": [
        ["Plays", "69", "+38 %"], ["Viewers", "2", "+2"], ["Watch time", "1 h 9 min", "+38 %"],
        ["Average engagement", "29.0 %", "−11.0 points"], ["Plays per load", "0.50", "no change"],
        ["Conversions", "1", "+1"],
    ],
    "Plays over time": [
        "Dashed: previous period (9–10 Mar 2026).", "1. 11 Mar 2026: Tour: title Old → Tour",
        ["11 Mar 2026", "35", "25", "1", "70", "1.4 %", "35 min 0 s", "28.6 %", "5.7 %", "0"],
        ["12 Mar 2026", "34", "25", "2", "68", "2.9 %", "34 min 0 s", "29.4 %", "5.9 %", "1"],
    ],
    "What moved": [
        ["Tour", "+20", "40", "60", "more loads"], ["Intro", "−1", "10", "9", "within the usual noise"],
    ],
    "Top ten videos": [["Tour", "60", "+50 %", "1 h 0 min", "16.7 %"], ["Intro", "9", "−1", "9 min 0 s", "111.1 %"]],
    "Calls to action and forms": [
        "Each line is counted in its own way. They overlap: don't add them up.",
        ["Calls to action", "50", "5", "10.0 %", "day by day"], ["Forms", "–", "3", "–", "day by day"],
        ["Call to action", "50", "5", "10.0 %", "between lifetime figures of 11 Mar 2026 and 13 Mar 2026"],
    ],
    "All videos": [
        "The box at the left of a row opens the video.",
        ["Tour", "60", "+50 %", "2", "120", "1.7 %", "1 h 0 min", "16.7 %", "3.3 %", "1"],
        ["Intro", "9", "−1", "0", "18", "0.0 %", "9 min 0 s", "111.1 %", "22.2 %", "0"],
    ],
    "picture": [],  # no setting allows any
    "Engagement": [
        "Share of plays that saw each second: all time, and this period alone.",
        "Snapshots of 11 Mar 2026 and 12 Mar 2026. Average engagement of all time: 50.0 %, then 60.0 %.",
        ["0:00", "100.0 %", "100.0 %"], ["0:02", "50.0 %", "50.0 %"], ["0:03", "25.0 %", "0.0 %"],
    ],
    "Funnel": [
        "Loads and plays are Wistia's daily counts; how far people came is from sessions.",
        ["Loads", "138", "100.0 %"], ["Plays", "69", "50.0 %"], ["Saw 25 %", "12", "8.7 %"], ["Saw 50 %", "8", "5.8 %"],
        ["Saw 75 %", "8", "5.8 %"], ["Saw 95 %", "4", "2.9 %"],
    ],
    "Before and after": [
        "The file was not swapped in these days. Choose a day to compare the days before and after."
    ],
    "Among its like": ["No other video of this folder is about as long."],
    "Channels": [
        "Plays in a platform's own player are invisible to Wistia.",
        "No clear difference between Facebook and YouTube.",
        ["Facebook", "24", "24", "50.0 %", "0.0 %"], ["YouTube", "20", "20", "50.0 %", "0.0 %"],
    ],
    "Channels by day": [],
    "Where people watch": [
        "By channel, then the UTM source, medium and campaign of the page.",
        ["Facebook", "fb", "spring", "www.example.com/offer", "24", "24", "50.0 %", "0.0 %"],
        ["YouTube", "–", "–", "www.example.com/", "20", "20", "50.0 %", "0.0 %"],
    ],
    "Referrers": [
        LESS_BOTS,
        ["www.google.com", "8", "80.0 %", "12", "60.0 %"], ["none, or not told", "2", "20.0 %", "4", "25.0 %"],
    ],
    "Campaigns, counted twice": [
        ("Wistia's analytics leave out bots, and are read once, a day after each day; sessions hold whatever was "
        "played. Both are of the media days that both have; they are never added up."),
        "By source: 8 plays in the analytics, 22 in sessions.",
        ["Source", "fb", "5", "12", "−7", "50.0 %", "50.0 %"],
        ["Source", "none, or not told", "3", "10", "−7", "40.0 %", "50.0 %"],
        ["Medium", "none, or not told", "22", "22", "0", "40.0 %", "50.0 %"],
        ["Campaign", "spring", "5", "12", "−7", "50.0 %", "50.0 %"],
        ["Campaign", "autumn", "3", "0", "+3", "40.0 %", "–"],
        ["Campaign", "none, or not told", "0", "10", "−10", "–", "50.0 %"],
    ],
    "Pages": [
        LESS_BOTS, THROUGH,
        ["www.example.com/offer", "8", "80.0 %", "13", "45.0 %"], ["all other pages", "2", "20.0 %", "3", "50.0 %"],
    ],
    "By label": [NONE_YET],
    "Countries": [["Germany", "5", "62.5 %", "1 h 30 min", "3"], ["unknown", "3", "37.5 %", "1 h 30 min", "3"]],
    "Devices": [["iOS", "7", "87.5 %", "1 h 30 min", "3"], ["Windows", "1", "12.5 %", "1 h 30 min", "3"]],
    "Languages": [LESS_BOTS, THROUGH, ["en", "6", "75.0 %", "yes"], ["de", "2", "25.0 %", "no"]],
    "Screens": [LESS_BOTS, THROUGH, ["1920x1080", "8", "100.0 %", "13", "45.0 %"]],
    "What changed at Wistia": [["11 Mar 2026", "Tour", "title Old → Tour"]],
    "Days fetched": [
        "1 published, 1 failed, 1 not there, 1 waiting (datasets' days).",
        ["events", "11 Mar 2026", "published", "1", "0", "0", "0"],
        ["events", "12 Mar 2026", "failed", "1", "1", "0", "0"],
        ["media_stats", "11 Mar 2026", "not there", "1", "0", "0", "1"],
        ["media_stats", "12 Mar 2026", "waiting", "1", "0", "1", "0"],
    ],
    "Failed intervals": [["events", "Tour", "12 Mar 2026", "HTTP 500"]],
    "State of the days": [
        ["11 Mar 2026", "stable", "2"], ["12 Mar 2026", "verified against Wistia", "1"], ["12 Mar 2026", "stable", "1"],
    ],
    "Reconciliation": [["events_and_plays", "yes", "1", "1", "0"]],
    "Not in your plan": [
        "Optional datasets that Wistia refuses to this account (403). Nothing else depends on them.",
        ["conversions", "13 Mar 2026, 02:15 UTC", "20 Mar 2026, 02:15 UTC"],
    ],
    "Share of the account": [
        "Of all followed media, whichever are chosen.", "The account's own totals are not available.",
    ],
    "Broken identities": [["12 Mar 2026", "Tour", "events_and_plays", "30", "33.5", "-1", "2"]],
    "Quarantine": [["events", "no key", "3", "11 Mar 2026", "12 Mar 2026"]],
    "How Wistia changed your numbers": [
        "How Wistia's counts of each day moved after they were first read.",
        ["11 Mar 2026", "Tour", "20", "30", "50", "60", "2", "13 Mar 2026, 02:15 UTC", "1"],
    ],
    "Goals and alerts": [
        "What the settings ask to be told, as it was told.",
        [
            "12 Mar 2026", "fell", "Tour", "3 plays on 2026-03-12, about 30 are usual (−90 %)", "withdrawn: restated",
            "13 Mar 2026, 02:15 UTC",
        ],
        [
            "11 Mar 2026", "month", "all media", "120 plays by 2026-03-11: the goal of 100 is reached",
            "early: may still change", "13 Mar 2026, 02:15 UTC",
        ],
    ],
    "Runs": [
        "The newest 50, whatever days and media they were about.",
        ["13 Mar 2026, 02:15 UTC", "succeeded", "scheduled", "live", "90", "r1", "–"],
    ],
}  # fmt: skip
# Charts below each title that has any: what kinds, in order.
CHARTS: dict[str, list[type[Block]]] = {
    "Plays over time": [Days], "Engagement": [Curve], "Funnel": [Bars], "Channels by day": [Stack],
    "Countries": [Bars], "Devices": [Bars], "Languages": [Bars], "Screens": [Bars],
    "Days fetched": [Grid], "State of the days": [Stack],
}  # fmt: skip
DRAWN = (Days, Bars, Curve, Stack, Grid)
UNTITLED = {overview.ANSWER: "answer", overview.HEADLINE: "headline", overview.PICTURE: "picture"}
BY_NAME = {UNTITLED.get(section, section.title): section for section in SECTIONS}
IN_REPORT = [
    UNTITLED.get(section, section.title)
    for section in (*REPORT, *APPENDIX)
    if section.title != video.SWAP.title
]


@pytest.fixture(scope="module")
def query() -> Published:
    return lake()


@pytest.fixture(scope="module")
def looked_at(query: Published) -> View:
    return view(Reader(query), WEEK)


@pytest.fixture(scope="module")
def report(query: Published) -> dict[str, str]:
    """The report's HTML below each title, in order."""
    text = page(query, WEEK)
    titles = "|".join(map(re.escape, ("Definitions", "Data quality", *filter(None, IN_REPORT))))
    parts = re.split(f"<h[23]>({titles})</h[23]>", text[text.index('<h1 class="answer"') :])
    first, tiles = parts[0].split('<dl class="tiles">')
    return {"answer": first, "headline": tiles, **dict(zip(parts[1::2], parts[2::2], strict=True))}


def flat(blocks: Iterable[Block]) -> list[Block]:
    """The blocks, also those beside each other."""
    return [
        part
        for block in blocks
        for part in (flat([*block.left, *block.right]) if isinstance(block, Beside) else [block])
    ]


def read(block: Block) -> list[Any]:
    """A caption, headline numbers, or rows as people read them."""
    match block:
        case Answer(sentence, note):
            return [sentence, note]
        case Notes(lines):
            return list(lines)
        case Text(line):
            return [line]
        case Numbers(numbers):
            return [[n.title, n.value, n.change] for n in numbers]
        case Table():
            return [block.spelled(row) for row in block.rows]
    return []


# the sections themselves


def test_these_are_all_sections_in_their_order() -> None:
    assert list(EXPECTED) == list(BY_NAME)


@pytest.mark.parametrize("name", BY_NAME)
def test_what_a_section_says(looked_at: View, name: str) -> None:
    blocks = flat(BY_NAME[name].blocks(looked_at))
    assert [line for block in blocks for line in read(block)] == EXPECTED[name]
    assert [type(block) for block in blocks if isinstance(block, DRAWN)] == CHARTS.get(name, [])


def test_charts_draw_the_numbers_of_their_tables(looked_at: View) -> None:
    blocks = {name: flat(section.blocks(looked_at)) for name, section in BY_NAME.items()}
    charts = {name: [b for b in blocks[name] if type(b) in CHARTS[name]] for name in CHARTS}
    (plays,), (funnel,), (curve,), (channels,), (fetched,), (states,) = (
        charts[t] for t in
        ("Plays over time", "Funnel", "Engagement", "Channels by day", "Days fetched", "State of the days")
    )  # fmt: skip
    assert (plays.lines, plays.before) == ({"Plays": [35, 34]}, {"Plays": [25, 25]})  # type: ignore[union-attr]
    assert plays.days_before == [BEFORE, date(2026, 3, 10)]  # type: ignore[union-attr]
    assert [(name, n) for name, n, _ in funnel.bars][:2] == [("Loads", 138), ("Plays", 69)]  # type: ignore[union-attr]
    assert curve.lines == {"All time": [1.0, 0.5, 0.25], "This period": [1.0, 0.5, 0.0]}  # type: ignore[union-attr]
    assert channels.parts == {"Facebook": {FIRST: 6}, "other / unknown": {FIRST: 2}}  # type: ignore[union-attr]
    assert fetched.squares == {  # type: ignore[union-attr]
        ("events", FIRST): "published", ("events", LAST): "failed",
        ("media_stats", FIRST): "not there", ("media_stats", LAST): "waiting",
    }  # fmt: skip
    assert states.parts == {  # type: ignore[union-attr]
        "verified against Wistia": {LAST: 1}, "stable": {FIRST: 2, LAST: 1}, "may still change": {},
    }  # fmt: skip


def test_the_share_of_the_account_is_said_and_listed_by_day() -> None:
    observed = "2026-03-15 02:15"
    query = Published({DAILY: days("a", FIRST, [30, 30])})
    query.add("ops.media", [{"media_id": "a"}])
    query.add(
        INTERVALS,
        [{"dataset": "media_by_date", "media_id": "a", "day": d, "state": "published", "observed_at": observed}
         for d in (FIRST, LAST)],
    )  # fmt: skip
    query.add(
        "ops.account",
        [{"date": d, "loads": 100, "plays": plays, "observed_at": observed, "follows_all": False, "reason": ""}
         for d, plays in ((FIRST, 50), (LAST, 60))],
    )  # fmt: skip
    (section,) = (s for s in SECTIONS if s.title == "Share of the account")
    of_another = view(Reader(query), Scope(FIRST, LAST, ("another",)))
    assert [line for b in section.blocks(of_another) for line in read(b)] == [
        "Of all followed media, whichever are chosen.",
        "The followed media are 54.5 % of the account's plays and 60.0 % of its loads, over 2 days.",
        "Nothing followed is missing or counted twice on 2 days that are at rest.",
        ["12 Mar 2026", "30", "60", "50.0 %", "60", "100", "60.0 %", "agrees"],
        ["11 Mar 2026", "30", "50", "60.0 %", "60", "100", "60.0 %", "agrees"],
    ]


def test_a_lake_without_anything_to_show_says_so_in_every_section() -> None:
    query = Published({})
    nothing = view(Reader(query), WEEK)
    shown = {name: [line for b in s.blocks(nothing) for line in read(b)] for name, s in BY_NAME.items()}
    assert shown["answer"][0] == "Nothing is published of these days."
    for name, section in BY_NAME.items():
        if name not in ("answer", "headline", "Plays over time"):
            assert shown[name][-1:] == ([section.empty] if section.empty else [])
    assert len({section.empty for section in SECTIONS}) > 10


def test_what_is_optional_and_off_is_nowhere_to_be_seen() -> None:
    query = Published({DAILY: days("a", BEFORE, [20, 20, 30, 30])})
    optional = [s.title for s in some(SECTIONS) if s.title and not s.empty]
    assert optional == [
        "Calls to action and forms", "Referrers", "Campaigns, counted twice", "Pages", "Languages", "Screens",
        "Not in your plan",
    ]  # fmt: skip
    text = page(query, WEEK)
    assert [title for title in optional if f">{title}<" in text] == []
    for looked_at in PAGES:
        shown = [title for title, _ in by_title(in_the_app(looked_at.path, query, WEEK)) if title]
        assert shown == [s.title for s in looked_at.sections if s.title and s.empty]


# the report


def test_the_report_shows_every_section_in_order(report: dict[str, str]) -> None:
    at = len(REPORT) - 1  # no file was swapped
    assert list(report) == [*IN_REPORT[:at], "Definitions", "Data quality", *IN_REPORT[at:]]


SHOWN = re.compile(
    r'<(?:h1 class="answer"|p class="soft(?: note-line)?")>(?P<text>.*?)</(?:h1|p)>|'
    r'<ul class="notes">(?P<notes>.*?)</ul>|'
    r'<div class="tile">(?P<tile>.*?)</div>|'
    r'<tr>(?P<row><t[hd](?! scope="col").*?)</tr>'
)


@pytest.mark.parametrize("title", IN_REPORT)
def test_the_report_shows_what_the_section_says(report: dict[str, str], title: str) -> None:
    html = report[title]
    lines: list[Any] = []
    for found in re.finditer(SHOWN, html):
        if found["text"]:
            lines.append(plain(found["text"]))
        elif found["notes"]:
            lines += [plain(line) for line in re.findall(r"<li>(.*?)</li>", found["notes"])]
        elif found["tile"]:
            # Behind a term its definition follows, behind a change what it is against; a spark has no words.
            term, *values = re.findall(r"<d[td](?! class=\"spark)[^>]*>(.*?)</d[td]>", found["tile"])
            shown = [
                plain(text.split('<span class="')[0] or text.split("</span>")[0]) for text in (term, *values)
            ]
            lines.append([*shown, *[""] * (3 - len(shown))])
        elif 'class="w"' not in found["row"]:  # bars repeat the rows of the table below them
            lines.append([plain(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", found["row"])])
    assert lines == EXPECTED[title]


@pytest.mark.parametrize("title", [name for name in CHARTS if name in IN_REPORT])
def test_the_report_draws_the_charts_of_the_section(report: dict[str, str], title: str) -> None:
    charts = report[title].count('role="img"') + report[title].count(
        'aria-label="How far people came"><thead'
    )
    charts += len(re.findall(r'aria-label="[^"]*: shares of plays"><thead', report[title]))
    assert charts == len(CHARTS[title])


def plain(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


# the app


def by_title(app: AppTest) -> list[tuple[str, list[Any]]]:
    """What the app draws below each title of a page, in order."""
    shown: list[tuple[str, list[Any]]] = [("", [])]  # the bar, the sentence and the tiles
    for element in app.main:
        if element.type == "header":
            shown.append((element.value, []))
        else:
            shown[-1][1].append(element)
    return shown


@pytest.mark.parametrize("shown_page", PAGES, ids=[p.title for p in PAGES])
def test_the_app_shows_the_same_sections_with_the_same_numbers(query: Published, shown_page: Page) -> None:
    """A page of one media shows the sections of that media: they are those of a view of it."""
    shown = by_title(in_the_app(shown_page.path, query, WEEK))
    scope = Scope(FIRST, LAST, ("b",)) if shown_page.one_media else WEEK  # "Intro" is the first title
    looked_at = view(Reader(query), scope)
    sections = [s for s in shown_page.sections if s.blocks(looked_at)]
    assert [title for title, _ in shown if title] == [s.title for s in sections if s.title]
    for title in dict.fromkeys(s.title for s in sections):
        (elements,) = (elements for shown_title, elements in shown if shown_title == title)
        named = [name for name, section in BY_NAME.items() if section.title == title and section in sections]
        blocks = flat(block for name in named for block in BY_NAME[name].blocks(looked_at))
        _same(named, blocks, elements, by_hand=not shown_page.one_media)


def _same(names: list[str], blocks: list[Block], elements: Any, *, by_hand: bool) -> None:
    captions = [line for e in elements if e.type in ("caption", "text") for line in e.value.split("\n")]
    headings = [b.line for b in blocks if isinstance(b, Heading)]
    expected = (
        [x for n in names for x in EXPECTED[n]] if by_hand else [line for b in blocks for line in read(b)]
    )
    # Below tiles stands what they are compared with.
    against = ["Vs previous 2 days"] if any(isinstance(b, Numbers) for b in blocks) else []
    said = [line for line in captions if line not in headings]
    assert said == [line for line in expected if isinstance(line, str)] + against
    numbers = [[e.label, e.value, e.delta.replace("-", "−")] for e in elements if e.type == "metric"]
    rows = [line for line in expected if isinstance(line, list)]
    assert numbers == rows[: len(numbers)]
    assert bool(numbers) is any(isinstance(b, Numbers) for b in blocks)
    tables = [e.value for e in elements if e.type == "dataframe"]
    cells = [list(row) for table in tables for row in table.itertuples(index=False)]
    assert len(cells) == len(rows[len(numbers) :])
    for spelled, values in zip(rows[len(numbers) :], cells, strict=True):
        assert [c for c in zip(spelled, values, strict=True) if not agrees(*c)] == [], names
    charts = [e for e in elements if e.type == "vega_lite_chart"]
    assert len(charts) == (sum(len(CHARTS.get(n, [])) for n in names) if by_hand else _charts(blocks))


def _charts(blocks: list[Block]) -> int:
    return sum(isinstance(block, DRAWN) for block in blocks)


def agrees(spelled: str, value: Any) -> bool:
    """Whether a cell of the app's table is the number that is spelled: shares are percents there, times are hours."""
    if isinstance(value, str):
        return spelled == value
    if spelled == "–":
        return value is None or value != value
    if hours := re.fullmatch(r"(?:(\d+) h )?(?:(\d+) min)?(?: ?(\d+) s)?", spelled):
        h, m, s = (int(part or 0) for part in hours.groups())
        return abs(value - (h + m / 60 + s / 3600)) < 1 / 60
    if re.fullmatch(r"\d+:\d\d", spelled):
        return abs(value - int(spelled[2:])) <= 0.5
    if isinstance(value, bool):
        return spelled == ("yes" if value else "no")
    if isinstance(value, date):
        return spelled.startswith(f"{value.day} {value:%b %Y}")
    number = float(spelled.removesuffix(" %").replace(",", "").replace("−", "-").replace("+", ""))
    return bool(abs(value - number) <= 0.05)


def test_two_renderers_share_one_list() -> None:
    assert tuple(dict.fromkeys(s for p in PAGES for s in p.sections)) == SECTIONS
    assert all(s.figures for s in some(SECTIONS))


# charts of the report


def test_bars_of_a_stack_lie_on_each_other() -> None:
    parts = [("s0", [6, 0]), ("s1", [2, 4]), ("s2", [1, 1])]
    chart = svg.stack("Plays", parts, ["1 Mar", "2 Mar"], ["one", "two"])
    bars = re.findall(r'<rect x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)" class="(s\d)">', chart)
    scale, ground = 178 / 10, 16 + 178  # ten units are as high as the chart
    drawn = [
        (class_, round((ground - float(y)) / scale, 1), round(float(tall) / scale, 1))
        for y, tall, class_ in bars
    ]
    assert drawn == [
        ("s0", 6.0, 6.0), ("s1", 8.0, 2.0), ("s2", 9.0, 1.0), ("s0", 0.0, 0.0), ("s1", 4.0, 4.0), ("s2", 5.0, 1.0),
    ]  # fmt: skip


def test_a_square_has_the_tone_of_its_state_and_an_unknown_one_is_not_drawn() -> None:
    chart = svg.grid("Days", {"events": ["published", ""], "stats": ["failed", "published"]}, ["1 Mar", "2 Mar"],
                     {"published": "good", "failed": "bad"})  # fmt: skip
    assert re.findall(r'class="(good|bad)"><title>([^<]*)</title>', chart) == [
        ("good", "events, 1 Mar: published"), ("bad", "stats, 1 Mar: failed"), ("good", "stats, 2 Mar: published"),
    ]  # fmt: skip
