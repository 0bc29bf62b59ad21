"""`forget`, `key`, `privacy`: people, their pseudonyms, and what must not be in the lake."""

from typing import Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import Json, Now
from wistlake.entrypoints.cli.report import write_after_run

key = typer.Typer(name="key", help="The key behind the visitors' pseudonyms.", no_args_is_help=True)


def forget(
    email: Annotated[str, typer.Option("--email", help="The person's address.")] = "",
    visitor_key: Annotated[str, typer.Option("--visitor-key", help="Wistia's key of their device.")] = "",
    devices: Annotated[
        int | None,
        typer.Option(min=0, help="How many devices may go, where --dry-run counts more than a few."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and change nothing.")] = False,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Forget a person, in every table and for good.

    Bronze, silver, gold, their history, and whatever Wistia lists of them later. Whose a session is, `email`,
    `conversion_data` and `visitor_identity` tell; the address is masked wherever else it stands.

    Example: wistlake forget --email person@example.com --dry-run
    """
    from wistlake.pipeline.jobs.forget import Who

    who = Who(email.strip(), visitor_key.strip(), devices)
    lake, run_id, at = session.job(now)
    receipt = lake.forget(run_id, at, who, dry_run=dry_run)
    if lake.settings.report and lake.builds_here and not dry_run:
        write_after_run(lake)
    if as_json:
        output.print_json(receipt)
        return
    output.table("Forgotten" if not dry_run else "Would be forgotten", ("where", "what"), receipt.items())


@key.command("rotate")
def rotate(now: Now = None, as_json: Json = False) -> None:
    """Begin a new epoch, with a fresh key.

    Every stored id is wrapped with it, and ids stay joinable.

    Example: wistlake key rotate
    """
    lake, run_id, at = session.job(now)
    receipt = lake.rotate(run_id, at)
    text = f"epoch {receipt['epoch']}: {sum(receipt['tables'].values())} rows wrapped"
    output.answer(receipt, text, as_json=as_json)


@key.command("show-epoch")
def show_epoch() -> None:
    """Print which epoch the ids are in.

    The key itself is never printed.

    Example: wistlake key show-epoch
    """
    chain = session.lake().key_chain()
    interrupted = " (a rotation was interrupted: wistlake key rotate)" if chain.pending else ""
    output.say(f"{chain.epoch}{interrupted}")
