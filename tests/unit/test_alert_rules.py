"""Goals and alerts as people write them: what each entry means, and one line for each that is wrong."""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from wistlake.alert_rules import METRICS, MOST_RULES, Kind, Rule, parsed, read
from wistlake.errors import ConfigError
from wistlake.quality.metrics import Adds, metric

DROP = 'name = "Plays fell"\nkind = "drop"\n'
GOAL = 'name = "Ten thousand"\nkind = "goal"\ngoal = 10000\n'


def tables(*entries: str) -> list[object]:
    return tomllib.loads("".join(f"[[alert]]\n{entry}\n" for entry in entries))["alert"]


def test_an_entry_says_little_and_means_the_usual() -> None:
    assert parsed(tables(DROP)) == (Rule("Plays fell", Kind.DROP),)
    assert parsed([]) == ()


def test_every_part_is_taken() -> None:
    spike = (
        'name = "s"\nkind = "spike"\nmetric = "loads"\npercent = 80\nmedia = ["abc123def4"]\nearly = false'
    )
    quiet = 'name = "q"\nkind = "no plays"\ndays = 5\nmedia = "abc123def4"'
    fell = 'name = "r"\nkind = "retention"\npercent = 10'
    month = f'{GOAL}every = "month"\nlabel = "campaign=spring-sale"'
    assert parsed(tables(spike, quiet, fell, month)) == (
        Rule("s", Kind.SPIKE, "loads", ("abc123def4",), percent=80.0, early=False),
        Rule("q", Kind.NO_PLAYS, media=("abc123def4",), days=5),
        Rule("r", Kind.RETENTION, percent=10.0),
        Rule("Ten thousand", Kind.GOAL, label="campaign=spring-sale", goal=10000.0, every="month"),
    )
    (since,) = parsed(tables(f"{GOAL}since = 2026-03-01"))
    assert since.since == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ('kind = "drop"', "[[alert]] 1: name is missing"),
        ('name = ""\nkind = "drop"', "name is missing or no text of 1 to 60 characters"),
        ('name = "a\\nb"\nkind = "drop"', "in one line"),
        ('name = "to jane@example.org"\nkind = "drop"', "names must not be addresses"),
        ('name = "x"', "kind is missing: write one of drop, spike, goal, no plays, retention"),
        ('name = "x"\nkind = "dip"', "[[alert]] 1 (x): kind is 'dip': write one of"),
        (f"{DROP}percnt = 30", "'percnt' isn't part of an alert, did you mean percent?"),
        (f"{DROP}xyzzy = 1", "'xyzzy' isn't part of an alert: remove it"),
        (f"{DROP}goal = 5", "goal means nothing for kind drop: remove it"),
        (f"{DROP}percent = 3", "percent is '3': write a number from 5 to 100"),
        (f"{DROP}percent = true", "percent is 'True'"),
        (f"{DROP}percent = 101", "from 5 to 100"),
        (f'{DROP}metric = "watch_seconds"', "write one of plays, loads, sessions, conversions, unique_viewers"),
        (f'{DROP}media = "no id"', "media holds no hashed ids"),
        (f'{DROP}label = "spring"', "label is 'spring': write label = \"name=value\""),
        (f'{DROP}label = "a=b"\nmedia = "abc123def4"', "it names media and a label: keep one of them"),
        (f'{DROP}early = "no"', "early is 'no': write true or false"),
        ('name = "x"\nkind = "no plays"\ndays = 0', "days is '0': write a whole number from 1 to 28"),
        ('name = "x"\nkind = "no plays"\nlabel = "a=b"', "is about single media, and no label"),
        (GOAL, 'it needs a period: write every = "month"'),
        (f'{GOAL}every = "day"', "every is 'day': write one of week, month, year"),
        (f'{GOAL}since = "2026-03-01"', "write a day without quotation marks"),
        (f'{GOAL}every = "week"\nsince = 2026-03-01', "one of the two"),
        (f'{GOAL}every = "week"\nmetric = "unique_viewers"', "write one of plays, loads, sessions, conversions"),
        ('name = "x"\nkind = "goal"\nevery = "week"', "goal is missing: write the number to reach"),
        ('name = "x"\nkind = "goal"\nevery = "week"\ngoal = -1', "goal is '-1'"),
        ('name = "x"\nkind = "goal"\nevery = "week"\ngoal = nan', "goal is 'nan'"),
        ('name = "x"\nkind = "goal"\nevery = "week"\ngoal = inf', "goal is 'inf'"),
        ('name = "x"\nkind = "goal"\nevery = "week"\ngoal = 1' + "0" * 400, "goal is '1000"),
        ('name = "x"\nkind = "goal"\nsince = 0001-01-01\ngoal = 9', "since is '0001-01-01'"),
    ],
)  # fmt: skip
def test_a_wrong_entry_gets_one_line_that_names_it_and_the_cure(entry: str, line: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed(tables(entry))
    (problem,) = refused.value.problems
    assert problem.startswith("[[alert]] 1")
    assert line in problem
    assert "@" not in problem or "an @" in problem
    assert "example" not in problem


def test_all_that_are_wrong_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        parsed(tables(DROP, 'name = "x"', DROP))
    assert [p.partition(":")[0] for p in refused.value.problems] == [
        "[[alert]] 2 (x)",
        "[[alert]] 3 (Plays fell)",
    ]
    assert refused.value.problems[1].endswith("another entry has the same name: give each its own")


@pytest.mark.parametrize("value", ["text", 3, {"name": "x"}, ["text"]])
def test_something_else_is_no_list_of_entries(value: object) -> None:
    with pytest.raises(ConfigError, match=r"write \[\[alert\]\] above each"):
        parsed(value)


def test_there_is_a_limit() -> None:
    with pytest.raises(ConfigError, match=f"keep at most {MOST_RULES}"):
        parsed([{"name": str(n), "kind": "drop"} for n in range(MOST_RULES + 1)])


def test_a_file_of_entries(tmp_path: Path) -> None:
    path = tmp_path / "alerts.toml"
    path.write_text(f"[[alert]]\n{DROP}", encoding="utf-8")
    assert read(path) == (Rule("Plays fell", Kind.DROP),)
    path.write_text("x = 1", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"has no \[\[alert\]\]"):
        read(path)
    for unreadable in ("[[alert", f"x = {'9' * 5000}", f"x = {'[' * 5000}"):
        path.write_text(unreadable, encoding="utf-8")
        with pytest.raises(ConfigError, match="can't be read"):
            read(path)
    with pytest.raises(ConfigError, match="can't be read"):
        read(tmp_path / "none.toml")


def test_its_metrics_are_counts_of_a_day() -> None:
    assert [metric(name).unit for name in METRICS] == ["count"] * len(METRICS)
    assert [name for name in METRICS if metric(name).adds is Adds.RECOUNT] == ["unique_viewers"]
