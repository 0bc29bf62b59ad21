"""The unit of bookkeeping: one (dataset, media, day), and its state."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from wistlake.errors import ConfigError

ACCOUNT = "_account"  # in place of a media id in datasets that are account-wide
STOPPED = "stopped:"  # prefix of the signature of a build that stopped the landing


class State(StrEnum):
    """The last step that the newest attempt at an interval has finished."""

    PLANNED = "planned"
    LANDED = "landed"
    BUILT = "built"
    PUBLISHED = "published"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Interval:
    """What the ledger knows of one (dataset, media, day).

    `landing_id`, `content_hash` and `rows` describe the newest content that was landed, `observed_at` when the
    source last served it: a landing that only repeats it moves `observed_at` and counts as a confirmation.
    `steady_hash` is the content without what the source restates at will, `moved_at` when a reading of the
    finished day last differed from the one before it. `built_signature` is what silver was last built from, or
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
    """What to ask Wistia for: the days from `start` to `end`, both included, of one dataset and media."""

    dataset: str
    media_id: str
    start: date
    end: date
