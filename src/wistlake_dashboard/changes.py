"""What happened to media in a period: made, deleted, renamed, swapped, moved."""

import itertools
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from wistlake.quality.scope import Scope
from wistlake_dashboard import words
from wistlake_dashboard.reader import Row, rows

if TYPE_CHECKING:
    from wistlake.ports import Query

_COMPARED = ("title", "duration_seconds", "original_asset", "folder", "tags", "archived", "status")
SWAPPED = "file swapped"
_NAMES = {"duration_seconds": "duration", "original_asset": SWAPPED}
# When Wistia first answered 404 for a media that it has not listed since.
_FIRST_MISSING = (
    "SELECT i.media_id, min(i.day) AS noticed FROM ops.intervals i WHERE i.dataset = 'media_metadata' AND i.missing "
    "AND i.day > (SELECT coalesce(max(l.day), DATE '0001-01-01') FROM ops.intervals l WHERE l.media_id = i.media_id "
    "AND l.dataset = 'media_metadata' AND l.landing_id <> '' AND NOT l.missing) GROUP BY i.media_id"
)


def changes(query: "Query", scope: Scope) -> list[Row]:
    """What changed about media in the scope: day (UTC), media_id, what (in words)."""
    events = (*_versions(query, scope), *_made(query, scope), *_deleted(query, scope))
    return sorted(
        (e for e in events if e["what"] and scope.start <= e["day"] <= scope.end),
        key=lambda e: (e["day"], e["media_id"], e["what"]),
    )


def _versions(query: "Query", scope: Scope) -> Iterable[Row]:
    versions = rows(
        query,
        f"SELECT media_id, valid_from, {', '.join(_COMPARED)} FROM silver.dim_media_history "
        f"WHERE {scope.where_media()} ORDER BY media_id, valid_from",
    )
    for old, new in itertools.pairwise(versions):
        if old["media_id"] == new["media_id"]:
            yield _row(new["valid_from"].date(), new, _differences(old, new))


def _made(query: "Query", scope: Scope) -> Iterable[Row]:
    media = rows(query, f"SELECT media_id, created_at FROM silver.dim_media WHERE {scope.where_media()}")
    return (_row(m["created_at"].date(), m, "new video") for m in media if m["created_at"])


def _deleted(query: "Query", scope: Scope) -> Iterable[Row]:
    """Deleted media, on the first day without numbers: when exactly they were deleted, Wistia does not say."""
    deleted = rows(
        query,
        "SELECT m.media_id, n.noticed, m.observed_at, d.last FROM "
        f"(SELECT * FROM silver.dim_media WHERE {scope.where_media()}) m "
        f"LEFT JOIN ({_FIRST_MISSING}) n ON n.media_id = m.media_id LEFT JOIN "
        "(SELECT media_id, max(date) AS last FROM gold.fact_media_daily "
        "GROUP BY media_id) d ON d.media_id = m.media_id WHERE m.is_deleted",
    )
    for m in deleted:
        noticed = m["noticed"] or m["observed_at"].date()
        day = min(noticed, m["last"] + timedelta(days=1)) if m["last"] else noticed
        yield _row(day, m, f"deleted at Wistia, noticed {words.day(noticed)}")


def _row(day: Any, media: Row, what: str) -> Row:
    return {"day": day, "media_id": media["media_id"], "what": what}


def _differences(old: Row, new: Row) -> str:
    return "; ".join(_difference(name, old[name], new[name]) for name in _COMPARED if old[name] != new[name])


def _difference(name: str, old: Any, new: Any) -> str:
    label = _NAMES.get(name, name)
    return label if name == "original_asset" else f"{label} {_shown(old)} → {_shown(new)}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if isinstance(value, float):
        return f"{words.count(value)} s"
    return "none" if value is None or value == "" else str(value)
