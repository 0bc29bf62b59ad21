"""The account's visitors by pseudonym."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.visitor_activity import TABLE
from wistlake.contracts.visitors import SOURCE
from wistlake.derive import pseudonym
from wistlake.transforms.conform import conform
from wistlake.transforms.first import first
from wistlake.transforms.landing import below_zero

RULES = {"negative_count": below_zero(SOURCE, "load_count", "play_count")}


def derived(epochs: int) -> dict[str, str]:
    """What stays of the personal fields: SQL over a parsed line."""
    return {"visitor_id": pseudonym.sql("line.record.visitor_key", epochs)}


def build(typed: DataFrame, built_at: Column) -> DataFrame:
    """Typed rows to one a visitor: the latest activity wins, for lists drift while they are read."""
    order = (
        F.col("observed_at").desc(),
        F.col("last_active_at").desc(),
        F.col("play_count").desc(),
        F.col("line"),
    )
    named = typed.withColumns(
        {
            "browser": F.col("user_agent_details_browser"),
            "platform": F.col("user_agent_details_platform"),
            "is_mobile": F.col("user_agent_details_mobile"),
            "built_at": built_at,
        }
    )
    return conform(first(named, ["visitor_id"], *order), TABLE)
