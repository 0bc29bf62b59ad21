"""`quarantine`: records that broke their contract, and reading them again."""

from collections import Counter
from typing import Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import Json, Media, Now, media_ids
from wistlake.entrypoints.cli.runs import perform
from wistlake.errors import StoreError
from wistlake.quality.reasons import meaning

quarantine = typer.Typer(help="Records that were refused, and why.", no_args_is_help=True)
Reason = Annotated[str | None, typer.Option(help="Only this reason code.")]


@quarantine.command("list")
def quarantine_list(media: Media = None, reason: Reason = None, as_json: Json = False) -> None:
    """Refused records with their reason codes.

    Example: wistlake quarantine list --reason bad_percent_viewed
    """
    from wistlake.insight import quarantine as insight

    ids, lake = media_ids(media), session.lake()
    records = insight.listed(lake.query(), ids, reason)
    stopped = insight.stopped(lake.ledger(read_only=True), records)
    if as_json:
        output.print_json({"records": records, "stopped": output.fields(stopped, output.FAILURE)})
        return
    output.table("Quarantine", ("id", "dataset", "media_id", "day", "line", "reason"), records)
    for code, count in Counter(r["reason"] for r in records).most_common():
        output.say(f"{count} {code}: {meaning(code)}")
    for interval in stopped:
        output.say(f"stopped: {interval.media_id}, {interval.reason}")
    output.say("`wistlake quarantine show ID` says more" if records else "nothing was refused")


@quarantine.command("show")
def quarantine_show(
    record_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it, or its beginning.")],
    as_json: Json = False,
) -> None:
    """One refused record.

    Why it was refused, where its source is, and what may be shown of it.

    Example: wistlake quarantine show 3fa9c1
    """
    from wistlake.insight import quarantine as insight

    lake = session.lake()
    record = insight.shown(lake.query(), lake.objects(), record_id)
    if as_json:
        output.print_json(record)
        return
    output.table("Refused record", ("what", "value"), record.items())


@quarantine.command("replay")
def quarantine_replay(
    media: Media = None, reason: Reason = None, now: Now = None, as_json: Json = False
) -> None:
    """Read refused records again from bronze.

    By today's contract and code; Wistia is asked for nothing.

    Example: wistlake quarantine replay --reason bad_percent_viewed
    """
    from wistlake.insight import quarantine as insight
    from wistlake.pipeline.jobs.quarantine import prepare_replay
    from wistlake.wiring.spec import run_spec

    named = media_ids(media)
    lake, run_id, at = session.job(now)
    rows = insight.listed(lake.query(), named, reason)
    replay = prepare_replay(lake.ledger(), lake.objects(), rows, run_id, at)
    if replay.expired and not as_json:
        days = sorted({r["day"] for r in replay.expired})
        output.say(
            f"the source of {len(replay.expired)} records has expired: raw pages of {len(days)} days from {days[0]} "
            f"to {days[-1]} are gone. What Wistia still has: `wistlake backfill --from {days[0]} --to {days[-1]}`"
        )
    if not replay.intervals:
        if rows:
            raise StoreError("nothing can be replayed: the source of every refused record has expired")
        counts = {"came_home": 0, "still_refused": 0, "expired": 0}
        output.answer({"status": "succeeded", **counts}, "nothing was refused", as_json=as_json)
        return
    ids = tuple(sorted({i.media_id for i in replay.intervals if not i.media_id.startswith("_")}))
    spec = run_spec(lake.settings, run_id=run_id, trigger="repair", now=at, media=ids, build_only=True)
    perform(lake.here(), spec, as_json=False, silent=as_json)
    refused = {(r["landing_id"], r["line"]) for r in insight.listed(lake.query())}
    expired = {r["landing_id"] for r in replay.expired}
    replayed = [r for r in rows if r["landing_id"] not in expired]
    still = sum((r["landing_id"], r["line"]) in refused for r in replayed)
    accepted = len(replayed) - still
    counts = {"came_home": accepted, "still_refused": still, "expired": len(replay.expired)}
    text = f"{accepted} records were accepted, {still} are still refused"
    output.answer({"status": "succeeded", "run_id": run_id, **counts}, text, as_json=as_json)
