"""What was watched between two lifetime snapshots, second by second."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from wistlake.contracts.media_retention_daily import TABLE
from wistlake.transforms.conform import conform

_VERDICT = """case
    when not (original_asset <=> _before_original_asset) then 'media_swapped'
    when not (duration_seconds <=> _before_duration_seconds)
        or size(engagement_data) <> size(_before_engagement_data) then 'duration_changed'
    when exists(sequence(1, size(engagement_data)),
        i -> element_at(engagement_data, i) < element_at(_before_engagement_data, i)) then 'restated'
    else 'comparable' end"""


def _difference(name: str) -> str:
    """Item by item; NULL unless comparable. (One engine lacks zip_with.)"""
    return (
        f"case when verdict = 'comparable' and size({name}) = size(_before_{name}) and size({name}) > 0 then"
        f" transform(sequence(1, size({name})), i -> element_at({name}, i) - element_at(_before_{name}, i)) end"
    )


def build(lifetime: DataFrame, built_at: Column) -> DataFrame:
    """`media_lifetime` of whole media to one row a snapshot that has one before it.

    A swapped file or another duration makes seconds incomparable, and Wistia restates curves: `verdict` names the
    case, and no difference is made up.
    """
    curves = lifetime.where("engagement_data is not null and size(engagement_data) > 0")
    order = Window.partitionBy("media_id").orderBy("snapshot_date")
    before = ("snapshot_date", "engagement_data", "rewatch_data", "duration_seconds", "original_asset")
    pairs = curves.withColumns({f"_before_{c}": F.lag(c).over(order) for c in before}).where(
        "_before_snapshot_date is not null"
    )
    judged = pairs.withColumn("verdict", F.expr(_VERDICT))
    return conform(
        judged.withColumns(
            {
                "date": F.col("snapshot_date"),
                "previous_date": F.col("_before_snapshot_date"),
                "views": F.expr(_difference("engagement_data")),
                "rewatches": F.expr(_difference("rewatch_data")),
                "built_at": built_at,
            }
        ),
        TABLE,
    )
