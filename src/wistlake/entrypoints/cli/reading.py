"""`status` and `query`: reading the lake. Nothing here waits for a run, or disturbs one."""

from typing import Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import Json, Now


def query(
    sql: Annotated[
        str, typer.Argument(help="One SELECT; tables are layer.name, such as silver.fact_events.")
    ],
    form: Annotated[str, typer.Option("--format", help="table, json or csv.")] = "table",
) -> None:
    """Ask the published tables with SQL (DuckDB's dialect).

    Example: wistlake query "SELECT date, plays FROM gold.fact_media_daily ORDER BY date"
    """
    from wistlake.wiring import laptop

    if form not in ("table", "json", "csv"):
        raise typer.BadParameter(f"--format {form!r}: table, json or csv")
    output.rows(laptop.query(session.settings()).sql(sql), form)


def status(now: Now = None, as_json: Json = False) -> None:
    """The last run, how far each dataset has come, and what is missing.

    Example: wistlake status
    """
    from wistlake.pipeline.health import health
    from wistlake.wiring import laptop

    settings = session.settings()
    found = health(laptop.ledger(settings, read_only=True), laptop.window(settings, session.clock(now)()))
    if as_json:
        output.as_json(found)
        return
    last = found["last_run"]
    output.say(
        f"last run: {last['run_id']} {last['trigger']} {last['status']}, began {last['started_at']}"
        if last
        else "last run: none yet"
    )
    output.table(
        "Watermarks", ("dataset", "media_id", "last_date"), ([*w.values()] for w in found["watermarks"])
    )
    output.table("Certificates", ("certificate", "media days"), found["certificates"].items())
    output.say(f"gaps: {len(found['gaps'])}; failed intervals: {len(found['failed'])}")
    for failure in found["failed"][:10]:
        output.say(f"  {failure['dataset']} {failure['media_id']} {failure['day']}: {failure['reason']}")
