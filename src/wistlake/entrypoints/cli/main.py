"""`wistlake`: the list of commands, and how errors are reported."""

import gc
import os
import re
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress

import typer
from typer.exceptions import TyperException

from wistlake import machine
from wistlake.entrypoints.cli import (
    contract,
    dashboard,
    demo,
    digest,
    explore,
    export,
    labels,
    mcp,
    media,
    metric,
    output,
    privacy,
    quarantine,
    read,
    repair,
    report,
    runs,
    session,
    setup,
    trust,
    upkeep,
    watch,
)
from wistlake.errors import ConfigError, StoreError, WistlakeError
from wistlake.foreign import printable

app = typer.Typer(
    name="wistlake",
    help="Wistia numbers you can trust, in your own lakehouse.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

NEW_HERE = """
New here?
  wistlake demo    shows everything on simulated days: no account, no token, about a minute
  wistlake init    asks for what is needed, tests the token, and writes the settings
"""

COMMANDS = (
    setup.init,
    runs.run,
    runs.backfill,
    runs.plan,
    repair.repair,
    repair.rebuild,
    read.status,
    repair.gaps,
    setup.doctor,
    upkeep.catalog,
    upkeep.maintain,
    upkeep.backup,
    upkeep.restore,
    upkeep.schedule,
    read.query,
    metric.metric,
    metric.retention,
    metric.trust,
    export.export,
    report.report,
    dashboard.dashboard,
    mcp.mcp,
    digest.digest,
    watch.watch,
    privacy.forget,
    demo.demo,
    demo.simulate,
    trust.soak,
    trust.certify,
    trust.explain,
    trust.revisions,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(explore.explore, name="explore")
app.add_typer(privacy.key, name="key")
app.add_typer(repair.watermark, name="watermark")
media.media.command("label")(labels.label)
app.add_typer(media.media, name="media")
app.add_typer(quarantine.quarantine, name="quarantine")
app.add_typer(contract.contract, name="contract")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        output.say(f"wistlake {version('wistlake')}")
        raise typer.Exit


@app.callback()
def _configure(
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Also say each step."),
    _version: bool = typer.Option(
        False, "--version", help="Print the version, and end.", is_eager=True, callback=_print_version
    ),
) -> None:
    session.configure_logs(verbose=verbose)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Errors become one message and their exit code; none shows a traceback."""
    output.take_any_text()
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        # By typer's own name in messages, whatever started this process.
        ended = app(args=given, prog_name="wistlake", standalone_mode=False)
    except TyperException as e:
        raise SystemExit(_misused(e)) from None
    except typer.Abort:
        sys.stderr.write("error: standard input ended before the answer: give it as an option\n")
        raise SystemExit(ConfigError.exit_code) from None
    except WistlakeError as e:
        raise SystemExit(_reported(e)) from None
    except Exception as e:
        refusal = _of_the_machine(e)
        code = _reported(refusal) if refusal else _unexpected(e)
        _traced(e)
        raise SystemExit(code) from None
    raise SystemExit(ended if isinstance(ended, int) else 0)


def _misused(error: TyperException) -> int:
    """Write what is wrong with the command line, in one line as any other error; the exit code. Nothing at all after
    a group's name is a question, and its list of commands the answer."""
    context, message = getattr(error, "ctx", None), getattr(error, "format_message", error.__str__)()
    if context is None or type(error).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(f"{message}\n")
        return ConfigError.exit_code
    named = re.sub(r"^Invalid value(?: for '([^']+)')?: ", lambda m: f"{m[1]}: " if m[1] else "", message)
    named = re.sub(r"^Missing (argument|option) '([^']+)'", lambda m: f"{m[2]} is missing", named)
    named = " ".join(named.split()).rstrip(".")
    sys.stderr.write(
        f"error: {printable(named[:1].lower() + named[1:])}; `{context.command_path} -h` shows how\n"
    )
    return ConfigError.exit_code


def _reported(error: WistlakeError) -> int:
    """Write the message of an error; its exit code."""
    sys.stderr.write(f"error: {printable(str(error))}\n")
    if any(lacking in str(error) for lacking in ("WISTIA_API_TOKEN is not set", "MEDIA_IDS is empty")):
        sys.stderr.write(NEW_HERE)
    return error.exit_code


def _of_the_machine(error: Exception) -> WistlakeError | None:
    """The error as one that names its cure, if this machine caused it: a full disk, rights, too few files."""
    if refusal := machine.refusal(error):
        return refusal
    with suppress(Exception):  # settings that can't be read are not what failed
        from wistlake.wiring.lake import disk_trouble

        if reason := disk_trouble(session.settings()):
            return StoreError(reason)
    return None


def _unexpected(error: Exception) -> int:
    """Report a bug. The error's own text is left out: it may quote personal data."""
    sys.stderr.write(
        f"error: {type(error).__name__}, which is a mistake in wistlake, not yours. Nothing is half "
        "published; running again is safe. `wistlake --verbose ...` shows the traceback\n"
    )
    return WistlakeError.exit_code


def _traced(error: Exception) -> None:
    """The traceback, with --verbose only."""
    if session.is_verbose():
        traceback.print_exception(error)


def console() -> None:
    """The installed command. Ends the process once everything is written: an orderly shutdown of the engine's
    libraries would take half a second more."""
    # Modules and records live until the end: looking through them for garbage is a sixth of a short command's time.
    gc.set_threshold(100_000, 50, 50)
    code: int | str | None = 0
    try:
        main()
    except SystemExit as e:
        code = e.code
    with suppress(BrokenPipeError):  # the reader, such as head, has ended
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    console()
