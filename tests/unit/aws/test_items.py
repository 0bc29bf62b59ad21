"""What the ledger's DynamoDB items look like: they outlive the version that wrote them."""

import gzip
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from wistlake.adapters.aws.items import from_item, to_item
from wistlake.errors import StoreError
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.ports import Publication, Run, TableRef

NOW = datetime(2026, 11, 20, 2, 15, 0, 123456, tzinfo=UTC)
MOMENT = {"S": "2026-11-20T02:15:00.123456+00:00"}


def packed(value: Any) -> dict[str, bytes]:
    return {"B": gzip.compress(json.dumps(value).encode(), mtime=0)}


TEXTS = {
    name: {"S": ""} for name in ("reason", "landing_id", "content_hash", "built_signature", "steady_hash")
}
EXAMPLES = [
    (
        Interval("events", "m", date(2026, 11, 19), State.LANDED, "r1", NOW, rows=3, finished=True),
        {
            **TEXTS, "dataset": {"S": "events"}, "media_id": {"S": "m"}, "day": {"S": "2026-11-19"},
            "state": {"S": "landed"}, "run_id": {"S": "r1"}, "updated_at": MOMENT, "rows": {"N": "3"},
            "finished": {"BOOL": True}, "missing": {"BOOL": False}, "confirmations": {"N": "0"},
        },
    ),
    (
        Run("r1", "manual", "live", "failed", NOW, NOW, "error"),
        {
            "run_id": {"S": "r1"}, "trigger": {"S": "manual"}, "origin": {"S": "live"}, "status": {"S": "failed"},
            "started_at": MOMENT, "ended_at": MOMENT, "error": {"S": "error"},
        },
    ),
    (
        Publication("r1", NOW, {"gold.x": TableRef("s3://x", 7), "gold.y": TableRef("s3://y", None)}),
        {
            "run_id": {"S": "r1"}, "published_at": MOMENT,
            "tables": packed({"gold.x": ["s3://x", 7], "gold.y": ["s3://y", None]}),
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("value", "item"), EXAMPLES, ids=lambda v: type(v).__name__)
def test_an_item_has_the_form_that_every_version_wrote(value: Any, item: Any) -> None:
    assert to_item(value) == item
    assert from_item(type(value), {"pk": {"S": "runs"}, "sk": {"S": "x"}, **item}) == value


def test_attributes_that_an_older_version_did_not_write_are_at_their_default() -> None:
    item: Any = {"media_id": {"S": "m"}, "first_day": {"S": "2026-11-19"}, "added_at": MOMENT}
    assert from_item(MediaEntry, item) == MediaEntry("m", date(2026, 11, 19), NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"first_day": {"S": "secret"}},
        {"added_at": {"N": "7"}},
        {"added_at": {"B": b"no gzip"}},
        {"media_id": {}},
    ],
)
def test_damage_names_the_field_or_the_error_and_no_value(change: Any) -> None:
    item: Any = {"media_id": {"S": "m"}, "first_day": {"S": "2026-11-19"}, "added_at": MOMENT, **change}
    with pytest.raises(StoreError, match="a MediaEntry that wistlake never wrote") as caught:
        from_item(MediaEntry, item)
    assert "secret" not in str(caught.value)
