"""Goals and alerts that were told about a period: what happened, and whether it still stands."""

from typing import TYPE_CHECKING

from wistlake.quality.alert_history import Alert, fact
from wistlake.quality.scope import Scope, listed
from wistlake_dashboard.reader import Row, rows

if TYPE_CHECKING:
    from wistlake.ports import Query


def alerts(query: "Query", scope: Scope) -> list[Row]:
    """day, rule, media_id (or what else it is about), what, state, told_at; newest day first."""
    about = f" AND subject IN {listed(scope.media)}" if scope.media else ""
    where = f"{scope.where_day('day')}{about}"
    stored = rows(query, f"SELECT * FROM ops.alerts WHERE {where} ORDER BY day DESC, rule, subject")
    return [_row(Alert(**r)) for r in stored]


def _row(alert: Alert) -> Row:
    return {
        "day": alert.day,
        "rule": alert.rule,
        "media_id": alert.subject,
        "what": fact(alert),
        "state": _state(alert),
        "told_at": alert.told_at,
    }


def _state(alert: Alert) -> str:
    if not alert.stands:
        return "withdrawn: restated"
    return "early: may still change" if alert.early else "stands"
