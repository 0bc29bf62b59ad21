"""The medias of an account: which exist, how they look at a moment, how popular they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from wistia_simulator.clock import DAY, epoch, moment
from wistia_simulator.profile import MediaChange, Profile
from wistia_simulator.rng import digest, fraction, hexadecimal
from wistia_simulator.vocabulary import CHANNELS, FOLDERS, SUBFOLDERS, TAGS, TOPICS

FOREVER = 1 << 60
"""A moment that never comes."""

_DURATIONS = (435.456, 182.4, 912.875, 1543.12, 61.04, 2710.5)
_POPULARITY_EXPONENT = 0.8
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class MediaState:
    """One media as it looks at one moment; ``created`` and ``updated`` are epoch seconds."""

    index: int
    media_id: str
    numeric_id: int
    name: str
    duration: float
    created: int
    updated: int
    description: str
    section: str | None
    folder: str
    subfolder: str
    tags: tuple[str, ...]
    archived: bool = False
    status: str = "ready"


@dataclass(frozen=True)
class FolderState:
    """A folder (v1: a project) and the medias that it holds at one moment."""

    hashed_id: str
    numeric_id: int
    name: str
    medias: tuple[MediaState, ...]


class Catalog:
    """All medias that ever exist. ``index`` counts them from zero, ``media_id`` is the hashed id."""

    def __init__(self, seed: int, profile: Profile, began: int) -> None:
        """``began``: the UTC day number of the first session."""
        self._seed = seed
        self._profile = profile
        self._began = began * DAY
        self.opened = self._began - 200 * DAY + digest(seed, "opened") % DAY
        """When the account made its folders, epoch seconds."""
        self.count = max([profile.media, *(change.media_index + 1 for change in profile.changes)])
        self._played = profile.media - 1 if profile.media >= 3 else max(profile.media, 1)
        self._popularity = sum((rank + 1) ** -_POPULARITY_EXPONENT for rank in range(self._played))
        self._changes = [self._changes_of(index) for index in range(self.count)]
        self._first = [self._first_state(index) for index in range(self.count)]
        self.ids = tuple(state.media_id for state in self._first)
        self._index = {state.media_id: state.index for state in self._first}
        self._index |= {str(state.numeric_id): state.index for state in self._first}

    def _changes_of(self, index: int) -> tuple[MediaChange, ...]:
        of_media = (change for change in self._profile.changes if change.media_index == index)
        return tuple(sorted(of_media, key=lambda change: change.at))

    def _hashed_id(self, kind: str, index: int) -> str:
        number = digest(self._seed, kind, index)
        return "".join(_BASE36[(number >> (8 * place)) % 36] for place in range(10))

    def _created(self, index: int) -> int:
        for change in self._changes[index]:
            if change.kind == "add":
                return epoch(change.at)
        ahead = 30 * DAY - index * 3_600 + int(1_800 * fraction(self._seed, "created", index))
        return self._began - max(ahead, DAY)

    def _first_state(self, index: int) -> MediaState:
        created = self._created(index)
        subfolder = SUBFOLDERS[index % len(SUBFOLDERS)]
        canary = self._profile.canary
        return MediaState(
            index=index,
            media_id=self._hashed_id("media", index),
            numeric_id=110_000_000 + index * 1_009 + digest(self._seed, "numeric", index) % 997,
            name=f"{TOPICS[index % len(TOPICS)]} {index + 1}{CHANNELS[index % len(CHANNELS)]}",
            duration=_DURATIONS[index % len(_DURATIONS)],
            created=created,
            updated=created,
            description="" if canary is None else f"{canary}-description-{index}",
            section=subfolder if index % 2 == 0 else None,
            folder=FOLDERS[index % len(FOLDERS)],
            subfolder=subfolder,
            tags=tuple(TAGS[: index % 3]),
        )

    def index_of(self, media_id: str) -> int | None:
        """The index of a hashed or numeric id, None for a stranger."""
        return self._index.get(media_id)

    def state(self, index: int, at: int) -> MediaState | None:
        """The media as the API shows it at ``at``; None before it is added and after it is deleted."""
        first = self._first[index]
        if at < first.created:
            return None
        state: MediaState | None = replace(first, updated=max(first.created, self.swept(at)))
        for change in self._changes[index]:
            if state is not None and epoch(change.at) <= at:
                state = _apply(state, change)
        return state

    def live(self, at: int) -> list[MediaState]:
        """All medias that exist at ``at``, by ascending numeric id."""
        states = (self.state(index, at) for index in range(self.count))
        return [state for state in states if state is not None]

    def duration(self, index: int, at: int) -> float:
        """Seconds, also for moments at which the media does not exist."""
        duration = self._first[index].duration
        for change in self._changes[index]:
            if change.kind == "duration" and epoch(change.at) <= at:
                duration = _seconds(change)
        return duration

    def swept(self, at: int) -> int:
        """When the system last rewrote all medias at once, epoch seconds; 0 is never."""
        days = self._profile.sweep_days
        if not days:
            return 0
        period = days * DAY
        offset = digest(self._seed, "sweep") % period
        return (at - offset) // period * period + offset

    def playable(self, index: int) -> tuple[int, int]:
        """The moments between which sessions of this media begin."""
        ends = [epoch(c.at) for c in self._changes[index] if c.kind in ("archive", "delete")]
        return self._first[index].created, min(ends, default=FOREVER)

    def daily_mean(self, index: int) -> float:
        """Mean number of sessions a day: few popular medias, a long tail, and one that nobody plays."""
        if popularity := self._profile.popularity:
            return self._profile.sessions_per_day * (popularity[index] if index < len(popularity) else 0.0)
        played = self._played
        if index == played and self._profile.media >= 3:
            return 0.0
        weight: float = (index + 1) ** -_POPULARITY_EXPONENT * played / self._popularity
        return self._profile.sessions_per_day * weight

    def deliveries(self, name: str, index: int, length: int = 32) -> str:
        """The name of a stored file of one media."""
        return hexadecimal(length, self._seed, "delivery", name, index)

    def folder_id(self, kind: str, name: str) -> str:
        """The hashed id of a folder or subfolder."""
        return hexadecimal(10, self._seed, kind, name)

    def folder_number(self, name: str) -> int:
        """The numeric id of a folder."""
        return 8_000_000 + int(self.folder_id("folder", name), 16) % 1_000_000

    def delete(self, index: int, at: int) -> None:
        """Delete a media at ``at``, a moment that nobody has looked beyond yet."""
        self._changes[index] = (*self._changes[index], MediaChange(index, moment(at), "delete"))

    def folders(self, live: Sequence[MediaState]) -> list[FolderState]:
        """The folders with the medias that are ``live``, by ascending numeric id; they outlive their medias."""
        names = {state.folder for state in self._first}
        folders = (
            FolderState(
                self.folder_id("folder", name),
                self.folder_number(name),
                name,
                tuple(state for state in live if state.folder == name),
            )
            for name in names
        )
        return sorted(folders, key=lambda folder: folder.numeric_id)

    def folder(self, folder_id: str, live: Sequence[MediaState]) -> FolderState | None:
        """The folder with a hashed or numeric id, None for a stranger."""
        fits = (f for f in self.folders(live) if folder_id in (f.hashed_id, str(f.numeric_id)))
        return next(fits, None)


def _seconds(change: MediaChange) -> float:
    if not isinstance(change.value, int | float):
        raise TypeError("a change of duration needs seconds")
    return float(change.value)


def _apply(state: MediaState, change: MediaChange) -> MediaState | None:
    state = replace(state, updated=max(state.updated, epoch(change.at)))
    value = change.value
    match change.kind:
        case "delete":
            return None
        case "archive":
            return replace(state, archived=True)
        case "duration":
            return replace(state, duration=_seconds(change))
        case "retag":
            return replace(state, tags=tuple(value) if isinstance(value, tuple | list) else ())
        case "fail_status":
            return replace(state, status=value if isinstance(value, str) else "failed")
        case "rename" | "add":
            return replace(state, name=value) if isinstance(value, str) else state
