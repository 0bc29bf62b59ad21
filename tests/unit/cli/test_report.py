"""`wistlake report`: which file it writes, and what it refuses."""

from pathlib import Path

import pytest

from support.commands import call
from support.handmade import HandMade

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


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("--media", "zzzzzzzzzz"), f"--media zzzzzzzzzz: no such media in this lake. It has {MEDIA} ("),
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
