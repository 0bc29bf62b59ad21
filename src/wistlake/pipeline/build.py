"""Bronze to silver to gold: which landings, in which order, and what came of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from wistlake import bronze
from wistlake.bronze import Manifest
from wistlake.contracts import TABLES, source
from wistlake.contracts.channel_daily import TABLE as CHANNEL_DAILY
from wistlake.contracts.device_daily import TABLE as DEVICE_DAILY
from wistlake.contracts.dim_media import TABLE as DIM_MEDIA
from wistlake.contracts.dim_media_history import TABLE as DIM_MEDIA_HISTORY
from wistlake.contracts.dim_visitor import TABLE as DIM_VISITOR
from wistlake.contracts.embed_daily import TABLE as EMBED_DAILY
from wistlake.contracts.fact_events import TABLE as FACT_EVENTS
from wistlake.contracts.fact_media_by_date import TABLE as FACT_MEDIA_BY_DATE
from wistlake.contracts.fact_media_daily import TABLE as FACT_MEDIA_DAILY
from wistlake.contracts.fact_media_engagement import TABLE as FACT_MEDIA_ENGAGEMENT
from wistlake.contracts.form import Table
from wistlake.contracts.geo_daily import TABLE as GEO_DAILY
from wistlake.contracts.media_analytics_by_date import TABLE as MEDIA_ANALYTICS_BY_DATE
from wistlake.contracts.media_by_date_observations import TABLE as OBSERVATIONS
from wistlake.contracts.media_lifetime import TABLE as MEDIA_LIFETIME
from wistlake.contracts.media_retention_daily import TABLE as MEDIA_RETENTION_DAILY
from wistlake.contracts.quarantine import TABLE as QUARANTINE
from wistlake.contracts.reconciliation import TABLE as RECONCILIATION
from wistlake.contracts.visitor_activity import TABLE as VISITORS
from wistlake.derive.merge import days_in
from wistlake.errors import StoreError
from wistlake.pipeline.tally import Applied, affected_pairs, apply, commit, compare
from wistlake.ports import ObjectStore, TableRef, TableStore
from wistlake.quality.certificates import Certificate, certify
from wistlake.quality.reconciliation import Band, DayFigures, Judgement, blocked, judge
from wistlake.transforms import (
    channel_daily,
    daily,
    device_daily,
    dim_media,
    dim_media_history,
    dim_visitor,
    embed_daily,
    fact_events,
    fact_media_by_date,
    fact_media_daily,
    fact_media_engagement,
    geo_daily,
    landing,
    media_analytics_by_date,
    media_by_date_observations,
    media_lifetime,
    media_retention_daily,
    quarantine,
    visitor_activity,
)
from wistlake.transforms.channels import DEFAULT_RULES, Rule

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Pair = tuple[str, date]
SHRINK_SHARE, SHRINK_ROWS = 0.2, 20  # a day that loses more than both is not believed
PAIRS = "media_id string, date date"


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """What one build is about.

    `publishable` are the (media, local day) pairs that may stand in gold after it, `refresh` those of them
    that must be computed though no row moved (a day became whole, or its certificate aged).
    `past_lookback` and `confirmed` are what certificates need of the ledger.
    """

    run_id: str
    started_at: datetime
    zone: str
    keys: tuple[bytes, ...] = field(repr=False)
    landings: tuple[Manifest, ...]
    publishable: frozenset[Pair]
    refresh: frozenset[Pair]
    past_lookback: frozenset[Pair] = frozenset()
    confirmed: frozenset[Pair] = frozenset()
    rules: tuple[Rule, ...] = DEFAULT_RULES
    band: Band = Band()


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What one build did: rows by table and change; by landing, the rows it refused; verdicts; the media it
    stopped; the days it published with their certificates; and the state of every table."""

    counts: Mapping[str, Mapping[str, int]]
    by_interval: Mapping[tuple[str, str, date], Mapping[str, int]]
    judgements: tuple[Judgement, ...]
    stopped: Mapping[tuple[str, str, date], str]
    published: Mapping[Pair, Certificate]
    blocked: frozenset[Pair]
    tables: Mapping[str, TableRef]


class Build:
    """One build at work. Methods are in the order in which `build` calls them."""

    def __init__(self, plan: BuildPlan, objects: ObjectStore, store: TableStore) -> None:
        self.plan, self.objects, self.store = plan, objects, store
        self.spark = store.spark
        self.built_at: Column = F.lit(plan.started_at)
        self.pads = landing.pads_frame(self.spark, list(plan.keys))
        self.outcomes: dict[str, Applied] = {}
        self.by_interval: dict[tuple[str, str, date], Counter[str]] = {}
        self.stopped: dict[str, str] = {}
        self.refused: list[DataFrame] = []

    # bronze

    def manifests(self, dataset: str) -> list[Manifest]:
        """The landings of one dataset whose media have not been stopped."""
        return [
            m
            for m in self.plan.landings
            if m.dataset == dataset and m.media_id not in self.stopped and not m.missing
        ]

    def typed(self, dataset: str, derived: Mapping[str, str], rules: Mapping[str, str]) -> "DataFrame | None":
        """Rows of the dataset's landings that keep the contract; None without any landing.

        The others are kept for quarantine. StoreError if a line got lost on the way: an engine that
        finds no files says nothing.
        """
        manifests = self.manifests(dataset)
        if not manifests:
            return None
        parts = [p for m in manifests for p in m.parts if p.rows]
        for part in parts:
            bronze.check_part(part, self.objects.get(part.key))
        contract = source(dataset)
        lines = (
            self.spark.read.text([self.objects.uri(p.key) for p in parts])
            if parts
            else self.spark.createDataFrame([], "value string")
        )
        landings = landing.landing_frame(
            self.spark,
            [(m.landing_id, m.media_id, m.day, m.observed_at, m.dataset, m.missing) for m in manifests],
        )
        rows = self.store.stage(
            f"typed_{dataset}",
            landing.parse(lines, contract, landings, self.pads, len(self.plan.keys), derived, rules),
        )
        self._account_for(rows, manifests)
        if any(self.by_interval[_interval(m)]["quarantined"] for m in manifests):
            self.refused.append(quarantine.build(rows, contract, self.built_at))
        return rows.where("reason is null")

    def _account_for(self, rows: "DataFrame", manifests: Iterable[Manifest]) -> None:
        counted = rows.groupBy("landing_id", F.col("reason").isNull().alias("good")).count().collect()
        seen: Counter[str] = Counter()
        good: Counter[str] = Counter()
        for row in counted:
            seen[row["landing_id"]] += row["count"]
            good[row["landing_id"]] += row["count"] if row["good"] else 0
        for m in manifests:
            if seen.pop(m.landing_id, 0) != m.rows:
                raise StoreError(
                    f"landing {m.landing_id} promises {m.rows} rows and does not have them: "
                    "fetch the day again with `wistlake backfill`"
                )
            self.by_interval[_interval(m)] = Counter(rows=m.rows, quarantined=m.rows - good[m.landing_id])
        if seen:
            raise StoreError(f"{sum(seen.values())} bronze lines belong to no landing of this build")

    # silver

    def keep(self, applied: Applied) -> Applied:
        """Remember a table's outcome."""
        self.outcomes[applied.table.full_name] = applied
        return applied

    def by_key(self, table: Table, rows: "DataFrame", keys: list[str] | None = None) -> "DataFrame":
        """The current rows whose `keys` (default: the table's key) are in `rows`, as `changes` wants them."""
        on = keys or list(table.key)
        current = self.store.read(table)
        wanted = rows.select(*on).distinct()
        day = table.day_column
        if day in on:
            chosen = [r[0] for r in rows.select(day).distinct().collect()]
            current = current.where(days_in(day, chosen))
        return current.join(wanted, on=on, how="left_semi").withColumn("_in_scope", F.lit(True))

    def media(self, urls: "DataFrame | None") -> None:
        """`dim_media` and its history."""
        typed = self.typed("media_metadata", {}, dim_media.RULES)
        missing = [m for m in self.plan.landings if m.dataset == "media_metadata" and m.missing]
        current = self.store.read(DIM_MEDIA)
        if typed is None and not missing and urls is None:
            return
        observed = self._observed_media(typed, current)
        gone = self.spark.createDataFrame(
            [(m.media_id, m.observed_at, m.landing_id) for m in missing],
            "media_id string, observed_at timestamp, landing_id string",
        )
        pages = urls if urls is not None else self.spark.createDataFrame([], "media_id string, url string")
        rows = dim_media.build(observed, gone, current, pages, self.plan.rules, self.built_at)
        self.keep(apply(self.store, DIM_MEDIA, rows, self.by_key(DIM_MEDIA, rows)))
        if typed is not None:
            history = self.store.read(DIM_MEDIA_HISTORY)
            versions = dim_media_history.build(dim_media.described(typed), history, self.built_at)
            self.keep(
                apply(
                    self.store,
                    DIM_MEDIA_HISTORY,
                    versions,
                    self.by_key(DIM_MEDIA_HISTORY, versions, ["media_id"]),
                )
            )

    def _observed_media(self, typed: "DataFrame | None", current: "DataFrame") -> "DataFrame":
        """Descriptions of this build; the other media as they are known."""
        derived = ("url", "channel", "is_deleted", "built_at")
        columns = [c for c in DIM_MEDIA.column_names if c not in derived]
        known = current.where("not is_deleted").select(*columns)
        if typed is None:
            return known
        described = dim_media.described(typed).select(*columns)
        return described.unionByName(known.join(described, on="media_id", how="left_anti").select(*columns))

    def lifetime(self) -> None:
        """`media_lifetime`: both endpoints on one row."""
        stats = self.typed("media_stats", {}, media_lifetime.STATS_RULES)
        curves = self.typed("media_engagement", {}, media_lifetime.CURVES_RULES)
        if stats is None and curves is None:
            return
        empty = self.spark.createDataFrame([], "landing_media_id string")
        columns = {"landing_dt": "date", "observed_at": "timestamp", "landing_id": "string"}
        table_types = {c.name: str(c.type).replace("long", "bigint") for c in MEDIA_LIFETIME.columns}

        def absent(names: tuple[str, ...]) -> "DataFrame":
            kinds = columns | {n: table_types[n] for n in names}
            return empty.withColumns({n: F.lit(None).cast(kind) for n, kind in kinds.items()})

        rows = media_lifetime.build(
            stats if stats is not None else absent(media_lifetime.STATS),
            curves if curves is not None else absent(media_lifetime.CURVES),
            self.store.read(DIM_MEDIA),
            self.store.read(MEDIA_LIFETIME),
            self.built_at,
        )
        self.keep(apply(self.store, MEDIA_LIFETIME, rows, self.by_key(MEDIA_LIFETIME, rows)))

    def by_date(self) -> None:
        """`media_by_date_observations`, then `fact_media_by_date`."""
        typed = self.typed("media_by_date", {}, fact_media_by_date.RULES)
        if typed is None:
            return
        rows = fact_media_by_date.build(typed, self.built_at)
        current = self.by_key(FACT_MEDIA_BY_DATE, rows)
        observations = media_by_date_observations.build(typed, current, self.built_at)
        self.keep(apply(self.store, OBSERVATIONS, observations, self.by_key(OBSERVATIONS, observations)))
        self.keep(apply(self.store, FACT_MEDIA_BY_DATE, rows, current))

    def analytics(self) -> None:
        """`media_analytics_by_date`, where the account has it."""
        typed = self.typed("analytics_daily", {}, media_analytics_by_date.RULES)
        if typed is None:
            return
        rows = media_analytics_by_date.build(typed, self.built_at)
        self.keep(
            apply(self.store, MEDIA_ANALYTICS_BY_DATE, rows, self.by_key(MEDIA_ANALYTICS_BY_DATE, rows))
        )

    def visitors(self) -> None:
        """`silver.visitors`, where it is switched on."""
        epochs = len(self.plan.keys)
        typed = self.typed("visitors", visitor_activity.derived(epochs), visitor_activity.RULES)
        if typed is None:
            return
        rows = visitor_activity.build(typed, self.built_at)
        self.keep(apply(self.store, VISITORS, rows, self.by_key(VISITORS, rows)))

    def events(self) -> "DataFrame | None":
        """Typed sessions, staged; the media's pages in them are needed before the sessions are."""
        return self.typed("events", fact_events.derived(len(self.plan.keys)), fact_events.RULES)

    def sessions(self, typed: "DataFrame | None") -> None:
        """`fact_events`: whole (media, day) scopes, wherever their keys stand today."""
        if typed is None:
            return
        rows = self.store.stage(
            "sessions",
            fact_events.build(
                typed,
                self.store.read(DIM_MEDIA),
                self.store.read(DIM_MEDIA_HISTORY),
                self.plan.zone,
                self.plan.rules,
                self.built_at,
            ),
        )
        applied = compare(self.store, FACT_EVENTS, rows, self._standing(rows))
        shrunk = self._shrunk(applied)
        if shrunk:
            self.stopped |= shrunk
            kept = ~F.col("media_id").isin(list(shrunk))
            rows = rows.where(kept)
            applied = compare(self.store, FACT_EVENTS, rows, self._standing(rows))
        commit(self.store, applied)
        self.keep(applied)
        for t in applied.tally:
            if t.media_id is not None and t.day is not None:
                self.by_interval.setdefault(("events", t.media_id, t.day), Counter())[t.change] += t.count

    def _standing(self, rows: "DataFrame") -> "DataFrame":
        """Current sessions of the scopes, and those elsewhere whose key the build has: keys move."""
        scopes = [(m.media_id, m.day, m.observed_at, m.landing_id) for m in self.manifests("events")]
        scope = self.spark.createDataFrame(
            scopes,
            "media_id string, event_date date, _scope_observed_at timestamp, _scope_landing_id string",
        )
        days = days_in("event_date", (day for _, day, _, _ in scopes))
        current = self.store.read(FACT_EVENTS)
        inside = current.where(days)
        elsewhere = current.where(f"not {days}").join(
            rows.select("event_key").distinct(), on="event_key", how="left_semi"
        )
        both = inside.unionByName(elsewhere.select(*inside.columns))
        return both.join(F.broadcast(scope), on=["media_id", "event_date"], how="left").withColumn(
            "_in_scope", F.col("_scope_landing_id").isNotNull()
        )

    def _shrunk(self, applied: Applied) -> dict[str, str]:
        """Media of which a day lost more than it should: why they are stopped, by media."""
        lost: Counter[Pair] = Counter()
        had: Counter[Pair] = Counter()
        for t in applied.tally:
            if t.media_id is None or t.was_day is None:
                continue
            had[(t.media_id, t.was_day)] += t.count
            if t.change == "removed":
                lost[(t.media_id, t.was_day)] += t.count
        return {
            media: f"{day} lost {gone} of {had[(media, day)]} sessions at the source"
            for (media, day), gone in lost.items()
            if gone > SHRINK_ROWS and gone > SHRINK_SHARE * had[(media, day)]
        }

    def quarantined(self) -> None:
        """Refused records: each landing's replace those of the landing before it."""
        current = self.store.read(QUARANTINE)
        if not self.refused:
            if self.store.refs()[QUARANTINE.full_name].snapshot_id is None:
                return
            rows = current.limit(0)
        else:
            rows = self.refused[0]
            for more in self.refused[1:]:
                rows = rows.unionByName(more)
        scope = self.spark.createDataFrame(
            [_interval(m) for m in self.plan.landings], "dataset string, media_id string, dt date"
        )
        standing = current.join(
            F.broadcast(scope), on=["dataset", "media_id", "dt"], how="left_semi"
        ).withColumn("_in_scope", F.lit(True))
        self.keep(apply(self.store, QUARANTINE, rows, standing))

    # gold

    def affected(self) -> set[Pair]:
        """Publishable pairs whose numbers may have moved, or that must be computed anyway."""
        facts = (FACT_EVENTS, FACT_MEDIA_BY_DATE, MEDIA_ANALYTICS_BY_DATE)
        moved = affected_pairs(self.outcomes[t.full_name] for t in facts if t.full_name in self.outcomes)
        return {p for p in (moved | self.plan.refresh) & self.plan.publishable if p[0] not in self.stopped}

    def gold(self, pairs: set[Pair]) -> tuple[tuple[Judgement, ...], dict[Pair, Certificate], set[Pair]]:
        """Stage, reconcile, and commit what may be published."""
        if not pairs:
            return (), {}, set()
        sessions, frame = self._sessions_of(pairs)
        judgements = self._reconcile(pairs, sessions, frame)
        stopped = blocked(judgements)
        good = pairs - stopped
        certificates = self._certificates(good, judgements)
        if good:
            if stopped:
                sessions, frame = self._sessions_of(good)
            self._commit_gold(good, sessions, certificates)
        return judgements, certificates, stopped

    def _pairs_frame(self, pairs: Iterable[Pair]) -> "DataFrame":
        return self.spark.createDataFrame(sorted(pairs), PAIRS)

    def _sessions_of(self, pairs: set[Pair]) -> tuple["DataFrame", "DataFrame"]:
        frame = self._pairs_frame(pairs)
        near = {d for _, day in pairs for d in _around(day)}
        events = self.store.read(FACT_EVENTS).where(days_in("event_date", near))
        return self.store.stage("gold_sessions", daily.sessions(events, frame)), frame

    def _reconcile(
        self, pairs: set[Pair], sessions: "DataFrame", frame: "DataFrame"
    ) -> tuple[Judgement, ...]:
        counted = sessions.groupBy("media_id", "date").agg(
            F.expr("count(distinct event_key)").alias("events"),
            F.count(F.lit(1)).alias("rows"),
            daily.count_if("event_date <> to_date(received_at)").alias("misplaced"),
        )
        plays = self._by_date_of(pairs).select("media_id", "date", "play_count")
        rows = (
            frame.join(counted, on=["media_id", "date"], how="left")
            .join(plays, on=["media_id", "date"], how="left")
            .collect()
        )
        figures = (
            DayFigures(
                r["media_id"],
                r["date"],
                r["play_count"],
                r["events"] or 0,
                r["rows"] or 0,
                r["misplaced"] or 0,
                r["rows"] or 0,
                settled=(r["media_id"], r["date"]) in self.plan.past_lookback,
            )
            for r in rows
        )
        return tuple(j for f in figures for j in judge(f, self.plan.band))

    def _by_date_of(self, pairs: set[Pair]) -> "DataFrame":
        return self.store.read(FACT_MEDIA_BY_DATE).where(days_in("date", (d for _, d in pairs)))

    def _certificates(self, pairs: set[Pair], judgements: Iterable[Judgement]) -> dict[Pair, Certificate]:
        found: dict[Pair, list[Judgement]] = {p: [] for p in pairs}
        for j in judgements:
            if (j.media_id, j.date) in found:
                found[(j.media_id, j.date)].append(j)
        return {
            pair: certify(
                past_lookback=pair in self.plan.past_lookback,
                confirmed=pair in self.plan.confirmed,
                judgements=of_pair,
            )
            for pair, of_pair in found.items()
        }

    def _commit_gold(
        self, pairs: set[Pair], sessions: "DataFrame", certificates: Mapping[Pair, Certificate]
    ) -> None:
        certified = self.spark.createDataFrame(
            [(m, d, str(c)) for (m, d), c in sorted(certificates.items())], f"{PAIRS}, certificate string"
        )
        analytics = self.store.read(MEDIA_ANALYTICS_BY_DATE).where(days_in("date", (d for _, d in pairs)))
        rows = fact_media_daily.build(certified, sessions, self._by_date_of(pairs), analytics, self.built_at)
        self._replace(FACT_MEDIA_DAILY, rows, pairs)
        engagement = self._replace(
            FACT_MEDIA_ENGAGEMENT, fact_media_engagement.build(sessions, self.built_at), pairs
        )
        dimensions: tuple[tuple[Table, Callable[..., DataFrame]], ...] = (
            (CHANNEL_DAILY, channel_daily.build),
            (GEO_DAILY, geo_daily.build),
            (DEVICE_DAILY, device_daily.build),
            (EMBED_DAILY, embed_daily.build),
        )
        for table, transform in dimensions:
            self._replace(table, transform(sessions, self.built_at), pairs)
        self._visitors_gold(engagement)

    def _replace(self, table: Table, rows: "DataFrame", pairs: set[Pair]) -> Applied:
        """Make the table's rows of `pairs` exactly `rows`."""
        current = (
            self.store.read(table)
            .where(days_in("date", (d for _, d in pairs)))
            .join(F.broadcast(self._pairs_frame(pairs)), on=["media_id", "date"], how="left_semi")
            .withColumn("_in_scope", F.lit(True))
        )
        return self.keep(apply(self.store, table, rows, current))

    def _visitors_gold(self, engagement: Applied) -> None:
        """`dim_visitor` of everybody whose engagement moved, and of those whose account figures did."""
        moved = engagement.changes.where("_change <> 'unchanged'").select("visitor_id")
        if VISITORS.full_name in self.outcomes:
            account = self.outcomes[VISITORS.full_name].changes.where("_change <> 'unchanged'")
            moved = moved.unionByName(account.select("visitor_id"))
        elif not engagement.moved:
            return
        affected = self.store.stage("affected_visitors", moved.distinct())
        all_days = self.store.stage(
            "engagement_of_visitors",
            self.store.read(FACT_MEDIA_ENGAGEMENT).join(affected, on="visitor_id", how="left_semi"),
        )
        last_days = [
            r[0]
            for r in all_days.groupBy("visitor_id")
            .agg(F.max("last_received_at").alias("at"))
            .select(F.to_date("at").alias("day"))
            .distinct()
            .collect()
        ]
        latest = self.store.read(FACT_EVENTS).where(days_in("event_date", last_days))
        rows = dim_visitor.build(
            all_days, latest.where("removed_at is null"), self.store.read(VISITORS), self.built_at
        )
        current = (
            self.store.read(DIM_VISITOR)
            .join(affected, on="visitor_id", how="left_semi")
            .withColumn("_in_scope", F.lit(True))
        )
        self.keep(apply(self.store, DIM_VISITOR, rows, current))

    def retention(self) -> None:
        """`media_retention_daily` of the media whose snapshots moved."""
        outcome = self.outcomes.get(MEDIA_LIFETIME.full_name)
        if outcome is None or not outcome.moved:
            return
        media = sorted({t.media_id for t in outcome.moved if t.media_id})
        of_media = F.col("media_id").isin(media)
        rows = media_retention_daily.build(self.store.read(MEDIA_LIFETIME).where(of_media), self.built_at)
        current = self.store.read(MEDIA_RETENTION_DAILY).where(of_media).withColumn("_in_scope", F.lit(True))
        self.keep(apply(self.store, MEDIA_RETENTION_DAILY, rows, current))

    def record(self, judgements: Iterable[Judgement]) -> None:
        """`ops.reconciliation`: every verdict, as last judged."""
        rows = [
            (j.identity, j.media_id, j.date, str(j.verdict), j.blocking, j.ours, j.theirs, j.lower, j.upper)
            for j in judgements
        ]
        if not rows:
            return
        schema = (
            "identity string, media_id string, date date, verdict string, blocking boolean,"
            " ours double, theirs double, lower double, upper double"
        )
        frame = self.spark.createDataFrame(rows, schema).withColumns(
            {"run_id": F.lit(self.plan.run_id), "built_at": self.built_at}
        )
        frame = frame.select(*RECONCILIATION.column_names)
        self.keep(apply(self.store, RECONCILIATION, frame, self.by_key(RECONCILIATION, frame)))


def build(plan: BuildPlan, objects: ObjectStore, store: TableStore) -> BuildResult:
    """Build the plan's landings. Everything is idempotent: a second call changes nothing."""
    store.ensure(TABLES)
    work = Build(plan, objects, store)
    typed = work.events()
    work.media(_pages(typed))
    work.lifetime()
    work.by_date()
    work.analytics()
    work.visitors()
    work.sessions(typed)
    work.quarantined()
    judgements, certificates, stopped_days = work.gold(work.affected())
    work.retention()
    work.record(judgements)
    return BuildResult(
        counts={name: applied.counts() for name, applied in work.outcomes.items()},
        by_interval=work.by_interval,
        judgements=judgements,
        stopped={
            _interval(m): work.stopped[m.media_id]
            for m in plan.landings
            if m.dataset == "events" and m.media_id in work.stopped
        },
        published=certificates,
        blocked=frozenset(stopped_days),
        tables=store.refs(),
    )


def _interval(manifest: Manifest) -> tuple[str, str, date]:
    return (manifest.dataset, manifest.media_id, manifest.day)


def _around(day: date) -> tuple[date, ...]:
    """The UTC days that a local day of any zone may touch."""
    return tuple(date.fromordinal(day.toordinal() + n) for n in (-1, 0, 1))


def _pages(typed: "DataFrame | None") -> "DataFrame | None":
    """The newest page that events name for each media."""
    if typed is None:
        return None
    return (
        typed.where("media_url <> ''")
        .groupBy("media_id")
        .agg(F.expr("max_by(media_url, received_at)").alias("url"))
    )
