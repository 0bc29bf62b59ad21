"""Goals and alerts as people declare them: the `[[alert]]` tables of a settings file, each checked by itself."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from wistlake import toml_file
from wistlake.errors import ConfigError, closest
from wistlake.foreign import one_line

TABLE = "alert"  # its name in a file
MOST_RULES = 100
LONGEST_NAME = 60
MOST_GOAL = 10**15
_MEDIA_ID = re.compile(r"[A-Za-z0-9]{6,32}")
_LABEL = re.compile(r"[a-z][a-z0-9_-]{0,39}=[^\x00-\x1f]{1,100}")
# Counts of a media's day. Those that add up can be goals of several days.
SUMS = ("plays", "loads", "sessions", "conversions")
METRICS = (*SUMS, "unique_viewers")


class Kind(StrEnum):
    """What an alert waits for."""

    DROP = "drop"
    SPIKE = "spike"
    GOAL = "goal"
    NO_PLAYS = "no plays"
    RETENTION = "retention"


PERIODS = ("week", "month", "year")
PERCENT = {Kind.DROP: 40.0, Kind.SPIKE: 40.0, Kind.RETENTION: 20.0}  # unless a rule says otherwise
QUIET_DAYS = 3  # without a play, unless a rule says otherwise
# What a table of each kind may hold besides name, kind, media, label and early.
_OF_KIND = {
    Kind.DROP: ("metric", "percent"),
    Kind.SPIKE: ("metric", "percent"),
    Kind.GOAL: ("metric", "goal", "every", "since"),
    Kind.NO_PLAYS: ("days",),
    Kind.RETENTION: ("percent",),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry. It is about each media of `media` by itself, about all media with `label` (`name=value`) together, or
    with neither about each media that the lake follows; a goal about all of them together. `percent` is the change that
    must not be missed, `days` how long nothing is played, `goal` what is to be reached within `every` calendar period,
    or from `since` on. `early`: days that may still change count too, and are marked."""

    name: str
    kind: Kind
    metric: str = "plays"
    media: tuple[str, ...] = ()
    label: str = ""
    percent: float = 40.0
    days: int = QUIET_DAYS
    goal: float = 0.0
    every: str = ""
    since: date | None = None
    early: bool = True


def read(path: Path) -> tuple[Rule, ...]:
    """The rules of a TOML file with `[[alert]]` tables. ConfigError names every fault."""
    try:
        tables = toml_file.read(path).get(TABLE)
    except (OSError, ValueError) as e:
        raise ConfigError(f"{path} can't be read ({e}): correct it, or name another file") from e
    if tables is None:
        raise ConfigError(f"{path} has no [[{TABLE}]]: write one for each goal or alert")
    return parsed(tables)


def parsed(tables: Any) -> tuple[Rule, ...]:
    """The rules in a list of tables. ConfigError has a line for each entry that is wrong, with its cure."""
    if not isinstance(tables, list | tuple) or not all(isinstance(t, Mapping) for t in tables):
        raise ConfigError(f"{TABLE} is no list of tables: write [[{TABLE}]] above each of them")
    if len(tables) > MOST_RULES:
        raise ConfigError(f"there are {len(tables)} [[{TABLE}]] entries: keep at most {MOST_RULES}")
    problems = [
        f"{_entry(n, table)}: {reason}"
        for n, table in enumerate(tables, 1)
        if (reason := _problem(table, tables[: n - 1]))
    ]
    if problems:
        raise ConfigError(problems)
    return tuple(map(_rule, tables))


def _entry(number: int, table: Mapping[str, Any]) -> str:
    name = table.get("name")
    shown = f" ({one_line(name)[:LONGEST_NAME]})" if isinstance(name, str) and "@" not in name else ""
    return f"[[{TABLE}]] {number}{shown}"


def _problem(table: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> str:
    """The first thing that is wrong with an entry, with its cure; "" if nothing is."""
    return next((reason for check in _CHECKS for reason in check(table)), "") or (
        "another entry has the same name: give each its own"
        if table["name"] in [t.get("name") for t in before]
        else ""
    )


def _name_and_kind(table: Mapping[str, Any]) -> Iterator[str]:
    name, kind = table.get("name"), table.get("kind")
    if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME or one_line(name) != name:
        yield f'name is missing or no text of 1 to {LONGEST_NAME} characters in one line: write name = "..."'
    elif "@" in name:
        yield "name holds an @, and names must not be addresses: use another one"
    if kind not in list(Kind):
        yield f"kind is {_shown(kind)}: write one of {', '.join(f'{k}' for k in Kind)}"


def _known_fields(table: Mapping[str, Any]) -> Iterator[str]:
    allowed = ("name", "kind", "media", "label", "early", *_OF_KIND[Kind(table["kind"])])
    everywhere = [f.name for f in fields(Rule)]
    for key in table:
        if key in everywhere and key not in allowed:
            yield f"{key} means nothing for kind {table['kind']}: remove it"
        elif key not in allowed:
            cure = f", did you mean {match}?" if (match := closest(key, allowed)) else ": remove it"
            yield f"{one_line(key)[:LONGEST_NAME]!r} isn't part of an alert{cure}"


def _subject(table: Mapping[str, Any]) -> Iterator[str]:
    media, label = table.get("media", ()), table.get("label", "")
    if isinstance(media, str):
        media = [media]
    if not isinstance(media, list | tuple) or not all(
        isinstance(m, str) and _MEDIA_ID.fullmatch(m) for m in media
    ):
        yield 'media holds no hashed ids: write media = ["abc123def4"], 6 to 32 letters and digits each'
    if not isinstance(label, str) or (label and not _LABEL.fullmatch(label)):
        yield f'label is {_shown(label)}: write label = "name=value", such as "campaign=spring-sale"'
    if media and label:
        yield "it names media and a label: keep one of them"
    if label and table["kind"] in (Kind.NO_PLAYS, Kind.RETENTION):
        yield f"kind {table['kind']} is about single media, and no label: name media, or leave both out for each media"


def _values(table: Mapping[str, Any]) -> Iterator[str]:
    percent = table.get("percent", 40)
    if not _is_number(percent) or not (5 <= percent <= (1000 if table["kind"] == Kind.SPIKE else 100)):
        yield f"percent is {_shown(percent)}: write a number from 5 to {1000 if table['kind'] == Kind.SPIKE else 100}"
    days = table.get("days", QUIET_DAYS)
    if type(days) is not int or not 1 <= days <= 28:
        yield f"days is {_shown(days)}: write a whole number from 1 to 28"
    if not isinstance(table.get("early", True), bool):
        yield f"early is {_shown(table['early'])}: write true or false"
    allowed = SUMS if table["kind"] == Kind.GOAL else METRICS
    if (metric := table.get("metric", "plays")) not in allowed:
        yield f"metric is {_shown(metric)}: write one of {', '.join(allowed)}"


def _goal(table: Mapping[str, Any]) -> Iterator[str]:
    if table["kind"] != Kind.GOAL:
        return
    goal, every, since = table.get("goal"), table.get("every"), table.get("since")
    if not (_is_number(goal) and 0 < (goal or 0) <= MOST_GOAL):
        yield f"goal is {_shown(goal)}: write the number to reach, such as goal = 10000"
    if (every is None) == (since is None):
        yield 'it needs a period: write every = "month" (or week, year), or since = 2026-03-01, one of the two'
    elif every is not None and every not in PERIODS:
        yield f"every is {_shown(every)}: write one of {', '.join(PERIODS)}"
    elif since is not None and (
        not isinstance(since, date) or isinstance(since, datetime) or not 2000 <= since.year < 2200
    ):
        yield f"since is {_shown(since)}: write a day without quotation marks, such as since = 2026-03-01"


_CHECKS = (_name_and_kind, _known_fields, _subject, _values, _goal)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return "missing" if value is None else repr(one_line(str(value))[:30])


def _rule(table: Mapping[str, Any]) -> Rule:
    kind, media = Kind(table["kind"]), table.get("media", ())
    return Rule(
        name=table["name"].strip(),
        kind=kind,
        metric=table.get("metric", "plays"),
        media=(media,) if isinstance(media, str) else tuple(media),
        label=table.get("label", ""),
        percent=float(table.get("percent", PERCENT.get(kind, 40.0))),
        days=table.get("days", QUIET_DAYS),
        goal=float(table.get("goal", 0)),
        every=table.get("every", ""),
        since=table.get("since"),
        early=table.get("early", True),
    )
