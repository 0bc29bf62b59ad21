"""Which tests a drawn mutation meets, and in which order."""

import json
from pathlib import Path

from mutations.reach import Reach


def test_quick_tests_come_first_and_of_these_the_ones_that_call_little() -> None:
    reach = Reach(
        {"slow": 9.0, "wide": 0.1, "narrow": 0.2, "other": 0.1},
        {
            "slow": frozenset({"f"}),
            "wide": frozenset({"f", "g", "h"}),
            "narrow": frozenset({"f", "g"}),
            "other": frozenset({"h"}),
        },
    )
    assert reach.tests_of("f") == ["narrow", "wide", "slow"]
    assert reach.tests_of("nobody calls it") == []


def test_what_several_workers_have_written_is_one(tmp_path: Path) -> None:
    for number, (test, calls) in enumerate({"a": [0, 1], "b": [1]}.items()):
        (tmp_path / str(number)).mkdir()
        document = {"functions": ["f", "g"], "seconds": {test: 1.5}, "calls": {test: calls}}
        (tmp_path / str(number) / "gw0.json").write_text(json.dumps(document))
    reach = Reach.read(tmp_path)
    assert reach.functions == {"a": frozenset({"f", "g"}), "b": frozenset({"g"})}
    assert (reach.took("a"), reach.took("unknown")) == (1.5, 0.0)
