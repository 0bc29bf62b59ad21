"""Compares every table with the truth, and names the rows that are lost, duplicated or wrong.

A row is lost if it should be there, duplicated if its key is there twice, wrong if a value differs or if it should not
be there. Three tables also hold what depends on the moments at which runs lived or died; of those the judge checks
that they agree with themselves and with the world.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from wistia_simulator import World
from wistlake_soak import details
from wistlake_soak.truth import Truth

Row = Mapping[str, Any]
Key = tuple[Any, ...]
Sql = Callable[[str], list[dict[str, Any]]]
MOST_FINDINGS = 6  # in words, about one table
KEYS = {
    "silver.fact_events": ("event_key",),
    "silver.fact_media_by_date": ("media_id", "date"),
    "silver.media_lifetime": ("media_id", "snapshot_date"),
    "silver.dim_media": ("media_id",),
    "gold.fact_media_daily": ("media_id", "date"),
    "gold.fact_media_engagement": ("media_id", "visitor_id", "date"),
    "gold.dim_visitor": ("visitor_id",),
    "gold.channel_daily": ("media_id", "date", "channel"),
    "gold.geo_daily": ("media_id", "date", "country", "region"),
    "gold.device_daily": ("media_id", "date", "platform", "browser", "is_mobile"),
    "gold.embed_daily": ("media_id", "date", "embed_host"),
    "gold.media_retention_daily": ("media_id", "date"),
}


@dataclass(slots=True)
class Judgement:
    """What differs from the truth. `findings` holds the first differences in words."""

    rows: int = 0
    lost: int = 0
    duplicated: int = 0
    wrong: int = 0
    tables: dict[str, int] = field(default_factory=dict)
    certified: int = 0  # days with the highest certificate, of media that are still there
    contradicted: int = 0  # certificates that the truth contradicts
    moved_by_rebuild: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # updates that no contract accepts, by their flaw
    findings: list[str] = field(default_factory=list)
    _reported: Counter[str] = field(default_factory=Counter)

    def compare(
        self, name: str, key: tuple[str, ...], expected: Iterable[Row], actual: list[dict[str, Any]]
    ) -> None:
        """Count what is lost, duplicated or wrong; expected rows name the columns that are compared."""
        wanted = {tuple(r[k] for k in key): r for r in expected}
        have: dict[Key, Row] = {}
        self.rows += len(actual)
        self.tables[name] = len(actual)
        for row in actual:
            at = tuple(row[k] for k in key)
            if at in have:
                self.duplicated += 1
                self.report(name, f"{at} is there twice")
            have[at] = row
        for at in wanted.keys() - have.keys():
            self.lost += 1
            self.report(name, f"{at} is lost")
        for at in have.keys() - wanted.keys():
            self.wrong += 1
            self.report(name, f"{at} should not be there")
        for at in wanted.keys() & have.keys():
            bad = [c for c, value in wanted[at].items() if not _same(value, have[at][c])]
            if bad:
                self.wrong += 1
                values = ", ".join(f"{c} is {have[at][c]!r}, should be {wanted[at][c]!r}" for c in bad[:3])
                self.report(name, f"{at}: {values}")

    def report(self, name: str, text: str) -> None:
        """Add a finding in words, if it is one of the first about `name`."""
        self._reported[name] += 1
        if self._reported[name] <= MOST_FINDINGS:
            self.findings.append(f"{name}: {text}")


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float | int):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    return bool(a == b)


def judge(
    world: World,
    lake: Path,
    zone: tzinfo,
    sql: Sql,
    lookback_days: int,
    is_scaled: Callable[[datetime], bool] = lambda _: False,
) -> Judgement:
    """Every table of the lake against the truth, and every certificate."""
    first_read: dict[str, list[datetime]] = defaultdict(list)
    for row in sql("SELECT media_id, valid_from FROM silver.dim_media_history"):
        first_read[row["media_id"]].append(row["valid_from"])
    truth = Truth(world, lake, zone, is_scaled=is_scaled, first_read=first_read)
    verdict = Judgement(refused=truth.refused)
    keys = KEYS | details.KEYS
    for name, expected in truth.tables().items():
        actual = sql(f"SELECT * FROM {name}")
        if name == "silver.fact_events":
            verdict.compare(name, keys[name], *_listed(verdict, expected, actual))
        else:
            verdict.compare(name, keys[name], expected, actual)
    _quarantine(verdict, truth, sql)
    _observations(verdict, truth, sql)
    _spans(verdict, sql)
    _certificates(verdict, truth, sql, lookback_days)
    return verdict


def _listed(
    verdict: Judgement, expected: list[dict[str, Any]], actual: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Only the sessions that are listed: of a list that a dead run has read and a later one replaced, no build
    learned what it lacked. A key must be there once all the same."""
    verdict.duplicated += len(actual) - len({r["event_key"] for r in actual})
    return [r for r in expected if r["removed_at"] is None], [r for r in actual if r["removed_at"] is None]


def _quarantine(verdict: Judgement, truth: Truth, sql: Sql) -> None:
    """As many refused records of each media and day as its newest list misshapes."""
    rows = sql("SELECT media_id, dt, dataset, count(*) AS records FROM silver.quarantine GROUP BY ALL")
    verdict.compare("silver.quarantine", ("media_id", "dt", "dataset"), truth.refused_records(), rows)


def _observations(verdict: Judgement, truth: Truth, sql: Sql) -> None:
    """Each observation holds the counts of its moment."""
    rows = sql("SELECT * FROM silver.media_by_date_observations ORDER BY media_id, date, observed_at")
    key = ("media_id", "date", "observed_at")
    expected = [
        {n: r[n] for n in key} | truth.counts(r["media_id"], r["date"], r["observed_at"]) for r in rows
    ]
    verdict.compare("silver.media_by_date_observations", key, expected, rows)


def _spans(verdict: Judgement, sql: Sql) -> None:
    """Spans of `dim_media_history` touch each other, and the current one equals `dim_media`."""
    rows = sql("SELECT * FROM silver.dim_media_history ORDER BY media_id, valid_from")
    media = {r["media_id"]: r for r in sql("SELECT * FROM silver.dim_media")}
    expected = []
    for number, row in enumerate(rows):
        after = rows[number + 1] if number + 1 < len(rows) else None
        is_current = after is None or after["media_id"] != row["media_id"]
        ends = None if after is None or is_current else after["valid_from"]
        wanted = {"media_id": row["media_id"], "valid_from": row["valid_from"], "valid_to": ends}
        if is_current:
            wanted |= {
                n: media[row["media_id"]][n] for n in ("title", "duration_seconds", "tags", "archived")
            }
        expected.append(wanted | {"is_current": is_current})
    verdict.compare("silver.dim_media_history", ("media_id", "valid_from"), expected, rows)


def _certificates(verdict: Judgement, truth: Truth, sql: Sql, lookback_days: int) -> None:
    """A day is settled only if it may be, and a certified one holds what the source says at the end. Of a media that
    is gone the source says nothing."""
    alive = {m.media_id for m in truth.world.truth.medias()}
    may_settle = truth.settled(lookback_days)
    for row in sql("SELECT * FROM gold.fact_media_daily WHERE certificate <> 'provisional'"):
        media, day = row["media_id"], row["date"]
        wrong = [] if (media, day) in may_settle else ["a later run would read it again"]
        if row["certificate"] == "certified" and media in alive:
            verdict.certified += 1
            source = truth.source_figures(media, day)
            wrong += [f"{n} is {row[n]}, the source says {v}" for n, v in source.items() if row[n] != v]
        if wrong:
            verdict.contradicted += 1
            text = f"{media} on {day} is {row['certificate']}, but {'; '.join(wrong[:3])}"
            verdict.report("certificates", text)
