"""`status` and `query`: reading the lake. Nothing here waits for a run, or disturbs one."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import Json, Now

FORMS = ("table", "json", "csv")


def query(
    sql: Annotated[
        str, typer.Argument(help="One SELECT; tables are layer.name, such as silver.fact_events.")
    ],
    form: Annotated[
        str, typer.Option("--format", autocompletion=lambda: list(FORMS), help="table, json or csv.")
    ] = "table",
) -> None:
    """Ask the published tables with SQL (DuckDB's dialect). What numbers don't allow is said beside the answer.

    Example: wistlake query "SELECT date, plays FROM gold.fact_media_daily ORDER BY date"
    """
    from wistlake.quality.metrics import misuses
    from wistlake.wiring import laptop

    if form not in FORMS:
        raise typer.BadParameter(f"--format {form!r}: table, json or csv")
    for misuse in misuses(sql):
        output.warn(misuse)
    output.rows(laptop.query(session.settings()).sql(sql), form)


def status(now: Now = None, as_json: Json = False) -> None:
    """The last run, how far the data goes, and what is missing.

    Of a lake of simulated days: as of its last run.

    Example: wistlake status
    """
    from wistlake.insight.status import health, refused, verdicts
    from wistlake.wiring import laptop

    settings = session.settings()
    ledger, query = laptop.ledger(settings, read_only=True), laptop.query(settings)
    at = session.as_of(now, ledger)
    found = health(ledger, laptop.window(settings, at)) | {
        "reconciliation": verdicts(query),
        "quarantine": refused(query),
        "as_of": at,
    }
    if as_json:
        output.as_json(found)
        return
    _show(found)


def _show(found: Mapping[str, Any]) -> None:
    """The answer for people; what needs somebody comes last, where they look."""
    output.table("Complete through", ("dataset", "media", "day"), _through(found["watermarks"]))
    output.table("Days in gold", ("certificate", "media days"), found["certificates"].items())
    columns = ("identity", "holds", "broken", "not_applicable", "says")
    identities = ([i[c] for c in columns] for i in found["reconciliation"])
    output.table("Agreement with Wistia's figures, in media days", columns, identities)
    output.table("Checks of the last run", ("verdict", "checks"), found["checks"].items())
    if found["quarantine"]:
        output.table(
            "Quarantine", ("dataset", "reason", "records"), ([*q.values()] for q in found["quarantine"])
        )
    last = found["last_run"]
    said = (
        last
        and f"{last['run_id']} ({last['trigger']}), {last['status']}, began {last['started_at']:%Y-%m-%d %H:%M}Z"
    )
    output.say(f"last run: {said or 'none yet'}")
    if last and last["error"]:
        output.say(f"  {last['error']}")
    for warning in found["warnings"]:
        output.say(f"  warning: {warning}")
    for media_id, days in found["lookback_learned"].items():
        output.say(f"  {media_id} has lately moved after its lookback: {days} days of it are asked for again")
    provisional = sum(n for name, n in found["certificates"].items() if name == "provisional")
    records = sum(q["records"] for q in found["quarantine"])
    output.say(f"provisional media days: {provisional}; records in quarantine: {records}")
    missing = f"gaps: {len(found['gaps'])}; failed intervals: {len(found['failed'])}"
    output.say(f"{missing} (as of {found['as_of']:%Y-%m-%d %H:%M}Z)")
    for failure in found["failed"][:10]:
        output.say(f"  {failure['dataset']} {failure['media_id']} {failure['day']}: {failure['reason']}")
    if found["gaps"] or found["failed"]:
        output.say("`wistlake gaps` lists them, `wistlake repair` fetches them")


def _through(watermarks: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, Any]]:
    """A line for each dataset and day: how many media are complete through it, or which one is."""
    media: dict[tuple[str, Any], list[str]] = {}
    for mark in watermarks:
        media.setdefault((mark["dataset"], mark["last_date"]), []).append(mark["media_id"])
    return [
        (dataset, ids[0] if len(ids) == 1 else f"{len(ids)} media", day)
        for (dataset, day), ids in sorted(media.items())
    ]
