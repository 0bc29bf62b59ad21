"""Data quality checks: findings, their effects, and the checks that need a media's own past. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from statistics import median

from wistlake.quality.reconciliation import Pair, Verdict


class Effect(StrEnum):
    """What a broken check does."""

    STOP = "stop"  # the scope is not published, and the run fails
    QUARANTINE = "quarantine"  # the rows are stored apart, with a reason
    WARN = "warn"  # it is reported


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check of one scope: a table or dataset, optionally narrowed to a media and a day."""

    check: str
    table: str
    verdict: Verdict
    effect: Effect
    checked: int
    violations: int
    detail: str = ""
    media_id: str = ""
    day: date | None = None

    @property
    def scope(self) -> str:
        """What was checked, in words."""
        narrower = (self.media_id, self.day.isoformat() if self.day else "")
        return " ".join((self.table, *filter(None, narrower)))

    @property
    def is_broken(self) -> bool:
        """Whether the check failed."""
        return self.verdict is Verdict.BROKEN


def finding(
    check: str,
    table: str,
    effect: Effect,
    checked: int,
    violations: int,
    detail: str = "",
    media_id: str = "",
    day: date | None = None,
) -> Finding:
    """A finding whose verdict follows from its counts: not applicable if nothing was checked."""
    verdict = Verdict.BROKEN if violations else Verdict.HOLDS if checked else Verdict.NOT_APPLICABLE
    return Finding(check, table, verdict, effect, checked, violations, detail, media_id, day)


def together(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each check and scope: a table that is written in several steps has one of each."""
    sums: dict[tuple[str, str], Finding] = {}
    for f in findings:
        before = sums.get((f.check, f.scope))
        sums[f.check, f.scope] = _sum(before, f) if before else f
    return list(sums.values())


def _sum(one: Finding, other: Finding) -> Finding:
    return finding(
        one.check,
        one.table,
        other.effect,
        one.checked + other.checked,
        one.violations + other.violations,
        ", ".join(filter(None, dict.fromkeys((one.detail, other.detail)))),
        one.media_id,
        one.day,
    )


# refused records

READABLE = "readable_rows"
REFUSED_SHARE, REFUSED_ROWS = (
    0.1,
    5,
)  # of one landing: a refusal stops it from both on, or if every row is refused


def is_refused(rows: int, refused: int) -> bool:
    """Whether so many rows of a landing were refused that the rest can't be trusted."""
    many = refused >= REFUSED_ROWS and refused >= REFUSED_SHARE * rows
    return refused > 0 and (refused == rows or many)


def refused_rows(
    dataset: str, rows: int, reasons: Mapping[str, int], media_id: str = "", day: date | None = None
) -> Finding:
    """How many rows of a landing (or, without a media, of a dataset) were refused, and why."""
    count = sum(reasons.values())
    stops = bool(media_id) and is_refused(rows, count)
    effect = Effect.STOP if stops else Effect.QUARANTINE
    return finding(READABLE, dataset, effect, rows, count, reasons_text(reasons), media_id, day)


def reasons_text(reasons: Mapping[str, int]) -> str:
    """Reason codes with their counts, the most frequent first."""
    ordered = sorted(reasons.items(), key=lambda r: (-r[1], r[0]))
    return ", ".join(f"{code} {count}" for code, count in ordered)


# days that lose sessions

SHRINK_SHARE, SHRINK_ROWS = 0.2, 20  # a day that loses more than both is not believed


def is_shrunk(rows: int, lost: int) -> bool:
    """Whether a day lost so many of its rows at the source that somebody has to look at it first."""
    return lost > SHRINK_ROWS and lost > SHRINK_SHARE * rows


# references

REFERENCES = "references"


def references(table: str, media: Iterable[str], described: Iterable[str]) -> Finding:
    """Every fact's media is in `dim_media`, except while its description could not be fetched."""
    of_facts = set(media)
    lost = sorted(of_facts - set(described))
    detail = f"media without a row in silver.dim_media: {', '.join(lost[:5])}" if lost else ""
    return finding(REFERENCES, table, Effect.WARN, len(of_facts), len(lost), detail)


# freshness

FRESHNESS = "freshness"
GRACE_DAYS = 1  # a day may be one run late without a warning


def freshness(dataset: str, newest: Mapping[str, date | None], expected: date) -> Finding:
    """How many media's newest whole landing of a dataset is older than the newest day that is over.

    `newest` has every followed media; None where nothing has landed yet.
    """
    limit = expected - timedelta(days=GRACE_DAYS)
    late = {m: day for m, day in newest.items() if day is None or day < limit}
    oldest = min(late.items(), key=lambda item: (item[1] or date.min, item[0])) if late else None
    detail = f"expected {expected}; {oldest[0]} ends at {oldest[1] or 'nothing'}" if oldest else ""
    return finding(FRESHNESS, dataset, Effect.WARN, len(newest), len(late), detail)


def age_hours(last_days: Iterable[date], now: datetime) -> float:
    """Hours since the end of the earliest of these days, each the last one that is published of a media; 0 of none."""
    ends = (datetime.combine(day, time(), UTC) + timedelta(days=1) for day in last_days)
    return max(((now - end).total_seconds() / 3600 for end in ends), default=0.0)


# settled days

SETTLED_DAYS = "settled_days"


def settled_days(dataset: str, read: Sequence[tuple[str, date, bool]]) -> Finding:
    """Whether the settled days that were read again, as (media, day, whether it changed), are unchanged."""
    moved = [f"{media_id} {day}" for media_id, day, has_moved in sorted(read) if has_moved]
    detail = f"moved after they had settled: {', '.join(moved[:5])}" if moved else ""
    return finding(SETTLED_DAYS, dataset, Effect.WARN, len(read), len(moved), detail)


# volume

VOLUME = "volume"
PAST_DAYS = 28
MIN_PAST_DAYS = 7  # of own history, before a day can be called unusual
UNUSUAL_FACTOR, UNUSUAL_MARGIN = 5.0, 50  # unusual: beyond both


@dataclass(frozen=True, slots=True)
class Past:
    """One published day of a media, as gold has it."""

    media_id: str
    date: date
    loads: int | None
    plays: int | None
    sessions: int
    certificate: str


def by_media(past: Iterable[Past]) -> dict[str, list[Past]]:
    """The days of each media."""
    history: dict[str, list[Past]] = {}
    for one in past:
        history.setdefault(one.media_id, []).append(one)
    return history


def volume(counts: Mapping[Pair, int], past: Iterable[Past]) -> tuple[Finding, ...]:
    """Sessions of each day against the median of the media's own earlier days."""
    history = by_media(past)
    judged, unusual = 0, []
    for (media_id, day), count in sorted(counts.items()):
        before = [p.sessions for p in history.get(media_id, ()) if 0 < (day - p.date).days <= PAST_DAYS]
        if len(before) < MIN_PAST_DAYS:
            continue
        judged += 1
        if detail := _unusual(count, before):
            unusual.append(finding(VOLUME, "silver.fact_events", Effect.WARN, 1, 1, detail, media_id, day))
    whole = finding(VOLUME, "silver.fact_events", Effect.WARN, judged, len(unusual))
    return (whole, *unusual)


def _unusual(count: int, before: Sequence[int]) -> str:
    usual = median(before)
    if abs(count - usual) <= UNUSUAL_MARGIN:
        return ""
    if count > UNUSUAL_FACTOR * usual or count * UNUSUAL_FACTOR < usual:
        return f"{count} sessions, where {usual:g} are usual ({len(before)} days)"
    return ""
