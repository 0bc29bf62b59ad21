"""What a run is asked to do (`RunSpec`), and the outside world that it needs (`Dependencies`)."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from wistlake.contracts.form import Source
from wistlake.pipeline.run.labels import LabelValues
from wistlake.planning.plan import Window
from wistlake.ports import Ledger, Notifier, ObjectStore, Run, RunListener, TableStore
from wistlake.transforms.channels import DEFAULT_RULES, Rule

TRANSFORM_VERSION = 2  # raise it when a transform's meaning changes: every day is then built anew
USUAL_ROWS = 500_000  # events of one build, give or take a half: below a gigabyte on Sail
Key = tuple[str, str, date]
Redact = Callable[[Source, dict[str, Any]], dict[str, Any]]
Progress = Callable[[str, int, int], None]  # what is being done, how much of it is done, of how much


Trace = Callable[..., AbstractContextManager[None]]  # a span around a block: its name, and facts as keywords


def untraced(_name: str, **_facts: str) -> AbstractContextManager[None]:
    """No span."""
    return nullcontext()


def quiet(what: str, done: int, total: int) -> None:
    """Show no progress."""


class Unheard(RunListener):
    """Nobody listens."""

    def began(self, run: Run, sources: Sequence[Source]) -> None:
        """Nothing."""

    def ended(self, run: Run, sources: Sequence[Source], changes: Mapping[str, Mapping[str, int]]) -> None:
        """Nothing."""


class Client(Protocol):
    """What a run needs of the source client; `wistlake.wistia` has the real one."""

    async def fetch(self, source: Source, media_id: str, start: date, end: date, rows: int = 0) -> Any:
        """The complete listing of a dataset for one media, or ACCOUNT, and the days from `start` to `end`."""

    async def describe(self, source: Source, media_ids: Sequence[str]) -> Any:
        """The metadata of those of some media that the account lists."""

    async def list_media(self, folder: str | None = None, tag: str | None = None) -> list[dict[str, Any]]:
        """The account's media."""

    async def account_days(self, start: date, end: date) -> list[dict[str, Any]]:
        """The account's own totals by day."""

    async def page(self, path: str, params: Any = None) -> Any:
        """One answer from a path below the base."""


@dataclass(frozen=True, slots=True)
class LakeDependencies:
    """The outside world of work on a whole lake, such as forgetting. `tables` starts the engine: only when
    there is work. `rows_per_build` is how many events it takes at a time."""

    objects: ObjectStore
    ledger: Ledger
    tables: Callable[[], AbstractContextManager[TableStore]]
    keys: Callable[[], tuple[bytes, ...]]
    clock: Callable[[], datetime]
    rows_per_build: int = field(default=USUAL_ROWS, kw_only=True)


@dataclass(frozen=True, slots=True)
class Dependencies(LakeDependencies):
    """The outside world of a run, chosen by `wiring`.

    `warm` loads what `tables` will need; it is called in a thread as soon as a landing brings news, so that
    loading and fetching overlap. `watch` evaluates goals and alerts on what is published; it raises nothing."""

    client: Callable[[], AbstractAsyncContextManager[Client]]
    notifier: Notifier
    monotonic: Callable[[], float]
    redact: Redact | None = None
    warm: Callable[[], None] = lambda: None
    watch: Callable[[], None] = lambda: None
    progress: Progress = quiet
    listener: RunListener = field(default_factory=Unheard)
    trace: Trace = untraced
    on_the_network: bool = True  # False: a simulator in this process answers, whatever the address says


@dataclass(frozen=True, slots=True)
class MediaChoice:
    """Which media a run is about: ids, or everything the account lists (in a folder, with a tag). `most` of what is
    listed are enough for a try-out. `is_named`: the ids are those of this one order, and may be mistyped."""

    ids: tuple[str, ...] = ()
    folder: str | None = None
    tag: str | None = None
    most: int | None = None
    is_named: bool = False

    @property
    def is_listed(self) -> bool:
        """Whether the account is asked for its media."""
        return not self.ids


@dataclass(frozen=True, slots=True)
class RunSpec:
    """What a run is asked to do. `trigger` and `origin` as in `ports.Run`; `sources` in contract order."""

    run_id: str
    trigger: str
    origin: str
    zone_name: str
    window: Window
    sources: tuple[Source, ...]
    choice: MediaChoice
    max_concurrency: int = 16
    rules: tuple[Rule, ...] = DEFAULT_RULES
    build_only: bool = False  # rebuild: land nothing, build what bronze holds
    only: frozenset[Key] | None = None  # repair: ask for exactly these intervals
    accept_shrink: frozenset[str] = frozenset()  # media whose losses are taken as they are
    keep_city: bool = False  # of sessions, in silver: else it ends in bronze
    tolerated_percent: float = 10.0  # of the media may fail, and the run is partial, not failed
    labels: LabelValues = field(default_factory=dict)  # that the settings' file gives to media
