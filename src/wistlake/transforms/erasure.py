"""Erasing a person from tables: frames of changes, in which their rows are removed and others follow their landing.

`landings` (landing_id, _new) name the landings that were replaced, and by which.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.form import Table
from wistlake.transforms import dim_media, quarantine, scope
from wistlake.transforms.changes import NEW, REMOVED, UPDATED, marked

__all__ = ["REMOVED", "counts", "masked", "of_landings", "of_lines", "of_visitors"]
_MASKS = {"dim_media": dim_media.named, "dim_media_history": dim_media.named, "quarantine": quarantine.named}


def of_visitors(table: Table, rows: DataFrame, ids: DataFrame, landings: DataFrame | None) -> DataFrame:
    """The rows of some visitors, removed; the others that need a new landing, updated."""
    gone = marked(table, scope.of_visitors(rows, ids), REMOVED)
    if landings is None:
        return gone
    others = rows.join(ids, on="visitor_id", how="left_anti")
    return gone.unionByName(marked(table, _on_new_landings(others, landings), UPDATED))


def masked(table: Table, rows: DataFrame, landings: DataFrame | None) -> DataFrame:
    """Rows with addresses in texts that people wrote, masked (older versions stored them as served), and rows that
    need a new landing; as updates."""
    mask = _MASKS.get(table.name, lambda rows: rows)
    content = F.to_json(F.struct(*(c for c in table.column_names if c not in ("landing_id", "built_at"))))
    rows = mask(rows.withColumn("_before", content)).withColumn("_after", content)
    changed = F.col("_before") != F.col("_after")
    if landings is None:
        return marked(table, rows.where(changed), UPDATED)
    rows = rows.join(F.broadcast(landings), on="landing_id", how="left")
    rows = rows.where(changed | F.col("_new").isNotNull())
    return marked(table, rows.withColumn("landing_id", F.coalesce("_new", "landing_id")), UPDATED)


def of_lines(rows: DataFrame, lines: DataFrame) -> DataFrame:
    """The rows that came from some `lines` (landing_id, line)."""
    return rows.join(F.broadcast(lines), on=["landing_id", "line"], how="left_semi")


def of_landings(table: Table, rows: DataFrame, lines: DataFrame, landings: DataFrame) -> DataFrame:
    """Rows whose key is their landing and line: those of the `landings`, removed, and new under the new landing unless
    they came from one of the `lines`."""
    old = rows.join(F.broadcast(landings.select("landing_id")), on="landing_id", how="left_semi")
    rest = old.join(F.broadcast(lines), on=["landing_id", "line"], how="left_anti")
    return marked(table, old, REMOVED).unionByName(marked(table, _on_new_landings(rest, landings), NEW))


def counts(table: Table, staged: DataFrame) -> DataFrame:
    """Staged changes counted by kind and day (`_day`, NULL where the table has none)."""
    day = F.col(table.day_column) if table.day_column else F.lit(None).cast("date")
    return staged.groupBy(F.col("_change"), day.alias("_day")).count()


def _on_new_landings(rows: DataFrame, landings: DataFrame) -> DataFrame:
    placed = rows.join(F.broadcast(landings), on="landing_id", how="inner")
    return placed.withColumn("landing_id", F.col("_new"))
