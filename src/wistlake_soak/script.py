"""What goes wrong in a soak: one frozen value per (profile, seed, days)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random

from wistia_simulator import Always, Chance, Fault, FaultKind, FaultPlan, MediaChange, Nth, Profile
from wistlake.errors import ConfigError

FIRST_DAY = date(2026, 3, 4)  # the clocks of New York change four days later
RUN_AT = timedelta(hours=2, minutes=15)
PROFILES = ("hostile", "calm")
ZONES = ("America/New_York", "UTC-5", "Europe/Berlin", "Asia/Kolkata")
AFTER = 0.5  # of the deaths happen after their write, the others before
WHOLE = 7  # days from which on everything on the list has its day
BUSY, DELETED = (0, 1, 2), 4  # medias by their index
_MOVING_LISTS = (
    Fault("drift_insert", "events", Chance(0.06)),
    Fault("drift_delete", "events", Chance(0.06)),
)
_FIRST_DAY = (  # by their number, since which request is the n-th of its route depends on threads
    Fault("drift_insert", "events", Nth(2)),
    Fault("drift_delete", "events", Nth(5)),
    Fault("hang", when=Nth(9)),
    Fault("rate_limited", when=Nth(12), length=3),
)
OF_THE_NETWORK = frozenset({"http503", *(fault.kind for fault in _FIRST_DAY)})
OF_RUNS = frozenset(
    {"empty_list", "lost_catalog", "media_deleted", "missed_day", "process_death", "run_repeated", "scaled_percent",
     "started_twice"}
)  # fmt: skip
OF_THE_SOURCE = frozenset(
    {"doubled_session", "growing_session", "late_session", "moving_session", "restless_session",
     "straddling_session", "vanished_session", "refused_no_percent", "refused_no_visitor", "listed_above_one"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Death:
    """The process ends at a write: `place` (0..1) of the writes that a run makes; `after` it, or before."""

    place: float
    after: bool


@dataclass(frozen=True, slots=True)
class Accident:
    """Something that happens once, in the first run from `day` on that can show what becomes of it."""

    day: int
    media: int
    request: int  # of the run's requests for sessions, which are of the whole account or of one media

    def fault(self, kind: FaultKind, media_ids: Sequence[str]) -> Fault:
        """As the simulator knows it. A media is deleted when its counts are asked for."""
        if kind == "media_deleted":
            return Fault(kind, "by_date", Nth(1), media=media_ids[self.media])
        return Fault(kind, "events", Nth(self.request))


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that will happen. Days are counted from 0."""

    seed: int
    days: int
    hostile: bool
    zone: str
    profile: Profile
    deaths: tuple[tuple[Death, ...], ...]
    missed_day: int | None = None
    doubled_day: int | None = None
    outage_day: int | None = None
    looping_day: int | None = None
    scaled_day: int | None = None
    lost_catalog_day: int | None = None
    accidents: tuple[tuple[FaultKind, Accident], ...] = ()

    @property
    def start(self) -> datetime:
        """The moment of the first scheduled run."""
        return datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + RUN_AT

    @property
    def promised(self) -> frozenset[str]:
        """What must have happened: a soak without it proves nothing."""
        return (
            OF_RUNS | OF_THE_NETWORK | OF_THE_SOURCE if self.hostile and self.days >= WHOLE else frozenset()
        )

    def moment(self, day: int, attempt: int) -> datetime:
        """When an attempt at a day's run starts: half an hour after the one before it."""
        return self.start + timedelta(days=day, minutes=30 * attempt)

    def is_scaled(self, at: datetime) -> bool:
        """Whether percent_viewed was served from 0 to 100 at that moment."""
        return self.scaled_day is not None and (at - self.start) // timedelta(days=1) == self.scaled_day

    def faults(self, day: int, attempt: int, more: Sequence[Fault] = ()) -> FaultPlan:
        """What the network and the source do to one attempt; `more` comes first."""
        seed = self.seed * 10_007 + day * 101 + attempt
        if not self.hostile:
            return FaultPlan.named("calm", seed)
        if day == self.outage_day and attempt == 0:
            return FaultPlan(seed, (Fault("http503", when=Always(), retry_after="none"),))
        named = FaultPlan.named("hostile", seed)
        if day == self.scaled_day:
            more = (Fault("scaled_percent", "events"), *more)
        if day == self.looping_day and attempt == 0:
            more = (Fault("repeated_page", "events", max_times=1), *more)
        if day == 0:
            more = (*_FIRST_DAY, *more)
        return FaultPlan(seed, (*more, *_MOVING_LISTS, *named.faults))


def write(profile: str, seed: int, days: int) -> Script:
    """The script of a seed. ConfigError for an unknown profile, or fewer days than a soak needs."""
    if profile not in PROFILES:
        raise ConfigError(f"--profile {profile!r}: one of {', '.join(PROFILES)}")
    if days < 1:
        raise ConfigError("--days must be 1 or more")
    rng = Random(seed)  # noqa: S311 - a script must be repeatable
    zone = ZONES[rng.randrange(len(ZONES))]
    start = datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + RUN_AT
    if profile == "calm":
        quiet = replace(Profile.calm(), media=3, sessions_per_day=30, account_timezone=zone)
        return Script(seed, days, False, zone, quiet, ((),) * days)
    drawn = rng.sample(range(1, days), min(4, max(0, days - 1)))
    missed, doubled, outage, looping = (*drawn, None, None, None, None)[:4]
    deaths = tuple(
        tuple(Death(rng.random(), rng.random() < AFTER) for _ in range(rng.choice((0, 1, 1, 2))))
        for _ in range(days)
    )
    script = Script(
        seed, days, True, zone, _hostile(rng, zone, start, days), deaths, missed, doubled, outage, looping
    )
    return _with_accidents(script, rng)


def _with_accidents(script: Script, rng: Random) -> Script:
    """The script, and what happens once: on days on which a run is started, with days after it to recover."""
    if script.days < WHOLE:
        return script
    free = [day for day in range(script.days - 1) if day not in (script.missed_day, script.doubled_day)]
    scaled = rng.choice([day for day in free if day != script.outage_day])
    later = [day for day in free if day not in (0, scaled)]

    def accident(media: int) -> Accident:
        return Accident(rng.choice(later), media, 1 + rng.randrange(2))

    return replace(
        script,
        scaled_day=scaled,
        lost_catalog_day=rng.choice(later),
        accidents=(("empty_list", accident(rng.choice(BUSY))), ("media_deleted", accident(DELETED))),
    )


def _hostile(rng: Random, zone: str, start: datetime, days: int) -> Profile:
    def some_time(earliest: float = 0.0) -> datetime:
        return start + timedelta(days=earliest + rng.random() * max(0.5, days - 1 - earliest))

    changes = (
        MediaChange(0, some_time(), "rename", f"Renamed {rng.randrange(1000)}"),
        MediaChange(1, some_time(), "duration", 300.0 + rng.randrange(1000) / 8),
        MediaChange(2, some_time(), "retag", ("autumn", "facebook")),
        MediaChange(3, some_time(1.0), "delete"),
    )
    return replace(
        Profile.hostile(),
        media=6,
        sessions_per_day=40,
        history_days=20,
        account_timezone=zone,
        late=0.03,
        vanishing=0.01,
        flawed=0.03,
        restless=0.01,
        straddling=0.1,
        tags_as_text=bool(rng.randrange(2)),
        changes=changes,
        schema_addition_from=some_time().date(),
    )
