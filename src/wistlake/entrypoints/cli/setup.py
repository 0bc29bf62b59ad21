"""`init` and `doctor`: writing the settings, and checking what a run needs."""

import asyncio
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wistlake import zones
from wistlake.entrypoints.cli import output, runs, session
from wistlake.entrypoints.cli.options import Json, Now
from wistlake.errors import ConfigError, WistlakeError

if TYPE_CHECKING:
    from wistlake.insight.doctor import Check
    from wistlake.wiring.lake import Lake

ENV, TOML = ".env", "wistlake.toml"  # loading the settings' own names would make --help wait


def init(
    token: Annotated[
        str | None, typer.Option(help="Wistia's token; better: leave it out and be asked.")
    ] = None,
    media: Annotated[str | None, typer.Option(help="all, or hashed ids with commas between.")] = None,
    zone: Annotated[str | None, typer.Option(help="The account's time zone.")] = None,
    lake: Annotated[str, typer.Option(help="The folder of the lake.")] = "lake",
    offline: Annotated[bool, typer.Option("--offline", help="Do not test the token.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Ask for the settings, test the token, and write them here.

    They go to .env (the token, for its owner only) and wistlake.toml. On a terminal the first run may follow at once.

    Example: wistlake init --media all --zone Europe/Berlin
    """
    from wistlake.settings.write import write

    if folders := [name for name in (ENV, TOML) if Path(name).is_dir()]:
        raise ConfigError(f"{' and '.join(folders)} is a folder here: move it away")
    existing = [name for name in (ENV, TOML) if Path(name).exists()]
    if existing and not force:
        raise ConfigError(
            f"{' and '.join(existing)} exist here already: edit them, or replace them with --force"
        )
    interactive = sys.stdin.isatty()
    token = token or (typer.prompt("Wistia API token", hide_input=True) if interactive else None)
    if not token:
        raise ConfigError(
            "init needs --token where nobody can be asked; without one, `wistlake demo` shows everything"
        )
    media = media or (typer.prompt("Media ids, or all", default="all") if interactive else "all")
    proposed = zones.of_this_machine() or "America/New_York"  # Wistia's own
    zone = zone or (typer.prompt("Account time zone", default=proposed) if interactive else None)
    values = {"MEDIA_IDS": media, "WISTLAKE_LAKE": lake}
    if zone:
        values["WISTLAKE_ACCOUNT_TIMEZONE"] = zone
    settings = session.checked(token, values)
    if not offline:
        from wistlake.wiring.source import probe

        answer = asyncio.run(probe(settings, session.runtime()))
        output.say(f"the token works at {answer.host} ({answer.seconds:.1f} s)")
    write(settings.require_token().get_secret_value(), values)
    output.say("wrote .env (owner only) and wistlake.toml; next: wistlake run")
    if interactive and not offline and typer.confirm("Run it now", default=True):
        runs.first()


def doctor(
    now: Now = None,
    live: Annotated[
        bool, typer.Option("--live", help="Also ask Wistia what nobody has written down.")
    ] = False,
    privacy: Annotated[
        bool, typer.Option("--privacy", help="Instead look for personal data and secrets in the whole lake.")
    ] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Instead read every file of the lake, and compare checksums.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check settings, token, lake, engine, disk and clock.

    A line each, with the cure of what is wrong.

    With --deep: read the databases, every file of the tables and every raw page, and name what is gone, cut,
    or differs in a single bit from what was written.

    With --privacy: look through every byte of the lake, unpacked, for IP and e-mail addresses,
    coordinates, tokens and raw visitor keys outside of the raw pages. No value that is found is shown.

    Example: wistlake doctor --live
    """
    from wistlake.insight.doctor import FAILED, Check

    try:
        lake = session.lake(now)
    except ConfigError as e:
        checks: Iterable[Check] = [Check("settings", FAILED, p) for p in e.problems]
    else:
        checks = (
            lake.look_for_people() if privacy else lake.look_deep() if deep else _examined(lake, live=live)
        )
    checks = list(checks)
    if as_json:
        output.print_json({"checks": [asdict(c) for c in checks]})
    else:
        output.table("", ("check", "verdict", "detail"), ((c.name, c.verdict, c.detail) for c in checks))
    if any(c.verdict == FAILED for c in checks):
        raise typer.Exit(ConfigError.exit_code)


def _examined(lake: "Lake", *, live: bool) -> "Iterator[Check]":
    """Settings, token, lake, engine, disk and clock."""
    from wistlake.insight import doctor

    yield doctor.Check("settings", doctor.OK, f"lake {lake.label}")
    yield from (doctor.Check("settings", doctor.UNKNOWN, w) for w in lake.settings.warnings)
    yield _token(lake)
    yield from lake.examine()
    yield doctor.clock(lake.runtime.clock())
    if live and lake.settings.token is not None:
        yield from asyncio.run(_live(lake))


def _token(lake: "Lake") -> "Check":
    """Whether Wistia takes the token."""
    from wistlake.insight.doctor import FAILED, OK, Check
    from wistlake.wiring.source import probe

    try:
        answer = asyncio.run(probe(lake.settings, lake.runtime))
    except WistlakeError as e:
        return Check("token", FAILED, str(e))
    return Check("token", OK, f"{answer.host} answers in {answer.seconds:.1f} s")


async def _live(lake: "Lake") -> "list[Check]":
    """What Wistia answers to questions that its documentation leaves open."""
    from wistlake.insight.doctor import FAILED, Check
    from wistlake.insight.probes import authentication, probes

    other = "basic" if lake.settings.auth == "bearer" else "bearer"
    try:
        folder = lake.here()
        async with folder.client() as client:
            checks = await probes(client, lake.runtime.clock(), lake.settings.tz)
        changed = replace(folder, settings=lake.settings.model_copy(update={"auth": other}))
        async with changed.client() as client:
            return [*checks, await authentication(client, other)]
    except WistlakeError as e:
        return [Check("live", FAILED, str(e))]
