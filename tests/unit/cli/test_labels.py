"""`media label`: what it writes to the ledger, and what it refuses without a change."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.commands import call
from support.handmade import HandMade
from support.published import Published
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.entrypoints.cli import session
from wistlake.ports import LEASE, LEASE_SECONDS
from wistlake.wiring.laptop import LaptopLake

MEDIA, RETIRED = "abcdef1234", "retired001"
NOW = ("--now", "2026-03-05T02:15:00+00:00")
LATER = ("--now", "2026-03-06T02:15:00+00:00")


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ada@example.com")


def label(*arguments: str, code: int = 0) -> None:
    assert call("media", "label", *arguments) == code


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[tuple[str, ...]]:
    capsys.readouterr()
    assert call("media", "label", "list", *arguments, "--json") == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["labels"]
    return [tuple(r[c] for c in ("media_id", "label", "value", "by")) for r in rows]


def test_labels_are_kept_with_who_and_when(lake: HandMade, capsys: pytest.CaptureFixture[str]) -> None:
    label(MEDIA, RETIRED, "channel=Facebook", "campaign=Spring  Sale", *NOW)
    assert "the next `wistlake run` brings this into the tables" in capsys.readouterr().out
    label(MEDIA, "campaign=summer", "audience=नए 🎉", *LATER)
    assert listed(capsys, MEDIA) == [
        (MEDIA, "audience", "नए 🎉", "ada"),
        (MEDIA, "campaign", "summer", "ada"),
        (MEDIA, "channel", "facebook", "ada"),
    ]
    assert len(listed(capsys)) == 5
    assert len(listed(capsys, "--history")) == 6
    ledger = SqliteLedger(lake.folder / "ledger.db", read_only=True)
    [moments] = [{c.label: c.at.day for c in e.changes} for e in ledger.labels() if e.media_id == MEDIA]
    assert moments == {"channel": 5, "campaign": 6, "audience": 6}


def test_what_is_so_already_is_no_change(lake: HandMade, capsys: pytest.CaptureFixture[str]) -> None:
    label(MEDIA, "campaign=spring", *NOW)
    capsys.readouterr()
    label(MEDIA, "campaign=spring", *LATER)
    assert capsys.readouterr().out.strip() == "Changed: none"
    assert len(listed(capsys, "--history")) == 1


def test_labels_are_taken_away(lake: HandMade, capsys: pytest.CaptureFixture[str]) -> None:
    label(MEDIA, "campaign=spring", "audience=new", "mood=good", *NOW)
    label(MEDIA, "mood=", *LATER)
    assert [r[1] for r in listed(capsys)] == ["audience", "campaign"]
    label(MEDIA, "--clear", "campaign=summer", *LATER)
    assert listed(capsys) == [(MEDIA, "campaign", "summer", "ada")]
    label(MEDIA, "--clear", *LATER)
    assert listed(capsys) == []
    assert len(listed(capsys, "--history")) == 7


def test_a_file_is_taken_whole(lake: HandMade, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(f"media_id;campaign;audience\n{MEDIA};spring;\n{RETIRED};;new\n", encoding="utf-8-sig")
    label("--from-csv", str(file), *NOW)
    assert [r[:3] for r in listed(capsys)] == [(MEDIA, "campaign", "spring"), (RETIRED, "audience", "new")]
    file.write_text(f"media_id,mood\n{MEDIA},good\n")
    label("--from-csv", str(file), "--clear", *LATER)
    assert [r[:3] for r in listed(capsys)] == [(MEDIA, "mood", "good"), (RETIRED, "audience", "new")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name media and labels"),
        (("campaign=x",), "name the media by their hashed ids"),
        ((MEDIA,), f"say what {MEDIA} is: LABEL=VALUE"),
        (("short", "campaign=x"), "'short' isn't a hashed id"),
        ((MEDIA, "title=x", "owner=jane@example.com"), "title can't name a label"),
        ((MEDIA, "owner=jane@example.com"), "e-mail address"),
        ((MEDIA, "abcdef1235", "campaign=x"), f"no such media: abcdef1235, did you mean {MEDIA}?"),
        ((MEDIA, "zzzzzzzzzz", "campaign=x"), f"the lake has followed {MEDIA}"),
        ((MEDIA, "campaign=x", "--suggest"), "--suggest goes without ids"),
        (("--suggest", "--to-csv", "x.csv"), "--to-csv and --suggest: give one of them"),
        (("--from-csv", "nowhere.csv"), "nowhere.csv can't be read"),
        ((MEDIA, "--from-csv", "x.csv"), "--from-csv names the media"),
        (("--to-csv", "no/folder/x.csv"), "there is no folder"),
    ],
)
def test_a_mistake_changes_nothing(
    lake: HandMade, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    label(*arguments, *NOW, code=2)
    error = capsys.readouterr().err
    assert said in error
    assert "jane" not in error
    assert "mistake in wistlake" not in error
    assert listed(capsys) == []


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (f"media_id,campaign\n{MEDIA},x\nzzzzzzzzzz,y\n".encode(), "line 3: no such media: zzzzzzzzzz"),
        (
            f"media_id,campaign\n{MEDIA},{'x' * 200}\n".encode(),
            "labels.csv, line 2: campaign has 200 characters",
        ),
        (b"media_id,campaign\n", "names no media"),
        (f"media_id,campaign\n{MEDIA},F\xfcr\n".encode("latin-1"), "isn't in UTF-8"),
    ],
)
def test_a_file_with_a_bad_line_changes_nothing(
    lake: HandMade, tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, said: str
) -> None:
    (tmp_path / "labels.csv").write_bytes(data)
    label("--from-csv", str(tmp_path / "labels.csv"), *NOW, code=2)
    assert said in capsys.readouterr().err
    assert listed(capsys) == []


def test_a_run_that_writes_is_waited_for(lake: HandMade, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = SqliteLedger(lake.folder / "ledger.db")
    with ledger.lease(LEASE, "run-9", session.clock(None)(), LEASE_SECONDS):
        label(MEDIA, "campaign=x", *NOW, code=75)
    assert "run-9" in capsys.readouterr().err


DESCRIBED = [
    {
        "media_id": MEDIA,
        "title": "FBads, =1+1",
        "folder": "🎉",
        "channel": "unclassified",
        "is_deleted": False,
    },
    {"media_id": RETIRED, "title": "Tour", "folder": None, "channel": "unclassified", "is_deleted": False},
]


def test_suggestions_name_the_command(
    lake: HandMade, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LaptopLake, "query", lambda _: Published({"silver.dim_media": DESCRIBED}))
    label("--suggest")
    shown = capsys.readouterr().out
    assert f"wistlake media label {MEDIA} channel=facebook" in shown
    assert call("media", "label", "--suggest", "--json") == 0
    [suggestion] = json.loads(capsys.readouterr().out)["suggestions"]
    assert (suggestion["media_id"], suggestion["label"], suggestion["value"]) == (
        MEDIA,
        "channel",
        "facebook",
    )
    label(MEDIA, "channel=podcast", *NOW)
    capsys.readouterr()
    assert call("media", "label", "--suggest", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"suggestions": []}


def test_the_file_of_all_media_can_be_taken_as_it_is(
    lake: HandMade, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(LaptopLake, "query", lambda _: Published({"silver.dim_media": DESCRIBED}))
    file = tmp_path / "labels.csv"
    label(RETIRED, "mood=-10%", *NOW)
    label("--to-csv", str(file))
    assert "2 media, 1 labels, 1 suggestions" in capsys.readouterr().out
    label("--from-csv", str(file), *LATER)
    assert [r[:3] for r in listed(capsys)] == [(MEDIA, "channel", "facebook"), (RETIRED, "mood", "-10%")]


def test_nothing_can_be_suggested_before_the_first_run(
    lake: HandMade, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LaptopLake, "query", lambda _: Published({}))
    label("--suggest", code=2)
    assert "nothing is published yet" in capsys.readouterr().err
