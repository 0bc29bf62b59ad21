"""What all commands share: how errors end, what logs show, how a table is drawn, a lake's time, what `init` asks."""

import asyncio
import io
import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
import typer
from rich.console import Console

from support.commands import call
from support.handmade import HandMade
from support.memory import MemoryLedger
from wistlake.entrypoints.cli import (
    cells,
    dashboard,
    digest,
    main,
    options,
    output,
    progress,
    runs,
    session,
    setup,
)
from wistlake.errors import ConfigError, SourceUnavailable, WistlakeError
from wistlake.insight.doctor import FAILED, OK, Check
from wistlake.ports import Run
from wistlake.wiring.laptop import LaptopLake
from wistlake.zones import of_this_machine

NOW = datetime(2026, 3, 5, 2, 15, tzinfo=UTC)
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Callable[[Exception], None]:
    """Makes `wistlake gaps` end with an error."""

    def of(error: Exception) -> None:
        def broken(*_: Any, **__: Any) -> None:
            raise error

        monkeypatch.setattr(session, "lake", broken)

    return of


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


# errors


@pytest.mark.parametrize(
    ("error", "is_new_here"),
    [
        (ConfigError("WISTIA_API_TOKEN is not set: do"), True),
        (ConfigError("MEDIA_IDS is empty: do"), True),
        (SourceUnavailable("no answer"), False),
    ],
)
def test_an_error_is_one_message_and_its_code(
    raising: Callable[[Exception], None], capsys: Capture, error: WistlakeError, is_new_here: bool
) -> None:
    raising(error)
    assert call("gaps") == error.exit_code
    text = capsys.readouterr().err
    assert text.startswith(f"error: {error}\n")
    assert ("wistlake demo" in text) is is_new_here


@pytest.mark.parametrize("verbose", [True, False])
def test_a_mistake_of_ours_shows_neither_values_nor_without_being_asked_a_traceback(
    raising: Callable[[Exception], None], capsys: Capture, verbose: bool
) -> None:
    raising(ValueError("a@b.example"))
    assert call(*(["--verbose"] if verbose else []), "gaps") == WistlakeError.exit_code
    text = capsys.readouterr().err
    assert text.startswith("error: ValueError, which is a mistake in wistlake")
    assert ("Traceback" in text) is verbose


def test_a_full_disk_is_named_as_what_failed(
    raising: Callable[[Exception], None], capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    raising(ValueError("something"))
    monkeypatch.setattr("wistlake.wiring.lake.disk_trouble", lambda settings: "the disk is full: make room")
    call("gaps")
    assert capsys.readouterr().err.startswith("error: the disk is full: make room")


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (3, 3), (None, 0), ("a text", 1)])
def test_the_process_ends_with_the_code_of_its_command(
    monkeypatch: pytest.MonkeyPatch, code: Any, expected: int
) -> None:
    codes: list[int] = []

    def ended() -> None:
        raise SystemExit(code)

    monkeypatch.setattr(main, "main", ended)
    monkeypatch.setattr(os, "_exit", codes.append)
    main.console()
    monkeypatch.setattr(main, "main", lambda: None)
    main.console()
    assert codes == [expected, 0]


# logs


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("form", "verbose", "shown"),
    [
        ("json", False, "iwe"),
        ("json", True, "diwe"),
        ("text", False, "we"),
        ("text", True, "diwe"),
        ("", False, "we"),
    ],
)
@pytest.mark.parametrize("terminal", [False, True])
def test_logs_are_json_or_lines_for_people_and_as_many_as_are_wanted(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, form: str, verbose: bool, shown: str
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setenv("WISTLAKE_LOG", form)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("NO_COLOR", "1")
    session.configure_logs(verbose=verbose)
    log = structlog.get_logger()
    for level, word in (
        (logging.DEBUG, "d"),
        (logging.INFO, "i"),
        (logging.WARNING, "w"),
        (logging.ERROR, "e"),
    ):
        log.log(level, f"event {word}", value="two\nlines", number=5, nothing=None)
    printed = stream.getvalue().splitlines()
    assert [word for word in "diwe" if any(f"event {word}" in line for line in printed)] == list(shown)
    assert len(printed) == len(shown)
    if form != "json":
        assert "\x1b" not in stream.getvalue()
        assert all("two lines" in line and "number=5" in line and "nothing=None" in line for line in printed)
    else:
        logged = json.loads(printed[0])
        assert (logged["value"], logged["number"], logged["nothing"]) == ("two\nlines", 5, None)
        assert datetime.fromisoformat(logged["timestamp"]).utcoffset() == timedelta(0)


def test_a_retry_is_one_plain_line(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    session.configure_logs()
    structlog.get_logger().bind(media_id="m1").warning("Can't reach Wistia, retry 3/9 in 8 s", retry=3)
    assert stream.getvalue() == "Can't reach Wistia, retry 3/9 in 8 s\n"


@pytest.mark.parametrize(("columns", "width"), [("", 100), ("60", 60)])
def test_a_pipe_is_as_wide_as_it_says_and_cuts_no_table(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    output.sentence("word " * 60)
    lines = capsys.readouterr().out.splitlines()
    assert width - 5 <= max(map(len, lines)) <= width
    wide = " ".join(["a cell"] * 60)
    output.table("", ("name", "value"), [(wide, 1)])
    assert wide in capsys.readouterr().out


def test_logs_follow_a_stream_that_takes_the_place_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    session.configure_logs()
    log = structlog.get_logger()
    log.warning("one")
    monkeypatch.setattr(sys, "stderr", second)
    log.warning("two")
    assert ("one" in first.getvalue(), "two" in first.getvalue(), "two" in second.getvalue()) == (
        True,
        False,
        True,
    )


def test_an_unknown_form_of_logs_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WISTLAKE_LOG", "xml")
    with pytest.raises(SystemExit) as ended:
        main.main(["status"])
    assert (ended.value.code, capsys.readouterr().err) == (2, "error: WISTLAKE_LOG='xml': text or json\n")


def test_nothing_is_coloured_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.delenv("NO_COLOR", raising=False)
    session.configure_logs()
    structlog.get_logger().warning("event")
    assert "event" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("arguments", [["--version"], ["-h"], ["run", "-h"]])
def test_the_usual_short_questions_are_answered(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(arguments)
    assert not ended.value.code
    assert re.match(r"wistlake \d+\.\d+\.\d+\n$|Usage: ", capsys.readouterr().out)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_logged_traceback_shows_no_values(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    stream = io.StringIO()
    monkeypatch.setenv("WISTLAKE_LOG", form)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("NO_COLOR", "1")
    session.configure_logs()
    secret = "".join(("swo", "rd", "fish"))
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        structlog.get_logger().exception("it failed")
    assert "RuntimeError: broken" in stream.getvalue().replace("\\n", "\n")
    assert secret not in stream.getvalue()


def test_lines_in_colour_where_nobody_refused_them(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.delenv("NO_COLOR", raising=False)
    session.configure_logs()
    structlog.get_logger().warning("event")
    assert "\x1b[" in stream.getvalue()


# the time of a lake, and the name of a run


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], None),
        ([("scheduled", "simulated", 0)], NOW),
        ([("scheduled", "live", 0)], None),
        (
            [
                ("scheduled", "simulated", 0),
                ("rebuild", "simulated", 5),
                ("rotate", "live", 6),
                ("forget", "live", 7),
            ],
            NOW,
        ),
        ([("scheduled", "simulated", 0), ("manual", "live", 1)], None),
        ([("manual", "live", 0), ("repair", "simulated", 2)], NOW + timedelta(hours=2)),
    ],
)
def test_a_lake_of_simulated_days_stands_where_its_last_fetch_was(
    runs: list[tuple[str, str, int]], expected: datetime | None
) -> None:
    ledger = MemoryLedger()
    for number, (trigger, origin, hours) in enumerate(runs):
        ledger.put_run(Run(f"r{number}", trigger, origin, "succeeded", NOW + timedelta(hours=hours)))
    before = datetime.now(UTC)
    at = session.as_of(None, ledger)
    assert at == expected if expected else before <= at <= datetime.now(UTC)
    assert session.as_of(NOW - timedelta(days=9), ledger) == NOW - timedelta(days=9)


def test_runs_are_named_by_their_time_and_never_alike() -> None:
    ids = {session.new_run_id(NOW) for _ in range(50)}
    assert len(ids) == 50
    assert {i[:17] for i in ids} == {"20260305T021500Z-"}
    assert {len(i) for i in ids} == {25}


# lists of names


@pytest.mark.parametrize(
    ("value", "expected"), [(None, ()), ("a", ("a",)), (" a , b,", ("a", "b")), ("", None), (" , ", None)]
)
def test_a_list_that_names_nothing_does_not_mean_everything(
    value: str | None, expected: tuple[str, ...] | None
) -> None:
    if expected is None:
        with pytest.raises(ConfigError, match="--datasets names nothing"):
            options.names(value)
    else:
        assert options.names(value) == expected


@pytest.mark.parametrize("value", ["all", "short", "a" * 33, "abc-def", "abcdef1234,x y"])
def test_what_can_be_no_media_is_refused(value: str) -> None:
    with pytest.raises(ConfigError, match="isn't a hashed id"):
        options.media_ids(value)


def test_one_media_is_exactly_one() -> None:
    assert options.media_ids("abcdef,zzzzzz1") == ("abcdef", "zzzzzz1")
    assert options.one_media_id("a" * 32) == "a" * 32
    for value in (None, "abcdef,zzzzzz1"):
        with pytest.raises(ConfigError, match="name one media"):
            options.one_media_id(value)


@pytest.mark.parametrize(
    ("typed", "completed"),
    [("ev", ["events"]), ("events,media_b", ["events,media_by_date"]), ("zz", [])],
)
def test_the_last_name_of_a_list_is_completed(typed: str, completed: list[str]) -> None:
    assert options.dataset_names(typed) == completed


# tables


class Narrow(Console):
    """A terminal of forty columns."""

    def __init__(self) -> None:
        super().__init__(force_terminal=True, width=40, no_color=True, file=sys.stdout)


ROWS = [
    {"id": "abcdef1234", "n": 1234567, "at": NOW, "x": "unseen"},
    {"id": "", "n": None, "at": None, "x": ""},
]


def test_a_table_that_a_terminal_can_not_hold_becomes_lines(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "_console", Narrow)
    output.table("Title", ("id", "n", "at"), ROWS)
    fits = capsys.readouterr().out
    assert "2026-03-05 02:15Z" in fits
    assert "  id  " not in fits
    output.table("Title", ("id", "n", "at", "number"), [{**row, "number": 0.25} for row in ROWS])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:6] == ["Title", "  id      abcdef1234", "  n       1,234,567", "  at      2026-03-05 02:15Z",
                         "  number  0.25", ""]  # fmt: skip
    assert lines[6:] == ["  number  0.25", ""]  # what is empty has no line


@pytest.mark.parametrize(("words", "in_lines"), [(38, False), (39, True)])
def test_a_terminal_holds_as_many_characters_as_it_is_wide(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, words: int, in_lines: bool
) -> None:
    """A column of one character, two blanks between, and the longest word of the other column."""
    monkeypatch.setattr(output, "_console", Narrow)
    output.table("", ("a", "b"), [(1, f"{'w' * (words - 1)} short")])
    assert capsys.readouterr().out.startswith("  a  1") is in_lines


def test_numbers_stand_at_the_right_and_words_at_the_left(capsys: Capture) -> None:
    output.table(
        "", ("word", "number", "flag"), [("abcdefgh", 1, True), ("a", 12345, False), ("b", None, None)]
    )
    _, _, first, second, third, *_ = capsys.readouterr().out.splitlines()
    assert (first.rstrip(), second.rstrip()) == ("abcdefgh       1  True", "a         12,345  False")
    assert third.split() == ["b"]


def test_a_table_in_a_pipe_is_as_wide_as_it_needs_to_be(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    words = " ".join(["word"] * 39)
    output.table("Long", ("text",), [(words,)])
    assert words in capsys.readouterr().out
    assert output.width() == 100


def test_a_title_in_a_pipe_is_one_line_however_narrow_the_table(capsys: Capture) -> None:
    title = "A month of such runs in 2 stages (us-east-1, prices of January 2025)"
    output.table(title, ("a",), [(1,)])
    assert capsys.readouterr().out.splitlines()[0] == title


def test_a_long_sentence_is_broken_between_words_on_a_terminal_and_whole_in_a_pipe(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    long = f"Followed: {'w' * 30} 100.0 % of the well-watched account's plays."
    output.sentence(long)
    assert capsys.readouterr().out == f"{long}\n"
    monkeypatch.setattr(output, "_console", Narrow)
    output.sentence(long)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"Followed: {'w' * 30}", "100.0 % of the well-watched account's", "plays."]


def test_a_title_without_rows_and_markup_in_cells(capsys: Capture) -> None:
    output.table("Title", ("a",), [])
    assert capsys.readouterr().out == "Title: none\n"
    output.table("", ("[bold]a",), [])
    assert capsys.readouterr().out.startswith("[bold]a")
    output.table("[red]T :rocket:", ("a",), [("[bold]x[/bold] :rocket:",)])
    text = capsys.readouterr().out
    assert "[red]T :rocket:" in text
    assert "[bold]x[/bold] :rocket:" in text
    assert "\\" not in text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (9999.5, "1e+04"), (9999.4, "9,999"), (10_000.0, "10,000"), (-12345.6, "-12,346"), (0.5, "0.5"), (True, "True"),
        (1234, "1,234"), (None, ""), ("a\nb", "a b"), (datetime(2026, 3, 5, 2, 15), "2026-03-05 02:15"),  # noqa: DTZ001
    ],
)  # fmt: skip
def test_a_cell_is_spelled_for_people(value: Any, shown: str) -> None:
    assert output._cell(value) == shown


def test_json_is_strict() -> None:
    assert cells.plain({"a": (1, float("nan"), [float("inf")]), "b": b"\x01"}) == {
        "a": [1, None, [None]],
        "b": "01",
    }


# a progress line


@pytest.mark.parametrize(
    ("hidden", "terminal", "drawn"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_a_progress_line_is_drawn_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, hidden: bool, terminal: bool, drawn: bool
) -> None:
    stream = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with progress.shown(hidden=hidden) as step:
        step("fetching", 1, 4)
        step("fetching", 2, 4)
        step("building", 1, 2)
    assert ("fetching" in stream.getvalue(), "2/4" in stream.getvalue()) == (drawn, drawn)


# init and doctor


@pytest.fixture
def prompts(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[tuple[str, bool]]:
    """Somebody at a terminal, who answers with what stands there; what they were asked."""
    asked: list[tuple[str, bool]] = []

    def prompt(text: str, default: str = "typed", hide_input: bool = False) -> str:
        asked.append((text, hide_input))
        return default

    monkeypatch.setenv("TZ", "Asia/Kolkata")
    monkeypatch.setattr(typer, "prompt", prompt)
    monkeypatch.setattr(sys, "stdin", Terminal())
    for name in ("WISTIA_API_TOKEN", "MEDIA_IDS", "WISTLAKE_ACCOUNT_TIMEZONE"):
        monkeypatch.delenv(name)
    return asked


def test_init_asks_for_what_it_was_not_told(prompts: list[tuple[str, bool]], folder: Path) -> None:
    assert call("init", "--offline") == 0
    assert prompts == [("Wistia API token", True), ("Media ids, or all", False), ("Account time zone", False)]
    assert (folder / ".env").read_text().count("typed") == 1
    text = (folder / "wistlake.toml").read_text()
    assert ("all" in text, "Asia/Kolkata" in text) == (True, True)


@pytest.mark.parametrize("wanted", [True, False])
def test_init_goes_on_to_the_first_run_where_somebody_says_so(
    prompts: list[tuple[str, bool]], folder: Path, monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    async def probe(settings: Any, runtime: Any) -> SimpleNamespace:
        return SimpleNamespace(host="api.example", seconds=0.26)

    begun: list[bool] = []
    monkeypatch.setattr("wistlake.wiring.source.probe", probe)
    monkeypatch.setattr(typer, "confirm", lambda text, default: wanted)
    monkeypatch.setattr(runs, "first", lambda: begun.append((folder / "wistlake.toml").is_file()))
    assert call("init") == 0
    assert begun == [True] * wanted


@pytest.mark.parametrize(
    ("environment", "link", "name"),
    [
        ({"TZ": "Europe/Berlin"}, "", "Europe/Berlin"),
        ({"TZ": ":Europe/Berlin"}, "", "Europe/Berlin"),
        ({"TZ": "CET-1CEST"}, "", ""),
        ({"TZ": "Europe/Nowhere"}, "", ""),
        ({}, "zoneinfo/Asia/Kolkata", "Asia/Kolkata"),
        ({}, "zoneinfo/UTC", ""),
        ({}, "", ""),
    ],
)
def test_the_zone_of_a_machine(tmp_path: Path, environment: dict[str, str], link: str, name: str) -> None:
    localtime = tmp_path / "localtime"
    if link:
        (tmp_path / link).parent.mkdir(parents=True)
        (tmp_path / link).touch()
        localtime.symlink_to(tmp_path / link)
    assert of_this_machine(environment, localtime) == name


def test_init_asks_nobody_where_nobody_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.delenv("MEDIA_IDS")
    monkeypatch.delenv("WISTLAKE_ACCOUNT_TIMEZONE")
    assert call("init", "--offline") == 2
    assert "init needs --token" in capsys.readouterr().err
    assert call("init", "--token", "given", "--offline") == 0
    assert "WISTLAKE_ACCOUNT_TIMEZONE" not in (folder / "wistlake.toml").read_text()
    assert call("init", "--token", "other", "--offline") == 2
    assert ".env and wistlake.toml exist here already" in capsys.readouterr().err
    assert call("init", "--token", "other", "--offline", "--force") == 0
    assert "other" in (folder / ".env").read_text()


def test_init_tests_the_token_first(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    async def probe(settings: Any, runtime: Any) -> SimpleNamespace:
        return SimpleNamespace(host="api.example", seconds=0.26)

    monkeypatch.setattr("wistlake.wiring.source.probe", probe)
    assert call("init", "--token", "given") == 0
    assert "the token works at api.example (0.3 s)" in capsys.readouterr().out
    (folder / "wistlake.toml").unlink()
    (folder / "wistlake.toml").mkdir()
    assert call("init", "--token", "given", "--force") == 2
    assert "wistlake.toml is a folder here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "look"), [((), "examine"), (("--deep",), "look_deep"), (("--privacy",), "look_for_people")]
)
@pytest.mark.parametrize("verdict", [OK, FAILED])
def test_doctor_looks_where_it_is_told_and_fails_with_what_it_finds(
    lake: HandMade,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    option: tuple[str, ...],
    look: str,
    verdict: str,
) -> None:
    for name in ("examine", "look_deep", "look_for_people"):
        monkeypatch.setattr(LaptopLake, name, lambda _, name=name: iter([Check(name, verdict, "seen")]))
    monkeypatch.setattr(setup, "_token", lambda lake: Check("token", OK, ""))
    assert call("doctor", *option, "--now", NOW.isoformat()) == (2 if verdict == FAILED else 0)
    assert f"{look} {verdict} seen" in [
        " ".join(line.split()) for line in capsys.readouterr().out.splitlines()
    ]
    assert call("doctor", *option, "--json", "--now", NOW.isoformat()) == (2 if verdict == FAILED else 0)
    checks = json.loads(capsys.readouterr().out)["checks"]
    assert {"name": look, "verdict": verdict, "detail": "seen"} in checks
    assert len(checks) == (4 if look == "examine" else 1)


@pytest.mark.parametrize(("token", "live"), [("simulated", True), ("", False)])
def test_doctor_asks_what_nobody_has_written_down_where_there_is_a_token(
    lake: HandMade, monkeypatch: pytest.MonkeyPatch, capsys: Capture, token: str, live: bool
) -> None:
    async def asked(lake: Any) -> list[Check]:
        return [Check("live: x", OK, "asked")]

    monkeypatch.setattr(setup, "_live", asked)
    monkeypatch.setattr(setup, "_token", lambda lake: Check("token", OK, ""))
    monkeypatch.setattr(LaptopLake, "examine", lambda _: iter(()))
    monkeypatch.setenv("WISTIA_API_TOKEN", token)
    call("doctor", "--live", "--json", "--now", NOW.isoformat())
    names = [c["name"] for c in json.loads(capsys.readouterr().out)["checks"]]
    assert ("live: x" in names) is live
    call("doctor", "--json", "--now", NOW.isoformat())
    assert "live: x" not in [c["name"] for c in json.loads(capsys.readouterr().out)["checks"]]


# the dashboard and the digest


def test_the_dashboard_is_for_this_machine_and_its_address_is_a_secret(
    lake: HandMade, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    served: list[tuple[int, str]] = []
    monkeypatch.setattr(dashboard, "_serve", lambda port, path, pictures: served.append((port, path)))
    for _ in range(2):
        assert call("dashboard", "--port", "0") == 0
    (port, path), (_, other) = served
    assert capsys.readouterr().out == ""  # its address is told once it listens
    assert port > 0
    assert path != other
    assert len(path) >= 22  # 128 bits
    config = dashboard._config(port, path)
    assert {name: config[f"server.{name}"] for name in ("address", "port", "baseUrlPath")} == {
        "address": "127.0.0.1", "port": port, "baseUrlPath": path,
    }  # fmt: skip
    assert {name for name, value in config.items() if value is True} == {
        "server.enableCORS", "server.enableXsrfProtection", "server.headless", "client.disableDataExport",
        "logger.hideWelcomeMessage",
    }  # fmt: skip
    monkeypatch.setattr(dashboard, "find_spec", lambda _: None)
    assert call("dashboard") == 2
    assert "needs Streamlit" in capsys.readouterr().err


def test_the_dashboards_address_is_told_once_it_listens(capsys: Capture) -> None:
    async def told() -> str:
        port = dashboard._free_port(0)
        telling = asyncio.create_task(dashboard._tell_once_it_listens(port, "secret"))
        await asyncio.sleep(0.1)
        assert not telling.done()
        assert capsys.readouterr().out == ""
        async with await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", port):
            await asyncio.wait_for(telling, 20)
        return f"dashboard: http://127.0.0.1:{port}/secret/"

    assert asyncio.run(told()) == capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize(
    ("arguments", "as_text", "as_payload", "delivered", "code"),
    [
        ((), True, False, 0, 0),
        (("--stdout",), True, False, 0, 0),
        (("--slack",), False, True, 0, 0),
        (("--slack", "--stdout"), True, True, 0, 0),
        (("--slack", "--send"), False, False, 1, 0),
        (("--slack", "--send", "--stdout"), True, False, 1, 0),
    ],
)
def test_a_digest_is_shown_or_sent(
    lake: HandMade, monkeypatch: pytest.MonkeyPatch, capsys: Capture,
    arguments: tuple[str, ...], as_text: bool, as_payload: bool, delivered: int, code: int,
) -> None:  # fmt: skip
    sent: list[Any] = []
    week = SimpleNamespace(title="The week", text="of numbers", doubtful=False)
    monkeypatch.setattr("wistlake_dashboard.digest.digest", lambda query: week)
    channel = SimpleNamespace(deliver=lambda notice: sent.append(notice) or True)
    monkeypatch.setattr("wistlake.wiring.notifiers.slack", lambda settings: channel)
    monkeypatch.setattr(
        "wistlake.wiring.notifiers.slack_payload", lambda settings, notice: {"payload": notice.title}
    )
    assert call("digest", *arguments) == code
    text = capsys.readouterr().out
    assert ("The week\nof numbers" in text, '"payload"' in text, len(sent)) == (
        as_text,
        as_payload,
        delivered,
    )
    assert ("sent to Slack" in text) is bool(delivered)
    monkeypatch.setattr(
        "wistlake.wiring.notifiers.slack", lambda settings: SimpleNamespace(deliver=lambda notice: False)
    )
    assert call("digest", *arguments) == (digest.NOT_DELIVERED if delivered else 0)
    assert call("digest", "--send") == 2
