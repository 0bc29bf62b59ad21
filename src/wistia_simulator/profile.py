"""The behaviour of a simulated account, as one frozen value."""

import json
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from wistia_simulator.zones import parse_zone

ChangeKind = Literal["rename", "archive", "delete", "add", "duration", "retag", "fail_status"]
ChangeValue = str | float | tuple[str, ...] | None
PROFILES = ("default", "calm", "described", "hostile")
"""The profiles that have a name."""
Stamp = Literal["observed", "described"]

_SHARES = (
    "growing",
    "late",
    "duplicated",
    "moving",
    "vanishing",
    "restless",
    "flawed",
    "straddling",
    "privacy_mode_share",
    "email_share",
    "conversion_share",
    "embed_query_share",
    "ipv6_share",
    "returning_share",
    "lead_share",
)


@dataclass(frozen=True)
class MediaChange:
    """Something that happens to one media at one moment.

    ``value`` is the new name (rename, add), the new duration in seconds (duration), the new tags (retag) or
    the new status (fail_status, by default ``failed``); archive and delete have none. A media with an
    ``add`` change does not exist before it; its index may lie beyond ``Profile.media``.
    """

    media_index: int
    at: datetime
    kind: ChangeKind
    value: ChangeValue = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("a media change needs an aware datetime")


@dataclass(frozen=True)
class Profile:
    """The behaviour of an account. Shares are 0..1 of all sessions unless said otherwise."""

    media: int = 2
    """Number of medias at the start; from the third on, the last one is never played."""
    sessions_per_day: float = 40.0
    """Mean per media and day; the first media is the most popular one."""
    popularity: tuple[float, ...] = ()
    """By media, how many times ``sessions_per_day`` it has; without it a few are popular, and one is never played."""
    attention: tuple[float, ...] = ()
    """By media, what is seen of it in parts of the usual (0..1); 1 for those that are not named."""
    account_timezone: str = "America/New_York"
    """IANA name or fixed offset (``UTC-5``, ``-05:00``): the zone of every daily figure."""
    history_days: int = 60
    """How many days before the world's first moment the first session happened."""
    growing: float = 0.5
    """Sessions whose percent_viewed grows over minutes to hours after they are first listed."""
    late: float = 0.01
    """Sessions that are first listed hours to days after their received_at."""
    late_days: float = 5.0
    """The longest delay of a late session."""
    duplicated: float = 0.001
    """Event keys that every list returns twice."""
    moving: float = 0.0
    """Share of the growing sessions whose received_at moves with each update."""
    vanishing: float = 0.001
    """Sessions that disappear hours to days after they were first listed."""
    restless: float = 0.0
    """Sessions whose percent_viewed goes on growing for twelve days, two steps a day."""
    flawed: float = 0.0
    """Sessions that are listed as they should be, and days later in a shape that breaks their description:
    percent_viewed a hair above 1 or null, or an empty visitor_key. At most one in 25 of a day."""
    straddling: float = 0.0
    """Sessions of the early hours that are listed a second time, for ever, on the day before."""
    returning_share: float = 0.05
    """Sessions of a visitor who was seen before."""
    privacy_mode_share: float = 0.0
    """Sessions without address and place whose visitor key is used once only."""
    email_share: float = 0.0
    """Visitors with a known name and e-mail address."""
    conversion_share: float = 0.0
    """Conversion events; they are listed like sessions and are not counted as plays."""
    embed_query_share: float = 0.0
    """Sessions whose embed_url has a query (utm_*, gclid, at times an e-mail address)."""
    ipv6_share: float = 0.0
    """Visitors with an IPv6 address."""
    schema_addition_from: date | None = None
    """From this virtual UTC day on, payloads carry one unannounced field."""
    analytics: bool = True
    """Whether /modern/analytics exists."""
    timeseries_stamp: Stamp = "observed"
    """The timeseries' timestamps: with a blank, as a real account had them, or with ``T``, as described."""
    tags_as_text: bool = False
    """Tags of medias are plain texts; in every published description they are objects with a name."""
    basic_auth: bool = False
    """Whether HTTP Basic ``api:TOKEN`` is accepted too."""
    actions: bool = False
    """Whether medias have calls to action (``actions`` in their statistics)."""
    lead_share: float = 0.0
    """Plays (as /analytics counts them) whose viewer sends a form, with name and e-mail address."""
    embed_pages_kept_days: int = 180
    """How long /analytics keeps which pages a media was embedded on; older days are refused."""
    listing_delay_seconds: int = 60
    """The longest usual time between received_at and the first listing."""
    batched: bool = True
    """Whether daily counts of the running and the previous local day grow in batches."""
    sweep_days: int = 45
    """Every so many days all medias get a new ``updated`` at once; 0 is never."""
    changes: tuple[MediaChange, ...] = ()
    """What happens to the medias."""
    canary: str | None = None
    """Marker ``{canary}-{field}-{n}`` that every personal or free text value carries."""

    def __post_init__(self) -> None:
        for name in _SHARES:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie between 0 and 1")
        if self.media < 0 or self.sessions_per_day < 0 or self.history_days < 0 or self.late_days < 0:
            raise ValueError("media, sessions_per_day, history_days and late_days must not be negative")
        if any(factor < 0 for factor in self.popularity) or not all(0 <= f <= 1 for f in self.attention):
            raise ValueError("popularity must not be negative, and attention must lie between 0 and 1")
        if self.timeseries_stamp not in get_args(Stamp):
            raise ValueError(f"timeseries_stamp must be one of {', '.join(get_args(Stamp))}")
        parse_zone(self.account_timezone)

    @classmethod
    def calm(cls) -> "Profile":
        """Nothing changes afterwards: no growth, nothing late, duplicated, moving or vanishing, no batches."""
        return cls(
            growing=0.0,
            late=0.0,
            duplicated=0.0,
            moving=0.0,
            vanishing=0.0,
            listing_delay_seconds=0,
            batched=False,
            sweep_days=0,
        )

    @classmethod
    def hostile(cls) -> "Profile":
        """Every awkward behaviour at once, at rates that are plausible for a healthy account."""
        return cls(
            growing=0.6,
            late=0.02,
            duplicated=0.004,
            moving=0.25,
            vanishing=0.003,
            privacy_mode_share=0.05,
            email_share=0.08,
            conversion_share=0.008,
            embed_query_share=0.25,
            ipv6_share=0.03,
            actions=True,
            lead_share=0.03,
            tags_as_text=True,
        )

    @classmethod
    def described(cls) -> "Profile":
        """The default account, with every value in the form that Wistia's descriptions and SDKs give it."""
        return cls(timeseries_stamp="described")

    @classmethod
    def named(cls, name: str) -> "Profile":
        """One of ``PROFILES``."""
        match name:
            case "default":
                return cls()
            case "calm":
                return cls.calm()
            case "described":
                return cls.described()
            case "hostile":
                return cls.hostile()
        raise ValueError(f"unknown profile {name!r}: choose from {', '.join(PROFILES)}")

    @classmethod
    def from_json(cls, path: Path) -> "Profile":
        """``{"base": "hostile", "late": 0.1, "changes": [{"media_index": 0, "at": ..., "kind": ...}]}``."""
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        base = cls.named(data.pop("base", "default"))
        if data.get("schema_addition_from"):
            data["schema_addition_from"] = date.fromisoformat(data["schema_addition_from"])
        if "changes" in data:
            data["changes"] = tuple(_change(entry) for entry in data["changes"])
        for name in ("popularity", "attention"):
            if name in data:
                data[name] = tuple(data[name])
        return replace(base, **data)


def _change(entry: dict[str, Any]) -> MediaChange:
    value = entry.get("value")
    return MediaChange(
        media_index=entry["media_index"],
        at=datetime.fromisoformat(entry["at"]),
        kind=entry["kind"],
        value=tuple(value) if isinstance(value, list) else value,
    )
