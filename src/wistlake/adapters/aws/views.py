"""Athena's views: entries of the Glue catalog, each over the tables as they were published."""

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError

from wistlake.adapters.aws.client import client, code_of, explained
from wistlake.derive.athena import Columns, published_view
from wistlake.ports import Publication

_NOT_THERE = "EntityNotFoundException"


def show(
    publication: Publication, database: str, views: Iterable[tuple[str, str, Columns]], glue: Any = None
) -> None:
    """Let every view (name, SELECT, columns) of `database` show what is published, and nothing that a run has written
    since. They are the stack's, which makes a new one after it has brought the code that knows it: one that is not
    there yet waits for the next publication. StoreError if none is there."""
    snapshots = {name: ref.snapshot_id for name, ref in publication.tables.items()}
    glue = glue or client("glue")
    is_any_there, missing = False, None
    for name, select, columns in views:
        entry = published_view(name, select, columns, database, snapshots)
        with explained(f"the view {entry['Name']} of {database}"):
            try:
                glue.update_table(DatabaseName=database, TableInput=entry, SkipArchive=True)
            except ClientError as e:
                if code_of(e) != _NOT_THERE:
                    raise
                missing = e
            else:
                is_any_there = True
    if missing and not is_any_there:
        with explained(f"the views of {database}"):
            raise missing
