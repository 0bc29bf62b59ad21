"""The pages, in the order of the menu."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import streamlit as st

from wistlake_dashboard import figures, health, words
from wistlake_dashboard.app import charts, parts
from wistlake_dashboard.app.shell import Page, View
from wistlake_dashboard.changes import changes
from wistlake_dashboard.coverage import coverage
from wistlake_dashboard.figures import Retention, Row
from wistlake_dashboard.scope import Scope

AUDIENCE = (
    ("country", "Countries"),
    ("device", "Devices"),
    ("embed", "Embedded on"),
    ("browser", "Browsers"),
)
AHEAD = timedelta(days=31)


def overview(view: View) -> None:
    """Headline numbers, days, media, movers, changes."""
    compared = view.ask(figures.compare, view.scope)
    parts.headline(view.scope, compared, view.names)
    notes = _changes(view)
    _days(view, notes)
    st.subheader("Media")
    rows = [
        {"media_id": m, "media": view.name(m)} | parts.of_totals(pair.now)
        for m, pair in sorted(compared.media.items(), key=lambda i: -(i[1].now.plays or i[1].now.sessions))
    ]
    parts.table("media", rows, {"media": "Media"} | parts.columns_of_totals(view.scope))
    st.subheader("Top movers")
    moved = [
        {
            "media_id": m, "media": view.name(m), "change": change, "before": _plays(pair.before),
            "now": _plays(pair.compared), "note": compared.coverage.standing.get(m, ""),
        }
        for m, change, pair in figures.movers(compared)
    ]  # fmt: skip
    counts = {n: parts.number(n.capitalize(), "plays") for n in ("change", "before", "now")}
    none = "No plays changed, or there is nothing to compare with."
    parts.table("movers", moved, {"media": "Media"} | counts | {"note": "Note"}, empty=none)
    st.subheader("Changes to media")
    columns = {"day": parts.day(), "name": "Media", "what": "What"}
    parts.table("changes", notes, columns, empty="No media changed in these days.")


def _changes(view: View) -> list[Row]:
    return [n | {"name": view.name(n["media_id"])} for n in view.ask(changes, view.scope)]


def _plays(totals: figures.Totals | None) -> int | None:
    return None if totals is None else totals.played


def _days(view: View, notes: list[Row]) -> None:
    found = view.ask(figures.by_day, view.scope)
    absent = dict.fromkeys(parts.of_totals(figures.Totals()))
    rows: list[Row] = [
        {"date": d} | (parts.of_totals(found[d]) if d in found else absent) for d in view.scope.days
    ]
    plays = "plays_from_events" if view.scope.channels else "plays"
    named = {
        plays: "Plays in sessions" if view.scope.channels else "Plays",
        "unique_viewers": "Unique viewers",
    }
    st.subheader("By day")
    chart = charts.days(rows, named, "Plays and unique viewers by day")
    parts.draw(charts.with_notes(chart, notes))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Hours watched**")
        parts.draw(charts.days(rows, {"watch_hours": "Hours watched"}, "Hours watched by day", form=",.1f"))
    with right:
        share = (
            ("average_viewed", "Average seen")
            if view.scope.channels
            else ("viewers_per_load", "Viewers per load")
        )
        st.markdown(f"**{share[1]}**")
        shown = [r | {share[0]: None if r[share[0]] is None else r[share[0]] / 100} for r in rows]
        parts.draw(charts.days(shown, {share[0]: share[1]}, f"{share[1]} by day", form=charts.SHARE))
    parts.as_table("days", rows, {"date": parts.day()} | parts.columns_of_totals(view.scope))


def media(view: View) -> None:
    """One media: funnel, retention, how its counts were revised."""
    chosen = view.scope.media or tuple(view.media)
    one = st.selectbox("Show", chosen, format_func=view.name, key="one-media")
    if one is None:
        return
    scope = replace(view.scope, media=(one,))
    compared = view.ask(figures.compare, scope)
    parts.headline(scope, compared, view.names)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Funnel")
        _funnel(compared.whole.now, scope)
    with right:
        st.subheader("Retention")
        if scope.channels:
            st.caption("Of all channels: Wistia has one curve a media.")
        _retention(view.ask(figures.retention, scope).get(one))
    alone = replace(view, scope=scope)
    _days(alone, _changes(alone))
    st.subheader("Revisions")
    st.caption(f"How Wistia's counts of each day{', of all channels,' if scope.channels else ''} moved after they were "
               "first read.")  # fmt: skip
    rows = [
        r | {"moved_at": words.moment(r["moved_at"]) if r["moved_at"] else "never"}
        for r in view.ask(health.revisions, scope)
    ]
    columns = {
        "date": parts.day(),
        "first_plays": parts.number("Plays at first", "plays"),
        "plays": parts.number("Plays now", "plays"),
        "first_loads": parts.number("Loads at first", "loads"),
        "loads": parts.number("Loads now", "loads"),
        "readings": parts.number("Different counts"),
        "moved_at": "Counts last moved",
        "restated": parts.number("Hours restated"),
    }
    parts.table("revisions", rows, columns, empty="Wistia's daily counts of these days were not read yet.")


def _funnel(totals: figures.Totals, scope: Scope) -> None:
    steps = figures.funnel(totals)
    known = [(name, n) for name, _, n in steps if n is not None]
    first = known[0][1] if known else 0
    if not first:
        st.caption("Nothing was loaded or played in these days.")
        return
    drawn = [(name, n, n / first) for name, n in known]
    parts.draw(charts.funnel(drawn, f"From {known[0][0].lower()} to the end of the media"))
    st.caption(
        "From the sessions of the channels chosen: Wistia's loads and plays are not known by channel."
        if scope.channels
        else "Loads and plays are Wistia's daily counts; how far people came is from sessions."
    )
    rows = [{"step": name, "number": n, "share": 100 * share} for name, n, share in drawn]
    columns = {
        "step": "Step",
        "number": parts.number("Number"),
        "share": parts.number("Of the first", form=parts.SHARE),
    }
    parts.as_table("funnel", rows, columns)


def _retention(curve: Retention | None) -> None:
    if curve is None:
        st.caption("No snapshot of the engagement curve in these days, or never played.")
        return
    lines = {"ever": curve.ever} | ({"these days": curve.lately} if curve.lately is not None else {})
    seconds = curve.duration_seconds or len(curve.ever)
    parts.draw(charts.curve(lines, seconds, "Share of plays that saw each second"))
    st.caption(curve.moved)
    rows = [
        {"second": round(seconds * n / max(1, len(curve.ever) - 1), 1)}
        | {name: 100 * values[n] for name, values in lines.items()}
        for n in range(len(curve.ever))
    ]
    columns = {"second": parts.number("Second", form="%.0f")} | {
        n: parts.number(n.capitalize(), form=parts.SHARE) for n in lines
    }
    parts.as_table("retention", rows, columns)


def audience(view: View) -> None:
    """Where people are, what they watch with, and on which pages."""
    parts.lacking(view.ask(coverage, view.scope), view.names)
    for pair in (AUDIENCE[:2], AUDIENCE[2:]):
        for column, (name, title) in zip(st.columns(2, gap="large"), pair, strict=True):
            with column:
                _breakdown(view, name, title)


def _breakdown(view: View, name: str, title: str) -> None:
    st.subheader(title)
    found = view.ask(figures.breakdown, name, view.scope)
    shares = figures.shares(found)
    if not shares:
        st.caption("Nothing was played in these days.")
        return
    parts.draw(charts.bars(shares, f"{title}: shares of plays"))
    with st.expander("As a table"):
        _breakdown_table(name, title, found)


def _breakdown_table(name: str, title: str, found: list[Row]) -> None:
    whole = sum(r["plays_from_events"] for r in found) or 1
    rows = [
        {
            "name": r["name"] or "unknown",
            "plays": r["plays_from_events"],
            "share": 100 * r["plays_from_events"] / whole,
            "sessions": r["sessions"],
            "watch_hours": None if r["watch_milliseconds"] is None else r["watch_milliseconds"] / 3_600_000,
            "finished": r["reached_95"],
        }
        for r in found
    ]
    columns = {
        "name": title,
        "plays": parts.number("Plays in sessions", "plays_from_events"),
        "share": parts.number("Share", form=parts.SHARE),
        "sessions": parts.number("Sessions", "sessions"),
        "watch_hours": parts.number("Hours watched", "watch_seconds", "%.1f"),
        "finished": parts.number("Saw 95 %", "reached_95"),
    }
    parts.table(name, rows, columns)


def channels(view: View) -> None:
    """Where plays came from, by the rules; and how many no rule knows."""
    parts.lacking(view.ask(coverage, view.scope), view.names)
    found = view.ask(figures.breakdown, "channel", view.scope)
    shares = {name: share for name, _, share in figures.shares(found, top=len(found))}
    if not shares:
        st.caption("Nothing was played in these days.")
        return
    every = view.ask(figures.breakdown, "channel", replace(view.scope, channels=()))
    st.metric(
        "Unclassified", words.share(figures.share_of(every, figures.UNCLASSIFIED)), border=True, width=166,
        help="Share of the plays in sessions that no channel rule fits. The rules are yours: WISTLAKE_CHANNELS.",
    )  # fmt: skip
    if view.scope.channels:
        st.caption("Unclassified is a share of all channels, whichever are chosen.")
    # A channel with conversions alone has no plays to draw.
    days = [r for r in view.ask(figures.channels_by_day, view.scope) if r["channel"] in shares]
    st.subheader("By day")
    parts.draw(
        charts.stacked(
            days,
            "channel",
            "plays_from_events",
            "Plays in sessions by channel and day",
            list(shares),
            "Plays",
        )
    )
    st.subheader("In these days")
    _breakdown_table("channel", "Channel", found)
    st.caption(
        "A channel says where the embedding page's visitor came from, or what the media was made for. "
        "Plays in a platform's own player are invisible to Wistia."
    )


def lake(view: View) -> None:
    """What was fetched, certified, refused, run and proved."""
    scope = view.scope
    parts.lacking(view.ask(coverage, scope), view.names)
    # Days that are fetched and not published yet lie after the last published one.
    ahead = replace(scope, end=scope.end + AHEAD) if scope.end == view.last else scope
    st.subheader("Days fetched")
    found = view.ask(health.calendar, ahead)
    if found:
        parts.draw(charts.calendar(found, "Intervals by dataset and day"))
        counts = Counter(r["state"] for r in found)
        st.caption(", ".join(f"{n:,} {state}" for state, n in counts.most_common()) + " (datasets' days).")
    parts.table(
        "failures", view.ask(health.failures, ahead),
        {"dataset": "Dataset", "media_id": "Media", "day": parts.day(), "reason": "Why"},
        empty="No interval failed in these days.",
    )  # fmt: skip
    st.subheader("Certificates")
    parts.draw(
        charts.stacked(
            view.ask(health.certificates, scope),
            "certificate",
            "media_days",
            "Certificates by day",
            list(charts.CERTIFICATES),
            "Media",
            list(charts.CERTIFICATES.values()),
        )
    )
    _proofs(view)
    _runs(view)


def _proofs(view: View) -> None:
    scope = view.scope
    st.subheader("Reconciliation")
    counts = {
        n: parts.number(n.replace("_", " ").capitalize()) for n in ("holds", "broken", "not_applicable")
    }
    parts.table(
        "reconciliation", view.ask(health.verdicts, scope),
        {"identity": "Identity", "blocking": "Blocking", **counts}, empty="Nothing was judged in these days.",
    )  # fmt: skip
    broken = [r | {"media": view.name(r["media_id"])} for r in view.ask(health.broken, scope)]
    if broken:
        numbers = {n: parts.number(n.capitalize()) for n in ("ours", "theirs", "lower", "upper")}
        columns = {"date": parts.day(), "media": "Media", "identity": "Identity", **numbers}
        parts.table("broken", broken, columns)
    st.subheader("Quarantine")
    columns = {
        "dataset": "Dataset", "reason": "Why", "records": parts.number("Records"),
        "first_day": parts.day("First day"), "last_day": parts.day("Last day"),
    }  # fmt: skip
    parts.table(
        "quarantine",
        view.ask(health.quarantine, scope),
        columns,
        empty="No record was refused in these days.",
    )


def _runs(view: View) -> None:
    st.subheader("Runs")
    st.caption("The newest 50, whatever days and media they were about.")
    columns = {
        "started_at": parts.moment("Began"),
        "status": "Status",
        "trigger": "Trigger",
        "origin": "Origin",
        "seconds": parts.number("Seconds", form="%.1f"),
        "run_id": "Run",
        "error": "Error",
    }
    parts.table("runs", view.ask(health.runs), columns, empty="No run yet.")


PAGES = (
    Page("Overview", "overview", ":material/monitoring:", overview),
    Page("Media detail", "media", ":material/movie:", media),
    Page("Audience", "audience", ":material/public:", audience),
    Page("Channels", "channels", ":material/hub:", channels),
    Page("Data health", "health", ":material/verified:", lake),
)
