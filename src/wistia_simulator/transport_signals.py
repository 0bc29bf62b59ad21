"""The signals between the app and the in-process transport."""

IN_PROCESS = "wistia_simulator.in_process"
"""Key in the ASGI scope: true if exceptions below reach the client's transport."""
READ_TIMEOUT = "wistia_simulator.read_timeout"
"""Key in the ASGI scope: the client's read timeout in seconds, None without one."""


class InjectedReset(Exception):
    """The connection is reset."""


class InjectedTruncation(Exception):
    """The body ends too early."""


class InjectedTimeout(Exception):
    """The client's read timeout expires."""
