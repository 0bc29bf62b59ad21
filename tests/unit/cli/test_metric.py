"""`wistlake metric`, `retention`, `trust`: the same answer as a table, as JSON and as CSV."""

import json
from datetime import date

import pytest

from support.commands import call
from support.handmade import HandMade
from support.published import Published
from wistlake.wiring.laptop import LaptopLake

MEDIA, OTHER = "abcdef1234", "fedcba4321"
PERIOD = ("--from", "2026-03-01", "--to", "2026-03-02")
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _published(lake: HandMade, monkeypatch: pytest.MonkeyPatch) -> None:
    query = Published(
        {
            "silver.dim_media": [
                {"media_id": MEDIA, "title": "=A spring film", "is_deleted": False},
                {"media_id": OTHER, "title": "Beside it", "is_deleted": False},
            ],
            "gold.fact_media_daily": [
                {"media_id": m, "date": date(2026, 3, n), "plays": p, "sessions": p, "certificate": certificate}
                for m, n, p, certificate in (
                    (OTHER, 1, 0, "settled"), (OTHER, 2, 2, "settled"),
                    (MEDIA, 1, 3, "settled"), (MEDIA, 2, 3, "settled"),
                )
            ],
            "silver.media_lifetime": [
                {
                    "media_id": MEDIA, "snapshot_date": date(2026, 3, 2), "play_count": 10, "engagement": 0.5,
                    "engagement_data": [10] * 50 + [4] * 51, "duration_seconds": 100.0,
                }
            ],
        }
    )  # fmt: skip
    monkeypatch.setattr(LaptopLake, "query", lambda _: query)


def test_for_people(capsys: Capture) -> None:
    assert call("metric", "plays", "--by", "media", *PERIOD) == 0
    said = capsys.readouterr().out
    assert "=A spring film" in said
    assert "plays (count): Times it was played" in said
    assert "All days are stable." in said


def test_for_programs(capsys: Capture) -> None:
    assert call("metric", "plays", *PERIOD, "--json", "--compare") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["rows"] == [{"plays": 8, "compared": None, "before": None, "change": None}]
    assert answer["period"] == {"from": "2026-03-01", "to": "2026-03-02"}
    assert {d["certificate"] for d in answer["certificates"]} == {"settled", "not published"}


def test_for_spreadsheets(capsys: Capture) -> None:
    assert call("metric", "plays", "--by", "media", *PERIOD, "--csv") == 0
    assert capsys.readouterr().out.splitlines() == [
        "media_id,title,plays", f"{MEDIA},'=A spring film,6", f"{OTHER},Beside it,2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("by", "first"),
    [
        ((), {"media_id": MEDIA, "title": "=A spring film", "plays": 6}),
        (("--by", "date"), {"date": "2026-03-02", "plays": 5}),
    ],
)
def test_the_top_of_a_dimension_is_what_has_the_most(
    by: tuple[str, ...], first: dict[str, object], capsys: Capture
) -> None:
    assert call("metric", "plays", "--top", "1", *by, *PERIOD, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["rows"] == [first]
    assert answer["notes"][-1] == "The first 1 of 2 rows."


def test_retention_is_shown_in_few_points_and_has_all_for_programs(capsys: Capture) -> None:
    assert call("retention", MEDIA, *PERIOD) == 0
    shown = capsys.readouterr().out
    assert "60 % leave between 0:46 and 0:50." in " ".join(shown.split())
    assert [int(line.split()[0]) for line in shown.splitlines() if line[:1] == " "] == [*range(0, 101, 5)]
    assert call("retention", MEDIA, *PERIOD, "--json") == 0
    points = json.loads(capsys.readouterr().out)["rows"]
    assert [p["all_time"] for p in points] == [1.0] * 50 + [0.4] * 51


def test_trust_names_days_and_what_is_wrong(capsys: Capture) -> None:
    assert call("trust", *PERIOD[:3], "2026-03-03") == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert shown[2:4] == ["2026-03-01 2026-03-02 settled", "2026-03-03 2026-03-03 not published"]
    assert "0 of 4 media days verified against Wistia." in shown
    assert call("trust", *PERIOD, "--media", OTHER, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["rows"] == [{"date": f"2026-03-0{n}", "certificate": "settled"} for n in (1, 2)]
    assert answer["media_days"] == {"settled": 2}
    assert (answer["broken_checks"], answer["failed_intervals"], answer["refused_records"]) == (0, 0, 0)


def test_a_lake_whose_first_day_is_still_to_come_is_no_mistake(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LaptopLake, "query", lambda _: Published({}))
    assert call("trust") == 0
    said = capsys.readouterr().out
    assert "Nothing is published yet: " in said
    assert "Publication" not in said
    assert call("trust", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["rows"], answer["period"], answer["missing_media_days"]) == ([], None, 0)


def test_without_a_name_it_lists_them(capsys: Capture) -> None:
    assert call("metric") == 0
    listed = capsys.readouterr().out
    assert "unique_viewers" in listed
    assert "By: media, title, label, date, week, month, channel" in listed


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("metric", "plais"), "no such metric: plais, did you mean plays?"),
        (("metric", "plays", "--by", "channel"), "plays is not known by channel"),
        (("metric", "plays", "--by", "wek"), "did you mean week?"),
        (("metric", "plays", "--by", ","), "--by names nothing"),
        (("metric", "plays", "--json", "--csv"), "give one of them"),
        (("metric", "plays", "--media", "zzzzzzzzzz"), "no such media in this lake"),
        (("metric", "plays", "--label", "campaign=x"), "no media has a label yet"),
        (("metric", "--top", "3"), "name the metric: `wistlake metric plays`"),
        (("metric", "plays", "--top", "0"), "--top: Input should be greater than or equal to 1"),
        (("metric", "plays", "--top", "many"), "--top: Input should be a valid integer"),
        (("retention", OTHER), f"{OTHER} has no snapshot of the engagement curve"),
        (("retention", "zzzzzzzzzz"), "no such media in this lake"),
        (("retention", "nope"), "MEDIA_ID 'nope' isn't a hashed id"),
        (("trust", "--media", "nope"), "--media 'nope' isn't a hashed id"),
        (("explain", "fact_media_daily", "--media", "nope", "--date", "2026-03-01"), "--media 'nope' isn't"),
        (("trust", "--from", "2027-03-01"), "this lake has 2026-03-01 to 2026-03-02"),
        (("trust", "--media", "zzzzzzzzzz"), "no such media in this lake"),
    ],
)
def test_a_mistake_is_one_line(asked: tuple[str, ...], says: str, capsys: Capture) -> None:
    assert call(*asked) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
