"""`wistlake`: the list of commands, and what becomes of errors."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import typer

from wistlake.entrypoints.cli import (
    beginning,
    contract,
    dashboard,
    demo,
    digest,
    exploring,
    keeping,
    output,
    privacy,
    quarantine,
    reading,
    repairing,
    report,
    runs,
    session,
    trust,
)
from wistlake.errors import WistlakeError
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
        sys.stderr.write(f"error: {printable(str(e))}\n")
        if any(lacking in str(e) for lacking in ("WISTIA_API_TOKEN is not set", "MEDIA_IDS is empty")):
            sys.stderr.write(NEW_HERE)
        raise SystemExit(e.exit_code) from None
    except Exception as e:
        _unexpected(e)
        raise SystemExit(WistlakeError.exit_code) from None


def _unexpected(error: Exception) -> None:
    """A mistake of ours. Its text may quote what nobody should see: only --verbose shows it."""
    import logging
    import traceback

    import structlog

    sys.stderr.write(
        f"error: {type(error).__name__}, which is a mistake in wistlake, not yours. Nothing is half "
    )
    sys.stderr.write("published; running again is safe. `wistlake --verbose ...` shows the traceback\n")
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
