"""What stays of a record in redacted pages and in samples on disk."""

import asyncio
from typing import Any

import pytest

from wistlake.contracts import source
from wistlake.insight import probes
from wistlake.privacy.redaction import blanked, redact

PERSON = "Jane Doe, 192.0.2.7"


def test_of_a_medias_files_only_kind_and_address_stay() -> None:
    """Whatever else Wistia says of a file, such as who has uploaded it, went through whole."""
    uploader = {"name": "Jane Doe", "ip": "192.0.2.7", "lat": 52.123456}
    record = {
        "hashed_id": "abc",
        "assets": [{"type": "OriginalFile", "url": "https://x.example/1", "uploader": uploader}],
    }
    kept = {"type": "OriginalFile", "url": "https://x.example/1"}
    assert redact(source("media_metadata"), record, {})["assets"] == [kept]
    assert blanked(source("media_metadata"), record)["assets"] == [kept]
    assert redact(source("media_metadata"), record | {"assets": uploader}, {})["assets"] == {}


@pytest.mark.parametrize(
    ("field", "fine"),
    [
        ("received_at", "2026-03-02T10:00:00.000Z"), ("percent_viewed", "0.25"), ("percent_viewed", "NaN"),
        ("percent_viewed", 0.5), ("received_at", None), ("user_agent_details.mobile", "true"),
    ],
)  # fmt: skip
def test_a_text_in_a_field_of_another_type_stays_if_it_can_be_one(field: str, fine: Any) -> None:
    def redacted(value: Any) -> Any:
        head, _, rest = field.partition(".")
        kept = redact(source("events"), {head: {rest: value} if rest else value}, {})[head]
        return kept[rest] if rest else kept

    assert redacted(fine) == fine
    assert redacted(PERSON) == {}


def test_words_are_masked_in_redacted_pages_too() -> None:
    record = {
        "country": "jane@x.example",
        "user_agent_details": {"browser": "Bot (jane@x.example)"},
        "media_url": "https://u:p@x/y",
    }
    assert redact(source("events"), record, {}) == {
        "country": "[masked]", "user_agent_details": {"browser": "[masked]"}, "media_url": None,
    }  # fmt: skip


def test_a_probe_shows_no_name_of_a_field_that_is_none() -> None:
    class Subject:
        def path(self, *_: str) -> str:
            return ""

        async def records(self, _: str) -> list[dict[str, Any]]:
            return [{"engagement": 1, "jane@x.example": [1, 2]}]

    status, shape = asyncio.run(probes._engagement(Subject()))  # type: ignore[arg-type]
    assert status == "seen"
    assert shape.startswith("engagement, hidden_")
    assert shape.endswith(" (2)")
