"""Every example of docs/readers.md, as it stands there, reads what is published."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import polars
import pyiceberg.catalog
import pytest

import wistlake
from support import spark
from support.lake import Lake, Scenario
from wistia_simulator import Profile
from wistlake.adapters import duckdb_query
from wistlake.entrypoints.cli.upkeep import READERS
from wistlake.wiring.lake import read_only_catalog

pytestmark = pytest.mark.engine
PAGE = (Path(__file__).parents[2] / "docs" / "readers.md").read_text()
EXAMPLES = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ADDRESS = "http://127.0.0.1:8181/word"
DAILY = "gold.fact_media_daily"


def examples(language: str, about: str = "") -> list[str]:
    """The page's examples in a language that hold a text."""
    return [text for name, text in EXAMPLES if name == language and about in text]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake called `lake`."""
    profile = replace(Profile.calm(), media=2, sessions_per_day=5.0, history_days=3)
    lake = Lake(tmp_path_factory.mktemp("readers") / "lake", Scenario(profile, settings={"lookback_days": 2}))
    lake.run_day(lake.scenario.starts)
    return lake


@pytest.fixture
def beside(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `lake` is the lake's path."""
    monkeypatch.chdir(lake.folder.parent)


@pytest.fixture
def served(lake: Lake) -> Iterator[Callable[[str], str]]:
    """An example, with the address at which the catalog is served now."""
    with read_only_catalog(lake.opened(), 0) as uri:
        yield lambda example: example.replace(ADDRESS, uri)


@pytest.fixture
def plays(lake: Lake) -> dict[str, int]:
    """Plays by media, as they are."""
    found: dict[str, int] = {}
    for row in lake.rows(DAILY):
        found[row["media_id"]] = found.get(row["media_id"], 0) + row["plays"]
    assert sum(found.values()) > 0
    return found


def executed(example: str) -> dict[str, Any]:
    """The names that an example leaves."""
    names: dict[str, Any] = {m.__name__: m for m in (wistlake, polars, duckdb)} | {"pyiceberg": pyiceberg}
    exec(example, names)
    return names


def test_the_page_has_every_reader() -> None:
    assert len(EXAMPLES) == len(re.findall("^```", PAGE, re.MULTILINE)) / 2 == 10
    page = "".join(PAGE.split())  # the page's lines are broken where a formatter breaks them
    for reader, line in READERS:
        assert "".join(line.format(uri=ADDRESS, t=DAILY).split()) in page, reader


@pytest.mark.parametrize("example", examples("python"), ids=lambda text: text.splitlines()[-1][:40])
@pytest.mark.usefixtures("beside")
def test_python(example: str, served: Callable[[str], str], lake: Lake) -> None:
    left = executed(served(example))
    tables = {"plays", "frame", "daily"} & left.keys()
    assert len(tables) == 1
    name = "silver.dim_media" if "dim_media" in example else DAILY
    rows = lake.rows(name)
    assert len(left[tables.pop()]) == (
        len({r["date"] for r in rows}) if "GROUP BY date" in example else len(rows)
    )


def test_duckdb_attaches_the_catalog(served: Callable[[str], str], plays: dict[str, int]) -> None:
    (example,) = examples("sql")
    import duckdb_extension_httpfs

    http = next(Path(next(iter(duckdb_extension_httpfs.__path__))).rglob("*.duckdb_extension"))
    with duckdb.connect() as connection:
        for extension in (http, *duckdb_query.extensions()):
            connection.execute(f"LOAD '{extension}'")
        assert dict(connection.execute(served(example)).fetchall()) == plays


def shell(example: str) -> list[str]:
    """The lines that a `wistlake` command prints."""
    command = [sys.executable, "-m", "wistlake.entrypoints.cli.main", *shlex.split(example)[1:]]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()


@pytest.mark.usefixtures("beside")
def test_the_shell(lake: Lake) -> None:
    (example,) = examples("sh", "SELECT date, plays")
    assert len(shell(example)) == 1 + len(lake.rows(DAILY))


@pytest.mark.usefixtures("beside")
def test_what_has_changed_since(lake: Lake) -> None:
    (example,) = examples("sh", "built_at >")
    moment = "2026-03-08 00:00:00+00"
    assert moment in example
    for since, expected in (("2020-01-01 00:00:00+00", len(lake.rows(DAILY))), ("2999-01-01 00:00:00+00", 0)):
        lines = shell(f"{example.replace(moment, since).strip()} --format csv")
        assert len(lines) == 1 + expected


@pytest.mark.spark
@pytest.mark.timeout(600)
def test_spark(served: Callable[[str], str], plays: dict[str, int], tmp_path: Path) -> None:
    """With the runtime that is installed in place of the one that Spark would download."""
    (example,) = examples("sh", "spark-sql")
    name, _, coordinates, *rest = shlex.split(served(example))
    asked = "from wistlake.adapters.engine import spark as s; print(s.iceberg_jar(), s.java_home())"
    jar, java = map(Path, spark.python("-c", asked, seconds=60).stdout.split())
    assert coordinates.split(":")[1] in jar.name
    done = subprocess.run(
        [spark.home() / "bin" / name, "--driver-class-path", jar, *rest],
        capture_output=True, text=True, check=True, timeout=540, cwd=tmp_path,
        env={**os.environ, "JAVA_HOME": str(java), "SPARK_HOME": str(spark.home())},
    )  # fmt: skip
    found = dict(line.split("\t") for line in done.stdout.splitlines() if "\t" in line)
    assert {media: int(n) for media, n in found.items()} == plays
