"""Values of options: what is taken, and what is refused with the way to write it."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import typer

from wistlake.entrypoints.cli.options import day, file_to_write, in_order, moment, seconds
from wistlake.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T02:15Z", datetime(2026, 11, 21, 2, 15, tzinfo=UTC)),
        ("2026-11-21T02:15", datetime(2026, 11, 21, 2, 15, tzinfo=UTC)),
        ("2026-11-21T02:15+05:30", datetime(2026, 11, 20, 20, 45, tzinfo=UTC)),
        ("2000-01-01", datetime(2000, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_time_is_of_utc_or_of_its_offset(text: str, expected: datetime) -> None:
    assert moment(text) == expected
    assert moment(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["", "soon", "1999-12-31T23:59", "2200-01-01T00:00", "2026-13-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write 2026-11-21T02:15Z"):
        moment(text)


@pytest.mark.parametrize("text", ["2000-01-01", "2026-11-21", "2199-12-31"])
def test_a_day_is_taken_as_it_is_written(text: str) -> None:
    assert day(text) == date.fromisoformat(text)


@pytest.mark.parametrize("text", ["", "today", "1999-12-31", "2200-01-01", "2026-02-30", "2026-11-21T02:15"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write 2026-11-21"):
        day(text)


@pytest.mark.parametrize("text", ["0", "0.5", "600"])
def test_seconds_are_taken_up_to_what_no_client_waits_for(text: str) -> None:
    assert seconds(text) == float(text)


@pytest.mark.parametrize("text", ["", "-0.1", "600.1", "nan", "inf", "a minute"])
def test_what_are_no_seconds_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write seconds, 0 to 600"):
        seconds(text)


def test_a_file_is_named_in_a_folder_that_is_there(tmp_path: Path) -> None:
    assert file_to_write(tmp_path / "report.html", "--to") == tmp_path / "report.html"
    with pytest.raises(ConfigError, match=r"--to .* is a folder"):
        file_to_write(tmp_path, "--to")
    with pytest.raises(ConfigError, match=r"--to .* there is no folder"):
        file_to_write(tmp_path / "nowhere" / "report.html", "--to")


def test_days_are_named_in_order() -> None:
    first, last = date(2026, 3, 1), date(2026, 3, 2)
    for start, end in ((first, last), (first, first), (None, last), (first, None), (None, None)):
        in_order(start, end)
    with pytest.raises(ConfigError):
        in_order(last, first)
