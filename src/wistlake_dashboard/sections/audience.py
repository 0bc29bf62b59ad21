"""Where plays came from, and what people watched with."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from wistlake_dashboard import figures, words
from wistlake_dashboard.blocks import Bars, Block, Column, Kind, Number, Numbers, Stack, Table, Text, measure
from wistlake_dashboard.reader import Row
from wistlake_dashboard.scope import Scope
from wistlake_dashboard.sections.section import Section, View
from wistlake_dashboard.tiles import PLAYS_IN_SESSIONS

if TYPE_CHECKING:
    from wistlake.ports import Query

PART = Column("share", "Share", Kind.SHARE, "Of all plays in sessions of these days.")


def _channels(
    view: View, broken_down: Sequence[Row], by_day: Sequence[Row], everywhere: Sequence[Row]
) -> list[Block]:
    shares = figures.shares(broken_down, top=len(broken_down))
    if not shares:
        return []
    of_all = {name: share for name, _, share in figures.shares(everywhere, top=len(everywhere))}
    meaning = (
        "Share of the plays in sessions that no channel rule fits. The rules are yours: WISTLAKE_CHANNELS."
    )
    unclassified = Number("Unclassified", words.share(of_all.get(figures.UNCLASSIFIED, 0.0)), "", meaning)
    # A channel with conversions alone has no plays to draw.
    parts: dict[str, dict[date, int]] = {name: {} for name, _, _ in shares}
    for row in by_day:
        if row["channel"] in parts:
            parts[row["channel"]][row["date"]] = row["plays_from_events"]
    of_all_note = Text("Unclassified is a share of all channels, whichever are chosen.")
    return [
        Numbers([unclassified]),
        *([of_all_note] if view.scope.channels else []),
        Stack("Plays in sessions by channel and day", "Plays", view.scope.days, parts),
        _broken_down("channel", "Channels", "Channel", broken_down),
    ]


def _in_every_channel(query: "Query", scope: Scope) -> list[Row]:
    return figures.breakdown(query, "channel", replace(scope, channels=()))


def _audience(_view: View, broken_down: Sequence[Row], *, name: str, title: str, column: str) -> list[Block]:
    shares = figures.shares(broken_down)
    if not shares:
        return []
    bars = Bars(f"{title}: shares of plays", Column("name", column), PLAYS_IN_SESSIONS.column, PART, shares)
    return [bars, replace(_broken_down(name, title, column, broken_down), folded=True)]


def _broken_down(name: str, title: str, column: str, rows: Sequence[Row]) -> Table:
    whole = sum(r["plays_from_events"] for r in rows) or 1
    shown = [r | {"name": r["name"] or "unknown", "share": r["plays_from_events"] / whole} for r in rows]
    columns = (
        Column("name", column), PLAYS_IN_SESSIONS.column, PART, measure("sessions", "Sessions"),
        measure("watch_seconds", "Watch time"), measure("reached_95", "Saw 95 %"),
    )  # fmt: skip
    return Table(name, title, columns, shown)


def _by(name: str, title: str, column: str) -> Section:
    figure = partial(_breakdown, name=name)
    return Section(title, (figure,), partial(_audience, name=name, title=title, column=column), half=True)


def _breakdown(query: "Query", scope: Scope, *, name: str) -> list[Row]:
    return figures.breakdown(query, name, scope)


CHANNELS = (
    Section(
        "Plays by channel",
        (partial(_breakdown, name="channel"), figures.channels_by_day, _in_every_channel),
        _channels,
        "A channel says where the embedding page's visitor came from, or what the media was made for. "
        "Plays in a platform's own player are invisible to Wistia.",
    ),
)
AUDIENCE = (
    _by("country", "Countries", "Country"),
    _by("device", "Devices", "Device"),
    _by("embed", "Embedded on", "Host"),
    _by("browser", "Browsers", "Browser"),
)
