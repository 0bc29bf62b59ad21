"""`wistlake simulate`: which account it serves."""

from pathlib import Path
from typing import Any

import pytest

from wistia_simulator import Profile
from wistlake.entrypoints.cli.main import main


def simulate(*arguments: str) -> Any:
    """The exit code of the command."""
    with pytest.raises(SystemExit) as ended:
        main(["simulate", *arguments])
    return ended.value.code


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is served, in place of serving it for ever."""
    served: list[Any] = []
    monkeypatch.setattr("wistia_simulator.main.serve", served.append)
    return served


def test_an_account_is_chosen_by_its_profile(served: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text('{"base": "described", "media": 9}')
    assert not simulate("--profile", "described")
    assert not simulate("--profile", str(path))
    assert not simulate()
    assert [s.profile.timeseries_stamp for s in served] == ["described", "described", "observed"]
    assert [s.profile.media for s in served] == [Profile().media, 9, Profile().media]


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        ("described ", "no such profile"),
        ("discribed", "did you mean described?"),
        ("missing.json", "--profile missing.json can't be read"),
        ("{folder}/broken.json", "can't be read"),
        ("{folder}/odd.json", "can't be read"),
    ],
)
def test_a_profile_that_is_none_is_named_with_what_there_is(
    served: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], profile: str, says: str
) -> None:
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "odd.json").write_text('{"late": 7}')
    assert simulate("--profile", profile.format(folder=tmp_path)) == 2
    assert says in capsys.readouterr().err
    assert served == []
