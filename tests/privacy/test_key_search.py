"""The pseudonym key and its pads: in no plan, exception, event log or spill of an engine, nor in the lake."""

import io
import json
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from privacy.key_texts import key_texts
from support import spark
from support.lake import KEY, START, Lake, Scenario
from wistia_simulator import Profile
from wistlake.adapters import lake_bytes
from wistlake.transforms import landing

pytestmark = pytest.mark.engine


def holds_key(text: str | bytes) -> bool:
    data = text.encode() if isinstance(text, str) else text
    return any(t in data for t in key_texts(KEY))


_ONE_AT_A_TIME = Lock()  # a build's steps run side by side, and there is one standard output


def explained(frame: Any) -> str:
    """Every plan that the engine shows of a frame."""
    said = io.StringIO()
    with _ONE_AT_A_TIME, redirect_stdout(said):
        frame.explain(extended=True)
    return said.getvalue()


@contextmanager
def listening(heard: list[str], wish: Callable[[Any], Any]) -> Iterator[None]:
    """Hear the plan of every parsed frame, after `wish` did something to it."""
    parse, prints = landing.parse, landing.fingerprints

    def spied(made: Callable[..., Any]) -> Callable[..., Any]:
        def make(*args: Any, **named: Any) -> Any:
            frame = made(*args, **named)
            heard.append(explained(frame))
            return wish(frame)

        return make

    landing.parse, landing.fingerprints = spied(parse), spied(prints)
    try:
        yield
    finally:
        landing.parse, landing.fingerprints = parse, prints


def small(folder: Path) -> Lake:
    profile = Profile(media=1, sessions_per_day=10, history_days=3)
    return Lake(folder, Scenario(profile, settings={"lookback_days": 1}))


def test_no_plan_shows_it(tmp_path: Path) -> None:
    lake, heard = small(tmp_path / "lake"), list[str]()
    with listening(heard, lambda frame: frame):
        lake.run_day(START)
    assert any("sha2" in plan or "sha256" in plan.lower() for plan in heard), "no plan was heard"
    assert not [plan for plan in heard if holds_key(plan)]


def test_literals_would_show_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search above finds what it looks for: pads as literals stand in the plan."""
    from pyspark.sql import functions as F

    from wistlake.derive.pseudonym import pads

    def literal(spark: Any, keys: list[bytes]) -> Any:
        return spark.range(1).select(*(F.lit(v).alias(k) for k, v in pads(keys).items()))

    monkeypatch.setattr("wistlake.transforms.landing.pads_frame", literal)
    monkeypatch.setattr("wistlake.pipeline.tables.context.landing.pads_frame", literal)
    lake, heard = small(tmp_path / "lake"), list[str]()
    with listening(heard, lambda frame: frame):
        lake.run_day(START)
    assert [plan for plan in heard if holds_key(plan)]


def test_no_exception_shows_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from pyspark.sql import functions as F

    lake = small(tmp_path / "lake")

    def broken(frame: Any) -> Any:
        return frame.withColumn("line", F.expr("cast(raise_error(concat('at ', landing_id)) as bigint)"))

    with listening([], broken), pytest.raises(Exception, match="at ") as caught:
        lake.run_day(START)
    said = "\n".join((str(caught.value), repr(caught.value), *traceback.format_exception(caught.value)))
    printed = capfd.readouterr()
    assert not [t for t in (said, printed.out, printed.err) if holds_key(t)]
    where = {p.place for p in lake_bytes.pieces(lake.folder) if holds_key(p.data)}
    assert where == {"pseudonym-key.json"}


@pytest.mark.spark
@pytest.mark.timeout(600)
def test_spark_writes_it_nowhere(tmp_path: Path) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK_", "SAIL_"))}
    folders = (tmp_path / "scratch", tmp_path / "log")
    done = spark.module("privacy.spark_run", *folders, seconds=560, environment=clean)
    found = json.loads(done.stdout.splitlines()[-1])
    assert any(name.startswith("shuffle_") for name in found["seen"]), "nothing was spilled"
    assert found["held"] == []
    logs = [p for p in (tmp_path / "log").iterdir() if p.is_file()]
    assert any(b"SparkListenerSQLExecutionStart" in p.read_bytes() for p in logs), "no plan was logged"
    assert not [p.name for p in logs if holds_key(p.read_bytes())]
    assert found["plan"], "no plan was printed"
    assert found["error"], "no error was raised"
    assert not found["said_key"]
    assert (found["processes"] > 0, found["know_a_secret"]) == (True, 0)
    assert not holds_key(done.stdout + done.stderr)
