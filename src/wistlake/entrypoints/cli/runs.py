"""`run`, `backfill`, `plan`: fetching from Wistia."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wistlake.entrypoints.cli import output, progress, session
from wistlake.entrypoints.cli.digest import send_after_run
from wistlake.entrypoints.cli.options import Datasets, From, Json, Media, Now, To, media_ids, names
from wistlake.entrypoints.cli.report import lake_report, write_after_run
from wistlake.entrypoints.cli.report import load as load_report

if TYPE_CHECKING:
    from wistlake.insight.cost import Estimate
    from wistlake.pipeline.run.result import RunResult
    from wistlake.pipeline.run.spec import RunSpec
    from wistlake.wiring.lake import Lake
    from wistlake.wiring.laptop import LaptopLake

COLUMNS: tuple[str, ...] = ("dataset", "media_id", "days", "rows", "new", "updated", "removed", "quarantined")
INTERRUPTED = 130  # the exit code of a command that Ctrl-C ended
WIDE = 120  # characters of a terminal from which on a table may have a dozen columns


def perform(lake: "LaptopLake", spec: "RunSpec", *, as_json: bool, silent: bool = False) -> None:
    """Run, and print the result unless `silent`. Failures of single media are printed, then raised."""
    from wistlake.pipeline.run.driver import RunFailed, run

    dependencies = lake.dependencies()

    def warm() -> None:
        dependencies.warm()
        if lake.settings.report:
            load_report()  # while the engine is at work

    try:
        with progress.shown(hidden=as_json) as step:
            result = run(spec, replace(dependencies, progress=step, warm=warm))
    except KeyboardInterrupt:
        output.warn("stopped. Nothing is half published; run it again to go on")
        raise typer.Exit(INTERRUPTED) from None
    except RunFailed as e:
        _show_and_report(e.result, lake, as_json=as_json)
        raise
    _show_and_report(result, lake, as_json=as_json, silent=silent)


def _show_and_report(result: "RunResult", lake: "Lake", *, as_json: bool, silent: bool = False) -> None:
    """Print the result, and renew the lake's report where the settings want one and there is news."""
    if not silent:
        show(result, as_json=as_json)
    if lake.settings.report and (result.tables or not lake_report(lake).is_file()):
        write_after_run(lake)
    if lake.settings.digest_day:
        send_after_run(lake, lake.runtime.clock())


def show(result: "RunResult", *, as_json: bool) -> None:
    """The result as JSON; for people in five lines, or in one where there is no terminal. With --verbose, what
    each dataset and media brought comes first."""
    if as_json:
        output.print_json(result.as_json())
        return
    if session.is_verbose():
        _show_each(result)
    rows = Counter[str]()
    for line in result.intervals:
        rows.update({name: line[name] for name in ("new", "updated", "removed", "quarantined", "requests")})
    requests, seconds = rows["requests"], sum(result.seconds.values())
    attention = list(_attention(result))
    if not output.on_terminal():
        output.say(
            f"run {result.run_id} {result.status}: {rows['new']:,} new rows, "
            f"{result.days_published} media days published, {requests} requests, {seconds:.0f} s"
        )
    else:
        output.say(f"{result.status}: {requests} requests, {seconds:.0f} s")
        output.say(
            f"rows: {rows['new']:,} new, {rows['updated']:,} changed, {rows['removed']:,} gone, "
            f"{rows['quarantined']:,} refused"
        )
        output.say(f"published: {result.days_published} media days")
        output.say("needs attention:" if attention else "needs attention: nothing")
    for point in attention:
        output.say(f"  {point}")
    if output.on_terminal():
        output.say("next: `wistlake status` for how far the data goes, `wistlake digest` for what moved")


def _attention(result: "RunResult") -> Iterator[str]:
    """What somebody should know, or do."""
    from wistlake.pipeline.run.result import withdrawals

    yield from (f"unavailable: {dataset} ({reason})" for dataset, reason in result.unavailable.items())
    yield from (f"new fields in {dataset}: {', '.join(fields)}" for dataset, fields in result.drift.items())
    yield from withdrawals(result)
    yield from result.warnings


def _show_each(result: "RunResult") -> None:
    """What each dataset and media brought, and where the time went."""
    columns = COLUMNS
    if not output.on_terminal() or output.width() > WIDE:
        columns = (*columns, "unchanged", "pages", "requests", "seconds")
    output.table(f"Run {result.run_id}", columns, in_words(result.intervals))
    for dataset, count in result.carried.items():
        output.say(f"{dataset}: nothing moved at {count} media, whose last snapshot still stands")
    output.say(", ".join(f"{name} {seconds:.1f} s" for name, seconds in result.seconds.items()))


def in_words(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows of a table, in which a listing of many media has no media's id."""
    from wistlake.contracts.form import ACCOUNT

    return [{**row, "media_id": "all media"} if row["media_id"] == ACCOUNT else row for row in rows]


def _options(start: date | None, end: date | None, media: str | None, datasets: str | None) -> dict[str, Any]:
    """What to fetch, as `run_spec` takes it. ConfigError if an option is wrong."""
    return {"start": start, "end": end, "media": media_ids(media), "datasets": names(datasets)}


def _fetch(options: dict[str, Any], trigger: str, now: datetime | None, *, as_json: bool) -> None:
    """Run with these options."""
    from wistlake.wiring.spec import oldest_day, run_spec

    any_lake, run_id, at = session.job(now)
    lake = any_lake.here()  # first of all: on AWS nothing else that is missing here matters
    lake.settings.require_source(options["media"])
    if options["start"] and options["start"] < (oldest := oldest_day(at)) and not as_json:
        output.say(f"Wistia keeps events for two years: days before {oldest} are not asked for")
    spec = run_spec(lake.settings, run_id=run_id, trigger=trigger, now=at, **options)
    perform(lake, spec, as_json=as_json)


def first() -> None:
    """The run that `init` goes on to."""
    _fetch(_options(None, None, None, None), "manual", None, as_json=False)


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
    _fetch(_options(start, end, media, datasets), trigger, now, as_json=as_json)


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
    _fetch(_options(start, end, media, datasets), "backfill", now, as_json=as_json)


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
    from wistlake.planning.packing import METADATA, mean_rows
    from wistlake.wiring.spec import run_spec

    options, lake = _options(start, end, media, datasets), session.lake(now)
    spec = run_spec(lake.settings, run_id="plan", trigger="manual", now=lake.runtime.clock(), **options)
    inputs = lake.plan_inputs()
    fetches, left_out = preview(spec, inputs)
    per_minute, concurrency = lake.settings.requests_per_minute, lake.settings.max_concurrency
    estimate = (
        cost.estimate(
            fetches,
            inputs.view.all(),
            per_minute=per_minute,
            concurrency=concurrency,
            compacted=inputs.view.compacted,
        )
        if cloud
        else None
    )
    columns = ("dataset", "media_id", "start", "end", "landings", "requests", "if_moved")
    means = mean_rows(inputs.view.all(), inputs.view.compacted)
    rows = [
        {
            **fields,
            "landings": len(fetch.keys),
            "requests": cost.requests(fetch, means),
            "if_moved": fetch.if_moved,
        }
        for fetch, fields in zip(fetches, output.fields(fetches, columns[:4]), strict=True)
    ]
    if as_json:
        priced = (
            {"cloud": {**asdict(estimate), "dollars_a_month": estimate.dollars_a_month}} if estimate else {}
        )
        output.print_json({"fetches": rows, "count": len(rows), "left_out": left_out, **priced})
        return
    named = [
        {**row, "media_id": f"{len(fetch.media)} media"} if fetch.dataset == METADATA and fetch.parts else row
        for fetch, row in zip(fetches, rows, strict=True)
    ]
    output.table("Fetches", columns, in_words(named))
    certain = sum(row["requests"] for row in rows if not row["if_moved"])
    conditional = sum(row["requests"] for row in rows if row["if_moved"])
    output.say(
        f"{len(rows)} listings, about {certain} requests, and up to {conditional} where something moved"
    )
    for dataset, reason in left_out.items():
        output.say(f"{dataset} is left out: {reason}")
    if estimate:
        _show_costs(estimate, f"{cost.REGION}, prices of {cost.AS_OF}")


def _show_costs(estimate: "Estimate", prices: str) -> None:
    rows = ((c.what, f"{c.units:,.3f}", c.unit, f"{c.dollars:,.2f}") for c in estimate.costs)
    title = f"A month of such runs in {estimate.stages} stages ({prices})"
    output.table(title, ("service", "units", "unit", "dollars"), rows)
    output.say(
        f"one run: {estimate.requests} requests, {estimate.minutes:.1f} minutes of fetching, "
        f"{estimate.lambda_gb_seconds:,.0f} Lambda GB-seconds, {estimate.glue_dpu_minutes:.1f} Glue DPU-minutes"
    )
    output.say(
        f"a month: {estimate.athena_gb_a_month:,.1f} GB scanned by Athena, "
        f"about {estimate.dollars_a_month:,.2f} dollars in all"
    )
