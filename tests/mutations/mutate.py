"""Breaks the product in eight places, one after the other, and has the tests find out.

    python tests/mutations/mutate.py [name ...]
    python tests/mutations/mutate.py --random 60 --seed 7


Each mutation is one line changed in a copy of `src`; the tests named beside it run against that copy and
must fail. Ends with 1 if a mutation lives, or if its line is not there any more.

`--random` draws mutations over the whole product instead (see draw.py), runs the fast tests against each and
prints the rate that they catch, and the ones that live: each of those is to be judged by a person.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))
from mutations.draw import Drawn, draw  # noqa: E402 - this is a script

FAST = tuple(
    f"tests/{room}" for room in ("unit", "simulator", "quality", "meta", "ports", "privacy", "pipeline")
)
SECONDS = 240  # of one mutation: a mutant that hangs is caught, too
BUGS = "tests/pipeline/test_known_bugs.py"
TRUTH = f"{BUGS}::test_the_truth_is_in_the_tables"


@dataclass(frozen=True)
class Mutation:
    """`old` stands exactly once in `path` (below src/wistlake); the tests must not pass with `new`."""

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTATIONS = (
    Mutation(
        "dedupe", "transforms/fact_events.py",
        "    rows = deduplicate(typed, twice)\n", "    rows = typed\n", (TRUTH,),
    ),
    Mutation(
        "MERGE condition", "derive/merge.py",
        'for k in table.key)\n    condition', 'for k in table.key[:1])\n    condition', (TRUTH,),
    ),
    Mutation(
        "day boundary", "derive/localtime.py",
        "INTERVAL '{minutes}' MINUTE", "INTERVAL '{minutes + 60}' MINUTE", (TRUTH,),
    ),
    Mutation(
        "pseudonym", "derive/pseudonym.py",
        "bytes(b ^ 0x36 for b in block)", "bytes(0x36 for _ in block)", (TRUTH,),
    ),
    Mutation(
        "page stop", "wistia/pagination.py",
        "        return not page or (\n", "        return len(page) <= self.per_page or (\n",
        ("tests/unit/wistia/test_walks.py", f"{BUGS}::test_more_pages_than_any_cap"),
    ),
    Mutation(
        "watermark order", "pipeline/run/publish.py",
        "    ledger.record(written.values())\n    advance(order, ledger, media, {**known, **written}.values())\n",
        "    advance(order, ledger, media, {**known, **written}.values())\n    ledger.record(written.values())\n",
        ("tests/unit/test_publishing_order.py",),
    ),
    Mutation(
        "soft delete", "transforms/changes.py",
        '            "removed_at": F.col("_scope_observed_at"),\n', "", (TRUTH,),
    ),
    Mutation(
        "reconciliation band", "quality/reconciliation.py",
        "    above_share: float = 0.05\n", "    above_share: float = 0.5\n",
        ("tests/quality/test_identities.py",),
    ),
)  # fmt: skip


def broken(mutation: Mutation, folder: Path) -> None:
    """Put a copy of the sources with the mutation into `folder`."""
    shutil.copytree(ROOT / "src", folder, ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "wistlake" / mutation.path
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


def drawn_verdict(mutation: Drawn) -> str:
    """As `verdict`, by the fast tests. What can't even be imported is caught, too."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        sources = Path(folder) / "src"
        shutil.copytree(ROOT / "src", sources, ignore=shutil.ignore_patterns("__pycache__"))
        (sources / mutation.path).write_text(mutation.source)
        code, _ = _tested(sources, ("-n", "2", "-m", "not engine and not aws", *FAST))
    return {0: "LIVES", None: "caught (hung)"}.get(code, "caught")


def _tested(sources: Path, arguments: Sequence[str]) -> tuple[int | None, str]:
    """Exit code of pytest (None: it hung) against `sources`, and what it printed."""
    command = [
        sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
        "-o", f"pythonpath={sources} {ROOT / 'tests'}", *arguments,
    ]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(sources), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, done.stdout + done.stderr


def main(arguments: Sequence[str]) -> int:
    """One line a mutation, then how many were caught."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--random", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    return _random(options.random, options.seed) if options.random else _named(options.names)


def _random(count: int, seed: int) -> int:
    """The rate of drawn mutations that the fast tests catch; no verdict of its own."""
    caught = 0
    for number, mutation in enumerate(draw(ROOT / "src", count, seed), 1):
        word = drawn_verdict(mutation)
        caught += word != "LIVES"
        print(f"{number:3} {word:14} {mutation.path}:{mutation.line} {mutation.what}", flush=True)
    print(f"{caught} of {count} caught ({100 * caught / count:.0f} %), seed {seed}")
    return 0


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
