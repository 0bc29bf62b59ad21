"""The unit of bookkeeping: one (dataset, media, day), and its state."""

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from wistlake.errors import ConfigError
from wistlake.planning.calendar import days

STOPPED = "stopped:"  # prefix of the signature of a build that stopped the landing


class State(StrEnum):
    """The last step that the newest attempt at an interval has finished."""

    PLANNED = "planned"
    LANDED = "landed"
    BUILT = "built"
    PUBLISHED = "published"
    FAILED = "failed"


LANDED = (State.LANDED, State.BUILT, State.PUBLISHED)  # what is asked for is there


@dataclass(frozen=True, slots=True)
class Interval:
    """What the ledger knows of one (dataset, media, day).

    `landing_id`, `content_hash` and `rows` describe the newest content that was landed, `observed_at` when the
    source last served it: a landing that only repeats it moves `observed_at` and counts as a confirmation.
    `steady_hash` is the content without what the source restates at will, `moved_at` when a reading of the
    finished day last differed from the one before it, `changed_at` when one last brought anything that somebody did.
    `built_signature` is what silver was last built from, or
    could not be (`is_stopped`); of gold: the zone of its days. `published_at` is when readers first got it.
    `finished` tells whether the day was over when it was read: only then may the watermark pass it. `missing`
    marks a 404: the source has nothing.
    """

    dataset: str
    media_id: str
    day: date
    state: State
    run_id: str
    updated_at: datetime
    reason: str = ""
    landing_id: str = ""
    observed_at: datetime | None = None
    content_hash: str = ""
    rows: int = 0
    finished: bool = False
    missing: bool = False
    confirmations: int = 0  # further readings in a row, each on a later UTC day, that said the same
    built_signature: str = ""
    published_at: datetime | None = None
    steady_hash: str = ""
    moved_at: datetime | None = None
    changed_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str, date]:
        """Identity in the ledger."""
        return (self.dataset, self.media_id, self.day)

    @property
    def is_settled(self) -> bool:
        """Published from a landing that was listed after the day was over."""
        return self.published_at is not None and self.finished

    @property
    def is_stopped(self) -> bool:
        """Whether a build stopped the newest landing, and no later one has landed: silver may have less of the day
        than the source."""
        return self.built_signature.startswith(STOPPED) and self.state is not State.LANDED

    @property
    def is_confirmed(self) -> bool:
        """The newest readings, made on two UTC days, agree. A single one never proves that a day has come to rest."""
        return self.confirmations > 0


@dataclass(frozen=True, slots=True)
class Watermark:
    """The last day of the contiguous published prefix of one (dataset, media)."""

    dataset: str
    media_id: str
    last_date: date
    updated_at: datetime
    override_reason: str = ""


def require_reason(watermark: Watermark) -> None:
    """ConfigError unless a watermark that is set by hand gives its reason."""
    if not watermark.override_reason.strip():
        raise ConfigError(
            f"the watermark of {watermark.dataset} {watermark.media_id} is set by hand without a reason: "
            "say why with --reason"
        )


@dataclass(frozen=True, slots=True)
class MediaEntry:
    """A media that the lake follows. Days before `first_day` are no gap, nor are days after it retired."""

    media_id: str
    first_day: date
    added_at: datetime
    retired_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fetch:
    """One listing to ask Wistia for: the days from `start` to `end`, both included, of one dataset, and of one media
    or, with `ACCOUNT`, of the whole account.

    `parts` are what lands of it, as (media, first day, last day), where that is not `media_id` and every day.
    `rows`: how many records the ledger lets expect, 0 if it does not know. `if_moved`: a snapshot that is only taken
    if the run has read something new of its media.
    """

    dataset: str
    media_id: str
    start: date
    end: date
    parts: tuple[tuple[str, date, date], ...] = ()
    rows: int = 0
    if_moved: bool = False

    @property
    def keys(self) -> tuple[tuple[str, str, date], ...]:
        """The intervals that land from it."""
        parts = self.parts or ((self.media_id, self.start, self.end),)
        return tuple((self.dataset, media, day) for media, first, last in parts for day in days(first, last))

    @property
    def media(self) -> tuple[str, ...]:
        """The media that it is about, each once."""
        return tuple(dict.fromkeys(part[0] for part in self.parts)) or (self.media_id,)

    def of(self, media_ids: Container[str]) -> "Fetch | None":
        """The same listing for some of its media only; None if none of them is in it."""
        if not self.parts:
            return self if self.media_id in media_ids else None
        parts = tuple(part for part in self.parts if part[0] in media_ids)
        return replace(self, parts=parts) if parts else None
