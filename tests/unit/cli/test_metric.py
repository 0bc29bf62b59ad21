"""`wistlake metric`: the same answer as a table, as JSON and as CSV."""

import json
from datetime import date

import pytest

from support.commands import call
from support.handmade import HandMade
from support.published import Published
from wistlake.wiring.laptop import LaptopLake

MEDIA = "abcdef1234"
PERIOD = ("--from", "2026-03-01", "--to", "2026-03-02")
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _published(lake: HandMade, monkeypatch: pytest.MonkeyPatch) -> None:
    query = Published(
        {
            "silver.dim_media": [{"media_id": MEDIA, "title": "=A spring film", "is_deleted": False}],
            "gold.fact_media_daily": [
                {
                    "media_id": MEDIA,
                    "date": date(2026, 3, n),
                    "plays": 3,
                    "sessions": 3,
                    "certificate": "settled",
                }
                for n in (1, 2)
            ],
        }
    )
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
    assert answer["rows"] == [{"plays": 6, "compared": None, "before": None, "change": None}]
    assert answer["period"] == {"from": "2026-03-01", "to": "2026-03-02"}
    assert {d["certificate"] for d in answer["certificates"]} == {"settled", "not published"}


def test_for_spreadsheets(capsys: Capture) -> None:
    assert call("metric", "plays", "--by", "media", *PERIOD, "--csv") == 0
    assert capsys.readouterr().out.splitlines() == ["media_id,title,plays", f"{MEDIA},'=A spring film,6"]


def test_without_a_name_it_lists_them(capsys: Capture) -> None:
    assert call("metric") == 0
    listed = capsys.readouterr().out
    assert "unique_viewers" in listed
    assert "By: media, title, label, date, week, month, channel" in listed


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("plais",), "no such metric: plais, did you mean plays?"),
        (("plays", "--by", "channel"), "plays is not known by channel"),
        (("plays", "--by", "wek"), "did you mean week?"),
        (("plays", "--by", ","), "--by names nothing"),
        (("plays", "--json", "--csv"), "give one of them"),
        (("plays", "--media", "zzzzzzzzzz"), "no such media in this lake"),
        (("plays", "--label", "campaign=x"), "no media has a label yet"),
    ],
)
def test_a_mistake_is_one_line(asked: tuple[str, ...], says: str, capsys: Capture) -> None:
    assert call("metric", *asked) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
