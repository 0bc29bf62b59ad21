"""Titles and names reach people as text: no order to a terminal, no turned writing, no line of their own."""

import csv
import io
import json
import sys
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
import structlog

from wistlake.adapters.notify import plain, slack_message
from wistlake.entrypoints.cli import main, output, session
from wistlake.errors import WistlakeError
from wistlake.foreign import one_line, printable
from wistlake.ports import Notice
from wistlake_dashboard.html import tag
from wistlake_dashboard.reader import rows

HARM = "a\x1b[2Jb\x9b31mc\x07\x08\x00\u202edcba\u2066e\u200ff\u061cg\ufeffh\U000e0041i"
FORGED = "\r\nerror: forged\u2028error: forged\u2029error: forged\x85error: forged\x0berror: forged"
TITLE = HARM + FORGED
ACTING = {c for c in HARM if not c.isascii() or not c.isprintable()} | set("\r\u2028\u2029\x85\x0b")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Demo: 50 % off – “now”", "Demo: 50 % off – “now”"),
        ("日本語 العربية עברית हिन्दी", "日本語 العربية עברית हिन्दी"),
        ("👩‍👩‍👧 family, می‌خواهم", "👩‍👩‍👧 family, می‌خواهم"),
        ("e\u0301 ❤\ufe0f", "e\u0301 ❤\ufe0f"),
        ("a\x1b[31mb", "a\ufffd[31mb"),
        ("a\u202eb\u202c", "a\ufffdb\ufffd"),
        ("a\r\nb\nc\rd\te", "a b c d e"),
        ("a\u2028b\u2029c\x85d\x0be\x0cf\x1cg", "a b c d e f g"),
        ("\ud800", "\ufffd"),
        ("", ""),
    ],
)
def test_a_value_is_one_line_that_only_shows(text: str, shown: str) -> None:
    assert one_line(text) == shown


def test_our_own_sentences_keep_their_lines() -> None:
    assert printable("one\n\ttwo\x1b\r\n\u202ethree") == "one\n\ttwo\ufffd \n\ufffdthree"


def drawn(columns: list[str], rows: list[list[Any]]) -> None:
    output.table(TITLE, columns, rows)


def csv_of(columns: list[str], rows: list[list[Any]]) -> None:
    output.rows(pa.table({columns[0]: [row[0] for row in rows]}), "csv")


def json_of(columns: list[str], rows: list[list[Any]]) -> None:
    output.rows(pa.table({columns[0]: [row[0] for row in rows]}), "json")


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
@pytest.mark.parametrize("way", [drawn, csv_of, json_of])
def test_a_table_shows_titles_and_key_names_as_text(
    way: Callable[..., None],
    terminal: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")  # a narrow table breaks long titles by itself
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    monkeypatch.setenv("TERM", "dumb")
    way([TITLE], [[TITLE], ["[red]plain[/red]"]])
    said = capsys.readouterr().out
    assert "forged" in said
    assert not set(said) & ACTING
    assert not [line for line in said.splitlines() if line.startswith("error:")]


def test_lines_warnings_and_errors_give_no_orders(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(**_: Any) -> None:
        raise WistlakeError(HARM)

    output.say(HARM)
    output.warn(HARM)
    monkeypatch.setattr(main, "app", failing)
    with pytest.raises(SystemExit):
        main.main(())
    said = capsys.readouterr()
    assert said.out.count("dcba") == 1
    assert said.err.count("dcba") == 2
    assert not set(said.out + said.err) & ACTING


class Terminal(io.StringIO):
    """Standard error as a person sees it."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_a_log_has_no_forged_line(stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = stream()
    monkeypatch.setattr(sys, "stderr", seen)
    monkeypatch.setenv("NO_COLOR", "1")
    before = structlog.get_config()
    try:
        session.configure_logs()
        structlog.get_logger().warning(TITLE, title=TITLE, fields=[TITLE], count=1)
    finally:
        structlog.configure(**before)
    said = seen.getvalue()
    assert said.count("forged") >= 3
    assert len(said.splitlines()) == 1
    assert not set(said) & ACTING


def test_a_notice_gives_no_orders() -> None:
    notice = Notice(HARM, HARM, failed=False, facts={HARM: HARM, "list": [HARM]})
    for message in (plain(notice), slack_message(notice)):
        said = json.dumps(message, ensure_ascii=False)
        assert "dcba" in said
        assert not set(said) & ACTING


class Titles:
    """A reader of one title."""

    def sql(self, text: str) -> pa.Table:
        return pa.table({"media_id": ["m1"], "title": [TITLE], "plays": [3]})


def test_figures_name_media_on_one_line() -> None:
    """Report, dashboard and digest read through here."""
    (row,) = rows(Titles(), "SELECT")
    assert row["plays"] == 3
    assert "forged" in row["title"]
    assert not set(row["title"]) & (ACTING | {"\n"})


def test_a_page_turns_no_writing_around() -> None:
    page = tag("p", HARM, title=HARM)
    assert page.count("dcba") == 2
    assert not set(page) & ACTING


def test_a_csv_cell_begins_no_row() -> None:
    from wistlake_dashboard.spreadsheet import to_csv

    text = to_csv(["title"], [{"title": TITLE}])
    assert len(text.splitlines()) == 2
    assert len(list(csv.reader(io.StringIO(text)))) == 2
