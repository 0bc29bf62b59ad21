"""What every handler begins with: logs, settings, the clock, and what the event says."""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import structlog

from wistlake.errors import ConfigError, reason
from wistlake.ports import Notice, Notifier
from wistlake.settings import ArgumentsOnly, Settings
from wistlake.wiring import aws
from wistlake.wiring.runtime import Runtime

Event = Mapping[str, Any]
_V = TypeVar("_V")
TRIGGERS: Mapping[str, str] = {"schedule": "scheduled", "manual": "manual", "backfill": "backfill"}


def configure_logs() -> None:
    """A JSON line an event, on standard error: the service keeps them."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def settings_or_told(about: str, what: str) -> Settings | None:
    """The settings; None if one of them is wrong, which the stage's topic has been told then."""
    try:
        return Settings()
    except Exception as e:
        topic = ArgumentsOnly(topic_arn=os.environ.get("WISTLAKE_TOPIC_ARN", ""))
        tell(aws.notifier(topic), about, what, reason(e))
        return None


def tell(people: Notifier, about: str, what: str, why: str) -> None:
    """Say in the log, and to people, what has failed of `about`."""
    structlog.get_logger().error(f"the {about} {what}", error=why)
    people.notify(Notice(f"wistlake {about} {what}", why, failed=True))


def wall() -> datetime:
    """The real clock: leases are about it, whatever time a run is about."""
    return datetime.now(UTC)


def outside(clock: Callable[[], datetime]) -> Runtime:
    """The real world, at the time that `clock` gives."""
    return Runtime(clock=clock, monotonic=time.monotonic)


def moment(event: Event, name: str) -> datetime:
    """An ISO time in the event, else the wall clock. ConfigError if it is none."""
    value = _parsed(event, name, datetime.fromisoformat, "2026-11-20T02:15:00Z") or wall()
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def day(event: Event, name: str) -> date | None:
    """A day in the event, None if it is not there. ConfigError if it is none."""
    return _parsed(event, name, date.fromisoformat, "YYYY-MM-DD")


def count(event: Event, name: str) -> int | None:
    """A whole number above zero in the event, None if it is not there. ConfigError if it is none."""
    value = event.get(name)
    if value is not None and (type(value) is not int or value < 1):
        raise ConfigError(f"{name} is {str(value)[:40]!r}: write a whole number above zero")
    return value


def _parsed(event: Event, name: str, parse: Callable[[str], _V], form: str) -> _V | None:
    try:
        return parse(given) if (given := event.get(name)) else None
    except (ValueError, TypeError):
        raise ConfigError(f"{name} is {str(given)[:40]!r}: write {form}") from None


def trigger(event: Event) -> str:
    """What starts the run, in the ledger's word. ConfigError for an unknown one."""
    given = text(event, "trigger")
    if given not in TRIGGERS:
        raise ConfigError(f"the trigger is {given[:40]!r}: one of {', '.join(TRIGGERS)}")
    return TRIGGERS[given]


def text(event: Event, name: str) -> str:
    """A text that must be there; ConfigError if it is not."""
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise ConfigError(f"the input lacks {name}: give it as a text")
    return value
