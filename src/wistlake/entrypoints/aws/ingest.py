"""Lambda `ingest`: lands one media, as far as the time goes."""

from typing import Any


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """See the package's docstring for what goes in and comes out."""
    raise NotImplementedError
