"""What happened to media in a period: made, deleted, renamed, swapped, moved."""

import itertools
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from wistlake_dashboard import words
from wistlake_dashboard.figures import Row, rows
from wistlake_dashboard.scope import Scope, listed

if TYPE_CHECKING:
    from wistlake.ports import Query

_FOLLOWED = ("title", "duration_seconds", "original_asset", "folder", "tags", "archived", "status")
_WORDS = {"duration_seconds": "duration", "original_asset": "file swapped"}
# When Wistia first answered 404 for a media that it has not listed since.
_NOTICED = (
    "SELECT i.media_id, min(i.day) AS noticed FROM ops.intervals i WHERE i.dataset = 'media_metadata' AND i.missing "
    "AND i.day > (SELECT coalesce(max(l.day), DATE '0001-01-01') FROM ops.intervals l WHERE l.media_id = i.media_id "
    "AND l.dataset = 'media_metadata' AND l.landing_id <> '' AND NOT l.missing) GROUP BY i.media_id"
)


def changes(query: "Query", scope: Scope) -> list[Row]:
    """What changed about media in the scope: day (UTC), media_id, title, what (in words)."""
    happened = (*_versions(query, scope), *_made(query, scope), *_deleted(query, scope))
    return sorted(
        (h for h in happened if h["what"] and scope.start <= h["day"] <= scope.end),
        key=lambda h: (h["day"], h["media_id"], h["what"]),
    )


def _versions(query: "Query", scope: Scope) -> Iterable[Row]:
    versions = rows(
        query,
        f"SELECT media_id, valid_from, {', '.join(_FOLLOWED)} FROM silver.dim_media_history{_where(scope)} "
        "ORDER BY media_id, valid_from",
    )
    for old, new in itertools.pairwise(versions):
        if old["media_id"] == new["media_id"]:
            yield _row(new["valid_from"].date(), new, _differences(old, new))


def _made(query: "Query", scope: Scope) -> Iterable[Row]:
    media = rows(query, f"SELECT media_id, title, created_at FROM silver.dim_media{_where(scope)}")
    return (_row(m["created_at"].date(), m, "new at Wistia") for m in media if m["created_at"])


def _deleted(query: "Query", scope: Scope) -> Iterable[Row]:
    """Deleted media, on the first day without numbers: when exactly they were deleted, Wistia does not say."""
    gone = rows(
        query,
        "SELECT m.media_id, m.title, n.noticed, m.observed_at, d.last FROM "
        f"(SELECT * FROM silver.dim_media{_where(scope)}) m LEFT JOIN ({_NOTICED}) n ON n.media_id = m.media_id "
        "LEFT JOIN (SELECT media_id, max(date) AS last FROM gold.fact_media_daily GROUP BY media_id) d "
        "ON d.media_id = m.media_id WHERE m.is_deleted",
    )
    for m in gone:
        noticed = m["noticed"] or m["observed_at"].date()
        day = min(noticed, m["last"] + timedelta(days=1)) if m["last"] else noticed
        yield _row(day, m, f"deleted at Wistia, noticed {words.day(noticed)}")


def _where(scope: Scope) -> str:
    return f" WHERE media_id IN {listed(scope.media)}" if scope.media else ""


def _row(day: Any, media: Row, what: str) -> Row:
    return {"day": day, "media_id": media["media_id"], "title": media["title"], "what": what}


def _differences(old: Row, new: Row) -> str:
    return "; ".join(_difference(name, old[name], new[name]) for name in _FOLLOWED if old[name] != new[name])


def _difference(name: str, old: Any, new: Any) -> str:
    word = _WORDS.get(name, name)
    return word if name == "original_asset" else f"{word} {_shown(old)} → {_shown(new)}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if isinstance(value, float):
        return f"{value:,.0f} s"
    return "none" if value is None or value == "" else str(value)
