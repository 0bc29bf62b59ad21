"""`gaps`, `repair`, `rebuild`, `watermark`: corrections that a daily run does not make by itself."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated

import typer

from wistlake.entrypoints.cli import output, repair_store, session
from wistlake.entrypoints.cli.options import (
    From,
    HashedId,
    Json,
    Media,
    Now,
    To,
    Why,
    dataset_names,
    day,
    in_order,
    media_ids,
    one_media_id,
)
from wistlake.entrypoints.cli.runs import perform
from wistlake.errors import ConfigError, unknown

watermark = typer.Typer(help="How far readers may trust each dataset without a hole.", no_args_is_help=True)


def gaps(now: Now = None, as_json: Json = False) -> None:
    """Days that are missing, and attempts that failed.

    Of a lake of simulated days: as of its last run.

    Example: wistlake gaps --json
    """
    from wistlake.insight import gaps as insight
    from wistlake.wiring.spec import window

    lake = session.lake()
    ledger = lake.ledger(read_only=True)
    missing, failures = insight.open_work(ledger, window(lake.settings, session.as_of(now, ledger)))
    failed = output.fields(failures, output.FAILURE)
    if as_json:
        gaps = [{"dataset": d, "media_id": m, "day": on} for d, m, on in missing]
        output.print_json({"gaps": gaps, "failed": failed})
        return
    if missing:
        output.table("Gaps", ("dataset", "media_id", "from", "to", "days"), _ranges(missing))
    if failed:
        output.table("Failed", output.FAILURE, failed)
    output.say("`wistlake repair` fetches them" if missing or failed else "no gaps")


def _ranges(days: Iterable[tuple[str, str, date]]) -> list[tuple[str, str, date, date, int]]:
    """(dataset, media, day)s as one row for days that follow each other."""
    ranges: list[tuple[str, str, date, date, int]] = []
    for dataset, media_id, on in sorted(days):
        last = ranges[-1] if ranges else None
        if last and last[:2] == (dataset, media_id) and on - last[3] == timedelta(days=1):
            ranges[-1] = (dataset, media_id, last[2], on, last[4] + 1)
        else:
            ranges.append((dataset, media_id, on, on, 1))
    return ranges


def repair(
    start: From = None,
    end: To = None,
    media: Media = None,
    now: Now = None,
    accept_shrink: Annotated[
        bool,
        typer.Option("--accept-shrink", help="Accept the loss of sessions that stopped --media."),
    ] = False,
    catalog: Annotated[
        bool, typer.Option("--catalog", help="Instead register the tables again as they were published.")
    ] = False,
    ledger: Annotated[
        bool, typer.Option("--ledger", help="Instead make a lost ledger anew from raw pages and tables.")
    ] = False,
    marker: Annotated[bool, typer.Option("--marker", help="Instead write a lost lake.json again.")] = False,
    table: Annotated[
        str | None, typer.Option(help="Instead mend this damaged table, and build anew what it lost.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fetch the gaps and the failed intervals, and nothing else.

    Or mend a lake that lost a part of itself: its catalog, ledger, marker, or files of a table. Nothing is
    asked of Wistia then.

    Example: wistlake repair --media abc123xyz0 --accept-shrink
    """
    parts = {"catalog": catalog, "ledger": ledger, "marker": marker, "table": table is not None}
    if lost := [name for name, is_meant in parts.items() if is_meant]:
        repair_store.repair(lost, table or "", now, as_json=as_json)
        return
    from wistlake.insight.gaps import to_repair
    from wistlake.wiring.spec import run_spec, window

    in_order(start, end)
    ids = media_ids(media)
    if accept_shrink and not ids:
        raise ConfigError("--accept-shrink believes a loss for good: name the media it is about with --media")
    lake, run_id, at = session.job(now)
    keys = to_repair(lake.ledger(read_only=True), window(lake.settings, at, start, end), ids)
    if not keys:
        output.answer({"status": "succeeded", "intervals": []}, "nothing to repair", as_json=as_json)
        return
    spec = run_spec(
        lake.settings,
        run_id=run_id,
        trigger="repair",
        now=at,
        media=tuple(sorted({key[1] for key in keys if not key[1].startswith("_")})),
        only=keys,
        accept_shrink=frozenset(ids) if accept_shrink else frozenset(),
    )
    perform(lake.here(), spec, as_json=as_json)


def rebuild(
    zone: Annotated[
        str | None, typer.Option(help="Change the zone of the lake's days, and compute them anew.")
    ] = None,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Build every landing that bronze still holds anew. Asks Wistia for nothing.

    Example: wistlake rebuild --zone Europe/Berlin
    """
    from wistlake.pipeline.jobs.media import followed
    from wistlake.pipeline.jobs.rebuild import prepare
    from wistlake.wiring.spec import run_spec

    if zone is not None and not zone.strip():
        raise ConfigError("--zone names no zone: give an IANA name or an offset such as -05:00")
    lake, run_id, at = session.job(now, zone)
    ledger = lake.ledger()
    count, expired = prepare(ledger, lake.objects(), run_id, at, None if zone is None else lake.here())
    if not as_json:
        output.say(f"{count} landings are built anew")
        if expired:
            days = sorted({i.day for i in expired})
            output.say(
                f"{len(expired)} are not: raw pages of {len(days)} days from {days[0]} to {days[-1]} have "
                f"expired; their rows stay as built{', but for their local day' if zone else ''}"
            )
    if not lake.builds_here:
        output.say("start an execution of the state machine: its build takes them up")
        return
    media_ids = followed(ledger)
    if not media_ids:
        raise ConfigError("the lake follows no media: there is nothing to rebuild")
    spec = run_spec(lake.settings, run_id=run_id, trigger="rebuild", now=at, media=media_ids, build_only=True)
    perform(lake.here(), spec, as_json=as_json)
    if zone is not None and not as_json:
        output.say(f"the lake's days are now in {zone}: set WISTLAKE_ACCOUNT_TIMEZONE={zone}")


@watermark.command("show")
def watermark_show(as_json: Json = False) -> None:
    """The last day up to which nothing is missing.

    One for each dataset and media.

    Example: wistlake watermark show
    """
    columns = ("dataset", "media_id", "last_date", "updated_at", "override_reason")
    watermarks = session.lake().ledger(read_only=True).watermarks()
    output.listing("Watermarks", columns, watermarks, as_json=as_json)


@watermark.command("set")
def watermark_set(
    dataset: Annotated[str, typer.Argument(help="Such as events.", autocompletion=dataset_names)],
    media_id: HashedId,
    last_date: Annotated[str, typer.Argument(metavar="DAY", help="The last day that counts as done.")],
    reason: Why = "",
    now: Now = None,
) -> None:
    """Set a watermark by hand, with the reason kept. Runs only ever move it forward.

    Example: wistlake watermark set events abc123xyz0 2026-11-01 --reason "agreed with finance"
    """
    from wistlake.contracts import SOURCES
    from wistlake.pipeline.jobs.media import set_watermark
    from wistlake.planning.intervals import Watermark

    if dataset not in (datasets := [s.name for s in SOURCES]):
        raise unknown("dataset", dataset, datasets)
    media_id, last = one_media_id(media_id), day(last_date)
    lake, run_id, at = session.job(now)
    set_watermark(lake.ledger(), Watermark(dataset, media_id, last, at, reason), run_id)
    output.say(f"the watermark of {dataset} {media_id} is {last_date}: {reason}")
