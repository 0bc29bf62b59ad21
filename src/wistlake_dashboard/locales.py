"""The reader's locale: how numbers, days and countries are written. The rules are those of Unicode's CLDR (Babel)."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_interval, format_skeleton
from babel.numbers import format_decimal

from wistlake.errors import ConfigError

USUAL = "en-GB"
_THIN = str.maketrans({"\u2009": " ", "\u202f": " ", "\xa0": " "})  # as a reader copies and searches them
_CURRENT: ContextVar[Locale] = ContextVar("locale")


def known(name: str) -> Locale:
    """The locale called `name` (en-US, de-DE, en-IN). ConfigError if there is none."""
    try:
        return _parsed(name)
    except (UnknownLocaleError, ValueError, TypeError) as e:
        raise ConfigError(
            f"--locale {name}: no such locale; use a language and a country, as en-US or de-DE"
        ) from e


@lru_cache
def _parsed(name: str) -> Locale:
    return Locale.parse(name.replace("-", "_"))


@contextmanager
def written_for(name: str | None) -> Iterator[None]:
    """Write for readers of that locale; of one that nobody knows, as usual."""
    try:
        locale = known(name or USUAL)
    except ConfigError:
        locale = known(USUAL)
    token = _CURRENT.set(locale)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def _current() -> Locale:
    return _CURRENT.get(None) or known(USUAL)


def number(value: float, decimals: int = 0) -> str:
    """1,234.5 or 1.234,5 or 12,34,567: with as many decimals."""
    rounded = round(value, decimals)
    grouping = _current().decimal_formats[None].pattern.partition(".")[0]
    return format_decimal(rounded, f"{grouping}{'.' + '0' * decimals if decimals else ''}", _current())


def day(value: date) -> str:
    """2 Mar 2026, Mar 2, 2026 or 02.03.2026."""
    return format_date(value, "medium", _current()).translate(_THIN)


def day_of_year(value: date) -> str:
    """2 Mar."""
    return format_skeleton("MMMd", value, locale=_current()).translate(_THIN)


def weekday(value: date) -> str:
    """Fri 6 Mar."""
    return format_skeleton("MMMEd", value, locale=_current()).translate(_THIN)


def month(value: date) -> str:
    """Mar 2026."""
    return format_skeleton("yMMM", value, locale=_current()).translate(_THIN)


def span(start: date, end: date) -> str:
    """2–8 Mar 2026."""
    written = str(format_interval(start, end, "yMMMd", locale=_current())).translate(_THIN)
    within = (start.year, start.month) == (end.year, end.month)
    return re.sub(r"(\d) – (\d)", r"\1–\2", written) if within else written  # days of one month stand close


def country(code: str) -> str:
    """A country's name; the code where nobody knows it."""
    name: str = _current().territories.get(code, code)
    return name
