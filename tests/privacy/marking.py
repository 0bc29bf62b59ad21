"""A Wistia whose every text is marked: what may leave bronze with one word, what may not with another.

Each mark tells where it was served. They stand at the beginning of a value and are shorter than the sixteen
characters to which Iceberg cuts the bounds of a column, so that statistics can't hide one.
"""

import hashlib
import json
import re
import struct
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx2

from wistlake.contracts import SOURCES
from wistlake.contracts.form import Privacy, Source
from wistlake.privacy.scan import Piece

PERSONAL, KEPT = "zqpx", "zqkx"  # marks of what must not leave bronze, and of what may
_MARK = re.compile(rb"zqpx[0-9a-f]{8}")
_KEPT = re.compile(rb"zqkx[0-9a-f]{8}")
# Identities and times, by which requests, days and rows are found: not to be altered.
_STEADY = {
    "media_id", "hashed_id", "received_at", "date", "timestamp", "created", "updated", "created_at",
    "last_active_at", "converted_at", "type", "status", "cursor",
}  # fmt: skip
_ROUTES = tuple(
    (re.compile(".*/(v1|modern)" + s.endpoint.replace("{media_id}", "[^/]+") + "$"), s) for s in SOURCES
)
_MEDIA_LIST = re.compile(r".*/(v1|modern)/medias$")
BROKEN_ONE_IN = 6


@dataclass
class Marking(httpx2.AsyncBaseTransport):
    """The simulator behind `inner`, marked. `refused` names a media whose events are refused with words
    that quote a person; every seventh request fails once, with such words or with half an answer."""

    inner: httpx2.AsyncBaseTransport
    refused: str = ""
    served: dict[str, str] = field(default_factory=dict)  # mark or number to where it was served
    asked: Counter[str] = field(default_factory=Counter)
    classes: dict[str, Source] = field(default_factory=lambda: {s.name: s for s in SOURCES})

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        place = str(request.url.path)
        self.asked["requests"] += 1
        of_media = request.url.params.get("media_id", self.refused)  # the account's list holds it too
        if self.refused and place.endswith("/events") and of_media == self.refused:
            return self._refusal(422)
        if self.asked["requests"] % 7 == 3:
            return self._refusal(500) if self.asked["requests"] % 2 else self._half()
        answer = await self.inner.handle_async_request(request)
        body = await answer.aread()
        if answer.status_code != 200 or "json" not in answer.headers.get("content-type", ""):
            return answer
        marked = self._body(place, json.loads(body))
        headers = [("content-type", "application/json"), ("x-person", self._mark("header", place))]
        return httpx2.Response(200, headers=headers, content=json.dumps(marked).encode(), request=request)

    def _refusal(self, status: int) -> httpx2.Response:
        mark = self._mark("error body", str(self.asked["requests"]))
        said = {"error": f"{mark}@mail.example.com, device {mark}{'0123456789abcdef' * 2}, is unknown"}
        return httpx2.Response(status, json=said)

    def _half(self) -> httpx2.Response:
        half = f'[{{"email": "{self._mark("half an answer", str(self.asked["requests"]))}@mail.example.com", '
        return httpx2.Response(200, headers={"content-type": "application/json"}, content=half.encode())

    # bodies

    def _body(self, place: str, body: Any) -> Any:
        source = next((s for pattern, s in _ROUTES if pattern.match(place)), None)
        if _MEDIA_LIST.match(place):
            source = self.classes["media_metadata"]
        if isinstance(body, list):
            return [self._record(source, r) for r in body]
        if isinstance(body.get("data"), list):  # a page that names the next one
            return {**body, "data": [self._record(source, r) for r in body["data"]]}
        return self._record(source, body)

    def _record(self, source: Source | None, record: dict[str, Any]) -> dict[str, Any]:
        who = json.dumps(record, sort_keys=True)
        marked = {k: self._value(source, k, v, who) for k, v in record.items()}
        marked["nickname"] = self._mark("a field that nobody announced", who)
        if source is not None and source.name == "events":
            number = int(hashlib.sha256(record["event_key"].encode()).hexdigest()[:8], 16)
            if number % BROKEN_ONE_IN == 0:
                self._break(number // BROKEN_ONE_IN, marked, who)
        return marked

    def _value(self, source: Source | None, path: str, value: Any, who: str) -> Any:
        if path.rpartition(".")[2] == "cursor":
            return value
        if source and path == source.rows_in:
            return [self._record(source, row) for row in value]
        known = {f.path: f.privacy for f in source.fields} if source else {}
        if isinstance(value, dict):
            inner = {k: self._value(source, f"{path}.{k}", v, who) for k, v in value.items()}
            mark = self._mark(path, who)
            return inner if path in known else {**inner, "answer": mark, mark: "by name"}
        if isinstance(value, list):
            return [self._value(source, path, v, who) for v in value]
        kept = next((c for p, c in known.items() if path == p or path.startswith(f"{p}.")), None)
        if kept is not None and kept is not Privacy.PERSONAL:
            keep = path.rpartition(".")[2] in _STEADY or not isinstance(value, str) or path == "assets.type"
            if keep:
                return value
            marked = f"{self._mark(path, who, KEPT)} {value}"
            return f"{marked} {self._mark(path, who)}@mail.example.com" if kept is Privacy.MASKED else marked
        return self._personal(path, value, who)

    def _personal(self, path: str, value: Any, who: str) -> Any:
        mark = self._mark(path, who)
        if isinstance(value, bool) or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, float):
            return self._number(path, who, value)
        if path == "embed_url" or path.endswith("page_url"):
            return self._page(mark, who)
        if path.endswith("email"):
            return f"{mark}@mail.example.com"
        return f"{mark}{value or ''}"

    def _page(self, mark: str, who: str) -> str:
        """An address with a person in every part of it; host, path and campaign are kept."""
        kept = self._mark("embed_url, its host, path and campaign", who, KEPT)
        return (
            f"https://{mark}:{mark}@{kept}.example.com/{kept}/{mark}@mail.example.com/{mark}%40mail.example.com/"
            f"{mark}0123456789abcdef0123456789/{mark}%2540mail.example.com/page;id={mark}@x.example"
            f"?utm_source={kept}&utm_campaign={mark}%40mail.example.com&utm_medium={mark}0123456789abcdef01"
            f"&email={mark}%40mail.example.com&gclid={mark}&name={mark}#{mark}"
        )

    def _break(self, how: int, record: dict[str, Any], who: str) -> None:
        """One way in which a record breaks its contract, with a person where none is expected."""
        mark = self._mark("a broken field", who)
        ways: tuple[tuple[str, Any], ...] = (
            ("percent_viewed", {"email": mark}),
            ("visitor_key", ""),
            ("visitor_key", [mark]),
            ("media_id", "anotherone"),
            ("received_at", {"at": mark}),
            ("event_key", {"key": mark}),
            ("user_agent_details", mark),
            ("user_agent_details", {"browser": {"of": mark}, "platform": [mark], "mobile": {"is": mark}}),
            ("country", {"of": mark}),
            ("embed_url", [mark]),
            ("email", {"address": mark}),
        )
        name, value = ways[how % len(ways)]
        record[name] = value

    # marks

    def _mark(self, path: str, who: str, word: str = PERSONAL) -> str:
        mark = word + hashlib.sha256(f"{path}\0{who}".encode()).hexdigest()[:8]
        self.served[mark] = path
        return mark

    def _number(self, path: str, who: str, value: float) -> float:
        digits = int(hashlib.sha256(f"{path}\0{who}".encode()).hexdigest()[:12], 16) % 10**9
        number = float(f"{int(value)}.{digits:09d}")
        self.served[repr(number)] = path
        return number

    # what a scan looks for

    def found(self, pieces: Iterable[Piece]) -> dict[str, set[str]]:
        """Where personal marks are, and what they were served as."""
        numbers = [t for t in self.served if t[:1] not in "z"]
        packed = {struct.pack("<d", float(t)): t for t in numbers}
        places: dict[str, set[str]] = {}
        for piece in pieces:
            data = piece.data.lower()
            hits = {self.served.get(m.decode(), m.decode()) for m in _MARK.findall(data)}
            if piece.is_text:
                hits |= {self.served[t] for t in numbers if t.encode() in data}
            else:
                hits |= {self.served[t] for bits, t in packed.items() if bits in piece.data}
            if hits:
                places.setdefault(piece.place, set()).update(hits)
        return places

    def kept(self, pieces: Iterable[Piece]) -> set[str]:
        """What the marks that may leave bronze were served as, wherever they are."""
        seen = {m.decode() for p in pieces for m in _KEPT.findall(p.data.lower())}
        return {self.served[m] for m in seen if m in self.served}
