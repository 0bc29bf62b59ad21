"""The bar above every page: period, comparison, grain and filters. All of it stands in the address, too."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import streamlit as st

from wistlake.quality.scope import Against, Grain, Scope
from wistlake_dashboard import figures, labels, names
from wistlake_dashboard.app.state import CUSTOM, PERIODS, Chosen, chosen, first_choice
from wistlake_dashboard.labels import Labelled
from wistlake_dashboard.reader import Reader
from wistlake_dashboard.traffic import described

_ADDRESS = "address"  # what a reader last chose, and what the address was made of
_PAGE = "page"  # the address of the page it was chosen on
_BY = {Grain.DAY: "Day", Grain.WEEK: "Week", Grain.MONTH: "Month"}


def bar(read: Reader, published: tuple[date, date], titles: Mapping[str, str]) -> Scope | None:
    """Draw it; the scope that it says, or None while the last day of a period is missing."""
    _from_address(published, titles)
    media, labelled = read(described, Scope(*published)), read(labels.labelled)
    folders = sorted({r["folder"] for r in media.values() if r["folder"]})
    channels = [r["name"] for r in read(figures.breakdown, "channel", Scope(*published))]
    with st.container(horizontal=True, vertical_alignment="bottom", key="bar"):
        st.selectbox("Period", PERIODS, key="period", width=140)
        if st.session_state["period"] == CUSTOM:
            st.date_input(
                "Days", min_value=published[0], max_value=published[1], key="days", width=220,
                help="Days in your account's time zone, both ends included.",
            )  # fmt: skip
        st.selectbox(
            "Compare with", list(Against), key="against", format_func=lambda a: str(a).capitalize(), width=170
        )
        st.selectbox("By", list(Grain), key="grain", format_func=_BY.__getitem__, width=110)
        _filters(channels, folders, titles, labelled)
    days = st.session_state["days"]
    if st.session_state["period"] == CUSTOM and (not isinstance(days, tuple) or len(days) != 2):
        return None
    selected = _selected(published)
    _to_address(selected, published)
    return selected.scope(published, _of_folders(selected, media, labelled))


def _filters(channels: list[str], folders: list[str], titles: Mapping[str, str], labelled: Labelled) -> None:
    count = sum(len(st.session_state[name]) for name in ("channels", "folders", "labels", "media"))
    with st.popover(f"Filters ({count})" if count else "Filters", icon=":material/filter_list:"):
        st.multiselect(
            "Channels", _with_selected(channels, "channels"), key="channels", placeholder="All channels",
            format_func=names.channel,
            help="Wistia counts loads and plays by media alone: under a channel, sessions are shown instead.",
        )  # fmt: skip
        st.multiselect(
            "Folders", _with_selected(folders, "folders"), key="folders", placeholder="All folders"
        )
        if options := _with_selected(labels.names(labelled), "labels"):
            st.multiselect(
                "Labels", options, key="labels", placeholder="All labels",
                help="Of one label any value that is chosen, of different labels all of them.",
            )  # fmt: skip
        # The browser sends the name back, not the id: it must be one media's alone.
        st.multiselect(
            "Videos", list(titles), key="media", format_func=titles.__getitem__, placeholder="All videos"
        )


def _with_selected(options: list[str], key: str) -> list[str]:
    """The options, and what an address asks for that is none of them (any more): nothing is played there, then."""
    return list(dict.fromkeys((*options, *st.session_state[key])))


def _of_folders(
    selected: Chosen, media: Mapping[str, Mapping[str, Any]], labelled: Labelled
) -> tuple[str, ...]:
    """The media that the filters leave; none means all."""
    if not (selected.folders or selected.labels):
        return tuple(sorted(selected.media))
    left = set(selected.media or media)
    if selected.folders:
        left &= {m for m, row in media.items() if row["folder"] in selected.folders}
    if selected.labels:
        left &= labels.left(labelled, selected.labels)
    return tuple(sorted(left)) or ("",)


def _from_address(published: tuple[date, date], titles: Mapping[str, str]) -> None:
    """Take the address's word at first, and when somebody else has changed it: another link, the way back. Otherwise
    give back what Streamlit drops when the page changes: the bar's values, and all that the address says."""
    params = {name: st.query_params.get_all(name) for name in st.query_params}
    state = st.session_state
    dropped = not params and st.context.url != state.get(_PAGE)
    if _ADDRESS in state and (dropped or params == state[_ADDRESS].params(published)):
        for name, value in _values(state[_ADDRESS]).items():
            state.setdefault(name, value)
        return
    state[_ADDRESS] = chosen(params, published, titles)
    for name, value in _values(state[_ADDRESS]).items():
        state[name] = value


def _values(selected: Chosen) -> dict[str, Any]:
    """What each part of the bar shows, by key."""
    return {
        "period": selected.period, "days": selected.days, "against": selected.against, "grain": selected.grain,
        "channels": list(selected.channels), "folders": list(selected.folders), "media": list(selected.media),
        "video": selected.video, "split": selected.split, "labels": list(selected.labels),
    }  # fmt: skip


def _selected(published: tuple[date, date]) -> Chosen:
    state = st.session_state
    days = state["days"] if len(state["days"]) == 2 else first_choice(published).days
    return Chosen(
        state["period"], tuple(days), state["against"], state["grain"], tuple(sorted(state["channels"])),
        tuple(sorted(state["folders"])), tuple(sorted(state["media"])), state["video"], state["split"],
        tuple(sorted(state["labels"])),
    )  # fmt: skip


def _to_address(selected: Chosen, published: tuple[date, date]) -> None:
    st.session_state[_ADDRESS], st.session_state[_PAGE] = selected, st.context.url
    params = selected.params(published)
    if {name: st.query_params.get_all(name) for name in st.query_params} != params:
        st.query_params.from_dict(params)
