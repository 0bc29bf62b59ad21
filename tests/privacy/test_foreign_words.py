"""What a source says in an error, a header or a key's name may name people: none of it is repeated anywhere."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import httpx2
import pytest
from structlog.testing import capture_logs

from support.lake import START, Lake, Scenario
from support.memory import MemoryLedger, RecordingNotifier
from wistia_simulator import Profile, ServerOptions, create_app, transport
from wistlake import bronze
from wistlake.adapters import lake_bytes
from wistlake.contracts import source
from wistlake.errors import WistlakeError
from wistlake.foreign import shown_name
from wistlake.pipeline.run.driver import RunFailed, run
from wistlake.pipeline.run.publish import DRIFT, drift
from wistlake.privacy.redaction import blanked
from wistlake.wistia.failures import describe_body, media_type, request_text

ADDRESS, NAME, PHONE = "jane.doe@mail.example.org", "Jane Doe", "+49 170 1234567"
SPELLINGS = (
    ADDRESS, NAME, PHONE, "jane.doe", "1234567",
    quote(ADDRESS, safe=""), quote(NAME), quote(PHONE),
    base64.b64encode(ADDRESS.encode()).decode(),
    "".join(f"\\u{ord(c):04x}" for c in NAME),
)  # fmt: skip
SENTENCE = f"no such visitor: {' / '.join(SPELLINGS)}"
SCENARIO = Scenario(Profile(media=1, sessions_per_day=4, history_days=3), settings={"lookback_days": 1})
Answer = Callable[[], httpx2.Response]


class Mostly(httpx2.AsyncBaseTransport):
    """The simulator, but for the answers to one path."""

    def __init__(self, path: str, answer: Answer) -> None:
        self.world = SCENARIO.world()
        self.path, self.answer = path, answer
        self.rest = transport(create_app(self.world, ServerOptions(token="simulated", basic=True)))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith(self.path):
            return self.answer()
        return await self.rest.handle_async_request(request)


def broken() -> httpx2.Response:
    raise httpx2.RemoteProtocolError(f"illegal header line: {SENTENCE}")


def undecodable() -> httpx2.Response:
    raise httpx2.DecodingError(SENTENCE)


ANSWERS: dict[str, Answer] = {
    "422, a text": lambda: httpx2.Response(422, text=SENTENCE),
    "422, JSON": lambda: httpx2.Response(422, json={"error": SENTENCE, "errors": {ADDRESS: [PHONE]}}),
    "400, a code of its own": lambda: httpx2.Response(400, json={"code": ADDRESS, "detail": SENTENCE}),
    "401": lambda: httpx2.Response(401, json={"code": ADDRESS}),
    "403, a page": lambda: httpx2.Response(403, html=f"<h1>{SENTENCE}</h1>"),
    "418": lambda: httpx2.Response(418, content=SENTENCE.encode("utf-16")),
    "500": lambda: httpx2.Response(500, text=SENTENCE),
    "503": lambda: httpx2.Response(503, text=SENTENCE, headers={"retry-after": NAME}),
    "a media type": lambda: httpx2.Response(200, headers={"content-type": f"text/{ADDRESS}; q={NAME}"}),
    "a redirect": lambda: httpx2.Response(302, headers={"location": f"https://{quote(ADDRESS)}/{NAME}"}),
    "no list": lambda: httpx2.Response(200, json={ADDRESS: NAME}),
    "no objects": lambda: httpx2.Response(200, json=[ADDRESS, NAME]),
    "no JSON": lambda: httpx2.Response(200, text=f'["{SENTENCE}', headers={"content-type": "application/json"}),
    "no required field": lambda: httpx2.Response(200, json=[{ADDRESS: NAME}]),
    "a broken header": broken,
    "a broken body": undecodable,
}  # fmt: skip


def shown(text: str) -> list[str]:
    return [s for s in SPELLINGS if s in text]


@pytest.mark.parametrize(
    ("dataset", "path"),
    [("events", "/stats/events"), ("media_by_date", "/by_date"), ("media_stats", "")],
    ids=lambda v: v.strip("/") or "all",
)
@pytest.mark.parametrize("answer", sorted(ANSWERS))
def test_an_error_repeats_no_word_of_the_source(answer: str, dataset: str, path: str, tmp_path: Path) -> None:
    """Neither the ledger, nor the logs, the notice, the result and the message. "": the list of media, too."""
    lake = Lake(tmp_path / "lake", SCENARIO, source=Mostly(path, ANSWERS[answer]))
    lake.world.clock.set(START)
    settings, notifier = lake.settings(), RecordingNotifier()
    parts = replace(lake.parts(settings), notifier=notifier)
    with capture_logs() as log, pytest.raises(WistlakeError) as caught:
        run(lake.run_spec(START, settings, datasets=(dataset,)), parts)
    result = caught.value.result.as_json() if isinstance(caught.value, RunFailed) else {}
    reasons = [i.reason for i in lake.ledger.intervals()]
    runs = [(r.status, r.error, lake.ledger.summary(r)) for r in lake.ledger.runs()]
    assert [r[0] for r in runs] == ["failed"]
    assert [n.failed for n in notifier.notices] == [True]
    assert not shown(json.dumps([result, reasons, runs, log], default=str))
    assert not shown(repr(notifier.notices) + str(caught.value))
    assert not lake_bytes.search(lake.folder, SPELLINGS)


def test_errors_are_told_apart_all_the_same() -> None:
    one, other = describe_body(b"for Jane"), describe_body(b"for John")
    assert one != other
    assert one == describe_body(b"for Jane")
    assert describe_body(b'{"code": "unauthorized_scope", "error": "x"}').startswith(
        "code unauthorized_scope, "
    )
    assert describe_body(b" \n") == "no body"
    assert describe_body(b"<html>").startswith("an HTML page of 6 bytes")


@pytest.mark.parametrize(
    ("served", "said"),
    [
        ("text/html; charset=utf-8", "text/html"),
        ("TEXT/Plain", "text/plain"),
        (f"text/{NAME}", "another media type (#"),
        (f"text/html{ADDRESS}", "another media type (#"),
    ],
)
def test_media_types_are_named_from_a_list(served: str, said: str) -> None:
    assert media_type(served).startswith(said)
    assert not shown(media_type(served))


def test_a_request_by_hand_is_named_without_its_values() -> None:
    key = "1733874_0f0e0d0c-1111-2222-3333-444455556666-123456789-abcdefabcdef-1234"
    said = request_text(
        f"/stats/visitors/{key}.json", {"search": ADDRESS, "page": "2", "media_id": ADDRESS, NAME: "x"}
    )
    assert said.startswith("/stats/visitors/***?search=***&page=2&media_id=***&hidden_")
    assert not shown(said + "-")
    assert key not in said
    assert request_text("/stats/medias/abc123xyz0.json", {"start_date": "2026-03-01"}) == (
        "/stats/medias/abc123xyz0.json?start_date=2026-03-01"
    )


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("new_field", True), ("_x", True), ("Field9", True), ("f" * 41, True),
        ("f" * 42, False), ("9field", False), ("", False), (ADDRESS, False), (NAME, False), ("a-b", False),
        ("a.b", False), ("naïve", False), ("field\n", False), ("\u202efield", False), ("1733874_0f0e0d0c", False),
    ],
)  # fmt: skip
def test_only_a_plain_name_is_repeated(name: str, plain: bool) -> None:
    assert (shown_name(name) == name) is plain
    assert shown_name(shown_name(name)) == shown_name(name)


def test_a_key_that_is_an_address_is_in_no_manifest() -> None:
    events = source("events")
    news = bronze.unknown_keys(events, [{"event_key": "e", ADDRESS: 1, "fresh": 2}])
    assert news == ("fresh", shown_name(ADDRESS))
    assert not shown(json.dumps(news))


def test_a_sample_holds_no_key_that_is_an_address() -> None:
    record = {ADDRESS: 1, "user_agent_details": {NAME: "x", "browser": "Chrome"}, "attributes": {PHONE: 1}}
    sample = blanked(source("events"), record)
    assert sample["user_agent_details"]["browser"] == "Chrome"
    assert not shown(json.dumps(sample, ensure_ascii=False))


class Adding(httpx2.AsyncBaseTransport):
    """The simulator, with a key in every record that is somebody's address."""

    def __init__(self) -> None:
        self.rest = transport(create_app(SCENARIO.world(), ServerOptions(token="simulated", basic=True)))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self.rest.handle_async_request(request)
        plain = json.loads(await answer.aread())
        records = plain if isinstance(plain, list) else [plain]
        return httpx2.Response(
            200, json=[r | {ADDRESS: 1} for r in records] if records is plain else plain | {ADDRESS: 1}
        )


@pytest.mark.engine
def test_a_redacted_lake_holds_no_key_that_is_an_address(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake", SCENARIO, source=Adding())
    result = lake.run_day(START, changes={"bronze_redaction": True})
    assert result.drift["events"] == [shown_name(ADDRESS)]
    assert drift(lake.ledger)["events"] == [shown_name(ADDRESS)]
    assert not lake_bytes.search(lake.folder, [ADDRESS])


def test_what_older_versions_noted_is_not_shown_any_more() -> None:
    ledger = MemoryLedger()
    ledger.put_facts(DRIFT, {"events": [ADDRESS, "fresh"]})
    assert drift(ledger) == {"events": ["fresh", shown_name(ADDRESS)]}
