"""The pages: filters in the sidebar, how far the numbers can be trusted, then the page's sections."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import streamlit as st

from wistlake.errors import WistlakeError
from wistlake_dashboard import figures
from wistlake_dashboard.app import render
from wistlake_dashboard.names import unique
from wistlake_dashboard.reader import Reader, Source, extent, titles
from wistlake_dashboard.scope import Scope, default_scope
from wistlake_dashboard.sections import Page, View

TITLE = "Wistia engagement"
OF_CHANNELS = (
    "Figures are of the sessions of the channels chosen. Wistia counts loads and plays by media alone: those and "
    "viewers per load are left out. Missing days and certificates are of all channels, and so are the sections that "
    "say it."
)
_TONES: dict[str, Callable[..., Any]] = {"": st.success, "warn": st.info, "bad": st.error}


def show(source: Source, pages: tuple[Page, ...]) -> None:
    """One turn of the app."""
    st.set_page_config(TITLE, page_icon="📈", layout="wide")
    try:
        read = _reader(source)
        published = read(extent)
    except WistlakeError as e:
        st.title(TITLE)
        st.error("The lake can't be read.")
        st.text(str(e))
        return
    # Filters are drawn here, not by the pages: so they stay when the page changes.
    view = _view(read, published) if published else None
    drawn = [
        st.Page(_draw(p, view, published=bool(published)), title=p.title, url_path=p.path, icon=p.icon)
        for p in pages
    ]
    st.navigation(drawn).run()


def _reader(source: Source) -> Reader:
    """The reader of the newest publication, shared by all sessions. The one before is kept for turns under way."""
    opened: Reader = _opened(source.version(), source)
    return opened


@st.cache_resource(max_entries=2, show_spinner="Opening the lake ...")  # type: ignore[untyped-decorator]
def _opened(version: str, _source: Source) -> Reader:
    return Reader(_source.open())


def _view(read: Reader, published: tuple[date, date]) -> View | None:
    names = unique(read(titles))
    scope = _filters(read, published, names)
    return View(read, scope, names) if scope else None


def _draw(page: Page, view: View | None, *, published: bool) -> Callable[[], None]:
    def draw() -> None:
        st.title(page.title)
        if not published:
            st.info("Nothing is published yet: the first finished day appears after the first run.")
        elif view is None:
            st.info("Choose the last day of the period, too.")
        else:
            _trust(view)
            shown = _of_one_media(view) if page.one_media else view
            _gaps(shown.gaps(compared=page.compares))
            render.sections(shown, page.sections)

    return draw


def _of_one_media(view: View) -> View:
    """The view of the media that the reader picks of those that are shown."""
    media_id = st.selectbox(
        "Show", view.scope.media or tuple(view.names), format_func=view.name, key="one-media"
    )
    return replace(view, scope=replace(view.scope, media=(media_id,)))


def _gaps(lines: list[str]) -> None:
    """What the figures lack. Titles are people's: they are shown as text."""
    if lines:
        with st.container(border=True, gap="xsmall"):
            for line in lines:
                st.text(line)


def _filters(read: Reader, published: tuple[date, date], names: dict[str, str]) -> Scope | None:
    first, last = published
    start = default_scope(first, last).start
    with st.sidebar:
        days = st.date_input(
            "Days", (start, last), min_value=first, max_value=last, key="days",
            help="The account's days, both ends included.",
        )  # fmt: skip
        media = st.multiselect(
            "Media",
            list(names),
            # The browser sends the name back, not the id: it must be one media's alone.
            format_func=names.__getitem__,
            key="media",
            placeholder="All media",
        )
        every = [r["name"] for r in read(figures.breakdown, "channel", Scope(first, last))]
        channels = st.multiselect(
            "Channels", every, key="channels", placeholder="All channels",
            help="Wistia counts loads and plays by media alone: under a channel, sessions are shown instead.",
        )  # fmt: skip
    if not isinstance(days, tuple) or len(days) != 2:
        return None
    return Scope(days[0], days[1], tuple(sorted(media)), tuple(sorted(channels)))


def _trust(view: View) -> None:
    trust = view.trust
    _TONES[trust.tone](f"{'**Simulated data.** ' if trust.is_simulated else ''}{trust.summary}")
    if view.scope.channels:
        st.caption(OF_CHANNELS)
