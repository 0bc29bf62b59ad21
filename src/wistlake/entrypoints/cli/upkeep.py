"""`catalog`, `maintain`, `backup`, `restore`, `schedule`: keeping a lake over years."""

import os
import re
import shlex
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import Json, Now, Port
from wistlake.errors import ConfigError, ErasureIncomplete, reason

if TYPE_CHECKING:
    from wistlake.wiring.lake import Lake

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]?\d)", re.ASCII)
READERS = (
    ("DuckDB", "ATTACH 'lake' AS lake (TYPE iceberg, ENDPOINT '{uri}', AUTHORIZATION_TYPE 'none');"),
    ("pandas", 'pyiceberg.catalog.load_catalog("lake", uri="{uri}").load_table("{t}").scan().to_pandas()'),
    (
        "Polars",
        'polars.scan_iceberg(pyiceberg.catalog.load_catalog("lake", uri="{uri}").load_table("{t}"))',
    ),
    (
        "Spark",
        (
            "spark-sql --packages org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.0 "
            "--conf spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog "
            "--conf spark.sql.catalog.lake.type=rest --conf spark.sql.catalog.lake.uri={uri}"
        ),
    ),
)


def catalog(
    port: Port = 0,
) -> None:
    """Serve the lake as a read-only Iceberg REST catalog.

    Ctrl-C ends it.

    Example: wistlake catalog --port 8181
    """
    from wistlake.wiring.lake import read_only_catalog

    with read_only_catalog(session.lake(), port) as uri:
        output.say(f"catalog: {uri}")
        for reader, line in READERS:
            output.say(f"{reader:>7}: {line.format(uri=uri, t='gold.fact_media_daily')}")
        output.say("Ctrl-C ends it")
        sys.stdout.flush()
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            output.say("ended")


def maintain(
    now: Now = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which raw pages would go, and change nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Merge small files, and remove what nobody needs.

    Old snapshots, orphaned files, and raw pages past their retention go.

    Readers are not disturbed: what was published within the last 24 hours stays whole. Of a lake of simulated days:
    as of its last run, since all its pages are past their retention today.

    Example: wistlake maintain
    """
    lake, run_id, _ = session.job(now)
    at = session.as_of(now, lake.ledger(read_only=True))
    if dry_run:
        _show_what_goes(lake, at, as_json=as_json)
        return
    done = lake.maintain(run_id, at)
    text = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in done.items())
    output.answer(done, text, as_json=as_json)


def _show_what_goes(lake: "Lake", at: datetime, *, as_json: bool) -> None:
    """What can't be had back: merged files and old snapshots hold nothing that the tables don't."""
    from wistlake.pipeline.jobs.maintain import expiring

    days = lake.settings.bronze_retention_days
    limit = at - timedelta(days=days)
    going = expiring(lake.objects(), limit)
    if as_json:
        columns = ("landings", "first_day", "last_day")
        output.print_json(
            {"listed_before": limit, **{d: dict(zip(columns, of, strict=True)) for d, of in going.items()}}
        )
        return
    rows = [(dataset, *of) for dataset, of in going.items()]
    output.table(
        f"Raw pages that would go, listed before {limit:%Y-%m-%d}",
        ("dataset", "landings", "first day", "last day"),
        rows,
    )
    output.sentence(
        f"Refused records of that age go too (WISTLAKE_BRONZE_RETENTION_DAYS={days}). The rows that were built from "
        "these pages stay, but can't be built again. Small files are merged, and what no reader needs is removed."
    )


def backup(
    target: Annotated[Path, typer.Argument(help="A new folder, or a file that ends in .tar or .tar.gz.")],
    now: Now = None,
) -> None:
    """Copy the whole lake to a folder or an archive.

    Raw pages and the pseudonym key go along: keep the copy as safe as the lake.

    Example: wistlake backup /mnt/backups/lake-2026-11-21.tar.gz
    """
    lake, run_id, at = session.job(now)
    size = lake.here().backup(target.absolute(), run_id, at)
    output.say(f"{target}: {size:,} bytes; it holds raw pages and the pseudonym key")


def restore(
    source: Annotated[Path, typer.Argument(help="What `wistlake backup` made, or a lake that was moved.")],
    to: Annotated[Path | None, typer.Option(help="Where; default WISTLAKE_LAKE.")] = None,
    replaces: Annotated[
        Path | None,
        typer.Option(
            help="The lake that it takes the place of: who was forgotten there since stays forgotten."
        ),
    ] = None,
    now: Now = None,
) -> None:
    """Restore a backup, or a lake that was moved.

    Its paths are rewritten for where it is now. Nothing is taken that a lake does not hold, or that leads out
    of it.

    Example: wistlake restore lake-2026-11-21.tar.gz --to /data/lake
    """
    from wistlake.wiring import copies

    if not (source.is_file() or source.is_dir()):  # a device may never end
        raise ConfigError(f"{source} is neither a folder nor an archive: name what `wistlake backup` made")
    target = Path(os.path.abspath(to or session.settings().lake))
    people = copies.restore(source.absolute(), target, replaces and replaces.absolute())
    if people:
        _forget_again(target, people, now)
    output.say(f"{target} is a lake again: set WISTLAKE_LAKE={shlex.quote(str(target))}")


def _forget_again(folder: Path, people: int, now: datetime | None) -> None:
    """Erase who was forgotten after the copy was made. Until that is done the copy isn't a lake to work with."""
    from wistlake.wiring import copies

    try:
        lake, run_id, at = session.job(now)
        copies.at(folder, lake.here()).forget_again(run_id, at)
    except Exception as e:
        raise ErasureIncomplete(
            f"{folder} still holds {people} people who were forgotten after the copy was made: remove it, and restore "
            f"again ({reason(e)})"
        ) from e
    output.say(f"{people} people who were forgotten after the copy was made are forgotten in it too")


def schedule(
    cron: Annotated[bool, typer.Option("--cron", help="Print a crontab line.")] = False,
    systemd: Annotated[bool, typer.Option("--systemd", help="Print a systemd service and timer.")] = False,
    at: Annotated[str, typer.Option(help="When, UTC.")] = "02:15",
) -> None:
    """Print what makes this machine run every day. Nothing is installed.

    A day that was slept through is caught up: every run fetches all that is missing.

    Example: wistlake schedule --systemd
    """
    clock = _CLOCK.fullmatch(at)
    if clock is None:
        raise typer.BadParameter(f"--at {at!r}: write HH:MM")
    hour, minute = map(int, clock.groups())
    if cron == systemd:
        raise ConfigError("say which one: --cron or --systemd")
    here, command = Path.cwd(), "-m wistlake.entrypoints.cli.main run --scheduled"
    if cron:
        # For cron, a bare % ends the line.
        line = f"cd {shlex.quote(str(here))} && {shlex.quote(sys.executable)} {command}".replace("%", "\\%")
        output.say("# crontab -e. cron skips what falls into a sleep; the second line catches up at start,")
        output.say("# and anacron or --systemd do so at wake-up.")
        output.say("# A cron that does not know CRON_TZ wants the hour in this machine's own zone.")
        output.say("CRON_TZ=UTC")
        output.say(f"{minute} {hour} * * * {line}")
        output.say(f"@reboot {line}")
        return
    output.say("# ~/.config/systemd/user/wistlake.service")
    output.say("[Unit]\nDescription=Wistlake daily run\n\n[Service]\nType=oneshot")
    output.say(f'WorkingDirectory={_unit(here)}\nExecStart="{_unit(sys.executable)}" {command}')
    output.say("# A run of which few media failed says so by a notice, and isn't a failure of the unit.")
    output.say("SuccessExitStatus=3\n")
    output.say("# ~/.config/systemd/user/wistlake.timer  (systemctl --user enable --now wistlake.timer)")
    output.say("[Unit]\nDescription=Wistlake every day\n\n[Timer]")
    output.say(f"OnCalendar=*-*-* {hour:02}:{minute:02}:00 UTC")
    output.say("# Catches up when the machine slept or was off.\nPersistent=true\n")
    output.say("[Install]\nWantedBy=timers.target")


def _unit(path: str | Path) -> str:
    """The path as units of systemd spell it: a bare % begins a specifier there."""
    return str(path).replace("%", "%%")
