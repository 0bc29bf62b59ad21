"""`report`: the numbers as one HTML file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import From, Media, To, file_to_write, in_order, media_ids
from wistlake.errors import WistlakeError

if TYPE_CHECKING:
    from wistlake.wiring.lake import Lake


def report(
    start: From = None,
    end: To = None,
    media: Media = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where; default: report.html in the lake.")
    ] = None,
) -> None:
    """Write what is published as one self-contained HTML file.

    Example: wistlake report --from 2026-03-02 --to 2026-03-08 --out report.html
    """
    from wistlake_dashboard.report import page, requested_scope

    in_order(start, end)
    lake, ids = session.lake(), media_ids(media)
    path = file_to_write(out, "--out") if out else lake_report(lake)
    query = lake.query()
    path.write_text(page(query, requested_scope(query, start, end, ids)), encoding="utf-8")
    output.say(f"report: {path}")


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
