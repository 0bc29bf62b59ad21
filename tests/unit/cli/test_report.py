"""`wistlake report`: which file it writes, and what it refuses."""

from datetime import date
from pathlib import Path

import pytest

from support.commands import call
from support.handmade import HandMade
from support.published import Published
from wistlake.wiring.laptop import LaptopLake

MEDIA = "abcdef1234"
Capture = pytest.CaptureFixture[str]


def test_chosen_days_never_take_the_place_of_the_lakes_own_report(
    lake: HandMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    own = lake.folder / "report.html"
    own.write_text("of all days")
    assert call("report", "--from", "2026-03-01", "--to", "2026-03-01") == 0
    assert call("report", "--media", MEDIA) == 0
    assert own.read_text() == "of all days"
    written = {path.name for path in tmp_path.glob("wistlake-report-*.html")}
    assert "wistlake-report-2026-03-01-to-2026-03-01.html" in written
    assert len([name for name in written if name.endswith(f"-to-2026-03-02-{MEDIA}.html")]) == 1
    assert call("report") == 0
    assert "<html" in own.read_text()


def test_a_report_of_a_label_or_a_channel(
    lake: HandMade, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    titles = {MEDIA: "A spring film", "other12345": "A summer film"}
    days = [
        {"media_id": m, "date": date(2026, 3, n), "plays": 3, "sessions": 3} for m in titles for n in (1, 2)
    ]
    channels = [{**d, "channel": "facebook"} for d in days if d["media_id"] == MEDIA]
    published = Published(
        {
            "silver.dim_media": [{"media_id": m, "title": t, "is_deleted": False} for m, t in titles.items()],
            "gold.fact_media_daily": [
                {k: v for k, v in d.items() if k != "sessions"} | {"certificate": "settled"} for d in days
            ],
            "gold.channel_daily": [{k: v for k, v in d.items() if k != "plays"} for d in channels],
            "gold.dim_media_label": [{"media_id": MEDIA, "label": "campaign", "value": "Spring 🌷 sale"}],
        }
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(LaptopLake, "query", lambda _: published)
    period = ("--from", "2026-03-01", "--to", "2026-03-02")
    for asked, name in (
        (("--label", "campaign=spring 🌷 sale"), "campaign-spring-sale"),
        (("--channel", "Facebook"), "facebook"),
    ):
        assert call("report", *period, *asked) == 0, capsys.readouterr().err
        text = (tmp_path / f"wistlake-report-2026-03-01-to-2026-03-02-{name}.html").read_text()
        assert "A spring film" in text
        assert "A summer film" not in text or name == "facebook"
    for asked, says in (
        (("--label", "campaign"), "write LABEL=VALUE"),
        (("--label", "campaign=x"), "campaign is one of Spring 🌷 sale"),
        (("--label", "campaign=Spring 🌷 sale", "--media", "other12345"), "none of other12345 has"),
        (("--channel", "facebok"), "did you mean facebook?"),
    ):
        assert call("report", *asked) == 2
        assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("--label", "campaign=x"), "no media has a label yet: `wistlake media label --suggest`"),
        (("--media", "zzzzzzzzzz"), f"zzzzzzzzzz: no such media in this lake. It has {MEDIA} ("),
        (
            ("--from", "2027-01-01"),
            "there are no numbers for these days: this lake has 2026-03-01 to 2026-03-02",
        ),
        (
            ("--to", "2026-02-27"),
            "there are no numbers for these days: this lake has 2026-03-01 to 2026-03-02",
        ),
    ],
)
def test_what_has_no_numbers_is_named_with_what_has_and_nothing_is_written(
    lake: HandMade,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    asked: tuple[str, ...],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    own = lake.folder / "report.html"
    own.write_text("of all days")
    before = {path.name for path in tmp_path.iterdir()}
    assert call("report", *asked) == call("report", *asked, "--out", "elsewhere.html") == 2
    assert says in capsys.readouterr().err
    assert (own.read_text(), {path.name for path in tmp_path.iterdir()}) == ("of all days", before)
