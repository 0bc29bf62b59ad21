"""What the documentation tells people to type, typed: in one folder, in the order of a newcomer's day."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.main import get_command

from docs.pages import OWN_TESTS, ROOT, Block, blocks
from support.some import some
from wistia_simulator import Profile, ServerOptions, World, create_app
from wistia_simulator.main import running
from wistlake.entrypoints.cli.main import app

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]
# A newcomer begins with a token; the other pages find a lake.
BEGINNINGS = ("bring-your-token.md", "README.md")
NOT_RUN = {
    "not run: make": ("make",),
    "not run: it downloads": ("uvx",),
    "not run: it asks": ("wistlake",),
    "not run: it serves until Ctrl-C": (".venv/bin/wistlake",),
    "not run: it needs a refused record": ("wistlake",),
    "not run: it needs an AWS account": ("aws", "make", "export", ".venv/bin/python"),
    "not run: it needs a GitHub account": ("gh",),
}
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Desk:
    """A folder where commands are typed, beside a simulated Wistia; `words` stand for what differs by account."""

    folder: Path
    environment: dict[str, str]
    words: dict[str, str]

    def types(self, command: str) -> subprocess.CompletedProcess[str]:
        """A command as it stands on the page, with this account's words in it."""
        for written, meant in self.words.items():
            command = re.sub(rf"\b{written}\b", meant, command)
        return subprocess.run(
            ["/bin/sh", "-c", command.replace(".venv/bin/wistlake", "wistlake")],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=240, check=False,
        )  # fmt: skip


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{BIN}:/usr/bin:/bin",
        "HOME": str(folder),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    now = datetime.now(UTC)
    world = World(7, Profile(media=2, sessions_per_day=15, history_days=12), now)
    ids = [str(media["hashed_id"]) for media in _medias(world)]
    words = {
        "abc123def4": ids[0],
        "ghi567jkl8": ids[1],
        "MEDIA": ids[0],
        "2026-10-31": (now - timedelta(days=5)).date().isoformat(),
    }
    with running(create_app(world, ServerOptions(token="TOKEN", rate_limit_per_minute=None))) as url:
        yield Desk(folder, _environment(folder) | {"WISTIA_BASE_URL": f"{url}/modern"}, words)


def _medias(world: World) -> list[dict[str, object]]:
    from simulator.support import UNLIMITED, app_of, get

    return list(get(app_of(world, UNLIMITED), "/v1/medias"))


def _with_lake(desk: Desk) -> None:
    """What the pages for newcomers leave; made now if this test is called alone."""
    if not (desk.folder / "lake" / "report.html").exists():
        for command in ("wistlake init --token TOKEN --media all --force", "wistlake run"):
            assert desk.types(command).returncode == 0


def _in_order(found: list[Block]) -> list[Block]:
    return sorted(found, key=lambda b: (*BEGINNINGS, b.page.name).index(b.page.name))


def commands(block: Block) -> list[str]:
    """The block's commands, one a line (or several, with a backslash at their ends), without comments."""
    text = re.sub(r"\\\n\s*", "", block.text)
    lines = (re.sub(r"\s+#\s.*$", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


SHELL = _in_order(blocks("sh"))


@pytest.mark.parametrize("block", [b for b in SHELL if not b.note], ids=str)
def test_shell_blocks_run(block: Block, desk: Desk) -> None:
    if block.page.name not in BEGINNINGS:
        _with_lake(desk)
    if block.page.name == "README.md":
        # Its newcomer starts anew, without the lake and the files of bring-your-token.md.
        shutil.rmtree(desk.folder / "lake", ignore_errors=True)
        for name in (".env", "wistlake.toml"):
            (desk.folder / name).unlink(missing_ok=True)
    for command in some(commands(block)):
        done = desk.types(command)
        assert done.returncode == 0, f"{command}\n{done.stdout[-1000:]}\n{done.stderr[-2000:]}"


def test_what_is_not_run_says_why() -> None:
    """A reason out of a few, and commands that could not be run here."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for block in some(b for b in SHELL if b.note):
        assert block.note in NOT_RUN, block
        typed = [command.split() for command in commands(block)]
        assert any(words[0] in NOT_RUN[block.note] for words in typed), block
        for words in some(typed):
            assert words[0] != "make" or set(words[1:]) <= targets, block


def test_python_blocks_are_run() -> None:
    """Each stands on a page that has a test of its own, which runs it."""
    assert blocks("python") == [], "give its page a test, and name that in OWN_TESTS"
    for page, test in some(OWN_TESTS.items()):
        assert "```python" in (ROOT / page).read_text(encoding="utf-8")
        assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")


@pytest.mark.parametrize("block", blocks("powershell"), ids=str)
def test_windows_commands_name_what_is_there(block: Block) -> None:
    """Not run here: what they name exists, and they do what make does."""
    known = getattr(get_command(app), "commands")  # noqa: B009 - typer's group, by its documented name
    for words in some(command.replace("\\", "/").split() for command in commands(block)):
        assert words[0] in ("py", ".venv/Scripts/python", ".venv/Scripts/wistlake")
        if words[0].endswith("wistlake"):
            assert words[1] in known
        assert all((ROOT / w).exists() for w in words[1:] if w.startswith("requirements/"))
    text = block.text.replace("\\", "/").replace(".venv/Scripts/python -m pip", "$(PIP)")
    steps = [line for line in text.splitlines() if line.startswith("$(PIP)")]
    assert steps
    assert all(step in (ROOT / "Makefile").read_text() for step in steps)


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_shown_answers_are_the_demos(block: Block, tmp_path: Path) -> None:
    """`$ command`, and below it what the demo's lake answers, to the letter."""
    shutil.rmtree(tmp_path / "lake", ignore_errors=True)
    environment = _environment(tmp_path)
    demo = Desk(tmp_path, environment, {})
    assert demo.types("wistlake demo").returncode == 0
    for shown in some(re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]):
        command, answer = _split(shown)
        assert answer, "a console block shows an answer"
        told = demo.types(command).stdout.strip()
        assert [line.rstrip() for line in told.splitlines()] == [line.rstrip() for line in answer]


def _split(shown: str) -> tuple[str, list[str]]:
    """A command, which ends where its quotation marks do, and the answer's lines."""
    lines = shown.strip().splitlines()
    ends = (n for n in range(1, len(lines) + 1) if "\n".join(lines[:n]).count('"') % 2 == 0)
    at = next(ends)
    return "\n".join(lines[:at]), lines[at:]
