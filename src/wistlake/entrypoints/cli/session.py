"""What every command begins with: settings, the lake, the clock, logs, a run id."""

import getpass
import logging
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from wistlake.entrypoints.cli import output
from wistlake.errors import ConfigError
from wistlake.foreign import one_line

if TYPE_CHECKING:
    from structlog.typing import EventDict

    from wistlake.ports import Ledger
    from wistlake.settings import Settings
    from wistlake.wiring.lake import Lake
    from wistlake.wiring.runtime import Runtime


LOG_FORM = "WISTLAKE_LOG"
_LONGEST_USER = 40


class Job(NamedTuple):
    """A lake, and the identity of what a command is about to do to it."""

    lake: "Lake"
    run_id: str
    now: datetime


def lake(now: datetime | None = None, zone: str | None = None) -> "Lake":
    """The lake of this process's settings, at `now` and in another zone if given."""
    from wistlake.wiring.lake import open_lake

    return open_lake(settings(zone), runtime(now))


def job(now: datetime | None, zone: str | None = None) -> Job:
    """The lake, and a new run id at `now` or the present."""
    at = clock(now)()
    return Job(lake(now, zone), new_run_id(at), at)


def settings(zone: str | None = None) -> "Settings":
    """The settings of this process, in another zone if given; their warnings are printed. ConfigError lists every
    problem."""
    from wistlake.settings import Settings

    loaded = Settings(account_timezone=zone) if zone else Settings()
    for warning in loaded.warnings:
        output.warn(warning)
    return loaded


def checked(token: str, values: Mapping[str, str]) -> "Settings":
    """Settings as they would be after writing `values` here; ConfigError lists every problem."""
    from wistlake.settings import WithoutFiles, unsafe

    problems = [problem] if (problem := unsafe(Path())) else []
    try:
        settings = WithoutFiles.model_validate({"WISTIA_API_TOKEN": token, **values})
    except ConfigError as e:
        problems += e.problems
    if problems:
        raise ConfigError(problems)
    return settings


def clock(now: datetime | None) -> Callable[[], datetime]:
    """The real clock, or one stopped at `now`."""
    return (lambda: now) if now else (lambda: datetime.now(UTC))


def as_of(now: datetime | None, ledger: "Ledger") -> datetime:
    """`now`, or the present; for a lake of simulated days, the time of its last run."""
    from wistlake.pipeline.run.lake import last_fetching

    last = last_fetching(ledger) if now is None else None
    return last.started_at if last and last.origin == "simulated" else clock(now)()


def runtime(now: datetime | None = None) -> "Runtime":
    """The real world, at `now` if given."""
    from wistlake.wiring.runtime import Runtime

    return Runtime(clock=clock(now), monotonic=time.monotonic, environment=os.environ)


def new_run_id(now: datetime) -> str:
    """Sortable by time, and unique."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def user() -> str:
    """Who is signed in on this machine; "" if the system doesn't say. Of an address, only what stands before the @."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
    return one_line(name).partition("@")[0][:_LONGEST_USER]


def is_verbose() -> bool:
    """Whether each step is wanted."""
    import structlog

    return bool(structlog.get_logger().is_enabled_for(logging.DEBUG))


def _plain_values(_logger: Any, _method: str, event: "EventDict") -> "EventDict":
    """Logged values without line breaks, which could imitate a log line of their own. JSON escapes them itself."""
    for name, value in event.items():
        if name != "exc_info":
            event[name] = value if isinstance(value, int | float | None) else one_line(str(value))
    return event


def configure_logs(*, verbose: bool = False) -> None:
    """Logs go to standard error: warnings as lines for people. With WISTLAKE_LOG=json each step is a JSON object;
    `verbose` has more of either. ConfigError for any other form."""
    import structlog

    form = os.environ.get(LOG_FORM, "") or "text"
    if form not in ("text", "json"):
        raise ConfigError(f"{LOG_FORM}={one_line(form)!r}: text or json")
    for_people = form == "text"
    level = logging.DEBUG if verbose else logging.WARNING if for_people else logging.INFO
    # Tracebacks without local variables, which structlog would print: they may hold personal data or secrets.
    renderers: tuple[Any, ...] = (structlog.processors.format_exc_info, structlog.processors.JSONRenderer())
    if for_people:
        plain = structlog.dev.plain_traceback
        colors = sys.stderr.isatty() and "NO_COLOR" not in os.environ
        console = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)

        def line(logger: Any, method: str, event: "EventDict") -> str:
            """As it is shown. That a request is tried again is said to people: without level and facts."""
            return str(event["event"]) if "retry" in event else console(logger, method, event)

        renderers = (_plain_values, line)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up at each message: a progress line replaces standard error for a while.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
