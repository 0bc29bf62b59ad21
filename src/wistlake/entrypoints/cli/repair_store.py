"""`repair --catalog`, `--ledger`, `--marker`, `--table`: a lake that lost a part of itself."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.runs import perform
from wistlake.errors import ConfigError

if TYPE_CHECKING:
    from wistlake.settings import Settings

Said = tuple[dict[str, Any], list[str]]


def mend(parts: list[str], table: str, now: datetime | None, *, as_json: bool) -> None:
    """Mend the one part that is named, and say what was done."""
    if len(parts) > 1:
        raise ConfigError(f"one at a time: {' or '.join('--' + part for part in parts)}")
    settings, outside = session.settings(), session.outside(now)
    at = outside.clock()
    run_id = session.new_run_id(at)
    if parts == ["table"]:
        _mend_table(settings, table, run_id, now, as_json=as_json)
        return
    facts, lines = _MENDERS[parts[0]](settings, run_id, at)
    if as_json:
        output.as_json(facts)
        return
    for line in lines:
        output.say(line)


def _catalog(settings: "Settings", run_id: str, at: datetime) -> Said:
    from wistlake.wiring import repair as mending

    lost = mending.catalog(settings, run_id, at)
    return {"registered": lost}, [f"{len(lost)} tables are registered again as they were published"]


def _marker(settings: "Settings", run_id: str, at: datetime) -> Said:
    from wistlake.wiring import repair as mending

    zone = mending.marker(settings, run_id, at)
    return {"zone": zone}, [f"lake.json is there again; the lake's days are in {zone}"]


def _ledger(settings: "Settings", run_id: str, at: datetime) -> Said:
    from dataclasses import asdict

    from wistlake.wiring import repair as mending

    done = mending.ledger(settings, run_id, at)
    return asdict(done), [
        (
            f"the ledger is there again: {done.landings} landings of {done.media} media, {done.older} older days "
            f"without raw pages, {done.tombstones} tombstones"
        ),
        "the history of runs is lost, and days must be confirmed again; next: wistlake run",
    ]


_MENDERS: dict[str, Callable[["Settings", str, datetime], Said]] = {
    "catalog": _catalog,
    "ledger": _ledger,
    "marker": _marker,
}


def _mend_table(settings: "Settings", name: str, run_id: str, now: datetime | None, *, as_json: bool) -> None:
    from wistlake.wiring import laptop
    from wistlake.wiring import repair as mending

    outside = session.outside(now)
    at = outside.clock()
    done = mending.table(settings, name, run_id, at)
    if not as_json:
        output.say(_told(name, done))
    if done is None:
        if as_json:
            output.as_json({"status": "succeeded", "tables": {}})
        return
    followed = tuple(m.media_id for m in laptop.ledger(settings).media() if m.retired_at is None)
    spec = laptop.run_spec(settings, run_id=run_id, trigger="repair", now=at, media=followed, build_only=True)
    perform(spec, outside, as_json=as_json, settings=settings)


def _told(name: str, done: Any) -> str:
    if done is None:
        return f"{name} is whole: nothing to mend"
    if done.anew:
        return f"{name} begins anew: nothing of it could be read. What raw pages hold is built again"
    if done.since is not None:
        return (
            f"{name} is back to its state of {done.since:%Y-%m-%d %H:%M} UTC; what came since is built again"
        )
    lines = [f"{name} had to let {len(done.lost)} files go; what raw pages hold of them is built again"]
    return "\n".join([*lines, *(f"  {file}" for file in done.lost[:20])])
