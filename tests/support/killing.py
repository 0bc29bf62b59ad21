"""Runs that end in the middle: by an exception that nothing catches, or by a real kill -9."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from support.lake import Lake, Scenario
from wistlake.pipeline.run.spec import Dependencies
from wistlake.ports import TableStore

Wrap = Callable[[Any], Any]


def wrapped(parts: Dependencies, around: Wrap) -> Dependencies:
    """The parts with every port that writes behind `around`."""

    @contextmanager
    def tables() -> Iterator[TableStore]:
        with parts.tables() as store:
            yield around(store)

    return replace(parts, objects=around(parts.objects), ledger=around(parts.ledger), tables=tables)


@dataclass(frozen=True)
class Point:
    """A named moment: around the `nth` call of `method` whose first argument's text holds `about`."""

    name: str
    method: str
    about: str = ""
    nth: int = 1
    after: bool = False


class Killer:
    """Ends this process with SIGKILL at a point. No clean-up runs, as with a power cut."""

    def __init__(self, point: Point) -> None:
        self.point, self.seen = point, 0

    def around(self, port: Any) -> Any:
        """`port`, watched."""
        return _Watched(port, self)

    def watch(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        """`method`, deadly at the point."""
        point = self.point
        if name != point.method:
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            self.seen += point.about in _named(args[0])
            deadly = self.seen == point.nth and point.about in _named(args[0])
            if deadly and not point.after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = method(*args, **kwargs)
            if deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call


class _Watched:
    def __init__(self, port: Any, killer: Killer) -> None:
        self._port, self._killer = port, killer

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._port, name)
        return self._killer.watch(name, value) if callable(value) else value


def _named(argument: Any) -> str:
    return str(getattr(argument, "full_name", argument if isinstance(argument, str) else ""))


def run_until_killed(folder: Path, scenario: Scenario, now: datetime, point: Point) -> None:
    """One run that does not survive `point`; for `processes.in_process`."""
    lake = Lake(folder, scenario)
    lake.run_day(now, run_id="killed", around=lambda parts: wrapped(parts, Killer(point).around))
