"""Anything may come in: what comes out is a value or a WistlakeError.

WISTLAKE_FUZZ_EXAMPLES sets how many inputs each target gets; `make fuzz` gives a million in all.
"""

import contextlib
import gzip
import json
import os
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wistlake import bronze
from wistlake.contracts import SOURCES
from wistlake.contracts.form import Source
from wistlake.entrypoints.cli.options import media_ids
from wistlake.errors import WistlakeError
from wistlake.privacy import keys, redaction, tombstones
from wistlake.settings import Settings
from wistlake.wistia import answers
from wistlake.wistia.failures import Transient

EXAMPLES = int(os.environ.get("WISTLAKE_FUZZ_EXAMPLES", "300"))
fuzz = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES <= 300, suppress_health_check=list(HealthCheck)
)

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
    try:
        page = answers.records(answers.parse(body, kind, "/x"), "/x")
        answers.check_fields(source, page, "/x")
        bronze.content_hash(source, page)
        bronze.unknown_keys(source, page)
        data = bronze.encode_lines("l", page)
        assert len(list(bronze.decode_lines(data))) == len(page)
    except (WistlakeError, Transient):
        pass


MANIFEST_FIELDS = st.sampled_from(bronze.Manifest.__slots__)  # type: ignore[attr-defined]


@fuzz
@given(st.binary() | VALUES.map(lambda v: json.dumps(v).encode()))
def test_manifests(data: bytes) -> None:
    with contextlib.suppress(WistlakeError):
        bronze.decode_manifest(data)


@fuzz
@given(st.dictionaries(MANIFEST_FIELDS, VALUES))
def test_manifests_of_known_fields(changes: dict[str, Any]) -> None:
    plain = {
        "landing_id": "l", "dataset": "events", "media_id": "m", "day": "2026-03-02", "run_id": "r",
        "observed_at": "2026-03-02T00:00:00+00:00", "finished": True, "rows": 0, "pages": 1,
        "content_hash": "",
        "payload_sha256": "", "parts": [], "format": 1, "unknown_keys": [],
    }  # fmt: skip
    with contextlib.suppress(WistlakeError):
        bronze.decode_manifest(json.dumps({**plain, **changes}).encode())


LINES = st.binary() | st.lists(VALUES.map(json.dumps), max_size=5).map(lambda v: "\n".join(v).encode())


@fuzz
@given(LINES, st.booleans())
def test_bronze_lines(text: bytes, packed: bool) -> None:
    with contextlib.suppress(WistlakeError):
        list(bronze.decode_lines(gzip.compress(text) if packed else text))


@fuzz
@given(st.dictionaries(st.sampled_from(sorted(Settings.model_fields)), VALUES, max_size=6))
def test_settings(given: dict[str, Any]) -> None:
    with contextlib.suppress(WistlakeError):
        Settings(**given)


@fuzz
@given(st.text())
def test_media_argument(text: str) -> None:
    with contextlib.suppress(WistlakeError):
        assert all(m.isascii() and m.isalnum() for m in media_ids(text))


@fuzz
@given(st.text() | VALUES.map(json.dumps))
def test_key_files(text: str) -> None:
    with contextlib.suppress(WistlakeError):
        keys.decode(text)


@fuzz
@given(RECORDS, st.sampled_from(SOURCES))
def test_redaction_and_tombstones(record: dict[str, Any], source: Source) -> None:
    kept = redaction.redact(source, record, {})
    assert set(kept) <= {f.path.partition(".")[0] for f in source.fields}
    person = tombstones.Person(frozenset({"x"}), frozenset({"y"}))
    assert tombstones.is_about(person, (b"k" * 32,), record) in (True, False)


@fuzz
@given(st.text() | st.from_regex(r"https?://[^ ]{0,30}", fullmatch=True))
def test_pages_addresses(url: str) -> None:
    assert "@" not in redaction.page(url)


ARGUMENTS = st.sampled_from(
    ["run", "plan", "backfill", "status", "query", "forget", "key", "--json", "--now", "--from", "--media",
     "show-epoch", "--email", "--visitor-key", "--dry-run", "2026-03-02", "\x00", "../..", "' OR 1=1 --"]
) | st.text(max_size=8)  # fmt: skip


@settings(fuzz, max_examples=max(30, EXAMPLES // 20))
@given(st.lists(ARGUMENTS, min_size=1, max_size=4))
def test_arguments(arguments: list[str]) -> None:
    """The whole command line in an empty folder: a usage error, a WistlakeError, or an answer."""
    import tempfile

    from typer.testing import CliRunner

    from wistlake.entrypoints.cli.main import app

    if arguments[0] not in ("run", "plan", "backfill", "status", "query", "forget", "key"):
        arguments = ["plan", *arguments]
    with tempfile.TemporaryDirectory() as folder:
        env = {"WISTLAKE_LAKE": f"{folder}/lake", "WISTIA_API_TOKEN": "", "MEDIA_IDS": ""}
        result = CliRunner(env=env).invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, WistlakeError | SystemExit), arguments
