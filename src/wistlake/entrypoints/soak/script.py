"""What goes wrong in a soak: one frozen value per (profile, seed, days)."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random

from wistia_simulator import Always, Chance, Fault, FaultPlan, MediaChange, Profile
from wistlake.errors import ConfigError

FIRST_DAY = date(2026, 3, 4)  # the clocks of New York change four days later
RUN_AT = timedelta(hours=2, minutes=15)
PROFILES = ("hostile", "calm")
ZONES = ("America/New_York", "UTC-5", "Europe/Berlin", "Asia/Kolkata")
_MOVING_LISTS = (
    Fault("drift_insert", "events", Chance(0.06)),
    Fault("drift_delete", "events", Chance(0.06)),
)


@dataclass(frozen=True, slots=True)
class Death:
    """The process ends at a write: `place` (0..1) of the writes that a run makes; `after` it, or before."""

    place: float
    after: bool


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that will happen. Days are counted from 0."""

    seed: int
    days: int
    hostile: bool
    zone: str
    profile: Profile
    deaths: tuple[tuple[Death, ...], ...]
    missed_day: int | None
    doubled_day: int | None
    outage_day: int | None
    looping_day: int | None

    @property
    def start(self) -> datetime:
        """The moment of the first scheduled run."""
        return datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + RUN_AT

    def moment(self, day: int, attempt: int) -> datetime:
        """When an attempt at a day's run starts: half an hour after the one before it."""
        return self.start + timedelta(days=day, minutes=30 * attempt)

    def faults(self, day: int, attempt: int) -> FaultPlan:
        """What the network and the source do to one attempt."""
        seed = self.seed * 10_007 + day * 101 + attempt
        if not self.hostile:
            return FaultPlan.named("calm", seed)
        if day == self.outage_day and attempt == 0:
            return FaultPlan(seed, (Fault("http503", when=Always(), retry_after="none"),))
        named = FaultPlan.named("hostile", seed)
        looping = Fault("repeated_page", "events", max_times=1)
        extra = (looping,) if day == self.looping_day and attempt == 0 else ()
        return FaultPlan(seed, (*extra, *_MOVING_LISTS, *named.faults))


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
        return Script(seed, days, False, zone, quiet, ((),) * days, None, None, None, None)
    chosen = rng.sample(range(1, days), min(4, max(0, days - 1)))
    missed, doubled, outage, looping = (*chosen, None, None, None, None)[:4]
    deaths = tuple(
        tuple(Death(rng.random(), rng.random() < 0.5) for _ in range(rng.choice((0, 1, 1, 2))))
        for _ in range(days)
    )
    return Script(
        seed, days, True, zone, _hostile(rng, zone, start, days), deaths, missed, doubled, outage, looping
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
        media=5,
        sessions_per_day=48,
        history_days=20,
        account_timezone=zone,
        late=0.03,
        vanishing=0.01,
        changes=changes,
        schema_addition_from=some_time().date(),
    )
