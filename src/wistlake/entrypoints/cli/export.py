"""`export`: the published tables as files of other tools."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import Json, moment, names

LAST = "last"


def _since(text: str) -> datetime | str:
    """`--since`: a time, or the end of the export before."""
    return LAST if text == LAST else moment(text)


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to: a folder outside of the lake.")],
    form: Annotated[str, typer.Option("--to", metavar="FORM", help="parquet, duckdb, xlsx or csv.")],
    tables: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            help="These tables or views; all tables unless given, for xlsx gold and silver.dim_media.",
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            parser=_since,
            metavar="TIME",
            help="Only what was built then or later; `last`: what the folder lacks.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Copy the published tables into a folder, for other tools.

    As Parquet, a DuckDB file, an Excel workbook or CSV, with a manifest of what each table, column and metric means,
    and of which publication they are.

    Example: wistlake export --to duckdb --since last handoff
    """
    from wistlake.export import order

    if form not in order.FORMS:
        raise typer.BadParameter(f"--to {form!r}: {', '.join(order.FORMS)}")
    lake = session.lake()
    place = Path(os.path.abspath(os.path.expanduser(folder)))
    order.require_place(place, lake.settings.lake)
    moment_since = since if isinstance(since, datetime) else None
    request = order.Request(form, names(tables, "--tables"), moment_since, since_last=since == LAST)
    done = order.export(lake.query(), request, place, lake.runtime.clock())
    columns = ("table", "rows", "parts", "written", "removed")
    if as_json:
        output.print_json({"folder": str(place), "tables": output.fields(done, columns)})
        return
    output.table(f"Exported to {place}", columns, output.fields(done, columns))
