"""`wistlake`: the list of commands, and what becomes of errors."""

import os
import sys
from collections.abc import Sequence

import typer

from wistlake.entrypoints.cli import (
    beginning,
    dashboard,
    demo,
    digest,
    exploring,
    keeping,
    privacy,
    reading,
    repairing,
    report,
    runs,
    session,
    trust,
)
from wistlake.errors import WistlakeError

app = typer.Typer(
    name="wistlake",
    help="Wistia's daily engagement numbers, kept as a lakehouse that can be trusted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

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
    digest.digest,
    dashboard.dashboard,
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


@app.callback()
def _begin(verbose: bool = typer.Option(False, "--verbose", "-v", help="Also say each step.")) -> None:
    session.configure_logs(verbose=verbose)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. Errors become one message and their exit code; none shows a traceback."""
    try:
        app(args=list(arguments) if arguments is not None else None)
    except WistlakeError as e:
        sys.stderr.write(f"error: {e}\n")
        if "WISTIA_API_TOKEN is not set" in str(e):
            sys.stderr.write(
                "`wistlake init` asks for what is needed; `wistlake demo` needs no account at all\n"
            )
        raise SystemExit(e.exit_code) from None


def console() -> None:
    """The installed command. Ends the process at once when all is written and closed: taking the engine's
    libraries down piece by piece would take half a second more, for nothing."""
    code: int | str | None = 0
    try:
        main()
    except SystemExit as e:
        code = e.code
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    console()
