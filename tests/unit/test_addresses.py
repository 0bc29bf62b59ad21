"""Addresses in records: whose a record is, and where somebody is only mentioned."""

import json
from typing import Any

import pytest

from wistlake.derive import mask
from wistlake.privacy.addresses import canonical, identities, without_mentions
from wistlake.privacy.tombstones import Person, address_mark, is_about

KEYS = (b"k" * 32,)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("jane@x.example", "jane@x.example"),
        (" Jane.Doe+news@X.Example ", "jane.doe+news@x.example"),
        ("Jane Doe <jane@x.example>", "jane@x.example"),
        ("mailto:jane@x.example", "jane@x.example"),
        ("jane%40x.example", "jane@x.example"),
        ("jane%252540x.example", "jane@x.example"),
        ("jane\uff20x.example", "jane@x.example"),
        ("m\u00fcller@x.example", "m\u00fcller@x.example"),
        ("mu\u0308ller@x.example", "m\u00fcller@x.example"),
        ("MÜLLER@BÜCHER.example", "m\u00fcller@xn--bcher-kva.example"),
        ("m\u00fcller@xn--bcher-kva.example", "m\u00fcller@xn--bcher-kva.example"),
        ("o/brien@x.example", "o/brien@x.example"),
        ("o'brien@x.example", "o'brien@x.example"),
        ("a=b&c?d@x.example", "a=b&c?d@x.example"),
        ("50%off@x.example", "50%off@x.example"),
        ('"j d"@x.example', '"j d"@x.example'),
        ("", ""),
        ("jane", ""),
        ("jane@x", ""),
        ("@x.example", ""),
        ("jane@x.example, joe@x.example", ""),
        ("call jane@x.example", ""),
        ("jane@x.example/page", ""),
        ("jane@@x.example", ""),
    ],
)
def test_one_spelling_of_a_whole_address(text: str, address: str) -> None:
    assert canonical(text) == address


@pytest.mark.parametrize(
    "record",
    [
        {"email": "Jane@X.example"},
        {"conversion_data": {"email": "jane@x.example", "first_name": "Jane"}},
        {"conversion_data": {"fields": [{"name": "mail", "value": "jane%40x.example"}]}},
        {"visitor_identity": {"name": "Jane", "email": "jane@x.example"}},
        {"email": "Jane Doe <jane@x.example>"},
    ],
)
def test_what_the_source_gives_as_identity_is_the_person(record: dict[str, Any]) -> None:
    assert list(identities(record)) == ["jane@x.example"]
    assert is_about(Person(addresses=frozenset({address_mark(KEYS, "JANE@x.example")})), KEYS, record)


@pytest.mark.parametrize(
    "record",
    [
        {"media_name": "Demo call with jane@x.example"},
        {"media_name": "jane@x.example"},
        {"description": "jane@x.example"},
        {"embed_url": "https://h.example/?email=jane%40x.example"},
        {"attributes": {"email": "jane@x.example"}},
        {"user_agent_details": {"browser": "jane@x.example"}},
        {"org": "jane@x.example", "city": "jane@x.example"},
        {"jane@x.example": 1},
        {"email": "mary.jane@x.example"},
        {"email": "jane@x.example.au"},
        {"email": "o/jane@x.example"},
        {"conversion_data": {"message": "please tell jane@x.example"}},
        {"email": None, "conversion_data": {}, "visitor_identity": {"name": "", "email": None}},
        {"email": 5, "conversion_data": [], "visitor_identity": "jane"},
    ],
)
def test_elsewhere_an_address_makes_nobody_that_person(record: dict[str, Any]) -> None:
    assert "jane@x.example" not in identities(record)
    assert not is_about(Person(addresses=frozenset({address_mark(KEYS, "jane@x.example")})), KEYS, record)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Demo call with jane@x.example", "Demo call with [masked]"),
        ("JANE@X.EXAMPLE", "[masked]"),
        ("ask <jane@x.example>, or jane@x.example.", "ask <[masked]>, or [masked]."),
        ("https://h.example/?email=jane%40x.example&b=1", "https://h.example/?email=[masked]&b=1"),
        (
            "https://h.example/?next=%2Fu%3Fe%3Djane%2540x.example",
            "https://h.example/?next=%2Fu%3Fe%3D[masked]",
        ),
        ("https://h.example/u/jane@x.example/p", "https://h.example/u/[masked]/p"),
        ("jane (at) x.example", "[masked]"),
        ("jane [at] x [dot] example", "[masked]"),
        ("'jane@x.example'", "'[masked]'"),
        ("jane\uff20x.example", "[masked]"),
        ("mary.jane@x.example", "mary.jane@x.example"),
        ("jane@x.examples", "jane@x.examples"),
        ("joe@x.example", "joe@x.example"),
        ("nothing at all", "nothing at all"),
    ],
)
def test_a_mention_is_masked_and_nothing_else(text: str, left: str) -> None:
    record = {"name": text, "deep": [{"text": text}], "count": 3, "none": None}
    masked = without_mentions(record, lambda address: address == "jane@x.example")
    assert masked == {"name": left, "deep": [{"text": left}], "count": 3, "none": None}
    assert (masked is record) is (text == left)


def test_the_identity_of_others_is_left_alone() -> None:
    record = {
        "email": "o/jane@x.example",
        "conversion_data": {"note": "from jane@x.example"},
        "jane@x.example": 1,
    }
    masked = without_mentions(record, lambda address: address == "jane@x.example")
    assert masked["email"] == "o/jane@x.example"
    assert masked["conversion_data"] == {"note": "from [masked]"}
    assert "jane@x.example" not in json.dumps({k: v for k, v in masked.items() if k != "email"})


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "text",
    ["a" * 12_000, "at " * 5_000, "%40" * 2_500, "a@" * 5_000, "a.b" * 5_000 + "@", "a@" + "b." * 5_000,
     "(at)" * 2_500, "%2525" * 2_500, "/=" * 5_000 + "@", "YUBi" * 2_500, "YUBi_" * 2_500, "40" * 2_500],
    ids=lambda t: t[:6],
)  # fmt: skip
def test_a_hostile_text_takes_no_time(text: str) -> None:
    record = {"description": text}
    assert without_mentions(record, lambda _: False) is record
    url = f"https://h.example/{text}?utm_source={text}"
    assert mask.plain_name(text)
    assert mask.plain_path(url)
    assert mask.plain_utm(url, "source")
