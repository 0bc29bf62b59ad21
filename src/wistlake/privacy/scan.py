"""What looks like a person, or like a secret, in bytes that should hold neither. Values are never told.

Two ways together: by shape (addresses, tokens, the source's keys), and by value, where the lake's own raw
pages still say what is personal.
"""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from wistlake.privacy.addresses import addresses

IPS, EMAILS, COORDINATES = "IP addresses", "e-mail addresses", "coordinates"
TOKENS, VISITORS = "tokens", "raw visitor keys"
KINDS = (IPS, EMAILS, COORDINATES, TOKENS, VISITORS)

_EMAIL = re.compile(rb"[A-Za-z0-9._%+'-]{3,64}@[A-Za-z0-9-]{3,63}(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}")
_IPV4 = re.compile(rb"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9.])")
_IPV6 = re.compile(rb"(?<![0-9A-Fa-f:.])(?:[0-9A-Fa-f]{1,4}:{1,2}){3,7}[0-9A-Fa-f]{1,4}(?![0-9A-Fa-f:])")
_TOKEN = re.compile(rb"(?:[Bb]earer|[Bb]asic) [A-Za-z0-9._~+/=-]{20,}|public_token=[A-Za-z0-9]{8,}")
_SOURCE_KEY = re.compile(  # of sessions and of devices alike
    rb"[0-9a-f]{7}_[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-[0-9a-f]{9}-[0-9a-f]{12}-[0-9a-f]{4}"
)
_REFUSED_SESSION = re.compile(rb'"event_key":"([^"\\]+)"')  # in the payload that quarantine shows
_COORDINATE = re.compile(rb"\"(?:lat|lon|lng|latitude|longitude)\": ?-?[0-9]{1,3}\.[0-9]")
_COORDINATE_COLUMN = re.compile(r"(^|_)(lat|lon|lng|latitude|longitude)$")
_WORD = re.compile(rb"[A-Za-z0-9@._:%+-]+")
_FEWEST_CHARACTERS = 6  # shorter values are shared by too much


class Piece(Protocol):
    """Some bytes of a file, and the column that they are the values of; `is_text` unless it is a container."""

    @property
    def place(self) -> str:
        """The file."""

    @property
    def data(self) -> bytes:
        """Its bytes, unpacked."""

    @property
    def column(self) -> str:
        """The column; "" for a whole file."""

    @property
    def is_text(self) -> bool:
        """Whether it is what a person would read."""


Found = Mapping[str, Mapping[str, int]]  # kind to place to how many different values


def personal_values(records: Iterable[Mapping[str, Any]]) -> dict[bytes, str]:
    """What raw records say is personal, by kind: addresses, keys, and coordinates fine enough to tell."""
    found: dict[bytes, str] = {}
    for record in records:
        for name, kind in (("ip", IPS), ("visitor_key", VISITORS)):
            if isinstance(value := record.get(name), str) and len(value) >= _FEWEST_CHARACTERS:
                found[value.encode(errors="replace")] = kind
        found |= {a.encode(errors="replace"): EMAILS for a in addresses(record)}
        for name in ("lat", "lon"):
            value = record.get(name)
            if isinstance(value, float) and len(repr(value).partition(".")[2]) >= 4:
                found[repr(value).encode()] = COORDINATES
    return found


def scan(pieces: Iterable[Piece], personal: Mapping[bytes, str], secrets: Iterable[str]) -> Found:
    """Where something personal or secret seems to be. A session's own key is no visitor's, a browser's
    version no address: both are told apart by the columns that hold them, and by name in a refused record."""
    hidden = [s.encode() for s in secrets if s]
    seen: dict[str, dict[str, set[bytes]]] = {kind: defaultdict(set) for kind in KINDS}
    sessions: set[bytes] = set()
    versions: set[bytes] = set()
    for piece in pieces:
        if piece.column == "event_key":
            sessions |= set(piece.data.split(b"\n"))
        if piece.column == "payload":
            sessions |= set(_REFUSED_SESSION.findall(piece.data))
        if piece.column == "browser_version":
            versions |= set(piece.data.split(b"\n"))
        for kind, value in _values(piece, personal, hidden):
            seen[kind][f"{piece.place}{f', {piece.column}' if piece.column else ''}"].add(value)
    innocent = {VISITORS: sessions - personal.keys(), IPS: versions}
    return {
        kind: {place: n for place, values in places.items() if (n := len(values - innocent.get(kind, set())))}
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
    """Whether it is an address of the world; this machine's own is nobody's."""
    try:
        found = ipaddress.ip_address(text.decode())
    except ValueError:
        return False
    return not (found.is_loopback or found.is_unspecified)
