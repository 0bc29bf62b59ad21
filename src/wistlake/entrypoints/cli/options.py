"""Options that several commands share: one spelling, one meaning, one check."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from wistlake.errors import ConfigError

_YEARS = range(2000, 2200)  # days before and after must be days as well


def moment(text: str) -> datetime:
    """`--now`: an ISO time; without an offset it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.year not in _YEARS:
        raise typer.BadParameter(f"{text[:40]!r} is no time of ours: write 2026-11-21T02:15Z")
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def day(text: str) -> date:
    """`--from`, `--to`, `--date`: an ISO day."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.year not in _YEARS:
        raise typer.BadParameter(f"{text[:40]!r} is no day of ours: write 2026-11-21")
    return found


def names(value: str | None) -> tuple[str, ...]:
    """A comma list as a tuple; () for nothing."""
    return tuple(n.strip() for n in (value or "").split(",") if n.strip())


def media_ids(value: str | None) -> tuple[str, ...]:
    """`--media`: hashed ids. ConfigError for anything that could not be one."""
    found = names(value)
    for media_id in found:
        if not (media_id.isascii() and media_id.isalnum()):
            raise ConfigError(f"--media {media_id[:40]!r} is no hashed id: letters and digits only")
    return found


def dataset_names(incomplete: str) -> list[str]:
    """Shell completion: the datasets that begin so, also as the last of a comma list."""
    from wistlake.contracts import SOURCES

    done, comma, last = incomplete.rpartition(",")
    return [f"{done}{comma}{s.name}" for s in SOURCES if s.name.startswith(last)]


def one_media_id(value: str | None) -> str:
    """A hashed id, exactly one. ConfigError otherwise."""
    found = media_ids(value)
    if len(found) != 1:
        raise ConfigError("name one media by its hashed id: letters and digits only")
    return found[0]


Now = Annotated[
    datetime | None,
    typer.Option("--now", parser=moment, metavar="TIME", help="Act as if it were TIME (UTC)."),
]
From = Annotated[date | None, typer.Option("--from", parser=day, metavar="DAY", help="First day.")]
To = Annotated[date | None, typer.Option("--to", parser=day, metavar="DAY", help="Last day.")]
Media = Annotated[str | None, typer.Option("--media", metavar="ID,ID", help="Only these media.")]
Datasets = Annotated[
    str | None,
    typer.Option(
        "--datasets", metavar="NAME,NAME", autocompletion=dataset_names, help="Only these datasets."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="End with one JSON object on standard output.")]
