"""What Wistia's own analytics say: referrers, campaigns, pages, screens and languages; calls to action and forms.

Their datasets are optional: a section of which a lake has nothing is left out.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from wistlake.contracts.breakdowns import PAGE
from wistlake.contracts.conversion_daily import BETWEEN
from wistlake.quality.scope import Scope
from wistlake_dashboard import analytics, words
from wistlake_dashboard.blocks import Bars, Block, Column, Kind, Table, Text, measure
from wistlake_dashboard.reader import Row
from wistlake_dashboard.sections.section import Section, View
from wistlake_dashboard.tiles import ENGAGEMENT, PLAYS_IN_SESSIONS

if TYPE_CHECKING:
    from wistlake.ports import Query

MOST_BARS = 8
MOST_PRINTED = 12
UNKNOWN, OTHER_PAGES = "none, or not told", "all other pages"
LESS_BOTS = "By Wistia's analytics, which leave out bots: fewer plays than elsewhere on this page."
OVERLAP = "Each line is counted in its own way. They overlap: don't add them up."
KINDS = {"cta": "Calls to action", "form": "Forms", "lead": "Forms, listed one by one"}
_PLAYS = measure("analytics_plays", "Plays")
_SHARE = Column("share", "Share", Kind.SHARE, "Of the plays of these days, by Wistia's analytics.")
_LOADS, _WATCHED = (
    measure("analytics_loads", "Loads"),
    measure("analytics_engagement", "Average engagement"),
)
_CAPTIONS = Column("has_captions", "Captions", meaning="Whether there are captions in this language.")
_DIMENSIONS = {"utm_source": "Source", "utm_medium": "Medium", "utm_campaign": "Campaign"}
_CAMPAIGNS = (
    Column("dimension", "UTM"), Column("value", "Value"), _PLAYS, PLAYS_IN_SESSIONS.column,
    Column("difference", "Difference", Kind.CHANGE, "Plays of the analytics, less those in sessions."), _WATCHED,
    replace(ENGAGEMENT.column, title="The same in sessions"),
)  # fmt: skip
_ACTIONS = (
    Column("what", "What"), measure("impressions", "Shown"), measure("actions", "Taken"),
    measure("action_rate", "Rate"), Column("basis", "Counted"),
)  # fmt: skip


def _named(rows: Sequence[Row], unnamed: str = UNKNOWN) -> list[Row]:
    return [r | {"name": r["value"] or unnamed} for r in rows]


def _through(view: View, rows: Sequence[Row]) -> list[Block]:
    """How far the figures go, where that is not to the end of the days shown."""
    last = max(r["last"] for r in rows)
    late = f"Through {words.day(last)}: a day is read a day after it is over."
    return [Text(late)] if last < view.scope.end else []


def _listed(
    view: View, rows: Sequence[Row], *, name: str, title: str, column: str, unnamed: str
) -> list[Block]:
    columns = (Column("name", column), replace(_PLAYS, bar=True), _SHARE, _LOADS, _WATCHED)
    if not rows:
        return []
    table = Table(name, title, columns, _named(rows, unnamed), printed=MOST_PRINTED)
    return [*_through(view, rows), table]


def _shares(
    view: View, rows: Sequence[Row], *, name: str, title: str, column: str, more: Sequence[Column]
) -> list[Block]:
    named, first = _named(rows), Column("name", column)
    shown = [(r["name"], r["analytics_plays"], r["share"]) for r in named[:MOST_BARS] if r["share"]]
    if not shown:
        return []
    table = Table(name, title, (first, _PLAYS, _SHARE, *more), named, folded=True)
    return [*_through(view, rows), Bars(f"{title}: shares of plays", first, _PLAYS, _SHARE, shown), table]


def _campaigns(_view: View, rows: Sequence[Row]) -> list[Block]:
    if not any(r["analytics_plays"] for r in rows):
        return []
    of_source = [r for r in rows if r["dimension"] == "utm_source"]
    listed, seen = (sum(r[n] for r in of_source) for n in ("analytics_plays", "plays_from_events"))
    shown = [
        r | {"dimension": _DIMENSIONS[r["dimension"]], "value": r["value"] or UNKNOWN,
             "difference": r["analytics_plays"] - r["plays_from_events"]}
        for r in rows
    ]  # fmt: skip
    return [
        Text(f"By source: {words.plural(listed, 'play')} in the analytics, {words.count(seen)} in sessions."),
        Table("campaigns", "Campaigns, counted twice", _CAMPAIGNS, shown, printed=MOST_PRINTED),
    ]


def _actions(_view: View, rows: Sequence[Row]) -> list[Block]:
    shown = [r | {"what": kind(r["kind"]), "basis": _basis(r)} for r in rows]
    return [Table("actions", "Calls to action and forms", _ACTIONS, shown)] if rows else []


def kind(name: str) -> str:
    """A kind of action as people write it; types of the lifetime figures are Wistia's own words."""
    return KINDS.get(name) or name.replace("_", " ").capitalize()


def _basis(row: Row) -> str:
    if row["basis"] == BETWEEN:
        return f"between lifetime figures of {words.day(row['since'])} and {words.day(row['last'])}"
    return "day by day"


def _breakdown(dimension: str) -> partial[list[Row]]:
    return partial(_figure, dimension=dimension)


def _figure(query: "Query", scope: Scope, *, dimension: str) -> list[Row]:
    return analytics.breakdown(query, scope, dimension=dimension)


def _list_of(dimension: str, name: str, title: str, column: str, unnamed: str = UNKNOWN) -> Section:
    arrange = partial(_listed, name=name, title=title, column=column, unnamed=unnamed)
    return Section(title, (_breakdown(dimension),), arrange, LESS_BOTS, "", by_channel=False)


def _shares_of(dimension: str, name: str, title: str, column: str, *more: Column) -> Section:
    arrange = partial(_shares, name=name, title=title, column=column, more=more)
    return Section(title, (_breakdown(dimension),), arrange, LESS_BOTS, "", by_channel=False, half=True)


REFERRERS = _list_of("referrer_domain", "referrers", "Referrers", "Page before")
PAGES = _list_of(PAGE, "pages", "Pages", "Page", OTHER_PAGES)
CAMPAIGNS = Section(
    "Campaigns, counted twice", (analytics.campaigns,), _campaigns,
    "Wistia's analytics leave out bots, and are read once, a day after each day; sessions hold whatever was played. "
    "Both are of the media days that both have; they are never added up.",
    "", by_channel=False,
)  # fmt: skip
LANGUAGES = _shares_of("language", "languages", "Languages", "Language", _CAPTIONS)
SCREENS = _shares_of("viewer_screen_size", "screens", "Screens", "Screen", _LOADS, _WATCHED)
ACTIONS = Section("Calls to action and forms", (analytics.actions,), _actions, OVERLAP, "", by_channel=False)
