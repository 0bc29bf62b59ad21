"""The pages: the bar, then the page's sections. How far the numbers can be trusted is a chip beside the title."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import streamlit as st

from wistlake.errors import WistlakeError
from wistlake_dashboard import locales
from wistlake_dashboard.app import render, theme
from wistlake_dashboard.app.bar import bar
from wistlake_dashboard.app.state import filtered
from wistlake_dashboard.blocks import Click
from wistlake_dashboard.names import unique
from wistlake_dashboard.reader import Reader, Source, extent, titles
from wistlake_dashboard.sections import Page, View
from wistlake_dashboard.trust import Trust

TITLE = "Wistia engagement"
SIDEBAR = 200  # pixels
# The sentence that answers holds names, so it is text: only its looks are those of a heading.
STYLE = """<style>.st-key-answer [data-testid=stText] { font-size: 1.3rem; font-weight: 600 }
.picture { max-width: 320px; border-radius: 6px }
.sparkline { display: block; width: 100%; height: 26px; overflow: visible }
.sparkline path { fill: none; stroke: var(--line); stroke-width: 1.6;
  vector-effect: non-scaling-stroke; stroke-linejoin: round }</style>"""
OF_CHANNELS = (
    "Figures are of the sessions of the channels chosen. Wistia counts loads and plays by media alone: those are left "
    "out. Missing days and the state of days are of all channels, and so are the sections that say it."
)
_CHIPS = {"": ("verified", "green"), "warn": ("may still change", "blue"), "bad": ("failed days", "red")}


def show(source: Source, pages: tuple[Page, ...], *, pictures: bool = False) -> None:
    """One turn of the app, written as the reader's browser says. With `pictures` it asks Wistia for those of the
    videos."""
    with locales.written_for(st.context.locale):
        _show(source, pages, pictures=pictures)


def _show(source: Source, pages: tuple[Page, ...], *, pictures: bool) -> None:
    st.set_page_config(TITLE, page_icon="📈", layout="wide", initial_sidebar_state=SIDEBAR)
    line = theme.LINE["dark" if st.context.theme.type == "dark" else "light"]
    st.html(f"{STYLE}<style>:root {{ --line: {line} }}</style>")
    try:
        read = _reader(source)
        published = read(extent)
    except WistlakeError as e:
        st.title(TITLE)
        st.error("The lake can't be read.")
        st.text(str(e))
        return
    # The bar is drawn here, not by the pages: so its values stay when the page changes.
    view = _view(read, published, pictures=pictures) if published else None
    drawn: dict[str, st.Page] = {}
    for page in pages:
        body = _draw(page, view, drawn, published=bool(published))
        drawn[page.path] = st.Page(body, title=page.title, url_path=page.path, icon=page.icon)
    st.navigation(list(drawn.values())).run()


def _reader(source: Source) -> Reader:
    """The reader of the newest publication, shared by all sessions. The one before is kept for turns under way."""
    opened: Reader = _opened(source.version(), source)
    return opened


@st.cache_resource(max_entries=2, show_spinner="Opening the lake ...")  # type: ignore[untyped-decorator]
def _opened(version: str, _source: Source) -> Reader:
    return Reader(_source.open())


def _view(read: Reader, published: tuple[date, date], *, pictures: bool) -> View | None:
    names = unique(read(titles))
    scope = bar(read, published, names)
    return View(read, scope, names, pictures) if scope else None


def _draw(page: Page, view: View | None, pages: dict[str, st.Page], *, published: bool) -> Callable[[], None]:
    def draw() -> None:
        st.title(page.title)
        if not published:
            st.info("Nothing is published yet: the first finished day appears after the first run.")
        elif view is None:
            st.info("Choose the last day of the period, too.")
        else:
            shown = _of_one_media(view) if page.one_media else view
            _chip(shown.trust, shown.gaps(compared=page.compares), whole=page.path == "quality")
            if view.scope.channels:
                st.caption(OF_CHANNELS)
            clicked = render.sections(shown, page.sections)
            if clicked:
                _follow(clicked, pages)

    return draw


def _of_one_media(view: View) -> View:
    """The view of the media that the reader picks of those that are shown, and of the day to split the period at."""
    options = [m for m in view.scope.media or tuple(view.names) if m in view.names]
    state = st.session_state
    if state.get("video") not in options:
        state["video"] = options[0] if options else None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        media_id = st.selectbox("Video", options, format_func=view.name, key="video", width=420)
        split = st.date_input("Before and after", key="split", width=160, help="Compares the days from this one on "
                              "with as many days before. Without it: the newest file swap.")  # fmt: skip
    return replace(view, scope=replace(view.scope, media=(media_id or "",), split=split))


def _follow(clicked: Click, pages: dict[str, st.Page]) -> None:
    """Open the video of the row that was clicked, or filter by what it stands for."""
    key, value = clicked
    st.session_state[render.FOLLOWED] = st.session_state.get(render.FOLLOWED, 0) + 1
    params = {name: st.query_params.get_all(name) for name in st.query_params}
    if key == "media_id":
        st.switch_page(pages["video"], query_params={**params, "video": [value]})
    st.query_params.from_dict({**params, **filtered(clicked)})
    st.rerun()


def _chip(trust: Trust, gaps: list[str], *, whole: bool) -> None:
    """What a reader must know before any number, in a few words; the page Data quality says the rest. Titles in it are
    people's: they are shown as text."""
    word, colour = _CHIPS[trust.tone]
    with st.container(horizontal=True, gap="small"):
        if trust.is_simulated:
            st.badge("simulated data", color="orange")
        st.badge(word, color=colour)
        if gaps and not whole:
            with st.popover(f"{len(gaps)} missing", type="tertiary"):
                for line in gaps:
                    st.text(line)
    if whole:
        st.caption(trust.summary)
        for line in gaps:
            st.text(line)
