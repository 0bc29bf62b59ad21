"""One record for each odd value in each field of each source; what sources derive and refuse."""

from collections.abc import Mapping
from typing import Any

from wistlake.contracts.form import Field, Source
from wistlake.transforms import (
    conversions_by_date,
    dim_media,
    fact_events,
    fact_media_by_date,
    media_analytics_by_date,
    media_lifetime,
    traffic_by_date,
    visitor_activity,
)

LEFT_OUT = object()
ODD: tuple[Any, ...] = (
    LEFT_OUT, None, "", "text", True, False, 0, -1, 1, 2, 100, 3.0, 0.5, -0.5, 1.5, -1e-17,
    1.0000000000000002, 1.0000001, 1e15, 1e17, -1e300, 1e300, "0.25", "NaN", "Infinity", "-Infinity",
    {}, [], {"a": 1}, [1, None, -3], ["a", None], [{"name": None}, {}],
    [["a"]], [None, {"a": 1}], [1, "a"], [[1], {"a": 1}], [52.12, 13.4],
    [{"email": "a"}, {"name": {"full": "a"}}, "b"], "[2026] \"Tour\"", "[2026]", "2026-03-02", "2026-13-45",
    "2026-03-02T10:00:00.000Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
)  # fmt: skip
GOOD: Mapping[str, dict[str, Any]] = {
    "events": {
        "event_key": "{id}", "received_at": "2026-03-02T10:00:00.000Z", "media_id": "{id}", "visitor_key": "{id}",
        "percent_viewed": 0.5, "user_agent_details": {"browser": "Chrome", "mobile": True},
    },
    "media_by_date": {"date": "2026-03-02", "load_count": 5, "play_count": 2, "hours_watched": 0.5},
    "media_metadata": {"hashed_id": "{id}", "id": 1, "name": "Tour", "type": "Video", "duration": 100.0},
    "media_stats": {
        "load_count": 5, "play_count": 2, "play_rate": 0.4, "hours_watched": 0.5, "engagement": 0.5, "visitors": 4,
        "actions": [{"type": "call_to_action", "action_count": 1, "impression_count": 3}],
    },
    "media_engagement": {"engagement": 0.5, "engagement_data": [2, 1], "rewatch_data": [0, 0]},
    "analytics_daily": {"timestamp": "2026-03-02T05:00:00Z", "form_conversions": 1},
    "traffic_daily": {"group_by": "utm_source", "utm_source": "{id}", "loads": 5, "plays": 2, "engagement_rate": 0.5},
    "conversions": {"converted_at": "2026-03-02T10:00:00.000Z"},
    "languages_daily": {"language": "en", "plays": 2, "captions_support": True},
    "embed_locations_daily": {
        "timestamp": "2026-03-02T05:00:00Z", "embed_domain": "www.example.com", "embed_path": "/{id}",
        "loads": 5, "plays": 2, "engagement_rate": 0.5,
    },
    "visitors": {
        "visitor_key": "{id}", "created_at": "2026-03-02T10:00:00Z", "last_active_at": "2026-03-02T10:00:00Z",
        "load_count": 1, "play_count": 1,
    },
}  # fmt: skip
DERIVED = {
    "events": fact_events.derived(1),
    "media_stats": media_lifetime.STATS_DERIVED,
    "analytics_daily": media_analytics_by_date.DERIVED,
    **traffic_by_date.DERIVED,
    "visitors": visitor_activity.derived(1),
}
RULES = {
    "events": fact_events.RULES,
    "media_by_date": fact_media_by_date.RULES,
    "media_metadata": dim_media.RULES,
    "media_stats": media_lifetime.STATS_RULES,
    "media_engagement": media_lifetime.CURVES_RULES,
    "analytics_daily": media_analytics_by_date.RULES,
    **traffic_by_date.RULES,
    "conversions": conversions_by_date.RULES,
    "visitors": visitor_activity.RULES,
}


def odd_records(contract: Source) -> list[tuple[str, dict[str, Any]]]:
    """(what is odd, record): each field with each odd value, and the record as it should be."""
    changes: list[tuple[str, Field | None, Any]] = [("as it should be", None, None)]
    changes += [(f"{f.path} = {v!r}", f, v) for f in contract.fields for v in ODD]
    return [
        (said, changed(GOOD[contract.name], field, value, f"m{n}"))
        for n, (said, field, value) in enumerate(changes)
    ]


def changed(good: dict[str, Any], field: Field | None, value: Any, own: str) -> dict[str, Any]:
    """A record with ids of its `own`, and one field changed."""
    record = {k: own if v == "{id}" else v for k, v in good.items()}
    if field is None:
        return record
    head, _, rest = field.path.partition(".")
    if rest:
        held = record.get(head, {}) | {rest: value}
        value = {k: v for k, v in held.items() if v is not LEFT_OUT}
    return {k: v for k, v in (record | {head: value}).items() if v is not LEFT_OUT}
