"""The views that Athena's readers have, renewed by each publication. Imports nothing but boto3: Glue runs it too."""

from collections.abc import Callable

from wistlake.adapters.aws import views as aws_views
from wistlake.ports import Publication
from wistlake.quality.metrics import view_columns, views


def shown_in(database: str) -> Callable[[Publication], None]:
    """Lets the views of the Glue database show a publication; nothing if no database is named."""
    listed = [(name, select, view_columns(name)) for name, select in views()]

    def show(publication: Publication) -> None:
        if database:
            aws_views.show(publication, database, listed)

    return show
