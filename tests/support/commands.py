"""Commands of the product, in this process."""

import pytest

from wistlake.entrypoints.cli.main import main


def call(*arguments: str) -> int:
    """The exit code of one command."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return int(end.value.code or 0)
