"""Breaks the product in twenty places, one after the other, and has the tests find out.

    python tests/mutations/mutate.py [name ...]
    python tests/mutations/mutate.py --random 60 --seed 7 8 --reach folder

Each mutation is one line changed in a copy of `src`; the tests named beside it run against that copy and
must fail. Ends with 1 if a mutation lives, or if its line is not there any more.

`--random` draws mutations over the whole product instead (see draw.py), runs the fast tests against each and
prints the rate that they catch, and the ones that live: each of those is to be judged by a person. First it
notes which test calls what, for minutes; with `--reach` that is kept, for other seeds and for a second look.
"""

import argparse
import ast
import compileall
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from mutations.draw import Drawn, draw  # noqa: E402 - this is a script
from mutations.reach import RECORD, TESTS, Reach  # noqa: E402

PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
LEAST_RATE = 0.9

# The fast tests: what needs neither an emulated stage nor a browser nor days of an engine. An engine starts for
# single transforms, for one small lake and for lakes of a few landings, and to look at its port; the emulator for the
# ports of AWS.
FAST_ROOMS = ("unit", "simulator", "quality", "ports", "privacy", "pipeline", "dashboard", "exploration")
FAST = (
    (
        "-m", "not engine and not aws and not browser",
        "--ignore=tests/pipeline/test_crash.py", "--ignore=tests/pipeline/test_convergence.py",
        *(f"tests/{room}" for room in FAST_ROOMS),
    ),
    ("-m", "aws", "tests/ports"),
    (
        "-m", "engine", "tests/transforms", "tests/dashboard", "tests/pipeline/test_known_bugs.py",
        "tests/pipeline/test_build_by_hand.py", "tests/privacy/test_forget_by_hand.py",
        "tests/privacy/test_engine_port.py",
    ),
)  # fmt: skip
MOST_SECONDS = 180  # of the tests that one drawn mutation meets, as they were recorded under the tracer
NEAREST = (
    20  # tests that go first: most mutants end with them, and to collect all takes longer than to run these
)
SECONDS = 600  # of one mutation: a mutant that hangs is caught, too
BUGS = "tests/pipeline/test_known_bugs.py"
TRUTH = f"{BUGS}::test_the_truth_is_in_the_tables"


@dataclass(frozen=True)
class Mutation:
    """`old` stands exactly once in `path` (below src); the tests must not pass with `new`."""

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "dedupe", "wistlake/transforms/fact_events.py",
        "    rows = deduplicate(typed, twice)\n", "    rows = typed\n", (TRUTH,),
    ),
    Mutation(
        "MERGE condition", "wistlake/derive/merge.py",
        'for k in table.key)\n    condition', 'for k in table.key[:1])\n    condition', (TRUTH,),
    ),
    Mutation(
        "day boundary", "wistlake/derive/localtime.py",
        "INTERVAL '{minutes}' MINUTE", "INTERVAL '{minutes + 60}' MINUTE", (TRUTH,),
    ),
    Mutation(
        "pseudonym", "wistlake/derive/pseudonym.py",
        "bytes(b ^ 0x36 for b in block)", "bytes(0x36 for _ in block)", (TRUTH,),
    ),
    Mutation(
        "page stop", "wistlake/wistia/pagination.py",
        "        return not page or (len(page) < self.per_page and",
        "        return len(page) <= self.per_page or (len(page) < self.per_page and",
        ("tests/unit/wistia/test_pagination.py", f"{BUGS}::test_more_pages_than_any_cap"),
    ),
    Mutation(
        "watermark order", "wistlake/pipeline/run/outcome.py",
        "    show(spec, ledger, result, changed.values())\n"
        "    advance(spec, ledger, media, view)\n",
        "    advance(spec, ledger, media, view)\n"
        "    show(spec, ledger, result, changed.values())\n",
        ("tests/unit/test_publishing_order.py",),
    ),
    Mutation(
        "soft delete", "wistlake/transforms/changes.py",
        '            "removed_at": F.col("_scope_observed_at"),\n', "", (TRUTH,),
    ),
    Mutation(
        "reconciliation band", "wistlake/quality/reconciliation.py",
        "    above_share: float = 0.05\n", "    above_share: float = 0.5\n",
        ("tests/quality/test_identities.py",),
    ),
    Mutation(
        "window's edge", "wistlake/planning/publishing.py",
        "is_old=day < aged or", "is_old=day <= aged or",
        ("tests/unit/test_readings.py",),
    ),
    Mutation(
        "what a purge leaves", "wistlake/adapters/local/history.py",
        "autocommit=True", "autocommit=False", ("tests/unit/lake/test_purge.py",),
    ),
    Mutation(
        "warnings of what holds", "wistlake/pipeline/run/result.py",
        "if f.is_broken and f.effect is Effect.WARN", "if f.is_broken or f.effect is Effect.WARN",
        ("tests/unit/test_verdicts.py",),
    ),
    Mutation(
        "figures of a round", "wistlake/pipeline/run/handover.py",
        "    whole.add(summary)\n", "", ("tests/pipeline/test_rounds.py",),
    ),
    Mutation(
        "refused records", "wistlake/pipeline/tables/context.py",
        "if k[0] == dataset}", "if k[1] == dataset}", ("tests/transforms/test_build_context.py",),
    ),
    Mutation(
        "epoch after a rotation", "wistlake/pipeline/jobs/rotate.py",
        "ledger, chain.epoch, chain.epoch + 1", "ledger, chain.epoch, chain.epoch",
        ("tests/unit/test_rotation.py",),
    ),
    Mutation(
        "doctor's engine", "wistlake/insight/doctor.py",
        'if name == "spark":', 'if name != "spark":',
        ("tests/unit/cli/test_before_a_lake.py",),
    ),
    Mutation(
        "datasets of a plan", "wistlake/entrypoints/cli/runs.py",
        '"datasets": names(datasets)}', '"datasets": ()}',
        ("tests/unit/cli/test_before_a_lake.py",),
    ),
    Mutation(
        "seconds of a step", "wistlake/pipeline/run/driver.py",
        "round(now - self._at, 3)", "0.0", ("tests/pipeline/test_figures.py",),
    ),
    Mutation(
        "backup without a lake", "wistlake/adapters/local/lake_archive.py",
        "    folder.require_readable()\n    folder.require_complete()\n    if target",
        "    folder.require_complete()\n    if target",
        ("tests/unit/lake/test_archives.py::test_a_backup_of_no_lake_makes_nothing",),
    ),
    Mutation(
        "days of the lake", "wistlake_dashboard/health.py",
        '    return [r | {"state": _worst(r)} for r in counted]\n', "    return []\n",
        ("tests/dashboard/test_sections.py",),
    ),
    Mutation(
        "order of the pages", "wistlake_dashboard/sections/__init__.py",
        '    Page("Traffic", "traffic", ":material/hub:", TRAFFIC),\n'
        '    Page("Audience", "audience", ":material/public:", AUDIENCE),\n',
        '    Page("Audience", "audience", ":material/public:", AUDIENCE),\n'
        '    Page("Traffic", "traffic", ":material/hub:", TRAFFIC),\n',
        ("tests/dashboard/test_sections.py",),
    ),
)  # fmt: skip


def broken(mutation: Mutation, folder: Path) -> None:
    """Put a copy of the sources with the mutation into `folder`."""
    shutil.copytree(ROOT / "src", folder, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / mutation.path
    text = path.read_text()
    if text.count(mutation.old) != 1:
        raise SystemExit(
            f"{mutation.name}: its line stands {text.count(mutation.old)} times in {mutation.path}"
        )
    path.write_text(text.replace(mutation.old, mutation.new))


def verdict(mutation: Mutation) -> str:
    """`caught` by tests that fail, `caught (hung)`, or `LIVES`."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        sources = Path(folder) / "src"
        broken(mutation, sources)
        code, text = _tested(sources, mutation.tests)
    if code not in (0, 1, None):  # 1: tests failed. Anything else is no verdict about the mutant.
        raise SystemExit(f"{mutation.name}: the tests could not run\n{text[-4000:]}")
    return {0: "LIVES", 1: "caught", None: "caught (hung)"}[code]


def recorded(folder: Path) -> None:
    """Runs the fast tests once, and notes in `folder` which functions each one calls. They must pass."""
    for number, arguments in enumerate(FAST):
        environment = _environment(ROOT / "src") | {RECORD: str(folder / str(number))}
        command = [*PYTEST, "-n", "2", "-p", "mutations.reach", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"the fast tests fail without a mutation\n{done.stdout[-4000:]}{done.stderr}")


class Drawing:
    """Copies of the sources with a drawn mutation each, and the fast tests that reach it."""

    def __init__(self, reach: Reach, folder: Path) -> None:
        self._reach, self._folder, self._sources = reach, folder, folder / "sources"
        shutil.copytree(ROOT / "src", self._sources, ignore=shutil.ignore_patterns("__pycache__"))
        compileall.compile_dir(self._sources, quiet=1)  # each copy is imported once, and nearly all are equal

    def verdict(self, mutation: Drawn) -> str:
        """`caught` with the test that failed, or `LIVES`. What can't even be imported is caught, too."""
        tests = self.tests_of(mutation)
        if not tests:
            return "LIVES (no fast test reaches it)"
        with tempfile.TemporaryDirectory(prefix="mutant-", dir=self._folder) as name:
            sources, selection = Path(name) / "src", Path(name) / "tests"
            shutil.copytree(self._sources, sources, copy_function=os.link)
            (sources / mutation.path).unlink()  # a link
            (sources / mutation.path).write_text(mutation.source)
            for some in filter(None, (tests[:NEAREST], tests[NEAREST:])):
                selection.write_text("\n".join(some))
                files = list(dict.fromkeys(test.split("::", maxsplit=1)[0] for test in some))
                code, text = _tested(sources, ("-p", "mutations.reach", *files), {TESTS: str(selection)})
                if code != 0:
                    break
            else:
                return f"LIVES ({len(tests)} tests)"
        failed = [line.split(" - ")[0] for line in text.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return "caught (hung)" if code is None else f"caught {' '.join(failed[:1]) or f'(exit {code})'}"

    def tests_of(self, mutation: Drawn) -> list[str]:
        """The tests that call the function, then those of the files that import its module, within the time."""
        calling = self._reach.tests_of(f"{mutation.path}::{mutation.function}")
        module = ".".join(mutation.path.with_suffix("").parts).removesuffix(".__init__")
        importing = [t for t in self._reach.functions if module in imports(t.split("::", maxsplit=1)[0])]
        tests = list(dict.fromkeys((*calling, *importing)))
        until = itertools.accumulate(map(self._reach.took, tests))
        return [t for t, seconds in zip(tests, until, strict=True) if seconds < MOST_SECONDS or t == tests[0]]


@cache
def imports(file: str) -> frozenset[str]:
    """The modules that a test file names in its imports."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(modules)


def _tested(
    sources: Path, arguments: Sequence[str], environment: Mapping[str, str] | None = None
) -> tuple[int | None, str]:
    """Exit code of pytest (None: it hung) against `sources`, and what it printed."""
    command = [*PYTEST, "-x", "-o", f"pythonpath={sources} {ROOT / 'tests'}", *arguments]
    variables = _environment(sources) | {"PYTHONDONTWRITEBYTECODE": "1"} | (environment or {})
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, done.stdout + done.stderr


def _environment(sources: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join((str(sources), str(ROOT / "tests")))}


def main(arguments: Sequence[str]) -> int:
    """One line a mutation, then how many were caught."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    parser.add_argument(
        "--reach", type=Path, help="where it is noted which test calls what; a folder that is there is read"
    )
    options = parser.parse_args(arguments)
    return _random(options.random, options.seed, options.reach) if options.random else _named(options.names)


def _random(count: int, seeds: Sequence[int], reach: Path | None) -> int:
    """The rate of drawn mutations that the fast tests catch, by seed; 1 if one is below what is promised."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        noted = reach or folder / "reach"
        if not noted.exists():
            recorded(folder / "unfinished")
            shutil.move(folder / "unfinished", noted)
        drawing = Drawing(Reach.read(noted), folder)
        return int(min(_rate(drawing, count, seed) for seed in seeds) < LEAST_RATE)


def _rate(drawing: Drawing, count: int, seed: int) -> float:
    """What share of one seed's mutations is caught; each is printed."""
    drawn = list(draw(ROOT / "src", count, seed))
    caught = 0
    with ThreadPoolExecutor(2) as workers:
        verdicts = workers.map(drawing.verdict, drawn)
        for number, (mutation, verdict) in enumerate(zip(drawn, verdicts, strict=True), 1):
            caught += verdict.startswith("caught")
            print(f"{number:3} {mutation.path}:{mutation.line} {mutation.function} {mutation.what}")
            print(f"      {verdict}", flush=True)
    print(f"{caught} of {count} caught ({caught / count:.0%}), seed {seed}")
    return caught / count


def _named(names: Sequence[str]) -> int:
    chosen = [m for m in MUTATIONS if not names or m.name in names]
    found = []
    for mutation in chosen:
        began = time.monotonic()
        found.append(verdict(mutation))
        print(
            f"{mutation.name:22} {mutation.path:28} {found[-1]:14} {time.monotonic() - began:5.0f} s",
            flush=True,
        )
    alive = found.count("LIVES")
    print(f"{len(found) - alive} of {len(found)} caught")
    return 1 if alive or not chosen else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
