"""Evidence that the lake ran by itself: consecutive scheduled runs, no manual ones, no gaps, no duplicates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from wistlake.contracts import TABLES
from wistlake.contracts.form import Privacy
from wistlake.insight.status import health
from wistlake.pipeline.run.record import PARTIAL, SUCCEEDED
from wistlake.planning.plan import Window
from wistlake.ports import Ledger, Query, Run


@dataclass(frozen=True, slots=True)
class DayPage:
    """One day's evidence. `origin` is simulated, live, or mixed; `problems` is empty for a good day."""

    day: date
    origin: str
    run: Run | None
    pages: int
    rows: int
    duplicates: int
    problems: tuple[str, ...]
    summary: Mapping[str, Any] = field(default_factory=dict)  # of the run

    def markdown(self) -> str:
        """The page. Its title tells whether the data is Wistia's or simulated."""
        head = [f"# {self.day}: {'FAILED' if self.problems else 'passed'} ({self.origin})", ""]
        if self.run is None:
            body = ["- run: none"]
        else:
            ended = self.run.ended_at
            seconds = (ended - self.run.started_at).total_seconds() if ended else None
            body = [
                f"- run: {self.run.run_id} ({self.run.trigger}, {self.run.status})",
                f"- started: {self.run.started_at.isoformat()}",
                f"- duration: {'unknown' if seconds is None else f'{seconds:.1f} s'}",
            ]
        body += [f"- pages: {self.pages}", f"- rows: {self.rows}", f"- duplicates: {self.duplicates}"]
        body += [f"- problem: {p}" for p in self.problems]
        return "\n".join([*head, *body, "", *(_figures(self.summary) if self.run else ())])


def _figures(summary: Mapping[str, Any]) -> list[str]:
    """What the run did to each table and what its checks said, as its result tells it."""
    tables, checks = summary.get("tables", {}), summary.get("checks", {})
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(checks.items()))
    kinds = ("new", "updated", "removed", "unchanged")
    lines = [
        f"| {name} | {' | '.join(str(rows.get(k, 0)) for k in kinds)} |"
        for name, rows in sorted(tables.items())
    ]
    head = [f"| table | {' | '.join(kinds)} |", f"| --- |{' --- |' * len(kinds)}"]
    published = summary.get("days_published", 0)
    return [
        f"Days of gold published: {published}. Checks: {verdicts or 'none'}.",
        "",
        *(head if lines else ()),
        *lines,
        "",
    ]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A page a day, and what concerns the whole lake."""

    days: tuple[DayPage, ...]
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Nothing is wrong, with any day or with the lake."""
        return not self.problems and not any(d.problems for d in self.days)


def evidence(ledger: Ledger, query: Query, window: Window, days: int) -> Evidence:
    """The last `days` days up to the newest run, judged from the ledger and the published tables."""
    runs = sorted(ledger.runs(10_000), key=lambda r: (r.started_at, r.run_id))
    if not runs:
        return Evidence((), ("no run yet",))
    last = runs[-1].started_at.date()
    counted = query.sql("SELECT count(*) - count(DISTINCT event_key) AS n FROM silver.fact_events")
    duplicates = int(counted.to_pylist()[0]["n"])
    newest = [last - timedelta(days=n) for n in reversed(range(days))]
    pages = tuple(
        _page(ledger, day, [r for r in runs if r.started_at.date() == day], duplicates) for day in newest
    )
    return Evidence(pages, tuple(_problems(ledger, query, window, duplicates)))


def _page(ledger: Ledger, day: date, runs: Sequence[Run], duplicates: int) -> DayPage:
    succeeded = [r for r in runs if r.trigger == "scheduled" and r.status == SUCCEEDED]
    run = succeeded[-1] if succeeded else runs[-1] if runs else None
    origins = {r.origin for r in runs}
    lines = [line for r in runs for line in ledger.summary(r).get("intervals", ())]
    return DayPage(
        day,
        "no run" if not origins else origins.pop() if len(origins) == 1 else "mixed: simulated and live",
        run,
        sum(line["pages"] for line in lines),
        sum(line["rows"] for line in lines),
        duplicates,
        tuple(_faults_of_day(runs, succeeded)),
        ledger.summary(run) if run else {},
    )


def _faults_of_day(runs: Sequence[Run], succeeded: Sequence[Run]) -> list[str]:
    if not runs:
        return ["no run was started"]
    partial = any(r.trigger == "scheduled" and r.status == PARTIAL for r in runs)
    without = "the scheduled run was partial: media failed" if partial else "no scheduled run succeeded"
    problems = [] if succeeded else [without]
    by_hand = [r for r in runs if r.trigger != "scheduled"]
    problems += [f"{r.run_id} was started by hand ({r.trigger})" for r in by_hand]
    if len({r.origin for r in runs}) > 1:
        problems.append("simulated and live runs are mixed")
    return problems


def _problems(ledger: Ledger, query: Query, window: Window, duplicates: int) -> list[str]:
    problems = []
    gaps = health(ledger, window)["gaps"]
    if gaps:
        problems.append(f"{len(gaps)} days are missing, the first: {gaps[0]}")
    if duplicates:
        problems.append(f"{duplicates} rows of silver.fact_events repeat an event_key")
    problems += [
        f"the watermark of {w.dataset} {w.media_id} was overridden: {w.override_reason}"
        for w in ledger.watermarks()
        if w.override_reason
    ]
    personal = [f"{t.full_name}.{c.name}" for t in TABLES for c in t.columns if c.privacy is Privacy.PERSONAL]
    if personal:
        problems.append(f"personal columns beyond bronze: {', '.join(personal)}")
    return [*problems, *_personal_values(query)]


def _personal_values(query: Query) -> list[str]:
    """Text that looks like an e-mail address or an IPv4 address in what was made from personal values."""
    pattern = r"[^\s/@]+@[^\s/@]+\.[a-z]{2,}|(^|[^0-9.])\d{1,3}(\.\d{1,3}){3}([^0-9.]|$)"
    problems = []
    for table in TABLES:
        columns = [c.name for c in table.columns if c.privacy in (Privacy.MASKED, Privacy.PSEUDONYM)]
        if columns and table.layer in ("silver", "gold"):
            # In words that DuckDB and Athena share: without a match one of them has '', the other NULL.
            condition = " OR ".join(f"regexp_extract({c}, '{pattern}') <> ''" for c in columns)
            rows = query.sql(f"SELECT count(*) AS n FROM {table.full_name} WHERE {condition}").to_pylist()
            if rows[0]["n"]:
                problems.append(f"{rows[0]['n']} rows of {table.full_name} hold what looks like an address")
    return problems
