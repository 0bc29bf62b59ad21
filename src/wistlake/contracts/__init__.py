"""What each dataset promises, as data. Two tuples, read top to bottom: SOURCES, then TABLES in build order."""

from wistlake.contracts import (
    analytics_daily,
    breakdowns,
    conversion_daily,
    conversions,
    conversions_by_date,
    dim_media,
    dim_media_history,
    dim_media_label,
    dim_visitor,
    dimension_daily,
    events,
    fact_events,
    fact_media_by_date,
    fact_media_daily,
    fact_media_engagement,
    media_analytics_by_date,
    media_by_date,
    media_by_date_observations,
    media_engagement,
    media_lifetime,
    media_metadata,
    media_retention_daily,
    media_stats,
    quality_results,
    quarantine,
    reconciliation,
    traffic_by_date,
    traffic_daily,
    visitor_activity,
    visitors,
)
from wistlake.contracts.form import Source, Table

SOURCES: tuple[Source, ...] = (
    media_metadata.SOURCE,
    media_stats.SOURCE,
    media_engagement.SOURCE,
    media_by_date.SOURCE,
    events.SOURCE,
    analytics_daily.SOURCE,
    *breakdowns.SOURCES,
    conversions.SOURCE,
    visitors.SOURCE,
)

TABLES: tuple[Table, ...] = (
    dim_media.TABLE,
    dim_media_history.TABLE,
    media_lifetime.TABLE,
    fact_media_by_date.TABLE,
    media_by_date_observations.TABLE,
    fact_events.TABLE,
    media_analytics_by_date.TABLE,
    traffic_by_date.TABLE,
    conversions_by_date.TABLE,
    visitor_activity.TABLE,
    quarantine.TABLE,
    fact_media_daily.TABLE,
    fact_media_engagement.TABLE,
    dim_visitor.TABLE,
    dim_media_label.TABLE,
    *dimension_daily.TABLES,
    media_retention_daily.TABLE,
    conversion_daily.TABLE,
    traffic_daily.TABLE,
    quality_results.TABLE,
    reconciliation.TABLE,
)


def source(name: str) -> Source:
    """The source contract called `name`; KeyError if there is none."""
    return {s.name: s for s in SOURCES}[name]


def table(full_name: str) -> Table:
    """The table contract called `layer.name`; KeyError if there is none."""
    return {t.full_name: t for t in TABLES}[full_name]
