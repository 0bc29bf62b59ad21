"""`python -m wistlake.entrypoints.aws.athena_resources > infra/athena.json`: views and named queries."""

import json
import sys

from wistlake.derive import athena
from wistlake.quality.queries import QUERIES
from wistlake.quality.views import VIEWS


def main() -> None:
    """Print the template."""
    listed = [(v.name, v.select, v.columns) for v in VIEWS]
    sys.stdout.write(json.dumps(athena.template(listed, QUERIES), indent=1) + "\n")


if __name__ == "__main__":
    main()
