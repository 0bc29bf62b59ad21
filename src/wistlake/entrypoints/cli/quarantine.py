"""`quarantine`: records that broke their contract, and the way back for them."""

from collections import Counter
from typing import Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import Json, Media, Now, media_ids
from wistlake.entrypoints.cli.runs import perform
from wistlake.errors import StoreError

quarantine = typer.Typer(help="Records that were refused, and why.", no_args_is_help=True)
Reason = Annotated[str | None, typer.Option(help="Only this reason code.")]


@quarantine.command("list")
def quarantine_list(media: Media = None, reason: Reason = None, as_json: Json = False) -> None:
    """Refused records with their reason codes.

    Example: wistlake quarantine list --reason bad_percent_viewed
    """
    from wistlake.pipeline.jobs import quarantine as refused
    from wistlake.quality.reasons import meaning
    from wistlake.wiring import laptop

    settings = session.settings()
    found = refused.listed(laptop.query(settings), media_ids(media), reason)
    stopped = refused.stopped(laptop.ledger(settings, read_only=True), found)
    if as_json:
        days = [
            {"dataset": i.dataset, "media_id": i.media_id, "day": i.day, "reason": i.reason} for i in stopped
        ]
        output.as_json({"records": found, "stopped": days})
        return
    columns = ("id", "dataset", "media_id", "day", "line", "reason")
    output.table("Quarantine", columns, ([r[c] for c in columns] for r in found))
    for code, count in Counter(r["reason"] for r in found).most_common():
        output.say(f"{count} {code}: {meaning(code)}")
    for interval in stopped:
        output.say(f"stopped: {interval.media_id}, {interval.reason}")
    output.say("`wistlake quarantine show ID` says more" if found else "nothing was refused")


@quarantine.command("show")
def quarantine_show(
    record_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it, or its beginning.")],
    as_json: Json = False,
) -> None:
    """One refused record.

    Why it was refused, where its source is, and what may be shown of it.

    Example: wistlake quarantine show 3fa9c1
    """
    from wistlake.pipeline.jobs import quarantine as refused
    from wistlake.wiring import laptop

    settings = session.settings()
    found = refused.shown(laptop.query(settings), laptop.objects(settings), record_id)
    if as_json:
        output.as_json(found)
        return
    output.table("Refused record", ("what", "value"), found.items())


@quarantine.command("replay")
def quarantine_replay(
    media: Media = None, reason: Reason = None, now: Now = None, as_json: Json = False
) -> None:
    """Read refused records again from bronze.

    By today's contract and code; Wistia is asked for nothing.

    Example: wistlake quarantine replay --reason bad_percent_viewed
    """
    from wistlake.pipeline.jobs import quarantine as refused
    from wistlake.ports import LEASE, LEASE_SECONDS
    from wistlake.wiring import laptop

    settings, outside = session.settings(), session.outside(now)
    at = outside.clock()
    run_id = session.new_run_id(at)
    rows = refused.listed(laptop.query(settings), media_ids(media), reason)
    ledger = laptop.ledger(settings)
    with ledger.lease(LEASE, run_id, at, LEASE_SECONDS):
        found = refused.replayable(ledger, laptop.objects(settings), rows)
        refused.build_anew(ledger, found.intervals)
    if found.expired and not as_json:
        days = sorted({r["day"] for r in found.expired})
        output.say(
            f"the source of {len(found.expired)} records has expired: raw pages of {len(days)} days from {days[0]} "
            f"to {days[-1]} are gone. What Wistia still has: `wistlake backfill --from {days[0]} --to {days[-1]}`"
        )
    if not found.intervals:
        if rows:
            raise StoreError("nothing can be replayed: the source of every refused record has expired")
        if as_json:
            output.as_json({"status": "succeeded", "came_home": 0, "still_refused": 0, "expired": 0})
        else:
            output.say("nothing was refused")
        return
    chosen = tuple(sorted({i.media_id for i in found.intervals if not i.media_id.startswith("_")}))
    spec = laptop.run_spec(settings, run_id=run_id, trigger="repair", now=at, media=chosen, build_only=True)
    perform(spec, outside, as_json=False, settings=settings, silent=as_json)
    again = {(r["landing_id"], r["line"]) for r in refused.listed(laptop.query(settings))}
    gone = {r["landing_id"] for r in found.expired}
    asked = [r for r in rows if r["landing_id"] not in gone]
    still = sum((r["landing_id"], r["line"]) in again for r in asked)
    told = {"came_home": len(asked) - still, "still_refused": still, "expired": len(found.expired)}
    if as_json:
        output.as_json({"status": "succeeded", "run_id": run_id, **told})
    else:
        output.say(f"{told['came_home']} records came home, {still} are still refused")
