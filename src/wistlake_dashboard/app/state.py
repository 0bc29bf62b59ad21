"""What a reader has chosen, as the words of an address: reloading it, or sending it on, shows the same. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from wistlake.quality.scope import Against, Grain, Scope, default_scope, last_days
from wistlake_dashboard.blocks import Click

LAST = {"7 days": 7, "28 days": 28, "90 days": 90}
MONTH, QUARTER, CUSTOM = "This month", "This quarter", "Custom"
PERIODS = (*LAST, MONTH, QUARTER, CUSTOM)
_IN_URL = {
    "7 days": "7",
    "28 days": "28",
    "90 days": "90",
    MONTH: "month",
    QUARTER: "quarter",
    CUSTOM: "custom",
}
Params = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The bar's values; `days` count for a custom period. `video` is the one that the page Video shows."""

    period: str
    days: tuple[date, date]
    against: Against = Against.PERIOD
    grain: Grain = Grain.DAY
    channels: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    video: str | None = None
    split: date | None = None
    labels: tuple[str, ...] = ()

    def scope(self, published: tuple[date, date], media: tuple[str, ...]) -> Scope:
        """The days and media; `media` are those of the folders, labels and videos chosen, none for all."""
        start, end = days_of(self.period, self.days, published)
        return Scope(start, end, media, self.channels, self.against, self.grain, split=self.split)

    def params(self, published: tuple[date, date]) -> dict[str, list[str]]:
        """As an address: what is as at first is left out."""
        usual = first_choice(published)
        other = self.period != usual.period or (self.period == CUSTOM and self.days != usual.days)
        words = {
            "period": [_IN_URL[self.period]] if other else [],
            "from": [self.days[0].isoformat()] if other and self.period == CUSTOM else [],
            "to": [self.days[1].isoformat()] if other and self.period == CUSTOM else [],
            "compare": ["year"] if self.against is Against.YEAR else [],
            "by": [self.grain.value] if self.grain is not Grain.DAY else [],
            "channel": list(self.channels),
            "folder": list(self.folders),
            "media": list(self.media),
            "label": list(self.labels),
            "video": [self.video] if self.video else [],
            "split": [self.split.isoformat()] if self.split else [],
        }
        return {name: values for name, values in words.items() if values}


def filtered(clicked: Click) -> dict[str, list[str]]:
    """The part of an address that filters by what was clicked: a channel, a label, or days."""
    key, value = clicked
    if key == "days":
        first, last = value.split("/")
        return {"period": [_IN_URL[CUSTOM]], "from": [first], "to": [last]}
    return {{"named": "label"}.get(key, key): [value]}


def first_choice(published: tuple[date, date]) -> Chosen:
    """28 days, or 7, if there are as many before to compare with; else the newest half of what there is."""
    first, last = published
    usual = default_scope(first, last)
    name = f"{usual.length} days"
    return Chosen(name if name in LAST else CUSTOM, (usual.start, usual.end))


def days_of(period: str, custom: tuple[date, date], published: tuple[date, date]) -> tuple[date, date]:
    """First and last day of a period."""
    first, last = published
    if period in LAST:
        scope = last_days(last, LAST[period])
        return max(first, scope.start), last
    if period == MONTH:
        return max(first, last.replace(day=1)), last
    if period == QUARTER:
        return max(first, last.replace(month=last.month - (last.month - 1) % 3, day=1)), last
    return custom


def chosen(params: Params, published: tuple[date, date], media: Iterable[str]) -> Chosen:
    """What an address says. What it says wrongly, or of what is not there any more, is as at first."""
    usual, known = first_choice(published), set(media)
    periods = {word: period for period, word in _IN_URL.items()}
    days = _within(_date(params, "from"), _date(params, "to"), published)
    period = periods.get(_one(params, "period"), usual.period)
    if period == CUSTOM and days is None and usual.period != CUSTOM:
        period = usual.period
    video = _one(params, "video")
    return Chosen(
        period,
        days or usual.days,
        Against.YEAR if _one(params, "compare") == "year" else Against.PERIOD,
        next((g for g in Grain if g.value == _one(params, "by")), Grain.DAY),
        tuple(params.get("channel", ())),
        tuple(params.get("folder", ())),
        tuple(m for m in params.get("media", ()) if m in known),
        video if video in known else None,
        _date(params, "split"),
        tuple(params.get("label", ())),
    )


def _one(params: Params, name: str) -> str:
    return next(iter(params.get(name, ())), "")


def _date(params: Params, name: str) -> date | None:
    try:
        return date.fromisoformat(_one(params, name))
    except ValueError:
        return None


def _within(start: date | None, end: date | None, published: tuple[date, date]) -> tuple[date, date] | None:
    """The days, as far as they are published; None if they are none."""
    if start is None or end is None:
        return None
    first, last = max(start, published[0]), min(end, published[1])
    return (first, last) if first <= last else None
