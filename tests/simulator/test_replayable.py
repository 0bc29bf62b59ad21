"""A seed names a world: what it answered once it answers for ever, so that a report which names a seed can be
lived through again. The digests are those of the first version that promised it; a change of the simulator's
behaviour is a new world, and belongs into the changelog with the new digests."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from simulator.support import NOW, app_of, fetch
from wistia_simulator import MediaChange, Profile, World

DAY = date(2026, 11, 17)
CHANGES = (
    MediaChange(0, datetime(2026, 11, 16, 9, tzinfo=UTC), "rename", "Another name"),
    MediaChange(1, datetime(2026, 11, 17, 9, tzinfo=UTC), "archive"),
    MediaChange(2, datetime(2026, 11, 18, 9, tzinfo=UTC), "delete"),
    MediaChange(3, datetime(2026, 11, 18, 12, tzinfo=UTC), "duration", 61.5),
    MediaChange(4, datetime(2026, 11, 19, 9, tzinfo=UTC), "retag", ("spring", "launch")),
    MediaChange(6, datetime(2026, 11, 19, 9, tzinfo=UTC), "add", "A new one"),
)
WORLDS = {
    "default": Profile(history_days=12, sessions_per_day=12),
    "calm": replace(Profile.calm(), history_days=8),
    "described": replace(Profile.described(), history_days=8),
    "everything": Profile(
        media=6, history_days=14, sessions_per_day=25, growing=0.6, late=0.1, duplicated=0.05, moving=0.5,
        vanishing=0.05, restless=0.1, flawed=0.02, straddling=0.1, returning_share=0.3, privacy_mode_share=0.1,
        email_share=0.3, conversion_share=0.1, lead_share=0.2, embed_query_share=0.3, ipv6_share=0.3, actions=True,
        schema_addition_from=date(2026, 11, 18), sweep_days=5, changes=CHANGES, canary="CANARY",
    ),
}  # fmt: skip
EVENTS = "/modern/stats/events?per_page=100"


def answers(name: str) -> dict[str, str]:
    """The digest of each kind of answer, over three moments."""
    subject = World(11, WORLDS[name], NOW)
    texts: dict[str, list[str]] = {}
    for hours in (0, 9, 60):
        subject.clock.set(NOW + timedelta(hours=hours))
        for kind, paths in asked(subject).items():
            responses = fetch(app_of(subject), *paths)
            texts.setdefault(kind, []).extend(f"{r.status_code} {rounded(body(r))}" for r in responses)
        texts.setdefault("truth", []).extend(str(rounded(value)) for value in known(subject))
    assert all(sum(map(len, found)) > 50 for found in texts.values())
    return {kind: hashlib.sha256("\n".join(found).encode()).hexdigest()[:12] for kind, found in texts.items()}


def body(response: Any) -> Any:
    """The parsed answer, or its text."""
    return response.json() if "json" in response.headers.get("content-type", "") else response.text


def rounded(value: Any) -> Any:
    """The value with numbers as every machine computes them: the last bits of a power are the C library's."""
    if isinstance(value, float):
        return f"{value:.9g}"
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    return value


def known(subject: World) -> Iterator[Any]:
    """What the simulator's own books say."""
    truth = subject.truth
    first = truth.medias()[0].media_id
    for session in (*truth.sessions(end=DAY), *truth.ever(start=DAY)):
        seen = session.received_at.isoformat()
        yield [session.event_key, session.media_id, session.visitor_key, seen, session.percent_viewed]
    yield [v.visitor_key for v in truth.visitors()]
    yield sorted(set(truth.pii_values()))
    yield from (truth.lifetime(first), truth.account(), truth.engagement(first))
    yield truth.by_date(first, DAY - timedelta(days=5), DAY)
    yield truth.account_by_date(DAY, DAY)


def asked(subject: World) -> dict[str, list[str]]:
    """What is asked at each moment."""
    medias = [m.media_id for m in subject.truth.medias()]
    span = f"start_date={DAY}&end_date={DAY + timedelta(days=3)}"
    each = {
        "media": "/modern/medias/{}",
        "media v1": "/v1/medias/{}.json",
        "media stats": "/modern/stats/medias/{}",
        "by date": "/modern/stats/medias/{}/by_date?" + span,
        "engagement": "/modern/stats/medias/{}/engagement",
        "events of a media": EVENTS + "&media_id={}&" + span,
        "timeseries": "/modern/analytics/medias/{}/timeseries?granularity=daily&" + span,
        "traffic": "/modern/analytics/medias/{}/traffic?group_by=referrer_domain&" + span,
        "languages": "/modern/analytics/medias/{}/languages?" + span,
        "pages": "/modern/analytics/medias/{}/embed_locations?" + span,
        "forms": "/modern/analytics/medias/{}/conversions?" + span,
    }
    return {
        **{kind: [path.format(m) for m in medias[:4]] for kind, path in each.items()},
        "medias": ["/modern/medias?per_page=100", "/v1/medias.json?per_page=3&page=2"],
        "folders": [
            "/modern/folders",
            "/v1/projects.json",
            "/modern/medias?archived=true",
            "/v1/account.json",
        ],
        "events": [f"{EVENTS}&start_date={DAY}&end_date={DAY}&page={n}" for n in (1, 2)],
        "visitors": [f"/modern/stats/visitors?per_page=100&page={n}" for n in (1, 2)],
        "one event": [f"/modern/stats/events/{s.event_key}" for s in subject.truth.sessions(end=DAY)[:3]],
        "one visitor": [f"/v1/stats/visitors/{v.visitor_key}.json" for v in subject.truth.visitors()[:3]],
        "refused": [
            "/modern/medias/zzzzzzzzzz",
            "/modern/stats/medias/zzzzzzzzzz",
            "/v2/medias",
            "/v1/nothing.json",
        ],
        "account": ["/modern/stats/account", f"/modern/stats/account/by_date?{span}"],
    }


@pytest.mark.parametrize("name", WORLDS)
def test_a_seed_answers_as_it_always_has(name: str) -> None:
    assert answers(name) == PINNED[name]


def test_another_seed_is_another_world() -> None:
    one, other = (World(seed, WORLDS["default"], NOW) for seed in (11, 12))
    assert {s.event_key for s in one.truth.sessions()}.isdisjoint(s.event_key for s in other.truth.sessions())


PINNED: dict[str, dict[str, str]] = {
    "calm": {
        "account": "d8ef40c7f7df",
        "by date": "0ac443075aab",
        "engagement": "9edb6c186c28",
        "events": "14d15dd19cf5",
        "events of a media": "fdbe9b8f9fb4",
        "folders": "e3571f7d4aea",
        "forms": "a79950aa3c31",
        "languages": "dae7c2835c35",
        "media": "6ea1df7a7d01",
        "media stats": "7a989d2a1710",
        "media v1": "7faf739a584b",
        "medias": "3ff87540429a",
        "one event": "efb070837333",
        "one visitor": "780ffec7e84b",
        "pages": "43ce712ea7f1",
        "refused": "cb4b28517cf5",
        "timeseries": "6bfec5d84cf2",
        "traffic": "364e4300fb06",
        "truth": "2e3a3406d09b",
        "visitors": "508611258122",
    },
    "default": {
        "account": "453045e6919a",
        "by date": "d4f29ab95f32",
        "engagement": "b6363db0f43a",
        "events": "96c4532083d2",
        "events of a media": "c31cec8df259",
        "folders": "cc9164d810a6",
        "forms": "a79950aa3c31",
        "languages": "dcf66e7147fb",
        "media": "97b2f4393034",
        "media stats": "549846c2f76f",
        "media v1": "0aa576e27ca1",
        "medias": "76a0f8b07d99",
        "one event": "933ff211bd87",
        "one visitor": "ff2e6386e408",
        "pages": "54688840abfe",
        "refused": "cb4b28517cf5",
        "timeseries": "5a1952b91341",
        "traffic": "8e42ef666922",
        "truth": "197d62692b5d",
        "visitors": "246ce85ced8f",
    },
    "described": {
        "account": "87c093b5a2b0",
        "by date": "ed154dee783e",
        "engagement": "a8b8648aaca1",
        "events": "14d15dd19cf5",
        "events of a media": "3ae0fe4fae07",
        "folders": "e3571f7d4aea",
        "forms": "a79950aa3c31",
        "languages": "dae7c2835c35",
        "media": "6a58fb70ff61",
        "media stats": "b5f68debb52b",
        "media v1": "f41616905e99",
        "medias": "6ee723944f7a",
        "one event": "efb070837333",
        "one visitor": "780ffec7e84b",
        "pages": "43ce712ea7f1",
        "refused": "cb4b28517cf5",
        "timeseries": "9359c9c505f9",
        "traffic": "364e4300fb06",
        "truth": "29aa78dea4cc",
        "visitors": "e90a953d74d0",
    },
    "everything": {
        "account": "3ef7a08b2abd",
        "by date": "cb83d797a5e1",
        "engagement": "c4a06a1563da",
        "events": "a2f529eb821b",
        "events of a media": "c928f78e940b",
        "folders": "07874971af9c",
        "forms": "af62b4d7417c",
        "languages": "21648ccf9067",
        "media": "e5dd0775780b",
        "media stats": "e84442c41a5f",
        "media v1": "741e7ee951c7",
        "medias": "14d026edb985",
        "one event": "6a98a222141d",
        "one visitor": "816d29e25494",
        "pages": "28af326e1d7d",
        "refused": "cb4b28517cf5",
        "timeseries": "cca33c99c3e5",
        "traffic": "8113465590d7",
        "truth": "3fda4a2c4a96",
        "visitors": "c50e07d838d8",
    },
}
