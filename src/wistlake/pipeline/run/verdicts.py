"""What a build found, told to people: why a day was stopped, and what is broken and stops nothing."""

from datetime import date

from wistlake.errors import Unreconciled
from wistlake.pipeline.tables import BuildResult
from wistlake.quality.checks import Effect
from wistlake.quality.reconciliation import Judgement, Verdict


def unreconciled(built: BuildResult, media_id: str, day: date) -> Unreconciled:
    """Why a day stayed out of gold, and what to do about it."""
    broken = [
        j
        for j in built.judgements
        if (j.media_id, j.date) == (media_id, day) and j.blocking and j.verdict is Verdict.BROKEN
    ]
    why = "; ".join(f"{j.identity}: {_figures(j)}" for j in broken) or "its gold breaks its contract"
    return Unreconciled(
        f"{media_id} on {day} does not reconcile ({why}); gold was left as it was. Read the day anew: `wistlake "
        f"backfill --from {day} --to {day} --media {media_id}`; what Wistia says twice is believed"
    )


def warnings(built: BuildResult) -> list[str]:
    """Broken checks and identities that stop nothing, in words; the latest word on each."""
    told = {
        (
            f.check,
            f.scope,
        ): f"{f.scope}: {f.check} is broken by {f.violations} of {f.checked}. {f.detail}".rstrip(" .")
        for f in built.findings
        if f.is_broken and f.effect is Effect.WARN
    }
    told |= {
        (
            j.identity,
            f"{j.media_id} {j.date}",
        ): f"{j.media_id} on {j.date}: {j.identity} is broken, {_figures(j)}"
        for j in built.judgements
        if j.verdict is Verdict.BROKEN and not j.blocking
    }
    return list(told.values())


def _figures(j: Judgement) -> str:
    return f"ours {j.ours:g}, theirs {j.theirs:g}" if None not in (j.ours, j.theirs) else "figures unknown"
