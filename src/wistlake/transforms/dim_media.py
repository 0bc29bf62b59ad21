"""The media as they are: one row each, from the newest description; deleted ones stay, marked."""

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.dim_media import TABLE
from wistlake.contracts.media_metadata import SOURCE
from wistlake.derive import mask
from wistlake.derive.spark import columns_ddl
from wistlake.transforms.channels import UNCLASSIFIED, Rule, media_channel
from wistlake.transforms.conform import conform
from wistlake.transforms.first import first
from wistlake.transforms.landing import below_zero

RULES: dict[str, str] = {"bad_duration": below_zero(SOURCE, "duration")}

# The original file's name changes with every upload: its fingerprint shows that a media was swapped.
_ORIGINAL = (
    "sha2(get(filter(from_json(assets, 'array<struct<type: string, url: string>>'),"
    " x -> x.type = 'OriginalFile'), 0).url, 256)"
)


_DIFFERS = " or ".join(f"not {c} <=> _was_{c}" for c in TABLE.compared if c != "updated_at")
# Wistia's own time covers most changes, but not a media that is gone or has another channel or page.
_UPDATED_AT = f"""case
    when _known is null or updated_at > _was_updated_at then updated_at
    when {_DIFFERS} then greatest(_was_updated_at, built_at)
    else coalesce(_was_updated_at, updated_at) end"""
_DESCRIBED = tuple(c for c in TABLE.column_names if c not in ("url", "channel", "is_deleted", "built_at"))
#: The columns of `described`, as DDL: known without asking the engine.
DESCRIBED = columns_ddl(TABLE.column(name) for name in _DESCRIBED)


def named(frame: DataFrame) -> DataFrame:
    """The frame with e-mail addresses masked in every text that people write about a media."""
    # As text and back: Sail resolves no lambda over a table's own column.
    tags = f"sort_array(from_json({mask.name('to_json(struct(tags))')}, 'tags array<string>').tags)"
    texts = {c: F.expr(mask.name(c)) for c in ("title", "folder", "subfolder")}
    return frame.withColumns(texts | {"tags": F.expr(tags)})


def described(typed: DataFrame) -> DataFrame:
    """Typed metadata rows to the attributes of a media as observed, one row a media and landing."""
    observed = typed.select(
        F.col("hashed_id").alias("media_id"),
        F.col("id").alias("numeric_id"),
        F.expr("nullif(name, '')").alias("title"),
        "type",
        "status",
        "archived",
        F.col("duration").alias("duration_seconds"),
        F.expr("coalesce(folder_name, project_name)").alias("folder"),
        F.expr("coalesce(subfolder_name, section)").alias("subfolder"),
        F.expr("coalesce(tags, cast(array() as array<string>))").alias("tags"),
        F.expr("coalesce(folder_hashed_id, project_hashed_id)").alias("folder_id"),
        F.col("thumbnail_url"),
        F.expr(f"try_cast({_ORIGINAL} as string)").alias("original_asset"),
        F.col("created").alias("created_at"),
        F.col("updated").alias("updated_at"),
        "observed_at",
        "landing_id",
    )
    return named(observed).select(*_DESCRIBED)


def observed(described: DataFrame | None, current: DataFrame) -> DataFrame:
    """The media as this build has them `described` (None: it has not), and the others as today's `dim_media` has
    them."""
    others = current.where("not is_deleted").select(*_DESCRIBED)
    if described is None:
        return others
    return described.unionByName(others.join(described, on="media_id", how="left_anti").select(*_DESCRIBED))


def deleted(current: DataFrame) -> DataFrame:
    """The media that are gone, as the landing says it that found them so."""
    return current.where("is_deleted").select("media_id", "observed_at", "landing_id")


def with_new_page(urls: DataFrame, current: DataFrame) -> DataFrame:
    """Pages (media_id, url) that `dim_media` does not have: on most days there are none."""
    pages = current.select("media_id", F.col("url").alias("_url"))
    return urls.join(pages, on="media_id", how="left").where("not url <=> _url")


def build(
    observed: DataFrame,
    missing: DataFrame,
    current: DataFrame,
    urls: DataFrame,
    rules: Iterable[Rule],
    built_at: Column,
) -> DataFrame:
    """`described` media, landings that were answered 404 (media_id, observed_at, landing_id), today's
    `dim_media`, and the newest page seen in events (media_id, url) to `dim_media` rows."""
    current = named(current)  # rows of older versions, too
    before = current.select(
        "media_id", F.lit(True).alias("_known"), *(F.col(c).alias(f"_was_{c}") for c in TABLE.compared)
    )
    seen = urls.select("media_id", F.col("url").alias("_new_url"))
    alive = observed.withColumn("is_deleted", F.lit(False))
    gone = (
        missing.select(
            "media_id", F.col("observed_at").alias("_gone_at"), F.col("landing_id").alias("_gone_landing")
        )
        .join(current, on="media_id", how="inner")  # a media that was never described has no row to mark
        .withColumns(
            {
                "observed_at": F.col("_gone_at"),
                "landing_id": F.col("_gone_landing"),
                "is_deleted": F.lit(True),
            }
        )
    )
    both = alive.select(*_DESCRIBED, "is_deleted").unionByName(gone.select(*_DESCRIBED, "is_deleted"))
    newest = first(both, ["media_id"], F.col("observed_at").desc(), F.col("landing_id").desc())
    described_now = newest.join(before, on="media_id", how="left").join(seen, on="media_id", how="left")
    return conform(
        described_now.withColumns(
            {
                "url": F.expr("coalesce(_new_url, _was_url)"),
                "channel": F.expr(f"coalesce({media_channel(rules)}, '{UNCLASSIFIED}')"),
                "built_at": built_at,
            }
        ).withColumn("updated_at", F.expr(_UPDATED_AT)),
        TABLE,
    )
