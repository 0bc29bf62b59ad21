"""What every page has: filters in the sidebar, the trust line on top."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import streamlit as st

from wistlake.errors import WistlakeError
from wistlake_dashboard import figures
from wistlake_dashboard.app.source import Reader, Source
from wistlake_dashboard.figures import Row
from wistlake_dashboard.periods import usual
from wistlake_dashboard.scope import Scope
from wistlake_dashboard.tiles import trust_line

TITLE = "Wistia engagement"
OF_ALL_CHANNELS = (
    "Figures are of the sessions of the channels chosen. Wistia counts loads and plays by media alone: those and "
    "viewers per load are left out. What is said of days, certificates, retention, revisions and changes to media "
    "is of all channels."
)
_TONES: dict[str, Callable[..., Any]] = {"": st.success, "warn": st.info, "bad": st.error}


@dataclass(frozen=True, slots=True)
class View:
    """What a page is given: a reader, what to look at, the names of the media, and the last published day."""

    ask: Reader
    scope: Scope
    media: dict[str, Row]
    last: date

    def name(self, media_id: str) -> str:
        """What people call the media, and no other one; or its id."""
        row = self.media.get(media_id)
        return str(row["name"]) if row else media_id

    @property
    def names(self) -> dict[str, str]:
        """The names of all media, by id."""
        return {media_id: self.name(media_id) for media_id in self.media}


@dataclass(frozen=True, slots=True)
class Page:
    """A page: `draw` fills it."""

    title: str
    path: str
    icon: str
    draw: Callable[[View], None]


def show(source: Source, pages: tuple[Page, ...]) -> None:
    """One turn of the app."""
    st.set_page_config(TITLE, page_icon="📈", layout="wide")
    try:
        ask = _reader(source)
        extent = ask(figures.extent)
    except WistlakeError as e:
        st.title(TITLE)
        st.error("The lake can't be read.")
        st.text(str(e))
        return
    # Filters are drawn here, not by the pages: so they stay when the page changes.
    view = _view(ask, extent) if extent else None
    drawn = [st.Page(_draw(p, view, extent), title=p.title, url_path=p.path, icon=p.icon) for p in pages]
    st.navigation(drawn).run()


def _reader(source: Source) -> Reader:
    """The reader of the newest publication, shared by all sessions. The one before is kept for turns under way."""
    opened: Reader = _opened(source.version(), source)
    return opened


@st.cache_resource(max_entries=2, show_spinner="Opening the lake ...")  # type: ignore[untyped-decorator]
def _opened(version: str, _source: Source) -> Reader:
    return Reader(_source.open())


def _view(ask: Reader, extent: tuple[date, date]) -> View | None:
    media = ask(figures.media)
    scope = _filters(ask, extent, media)
    return View(ask, scope, media, extent[1]) if scope else None


def _draw(page: Page, view: View | None, extent: tuple[date, date] | None) -> Callable[[], None]:
    def draw() -> None:
        st.title(page.title)
        if extent is None:
            st.info("Nothing is published yet: the first finished day appears after the first run.")
        elif view is None:
            st.info("Choose the last day of the period, too.")
        else:
            _trust(view)
            page.draw(view)

    return draw


def _filters(ask: Reader, extent: tuple[date, date], media: dict[str, Row]) -> Scope | None:
    first, last = extent
    start = usual(first, last).start
    with st.sidebar:
        days = st.date_input(
            "Days", (start, last), min_value=first, max_value=last, key="days",
            help="The account's days, both ends included.",
        )  # fmt: skip
        chosen = st.multiselect(
            "Media",
            list(media),
            # The browser sends the name back, not the id: it must be one media's alone.
            format_func=lambda m: media[m]["name"],
            key="media",
            placeholder="All media",
        )
        whole = Scope(first, last)
        channels = [r["name"] for r in ask(figures.breakdown, "channel", whole)]
        named = st.multiselect(
            "Channels", channels, key="channels", placeholder="All channels",
            help="Wistia counts loads and plays by media alone: under a channel, sessions are shown instead.",
        )  # fmt: skip
    if not isinstance(days, tuple) or len(days) != 2:
        return None
    return Scope(days[0], days[1], tuple(sorted(chosen)), tuple(sorted(named)))


def _trust(view: View) -> None:
    trust = view.ask(figures.trust, view.scope)
    tone, said = trust_line(trust)
    _TONES[tone](f"{'**Simulated data.** ' if trust.is_simulated else ''}{said}")
    if view.scope.channels:
        st.caption(OF_ALL_CHANNELS)
