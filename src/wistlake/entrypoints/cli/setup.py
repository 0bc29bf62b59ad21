"""`init` and `doctor`: the first minute, and the day on which something is wrong."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import Json, Now
from wistlake.errors import ConfigError, WistlakeError

if TYPE_CHECKING:
    from wistlake.insight.doctor import Check
    from wistlake.settings import Settings
    from wistlake.wiring.laptop import Runtime

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

    They go to .env (the token, for its owner only) and wistlake.toml.

    Example: wistlake init --media all --zone Europe/Berlin
    """
    if folders := [name for name in (ENV, TOML) if Path(name).is_dir()]:
        raise ConfigError(f"{' and '.join(folders)} is a folder here: move it away")
    there = [name for name in (ENV, TOML) if Path(name).exists()]
    if there and not force:
        raise ConfigError(
            f"{' and '.join(there)} exist here already: edit them, or replace them with --force"
        )
    asking = sys.stdin.isatty()
    token = token or (typer.prompt("Wistia API token", hide_input=True) if asking else None)
    if not token:
        raise ConfigError(
            "init needs --token where nobody can be asked; without one, `wistlake demo` shows everything"
        )
    media = media or (typer.prompt("Media ids, or all", default="all") if asking else "all")
    zone = zone or (typer.prompt("Account time zone", default="America/New_York") if asking else None)
    values = {"MEDIA_IDS": media, "WISTLAKE_LAKE": lake}
    if zone:
        values["WISTLAKE_ACCOUNT_TIMEZONE"] = zone
    from wistlake.settings.write import write

    settings = session.checked(token, values)
    if not offline:
        from wistlake.wiring import laptop

        probe = asyncio.run(laptop.probe(settings, session.outside(None)))
        output.say(f"the token works at {probe.host} ({probe.seconds:.1f} s)")
    write(settings.require_token().get_secret_value(), values)
    output.say("wrote .env (owner only) and wistlake.toml; next: wistlake run")


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
    from wistlake.insight.doctor import Check

    try:
        settings = session.settings()
    except ConfigError as e:
        checks: list[Check] = [Check("settings", "failed", p) for p in e.problems]
    else:
        checks = (
            _looked(settings)
            if privacy
            else _looked_deep(settings)
            if deep
            else _examined(settings, session.outside(now), live=live)
        )
    if as_json:
        output.as_json({"checks": [c.as_json() for c in checks]})
    else:
        output.table("", ("check", "verdict", "detail"), ((c.name, c.verdict, c.detail) for c in checks))
    if any(c.verdict == "failed" for c in checks):
        raise typer.Exit(ConfigError.exit_code)


def _looked(settings: "Settings") -> "list[Check]":
    from wistlake.wiring import privacy as wiring

    return list(wiring.examine(settings))


def _looked_deep(settings: "Settings") -> "list[Check]":
    from wistlake.wiring import laptop

    return list(laptop.look_deep(settings))


def _examined(settings: "Settings", outside: "Runtime", *, live: bool) -> "list[Check]":
    from wistlake.insight.doctor import OK, UNKNOWN, Check
    from wistlake.wiring import laptop

    where = settings.lake if settings.place == "laptop" else f"on AWS, stage {settings.stage}"
    checks = [
        Check("settings", OK, f"lake {where}"),
        *(Check("settings", UNKNOWN, w) for w in settings.warnings),
    ]
    checks += laptop.examine(settings, outside)
    if live and settings.token is not None:
        checks += asyncio.run(_live(settings, outside))
    return checks


async def _live(settings: "Settings", outside: "Runtime") -> "list[Check]":
    from wistlake.insight.doctor import Check, authentication, probes
    from wistlake.wiring import laptop

    other = "basic" if settings.auth == "bearer" else "bearer"
    try:
        async with laptop.client(settings, outside) as client:
            found = await probes(client, outside.clock(), settings.tz)
        async with laptop.client(settings.model_copy(update={"auth": other}), outside) as client:
            return [*found, await authentication(client, other)]
    except WistlakeError as e:
        return [Check("live", "failed", str(e))]
