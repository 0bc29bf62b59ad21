"""What a period lacks, in sentences of plain text. Titles come from people: nothing here is markup."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from wistlake_dashboard import words
from wistlake_dashboard.coverage import Coverage, Lack, Why

MOST_NAMES, MOST_SENTENCES = 3, 6
_SENTENCES = {
    Why.ABSENT: "Not published: {days} ({media}).",
    Why.BLOCKED: "Blocked, for a reading failed or does not reconcile: {days} ({media}).",
    Why.STALE: "Older numbers stand, for the newest reading is blocked: {days} ({media}).",
    Why.NOT_YET: "Not followed before {days}: {media}.",
    Why.NO_LONGER: "No longer followed after {days}: {media}.",
    Why.DELETED: "Deleted at Wistia, no numbers after {days}: {media}.",
}
LIKE_WITH_LIKE = "Changes compare like with like: what one of the two periods lacks is left out of both."
NO_COMPARISON = "Nothing to compare with: too little of the period before is there."
_DAY = timedelta(days=1)


def sentences(coverage: Coverage, names: Mapping[str, str], *, compared: bool) -> list[str]:
    """What is missing in the period and, where it is `compared` with the one before, in that one."""
    start = coverage.scope.before.start if compared else coverage.scope.start
    media: dict[tuple[date, date, Why], list[str]] = {}
    for lack in coverage.lacks:
        if lack.end >= start and lack.why in _SENTENCES:
            media.setdefault(_about(lack), []).append(lack.media_id)
    # What the period itself lacks comes first.
    ordered = sorted(media, key=lambda about: (about[1] < coverage.scope.start, about))
    lines = [_sentence(about, media[about], coverage, names) for about in ordered]
    if len(lines) > MOST_SENTENCES:
        rest = len(lines) - MOST_SENTENCES + 1
        lines = [*lines[:-rest], f"And {words.plural(rest, 'gap')} more."]
    if compared and coverage.even and not coverage.is_whole:
        lines.append(LIKE_WITH_LIKE)
    return lines


def _about(lack: Lack) -> tuple[date, date, Why]:
    """Days and reason: one sentence for all media that share them."""
    if lack.why is Why.NOT_YET:
        return (lack.end + _DAY, lack.end + _DAY, lack.why)
    if lack.why in (Why.NO_LONGER, Why.DELETED):
        return (lack.start - _DAY, lack.start - _DAY, lack.why)
    return (lack.start, lack.end, lack.why)


def _sentence(
    about: tuple[date, date, Why], media: Sequence[str], coverage: Coverage, names: Mapping[str, str]
) -> str:
    start, end, why = about
    return _SENTENCES[why].format(days=words.span(start, end), media=_listed(media, coverage, names))


def _listed(media: Sequence[str], coverage: Coverage, names: Mapping[str, str]) -> str:
    if len(media) > 1 and len(media) == len(coverage.media):
        return "all media"
    rest = len(media) - MOST_NAMES
    shown = [names.get(m, m) for m in media[:MOST_NAMES]]
    return ", ".join([*shown, f"{words.plural(rest, 'other')}"] if rest > 0 else shown)
