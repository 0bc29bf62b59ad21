"""Where people watch, and with what."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from wistlake.quality.scope import Scope
from wistlake_dashboard import answer, figures, findings, names, traffic
from wistlake_dashboard.answer import Channel
from wistlake_dashboard.blocks import Bars, Block, Column, Kind, Stack, Table, Text, measure
from wistlake_dashboard.reader import Row
from wistlake_dashboard.sections.section import Section, View
from wistlake_dashboard.tiles import COMPLETION, ENGAGEMENT, PLAYS_IN_SESSIONS, VIEWERS

if TYPE_CHECKING:
    from wistlake.ports import Query

PART = Column("share", "Share", Kind.SHARE, "Of all plays in sessions of these days.")
UNSEEN = "Plays in a platform's own player are invisible to Wistia."
MOST_WAYS = 12
_LEVELS = (
    Column("channel", "Channel", meaning="By your labels and channel rules."), Column("utm_source", "Source"),
    Column("utm_medium", "Medium"), Column("utm_campaign", "Campaign"), Column("page", "Page"),
)  # fmt: skip
_FIGURES = (replace(PLAYS_IN_SESSIONS.column, bar=True), VIEWERS.column, ENGAGEMENT.column, COMPLETION.column)


def _channels(_view: View, counted: Sequence[Row], compared: Sequence[Channel]) -> list[Block]:
    if not counted:
        return []
    sentence = answer.between(compared)
    lines = [Text(f"{sentence[0].upper()}{sentence[1:]}.")] if sentence else []
    rows = [{**r, "name": names.channel(r["channel"])} for r in counted]
    name = replace(_LEVELS[0], key="name")
    return [*lines, Table("channels", "Channels", (name, *_FIGURES), rows, opens="channel")]


def _channels_by_day(view: View, by_day: Sequence[Row]) -> list[Block]:
    parts: dict[str, dict[date, int]] = {}
    order: dict[str, int] = {}
    for row in by_day:
        if row["plays_from_events"]:
            name = names.channel(row["channel"])
            parts.setdefault(name, {})[row["date"]] = row["plays_from_events"]
            order[name] = order.get(name, 0) - row["plays_from_events"]
    ordered = {name: parts[name] for name in sorted(parts, key=lambda n: (order[n], n))}
    clicks = {names.channel(r["channel"]): ("channel", r["channel"]) for r in by_day}
    title = "Plays in sessions by channel and day"
    return [Stack(title, "Plays", view.scope.days, ordered, clicks=clicks)] if parts else []


def _ways(_view: View, counted: Sequence[Row]) -> list[Block]:
    """Channel, source, medium, campaign, page; what no way has is left out."""
    if not counted:
        return []
    rows = [{**r, "channel": names.channel(r["channel"])} for r in counted]
    levels = [c for c in _LEVELS if c.key in ("channel", "page") or any(r[c.key] for r in rows)]
    rows = [r | {c.key: r[c.key] or None for c in levels} for r in rows]
    return [Table("traffic", "Where people watch", (*levels, *_FIGURES), rows, printed=MOST_WAYS)]


def _audience(_view: View, broken_down: Sequence[Row], *, name: str, title: str, column: str) -> list[Block]:
    shares = figures.shares(broken_down)
    if not shares:
        return []
    named = [(_name(name, n), plays, share) for n, plays, share in shares]
    bars = Bars(f"{title}: shares of plays", Column("name", column), PLAYS_IN_SESSIONS.column, PART, named)
    return [bars, replace(_broken_down(name, title, column, broken_down), folded=True)]


def _name(by: str, value: str) -> str:
    return names.country(value) if by == "country" else value


def _broken_down(name: str, title: str, column: str, rows: Sequence[Row]) -> Table:
    whole = sum(r["plays_from_events"] for r in rows) or 1
    shown = [
        r | {"name": _name(name, r["name"]) or "unknown", "share": r["plays_from_events"] / whole}
        for r in rows
    ]
    columns = (
        Column("name", column), PLAYS_IN_SESSIONS.column, PART, measure("watch_seconds", "Watch time"),
        measure("reached_95", "Saw 95 %"),
    )  # fmt: skip
    return Table(name, title, columns, shown)


def _by(name: str, title: str, column: str) -> Section:
    figure = partial(_breakdown, name=name)
    return Section(title, (figure,), partial(_audience, name=name, title=title, column=column), half=True)


def _breakdown(query: "Query", scope: Scope, *, name: str) -> list[Row]:
    return figures.breakdown(query, name, scope)


CHANNELS = Section("Channels", (traffic.by_channel, findings.channels), _channels, UNSEEN)
WAYS = Section(
    "Where people watch",
    (traffic.traffic,),
    _ways,
    "By channel, then the UTM source, medium and campaign of the page.",
)
TRAFFIC = (CHANNELS, Section("Channels by day", (figures.channels_by_day,), _channels_by_day), WAYS)
COUNTRIES, DEVICES = _by("country", "Countries", "Country"), _by("device", "Devices", "Device")
AUDIENCE = (COUNTRIES, DEVICES)
