"""Object keys, manifests and NDJSON of bronze: encoding and decoding. Pure; standard library only.

A landing is one complete listing of (dataset, media, day). Its parts hold one envelope a line:

    {"_landing": "<landing id>", "_line": 17, "record": {... as Wistia served it ...}}

Every line names its landing, so that any engine can read lines of many landings at once. The manifest, written
last and only once, commits the landing: readers ignore parts without one.
"""

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from wistlake.codec import decode, encode
from wistlake.contracts.form import Field, Privacy, Source
from wistlake.errors import StoreDamaged, StoreError
from wistlake.foreign import shown_name

ROOT = "bronze/wistia"
CONFIRMED = "bronze/confirmed"  # readings that brought nothing new
FORMAT = 3  # 2: `steady_hash`; 3: `listing`, `plain`
MANIFEST = "manifest.json"
Record = Mapping[str, Any]
_PLAIN = re.compile(r"[A-Za-z0-9_-]+")
_VISITOR_KEY = ("visitor_key",)  # the path of the field
_SORTED = json.JSONEncoder(sort_keys=True)


@dataclass(frozen=True, slots=True)
class Part:
    """One object of a landing. `sha256` is over its stored (compressed) bytes."""

    key: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Commits a landing. `walk` is the client's proof that the listing was complete and stable; `listing` names it,
    for it may have served many landings.

    `observed_at` is the start of the run: all listings of one run count as equally new. `plain` says under which of
    the contract's types every record is plain (`derive.plain`); "" if one is not, or nobody looked.
    """

    landing_id: str
    dataset: str
    media_id: str
    day: date
    run_id: str
    observed_at: datetime
    finished: bool
    rows: int
    pages: int
    content_hash: str
    payload_sha256: str
    parts: tuple[Part, ...]
    request: Mapping[str, Any] = field(default_factory=dict)
    api: Mapping[str, Any] = field(default_factory=dict)
    walk: Mapping[str, Any] = field(default_factory=dict)
    unknown_keys: tuple[str, ...] = ()
    missing: bool = False
    redacted: bool = False
    supersedes: str = ""
    steady_hash: str = ""
    listing: str = ""
    plain: str = ""
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A reading that only repeated what a landing holds: nothing else was written of it, and nothing of its content
    is in here."""

    dataset: str
    media_id: str
    day: date
    run_id: str
    observed_at: datetime
    landing_id: str
    finished: bool

    def as_read(self, manifest: Manifest) -> Manifest:
        """The landing that it repeats, as if it had been read again."""
        return replace(manifest, run_id=self.run_id, observed_at=self.observed_at, finished=self.finished)


def landing_id(dataset: str, media_id: str, day: date, run_id: str) -> str:
    """The landing's id, which is also its folder below `ROOT`."""
    for name, part in (("dataset", dataset), ("media_id", media_id), ("run_id", run_id)):
        if not _PLAIN.fullmatch(part):
            raise StoreError(
                f"{name} {part[:40]!r} cannot be part of an object key: letters, digits, - and _ only"
            )
    return f"{dataset}/dt={day.isoformat()}/media_id={media_id}/run_id={run_id}"


def interval_of(landing: str) -> tuple[str, str, date]:
    """Dataset, media and day of a landing, by its id."""
    dataset, day, media, _ = landing.split("/")
    return dataset, media.removeprefix("media_id="), date.fromisoformat(day.removeprefix("dt="))


def folder(landing: str) -> str:
    """The landing's folder."""
    return f"{ROOT}/{landing}"


def manifest_key(landing: str) -> str:
    """The key of the landing's manifest."""
    return f"{folder(landing)}/{MANIFEST}"


def part_key(landing: str, number: int) -> str:
    """The key of part `number` (from 1)."""
    return f"{folder(landing)}/part-{number:05d}.jsonl.gz"


def encode_confirmations(confirmations: Sequence[Confirmation]) -> tuple[str, bytes]:
    """Key and content of the object that holds the confirmations of one run, or of one part of it. The same ones give
    the same key."""
    data = json.dumps(encode(tuple[Confirmation, ...], tuple(confirmations)), separators=(",", ":")).encode()
    first = confirmations[0]
    day = first.observed_at.astimezone(UTC).date()
    return f"{CONFIRMED}/dt={day}/run_id={first.run_id}/{sha256(data)[:16]}.json", data


def decode_confirmations(data: bytes) -> tuple[Confirmation, ...]:
    """The confirmations in `data`. StoreDamaged if it holds none."""
    try:
        return decode(tuple[Confirmation, ...], json.loads(data))
    except (ValueError, KeyError, TypeError) as e:
        raise StoreDamaged(
            f"no confirmations ({len(data)} bytes, {type(e).__name__}): remove the object"
        ) from e


def encode_lines(landing: str, records: Iterable[Record], first_line: int = 1) -> bytes:
    """The records as gzipped envelopes, numbered from `first_line`. The same records give the same bytes."""
    return encode_numbered(landing, enumerate(records, first_line))


def encode_numbered(landing: str, lines: Iterable[tuple[int, Record]]) -> bytes:
    """(line, record) pairs as gzipped envelopes: a landing keeps its line numbers when it loses records.

    Half a surrogate pair, which JSON allows and UTF-8 does not, becomes `?`.
    """
    head = f'{{"_landing":{json.dumps(landing)},"_line":'
    text = "".join(
        f'{head}{number},"record":{json.dumps(record, ensure_ascii=False, separators=(",", ":"))}}}\n'
        for number, record in lines
    )
    return gzip.compress(text.encode(errors="replace"), compresslevel=6, mtime=0)


def decode_lines(data: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, record) of every envelope in a part. StoreDamaged names the first line that is none."""
    for position, line in enumerate(_lines(data), 1):
        try:
            envelope = json.loads(line)
            yield int(envelope["_line"]), envelope["record"]
        except (ValueError, KeyError, TypeError) as e:
            raise StoreDamaged(
                f"bronze line {position} isn't an envelope ({len(line)} bytes): restore the landing"
            ) from e


def _lines(data: bytes) -> Sequence[bytes]:
    # Bytes, not text: str.splitlines would also split at U+2028 and similar characters inside a record.
    try:
        return gzip.decompress(data).splitlines()
    except (OSError, EOFError, zlib.error) as e:
        raise StoreDamaged(f"a part of {len(data)} bytes is an incomplete gzip: restore the landing") from e


def sha256(data: bytes) -> str:
    """Hex digest."""
    return hashlib.sha256(data).hexdigest()


def payload_hash(parts: Sequence[Part]) -> str:
    """The hash of a whole landing: over its parts' digests, in order."""
    return sha256("\n".join(p.sha256 for p in parts).encode())


def content_hash(source: Source, records: Iterable[Record]) -> str:
    """The hash of the records' content: of the contract's fields, without volatile ones, order and repetition."""
    return _hash_of((f for f in source.fields if not f.volatile), records)


def steady_hash(source: Source, records: Iterable[Record]) -> str:
    """`content_hash` without the fields that the source restates: a day is settled when two readings agree on it."""
    return _hash_of((f for f in source.fields if not (f.volatile or f.restated)), records)


def hashes(source: Source, records: Sequence[Record]) -> tuple[str, str]:
    """`content_hash` and `steady_hash`, which are the same for most sources."""
    content = content_hash(source, records)
    restates = any(f.restated for f in source.fields)
    return content, steady_hash(source, records) if restates else content


def _hash_of(fields: Iterable[Field], records: Iterable[Record]) -> str:
    """Personal values count only beside a visitor's key, which nobody can guess: the ledger keeps the hash, and an
    address with a time could be found by trying. Without them, records that differ in nothing else stay several."""
    paths = {tuple(f.path.split(".")): f.privacy for f in fields}
    distinct = {_SORTED.encode([_at(record, path) for path in paths]): record for record in records}
    lines: Iterable[str] = distinct
    if _VISITOR_KEY not in paths and Privacy.PERSONAL in paths.values():
        impersonal = [path for path, privacy in paths.items() if privacy is not Privacy.PERSONAL]
        lines = [_SORTED.encode([_at(record, path) for path in impersonal]) for record in distinct.values()]
    digest = hashlib.sha256()
    for line in sorted(lines):
        digest.update(line.encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _at(record: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(record, dict):  # as JSON is read; a Mapping takes ten times as long to recognise
            return None
        record = record.get(name)
    return record


def unknown_keys(source: Source, records: Iterable[Record]) -> tuple[str, ...]:
    """Top-level keys that the contract does not have: additive drift. A key that isn't a plain name may be an address,
    so only its fingerprint is shown."""
    new = {key for record in records for key in record} - source.expected_keys
    return tuple(sorted({shown_name(key) for key in new}))


def encode_manifest(manifest: Manifest) -> bytes:
    """The manifest as JSON: equal manifests give equal bytes."""
    return json.dumps(encode(Manifest, manifest), sort_keys=True, indent=1, default=dict).encode()


def decode_manifest(data: bytes) -> Manifest:
    """The manifest in `data`. StoreError if its format is newer, StoreDamaged if it is none."""
    try:
        plain = json.loads(data)
        if plain["format"] > FORMAT:
            raise StoreError(
                f"the manifest's format {plain['format']} is newer than {FORMAT}: upgrade wistlake"
            )
        return decode(Manifest, plain)
    except (ValueError, KeyError, TypeError) as e:
        raise StoreDamaged(
            f"not a manifest ({len(data)} bytes, {type(e).__name__}): the landing is damaged"
        ) from e


def check_part(part: Part, data: bytes) -> None:
    """StoreDamaged if `data` has another hash than in the manifest."""
    if sha256(data) != part.sha256:
        raise StoreDamaged(
            f"{part.key} does not match its manifest: restore it, "
            "or fetch the day again with `wistlake backfill`"
        )
