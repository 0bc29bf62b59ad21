"""Anything may come in: what comes out is a value or a WistlakeError.

WISTLAKE_FUZZ_EXAMPLES sets how many inputs Hypothesis makes for each target, WISTLAKE_FUZZ_MUTANTS how many
damaged copies of each are tried beside it (bits turned, pieces cut out, doubled or put elsewhere).
`make fuzz` tries a million in all, `make fuzz-short` as many as a minute holds.
"""

import contextlib
import gzip
import json
import os
import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wistlake import bronze
from wistlake.contracts import SOURCES
from wistlake.contracts.form import Source
from wistlake.entrypoints.cli.options import day, media_ids, moment
from wistlake.errors import WistlakeError
from wistlake.privacy import keys, redaction, tombstones
from wistlake.settings import DOCS, Settings
from wistlake.wistia import responses as answers
from wistlake.wistia.failures import Transient

EXAMPLES = int(os.environ.get("WISTLAKE_FUZZ_EXAMPLES", "100"))
MUTANTS = int(os.environ.get("WISTLAKE_FUZZ_MUTANTS", "5"))
LEAST = int(os.environ.get("WISTLAKE_FUZZ_LEAST", "0"))  # inputs that a whole session must have tried
pytestmark = pytest.mark.timeout(0 if EXAMPLES > 300 else 300)
TRIED: Counter[str] = Counter()
fuzz = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 300, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module", autouse=True)
def _count(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n{TRIED.total():,} inputs: {dict(TRIED)}")
    assert TRIED.total() >= LEAST


def mutants(data: bytes) -> Iterator[bytes]:
    """`data`, then damaged copies of it: always the same ones for the same bytes."""
    TRIED[str(os.environ.get("PYTEST_CURRENT_TEST")).rpartition("::")[2].partition(" ")[0]] += 1 + MUTANTS
    yield data
    chance = random.Random(data)
    for _ in range(MUTANTS):
        found = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            a, b = sorted(chance.randint(0, len(found)) for _ in range(2))
            match chance.randint(0, 5):
                case 0:
                    found[a:b] = b""
                case 1:
                    found[a:a] = found[a : min(b, a + 1000)]
                case 2:
                    found[a:a] = chance.randbytes(chance.randint(1, 4))
                case 3:
                    found[a:a] = chance.choice(TOKENS)
                case 4:
                    found[a : a + 1] = bytes([chance.randint(0, 255)])
                case _:
                    found[a:b] = found[b : b + chance.randint(0, 9)]
        yield bytes(found)


TOKENS = (
    b"null", b"true", b"-0", b"1e999", b"NaN", b'"', b"{", b"}", b"[", b"]", b"[" * 99, b'{"a":' * 70, b"\\u0000",
    b"\\ud800", b"9" * 30, b"9" * 5000, b"-1", b"9999-12-31", b"0001-01-01T00:00:00+23:59", b"\xff\xfe", b"\n", b"=",
    b"../", b"%00", b"'", b"\x1f\x8b", b"\xef\xbb\xbf", b",", b":", b"#",
)  # fmt: skip


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = tuple(f.path.partition(".")[0] for s in SOURCES for f in s.fields)
RECORDS = st.dictionaries(st.sampled_from(FIELDS) | st.text(), VALUES, max_size=8)
BODIES = (
    st.binary()
    | VALUES.map(lambda v: json.dumps(v).encode())
    | st.lists(RECORDS).map(lambda v: json.dumps(v).encode())
)


@fuzz
@given(BODIES, st.sampled_from(["", "application/json", "text/html"]), st.sampled_from(SOURCES))
def test_pages(body: bytes, kind: str, source: Source) -> None:
    for text in mutants(body):
        with contextlib.suppress(WistlakeError, Transient):
            page = answers.records(answers.parse(text, kind, "/x"), "/x")
            answers.check_fields(source, page, "/x")
            bronze.content_hash(source, page)
            bronze.unknown_keys(source, page)
            data = bronze.encode_lines("l", page)
            assert len(list(bronze.decode_lines(data))) == len(page)


MANIFEST_FIELDS = st.sampled_from(bronze.Manifest.__slots__)  # type: ignore[attr-defined]


@fuzz
@given(st.binary() | VALUES.map(lambda v: json.dumps(v).encode()))
def test_manifests(data: bytes) -> None:
    for text in mutants(data):
        with contextlib.suppress(WistlakeError):
            bronze.decode_manifest(text)


@fuzz
@given(st.dictionaries(MANIFEST_FIELDS, VALUES))
def test_manifests_of_known_fields(changes: dict[str, Any]) -> None:
    plain = {
        "landing_id": "l", "dataset": "events", "media_id": "m", "day": "2026-03-02", "run_id": "r",
        "observed_at": "2026-03-02T00:00:00+00:00", "finished": True, "rows": 0, "pages": 1,
        "content_hash": "",
        "payload_sha256": "", "parts": [], "format": 1, "unknown_keys": [],
    }  # fmt: skip
    for text in mutants(json.dumps({**plain, **changes}).encode()):
        with contextlib.suppress(WistlakeError):
            bronze.decode_manifest(text)


LINES = st.binary() | st.lists(VALUES.map(json.dumps), max_size=5).map(lambda v: "\n".join(v).encode())


@fuzz
@given(LINES, st.booleans())
def test_bronze_lines(text: bytes, packed: bool) -> None:
    for data in mutants(gzip.compress(text, 1) if packed else text):
        with contextlib.suppress(WistlakeError):
            list(bronze.decode_lines(data))
    for data in mutants(text):
        with contextlib.suppress(WistlakeError):
            list(bronze.decode_lines(gzip.compress(data, 1)))


@fuzz
@given(st.dictionaries(st.sampled_from(sorted(Settings.model_fields)), VALUES, max_size=6))
def test_settings(given: dict[str, Any]) -> None:
    TRIED["test_settings"] += 1
    with contextlib.suppress(WistlakeError):
        Settings(**given)


LINES_OF_SETTINGS = st.lists(
    st.tuples(st.sampled_from([d.variable for d in DOCS]), st.text(max_size=30)), max_size=6
)


@settings(fuzz, max_examples=max(30, EXAMPLES // 20))  # each writes files
@given(LINES_OF_SETTINGS, st.sampled_from([".env", "wistlake.toml"]))
def test_settings_files(lines: list[tuple[str, str]], name: str) -> None:
    written = "".join(f"{variable} = {json.dumps(value)}\n" for variable, value in lines)
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for text in mutants(written.encode("utf-8", "replace")):
                Path(name).write_bytes(text)
                Path(name).chmod(0o600)
                with contextlib.suppress(WistlakeError):
                    Settings()
        finally:
            os.chdir(before)


@fuzz
@given(st.text())
def test_media_argument(text: str) -> None:
    for found in mutants(text.encode("utf-8", "replace")):
        with contextlib.suppress(WistlakeError):
            assert all(m.isascii() and m.isalnum() for m in media_ids(found.decode("utf-8", "replace")))


@fuzz
@given(st.datetimes().map(lambda d: d.isoformat()) | st.dates().map(str) | st.text(max_size=30))
def test_moments_and_days(text: str) -> None:
    for found in mutants(text.encode("utf-8", "replace")):
        with contextlib.suppress(typer.BadParameter):
            at = moment(found.decode("utf-8", "replace"))
            assert at.utcoffset() == timedelta(0)
            at += timedelta(days=800)
        with contextlib.suppress(typer.BadParameter):
            assert day(found.decode("utf-8", "replace")) + timedelta(days=800)


@fuzz
@given(st.text() | VALUES.map(json.dumps))
def test_key_files(text: str) -> None:
    for found in mutants(text.encode("utf-8", "replace")):
        with contextlib.suppress(WistlakeError):
            keys.decode(found.decode("utf-8", "replace"))


@fuzz
@given(RECORDS, st.sampled_from(SOURCES))
def test_redaction_and_tombstones(record: dict[str, Any], source: Source) -> None:
    TRIED["test_redaction_and_tombstones"] += 1
    kept = redaction.redact(source, record, {})
    assert set(kept) <= {f.path.partition(".")[0] for f in source.fields}
    person = tombstones.Person(frozenset({"x"}), frozenset({"y"}))
    assert tombstones.is_about(person, (b"k" * 32,), record) in (True, False)


@fuzz
@given(st.text() | st.from_regex(r"https?://[^ ]{0,30}", fullmatch=True))
def test_pages_addresses(url: str) -> None:
    for found in mutants(url.encode("utf-8", "replace")):
        assert "@" not in redaction.page(found.decode("utf-8", "replace"))


ARGUMENTS = st.sampled_from(
    ["run", "plan", "backfill", "status", "query", "forget", "key", "--json", "--now", "--from", "--media",
     "show-epoch", "--email", "--visitor-key", "--dry-run", "2026-03-02", "\x00", "../..", "' OR 1=1 --"]
) | st.text(max_size=8)  # fmt: skip


@settings(fuzz, max_examples=max(30, EXAMPLES // 4))
@given(st.lists(ARGUMENTS, min_size=1, max_size=4))
def test_arguments(arguments: list[str]) -> None:
    """The whole command line in an empty folder: a usage error, a WistlakeError, or an answer."""
    from typer.testing import CliRunner

    from wistlake.entrypoints.cli.main import app

    TRIED["test_arguments"] += 1
    if arguments[0] not in ("run", "plan", "backfill", "status", "query", "forget", "key"):
        arguments = ["plan", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        env = {"WISTLAKE_LAKE": f"{folder}/lake", "WISTIA_API_TOKEN": "", "MEDIA_IDS": ""}
        result = CliRunner(env=env).invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, WistlakeError | SystemExit), arguments
