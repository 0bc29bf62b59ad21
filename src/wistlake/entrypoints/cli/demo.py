"""`demo` and `simulate`: Wistlake without an account."""

import os
import shlex
import shutil
import sys
import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wistlake.entrypoints.cli import output, progress, session
from wistlake.entrypoints.cli.options import Json, Now, Port, seconds
from wistlake.entrypoints.cli.report import write_after_run
from wistlake.errors import ConfigError, unknown

if TYPE_CHECKING:
    from wistia_simulator import World
    from wistlake.settings import Settings
    from wistlake.wiring.laptop import LaptopLake

DEMO_LAKE = Path("demo-lake")
FIRST_RUN = datetime(2026, 3, 2, 2, 15, tzinfo=UTC)
Seed = Annotated[int, typer.Option(help="Which world.")]


def demo(
    days: Annotated[int, typer.Option(help="Virtual days, one run each.", min=1, max=60)] = 7,
    seed: Seed = 1,
    lake: Annotated[
        Path, typer.Option(help="Where; an earlier demo's lake there is made anew, any other is left alone.")
    ] = DEMO_LAKE,
    as_json: Json = False,
) -> None:
    """Run everything on simulated days: no account, no token.

    The lake is its own, and the network is not used.

    Example: wistlake demo --days 3
    """
    from pydantic import SecretStr

    from wistia_simulator import Profile, World
    from wistlake.settings import ArgumentsOnly

    folder = lake.absolute()
    world = World(seed, Profile(media=4), FIRST_RUN)
    results = []
    settings = ArgumentsOnly(token=SecretStr("simulated"), media_ids=("all",), lake=folder)
    with _lake(settings, world).folder.demo(settings.account_timezone, FIRST_RUN):
        if not as_json:
            output.say(f"{days} simulated days, one run each; no account and no network is used.")
        with progress.shown(hidden=as_json) as step:
            for number in range(days):
                step("simulating days", number, days)
                world.clock.set(FIRST_RUN + timedelta(days=number))
                simulated = _lake(settings, world)
                result = _one_day(simulated)
                results.append(result)
                if not as_json:
                    new = sum(t.get("new", 0) for t in result["tables"].values())
                    output.say(f"{world.clock.now():%Y-%m-%d}: {result['status']}, {new:,} new rows")
        write_after_run(simulated)
    if as_json:
        output.print_json({"lake": str(folder), "runs": results})
        return
    _what_next(folder)


def _lake(settings: "Settings", world: "World") -> "LaptopLake":
    """The lake with a simulator in this process for its network."""
    from wistia_simulator import ServerOptions, create_app, transport
    from wistlake.wiring.laptop import LaptopLake
    from wistlake.wiring.runtime import Runtime

    app = create_app(world, ServerOptions(token="simulated", rate_limit_per_minute=None))
    return LaptopLake(settings, Runtime(world.clock.now, time.monotonic, transport(app)))


def _one_day(lake: "LaptopLake") -> dict[str, Any]:
    """A scheduled run at the lake's time; its result."""
    from wistlake.pipeline.run.driver import run
    from wistlake.wiring.spec import run_spec

    now = lake.runtime.clock()
    spec = run_spec(lake.settings, run_id=session.new_run_id(now), trigger="scheduled", now=now)
    # Not the real account: requests cost nothing, so the budget's pace is left out.
    return run(spec, lake.dependencies(pace=False)).as_json()


def _simulated(option: str, name: str, names: Collection[str], kind: Any, *seed: int) -> Any:
    """A profile or a fault plan, by name or from a JSON file. ConfigError for what is neither."""
    if Path(name).suffix != ".json":
        if name not in names:
            raise unknown(option.replace("faults", "fault plan"), name, names)
        return kind.named(name, *seed)
    try:
        return kind.from_json(Path(name))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as e:
        raise ConfigError(f"--{option} {name} can't be read: {e}") from None


def _recordings(folder: Path | None) -> Path | None:
    """A folder with recordings. ConfigError otherwise."""
    if folder is not None and not any(folder.glob("*.*json")):
        raise ConfigError(f"--replay {folder} isn't a folder of recordings: `wistlake explore` makes one")
    return folder


def _what_next(folder: Path) -> None:
    command = _command()
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    env = f"WISTLAKE_LAKE={shlex.quote(str(shown))} "
    output.say(f"\nThe demo's lake is in {folder}, apart from your own. Open its report in a browser:")
    output.say(f"  {folder / 'report.html'}\nTry:")
    output.say(f"  {env}{command} status")
    output.say(
        f'  {env}{command} query "SELECT date, sum(plays) AS plays, sum(watch_milliseconds) / 3600000 AS hours '
        'FROM gold.fact_media_daily GROUP BY date ORDER BY date"'
    )
    output.say(f'  {env}{command} query "SELECT * FROM silver.dim_media" --format json')


def _command() -> str:
    """As it can be typed here: `make` installs the command into .venv, which may not be on the path, and uvx into an
    environment that nobody finds again."""
    if os.environ.get("UV") and "archive-v0" in Path(sys.prefix).parts:
        return "uvx wistlake"
    if shutil.which("wistlake"):
        return "wistlake"
    command = os.path.relpath(sys.argv[0])
    return "python -m wistlake.entrypoints.cli.main" if command.endswith(".py") else command


def simulate(
    port: Port = 8765,
    seed: Seed = 1,
    now: Now = None,
    latency: Annotated[
        float, typer.Option(parser=seconds, metavar="SECONDS", help="Seconds each answer takes.")
    ] = 0.0,
    rate_limit: Annotated[int, typer.Option(help="Requests a minute; 0 for none.", min=0)] = 600,
    profile: Annotated[
        str, typer.Option(help="The account: default, calm, described, hostile, or a JSON file.")
    ] = "default",
    faults: Annotated[str, typer.Option(help="none, calm, hostile, or a JSON file.")] = "none",
    token: Annotated[
        str | None, typer.Option(help="The token to ask for; default: any, with --replay a fresh one.")
    ] = None,
    replay: Annotated[Path | None, typer.Option(help="Serve recorded payloads from this folder.")] = None,
) -> None:
    """Serve a fake Wistia on this machine.

    What it serves, its profiles and faults: docs/simulator.md.

    Example: wistlake simulate --port 8765 --seed 7
    """
    from wistia_simulator import FaultPlan, Profile
    from wistia_simulator.faults import PLANS
    from wistia_simulator.main import Serving, serve
    from wistia_simulator.profile import PROFILES

    serve(
        Serving(
            port=port,
            seed=seed,
            now=now,
            latency=latency,
            rate_limit=rate_limit,
            profile=_simulated("profile", profile, PROFILES, Profile),
            faults=_simulated("faults", faults, PLANS, FaultPlan, seed),
            token=token,
            replay=_recordings(replay),
        )
    )
