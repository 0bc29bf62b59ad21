"""`gaps`, `repair`, `rebuild`, `watermark`, `media`: putting right what a daily run can't by itself."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli import repair_store as mending
from wistlake.entrypoints.cli.options import (
    From,
    Json,
    Media,
    Now,
    To,
    dataset_names,
    day,
    in_order,
    media_ids,
    one_media_id,
)
from wistlake.entrypoints.cli.runs import perform
from wistlake.errors import ConfigError, unknown

watermark = typer.Typer(help="How far readers may trust each dataset without a hole.", no_args_is_help=True)
media = typer.Typer(help="Which media the lake follows.", no_args_is_help=True)


def gaps(now: Now = None, as_json: Json = False) -> None:
    """Days that are missing, and attempts that failed.

    Of a lake of simulated days: as of its last run.

    Example: wistlake gaps --json
    """
    from wistlake.insight import gaps as finding
    from wistlake.wiring import laptop

    settings = session.settings()
    ledger = laptop.ledger(settings, read_only=True)
    missing = finding.gaps(ledger, laptop.window(settings, session.as_of(now, ledger)))
    failed = finding.failed(ledger.intervals(), ledger.media())
    if as_json:
        output.as_json(
            {
                "gaps": [{"dataset": d, "media_id": m, "day": on} for d, m, on in missing],
                "failed": [
                    {"dataset": i.dataset, "media_id": i.media_id, "day": i.day, "reason": i.reason}
                    for i in failed
                ],
            }
        )
        return
    if missing:
        output.table("Gaps", ("dataset", "media_id", "from", "to", "days"), _ranges(missing))
    if failed:
        output.table("Failed", ("dataset", "media_id", "day", "reason"), ((*i.key, i.reason) for i in failed))
    output.say("`wistlake repair` fetches them" if missing or failed else "no gaps")


def _ranges(days: Iterable[tuple[str, str, date]]) -> list[tuple[str, str, date, date, int]]:
    """(dataset, media, day)s as one row for days that follow each other."""
    found: list[tuple[str, str, date, date, int]] = []
    for dataset, media_id, on in sorted(days):
        last = found[-1] if found else None
        if last and last[:2] == (dataset, media_id) and on - last[3] == timedelta(days=1):
            found[-1] = (dataset, media_id, last[2], on, last[4] + 1)
        else:
            found.append((dataset, media_id, on, on, 1))
    return found


def repair(
    start: From = None,
    end: To = None,
    media: Media = None,
    now: Now = None,
    accept_shrink: Annotated[
        bool,
        typer.Option("--accept-shrink", help="Take the loss of sessions that stopped --media as it is."),
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
    if any(parts.values()):
        mending.mend(
            [name for name, is_meant in parts.items() if is_meant], table or "", now, as_json=as_json
        )
        return
    from wistlake.insight.gaps import to_repair
    from wistlake.wiring import laptop

    in_order(start, end)
    settings, outside = session.settings(), session.outside(now)
    at = outside.clock()
    chosen = media_ids(media)
    if accept_shrink and not chosen:
        raise ConfigError("--accept-shrink believes a loss for good: name the media it is about with --media")
    wanted = laptop.window(settings, at, start, end)
    keys = to_repair(laptop.ledger(settings, read_only=True), wanted, chosen)
    if not keys:
        if as_json:
            output.as_json({"status": "succeeded", "intervals": []})
        else:
            output.say("nothing to repair")
        return
    spec = laptop.run_spec(
        settings,
        run_id=session.new_run_id(at),
        trigger="repair",
        now=at,
        media=tuple(sorted({key[1] for key in keys if not key[1].startswith("_")})),
        only=keys,
        accept_shrink=frozenset(chosen) if accept_shrink else frozenset(),
    )
    perform(spec, outside, as_json=as_json)


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
    from wistlake.pipeline.jobs.rebuild import invalidate_builds
    from wistlake.ports import LEASE, LEASE_SECONDS
    from wistlake.wiring import laptop

    if zone is not None and not zone.strip():
        raise ConfigError("--zone names no zone: give an IANA name or an offset such as -05:00")
    settings, outside = session.settings(zone), session.outside(now)
    at = outside.clock()
    run_id = session.new_run_id(at)
    ledger = laptop.ledger(settings)
    with ledger.lease(LEASE, run_id, at, LEASE_SECONDS):
        was = laptop.zone_of(settings) if zone is not None else ""
        count, expired = invalidate_builds(ledger, laptop.objects(settings), was)
        if zone is not None:
            laptop.change_zone(settings)
    if not as_json:
        output.say(f"{count} landings are built anew")
        if expired:
            days = sorted({i.day for i in expired})
            output.say(
                f"{len(expired)} are not: raw pages of {len(days)} days from {days[0]} to {days[-1]} have "
                f"expired; their rows stay as built{', but for their local day' if zone else ''}"
            )
    if settings.place == "aws":
        output.say("start an execution of the state machine: its build takes them up")
        return
    followed = tuple(m.media_id for m in ledger.media() if m.retired_at is None)
    if not followed:
        raise ConfigError("the lake follows no media: there is nothing to rebuild")
    spec = laptop.run_spec(
        settings, run_id=run_id, trigger="rebuild", now=at, media=followed, build_only=True
    )
    perform(spec, outside, as_json=as_json, settings=settings)
    if zone is not None and not as_json:
        output.say(f"the lake's days are now in {zone}: set WISTLAKE_ACCOUNT_TIMEZONE={zone}")


@watermark.command("show")
def watermark_show(as_json: Json = False) -> None:
    """The last day up to which nothing is missing.

    One for each dataset and media.

    Example: wistlake watermark show
    """
    from wistlake.wiring import laptop

    found = laptop.ledger(session.settings(), read_only=True).watermarks()
    columns = ("dataset", "media_id", "last_date", "updated_at", "override_reason")
    if as_json:
        output.as_json({"watermarks": [{c: getattr(w, c) for c in columns} for w in found]})
        return
    output.table("Watermarks", columns, ([getattr(w, c) for c in columns] for w in found))


@watermark.command("set")
def watermark_set(
    dataset: Annotated[str, typer.Argument(help="Such as events.", autocompletion=dataset_names)],
    media_id: Annotated[str, typer.Argument(help="The hashed id.")],
    last_date: Annotated[str, typer.Argument(metavar="DAY", help="The last day that counts as done.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept.")] = "",
    now: Now = None,
) -> None:
    """Set a watermark by hand, with the reason kept. Runs only ever move it forward.

    Example: wistlake watermark set events abc123xyz0 2026-11-01 --reason "agreed with finance"
    """
    from wistlake.contracts import SOURCES
    from wistlake.planning.intervals import Watermark
    from wistlake.ports import LEASE, LEASE_SECONDS
    from wistlake.wiring import laptop

    if dataset not in (known := [s.name for s in SOURCES]):
        raise unknown("dataset", dataset, known)
    mark = Watermark(dataset, one_media_id(media_id), day(last_date), at := session.clock(now)(), reason)
    settings = session.settings()
    laptop.ledger(settings, read_only=True)
    ledger = laptop.ledger(settings)
    with ledger.lease(LEASE, session.new_run_id(at), at, LEASE_SECONDS):
        ledger.override(mark)
    output.say(f"the watermark of {dataset} {media_id} is {last_date}: {reason}")


@media.command("list")
def media_list(as_json: Json = False) -> None:
    """Every media that the lake has followed.

    Example: wistlake media list
    """
    from wistlake.wiring import laptop

    found = laptop.ledger(session.settings(), read_only=True).media()
    columns = ("media_id", "first_day", "added_at", "retired_at", "reason")
    if as_json:
        output.as_json({"media": [{c: getattr(m, c) for c in columns} for m in found]})
        return
    output.table("Media", columns, ([getattr(m, c) for c in columns] for m in found))


@media.command("add")
def media_add(
    media_id: Annotated[str, typer.Argument(help="The hashed id.")],
    start: From = None,
    now: Now = None,
) -> None:
    """Follow a media, from its own first day.

    A retired one is followed again. MEDIA_IDS must name it too, or be `all`.

    Example: wistlake media add abc123xyz0 --from 2026-10-01
    """
    _change_media(media_id, now, first=start)
    output.say(f"{media_id} is followed; MEDIA_IDS must name it too, unless it is `all`")


@media.command("retire")
def media_retire(
    media_id: Annotated[str, typer.Argument(help="The hashed id.")],
    reason: Annotated[str, typer.Option(help="Why; it is kept.")] = "",
    now: Now = None,
) -> None:
    """Follow a media no longer: no fetches, no gap alarms. What is known of it stays.

    Example: wistlake media retire abc123xyz0 --reason "campaign is over"
    """
    _change_media(media_id, now, retire=reason or "retired by hand")
    output.say(f"{media_id} is retired; its rows stay")


def _change_media(
    media_id: str, now: datetime | None, *, first: date | None = None, retire: str | None = None
) -> None:
    from dataclasses import replace

    from wistlake.planning.intervals import MediaEntry
    from wistlake.planning.plan import first_day
    from wistlake.ports import LEASE, LEASE_SECONDS
    from wistlake.wiring import laptop

    media_id = one_media_id(media_id)
    settings, at = session.settings(), session.clock(now)()
    laptop.ledger(settings, read_only=True)
    ledger = laptop.ledger(settings)
    with ledger.lease(LEASE, session.new_run_id(at), at, LEASE_SECONDS):
        entry = {m.media_id: m for m in ledger.media()}.get(media_id)
        if retire is not None:
            if entry is None:
                raise ConfigError(f"the lake does not follow {media_id}: `wistlake media list` says which")
            ledger.put_media([replace(entry, retired_at=at, reason=retire)])
            return
        entry = entry or MediaEntry(media_id, first or first_day(laptop.window(settings, at)), at)
        ledger.put_media([replace(entry, first_day=first or entry.first_day, retired_at=None, reason="")])
