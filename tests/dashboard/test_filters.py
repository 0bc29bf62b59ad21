"""What a filter leaves: every figure holds to it, or says that it can't. And a media is its id, never its title."""

import re
from datetime import date

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.published import DAILY, DIM, Published, days
from dashboard.shown import in_the_app
from wistlake.quality.scope import Scope
from wistlake_dashboard import figures, health
from wistlake_dashboard.app import PAGES, charts
from wistlake_dashboard.app.shell import OF_CHANNELS
from wistlake_dashboard.blocks import Days, Flag, Kind, Stack, Table
from wistlake_dashboard.digest import LONGEST_TITLE, digest
from wistlake_dashboard.names import unique
from wistlake_dashboard.reader import Reader
from wistlake_dashboard.report import page
from wistlake_dashboard.sections import SECTIONS, Page, view
from wistlake_dashboard.sections.section import OF_ALL_CHANNELS

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 15)
WEEK = Scope(date(2026, 3, 9), LAST)


def titled(*titles: str, channel_plays: int = 6) -> Published:
    """A media a title, ids m0, m1, ...: the one with number n has 10 (n + 1) plays a day, each as many sessions
    of Facebook on 9 March."""
    query = Published({})
    for n, title in enumerate(titles):
        m = f"m{n}"
        query.add(DAILY, days(m, FIRST, [10 * (n + 1)] * 14, reached_25=5, reached_95=2))
        query.add(DIM, [{"media_id": m, "title": title, "duration_seconds": 100.0, "is_deleted": False}])
        query.add(
            "silver.fact_events",
            [{"event_key": f"{m}-{k}", "media_id": m, "visitor_id": str(k), "event_date": WEEK.start,
              "event_date_local": WEEK.start, "received_at": "2026-03-09 15:00", "channel": "facebook",
              "percent_viewed": k / channel_plays, "watch_milliseconds": 1000, "duration_seconds": 100.0}
             for k in range(1, channel_plays + 1)],
        )  # fmt: skip
        query.add(
            "gold.channel_daily",
            [{"media_id": m, "date": WEEK.start, "channel": c, "plays_from_events": p}
             for c, p in (("facebook", channel_plays), ("unclassified", 2))],
        )  # fmt: skip
        query.add(
            "silver.media_lifetime",
            [{"media_id": m, "snapshot_date": WEEK.start, "play_count": 4, "engagement": 0.5,
              "engagement_data": [4, 2, 1], "duration_seconds": 3.0}],
        )  # fmt: skip
    return query


def shown(path: str, query: Published) -> AppTest:
    return in_the_app(path, query, WEEK)


def tiles(app: AppTest) -> dict[str, str]:
    return {m.label: m.value for m in app.metric}


def captions(app: AppTest) -> list[str]:
    return [c.value for c in app.caption]


def of_facebook(app: AppTest) -> AppTest:
    app.multiselect(key="channels").set_value(["facebook"]).run()
    assert not app.exception
    return app


# a media is its id


@pytest.mark.parametrize("title", ["Intro (m0)", " Intro "])
def test_the_numbers_are_those_of_the_media_that_was_picked_by_name(title: str) -> None:
    """A browser sends back the name that was picked, not the id behind it; so does Streamlit's test runner."""
    app = shown("video", titled("Intro", title, "Intro"))
    assert len(set(app.selectbox(key="video").options)) == 3
    plays = {}
    for media_id in ("m0", "m1", "m2"):
        app.selectbox(key="video").set_value(media_id).run()
        plays[media_id] = tiles(app)["Plays"]
    assert plays == {"m0": "70", "m1": "140", "m2": "210"}


def test_the_filter_by_media_tells_equal_titles_apart() -> None:
    app = shown("overview", titled("Intro", "Intro"))
    assert sorted(app.multiselect(key="media").options) == ["Intro (m0)", "Intro (m1)"]
    app.multiselect(key="media").set_value(["m1"]).run()
    assert tiles(app)["Plays"] == "140"


@pytest.mark.parametrize(
    "titles",
    [
        {"a": "Intro", "b": "Intro", "c": "Intro (a)", "d": "Other"},
        {"a": "Intro", "b": "intro", "c": "Intro  ", "d": "Other"},
        {"a": "Cafe\u0301", "b": "Caf\u00e9", "c": "\uff23af\u00e9", "d": "Other"},
    ],
)
def test_every_media_has_a_name_of_its_own(titles: dict[str, str]) -> None:
    names = unique(titles)
    assert len(set(names.values())) == len(titles)
    assert names["d"] == "Other"
    assert all(m in names[m] for m in ("a", "b", "c"))


def test_long_titles_that_begin_alike_are_told_apart_in_a_message() -> None:
    alike = "A very long title " * 5
    query = titled(f"{alike} one", f"{alike} two")
    query.change("UPDATE gold.fact_media_daily SET plays = 0 WHERE date < DATE '2026-03-09'")
    moved = [line for line in digest(query).lines if line.startswith("  ")]
    assert len(moved) == 2
    assert "(m1)" in moved[0]
    assert "(m0)" in moved[1]
    assert all(len(line) < LONGEST_TITLE + 40 for line in moved)


def test_the_report_tells_equal_titles_apart_in_every_section() -> None:
    text = page(titled("Intro", "Intro"), WEEK)
    for section in ("Top ten videos", "Engagement"):
        shown = text.split(f"<h2>{section}</h2>")[1].split("<h2>")[0]
        assert "Intro (m0)" in shown
        assert "Intro (m1)" in shown
    assert ">Intro<" not in text


# channels


def test_under_a_channel_the_funnel_begins_with_its_sessions_and_ends_as_the_tile_says() -> None:
    app = of_facebook(shown("video", titled("Intro")))
    of_media = Scope(WEEK.start, LAST, ("m0",), ("facebook",))
    steps = figures.funnel(figures.compare(titled("Intro"), of_media).whole.now)
    assert steps[0] == ("sessions", 6)
    assert [n for _, n in steps] == [6, 5, 4, 2, 1]
    table = next(d.value for d in app.dataframe if "step" in d.value)
    assert table["step"].iloc[0] == "Plays"
    assert [f"{s:.1f} %" for s in (table["share"].iloc[0], table["share"].iloc[-1])] == ["100.0 %", "16.7 %"]


def test_without_a_channel_the_funnel_begins_with_loads() -> None:
    steps = figures.funnel(figures.compare(titled("Intro"), WEEK).whole.now)
    assert steps[:3] == [("loads", 140), ("plays", 70), ("reached_25", 35)]


def test_under_a_channel_each_page_says_what_is_of_all_channels() -> None:
    for looked_at in PAGES:
        app = shown(looked_at.path, titled("Intro"))
        assert OF_CHANNELS not in captions(app)
        assert OF_CHANNELS in captions(of_facebook(app))


@pytest.mark.parametrize("looked_at", PAGES, ids=[p.title for p in PAGES])
def test_under_a_channel_each_section_that_is_of_all_says_so(looked_at: Page) -> None:
    app = shown(looked_at.path, titled("Intro"))
    assert OF_ALL_CHANNELS not in captions(app)
    of_all = [section for section in looked_at.sections if section.empty and not section.by_channel]
    assert captions(of_facebook(app)).count(OF_ALL_CHANNELS) == len(of_all)


def test_retention_labels_and_the_state_of_the_lake_are_of_all_channels() -> None:
    of_all = [section.title for section in SECTIONS if not section.by_channel]
    assert of_all == [
        "Calls to action and forms", "Engagement", "Referrers", "Campaigns, counted twice", "Pages", "By label",
        "Languages", "Screens", "What changed at Wistia", "Days fetched", "Failed intervals", "State of the days",
        "Reconciliation", "Not in your plan",
        "Share of the account", "Broken identities", "Quarantine", "How Wistia changed your numbers",
        "Goals and alerts", "Runs",
    ]  # fmt: skip


def test_a_channel_with_conversions_alone_does_not_break_its_page() -> None:
    query = titled("Intro")
    query.add(
        "gold.channel_daily",
        [{"media_id": "m0", "date": WEEK.start, "channel": "email", "plays_from_events": 0}],
    )
    assert not shown("traffic", query).exception


def test_what_no_rule_fits_is_other_or_unknown_and_never_wins() -> None:
    query = titled("Intro")
    query.change("UPDATE silver.fact_events SET channel = 'unclassified' WHERE event_key IN ('m0-1', 'm0-2')")
    (section,) = (s for s in SECTIONS if s.title == "Channels")
    (table,) = (b for b in section.blocks(view(Reader(query), WEEK)) if isinstance(b, Table))
    assert [table.spelled(row)[:2] for row in table.rows] == [["Facebook", "4"], ["other / unknown", "2"]]


# how often counts moved


def test_readings_and_the_last_move_never_contradict() -> None:
    query = Published({
        "silver.media_by_date_observations": """
        media_id | date       | observed_at      | load_count | play_count | hours_watched_modelled
        a        | 2026-03-09 | 2026-03-10 02:15 | 10         | 4          | 1.0
        a        | 2026-03-09 | 2026-03-11 02:15 | 10         | 4          | 1.1
        a        | 2026-03-09 | 2026-03-12 02:15 | 10         | 4          | 1.2
        b        | 2026-03-09 | 2026-03-10 02:15 | 10         | 4          | 1.0
        b        | 2026-03-09 | 2026-03-11 02:15 | 11         | 4          | 1.0
        b        | 2026-03-09 | 2026-03-12 02:15 | 11         | 4          | 1.3
        """
    })  # fmt: skip
    a, b = health.revisions(query, WEEK)
    assert (a["readings"], a["moved_at"], a["restated"]) == (1, None, 2)
    assert (b["readings"], b["moved_at"].day, b["restated"]) == (2, 11, 1)


# charts


PLAYS = {date(2026, 10, d): d for d in (29, 31)}


def test_a_bar_is_a_band_named_by_its_own_day_and_nothing_else() -> None:
    spec = charts.stack(Stack("Plays", "Plays", list(PLAYS), {"x": PLAYS})).to_dict()
    x = spec["encoding"]["x"]
    assert x["type"] == "ordinal"
    assert x["scale"]["domain"] == x["axis"]["values"] == ["2026-10-29", "2026-10-30", "2026-10-31"]
    (data,) = spec["datasets"].values()
    assert [(d["day"], d["when"]) for d in data] == [
        ("2026-10-29", "29 Oct 2026"),
        ("2026-10-31", "31 Oct 2026"),
    ]


def test_a_line_breaks_where_nothing_is_known() -> None:
    days = [date(2026, 3, d) for d in (1, 2, 3)]
    block = Days("Plays", days, {"Plays": [5, None, 7]}, Kind.COUNT)
    spec = charts.days(block).to_dict()
    data = spec["datasets"][spec["layer"][0]["data"]["name"]]
    assert [d["value"] for d in data] == [5, None, 7]


def test_a_chart_with_a_note_still_has_its_lines() -> None:
    day = date(2026, 3, 1)
    flags = [Flag(day, "Intro", "file swapped")]
    spec = charts.days(Days("Plays", [day], {"Plays": [5]}, Kind.COUNT, flags=flags)).to_dict()
    lines, dots, rule, _ = spec["layer"]
    assert [d["value"] for d in spec["datasets"][lines["data"]["name"]]] == [5]
    assert dots["data"] == lines["data"]
    assert [d["media"] for d in spec["datasets"][rule["data"]["name"]]] == ["Intro"]


# labels


def labelled() -> Published:
    query = titled("Intro", "Tour", "Outro")
    query.add(
        "gold.dim_media_label",
        [
            {"media_id": m, "label": label, "value": value}
            for m, label, value in (
                ("m0", "campaign", "spring"), ("m1", "campaign", "summer"), ("m2", "campaign", "spring"),
                ("m2", "audience", "नए 🎉"),
            )
        ],
    )  # fmt: skip
    return query


def test_the_filter_by_label_leaves_the_media_that_have_it() -> None:
    app = shown("overview", labelled())
    assert app.multiselect(key="labels").options == ["audience=नए 🎉", "campaign=spring", "campaign=summer"]
    for chosen, plays in (
        (["campaign=spring"], "280"),
        (["campaign=spring", "campaign=summer"], "420"),
        (["campaign=spring", "audience=नए 🎉"], "210"),
    ):
        app.multiselect(key="labels").set_value(chosen).run()
        assert not app.exception
        assert tiles(app)["Plays"] == plays
    app.multiselect(key="labels").set_value(["campaign=summer", "audience=नए 🎉"]).run()
    assert not app.exception
    assert "Plays" not in tiles(app) or tiles(app)["Plays"] in ("0", "-", "–")


def test_without_a_label_there_is_no_such_filter_and_the_report_says_how_to_give_one() -> None:
    app = shown("overview", titled("Intro"))
    assert "labels" not in [m.key for m in app.multiselect]
    text = page(titled("FBads intro", "Tour", "Outro"), WEEK)
    section = text.split("<h2>By label</h2>")[1].split("<h2>")[0]
    assert "No video has a label yet" in section
    assert "audience" in section
    assert "wistlake media label" in section


def test_a_report_with_labels_has_the_plays_of_each() -> None:
    text = page(labelled(), WEEK)
    section = text.split("<h2>By label</h2>")[1].split("<h2>")[0]
    assert "No video has a label yet" not in section
    rows = [re.findall(r"<t[dh][^>]*>([^<]*)", row) for row in section.split("<tr>")]
    assert [row[:4] for row in rows[-3:]] == [
        ["audience", "नए 🎉", "1", "210"],
        ["campaign", "spring", "2", "280"],
        ["campaign", "summer", "1", "140"],
    ]
