"""Labels of many media from a spreadsheet: every bad line is named, and then none is taken."""

import pytest

from wistlake.errors import ConfigError
from wistlake.planning.label_files import LARGEST, parsed
from wistlake_dashboard.spreadsheet import to_csv

ONE, TWO = "abc123xyz0", "def456uvw1"


def labels(text: str) -> dict[str, dict[str, str]]:
    return {media_id: dict(line.labels) for media_id, line in parsed(text).items()}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_as_spreadsheets_write_it(separator: str, end: str, mark: str) -> None:
    rows = [
        ["media_id", "title", "Channel", "campaign"],
        [ONE, "A tour", "Facebook", " अभियान 🎉 "],
        ["", "", "", ""],
        [TWO, "=1+1", "", "summer"],
    ]
    text = mark + end.join(separator.join(row) for row in rows) + end
    assert labels(text) == {
        ONE: {"channel": "facebook", "campaign": "अभियान 🎉"},
        TWO: {"campaign": "summer"},
    }
    assert [line.number for line in parsed(text).values()] == [2, 4]


def test_what_a_spreadsheet_would_take_for_a_formula_comes_back() -> None:
    values = ["-10%", "@brand", "'quoted'", 'say "x", y', "+1", "a;b"]
    rows = [{"media_id": f"media0000{n}", "campaign": value} for n, value in enumerate(values)]
    text = to_csv(("media_id", "campaign"), rows)
    assert [line["campaign"] for line in labels(text).values()] == values


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["line 1: there is no column media_id"]),
        ("id,campaign\nabc123xyz0,x\n", ["line 1: there is no column media_id"]),
        (f"media_id,id\n{ONE},x\n", ["line 1: id can't name a label"]),
        (
            f"media_id,a,\n{ONE},x,\n{TWO},x,y\n",
            ["line 3: it has a cell in a column that the first line does not"],
        ),
        ("campaign\nx\n", ["line 1: there is no column media_id"]),
        ("media_id,1st\n", ["line 1: '1st' can't name a label"]),
        ("media_id,a,a\n", ["line 1: a is there twice"]),
        (f"media_id,a\n{ONE},x\n{ONE},y\n", [f"line 3: {ONE} is in line 2 already"]),
        (
            f"media_id,a\nshort,x\n{ONE},y,z\n",
            ["line 2: 'short' isn't a hashed id", "line 3: it has 3 cells"],
        ),
        (
            f"media_id,owner\n{ONE},jane@example.com\n{TWO},{'x' * 101}\n",
            ["line 2: owner holds an e-mail address", "line 3: owner has 101 characters"],
        ),
        (f'media_id,a\n{ONE},"open\n', ["line 2: this is no CSV"]),
    ],
)
def test_a_bad_line_is_named(text: str, problems: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        parsed(text)
    assert len(error.value.problems) == len(problems), error.value.problems
    for problem, wanted in zip(error.value.problems, problems, strict=True):
        assert problem.startswith(wanted)
    assert "jane" not in str(error.value)


def test_of_very_many_bad_lines_some_are_named() -> None:
    with pytest.raises(ConfigError) as error:
        parsed("media_id,a\n" + "?,x\n" * 1000)
    assert len(error.value.problems) == 21
    assert error.value.problems[-1] == "and 980 more"


def test_a_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(ConfigError, match="split it"):
        parsed("media_id,a\n" + "x" * LARGEST)
