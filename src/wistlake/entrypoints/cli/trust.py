"""`soak`, `certify`, `explain`, `revisions`: evidence for the numbers."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import MOST_DAYS, Json, Media, Now, day, media_ids, one_media_id
from wistlake.errors import unknown


def soak(
    days: Annotated[int, typer.Option(help="Virtual days.", min=1, max=60)] = 7,
    profile: Annotated[str, typer.Option(help="hostile or calm.")] = "hostile",
    seed: Annotated[int, typer.Option(help="Which world, and which faults.")] = 1,
    lake: Annotated[Path | None, typer.Option(help="Keep the lake here.")] = None,
    as_json: Json = False,
) -> None:
    """Live through days of faults, then compare with the truth.

    The clock is virtual, and every table and certificate is compared. What goes wrong, and what passes:
    docs/simulator.md.

    Example: wistlake soak --days 7 --profile hostile --seed 3
    """
    from wistlake_soak.report import soak as live

    outcome = live(profile, seed, days, (lambda _: None) if as_json else output.say, lake and lake.absolute())
    summary = outcome.as_json()
    if as_json:
        output.print_json(summary)
    else:
        _show(summary)
    if not outcome.passed:
        raise typer.Exit(1)


def _show(summary: dict[str, Any]) -> None:
    output.table("Faults injected", ("kind", "times"), summary["faults"].items())
    counts = ("faults_injected", "survived", "requests", "rows", "lost", "duplicated", "wrong")
    output.table("Soak", counts, (summary,))
    proofs = ("certified_days", "contradicted_days", "moved_by_rebuild", "moved_by_a_repeated_run")
    output.table("Proofs", proofs, (summary,))
    if summary["never_happened"]:
        output.say(f"  never happened: {summary['never_happened']}")
    for finding in summary["findings"]:
        output.say(f"  {finding}")
    output.say("passed" if summary["passed"] else "FAILED")


def certify(
    days: Annotated[int, typer.Option(help="Consecutive days.", min=1, max=MOST_DAYS)] = 7,
    pages: Annotated[Path | None, typer.Option(help="Write a page per day into this folder.")] = None,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Whether the lake ran by itself, without hands or gaps.

    A scheduled run a day, no gaps, no duplicates. Of a lake of simulated days: as of its last run.

    Example: wistlake certify --days 7 --pages evidence
    """
    from wistlake.insight.certify import evidence
    from wistlake.wiring.spec import window

    lake = session.lake()
    ledger = lake.ledger(read_only=True)
    report = evidence(ledger, lake.query(), window(lake.settings, session.as_of(now, ledger)), days)
    if pages is not None:
        pages.mkdir(parents=True, exist_ok=True)
        for page in report.days:
            (pages / f"{page.day}.md").write_text(page.markdown(), encoding="utf-8")
    if as_json:
        day_pages = [{"day": d.day, "origin": d.origin, "problems": list(d.problems)} for d in report.days]
        output.print_json({"passed": report.passed, "problems": list(report.problems), "days": day_pages})
    else:
        rows = ((d.day, d.origin, d.run and d.run.run_id, "; ".join(d.problems)) for d in report.days)
        output.table("Evidence", ("day", "origin", "run", "problems"), rows)
        for problem in report.problems:
            output.say(f"  {problem}")
        output.say("passed" if report.passed else "FAILED")
    if not report.passed:
        raise typer.Exit(1)


def explain(
    table: Annotated[str, typer.Argument(help="fact_media_daily")],
    media: Annotated[str, typer.Option(help="Hashed id.")],
    date_: Annotated[date, typer.Option("--date", parser=day, metavar="DAY", help="The account's day.")],
    metric: Annotated[str | None, typer.Option(help="Only this column of the row.")] = None,
    as_json: Json = False,
) -> None:
    """Why a day's numbers are what they are, and how they moved.

    Example: wistlake explain fact_media_daily --media abc123def4 --date 2026-03-04 --metric plays
    """
    from wistlake.insight.explain import DAILY
    from wistlake.insight.explain import explain as explained

    if table != DAILY:
        raise unknown("table for explain", table, [DAILY])
    media_id = one_media_id(media, "--media")
    lake = session.lake()
    ledger = lake.ledger(read_only=True)
    history = explained(ledger, lake.objects(), lake.query(), media_id, date_, lake.settings.tz)
    if metric is not None:
        if metric not in history["row"]:
            raise unknown(f"column of {DAILY}", metric, history["row"])
        history["row"] = {metric: history["row"][metric]}
    if as_json:
        output.print_json(history)
        return
    output.table(f"{media_id} on {date_}", ("column", "value"), history["row"].items())
    output.table("Sessions", tuple(history["sessions"]), (list(history["sessions"].values()),))
    for title, name in (
        ("What each reading of its sessions brought", "changes"),
        ("How Wistia's counts moved", "observations"),
        ("Landings", "landings"),
        ("Verdicts", "verdicts"),
    ):
        rows = history[name]
        output.table(title, tuple(rows[0]) if rows else ("none",), rows)
    output.say(
        f"run {history['run_id']}, snapshot {history['snapshot_id']}, transforms v{history['transform_version']}, "
        f"contract v{history['contract_version']}"
    )


def revisions(media: Media = None, as_json: Json = False) -> None:
    """How each day's numbers moved at the source.

    Every count since it was first read, and the sessions that came late, grew or went.

    Example: wistlake revisions --media abc123def4
    """
    from wistlake.insight.explain import moved_sessions
    from wistlake.insight.explain import revisions as moved

    ids = media_ids(media) or (None,)
    query = session.lake().query()
    counts = [row for media_id in ids for row in moved(query, media_id)]
    sessions = [row for media_id in ids for row in moved_sessions(query, media_id)]
    if as_json:
        output.print_json({"revisions": counts, "sessions": sessions})
        return
    of_counts = ("media", "day", "observed", "loads", "plays", "hours", "+loads", "+plays")
    output.table("Revisions", of_counts, ([*r.values()] for r in counts))
    of_sessions = ("media", "day", "listed", "removed", "late", "grown")
    output.table("Sessions that moved", of_sessions, ([*r.values()] for r in sessions))
