"""Options that several commands share: one spelling, one meaning, one check."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from wistlake.errors import ConfigError

_HIGHEST_PORT = 65535
_MEDIA_ID = re.compile(r"(?!all$)[A-Za-z0-9]{6,32}")
MOST_DAYS = 730  # Wistia keeps events for two years
_LONGEST_LATENCY = 600
_YEARS = range(2000, 2200)  # far from the ends of the calendar: lookbacks and windows reach beyond a day


def moment(text: str) -> datetime:
    """`--now`: an ISO time; without an offset it is UTC."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.year not in _YEARS:
        raise typer.BadParameter(f"{text[:40]!r} isn't a time: write 2026-11-21T02:15Z")
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def day(text: str) -> date:
    """`--from`, `--to`, `--date`: an ISO day."""
    try:
        parsed = date.fromisoformat(text)
    except ValueError:
        parsed = None
    if parsed is None or parsed.year not in _YEARS:
        raise typer.BadParameter(f"{text[:40]!r} isn't a date: write 2026-11-21")
    return parsed


def seconds(text: str) -> float:
    """`--latency`: from 0 to what no client waits for."""
    try:
        parsed = float(text)
    except ValueError:
        parsed = -1.0
    if not 0 <= parsed <= _LONGEST_LATENCY:  # rejects NaN as well
        raise typer.BadParameter(f"{text[:40]!r}: write seconds, 0 to {_LONGEST_LATENCY}")
    return parsed


def file_to_write(path: Path, option: str) -> Path:
    """A file that may be written, as far as that can be known before. ConfigError names the option."""
    if path.is_dir():
        raise ConfigError(f"{option} {path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise ConfigError(f"{option} {path}: there is no folder {path.parent}: make it, or name another one")
    return path


def in_order(start: date | None, end: date | None) -> None:
    """ConfigError if the days are reversed."""
    if start and end and start > end:
        raise ConfigError(f"--from {start} is after --to {end}: swap them")


def names(value: str | None, option: str = "--datasets") -> tuple[str, ...]:
    """A comma list as a tuple; () where the option is not given. ConfigError for an empty list: `--media "$UNSET"`
    must not mean everything."""
    parsed = tuple(n.strip() for n in (value or "").split(",") if n.strip())
    if value is not None and not parsed:
        raise ConfigError(f"{option} names nothing: give names with commas between, or leave {option} out")
    return parsed


def media_ids(value: str | None, option: str = "--media") -> tuple[str, ...]:
    """Hashed ids. ConfigError for anything that could not be one, in the option's name."""
    ids = names(value, option)
    for media_id in ids:
        if not _MEDIA_ID.fullmatch(media_id):
            raise ConfigError(f"{option} {media_id[:40]!r} isn't a hashed id: 6 to 32 letters and digits")
    return ids


def dataset_names(incomplete: str) -> list[str]:
    """Shell completion of the last name in a comma list."""
    from wistlake.contracts import SOURCES

    done, comma, last = incomplete.rpartition(",")
    return [f"{done}{comma}{s.name}" for s in SOURCES if s.name.startswith(last)]


def one_media_id(value: str | None, option: str = "MEDIA_ID") -> str:
    """A hashed id, exactly one. ConfigError otherwise."""
    ids = media_ids(value, option)
    if len(ids) != 1:
        raise ConfigError("name one media by its hashed id: 6 to 32 letters and digits")
    return ids[0]


Now = Annotated[
    datetime | None,
    typer.Option("--now", parser=moment, metavar="TIME", help="Act as if it were TIME (UTC)."),
]
From = Annotated[date | None, typer.Option("--from", parser=day, metavar="DAY", help="First day.")]
To = Annotated[date | None, typer.Option("--to", parser=day, metavar="DAY", help="Last day.")]
Media = Annotated[str | None, typer.Option("--media", metavar="ID,ID", help="Only these media.")]
Labels = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="LABEL=VALUE",
        help="Only media with this label. Several: of one label any, of different labels all.",
    ),
]
Channels = Annotated[
    list[str] | None,
    typer.Option("--channel", help="Only sessions of this channel, or of one of several."),
]
Datasets = Annotated[
    str | None,
    typer.Option(
        "--datasets", metavar="NAME,NAME", autocompletion=dataset_names, help="Only these datasets."
    ),
]
Port = Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 picks a free one.", min=0, max=_HIGHEST_PORT)]
HashedId = Annotated[str, typer.Argument(help="The hashed id.")]
Why = Annotated[str, typer.Option("--reason", help="Why; it is kept.")]
Json = Annotated[bool, typer.Option("--json", help="End with one JSON object on standard output.")]
