"""The alerts that were told: what the ledger keeps of each, and how it reads. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from wistlake.alert_rules import Kind

EVERYTHING = "all media"  # the subject of a goal that names none


@dataclass(frozen=True, slots=True)
class Alert:
    """A row of `ops.alerts`. `value` is the sum over the `days` days that end on `day` (of retention: the mean share
    since the swap on `day`), `expected` what is usual, or the goal. `last_day`: the last one on which it still held."""

    rule: str
    subject: str
    day: date
    kind: str
    metric: str
    last_day: date
    days: int
    value: float
    expected: float
    early: bool
    told_at: datetime
    withdrawn_at: datetime | None = None

    @property
    def key(self) -> tuple[date, str, str]:
        """Identity, and the order of the history."""
        return (self.day, self.rule, self.subject)

    @property
    def stands(self) -> bool:
        """Whether it was not taken back."""
        return self.withdrawn_at is None


def fact(alert: Alert) -> str:
    """What happened, in words without the subject's name."""
    what = alert.metric.replace("_", " ")
    span = f"on {alert.day}" if alert.days == 1 else f"in the {alert.days} days to {alert.day}"
    match alert.kind:
        case Kind.GOAL:
            return f"{alert.value:,.0f} {what} by {alert.day}: the goal of {alert.expected:,.0f} is reached"
        case Kind.RETENTION:
            swapped = f"since the file was swapped on {alert.day}"
            return f"sessions see {alert.value:.0%} of it {swapped}, {alert.expected:.0%} before"
        case Kind.NO_PLAYS:
            return f"no plays {span}, about {alert.expected:,.0f} are usual"
    moved = 100 * (alert.value / alert.expected - 1) if alert.expected else 0.0
    sign = "+" if moved > 0 else "−"
    return (
        f"{alert.value:,.0f} {what} {span}, about {alert.expected:,.0f} are usual ({sign}{abs(moved):,.0f} %)"
    )


def sentence(alert: Alert, names: Mapping[str, str]) -> str:
    """The alert in words, with the media's title where there is one."""
    early = " (early: these days may still change)" if alert.early and alert.stands else ""
    return f"{alert.rule}: {names.get(alert.subject, alert.subject)}: {fact(alert)}{early}"


def withdrawal(alert: Alert, names: Mapping[str, str]) -> str:
    """The sentence that takes an alert back."""
    who = names.get(alert.subject, alert.subject)
    return f"{alert.rule}: withdrawn, {who} on {alert.day}: the figures no longer call for it"
