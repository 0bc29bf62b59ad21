"""`soak`: proof that the numbers can be trusted."""

from pathlib import Path
from typing import Annotated

import typer

from wistlake.entrypoints.cli import output
from wistlake.entrypoints.cli.options import Json


def soak(
    days: Annotated[int, typer.Option(help="Virtual days.", min=1, max=60)] = 7,
    profile: Annotated[str, typer.Option(help="hostile or calm.")] = "hostile",
    seed: Annotated[int, typer.Option(help="Which world, and which faults.")] = 1,
    lake: Annotated[Path | None, typer.Option(help="Keep the lake here.")] = None,
    as_json: Json = False,
) -> None:
    """Live through days of faults by a virtual clock, then compare every table with the truth.

    Example: wistlake soak --days 7 --profile hostile --seed 3
    """
    from wistlake.entrypoints.soak.report import soak as live

    outcome = live(profile, seed, days, (lambda _: None) if as_json else output.say, lake and lake.absolute())
    found = outcome.as_json()
    if as_json:
        output.as_json(found)
    else:
        _show(found)
    if not outcome.passed:
        raise typer.Exit(1)


def _show(found: dict[str, object]) -> None:
    faults = found["faults"]
    assert isinstance(faults, dict)  # noqa: S101 - it is made a page above
    output.table("Faults injected", ("kind", "times"), faults.items())
    counts = ("faults_injected", "survived", "requests", "rows", "lost", "duplicated", "wrong")
    output.table("Soak", counts, ([found[c] for c in counts],))
    findings = found["findings"]
    assert isinstance(findings, list)  # noqa: S101
    for finding in findings:
        output.say(f"  {finding}")
    output.say("passed" if found["passed"] else "FAILED")
