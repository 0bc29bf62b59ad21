"""`report`: the numbers as one HTML file."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import From, Media, To, file_to_write, in_order, media_ids
from wistlake.errors import ConfigError, WistlakeError, unknown

if TYPE_CHECKING:
    from wistlake.ports import Query
    from wistlake.wiring.lake import Lake

_LONGEST = 40  # characters of a label in a file's name
_MOST_IDS = 3  # that a file's name, or a message, spells out


def report(
    start: From = None,
    end: To = None,
    media: Media = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
            metavar="LABEL=VALUE",
            help="Only media with this label. Several: of one label any, of different labels all.",
        ),
    ] = None,
    channels: Annotated[
        list[str] | None,
        typer.Option("--channel", help="Only sessions of this channel, or of one of several."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Where; default: report.html in the lake, of what is chosen a file here that names it.",
        ),
    ] = None,
    locale: Annotated[
        str | None,
        typer.Option(
            "--locale", help="How numbers, days and countries are written: en-US, de-DE, en-IN, ..."
        ),
    ] = None,
) -> None:
    """Write what is published as one self-contained HTML file.

    Example: wistlake report --from 2026-03-02 --to 2026-03-08 --label campaign=spring-sale
    """
    from wistlake_dashboard import locales
    from wistlake_dashboard.report import page, requested_scope

    in_order(start, end)
    if locale:
        locales.known(locale)
    given = file_to_write(out, "--out") if out else None
    ids, lake = media_ids(media), session.lake()
    query = lake.query()
    _require_numbers(query, start, end, ids)
    names = (*(labels or ()), *(channels or ()))
    scope = requested_scope(query, start, end, _labelled(query, labels, ids) if labels else ids)
    if scope and channels:
        scope = replace(scope, channels=_channels(query, channels))
    if given:
        path = given
    elif scope and (start or end or ids or names):
        few = ids if len(ids) <= _MOST_IDS else (f"{len(ids)}-media",)
        chosen = (f"{scope.start}-to-{scope.end}", *few, *map(_in_name, names[:_MOST_IDS]))
        path = Path(f"wistlake-report-{'-'.join(filter(None, chosen))}.html")
    else:
        path = lake_report(lake)
    path.write_text(page(query, scope, locale), encoding="utf-8")
    output.say(f"report: {path}")


def _labelled(query: "Query", labels: Sequence[str], ids: tuple[str, ...]) -> tuple[str, ...]:
    """The media with these labels, and of `ids` if any are named."""
    from wistlake_dashboard.labels import labelled, media_with

    if strange := [text for text in labels if not all(text.partition("="))]:
        raise ConfigError(
            f"--label {strange[0][:_LONGEST]!r}: write LABEL=VALUE, such as campaign=spring-sale"
        )
    media = media_with(labelled(query), labels)
    if ids and not (media := media & set(ids)):
        raise ConfigError(f"none of --media {', '.join(ids)} has these labels: {', '.join(labels)}")
    return tuple(sorted(media))


def _channels(query: "Query", wanted: Sequence[str]) -> tuple[str, ...]:
    """The channels, which are written in lower case. ConfigError names those that there are."""
    from wistlake_dashboard.reader import rows

    there = [
        r["channel"] for r in rows(query, "SELECT DISTINCT channel FROM gold.channel_daily ORDER BY channel")
    ]
    channels = tuple(name.strip().lower() for name in wanted)
    for channel in channels:
        if channel not in there:
            raise unknown("channel", channel, there)
    return channels


def _in_name(text: str) -> str:
    """The text as part of a file's name."""
    return re.sub(r"[^\w-]+", "-", text.lower()).strip("-")[:_LONGEST]


def _require_numbers(query: "Query", start: date | None, end: date | None, ids: Collection[str]) -> None:
    """ConfigError if nothing is published, or nothing of these days or of one of these media; it names what is."""
    from wistlake_dashboard.reader import extent, titles

    published = extent(query)
    if published is None:
        raise ConfigError(
            "nothing is published yet: `wistlake run` first, then the first finished day is there"
        )
    first, last = published
    if (start and start > last) or (end and end < first):
        raise ConfigError(f"there are no numbers for these days: this lake has {first} to {last}")
    known = titles(query)
    if unknown := [media_id for media_id in ids if media_id not in known]:
        some = ", ".join(f"{media_id} ({title})" for media_id, title in [*known.items()][:_MOST_IDS])
        rest = "" if len(known) <= _MOST_IDS else "; SELECT media_id, title FROM silver.dim_media lists all"
        raise ConfigError(f"--media {', '.join(unknown)}: no such media in this lake. It has {some}{rest}")


def lake_report(lake: "Lake") -> Path:
    """Where a run leaves the lake's own report."""
    return lake.settings.lake / "report.html"


def load() -> None:
    """Import what `write_after_run` needs."""
    import wistlake_dashboard.report  # noqa: F401


def write_after_run(lake: "Lake") -> None:
    """Write the lake's own report anew. A failure is logged: the run or job before it has succeeded."""
    import structlog

    from wistlake_dashboard.report import page, requested_scope

    try:
        query = lake.query()
        lake_report(lake).write_text(page(query, requested_scope(query)), encoding="utf-8")
    except Exception as e:
        why = str(e) if isinstance(e, WistlakeError) else type(e).__name__  # others may quote rows
        structlog.get_logger().warning("the report could not be made", error=why)
