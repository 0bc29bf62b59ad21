"""Searches bytes for personal data and secrets, and counts the matches without showing their values.

It matches by pattern (addresses, tokens, the source's keys), and by value: raw pages that are still there tell which
values are personal.
"""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wistlake.privacy.addresses import addresses

IPS, EMAILS, COORDINATES = "IP addresses", "e-mail addresses", "coordinates"
TOKENS, VISITORS = "tokens", "raw visitor keys"
KINDS = (IPS, EMAILS, COORDINATES, TOKENS, VISITORS)

_EMAIL = re.compile(rb"[A-Za-z0-9._%+'-]{3,64}@[A-Za-z0-9-]{3,63}(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}")
_IPV4 = re.compile(rb"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])")
_IPV6 = re.compile(rb"(?<![0-9A-Fa-f:.])(?:[0-9A-Fa-f]{1,4}:{1,2}){3,7}[0-9A-Fa-f]{1,4}(?![0-9A-Fa-f:])")
_TOKEN = re.compile(rb"(?:[Bb]earer|[Bb]asic) [A-Za-z0-9._~+/=-]{20,}|public_token=[A-Za-z0-9]{8,}")
_SOURCE_KEY = re.compile(  # the form of session keys and device keys
    rb"[0-9a-f]{7}_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-[0-9a-f]{9}-[0-9a-f]{12}-[0-9a-f]{4}"
)
_QUARANTINED_SESSION = re.compile(rb'"event_key":"([^"\\]+)"')  # in the payload of a quarantined record
_COORDINATE = re.compile(rb"\"(?:lat|lon|lng|latitude|longitude)\": ?-?[0-9]{1,3}\.[0-9]")
_COORDINATE_COLUMN = re.compile(r"(^|_)(lat|lon|lng|latitude|longitude)$")
_WORD = re.compile(rb"[A-Za-z0-9@._:%+-]+")
_MIN_CHARACTERS = 6  # shorter values match too much
_PRECISE_DIGITS = 4  # decimals of a coordinate that tell one street from another


@dataclass(frozen=True, slots=True)
class Piece:
    """Some decompressed bytes of the file `place` (relative to the lake), and the column whose values they are.

    `is_text` is False for binary formats, in which random bytes may look like anything.
    """

    place: str
    data: bytes
    column: str = ""
    is_text: bool = True


Matches = Mapping[str, Mapping[str, int]]  # kind -> place -> number of distinct values


def personal_values(records: Iterable[Mapping[str, Any]]) -> dict[bytes, str]:
    """The personal values in raw records, with their kinds: addresses, keys, and coordinates of high precision."""
    kinds: dict[bytes, str] = {}
    for record in records:
        for name, kind in (("ip", IPS), ("visitor_key", VISITORS)):
            if isinstance(value := record.get(name), str) and len(value) >= _MIN_CHARACTERS:
                kinds[value.encode(errors="replace")] = kind
        kinds |= {a.encode(errors="replace"): EMAILS for a in addresses(record)}
        for name in ("lat", "lon"):
            value = record.get(name)
            if isinstance(value, float) and len(repr(value).partition(".")[2]) >= _PRECISE_DIGITS:
                kinds[repr(value).encode()] = COORDINATES
    return kinds


def scan(pieces: Iterable[Piece], personal: Mapping[bytes, str], secrets: Iterable[str]) -> Matches:
    """Where something looks personal or secret. Session keys look like visitor keys, and browser versions like IP
    addresses: values of their columns, and of `event_key` in quarantined records, do not count."""
    hidden = [s.encode() for s in secrets if s]
    seen: dict[str, dict[str, set[bytes]]] = {kind: defaultdict(set) for kind in KINDS}
    sessions: set[bytes] = set()
    versions: set[bytes] = set()
    for piece in pieces:
        if piece.column == "event_key":
            sessions |= set(piece.data.split(b"\n"))
        if piece.column == "payload":
            sessions |= set(_QUARANTINED_SESSION.findall(piece.data))
        if piece.column == "browser_version":
            versions |= set(piece.data.split(b"\n"))
        for kind, value in _values(piece, personal, hidden):
            seen[kind][f"{piece.place}{f', {piece.column}' if piece.column else ''}"].add(value)
    harmless = {VISITORS: sessions - personal.keys(), IPS: versions}
    return {
        kind: {place: n for place, values in places.items() if (n := len(values - harmless.get(kind, set())))}
        for kind, places in seen.items()
    }


def _values(piece: Piece, personal: Mapping[bytes, str], secrets: list[bytes]) -> Iterator[tuple[str, bytes]]:
    data = piece.data
    yield from ((TOKENS, s) for s in secrets if s in data)
    yield from ((EMAILS, m) for m in _EMAIL.findall(data))
    yield from ((IPS, m) for m in _IPV4.findall(data) if _is_address(m))
    yield from ((VISITORS, m) for m in _SOURCE_KEY.findall(data))
    if not piece.is_text:
        return
    yield from ((IPS, m) for m in _IPV6.findall(data) if _is_address(m))
    yield from ((TOKENS, m) for m in _TOKEN.findall(data))
    yield from ((COORDINATES, m) for m in _COORDINATE.findall(data))
    if _COORDINATE_COLUMN.search(piece.column) and data:
        yield COORDINATES, data
    yield from ((personal[w], w) for w in set(_WORD.findall(data)) if w in personal)


def _is_address(text: bytes) -> bool:
    """Whether it is an IP address, other than loopback and unspecified ones."""
    try:
        address = ipaddress.ip_address(text.decode())
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)
