"""`run`, `backfill`, `plan`: asking Wistia."""

from dataclasses import asdict, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wistlake.entrypoints.cli import output, progress, session
from wistlake.entrypoints.cli.options import Datasets, From, Json, Media, Now, To, media_ids, names
from wistlake.entrypoints.cli.report import lake_report, write_after_run

if TYPE_CHECKING:
    from wistlake.insight.cost import Estimate
    from wistlake.pipeline.run.result import RunResult
    from wistlake.pipeline.run.spec import RunSpec
    from wistlake.settings import Settings
    from wistlake.wiring.laptop import Runtime

WIDE = 120  # characters from which on a table may have a dozen columns


def perform(
    spec: "RunSpec",
    outside: "Runtime",
    *,
    as_json: bool,
    settings: "Settings | None" = None,
    silent: bool = False,
) -> "RunResult":
    """Do the order and print what was done, unless `silent`; failures of single media are raised after it is
    printed."""
    from wistlake.pipeline.run.driver import RunFailed, run
    from wistlake.wiring import laptop

    chosen = settings or session.settings()
    parts = laptop.parts(chosen, outside)
    try:
        with progress.shown(hidden=as_json) as step:
            result = run(spec, replace(parts, progress=step))
    except RunFailed as e:
        _tell(e.result, chosen, as_json=as_json)
        raise
    _tell(result, chosen, as_json=as_json, silent=silent)
    return result


def _tell(result: "RunResult", settings: "Settings", *, as_json: bool, silent: bool = False) -> None:
    """The result where it was asked for, and as the lake's report, where the settings want one and there is news."""
    if not silent:
        show(result, as_json=as_json)
    if settings.report and (result.tables or not lake_report(settings).is_file()):
        write_after_run(settings)


def show(result: "RunResult", *, as_json: bool) -> None:
    """The result as JSON, or as a table and a closing line."""
    if as_json:
        output.as_json(result.as_json())
        return
    columns: tuple[str, ...] = (
        "dataset",
        "media_id",
        "days",
        "rows",
        "new",
        "updated",
        "removed",
        "quarantined",
    )
    if output.width() > WIDE:
        columns = (*columns, "unchanged", "pages", "requests", "seconds")
    from wistlake.pipeline.run.result import withdrawals

    output.table(f"Run {result.run_id}", columns, ([line[c] for c in columns] for line in result.intervals))
    for dataset, why in result.unavailable.items():
        output.say(f"unavailable: {dataset} ({why})")
    for dataset, fields in result.drift.items():
        output.say(f"new fields in {dataset}: {', '.join(fields)}")
    for line in withdrawals(result):
        output.say(line)
    for warning in result.warnings:
        output.say(f"warning: {warning}")
    spent = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in result.seconds.items())
    requests = sum(line["requests"] for line in result.intervals)
    output.say(f"{result.status}: {result.days_published} media days published, {requests} requests")
    output.say(f"({spent})")


def ordered(
    *,
    trigger: str,
    now: datetime | None,
    start: date | None,
    end: date | None,
    media: str | None,
    datasets: str | None,
    as_json: bool,
) -> "RunResult":
    """An order from the command line's options, performed."""
    from wistlake.wiring import laptop

    outside, settings = session.outside(now), session.settings()
    laptop.here(settings)  # before anything is asked of a person whose runs are elsewhere
    settings.require_source(media_ids(media))
    at = outside.clock()
    if start and start < (oldest := laptop.oldest_day(at)) and not as_json:
        output.say(f"Wistia keeps events for two years: days before {oldest} are not asked for")
    spec = laptop.run_spec(
        settings,
        run_id=session.new_run_id(at),
        trigger=trigger,
        now=at,
        start=start,
        end=end,
        media=media_ids(media),
        datasets=names(datasets),
    )
    return perform(spec, outside, as_json=as_json)


def run(
    start: From = None,
    end: To = None,
    media: Media = None,
    datasets: Datasets = None,
    now: Now = None,
    as_json: Json = False,
    scheduled: Annotated[
        bool, typer.Option("--scheduled", help="Say that a timer started this, not a person.")
    ] = False,
) -> None:
    """Fetch what is new, build it, publish it. Safe to repeat.

    Example: wistlake run
    """
    trigger = "scheduled" if scheduled else "manual"
    ordered(trigger=trigger, now=now, start=start, end=end, media=media, datasets=datasets, as_json=as_json)


def backfill(
    start: From = None,
    end: To = None,
    media: Media = None,
    datasets: Datasets = None,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Fetch older days. Wistia keeps events for two years.

    The days are the account's: every UTC day that they touch is fetched, so that the last one is published too.

    Example: wistlake backfill --from 2026-01-01 --to 2026-03-31
    """
    if start is None:
        raise typer.BadParameter("--from is missing: the first day to fetch")
    ordered(
        trigger="backfill", now=now, start=start, end=end, media=media, datasets=datasets, as_json=as_json
    )


def plan(
    start: From = None,
    end: To = None,
    media: Media = None,
    datasets: Datasets = None,
    now: Now = None,
    as_json: Json = False,
    cloud: Annotated[
        bool, typer.Option("--cloud", help="Also what such a run needs and costs on AWS.")
    ] = False,
) -> None:
    """Print what a run would fetch, and fetch nothing.

    Example: wistlake plan --cloud
    """
    from wistlake.insight import cost
    from wistlake.insight.preview import preview
    from wistlake.wiring import laptop

    at = session.clock(now)()
    settings = session.settings()
    spec = laptop.run_spec(
        settings,
        run_id="plan",
        trigger="manual",
        now=at,
        start=start,
        end=end,
        media=media_ids(media),
        datasets=names(datasets),
    )
    known = laptop.known(settings)
    fetches = preview(spec, known)
    needed = (
        cost.estimate(
            fetches, known[1], per_minute=settings.requests_per_minute, concurrency=settings.max_concurrency
        )
        if cloud
        else None
    )
    plain: list[dict[str, Any]] = [
        {"dataset": f.dataset, "media_id": f.media_id, "start": f.start, "end": f.end} for f in fetches
    ]
    if as_json:
        told = {"cloud": {**asdict(needed), "dollars_a_month": needed.dollars_a_month}} if needed else {}
        output.as_json({"fetches": plain, "count": len(plain), **told})
        return
    output.table("Fetches", ("dataset", "media_id", "start", "end"), ([*p.values()] for p in plain))
    output.say(f"{len(plain)} fetches, at least {len(plain)} requests")
    if needed:
        _show_costs(needed, f"{cost.REGION}, prices of {cost.AS_OF}")


def _show_costs(needed: "Estimate", prices: str) -> None:
    rows = ((c.what, f"{c.units:,.3f}", c.unit, f"{c.dollars:,.2f}") for c in needed.costs)
    output.table(f"A month of such runs ({prices})", ("service", "units", "unit", "dollars"), rows)
    output.say(
        f"one run: {needed.requests} requests, {needed.minutes:.1f} minutes of fetching, "
        f"{needed.lambda_gb_seconds:,.0f} Lambda GB-seconds, {needed.glue_dpu_minutes:.1f} Glue DPU-minutes"
    )
    output.say(
        f"a month: {needed.athena_gb_a_month:,.1f} GB scanned by Athena, "
        f"about {needed.dollars_a_month:,.2f} dollars in all"
    )
