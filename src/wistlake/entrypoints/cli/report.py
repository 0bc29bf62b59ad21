"""`report`: the numbers as one HTML file."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import (
    Channels,
    From,
    Labels,
    Media,
    To,
    file_to_write,
    in_order,
    media_ids,
)
from wistlake.errors import reason

if TYPE_CHECKING:
    from wistlake.wiring.lake import Lake

_LONGEST = 40  # characters of a label in a file's name
_MOST_IDS = 3  # that a file's name, or a message, spells out


def report(
    start: From = None,
    end: To = None,
    media: Media = None,
    labels: Labels = None,
    channels: Channels = None,
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
    from wistlake.insight.ask import Selection
    from wistlake_dashboard import locales
    from wistlake_dashboard.report import WEEK, page

    in_order(start, end)
    if locale:
        locales.known(locale)
    given = file_to_write(out, "--out") if out else None
    ids, lake = media_ids(media), session.lake()
    query = lake.query()
    names = (*(labels or ()), *(channels or ()))
    scope = Selection(start, end, ids, labels or (), channels or ()).scope(query, WEEK, published_only=True)
    if given:
        path = given
    elif start or end or ids or names:
        few = ids if len(ids) <= _MOST_IDS else (f"{len(ids)}-media",)
        chosen = (f"{scope.start}-to-{scope.end}", *few, *map(_in_name, names[:_MOST_IDS]))
        path = Path(f"wistlake-report-{'-'.join(filter(None, chosen))}.html")
    else:
        path = lake_report(lake)
    path.write_text(page(query, scope, locale, pictures=lake.settings.thumbnails), encoding="utf-8")
    output.say(f"report: {path}")


def _in_name(text: str) -> str:
    """The text as part of a file's name."""
    return re.sub(r"[^\w-]+", "-", text.lower()).strip("-")[:_LONGEST]


def lake_report(lake: "Lake") -> Path:
    """Where a run leaves the lake's own report."""
    return lake.settings.lake / "report.html"


def load() -> None:
    """Import what `write_after_run` needs."""
    import wistlake_dashboard.report  # noqa: F401


def write_after_run(lake: "Lake") -> None:
    """Write the lake's own report anew. A failure is logged: the run or job before it has succeeded."""
    import structlog

    from wistlake_dashboard.report import newest_scope, page

    try:
        query = lake.query()
        written = page(query, newest_scope(query), pictures=lake.settings.thumbnails)
        lake_report(lake).write_text(written, encoding="utf-8")
    except Exception as e:
        structlog.get_logger().warning("the report could not be made", error=reason(e))
