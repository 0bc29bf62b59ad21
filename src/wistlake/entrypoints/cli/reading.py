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
    """The last run, how far each dataset has come, what agrees with Wistia's figures, and what is missing.

    Example: wistlake status
    """
    from wistlake.pipeline.health import health, verdicts
    from wistlake.wiring import laptop

    settings = session.settings()
    found = health(laptop.ledger(settings, read_only=True), laptop.window(settings, session.clock(now)()))
    found["reconciliation"] = verdicts(laptop.query(settings))
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
    identities = found["reconciliation"]
    columns = ("identity", "holds", "broken", "not_applicable", "says")
    output.table("Reconciliation, media days", columns, ([i[c] for c in columns] for i in identities))
    output.table("Checks of the last run", ("verdict", "checks"), found["checks"].items())
    for warning in found["warnings"]:
        output.say(f"  warning: {warning}")
    output.say(f"gaps: {len(found['gaps'])}; failed intervals: {len(found['failed'])}")
    for failure in found["failed"][:10]:
        output.say(f"  {failure['dataset']} {failure['media_id']} {failure['day']}: {failure['reason']}")
