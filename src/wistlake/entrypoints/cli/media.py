"""`media`: which media the lake follows."""

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import From, HashedId, Json, Now, Why, one_media_id

media = typer.Typer(help="Which media the lake follows, and their labels.", no_args_is_help=True)


@media.command("list")
def media_list(as_json: Json = False) -> None:
    """Every media that the lake has followed.

    Example: wistlake media list
    """
    columns = ("media_id", "first_day", "added_at", "retired_at", "reason")
    output.listing("Media", columns, session.lake().ledger(read_only=True).media(), as_json=as_json)


@media.command("add")
def media_add(
    media_id: HashedId,
    start: From = None,
    now: Now = None,
) -> None:
    """Follow a media, from its own first day.

    A retired one is followed again. MEDIA_IDS must name it too, or be `all`.

    Example: wistlake media add abc123xyz0 --from 2026-10-01
    """
    from wistlake.pipeline.jobs.media import follow
    from wistlake.planning.plan import first_day
    from wistlake.wiring.spec import window

    media_id = one_media_id(media_id)
    lake, run_id, at = session.job(now)
    follow(lake.ledger(), media_id, start, first_day(window(lake.settings, at)), run_id, at)
    output.say(f"{media_id} is followed; MEDIA_IDS must name it too, unless it is `all`")


@media.command("retire")
def media_retire(
    media_id: HashedId,
    reason: Why = "",
    now: Now = None,
) -> None:
    """Follow a media no longer: no fetches, no gap alarms. What is known of it stays.

    Example: wistlake media retire abc123xyz0 --reason "campaign is over"
    """
    from wistlake.pipeline.jobs import media as jobs

    media_id = one_media_id(media_id)
    lake, run_id, at = session.job(now)
    jobs.retire(lake.ledger(), media_id, reason or "retired by hand", run_id, at)
    output.say(f"{media_id} is retired; its rows stay")
