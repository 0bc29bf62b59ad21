"""How far a period's numbers can be trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from wistlake.date_ranges import DateRange
from wistlake.quality.scope import Scope, listed
from wistlake_dashboard import words
from wistlake_dashboard.coverage import NOT_THERE, Coverage, Reason
from wistlake_dashboard.reader import Row, rows

if TYPE_CHECKING:
    from wistlake.ports import Query

Spans = Sequence[DateRange]
_DAILY = ("events", "media_by_date")  # what a day is made of


@dataclass(frozen=True, slots=True)
class Trust:
    """Media days by certificate, the days that may still change and until about when, the last run, and what is
    wrong. `published`: days of which any media has numbers."""

    certificates: dict[str, int]
    last_run: Row | None
    broken: int
    quarantined: int
    failed: int
    until: date | None = None
    open: frozenset[date] = frozenset()
    published: int = 0

    @property
    def is_simulated(self) -> bool:
        """Whether the data are the simulator's."""
        return (self.last_run or {}).get("origin") == "simulated"

    @property
    def tone(self) -> str:
        """ "bad" if something failed, "warn" if something is to be looked at or may still change, else ""."""
        status = (self.last_run or {}).get("status")
        if status == "failed" or (self.failed and status != "partial"):  # then they are few
            return "bad"
        return "warn" if self.failed or self.broken or self.quarantined or self.open else ""

    @property
    def summary(self) -> str:
        """Verified days, what may still change, the last run, and what is to be looked at."""
        days = words.plural(sum(self.certificates.values()), "media day")
        parts = [f"{words.count(self.certificates.get('certified', 0))} of {days} verified against Wistia."]
        if self.open:
            parts.append(f"May still change: {words.spans(self.open)}.")
        if self.last_run:
            parts.append(f"Last run {self.last_run['status']}, {words.moment(self.last_run['started_at'])}.")
        counts = {
            "broken check": self.broken,
            "refused record": self.quarantined,
            "failed interval": self.failed,
        }
        if troubles := [words.plural(n, noun) for noun, n in counts.items() if n]:
            parts.append(f"Look at: {', '.join(troubles)}.")
        return " ".join(parts)

    def stability(self, scope: Scope, cover: Coverage | None, absent: Spans = ()) -> str:
        """Which of the scope's days may still change, and which of those that it should have are missing, as part of a
        sentence. `absent`: days without any number. Without a `cover`, only published days are spoken of."""
        if not self.published:
            return "nothing is published of these days"
        known = cover is not None
        cover = cover or Coverage(scope)
        old = cover.lacks(_there(scope, absent), (Reason.STALE,))
        lacks = _lacks(scope, cover, absent, old)
        whole = known and not lacks and self.published == len(scope.days)
        everything = f"all {'other ' if old else '' if whole else 'published '}days"
        if not self.open:
            return "; ".join((f"{everything} are stable", *lacks))
        which = everything if len(self.open) == len(scope.days) else words.spans(self.open)
        until = f" until about {words.day(self.until)}" if self.until else ""
        return "; ".join((f"{which} may still change{until}", *lacks))


def _there(scope: Scope, absent: Spans) -> set[date]:
    """The scope's days that any media has a number of."""
    return {day for day in scope.days if not any(start <= day <= end for start, end in absent)}


def _lacks(scope: Scope, cover: Coverage, absent: Spans, old: Mapping[str, int]) -> list[str]:
    """What the scope should have and lacks: days that nobody has, and days of single media. `old`: days of which
    older numbers stand."""
    none = cover.lacks(_there(scope, absent), NOT_THERE)
    spans = ", ".join(words.span(*span) for span in absent)
    parts = []
    if absent:
        besides = f", and {_amount(none)}" if none else ""
        parts.append(f"not published, and in no figure: {spans}{besides}")
    elif none:
        parts.append(f"{_amount(none)} {'is' if sum(none.values()) == 1 else 'are'} not published")
    if old:
        parts.append(f"older numbers stand for {_amount(old)}")
    return parts


def _amount(lacks: Mapping[str, int]) -> str:
    """3 days of 1 media; of several media their days are added up."""
    noun = "day" if len(lacks) == 1 else "media day"
    return f"{words.plural(sum(lacks.values()), noun)} of {words.count(len(lacks))} media"


def trust(query: "Query", scope: Scope) -> Trust:
    """The scope's certificates, broken identities, refused records and failed intervals, and the lake's last run."""
    certificates = rows(
        query,
        "SELECT certificate, count(*) AS n FROM gold.fact_media_daily "
        f"WHERE {scope.where()} GROUP BY certificate",
    )
    runs = rows(query, "SELECT origin, status, started_at FROM ops.runs ORDER BY started_at DESC LIMIT 1")
    (counts,) = rows(
        query,
        "SELECT (SELECT count(*) FROM ops.reconciliation WHERE verdict = 'broken' AND "
        f"{scope.where()}) AS broken, "
        f"(SELECT count(*) FROM silver.quarantine WHERE {scope.where('dt')}) AS quarantined, "
        f"(SELECT count(DISTINCT date) FROM gold.fact_media_daily WHERE {scope.where()}) AS published",
    )
    # By itself: Athena has none of the ledger's tables, and is not asked then.
    (failed,) = rows(
        query,
        f"SELECT count(*) AS n FROM ops.intervals WHERE state = 'failed' AND {scope.where('day')}",
    )
    provisional = rows(
        query,
        f"SELECT DISTINCT date FROM gold.fact_media_daily WHERE certificate = 'provisional' AND {scope.where()}",
    )
    open_days = frozenset(r["date"] for r in provisional)
    return Trust(
        {r["certificate"]: r["n"] for r in certificates},
        runs[0] if runs else None,
        **counts,
        failed=failed["n"],
        until=_until(query, max(open_days)) if open_days else None,
        open=open_days,
    )


def newest_day(query: "Query", published: date) -> date:
    """The newest day that the lake should have: the last `published` one, or a later one that failed or was read."""
    found = {
        r["dataset"]: r
        for r in rows(
            query,
            "SELECT dataset, max(day) AS asked, max(CASE WHEN state = 'failed' THEN day END) AS failed "
            f"FROM ops.intervals WHERE dataset IN {listed(_DAILY)} GROUP BY dataset",
        )
    }
    # Of the account's day, sessions are spread over two UTC days: the newest one that was read may be its first half.
    back = {name: timedelta(days=name == "events") for name in found}
    days: list[date] = [published, *(r["failed"] - back[name] for name, r in found.items() if r["failed"])]
    if len(found) == len(_DAILY):  # while one of the two lacks a day, it waits
        days.append(min(r["asked"] - back[name] for name, r in found.items()))
    return max(days)


def _until(query: "Query", day: date) -> date | None:
    """About when the day will be stable: as old as the newest stable day is now; None while there is none."""
    (row,) = rows(
        query,
        "SELECT max(date) AS newest, max(CASE WHEN certificate <> 'provisional' THEN date END) AS stable "
        "FROM gold.fact_media_daily",
    )
    return day + (row["newest"] - row["stable"]) if row["stable"] else None
