"""The cookbook's answers in plain Python: from the simulator's truth, or added up by hand from a table's rows.

Each question has a function from `Facts` to all its rows, and the key that they are ordered by. Nothing here asks
SQL for more than the rows of one table.
"""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from support.lake import Lake

Row = dict[str, Any]
Pair = tuple[str, date]


class Facts:
    """What is true of a lake: listed sessions of published days, Wistia's counts, media, and the lake's own rows."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        truth = lake.truth()
        true = truth.tables()
        self.daily = {(r["media_id"], r["date"]): r for r in true["gold.fact_media_daily"]}
        self.titles = {r["media_id"]: r["title"] for r in true["silver.dim_media"]}
        self.listed = [r for r in true["silver.fact_events"] if r["removed_at"] is None]
        self.sessions = [r for r in self.listed if self.is_published(r["media_id"], r["event_date_local"])]
        self.days = sorted({day for _, day in self.daily})
        self.seen = truth.landings
        self.traffic, self.conversions = true["gold.traffic_daily"], true["gold.conversion_daily"]

    def is_published(self, media_id: str, day: date) -> bool:
        """Whether a media's day stands in gold."""
        return (media_id, day) in self.daily

    def counts(self) -> dict[Pair, tuple[int, int]]:
        """Wistia's (loads, plays) of each published day."""
        return {pair: (row["loads"], row["plays"]) for pair, row in self.daily.items()}

    def by(self, *names: str) -> dict[tuple[Any, ...], list[Row]]:
        """The sessions in groups."""
        return grouped(self.sessions, *names)

    def snapshots(self) -> dict[str, list[tuple[date, Mapping[str, Any], int]]]:
        """Each media's (day, curve, plays), oldest first, of those that were played."""
        found = defaultdict(list)
        for o in self.seen:
            if o.dataset == "media_engagement" and not o.missing:
                curve = self.lake.world.truth.engagement(o.media_id, at=o.at)
                plays = self.lake.world.truth.lifetime(o.media_id, at=o.at)["play_count"]
                if curve["engagement_data"]:
                    found[o.media_id].append((o.day, curve, plays))
        return found

    def durations(self) -> dict[str, float]:
        """Each media's duration."""
        return {m.media_id: m.duration for m in self.lake.world.truth.medias()}


def grouped(rows: Iterable[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    """Rows that have the same values in some columns."""
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row[n] for n in names)].append(row)
    return found


def hours(rows: Iterable[Row]) -> float:
    """Hours watched in sessions."""
    return sum(r["watch_milliseconds"] or 0 for r in rows) / 3.6e6


def people(rows: Iterable[Row]) -> int:
    """Distinct viewers."""
    return len({r["visitor_id"] for r in rows})


def day_by_day(facts: Facts) -> list[Row]:
    sessions = facts.by("event_date_local")
    return [
        {
            "date": day,
            "plays": sum(plays for (_, d), (_, plays) in facts.counts().items() if d == day),
            "viewers": people(sessions.get((day,), ())),
            "hours": hours(sessions.get((day,), ())),
        }
        for day in facts.days
    ]


def watched_longest(facts: Facts) -> list[Row]:
    newest = facts.days[-28:]
    return [
        {
            "title": title,
            "hours": hours(
                r for r in facts.sessions if r["media_id"] == m and r["event_date_local"] in newest
            ),
            "plays": sum(facts.counts()[(m, d)][1] for d in newest if (m, d) in facts.counts()),
        }
        for m, title in facts.titles.items()
    ]


def week_on_week(facts: Facts) -> list[Row]:
    now, before = facts.days[-7:], facts.days[-14:-7]
    assert (now[-1] - before[0]).days == 13
    counts = facts.counts()
    rows = []
    for m, title in facts.titles.items():
        this, last = (sum(counts[(m, d)][1] for d in days) for days in (now, before))
        rows.append({"title": title, "this_week": this, "week_before": last, "moved": this - last})
    return rows


def play_rates(facts: Facts) -> list[Row]:
    sessions = facts.by("media_id", "event_date_local")
    return [
        {
            "date": day,
            "title": facts.titles[m],
            "loads": loads,
            "plays": plays,
            "play_rate_estimated": people(sessions.get((m, day), ())) / loads,
            "play_rate_analytics": None,
        }
        for (m, day), (loads, plays) in facts.counts().items()
        if loads
    ]


def how_far(facts: Facts) -> list[Row]:
    rows = []
    for m, title in facts.titles.items():
        seen = [r["percent_viewed"] for r in facts.sessions if r["media_id"] == m]
        shares = {
            mark: sum(s >= mark / 100 for s in seen) / len(seen) if seen else None
            for mark in (25, 50, 75, 95)
        }
        named = {f"reached_{mark}_share": shares[mark] for mark in (25, 50, 75)}
        rows.append({"title": title, "sessions": len(seen), **named, "completion_share": shares[95]})
    return rows


def leaving(facts: Facts) -> list[Row]:
    rows = []
    for m, snapshots in facts.snapshots().items():
        _, curve, plays = snapshots[-1]
        views, again = curve["engagement_data"], curve["rewatch_data"]
        for tenth in range(11):
            at = (len(views) - 1) * tenth // 10
            rows.append(
                {
                    "title": facts.titles[m],
                    "percent_of_media": 10 * tenth,
                    "place": at + 1,
                    "share_of_plays": (views[at] - again[at]) / plays,
                }
            )
    return rows


def rewatched(facts: Facts) -> list[Row]:
    rows = []
    for m, snapshots in facts.snapshots().items():
        for (first, before, _), (last, after, _) in itertools.pairwise(snapshots):
            pairs = zip(before["engagement_data"], after["engagement_data"], strict=True)
            comparable = all(new >= old for old, new in pairs)
            again = [b - a for a, b in zip(before["rewatch_data"], after["rewatch_data"], strict=True)]
            most = max(again) if comparable else None
            at = again.index(most) * facts.durations()[m] // len(again) if most else None
            rows.append(
                {
                    "title": facts.titles[m],
                    "previous_date": first,
                    "date": last,
                    "verdict": "comparable" if comparable else "restated",
                    "most_rewatches": most,
                    "most_rewatched_at": at,
                }
            )
    return rows


def countries(facts: Facts) -> list[Row]:
    return [
        {"country": country or "unknown", "sessions": len(rows), "hours": hours(rows)}
        for (country,), rows in facts.by("country").items()
    ]


def phones(facts: Facts) -> list[Row]:
    rows = []
    for (m,), of_media in facts.by("media_id").items():
        platforms = Counter(r["platform"] for r in of_media if r["platform"])
        rows.append(
            {
                "title": facts.titles[m],
                "mobile_share": sum(bool(r["is_mobile"]) for r in of_media) / len(of_media),
                "busiest_platform": platforms.most_common(1)[0][0],
            }
        )
    return rows


def pages(facts: Facts) -> list[Row]:
    return [
        {"embed_host": host, "embed_path": path, "sessions": len(rows), "viewers": people(rows)}
        for (host, path), rows in facts.by("embed_host", "embed_path").items()
        if host
    ]


def channels(facts: Facts) -> list[Row]:
    return [
        {
            "channel": channel,
            "sessions": len(rows),
            "share_of_sessions": len(rows) / len(facts.sessions),
            "completion_share": sum(r["percent_viewed"] >= 0.95 for r in rows) / len(rows),
        }
        for (channel,), rows in facts.by("channel").items()
    ]


def campaigns(facts: Facts) -> list[Row]:
    return [
        {
            "utm_source": source,
            "utm_campaign": campaign,
            "sessions": len(rows),
            "average_viewed_share": sum(r["percent_viewed"] for r in rows) / len(rows),
        }
        for (source, campaign), rows in facts.by("utm_source", "utm_campaign").items()
        if source
    ]


def referrers(facts: Facts) -> list[Row]:
    of_referrer = grouped((r for r in facts.traffic if r["dimension"] == "referrer_domain"), "value")
    return [
        {
            "referrer": value,
            "plays": sum(r["plays"] for r in rows),
            "loads": sum(r["loads"] for r in rows),
            "engagement": sum(r["plays"] * r["engagement"] for r in rows) / sum(r["plays"] for r in rows),
        }
        for (value,), rows in of_referrer.items()
    ]


def actions(facts: Facts) -> list[Row]:
    found = []
    for (media, kind, basis), rows in grouped(facts.conversions, "media_id", "kind", "basis").items():
        shown, taken = (sum(r[n] or 0 for r in rows) for n in ("impressions", "actions"))
        found.append(
            {
                "title": facts.titles[media],
                "kind": kind,
                "basis": basis,
                "impressions": shown,
                "actions": taken,
            }
            | {"rate": taken / shown if shown else None}
        )
    return found


def coming_back(facts: Facts) -> list[Row]:
    days = Counter(len({r["event_date_local"] for r in rows}) for rows in facts.by("visitor_id").values())
    return [{"days": n, "viewers": viewers} for n, viewers in days.items()]


def also_watched(facts: Facts) -> list[Row]:
    viewers = {m: {r["visitor_id"] for r in rows} for (m,), rows in facts.by("media_id").items()}
    return [
        {
            "viewers_of": facts.titles[a],
            "also_watch": facts.titles[b],
            "viewers": len(viewers[a] & viewers[b]),
        }
        for a, b in itertools.permutations(viewers, 2)
        if viewers[a] & viewers[b]
    ]


def weekdays(facts: Facts) -> list[Row]:
    plays: dict[str, int] = Counter()
    days = defaultdict(set)
    for (_, day), (_, n) in facts.counts().items():
        plays[f"{day:%A}"] += n
        days[f"{day:%A}"].add(day)
    return [
        {"weekday": w, "days": len(days[w]), "plays": n, "plays_per_day": n / len(days[w])}
        for w, n in plays.items()
    ]


def trust(facts: Facts) -> list[Row]:
    names = ("provisional", "settled", "certified")
    return [
        {"date": day, **{n: sum(r["certificate"] == n for r in rows) for n in names}}
        for (day,), rows in grouped(facts.lake.rows("gold.fact_media_daily"), "date").items()
    ]


def agreement(facts: Facts) -> list[Row]:
    rows = []
    for (identity, verdict), of in grouped(
        facts.lake.rows("ops.reconciliation"), "identity", "verdict"
    ).items():
        apart = [
            abs(r["theirs"] - r["ours"]) for r in of if r["theirs"] is not None and r["ours"] is not None
        ]
        rows.append(
            {
                "identity": identity,
                "verdict": verdict,
                "media_days": len(of),
                "largest_difference": max(apart, default=None),
            }
        )
    return rows


def restated(facts: Facts) -> list[Row]:
    """What each landing of a published day said, asked of the world again."""
    said: dict[Pair, list[tuple[datetime, int, int]]] = defaultdict(list)
    for o in facts.seen:
        if o.dataset == "media_by_date" and not o.missing and facts.is_published(o.media_id, o.day):
            (row,) = facts.lake.world.truth.by_date(o.media_id, o.day, o.day, at=o.at)
            said[(o.media_id, o.day)].append((o.at, row["load_count"], row["play_count"]))
    rows = []
    for (m, day), readings in said.items():
        (_, first_loads, first_plays), (_, loads, plays) = min(readings), max(readings)
        if len({reading[1:] for reading in readings}) > 1:
            rows.append(
                {
                    "media_id": m,
                    "date": day,
                    "plays_at_first": first_plays,
                    "plays_now": plays,
                    "loads_at_first": first_loads,
                    "loads_now": loads,
                }
            )
    return rows


def versions(facts: Facts) -> list[Row]:
    """Each description of a media that differs from the one before, with the moments at which it was read."""
    read = defaultdict(list)
    for o in facts.seen:
        if o.dataset == "media_metadata" and not o.missing:
            (media,) = (m for m in facts.lake.world.truth.medias(o.at) if m.media_id == o.media_id)
            of_media = read[o.media_id]
            if not of_media or _followed(of_media[-1][1]) != _followed(media):
                of_media.append((o.at, media))
    rows = []
    for m, of_media in read.items():
        ends = [at for at, _ in of_media[1:]] + [None]
        rows += [
            {
                "media_id": m,
                "valid_from": at,
                "valid_to": end,
                "title": media.name,
                "duration_seconds": media.duration,
                "folder": media.folder,
                "tags": sorted(media.tags),
                "status": media.status,
            }
            for (at, media), end in zip(of_media, ends, strict=True)
        ]
    return rows


def _followed(media: Any) -> tuple[Any, ...]:
    return (media.name, media.duration, media.folder, sorted(media.tags), media.status, media.archived)


def refused(facts: Facts) -> list[Row]:
    """No rows is the good answer, and it is the true one: nothing failed, nothing was refused."""
    assert {i.state for i in facts.lake.ledger.intervals()} == {"published"}
    assert facts.lake.rows("silver.quarantine") == []
    return []


def descending(name: str) -> Callable[[Row], Any]:
    """Largest first, unknown last."""
    return lambda row: (row[name] is None, -(row[name] or 0))


def _newest(row: Row) -> int:
    return -int(row["date"].toordinal())


ANSWERS: dict[str, tuple[Callable[[Facts], list[Row]], Callable[[Row], Any]]] = {
    "How are we doing, day by day?": (day_by_day, lambda r: r["date"]),
    "Which media were watched the longest in the last four weeks?": (watched_longest, descending("hours")),
    "Which media gained or lost plays, week on week?": (week_on_week, lambda r: -abs(r["moved"])),
    "What is the play rate of each media, day by day?": (play_rates, lambda r: (_newest(r), r["title"])),
    "How far do viewers get?": (how_far, descending("sessions")),
    "At which second do they leave?": (leaving, lambda r: (r["title"], r["percent_of_media"])),
    "Which seconds were watched again lately?": (
        rewatched,
        lambda r: (_newest(r), r["most_rewatches"] is None, -(r["most_rewatches"] or 0), r["title"]),
    ),
    "Which countries watch?": (countries, descending("sessions")),
    "How much of it is on phones?": (phones, descending("mobile_share")),
    "On which pages is it played?": (pages, descending("sessions")),
    "Which channels bring viewers, and how much is unclassified?": (channels, descending("sessions")),
    "Which campaigns bring viewers who stay?": (campaigns, descending("sessions")),
    "Which referrers send plays?": (referrers, descending("plays")),
    "How often are calls to action taken?": (actions, descending("actions")),
    "How many viewers come back?": (coming_back, lambda r: r["days"]),
    "What else do viewers of one media watch?": (also_watched, descending("viewers")),
    "On which days of the week is it watched?": (weekdays, descending("plays_per_day")),
    "How far can each day be trusted?": (trust, _newest),
    "Do our numbers agree with Wistia's?": (agreement, lambda r: (r["identity"], r["verdict"])),
    "Which days did Wistia restate after we first read them?": (
        restated,
        lambda r: (_newest(r), r["media_id"]),
    ),
    "What changed about a media, and when?": (
        versions,
        lambda r: (r["media_id"], -r["valid_from"].timestamp()),
    ),
    "Is anything missing or refused?": (refused, lambda r: 0),
}


ONE_DECIMAL = ("hours", "plays_per_day")


def same(name: str, wanted: Any, have: Any) -> bool:
    """Equal; a number as far as the cookbook rounds it: to one decimal or to three."""
    if isinstance(wanted, float) and isinstance(have, float):
        return math.isclose(wanted, have, rel_tol=1e-9, abs_tol=0.0501 if name in ONE_DECIMAL else 0.000501)
    return bool(wanted == have)
