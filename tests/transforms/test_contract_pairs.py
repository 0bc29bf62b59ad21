"""What a source's contract lets in, no table's contract refuses: else one odd value blocks its day for ever.

Each field of each source takes odd values, one record each. Whatever is not refused by name goes through
the transforms, to every table that is made of that source, and must keep that table's contract.
"""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from support.odd import DERIVED, GOOD, ODD, RULES, odd_records
from support.some import some
from wistlake.bronze import encode_lines
from wistlake.contracts import SOURCES, TABLES, breakdowns, source, table
from wistlake.contracts.dimension_daily import CHANNEL_DAILY, DEVICE_DAILY, EMBED_DAILY, GEO_DAILY
from wistlake.contracts.form import Table
from wistlake.derive import checks
from wistlake.derive.spark import columns_ddl
from wistlake.transforms import (
    conversion_daily,
    conversions_by_date,
    daily,
    dim_media,
    dim_media_history,
    dim_visitor,
    dimension_daily,
    fact_events,
    fact_media_by_date,
    fact_media_daily,
    fact_media_engagement,
    landing,
    media_analytics_by_date,
    media_by_date_observations,
    media_lifetime,
    media_retention_daily,
    traffic_by_date,
    traffic_daily,
    visitor_activity,
)
from wistlake.transforms.channels import DEFAULT_RULES
from wistlake.transforms.conform import union

DAY = date(2026, 3, 2)
SEEN = datetime(2026, 3, 3, 2, 15, tzinfo=UTC)
ZONE = "America/New_York"


def typed(spark: SparkSession, name: str, records: list[dict[str, Any]]) -> DataFrame:
    """Each record as the only line of a landing of its own media."""
    lines = [
        (gzip.decompress(encode_lines(f"L{n}", [record])).decode().rstrip("\n"),)
        for n, record in enumerate(records)
    ]
    landings = [(f"L{n}", f"m{n}", DAY, SEEN, name) for n in range(len(records))]
    return landing.parse(
        spark.createDataFrame(lines, "value string"),
        source(name),
        landing.landing_frame(spark, landings),
        landing.pads_frame(spark, [b"k" * 32]),
        DERIVED.get(name, {}),
        RULES[name],
    )


@dataclass(frozen=True)
class Taken:
    """Typed rows that were not refused, by source; and what the transforms need beside them."""

    spark: SparkSession
    built_at: Any
    rows: Mapping[str, DataFrame]

    def none_of(self, name: str) -> DataFrame:
        """An empty table."""
        return self.spark.createDataFrame([], columns_ddl(table(name).columns))

    def described(self) -> DataFrame:
        return dim_media.described(self.rows["media_metadata"])

    def history(self) -> DataFrame:
        return dim_media_history.build(
            self.described(), self.none_of("silver.dim_media_history"), self.built_at
        )

    def media(self) -> DataFrame:
        nowhere = self.spark.createDataFrame([], "media_id string, observed_at timestamp, landing_id string")
        urls = self.spark.createDataFrame([], "media_id string, url string")
        return dim_media.build(
            self.described(), nowhere, self.none_of("silver.dim_media"), urls, DEFAULT_RULES, self.built_at
        )

    def events(self) -> DataFrame:
        rows = self.rows["events"]
        twice = fact_events.repeated_keys(rows)
        return fact_events.build(rows, twice, self.history(), ZONE, DEFAULT_RULES, self.built_at)

    def by_date(self) -> DataFrame:
        return fact_media_by_date.build(self.rows["media_by_date"], self.built_at)

    def observations(self) -> DataFrame:
        return media_by_date_observations.build(
            self.by_date(), self.none_of("silver.media_by_date_observations")
        )

    def analytics(self) -> DataFrame:
        return media_analytics_by_date.build(self.rows["analytics_daily"], self.built_at)

    def visitors(self) -> DataFrame:
        return visitor_activity.build(self.rows["visitors"], self.built_at)

    def lifetime(self) -> DataFrame:
        return media_lifetime.build(
            self.rows["media_stats"],
            self.rows["media_engagement"],
            self.history(),
            self.none_of("silver.media_lifetime"),
            self.built_at,
        )

    def retention(self) -> DataFrame:
        """With each snapshot taken again a day later."""
        first = self.lifetime()
        again = first.withColumn("snapshot_date", F.date_add("snapshot_date", 1))
        return media_retention_daily.build(first.unionByName(again), self.built_at)

    def conversions(self) -> DataFrame:
        """With each snapshot taken again a day later, when every action had been taken once more."""
        first = self.lifetime()
        more = F.expr("transform(action_counts, n -> n + 1)")
        again = first.withColumns({"snapshot_date": F.date_add("snapshot_date", 1), "action_counts": more})
        between = conversion_daily.between_snapshots(first.unionByName(again), self.built_at)
        return conversion_daily.build(self.analytics(), self.forms(), self.built_at).unionByName(between)

    def forms(self) -> DataFrame:
        return conversions_by_date.build(self.rows["conversions"], self.built_at)

    def traffic(self) -> DataFrame:
        return union(traffic_by_date.build(self.rows[s.name], s, self.built_at) for s in breakdowns.SOURCES)

    def pairs(self) -> DataFrame:
        """Every media on both days that its records may be on."""
        days = [(f"m{n}", DAY - timedelta(days=back)) for n in range(2_000) for back in (0, 1)]
        return self.spark.createDataFrame(days, "media_id string, date date").withColumn(
            "certificate", F.lit("provisional")
        )

    def sessions(self) -> DataFrame:
        return daily.sessions(self.events(), self.pairs().select("media_id", "date"))

    def days(self) -> DataFrame:
        return fact_media_daily.build(
            self.pairs(), self.sessions(), self.by_date(), self.analytics(), self.built_at
        )

    def engagement(self) -> DataFrame:
        return fact_media_engagement.build(self.sessions(), self.built_at)

    def people(self) -> DataFrame:
        described = dim_visitor.described(dim_visitor.totals(self.engagement()), self.events())
        return dim_visitor.build(described, self.visitors(), self.built_at)

    def by(self, contract: Table) -> DataFrame:
        return dimension_daily.build(self.sessions(), contract, self.built_at)


BUILT: Mapping[str, Callable[[Taken], DataFrame]] = {
    "silver.dim_media": Taken.media,
    "silver.dim_media_history": Taken.history,
    "silver.media_lifetime": Taken.lifetime,
    "silver.fact_media_by_date": Taken.by_date,
    "silver.media_by_date_observations": Taken.observations,
    "silver.fact_events": Taken.events,
    "silver.media_analytics_by_date": Taken.analytics,
    "silver.visitors": Taken.visitors,
    "gold.fact_media_daily": Taken.days,
    "gold.fact_media_engagement": Taken.engagement,
    "gold.dim_visitor": Taken.people,
    "gold.channel_daily": lambda taken: taken.by(CHANNEL_DAILY),
    "gold.geo_daily": lambda taken: taken.by(GEO_DAILY),
    "gold.device_daily": lambda taken: taken.by(DEVICE_DAILY),
    "gold.embed_daily": lambda taken: taken.by(EMBED_DAILY),
    "gold.media_retention_daily": Taken.retention,
    "gold.conversion_daily": Taken.conversions,
    "silver.traffic_by_date": Taken.traffic,
    "silver.conversions_by_date": Taken.forms,
    "gold.traffic_daily": lambda taken: traffic_daily.build(taken.traffic(), taken.built_at),
}


@pytest.fixture(scope="module")
def refused(store: Any) -> dict[str, dict[str, str | None]]:
    """By source: what was odd, and why it was refused (None: it was taken)."""
    return {}


@pytest.fixture(scope="module")
def taken(store: Any, refused: dict[str, dict[str, str | None]]) -> Taken:
    """What the sources' contracts let in."""
    rows = {}
    for contract in SOURCES:
        odd = odd_records(contract)
        staged = store.stage(f"pairs_{contract.name}", typed(store.spark, contract.name, [r for _, r in odd]))
        why = {r["landing_id"]: r["reason"] for r in staged.select("landing_id", "reason").collect()}
        refused[contract.name] = {said: why[f"L{n}"] for n, (said, _) in enumerate(odd)}
        rows[contract.name] = staged.where("reason is null")
    return Taken(store.spark, F.lit(SEEN), rows)


def test_every_pair_of_contracts_is_looked_at() -> None:
    made_of_sources = {t.full_name for t in TABLES if t.layer in ("silver", "gold") and t.sources}
    assert set(BUILT) == made_of_sources
    assert set(GOOD) == {s.name for s in SOURCES} == {name for t in TABLES for name in t.sources}


@pytest.mark.parametrize("name", [s.name for s in SOURCES])
def test_odd_values_are_taken_or_refused_by_name(
    taken: Taken, refused: dict[str, dict[str, str | None]], name: str
) -> None:
    why = refused[name]
    assert why["as it should be"] is None
    assert len({w for w in why.values() if w}) > 1
    assert sum(w is None for w in why.values()) > 20
    for field in some(source(name).fields):
        fate = {why[f"{field.path} = {v!r}"] for v in ODD}
        if field.cosmetic or (field.privacy == "personal" and not field.required):
            assert fate == {None}, field.path
        must = field.required and not field.nullable
        assert must == (f"missing_{field.column}" in fate), field.path


@pytest.mark.parametrize("name", sorted(BUILT))
def test_what_a_source_lets_in_no_table_refuses(taken: Taken, store: Any, name: str) -> None:
    contract = table(name)
    rows = store.stage(f"pairs_{contract.layer}_{contract.name}", BUILT[name](taken))
    conditions = {
        f"{check}: {what}": condition
        for check in checks.violations(contract)
        for what, condition in checks.by_column(contract)[check].items()
    }
    counted = rows.agg(
        F.count(F.lit(1)).alias("n"),
        *(
            F.expr(f"sum(case when {condition} then 1 else 0 end)").alias(f"c{n}")
            for n, condition in enumerate(conditions.values())
        ),
    ).collect()[0]
    assert counted["n"] > 20
    broken = {said: counted[f"c{n}"] for n, said in enumerate(conditions) if counted[f"c{n}"]}
    assert broken == {}
