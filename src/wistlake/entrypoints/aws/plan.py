"""Lambda `plan`: takes the lease, decides what the run asks for, and writes it down."""

from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """See the package's docstring for what goes in and comes out."""
    raise NotImplementedError
