"""`python -m wistlake.entrypoints.aws.athena_resources > infra/athena.json`: views and named queries."""

import json
import sys

from wistlake.derive import athena
from wistlake.quality.metrics import view_columns, views
from wistlake.quality.queries import QUERIES


def main() -> None:
    """Print the template."""
    listed = [(name, select, view_columns(name)) for name, select in views()]
    sys.stdout.write(json.dumps(athena.template(listed, QUERIES), indent=1) + "\n")


if __name__ == "__main__":
    main()
