"""`report`: the numbers as one HTML file."""

from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import From, Media, To, file_to_write, in_order, media_ids
from wistlake.errors import ConfigError, WistlakeError

if TYPE_CHECKING:
    from wistlake.ports import Query
    from wistlake.wiring.lake import Lake

_MOST_IDS = 3  # that a file's name, or a message, spells out


def report(
    start: From = None,
    end: To = None,
    media: Media = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Where; default: report.html in the lake, of chosen days or media a file here that names them.",
        ),
    ] = None,
) -> None:
    """Write what is published as one self-contained HTML file.

    Example: wistlake report --from 2026-03-02 --to 2026-03-08
    """
    from wistlake_dashboard.report import page, requested_scope

    in_order(start, end)
    given = file_to_write(out, "--out") if out else None
    lake, ids = session.lake(), media_ids(media)
    query = lake.query()
    _require_numbers(query, start, end, ids)
    scope = requested_scope(query, start, end, ids)
    if given:
        path = given
    elif scope and (start or end or ids):
        chosen = f"-{'-'.join(ids)}" if len(ids) <= _MOST_IDS else f"-{len(ids)}-media"
        path = Path(f"wistlake-report-{scope.start}-to-{scope.end}{chosen if ids else ''}.html")
    else:
        path = lake_report(lake)
    path.write_text(page(query, scope), encoding="utf-8")
    output.say(f"report: {path}")


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
