"""What a period lacks, in sentences of plain text. Titles come from people: nothing here is markup."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from wistlake_dashboard import words
from wistlake_dashboard.coverage import Coverage, Gap, Reason

MOST_NAMES, MOST_SENTENCES = 3, 6
_SENTENCES = {
    Reason.ABSENT: "Not published: {days} ({media}).",
    Reason.BLOCKED: "Blocked, for a reading failed or does not reconcile: {days} ({media}).",
    Reason.STALE: "Older numbers stand, for the newest reading is blocked: {days} ({media}).",
    Reason.UNCOUNTED: "Without Wistia's counts, so plays and loads are unknown: {days} ({media}).",
    Reason.NOT_YET: "Not followed before {days}: {media}.",
    Reason.NO_LONGER: "No longer followed after {days}: {media}.",
    Reason.DELETED: "Deleted at Wistia, no numbers after {days}: {media}.",
}
LIKE_WITH_LIKE = "Changes compare like with like: what one of the two periods lacks is left out of both."
NO_COMPARISON = "Nothing to compare with: too little of the period before is there."
_DAY = timedelta(days=1)


def sentences(coverage: Coverage, names: Mapping[str, str], *, compared: bool) -> list[str]:
    """What is missing in the period and, where it is `compared` with the one before, in that one."""
    start = coverage.scope.before.start if compared else coverage.scope.start
    media: dict[tuple[date, date, Reason], list[str]] = {}
    for gap in coverage.gaps:
        if gap.end >= start and gap.reason in _SENTENCES:
            media.setdefault(_about(gap), []).append(gap.media_id)
    # What the period itself lacks comes first.
    ordered = sorted(media, key=lambda about: (about[1] < coverage.scope.start, about))
    lines = [_sentence(about, media[about], coverage, names) for about in ordered]
    if len(lines) > MOST_SENTENCES:
        rest = len(lines) - MOST_SENTENCES + 1
        lines = [*lines[:-rest], f"And {words.plural(rest, 'gap')} more."]
    if compared and coverage.even and not coverage.is_whole:
        lines.append(LIKE_WITH_LIKE)
    return lines


def _about(gap: Gap) -> tuple[date, date, Reason]:
    """Days and reason: one sentence for all media that share them."""
    if gap.reason is Reason.NOT_YET:
        return (gap.end + _DAY, gap.end + _DAY, gap.reason)
    if gap.reason in (Reason.NO_LONGER, Reason.DELETED):
        return (gap.start - _DAY, gap.start - _DAY, gap.reason)
    return (gap.start, gap.end, gap.reason)


def _sentence(
    about: tuple[date, date, Reason], media: Sequence[str], coverage: Coverage, names: Mapping[str, str]
) -> str:
    start, end, reason = about
    return _SENTENCES[reason].format(days=words.span(start, end), media=_listed(media, coverage, names))


def _listed(media: Sequence[str], coverage: Coverage, names: Mapping[str, str]) -> str:
    if len(media) > 1 and len(media) == len(coverage.media):
        return "all media"
    rest = len(media) - MOST_NAMES
    shown = [names.get(m, m) for m in media[:MOST_NAMES]]
    return ", ".join([*shown, f"{words.plural(rest, 'other')}"] if rest > 0 else shown)
