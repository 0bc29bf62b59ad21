"""What a person may get wrong, or a machine refuse: one line that names it and the cure, and never `a mistake`."""

import errno
import os
import re
import resource
import shlex
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from support.commands import call
from support.handmade import NOW, make
from support.some import some
from wistlake import machine
from wistlake.adapters.local import disk
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.entrypoints.cli import demo
from wistlake.errors import ConfigError, StoreError
from wistlake.settings import ArgumentsOnly, Settings

DOCS = Path(__file__).parents[2] / "docs"
Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a folder, a file, bytes that are no text, and no lake."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "bytes.json").write_bytes(bytes(range(256)))
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "stranger.json").write_text('{"rules": []}')
    monkeypatch.setenv("WISTIA_API_TOKEN", "simulated")
    monkeypatch.setenv("MEDIA_IDS", "all")
    return tmp_path


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


WRONG = [
    ("metric plais", "isn't a lake yet"),
    ("metric --top 3", "name the metric: `wistlake metric plays`"),
    ("metric plays --top 0", "--top: Input should be greater than or equal to 1"),
    ("retention abc", "isn't a hashed id"),
    ("retention abc123def4 --from 2026-03-05 --to 2026-03-01", "is after --to"),
    ("trust --from soon", "--from: 'soon' isn't a date: write 2026-11-21"),
    ("trust --media abc", "isn't a hashed id"),
    ("export --to exel out", "--to 'exel': parquet, duckdb, xlsx, csv"),
    ("mcp extra", "got unexpected extra argument(s) (extra)"),
    ("watch extra", "got unexpected extra argument(s) (extra)"),
    ("contract export extra", "got unexpected extra argument(s) (extra)"),
    ("report --out missing/r.html", "--out missing/r.html: there is no folder missing"),
    ("report --out folder", "--out folder is a folder"),
    ("report --out file/r.html", "there is no folder file"),
    ("report --from 2026-03-05 --to 2026-03-01", "--from 2026-03-05 is after --to 2026-03-01"),
    ("repair --from 2026-03-05 --to 2026-03-01", "is after --to"),
    ("explore events --media-id abc123def4 --from 2026-03-05 --to 2026-03-01", "is after --to"),
    ("catalog --port 80000", "--port: Input should be"),
    ("catalog --port -1", "--port: Input should be"),
    ("dashboard --port 80000", "--port: Input should be"),
    ("simulate --port 80000", "--port: Input should be"),
    ("simulate --rate-limit -1", "--rate-limit: Input should be"),
    ("simulate --latency -1", "write seconds"),
    ("simulate --latency nan", "write seconds"),
    ("simulate --latency inf", "write seconds"),
    ("simulate --faults wild", "no such fault plan: wild"),
    ("simulate --faults calme", "did you mean calm?"),
    ("simulate --faults folder", "no such fault plan: folder"),
    ("simulate --faults missing.json", "--faults missing.json can't be read"),
    ("simulate --faults bytes.json", "--faults bytes.json can't be read"),
    ("simulate --faults list.json", "--faults list.json can't be read"),
    ("simulate --faults stranger.json", "rules: there are seed and faults"),
    ("simulate --profile bytes.json", "--profile bytes.json can't be read"),
    ("simulate --replay missing", "--replay missing isn't a folder of recordings"),
    ("simulate --replay folder", "--replay folder isn't a folder of recordings"),
    ("certify --days 99999999999", "--days: Input should be less than or equal to 730"),
    ("schedule --cron --at ²:00", "write HH:MM"),
    ("schedule --cron --at 24:00", "write HH:MM"),
    ("contract diff --openapi /dev/zero", "--openapi /dev/zero isn't a file"),
    ("contract diff --openapi folder", "isn't a file"),
    ("contract diff --openapi bytes.json", "can't be read"),
    ("restore /dev/zero --to folder/lake", "/dev/zero is neither a folder nor an archive"),
    ("rebuild --zone ,", "isn't a zone"),
    ("run --media ,", "--media names nothing"),
    ("plan --media all", "isn't a hashed id"),
    ("plan --media abc", "isn't a hashed id"),
    ("plan --datasets ,", "--datasets names nothing"),
    ("media add all", "isn't a hashed id"),
    ("init --zone Nowhere/City --token x --media all --offline", "use an IANA name such as America/New_York"),
    ("run --from yesterday", "--from: 'yesterday' isn't a date: write 2026-11-21"),
    (
        "backfill --to 2026-01-02",
        "--from is missing: the first day to fetch; `wistlake backfill -h` shows how",
    ),
    ("status --now noon", "--now: 'noon' isn't a time: write 2026-11-21T02:15Z"),
    ("status --jsn", "no such option: --jsn (Possible options: --json, --now)"),
    ("gaps --now noon", "isn't a time"),
    ("doctor --now noon", "isn't a time"),
    ("maintain --now noon", "isn't a time"),
    ("backup", "target is missing; `wistlake backup -h` shows how"),
    ("schedule", "say which one: --cron or --systemd"),
    ("query SELECT --format xml", "--format 'xml': table, json or csv"),
    ("digest --now noon", "no such option: --now"),
    ("forget --email nobody", "such as person@example.com"),
    ("demo --days 0", "--days: Input should be greater than or equal to 1"),
    ("demo --lake file", "name another folder with --lake"),
    ("soak --profile wild", "one of hostile, calm"),
    ("explain gold.nothing --media abc123def4 --date 2026-03-01", "there are fact_media_daily"),
    ("revisions --media abc", "isn't a hashed id"),
    ("explore medias --per-page 0", "--per-page: Input should be"),
    ("explore media-stats --media-id abc", "isn't a hashed id"),
    ("explore analytics --max-pages 0", "--max-pages: Input should be"),
    ("explore visitors --max-pages 0", "--max-pages: Input should be"),
    ("explore incremental --from soon", "isn't a date"),
    ("key rotate --reason why", "no such option: --reason (Possible options: --json)"),
    ("key show-epoch --now noon", "no such option: --now"),
    ("watermark show --jsn", "no such option: --jsn"),
    ("watermark set evnts abcdef1234 2026-01-01 --reason why", "did you mean events?"),
    ("media list --jsn", "no such option: --jsn"),
    ("media retire abc", "isn't a hashed id"),
    ("media label abc channel=YouTube", "isn't a hashed id"),
    ("quarantine list --media abc", "isn't a hashed id"),
    ("quarantine replay --media abc", "isn't a hashed id"),
    ("repair --media abc", "isn't a hashed id"),
    ("report --media abc", "isn't a hashed id"),
    ("quarantine show", "is missing; `wistlake quarantine show -h` shows how"),
    ("quarantine replay --now noon", "isn't a time"),
    ("contract drift --now noon", "no such option: --now"),
    ("nosuch", "no such command 'nosuch'; `wistlake -h` shows how"),
    ("media remove abc123def4", "no such command 'remove'; `wistlake media -h` shows how"),
]


@pytest.mark.parametrize(("typed", "says"), WRONG, ids=[typed for typed, _ in WRONG])
def test_a_wrong_value_is_named_with_its_cure(typed: str, says: str, capsys: Said) -> None:
    assert call(*typed.split()) == 2
    said = capsys.readouterr()
    assert says in said.err
    (line,) = said.err.splitlines()
    assert line.startswith("error: ")
    assert "mistake in wistlake" not in line
    assert said.out == ""


def test_every_command_is_tried_with_a_wrong_value() -> None:
    headings = re.findall(
        r"^## wistlake (.+)$", (DOCS / "commands.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    tried = {" ".join(typed.split()[:n]) for typed, _ in WRONG for n in (1, 2)}
    assert [command for command in some(headings) if command not in tried] == []


@pytest.mark.parametrize("command", [("report", "--media"), ("run", "--media"), ("run", "--datasets")])
def test_a_variable_that_is_not_set_does_not_mean_everything(command: tuple[str, str], capsys: Said) -> None:
    assert call(*command, "") == 2
    assert f"{command[1]} names nothing" in capsys.readouterr().err


def test_an_empty_zone_is_no_other_zone(capsys: Said) -> None:
    assert call("rebuild", "--zone", " ") == 2
    assert "--zone names no zone" in capsys.readouterr().err


def test_a_port_that_is_taken_is_no_mistake_of_ours(busy: int, capsys: Said) -> None:
    assert call("simulate", "--port", str(busy)) == 2
    assert "the port is in use: choose another one" in capsys.readouterr().err


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EMFILE, errno.EIO]
)
def test_what_the_machine_refuses_is_a_store_that_can_be_cured(number: int) -> None:
    found = machine.refusal(OSError(number, os.strerror(number), "/data/lake/x"))
    assert isinstance(found, StoreError)
    assert found.exit_code == 74
    assert "/data/lake/x" in str(found) or "ulimit -n" in str(found)


@pytest.mark.parametrize(
    "number", [errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP]
)
def test_a_path_that_leads_nowhere_is_the_callers_to_correct(number: int) -> None:
    found = machine.refusal(OSError(number, os.strerror(number), "/nowhere"))
    assert isinstance(found, ConfigError)
    assert str(found).startswith("/nowhere: ")


@pytest.mark.parametrize(
    "typed",
    [
        ("forget", "--email", "b\udcff@x.io", "--dry-run"),
        ("forget", "--visitor-key", "b\udcff", "--dry-run"),
        ("query", "SELECT 'b\udcff'"),
    ],
)
def test_bytes_that_are_no_text_are_the_callers_to_correct(
    typed: tuple[str, ...], place: Path, capsys: Said
) -> None:
    make(place / "lake")
    assert call(*typed) == 2
    assert "bytes that are no UTF-8" in capsys.readouterr().err


def test_a_variable_whose_bytes_are_no_text_is_too(monkeypatch: pytest.MonkeyPatch, capsys: Said) -> None:
    monkeypatch.setenv("WISTLAKE_CHANNELS", "b\udcff")
    assert call("status") == 2
    assert "bytes that are no UTF-8" in capsys.readouterr().err


def test_what_is_proposed_can_be_typed_whatever_the_folder_is_called(place: Path, capsys: Said) -> None:
    odd = place / "o'brien's lake"
    demo._what_next(odd)
    (status,) = [line for line in capsys.readouterr().out.splitlines() if line.endswith("status")]
    assert f"WISTLAKE_LAKE={odd.name}" in shlex.split(status)  # typed where it is printed
    LakeFolder(odd).open("America/New_York", NOW)
    moved = odd.rename(place / "moved on")
    with pytest.raises(ConfigError) as refused:
        LakeFolder(moved).require_readable()
    assert str(moved) in shlex.split(str(refused.value).partition("`")[2].partition("`")[0])


def test_the_reason_is_found_below_what_a_library_makes_of_it() -> None:
    made_of_it = RuntimeError("could not write")
    made_of_it.__cause__ = OSError(errno.ENOSPC, "No space left on device", "/data/part")
    assert "/data/part is full" in str(machine.refusal(made_of_it))


@pytest.mark.parametrize(
    "error", [ValueError("x"), OSError("x"), KeyError("x"), ConnectionResetError(104, "reset")]
)
def test_a_mistake_of_ours_stays_one(error: Exception) -> None:
    assert machine.refusal(error) is None


def test_a_run_that_may_open_too_few_files_says_how_many_it_needs(place: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "wistlake.entrypoints.cli.main", "run"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 74, done.stderr
    assert "may open 32 files at once, and a run needs 128" in done.stderr
    assert "ulimit -n" in done.stderr
    assert not (place / "lake").exists()


def test_a_limit_that_may_be_raised_is_raised(place: Path) -> None:
    story = (
        "import resource\nfrom wistlake import machine\nmachine.open_enough_files()\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", story],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 512)),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert int(done.stdout) == 512


@pytest.mark.parametrize("data", [b"", bytes(range(256)), b"\xff\xfe{}", b"[1]", b'{"keys": "ab"}'])
def test_a_damaged_key_file_is_named_and_not_quoted(place: Path, data: bytes) -> None:
    folder = LakeFolder(place / "lake")
    folder.make()
    folder.key_file.write_bytes(data)
    folder.key_file.chmod(0o600)
    with pytest.raises(StoreError, match="pseudonym key"):
        folder.key_chain()


def test_a_place_that_may_not_be_looked_at_counts_as_there(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.stat

    def stat(path: Path, **how: bool) -> os.stat_result:
        if "locked" in path.parts:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, **how)

    monkeypatch.setattr(Path, "stat", stat)
    assert disk.nearest(place / "locked" / "lake") == place / "locked" / "lake"
    assert disk.nearest(place / "absent" / "lake") == place


class TestInit:
    @pytest.mark.parametrize("lake", ["C:\\new", 'my "own" lake', "jörgs lake", "a'b", "x\\u0041"])
    def test_a_lake_of_any_name_is_written_so_that_it_is_read_again(
        self, place: Path, lake: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert call("init", "--offline", "--token", "abc", "--lake", lake) == 0
        assert tomllib.loads((place / "wistlake.toml").read_text(encoding="utf-8"))["WISTLAKE_LAKE"] == lake
        monkeypatch.delenv("WISTIA_API_TOKEN")
        assert Settings().lake == place / lake
        assert Settings().require_token().get_secret_value() == "abc"

    @pytest.mark.parametrize("token", ['"tok123"', " 'tok123'\r\n", "tok123\r"])
    def test_a_token_is_written_without_the_marks_around_it(self, place: Path, token: str) -> None:
        assert call("init", "--offline", "--token", token) == 0
        assert (place / ".env").read_text() == "WISTIA_API_TOKEN=tok123\n"

    @pytest.mark.parametrize("lake", ["x\ty", "s3://bucket/lake", "~nobodyatall/lake"])
    def test_what_is_refused_leaves_nothing_that_blocks_the_next_try(self, place: Path, lake: str) -> None:
        before = sorted(p.name for p in place.iterdir())
        assert call("init", "--offline", "--token", "abc", "--lake", lake) == 2
        assert sorted(p.name for p in place.iterdir()) == before
        assert call("init", "--offline", "--token", "abc") == 0

    def test_half_of_the_settings_is_none(self, place: Path, capsys: Said) -> None:
        (place / "wistlake.toml").mkdir()
        assert call("init", "--offline", "--token", "abc", "--force") == 2
        assert "wistlake.toml is a folder here" in capsys.readouterr().err
        assert not (place / ".env").exists()

    def test_files_that_are_no_settings_can_be_replaced(self, place: Path) -> None:
        (place / "wistlake.toml").write_text("garbage = [")
        assert call("init", "--offline", "--token", "abc") == 2
        assert call("init", "--offline", "--token", "abc", "--force") == 0
        assert Settings().media_ids == ("all",)

    def test_where_everybody_may_write_nothing_is_written(self, place: Path, capsys: Said) -> None:
        place.chmod(0o777)
        assert call("init", "--offline", "--token", "abc") == 2
        assert f"chmod o-w {place}" in capsys.readouterr().err
        assert not (place / ".env").exists()


def test_nobody_is_told_of_simulated_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "https://hooks.slack.example/x")
    monkeypatch.setenv("WISTLAKE_NOTIFY_COMMAND", "mail me")
    assert Settings(token=SecretStr("simulated")).notify_command == "mail me"
    simulated = ArgumentsOnly(token=SecretStr("simulated"))
    assert not simulated.notify_command
    assert simulated.slack_webhook_url is None
