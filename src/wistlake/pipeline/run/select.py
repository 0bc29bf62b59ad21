"""What a run asks Wistia for: its media as the ledger knows them, and the fetches that follow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC

from wistlake.errors import ConfigError
from wistlake.pipeline.run.ingest import FIRST
from wistlake.pipeline.run.spec import Client, MediaChoice, RunSpec
from wistlake.planning.intervals import Fetch, Interval, MediaEntry
from wistlake.planning.plan import exactly, first_day, plan
from wistlake.planning.sample import sample
from wistlake.ports import Ledger

LEFT = "no longer listed by the account"
PLAYABLE = ("Video", "Audio")


@dataclass(frozen=True, slots=True)
class Asked:
    """The fetches of one run, the media they are about, and those that left the account's list."""

    fetches: tuple[Fetch, ...]
    media: tuple[MediaEntry, ...]
    left: tuple[MediaEntry, ...]


def ask(spec: RunSpec, ledger: Ledger, chosen: Sequence[str], known: Sequence[Interval]) -> Asked:
    """The fetches of `order` for the `chosen` media, given what the ledger knows. New media are written
    there, and begin at their own first day."""
    media = _follow(spec, ledger, chosen)
    left = _left(spec, ledger, chosen)
    fetches = (
        plan(spec.sources, media, known, spec.window, sample(media, known, spec.window))
        if spec.only is None
        else exactly(spec.sources, spec.only, spec.window)
    )
    return Asked((*_last_looks(spec, left), *fetches), tuple(media), tuple(left))


def retire(spec: RunSpec, ledger: Ledger, left: Sequence[MediaEntry]) -> None:
    """Follow the media no longer that left the account's list: no gap alarm is about them."""
    ledger.put_media(replace(m, retired_at=spec.window.now, reason=LEFT) for m in left)


async def choose(choice: MediaChoice, client: Client) -> tuple[str, ...]:
    """The media's ids: those that were named, or all that the account lists. ConfigError if it lists none."""
    if not choice.is_listed:
        return choice.ids
    listed = await client.list_media(folder=choice.folder, tag=choice.tag)
    playable = tuple(m["hashed_id"] for m in listed if _may_play(m.get("type")))
    if not playable:
        filters = {"WISTLAKE_MEDIA_FOLDER": choice.folder, "WISTLAKE_MEDIA_TAG": choice.tag}
        used = " and ".join(name for name, value in filters.items() if value)
        raise ConfigError(
            f"the account lists no video or audio{f' that fits {used}: correct what it names' if used else ''}"
        )
    return playable


def _may_play(kind: object) -> bool:
    """Whether a media of this type is followed; one whose type is not told may be any."""
    return kind in PLAYABLE or not isinstance(kind, str) or not kind


def _follow(spec: RunSpec, ledger: Ledger, chosen: Sequence[str]) -> list[MediaEntry]:
    window = spec.window
    known = {m.media_id: m for m in ledger.media()}
    begins = min(filter(None, (first_day(window), window.start)))
    new = [MediaEntry(m, begins, window.now) for m in chosen if m not in known]
    back = {m: _followed_again(known[m]) for m in chosen if m in known}
    earlier = {
        m: replace(entry, first_day=window.start)
        for m, entry in back.items()
        if window.start and window.start < entry.first_day
    }
    ledger.put_media([*new, *(e for m, e in (back | earlier).items() if e != known[m])])
    wanted = set(chosen)
    return [m for m in ledger.media() if m.media_id in wanted and m.retired_at is None]


def _followed_again(entry: MediaEntry) -> MediaEntry:
    """A media that left the list and is in it again; one that was retired by hand stays retired."""
    return replace(entry, retired_at=None, reason="") if entry.reason == LEFT else entry


def _left(spec: RunSpec, ledger: Ledger, chosen: Sequence[str]) -> list[MediaEntry]:
    """Media that the account's list had, and has no more: deleted, or moved out of the folder or tag."""
    if not spec.choice.is_listed or spec.window.by_hand:
        return []
    return [m for m in ledger.media() if m.retired_at is None and m.media_id not in chosen]


def _last_looks(spec: RunSpec, left: Sequence[MediaEntry]) -> tuple[Fetch, ...]:
    """What tells a media that was deleted from one that is only elsewhere."""
    day = spec.window.now.astimezone(UTC).date()
    listed = any(s.name == FIRST for s in spec.sources)
    return tuple(Fetch(FIRST, m.media_id, day, day) for m in left) if listed else ()
