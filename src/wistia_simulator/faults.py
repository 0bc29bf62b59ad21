"""Faults as data: their kind, route, time and frequency."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, get_args

from wistia_simulator.rng import fraction

FaultKind = Literal[
    "http404",
    "http500",
    "http502",
    "http503",
    "http504",
    "reset",
    "truncated",
    "html200",
    "slow_first_page",
    "hang",
    "rate_limited",
    "token_revoked",
    "repeated_page",
    "drift_insert",
    "drift_delete",
    "redirect",
    "empty_list",
    "scaled_percent",
    "media_deleted",
]
"""``http404`` answers that there is no such thing, ``http500`` JSON, 502 to 504 HTML. ``drift_*``: a row is
inserted or deleted between two pages. ``empty_list``: a list without rows, although it has some.
``scaled_percent``: events with percent_viewed from 0 to 100. ``media_deleted``: the media is deleted before this
request for it is answered, and stays so."""

_LASTING: dict[str, int | None] = {"rate_limited": 1, "token_revoked": None, "repeated_page": None}
_SECONDS = {"slow_first_page": 16.0, "hang": 45.0, "rate_limited": 2.0}


@dataclass(frozen=True)
class Always:
    """Every request."""


@dataclass(frozen=True)
class Chance:
    """Each request with a probability; seeded, and keyed by the request's ordinal on its route."""

    probability: float


@dataclass(frozen=True)
class Nth:
    """The named requests among those that the fault could hit; 1 is the first one."""

    numbers: tuple[int, ...]

    def __init__(self, *numbers: int) -> None:
        object.__setattr__(self, "numbers", numbers)


@dataclass(frozen=True)
class During:
    """Requests while the virtual clock stands in [start, end)."""

    start: datetime
    end: datetime


When = Always | Chance | Nth | During


@dataclass(frozen=True)
class Fault:
    """One fault.

    ``route`` is a route's name (``events``, ``by_date``, ...) or ``*``; ``media`` limits the fault to requests
    that name this id. ``max_times`` limits how often the fault begins, ``length`` how many requests it then lasts
    (a 429 burst, a revoked token, a repeated page; None is the kind's own: 1 for a burst, for ever for the
    others). ``seconds`` is the delay of a slow response or the value of Retry-After, which ``retry_after`` sends
    as seconds, as an HTTP date or not at all.
    """

    kind: FaultKind
    route: str = "*"
    when: When = field(default_factory=Always)
    max_times: int | None = None
    length: int | None = None
    seconds: float | None = None
    retry_after: Literal["seconds", "date", "none"] = "seconds"
    location: str = "https://elsewhere.example.net/"
    media: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"unknown kind of fault: {self.kind}")

    @property
    def delay(self) -> float:
        """``seconds`` or the kind's own."""
        return _SECONDS.get(self.kind, 0.0) if self.seconds is None else self.seconds

    @property
    def lasts(self) -> int | None:
        """How many requests it lasts once begun, None for ever."""
        return self.length if self.length is not None else _LASTING.get(self.kind, 1)

    def fits(self, route: str, page: int | None, media: str | None = None) -> bool:
        """Whether the fault can hit a request; ``page`` is None where there are no pages, ``media`` where
        none is named."""
        if self.route not in ("*", route) or self.media not in (None, media):
            return False
        able = {
            "repeated_page": page is not None and page > 1,
            "drift_insert": page is not None and page > 1,
            "drift_delete": page is not None and page > 1,
            "slow_first_page": page == 1,
            "empty_list": page is not None,
            "scaled_percent": route == "events",
            "media_deleted": media is not None,
        }
        return able.get(self.kind, True)


@dataclass(frozen=True)
class FaultPlan:
    """The faults of one run."""

    seed: int = 0
    faults: tuple[Fault, ...] = ()

    @classmethod
    def named(cls, name: str, seed: int = 0) -> "FaultPlan":
        """``none``, ``calm`` (a rare hiccup) or ``hostile`` (all that a retry can cure)."""
        if name not in PLANS:
            raise ValueError(f"unknown fault plan {name!r}: choose from {', '.join(PLANS)}")
        return cls(seed, PLANS[name])

    @classmethod
    def from_json(cls, path: Path) -> "FaultPlan":
        """``{"seed": 1, "faults": [{"kind": "http503", "route": "events", "when": {"chance": 0.1}}]}``.

        ``when`` is ``{"chance": p}``, ``{"nth": [n, ...]}``, ``{"during": [start, end]}`` or absent.
        """
        data = json.loads(path.read_text(encoding="utf-8"))
        if unknown := sorted(data.keys() - {"seed", "faults"}):
            raise ValueError(f"{', '.join(unknown)}: there are seed and faults")
        faults = (Fault(**{**entry, "when": _when(entry.get("when"))}) for entry in data.get("faults", []))
        return cls(int(data.get("seed", 0)), tuple(faults))


def _when(data: dict[str, object] | None) -> When:
    match data:
        case None:
            return Always()
        case {"chance": float() | int() as probability}:
            return Chance(float(probability))
        case {"nth": [*numbers]}:
            return Nth(*(int(str(number)) for number in numbers))
        case {"during": [str() as start, str() as end]}:
            return During(datetime.fromisoformat(start), datetime.fromisoformat(end))
    raise ValueError(f"when a fault happens is not understood: {data}")


PLANS: dict[str, tuple[Fault, ...]] = {
    "none": (),
    "calm": (Fault("http502", when=Chance(0.002)),),
    "hostile": (
        Fault("http500", when=Chance(0.01)),
        Fault("http502", when=Chance(0.01)),
        Fault("http503", when=Chance(0.01)),
        Fault("http504", when=Chance(0.01)),
        Fault("reset", when=Chance(0.01)),
        Fault("truncated", when=Chance(0.01)),
        Fault("html200", when=Chance(0.01)),
        Fault("slow_first_page", "events", Chance(0.02)),
        Fault("hang", when=Chance(0.002)),
        Fault("rate_limited", when=Chance(0.01), length=3),
        Fault("rate_limited", when=Chance(0.005), retry_after="none"),
    ),
}


class FaultInjector:
    """Applies a plan: counts requests, chooses faults, and remembers those that still last."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._ordinals: Counter[str] = Counter()
        self._fitting: Counter[int] = Counter()
        self._begun: Counter[int] = Counter()
        self._lasting: tuple[Fault, int | None] | None = None

    def next(self, route: str, page: int | None, at: datetime, media: str | None = None) -> Fault | None:
        """The fault that hits this request, if any; to be called once per request."""
        self._ordinals[route] += 1
        lasting = self._still_lasting()
        if lasting is not None:
            return lasting
        for place, fault in enumerate(self._plan.faults):
            if fault.fits(route, page, media):
                self._fitting[place] += 1
                if self._begins(place, fault, route, at):
                    return self._begin(place, fault)
        return None

    def _still_lasting(self) -> Fault | None:
        if self._lasting is None:
            return None
        fault, rest = self._lasting
        if rest is not None:
            self._lasting = (fault, rest - 1) if rest > 1 else None
        return fault

    def _begins(self, place: int, fault: Fault, route: str, at: datetime) -> bool:
        if fault.max_times is not None and self._begun[place] >= fault.max_times:
            return False
        match fault.when:
            case Chance(probability):
                return fraction(self._plan.seed, place, route, self._ordinals[route]) < probability
            case Nth(numbers):
                return self._fitting[place] in numbers
            case During(start, end):
                return start <= at < end
        return True

    def _begin(self, place: int, fault: Fault) -> Fault:
        self._begun[place] += 1
        # A repeated page lasts as well, but for its own list only: `PageDrift` counts that.
        if fault.kind in ("rate_limited", "token_revoked"):
            lasts = fault.lasts
            if lasts is None or lasts > 1:
                self._lasting = (fault, None if lasts is None else lasts - 1)
        return fault
