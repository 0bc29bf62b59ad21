"""What a rule reads: SQL of figures, certificates and swaps, and the series that follow from the rows. Pure."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from wistlake.alert_rules import Kind, Rule
from wistlake.quality import metric_query
from wistlake.quality.alert_history import EVERYTHING
from wistlake.quality.alerts import Day, Series, first_day, metrics
from wistlake.quality.certificates import Certificate
from wistlake.quality.scope import Scope

NEWEST = "SELECT max(date) AS newest FROM gold.fact_media_daily"
LABELS = "SELECT media_id, label, value FROM gold.dim_media_label"
TITLES = "SELECT media_id, title FROM silver.dim_media"
_ORDER = list(Certificate)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a rule asks of a lake: SQL by what it is. `subject` is the one of all rows; "" if each media is its own."""

    rule: Rule
    scope: Scope
    subject: str

    @property
    def figures(self) -> str:
        """Rows of date, the rule's metrics, and, unless they are of one subject, media_id."""
        return metric_query.plan(
            metrics(self.rule), self.scope, ("date",) if self.subject else ("media", "date")
        )

    @property
    def certificates(self) -> str:
        """Rows of media_id, date and certificate."""
        return f"SELECT media_id, date, certificate FROM gold.fact_media_daily WHERE {self.scope.where()}"

    @property
    def swaps(self) -> str:
        """Rows of media_id, original_asset and valid_from; "" if the rule is about no swaps."""
        if self.rule.kind is not Kind.RETENTION:
            return ""
        return (
            "SELECT media_id, original_asset, valid_from FROM silver.dim_media_history "
            f"WHERE {self.scope.where_media()} ORDER BY media_id, valid_from"
        )


def reading(rule: Rule, newest: date, labels: Iterable[Row]) -> Reading | None:
    """What the rule reads, `newest` being the newest published day; None if no media carries its label."""
    subject = rule.label or (EVERYTHING if rule.kind is Kind.GOAL and not rule.media else "")
    media = rule.media
    if rule.label:
        media = tuple(sorted(r["media_id"] for r in labels if f"{r['label']}={r['value']}" == rule.label))
    if rule.label and not media:
        return None
    start = min(newest, first_day(rule, newest))
    return Reading(rule, Scope(start, newest, media), subject)


def series(
    reading: Reading, figures: Iterable[Row], certificates: Iterable[Row], swaps: Iterable[Row]
) -> list[Series]:
    """The series in the rows of a reading. A day without a figure, or that is not published, is not in them."""
    lowest: dict[tuple[str, date], str] = {}
    for row in certificates:
        key = (reading.subject or row["media_id"], row["date"])
        lowest[key] = min(lowest.get(key, row["certificate"]), row["certificate"], key=_ORDER.index)
    days: dict[str, dict[date, Day]] = {}
    name, *weight = metrics(reading.rule)
    for row in figures:
        key = (reading.subject or row["media_id"], row["date"])
        if row[name] is not None and key in lowest:
            weighed = float(row[weight[0]] or 0) if weight else 0.0
            days.setdefault(key[0], {})[key[1]] = Day(float(row[name]), lowest[key], weighed)
    of_media = _swapped(swaps)
    return [Series(subject, days[subject], of_media.get(subject, ())) for subject in sorted(days)]


def _swapped(versions: Iterable[Row]) -> dict[str, Sequence[date]]:
    """The days (UTC) on which a media's file was another one than before."""
    swaps: dict[str, list[date]] = {}
    for old, new in itertools.pairwise(versions):
        same_media = old["media_id"] == new["media_id"]
        if same_media and old["original_asset"] and old["original_asset"] != new["original_asset"]:
            swaps.setdefault(new["media_id"], []).append(new["valid_from"].date())
    return dict(swaps)
