"""Athena's views: entries of the Glue catalog, each over the tables as they were published."""

from collections.abc import Iterable
from typing import Any

from wistlake.adapters.aws.client import client, explained
from wistlake.derive.athena import Columns, published_view
from wistlake.ports import Publication


def show(
    publication: Publication, database: str, views: Iterable[tuple[str, str, Columns]], glue: Any = None
) -> None:
    """Let every view (name, SELECT, columns) of `database` show what is published, and nothing that a run has written
    since. They are the stack's: StoreError if one is not there."""
    snapshots = {name: ref.snapshot_id for name, ref in publication.tables.items()}
    glue = glue or client("glue")
    for name, select, columns in views:
        entry = published_view(name, select, columns, database, snapshots)
        with explained(f"the view {entry['Name']} of {database}"):
            glue.update_table(DatabaseName=database, TableInput=entry, SkipArchive=True)
