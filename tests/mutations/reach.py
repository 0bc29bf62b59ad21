"""Which test runs which function of the product: so a mutation meets only the tests that can notice it.

A plugin of pytest with two uses, chosen by the environment:

- `REACH_RECORD=folder`: writes, for each worker, the functions that each test calls and the seconds it takes.
- `REACH_TESTS=file`: runs only the tests whose ids stand in that file, in the order of the file.

`Reach` reads what the first use has written.
"""

import json
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

RECORD, TESTS = "REACH_RECORD", "REACH_TESTS"
SLOW = 5.0  # seconds of a test that waits until the quicker ones have passed


@dataclass(frozen=True)
class Reach:
    """What each test calls. A function is `path below src::qualified name`."""

    seconds: Mapping[str, float]
    functions: Mapping[str, frozenset[str]]

    @classmethod
    def read(cls, folder: Path) -> "Reach":
        """From the files that the workers have written."""
        seconds: dict[str, float] = {}
        functions: dict[str, frozenset[str]] = {}
        for path in folder.rglob("*.json"):
            recorded = json.loads(path.read_text())
            names = recorded["functions"]
            seconds |= recorded["seconds"]
            functions |= {
                test: frozenset(names[i] for i in calls) for test, calls in recorded["calls"].items()
            }
        return cls(seconds, functions)

    def tests_of(self, function: str) -> list[str]:
        """The tests that call the function: quick ones first, and of these the ones that call little else."""
        calling = [test for test, functions in self.functions.items() if function in functions]
        return sorted(calling, key=lambda test: (self.took(test) > SLOW, len(self.functions[test]), test))

    def took(self, test: str) -> float:
        """Seconds of the test, as it was recorded."""
        return self.seconds.get(test, 0.0)


class _Recorder:
    """Notes each function below `sources` that runs while a test runs, in any thread."""

    def __init__(self, folder: Path, sources: Path) -> None:
        self._folder, self._prefix = folder, f"{sources}/"
        self._functions: dict[CodeType, str | None] = {}
        self._calls: set[str] = set()
        self._shared: defaultdict[str, set[str]] = defaultdict(set)  # of fixtures that serve a whole file
        self._by_test: dict[str, set[str]] = {}
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._file = ""

    def _call(self, frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if code not in self._functions:
            name = code.co_filename
            inside = name.startswith(self._prefix)
            self._functions[code] = (
                f"{name.removeprefix(self._prefix)}::{code.co_qualname}" if inside else None
            )
        function = self._functions[code]
        if function is not None:
            self._calls.add(function)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._calls = set()
        self._file = item.nodeid.split("::", maxsplit=1)[0]
        sys.settrace(self._call)
        threading.settrace(self._call)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]
            self._by_test[item.nodeid] = self._calls

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Iterator[object]:
        """What a shared fixture calls while it is made is called for every test of the file."""
        if fixturedef.scope == "function":
            return (yield)
        before, self._calls = self._calls, set()
        try:
            return (yield)
        finally:
            self._shared[self._file] |= self._calls
            self._calls |= before

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._seconds[report.nodeid] += report.duration

    def pytest_sessionfinish(self) -> None:
        by_test = {t: c | self._shared[t.split("::", maxsplit=1)[0]] for t, c in self._by_test.items()}
        names = sorted(set().union(*by_test.values()))
        numbers = {name: number for number, name in enumerate(names)}
        document = {
            "functions": names,
            "seconds": dict(self._seconds),
            "calls": {test: sorted(numbers[c] for c in calls) for test, calls in by_test.items()},
        }
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}.json").write_text(
            json.dumps(document)
        )


class _Selection:
    """Only these tests, in this order."""

    def __init__(self, tests: list[str]) -> None:
        self._order = {test: number for number, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        config.hook.pytest_deselected(items=[i for i in items if i.nodeid not in self._order])
        items[:] = sorted((i for i in items if i.nodeid in self._order), key=lambda i: self._order[i.nodeid])


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest where the plugin is loaded."""
    is_controller = config.getoption("numprocesses", None) and "PYTEST_XDIST_WORKER" not in os.environ
    if (folder := os.environ.get(RECORD)) and not is_controller:
        config.pluginmanager.register(_Recorder(Path(folder), config.rootpath / "src"))
    if tests := os.environ.get(TESTS):
        config.pluginmanager.register(_Selection(Path(tests).read_text().split("\n")))
