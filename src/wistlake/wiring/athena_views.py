"""The views that Athena's readers have, renewed by each publication. Imports nothing but boto3: Glue runs it too."""

from collections.abc import Callable

from wistlake.adapters.aws import views as aws_views
from wistlake.ports import Publication
from wistlake.quality.views import VIEWS


def shown_in(database: str) -> Callable[[Publication], None]:
    """Lets the views of the Glue database show a publication; nothing if no database is named."""
    listed = [(v.name, v.select, v.columns) for v in VIEWS]

    def show(publication: Publication) -> None:
        if database:
            aws_views.show(publication, database, listed)

    return show
