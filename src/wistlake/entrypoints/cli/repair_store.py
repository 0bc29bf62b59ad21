"""`repair --catalog`, `--ledger`, `--marker`, `--table`: a lake that lost a part of itself."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.runs import perform
from wistlake.errors import ConfigError

if TYPE_CHECKING:
    from wistlake.adapters.local.table_repair import Repaired
    from wistlake.wiring.laptop import LaptopLake


def repair(parts: list[str], table: str, now: datetime | None, *, as_json: bool) -> None:
    """Repair the one part that is named, and print what was done."""
    if len(parts) > 1:
        raise ConfigError(f"one at a time: {' or '.join('--' + part for part in parts)}")
    lake, run_id, at = session.job(now)
    if parts == ["table"]:
        _table(lake.here(), table, run_id, at, as_json=as_json)
        return
    output.answer(*_repaired(parts[0], lake.here(), run_id, at), as_json=as_json)


def _repaired(part: str, lake: "LaptopLake", run_id: str, at: datetime) -> tuple[dict[str, Any], str]:
    """Repair catalog, ledger or marker; what was done as JSON, and as lines for people."""
    from wistlake.wiring import laptop_repair

    if part == "catalog":
        lost = laptop_repair.catalog(lake, run_id, at)
        return {"registered": lost}, f"{len(lost)} tables are registered again as they were published"
    if part == "marker":
        zone = laptop_repair.marker(lake, run_id, at)
        return {"zone": zone}, f"lake.json is there again; the lake's days are in {zone}"
    done = laptop_repair.ledger(lake, run_id, at)
    return asdict(done), (
        f"the ledger is there again: {done.landings} landings of {done.media} media, {done.older} older days "
        f"without raw pages, {done.tombstones} tombstones, labels of {done.labelled} media\n"
        "the history of runs and labels is lost, and days must be confirmed again; next: wistlake run"
    )


def _table(lake: "LaptopLake", name: str, run_id: str, at: datetime, *, as_json: bool) -> None:
    from wistlake.pipeline.jobs.media import followed
    from wistlake.wiring import laptop_repair
    from wistlake.wiring.spec import run_spec

    repaired = laptop_repair.table(lake, name, run_id, at)
    if repaired is None:
        unchanged = {"status": "succeeded", "tables": {}}
        output.answer(unchanged, f"{name} is whole: nothing to mend", as_json=as_json)
        return
    if not as_json:
        output.say(_message(name, repaired))
    media = followed(lake.ledger())
    spec = run_spec(lake.settings, run_id=run_id, trigger="repair", now=at, media=media, build_only=True)
    perform(lake, spec, as_json=as_json)


def _message(name: str, repaired: "Repaired") -> str:
    if repaired.is_empty:
        return f"{name} is empty now: nothing of it could be read. What raw pages hold is built again"
    if repaired.since is not None:
        return f"{name} is back to its state of {repaired.since:%Y-%m-%d %H:%M} UTC; what came since is built again"
    lines = [f"{name} lost {len(repaired.lost)} files; what raw pages hold of them is built again"]
    return "\n".join([*lines, *(f"  {file}" for file in repaired.lost[:20])])
