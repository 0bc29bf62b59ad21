"""`mcp`: the published numbers for assistants."""

from importlib.util import find_spec

from wistlake.entrypoints.cli import session
from wistlake.errors import ConfigError


def mcp() -> None:
    """Answer an assistant's questions on standard input and output. It only reads.

    Assistants start this command themselves: docs/assistants.md.

    Example: wistlake mcp
    """
    if find_spec("mcp") is None:
        raise ConfigError(
            "assistants need the package mcp: pip install 'wistlake[mcp]'; from a checkout, "
            "pip install --require-hashes -r requirements/mcp.txt"
        )
    from wistlake.entrypoints.cli.mcp_server import server

    server(session.lake()).run()
