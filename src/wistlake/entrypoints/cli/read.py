"""`status` and `query`: reading the lake, also while a run writes to it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import Json, Now

LEDGER = {  # tables of `ops` that are read from the ledger
    "runs": "Each run: when, why, how it ended.",
    "intervals": "Each dataset, media and day that was asked for, and what became of it.",
    "watermarks": "How far each dataset of each media is complete.",
    "media": "The media that are followed, or were.",
    "alerts": "Each alert that was told, and whether it was withdrawn.",
    "account": "The account's own totals, by day.",
    "not_in_plan": "The optional datasets that the account's plan lacks, and since when that is known.",
}
FORMS = ("table", "json", "csv")


def query(
    sql: Annotated[
        str | None,
        typer.Argument(
            help="One SELECT; tables are layer.name, such as silver.fact_events. None lists them."
        ),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", autocompletion=lambda: list(FORMS), help="table, json or csv.")
    ] = "table",
) -> None:
    """Ask the published tables with SQL (DuckDB's dialect). What numbers don't allow is said beside the answer.

    Example: wistlake query "SELECT date, plays FROM gold.fact_media_daily ORDER BY date"
    """
    from wistlake.quality.metrics import misuses

    if form not in FORMS:
        raise typer.BadParameter(f"--format {form!r}: table, json or csv")
    if sql is None:
        output.table("", ("table", "holds"), _tables())
        return
    for misuse in misuses(sql):
        output.warn(misuse)
    output.rows(session.lake().query().sql(sql), form)


def _tables() -> Iterator[tuple[str, str]]:
    """All that a query may name, and what it holds in one sentence."""
    from wistlake.contracts import TABLES
    from wistlake.quality.views import VIEWS

    yield from ((t.full_name, f"{t.doc.partition('. ')[0].rstrip('.')}.") for t in TABLES)
    yield from ((v.name, v.holds) for v in VIEWS)
    yield from ((f"ops.{name}", holds) for name, holds in LEDGER.items())


def status(now: Now = None, as_json: Json = False) -> None:
    """The last run, how far the data goes, and what is missing.

    Of a lake of simulated days: as of its last run.

    Example: wistlake status
    """
    from wistlake.insight.status import account, health, refused, verdicts
    from wistlake.wiring.spec import window

    lake = session.lake()
    ledger, query = lake.ledger(read_only=True), lake.query()
    at = session.as_of(now, ledger)
    state = health(ledger, window(lake.settings, at)) | {
        "reconciliation": verdicts(query),
        "quarantine": refused(query),
        "account": account(query),
        "as_of": at,
    }
    if as_json:
        output.print_json(state)
        return
    _show(state)


def _show(state: Mapping[str, Any]) -> None:
    """The state for people; what needs action comes last, next to the prompt."""
    output.table("Complete through", ("dataset", "media", "day"), _through(state["watermarks"]))
    output.table("Days in gold", ("certificate", "media days"), state["certificates"].items())
    columns = ("identity", "holds", "broken", "not_applicable", "says")
    output.table("Agreement with Wistia's figures, in media days", columns, state["reconciliation"])
    output.table("Checks of the last run", ("verdict", "checks"), state["checks"].items())
    if state["quarantine"]:
        output.table("Quarantine", ("dataset", "reason", "records"), state["quarantine"])
    for line in state["account"]:
        output.sentence(line)
    last = state["last_run"]
    if last is None:
        output.say("last run: none yet")
    else:
        began = f"{last['started_at']:%Y-%m-%d %H:%M}Z"
        output.say(f"last run: {last['run_id']} ({last['trigger']}), {last['status']}, began {began}")
        if last["error"]:
            output.say(f"  {last['error']}")
    for warning in state["warnings"]:
        output.say(f"  warning: {warning}")
    for media_id, days in state["lookback_learned"].items():
        output.say(f"  {media_id} has lately moved after its lookback: {days} days of it are asked for again")
    for refusal in state["not_in_plan"]:
        again = f"{refusal['asked_again_at']:%Y-%m-%d}"
        output.say(f"  {refusal['dataset']} is not in your plan; it is asked for again after {again}")
    provisional = sum(n for name, n in state["certificates"].items() if name == "provisional")
    records = sum(q["records"] for q in state["quarantine"])
    output.say(f"provisional media days: {provisional}; records in quarantine: {records}")
    missing = f"gaps: {len(state['gaps'])}; failed intervals: {len(state['failed'])}"
    output.say(f"{missing} (as of {state['as_of']:%Y-%m-%d %H:%M}Z)")
    for failure in state["failed"][:10]:
        output.say(f"  {failure['dataset']} {failure['media_id']} {failure['day']}: {failure['reason']}")
    if state["gaps"] or state["failed"]:
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
