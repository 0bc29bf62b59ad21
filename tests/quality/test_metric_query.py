"""The planner's SQL against sums and sets that Python makes of the same sessions."""

import itertools
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest

from dashboard.published import Published
from support.some import some
from wistlake.errors import ConfigError
from wistlake.quality.metric_query import DIMENSIONS, plan
from wistlake.quality.metrics import METRICS
from wistlake.quality.scope import Scope

FIRST = date(2026, 2, 23)
NOW = Scope(date(2026, 3, 9), date(2026, 3, 22))  # a fortnight, after another one
MEDIA = {"m1": "Tour", "m2": "Tour", "m3": "Offer"}
LABELS = [("m1", "campaign", "spring"), ("m1", "audience", "new"), ("m2", "campaign", "spring")]
DURATION = {"m1": 100.0, "m2": 40.0, "m3": None}
Row = dict[str, Any]


@cache
def sessions() -> list[Row]:
    """Of four weeks: few visitors, so that most come back, on other days and to other media."""
    dice = random.Random(7)
    return [
        {
            "event_key": f"e{n}", "media_id": media, "date": FIRST + timedelta(days=day),
            "visitor_id": f"v{dice.randrange(9)}", "viewed": dice.randrange(0, 21) / 20,
            "channel": dice.choice(["facebook", "email", "unclassified"]),
            "country": dice.choice(["US", "DE", None]), "is_mobile": dice.random() < 0.5,
            "conversion_type": dice.choice([None, None, None, "cta"]), "utm_campaign": dice.choice([None, "spring"]),
        }
        for n, (media, day, _) in enumerate(itertools.product(MEDIA, range(28), range(3)))
        if dice.random() < 0.7
    ]  # fmt: skip


def loads_of(media: str, day: date) -> int | None:
    """Loads, which Wistia has not said of one media day."""
    return None if (media, day) == ("m2", NOW.end) else 5 + (day.toordinal() + ord(media[1])) % 7


def counted(of: list[Row]) -> Row:
    """What gold's daily tables hold of some sessions."""
    seen = [s for s in of if DURATION[s["media_id"]]]
    watched = sum(int(s["viewed"] * (DURATION[s["media_id"]] or 0) * 1000 + 0.5) for s in seen)
    return {
        "plays_from_events": sum(not s["conversion_type"] for s in of),
        "sessions": len(of),
        "unique_viewers": len({s["visitor_id"] for s in of}),
        "watch_milliseconds": watched if seen or not of else None,
        "reached_95": sum(s["viewed"] >= 0.95 for s in of),
        "conversions": sum(bool(s["conversion_type"]) for s in of),
    }


@cache
def of_a_day(media: str, day: date) -> Row:
    of = [s for s in sessions() if (s["media_id"], s["date"]) == (media, day)]
    timed = [s for s in of if DURATION[media]]
    return {
        "media_id": media, "date": day, "loads": loads_of(media, day), "plays": len(of) + 1, **counted(of),
        "timed_sessions": len(timed), "full_milliseconds": sum(int((DURATION[media] or 0) * 1000) for _ in timed),
        "viewed_millionths": sum(int(s["viewed"] * 1e6 + 0.5) for s in of),
        **{f"reached_{m}": sum(s["viewed"] >= m / 100 for s in of) for m in (25, 50, 75)},
    }  # fmt: skip


def grouped(*names: str) -> dict[tuple[Any, ...], list[Row]]:
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for s in sessions():
        groups[tuple(s[n] if s[n] is not None else "" for n in names)].append(s)
    return groups


@pytest.fixture(scope="module")
def query() -> Published:
    days = [FIRST + timedelta(days=n) for n in range(28)]
    watched = [
        (s["viewed"], d, int(s["viewed"] * d * 1000 + 0.5) if d else None)
        for s in sessions()
        for d in [DURATION[s["media_id"]]]
    ]
    return Published(
        {
            "gold.fact_media_daily": [of_a_day(m, d) for m in MEDIA for d in days],
            "gold.fact_media_engagement": [
                dict(zip(("media_id", "visitor_id", "date"), key, strict=True))
                for key in grouped("media_id", "visitor_id", "date")
            ],
            "gold.channel_daily": [
                {"media_id": m, "date": d, "channel": c, **counted(of)}
                for (m, d, c), of in grouped("media_id", "date", "channel").items()
            ],
            "gold.geo_daily": [
                {"media_id": m, "date": d, "country": c, "region": "", **counted(of)}
                for (m, d, c), of in grouped("media_id", "date", "country").items()
            ],
            "gold.device_daily": [
                {"media_id": m, "date": d, "platform": "", "browser": "", "is_mobile": mobile, **counted(of)}
                for (m, d, mobile), of in grouped("media_id", "date", "is_mobile").items()
            ],
            "silver.dim_media": [{"media_id": m, "title": t} for m, t in MEDIA.items()],
            "gold.dim_media_label": [
                dict(zip(("media_id", "label", "value"), row, strict=True)) for row in LABELS
            ],
            "silver.fact_events": [
                {k: s[k] for k in ("event_key", "media_id", "visitor_id", "channel", "country", "is_mobile",
                 "conversion_type", "utm_campaign")}
                | {"event_date": s["date"], "event_date_local": s["date"], "percent_viewed": share,
                   "duration_seconds": duration, "watch_milliseconds": ms}
                for s, (share, duration, ms) in zip(sessions(), watched, strict=True)
            ],
        }
    )  # fmt: skip


KEYS: dict[str, Callable[[Row], list[Any]]] = {
    "media": lambda s: [s["media_id"]],
    "title": lambda s: [MEDIA[s["media_id"]]],
    "label": lambda s: [f"{label}={value}" for m, label, value in LABELS if m == s["media_id"]],
    "date": lambda s: [s["date"]],
    "week": lambda s: [NOW.start + timedelta(days=(s["date"] - NOW.start).days // 7 * 7)],
    "month": lambda s: [s["date"].replace(day=1)],
    "channel": lambda s: [s["channel"]],
    "country": lambda s: [s["country"] or ""],
    "device": lambda s: [", mobile" if s["is_mobile"] else ""],
    "utm_campaign": lambda s: [s["utm_campaign"] or ""],
}
VALUES: dict[str, Callable[[list[Row], list[Row]], Any]] = {
    "plays": lambda of, days: sum(d["plays"] for d in days),
    "loads": lambda of, days: sum(d["loads"] or 0 for d in days),
    "plays_per_load": lambda of, days: sum(d["plays"] for d in days) / sum(d["loads"] or 0 for d in days),
    "sessions": lambda of, days: len(of),
    "unique_viewers": lambda of, days: len({s["visitor_id"] for s in of}),
    "viewers_per_load": lambda of, days: (
        len({s["visitor_id"] for s in of if loads_of(s["media_id"], s["date"])})
        / sum(d["loads"] or 0 for d in days)
    ),
    "completion_share": lambda of, days: sum(s["viewed"] >= 0.95 for s in of) / len(of),
    "average_viewed_share": lambda of, days: pytest.approx(sum(s["viewed"] for s in of) / len(of)),
    "watch_seconds": lambda of, days: (
        None if not (seen := [s for s in of if DURATION[s["media_id"]]])
        else pytest.approx(sum(s["viewed"] * (DURATION[s["media_id"]] or 0) for s in seen))
    ),
    "conversions": lambda of, days: sum(bool(s["conversion_type"]) for s in of),
}  # fmt: skip
OF_MEDIA_ALONE = ("plays", "loads", "plays_per_load", "viewers_per_load")
BY = [
    (), ("media",), ("title",), ("label",), ("date",), ("week",), ("month",), ("media", "week"), ("channel",),
    ("country",), ("device",), ("utm_campaign",), ("channel", "country"), ("week", "channel"), ("label", "channel"),
    ("title", "country"),
]  # fmt: skip


def expected(name: str, by: tuple[str, ...], scope: Scope) -> dict[tuple[Any, ...], Any]:
    """The metric of each group, from sessions and days as they are."""
    groups: dict[tuple[Any, ...], tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))

    def put(rows: list[Row], place: int) -> None:
        for row in rows:
            inside = scope.start <= row["date"] <= scope.end and (
                not scope.media or row["media_id"] in scope.media
            )
            for key in itertools.product(*(KEYS[b](row) for b in by)) if inside else ():
                groups[key][place].append(row)

    put([s for s in sessions() if not scope.channels or s["channel"] in scope.channels], 0)
    if not {"channel", "country", "device", "utm_campaign"} & set(by):
        put([of_a_day(m, FIRST + timedelta(days=n)) for m in MEDIA for n in range(28)], 1)
    return {key: VALUES[name](of, days) if of or days else None for key, (of, days) in groups.items()}


def answered(query: Published, name: str, by: tuple[str, ...], scope: Scope) -> dict[tuple[Any, ...], Any]:
    columns = ["media_id" if b == "media" else b for b in by]
    rows = query.sql(plan((name,), scope, by)).to_pylist()
    assert all(list(r) == [*columns, name] for r in some(rows))
    return {tuple(r[c] for c in columns): float(r[name]) if r[name] is not None else None for r in some(rows)}


@pytest.mark.parametrize("by", BY, ids="+".join)
@pytest.mark.parametrize("name", VALUES)
def test_a_metric_of_each_group_is_what_its_sessions_and_days_say(
    query: Published, name: str, by: tuple[str, ...]
) -> None:
    of_sessions = any(d.of_sessions for d in DIMENSIONS if d.name in by)
    if of_sessions and name in OF_MEDIA_ALONE:
        with pytest.raises(
            ConfigError, match=f"^{name} is not known by .*Known of sessions: .*unique_viewers"
        ):
            plan((name,), NOW, by)
        return
    assert answered(query, name, by, NOW) == expected(name, by, NOW)


@pytest.mark.parametrize("by", [(), ("channel",), ("country",), ("week",)], ids="+".join)
@pytest.mark.parametrize("name", [n for n in VALUES if n not in OF_MEDIA_ALONE])
def test_filters_leave_what_they_name(query: Published, name: str, by: tuple[str, ...]) -> None:
    scope = Scope(NOW.start, NOW.end, ("m1", "m3"), ("email", "facebook"))
    assert answered(query, name, by, scope) == expected(name, by, scope)


@pytest.mark.parametrize("by", [(), ("media",), ("date",), ("week",), ("channel",)], ids="+".join)
@pytest.mark.parametrize("name", ["unique_viewers", "completion_share", "sessions"])
def test_two_periods_are_both_answered_and_days_stand_beside_each_other(
    query: Published, name: str, by: tuple[str, ...]
) -> None:
    rows = query.sql(plan((name,), NOW, by, compare=True)).to_pylist()
    columns = ["media_id" if b == "media" else b for b in by]
    for period, scope in (("now", NOW), ("before", NOW.before)):
        found = {tuple(r[c] for c in columns): float(r[name]) for r in rows if r["period"] == period}
        later = timedelta(days=NOW.length) if period == "before" else timedelta(0)
        wanted = {
            tuple(k + later if isinstance(k, date) else k for k in key): value
            for key, value in expected(name, by, scope).items()
        }
        assert found == wanted


def test_a_play_rate_is_asked_for_by_media_and_day(query: Published) -> None:
    with pytest.raises(ConfigError, match="ask for it by media and date, or for viewers_per_load"):
        plan(("play_rate_estimated",), NOW, ("date",))
    rows = query.sql(plan(("play_rate_estimated",), NOW, ("media", "date"))).to_pylist()
    for r in some(rows):
        day = of_a_day(r["media_id"], r["date"])
        rate = day["unique_viewers"] / day["loads"] if day["loads"] else None
        assert r["play_rate_estimated"] == (None if rate is None else pytest.approx(rate))


@pytest.mark.parametrize(
    ("metrics", "by", "says"),
    [
        (["plais"], [], "no such metric: plais, did you mean plays?"),
        (["plays"], ["chanel"], "no such dimension: chanel, did you mean channel?"),
        ([], [], "name a metric: loads, plays"),
    ],
)
def test_an_unknown_name_is_told_with_those_that_there_are(
    metrics: list[str], by: list[str], says: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        plan(metrics, NOW, by)
    assert str(refused.value).startswith(says)
    assert "\n" not in str(refused.value)


def test_months_are_not_compared() -> None:
    with pytest.raises(ConfigError, match="months differ in length"):
        plan(("plays",), NOW, ("month",), compare=True)


def test_values_from_people_stay_literals(query: Published) -> None:
    hostile = Scope(NOW.start, NOW.end, ("m1') OR ('1' = '1",), ())
    assert query.sql(plan(("plays",), hostile)).to_pylist() == [{"plays": None}]
    assert len(METRICS) > 15
