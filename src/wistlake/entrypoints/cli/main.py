"""`wistlake`: the list of commands, and what becomes of errors."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import typer

from wistlake.entrypoints.cli import (
    contract,
    dashboard,
    demo,
    digest,
    output,
    privacy,
    quarantine,
    report,
    runs,
    session,
    trust,
)
from wistlake.entrypoints.cli import explore as exploring
from wistlake.entrypoints.cli import read as reading
from wistlake.entrypoints.cli import repair as repairing
from wistlake.entrypoints.cli import setup as beginning
from wistlake.entrypoints.cli import upkeep as keeping
from wistlake.errors import StoreError, WistlakeError
from wistlake.foreign import printable

app = typer.Typer(
    name="wistlake",
    help="Wistia's daily engagement numbers, kept as a lakehouse that can be trusted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

NEW_HERE = """
New here?
  wistlake demo    shows everything on simulated days: no account, no token, about a minute
  wistlake init    asks for what is needed, tests the token, and writes the settings
"""

COMMANDS = (
    beginning.init,
    runs.run,
    runs.backfill,
    runs.plan,
    repairing.repair,
    repairing.rebuild,
    reading.status,
    repairing.gaps,
    beginning.doctor,
    keeping.catalog,
    keeping.maintain,
    keeping.backup,
    keeping.restore,
    keeping.schedule,
    reading.query,
    report.report,
    dashboard.dashboard,
    digest.digest,
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
app.add_typer(exploring.explore, name="explore")
app.add_typer(privacy.key, name="key")
app.add_typer(repairing.watermark, name="watermark")
app.add_typer(repairing.media, name="media")
app.add_typer(quarantine.quarantine, name="quarantine")
app.add_typer(contract.contract, name="contract")


@app.callback()
def _begin(verbose: bool = typer.Option(False, "--verbose", "-v", help="Also say each step.")) -> None:
    session.configure_logs(verbose=verbose)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Errors become one message and their exit code; none shows a traceback."""
    output.take_any_text()
    try:
        app(args=list(arguments) if arguments is not None else None)
    except WistlakeError as e:
        raise SystemExit(_told(e)) from None
    except Exception as e:
        refused = _of_the_machine(e)
        code = _told(refused) if refused else _unexpected(e)
        _traced(e)
        raise SystemExit(code) from None


def _told(error: WistlakeError) -> int:
    sys.stderr.write(f"error: {printable(str(error))}\n")
    if any(lacking in str(error) for lacking in ("WISTIA_API_TOKEN is not set", "MEDIA_IDS is empty")):
        sys.stderr.write(NEW_HERE)
    return error.exit_code


def _of_the_machine(error: Exception) -> WistlakeError | None:
    """What this machine refused: a library's own words say little of a full disk."""
    from wistlake import machine
    from wistlake.adapters.local import disk

    if refused := machine.refusal(error):
        return refused
    with suppress(Exception):  # whatever it is, it is not what went wrong
        if why := disk.trouble(session.settings().lake):
            return StoreError(why)
    return None


def _unexpected(error: Exception) -> int:
    """A mistake of ours. Its text may quote what nobody should see."""
    sys.stderr.write(
        f"error: {type(error).__name__}, which is a mistake in wistlake, not yours. Nothing is half "
        "published; running again is safe. `wistlake --verbose ...` shows the traceback\n"
    )
    return WistlakeError.exit_code


def _traced(error: Exception) -> None:
    """The traceback, with --verbose only."""
    import logging
    import traceback

    import structlog

    if structlog.get_logger().is_enabled_for(logging.DEBUG):
        traceback.print_exception(error)


def console() -> None:
    """The installed command. Ends the process at once when all is written and closed: taking the engine's
    libraries down piece by piece would take half a second more, for nothing."""
    code: int | str | None = 0
    try:
        main()
    except SystemExit as e:
        code = e.code
    with suppress(BrokenPipeError):  # whoever read along has seen enough
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    console()
