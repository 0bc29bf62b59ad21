"""A new pseudonym key: every stored pseudonym is wrapped by it."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from wistlake.contracts.form import Table
from wistlake.derive import pseudonym
from wistlake.transforms.changes import NEW, REMOVED, UPDATED, marked


def build(table: Table, rows: DataFrame, pads: DataFrame, built_at: Column) -> DataFrame:
    """All rows of a table, as changes, under the key whose `pads` these are (`landing.pads_frame`). Where a pseudonym
    is part of the table's key, the old row is removed and a new one written."""
    names = pseudonym.pseudonyms(table)
    wrapped = rows.crossJoin(F.broadcast(pads)).withColumns(
        {c: F.expr(pseudonym.sql(c, 1)) for c in names} | {"built_at": built_at}
    )
    if not set(names) & set(table.key):
        return marked(table, wrapped, UPDATED)
    return marked(table, rows, REMOVED).unionByName(marked(table, wrapped, NEW))
