"""Questions about published numbers, each one function: the command line, Python and assistants ask the same ones.

The SQL of a metric is the planner's (`quality.metric_query`). ConfigError names what there is, where a question names
something else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from wistlake.errors import ConfigError, unknown
from wistlake.insight.answer import Answer, trusted
from wistlake.insight.explain import explain as history_of
from wistlake.ports import Ledger, ObjectStore, Query
from wistlake.quality.metric_query import BEFORE, DIMENSIONS, NOW, PERIOD, dimension, plan, require_metric
from wistlake.quality.metrics import METRICS, Adds, definition, misuses
from wistlake.quality.scope import Scope, default_scope, last_days
from wistlake_dashboard import curves, gaps, labels
from wistlake_dashboard import retention as snapshots
from wistlake_dashboard.coverage import Coverage, coverage
from wistlake_dashboard.reader import Row, extent, plain, rows, titles
from wistlake_dashboard.trust import Trust, newest_day
from wistlake_dashboard.trust import trust as trust_of

Names = str | Sequence[str]  # one or several
MOST_NAMED = 3  # media in a message
FAR_DAYS = 366  # without numbers: each of them would be named for each media
LONGEST = 40  # characters of a value that a message repeats
_OVER_TIME = ("date", "week", "month")
NOTHING_YET = "nothing is published yet: `wistlake run` first, then the first finished day is there"
CERTIFICATES = "certified: verified against Wistia; settled: stable; provisional: may still change."
_OF_TRUST = ("date", "certificate")
_CERTIFICATE = {"certificate": {"definition": CERTIFICATES, "unit": "certificate"}}
RETENTION = "Share of plays that saw this second; who sees a second again is not counted again."


def day(value: date | str | None) -> date | None:
    """The day; ConfigError if it is none."""
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (ValueError, TypeError):
        raise ConfigError(f"{str(value)[:LONGEST]!r} isn't a date: write 2026-11-21") from None


def several(names: Names) -> tuple[str, ...]:
    """One name or several, as a tuple."""
    return ((names,) if names else ()) if isinstance(names, str) else tuple(names)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a question is about: days (the newest if none are named), media, labels (`label=value`), channels."""

    start: date | None = None
    end: date | None = None
    media: Sequence[str] = ()
    labels: Sequence[str] = ()
    channels: Sequence[str] = ()

    def scope(
        self, query: Query, usual_days: int = 28, *, published_only: bool = False, newest: date | None = None
    ) -> Scope:
        """The days, media and channels as the lake has them; with `published_only` no day before its first one or
        after its last one. `newest`: the lake's last day if not the last published one; without days, the usual ones
        up to it then, however few came before. ConfigError for what the lake does not have."""
        published = extent(query)
        if published is None:
            raise ConfigError(NOTHING_YET)
        first, last = published
        last = newest or last
        if self.start and self.end and self.start > self.end:
            raise ConfigError(f"the first day {self.start} is after the last one {self.end}: swap them")
        if (self.start and self.start > last) or (self.end and self.end < first):
            raise ConfigError(f"there are no numbers for these days: this lake has {first} to {last}")
        if not published_only and _is_far(self.start, self.end, first, last):
            raise ConfigError(f"this lake has {first} to {last}: name days within a year of them")
        media = self._media(query)
        end = min(self.end or last, last if published_only else date.max)
        if self.start:
            start = max(self.start, first) if published_only else self.start
            return Scope(start, end, media, self._channels(query))
        if newest:
            days = last_days(end, min(usual_days, (end - first).days + 1))
        else:
            days = default_scope(first, end, media, usual_days)
        return Scope(days.start, days.end, media, self._channels(query))

    @classmethod
    def of(
        cls, start: date | str | None, end: date | str | None, media: Names, labels: Names, channels: Names
    ) -> "Selection":
        """From plain values: days as 2026-03-02, one name or several. ConfigError for what is no day."""
        return cls(day(start), day(end), *map(several, (media, labels, channels)))

    def _media(self, query: Query) -> tuple[str, ...]:
        names = titles(query) if self.media else {}
        if missing := [m[:LONGEST] for m in self.media if m not in names]:
            some = ", ".join(f"{m} ({title})" for m, title in [*names.items()][:MOST_NAMED])
            more = (
                "; SELECT media_id, title FROM silver.dim_media lists all" if len(names) > MOST_NAMED else ""
            )
            raise ConfigError(f"{', '.join(missing)}: no such media in this lake. It has {some}{more}")
        if not self.labels:
            return tuple(self.media)
        if strange := [text for text in self.labels if not all(text.partition("="))]:
            raise ConfigError(
                f"label {strange[0][:LONGEST]!r}: write LABEL=VALUE, such as campaign=spring-sale"
            )
        labelled = labels.media_with(labels.labelled(query), self.labels)
        both = labelled & set(self.media) if self.media else labelled
        if not both:
            raise ConfigError(f"none of {', '.join(self.media)} has these labels: {', '.join(self.labels)}")
        return tuple(sorted(both))

    def _channels(self, query: Query) -> tuple[str, ...]:
        if not self.channels:
            return ()
        text = "SELECT DISTINCT channel FROM gold.channel_daily ORDER BY channel"
        names = [r["channel"] for r in rows(query, text)]
        wanted = tuple(name.strip().lower() for name in self.channels)
        for channel in wanted:
            if channel not in names:
                raise unknown("channel", channel, names)
        return wanted


def _is_far(start: date | None, end: date | None, first: date, last: date) -> bool:
    """Whether a range has more than a year without numbers before or after those that there are."""
    return ((first - start).days if start else 0) > FAR_DAYS or ((end - last).days if end else 0) > FAR_DAYS


EVERYTHING = Selection()


def metric(
    query: Query,
    name: str,
    selection: Selection = EVERYTHING,
    by: Sequence[str] = (),
    *,
    compare: bool = False,
    count: int | None = None,
) -> Answer:
    """A metric of a period, by dimensions: days in order, other groups with the greatest first. With `compare` also
    `before`, of as many days right before, and `change`: like is compared with like, what one period lacks is left
    out of both (`compared` is then what stands against `before`). With `count` only so many groups, those with the
    most of it, days too."""
    wanted, scope = require_metric(name), selection.scope(query)
    groups = rows(query, plan((name,), scope, by))
    cover = coverage(query, scope)
    columns = [dimension(b).column for b in dict.fromkeys(by)]
    values = [name]
    if compare:
        values += _compared(query, name, scope, by, cover, groups)
    if "media_id" in columns:
        names = titles(query)
        for group in groups:
            group["title"] = names.get(group["media_id"], group["media_id"])
        columns.insert(columns.index("media_id") + 1, "title")
    columns = list(dict.fromkeys(columns))
    notes = gaps.sentences(cover, {}, compared=compare and bool(cover.even))
    notes += [gaps.NO_COMPARISON] if compare and not cover.even else []
    in_time = count is None and not set(by).isdisjoint(_OVER_TIME)
    groups = _ordered(groups, "" if in_time else name, columns)
    answer = trusted(
        query,
        scope.with_before if compare else scope,
        Answer(
            (*columns, *values),
            tuple({c: g.get(c) for c in (*columns, *values)} for g in groups),
            {name: {"definition": wanted.tooltip, "unit": wanted.unit, "source": wanted.source}},
            notes=tuple(notes),
        ),
        cover,
    )
    return answer if count is None else answer.first(count)


def _ordered(groups: list[Row], name: str, columns: Sequence[str]) -> list[Row]:
    """The groups with the most of a metric first, unknown ones last; without a name in order of their columns."""

    def key(group: Row) -> tuple[Any, ...]:
        return tuple(group[c] for c in columns)

    if not name:
        return sorted(groups, key=key)
    return sorted(groups, key=lambda g: (-g[name] if g[name] is not None else 1, key(g)))


def _compared(
    query: Query, name: str, scope: Scope, by: Sequence[str], cover: Coverage, groups: list[Row]
) -> list[str]:  # fmt: skip
    """Give each group what it was before, and how it changed; the names of these columns."""
    columns = [dimension(b).column for b in dict.fromkeys(by)]
    condition = "" if cover.is_whole else cover.condition()
    periods: dict[str, dict[tuple[Any, ...], Any]] = {NOW: {}, BEFORE: {}}
    for row in rows(query, plan((name,), scope, by, compare=True, condition=condition)):
        periods[row[PERIOD]][tuple(row[c] for c in columns)] = row[name]
    present = {tuple(g[c] for c in columns) for g in groups}
    groups += [
        {**dict(zip(columns, key, strict=True)), name: _nothing(name)}
        for key in periods[BEFORE]
        if key not in present
    ]
    for group in groups:
        key = tuple(group[c] for c in columns)
        is_even = bool(cover.even) and group.get("media_id", next(iter(cover.even))) in cover.even
        missing = _nothing(name) if is_even else None
        now, before = periods[NOW].get(key, missing), periods[BEFORE].get(key, missing)
        group |= {"compared": now, "before": before}
        group["change"] = now - before if now is not None and before is not None else None
    return ["before", "change"] if cover.is_whole else ["compared", "before", "change"]


def _nothing(name: str) -> int | None:
    """The metric of a group without rows: no plays are none, and their share is unknown."""
    of = require_metric(name)
    return None if of.denominator or of.adds is Adds.DAY else 0


def top(
    query: Query,
    name: str = "plays",
    selection: Selection = EVERYTHING,
    by: str = "media",
    count: int = 10,
) -> Answer:
    """The groups of a dimension with the most of a metric, beside the period before."""
    if count < 1:
        raise ConfigError(f"count {count}: ask for one row at least")
    return metric(query, name, selection, (by,), compare=by != "month", count=count)


def retention(query: Query, media_id: str, selection: Selection = EVERYTHING) -> Answer:
    """How much of a media was watched: the share of plays that saw each second, of all time and, where snapshots of
    it can be compared, of the period; where viewers leave, and what they watch again."""
    scope = Selection(selection.start, selection.end, (media_id,)).scope(query)
    curve = snapshots.retention(query, scope).get(media_id)
    if curve is None:
        raise ConfigError(
            f"{media_id} has no snapshot of the engagement curve in these days, or was never played: ask for others"
        )
    lines = {"all_time": curve.ever} | ({} if curve.lately is None else {"this_period": curve.lately})
    last = max(1, len(curve.ever) - 1)
    seconds = curve.duration_seconds or float(len(curve.ever))
    points = tuple(
        {"second": round(seconds * n / last, 1)} | {name: line[n] for name, line in lines.items()}
        for n in range(len(curve.ever))
    )
    seen = curve.ever if curve.lately is None else curve.lately
    marks = [*curves.drops(seen, seconds, 3), *curves.replays(curve.again, seconds, 3)]
    means = {name: {"definition": RETENTION, "unit": "share"} for name in lines}
    notes = (*(f"{mark.what}." for mark in marks), curve.summary)
    return trusted(
        query, scope, Answer(("second", *lines), points, means, notes=notes), coverage(query, scope)
    )


def explain(
    query: Query, ledger: Ledger, objects: ObjectStore, media_id: str, of: date, zone: tzinfo
) -> Answer:
    """Why a media's day has its numbers: the row, and how it came to be (`insight.explain`). ConfigError if gold has no
    such row."""
    scope = Selection(of, of, (media_id,)).scope(query)
    history = history_of(ledger, objects, query, media_id, of, zone)
    row = history.pop("row")
    answer = Answer(tuple(row), (row,), _definitions(row), facts=history)
    return trusted(query, scope, answer, coverage(query, scope))


def trust(query: Query, selection: Selection = EVERYTHING) -> Answer:
    """How far the numbers of a period can be trusted: each day's certificate, what is missing, and what is wrong.
    Without an end it goes to the newest day that the lake should have, and what is wrong after it is counted too.
    `missing_media_days` of the facts are those that the period should have; `last_day` is the last published one. No
    rows while nothing is published."""
    published = extent(query)
    if published is None:
        return _nothing_to_trust(query, selection)
    scope = selection.scope(query, newest=newest_day(query, published[1]))
    state = trust_of(query, scope if selection.end else replace(scope, end=date.max))
    cover = coverage(query, scope)
    missing = sum(cover.lacks(scope.days).values())
    facts = _facts(state, missing, published[1])
    notes = (*gaps.sentences(cover, {}, compared=False), state.summary)
    answer = trusted(query, scope, Answer((), (), notes=notes, facts=facts), cover)
    days = tuple(
        {"date": d.start + timedelta(days=n), "certificate": d.certificate}
        for d in answer.certificates
        for n in range((d.end - d.start).days + 1)
    )
    return replace(answer, columns=_OF_TRUST, rows=days, definitions=_CERTIFICATE)


def _nothing_to_trust(query: Query, selection: Selection) -> Answer:
    """Of a lake whose first finished day is still to come, or failed."""
    state = trust_of(query, Scope(date.min, date.max, tuple(selection.media)))
    return Answer(
        _OF_TRUST, (), _CERTIFICATE,
        publication=query.published.run_id if query.published else "",
        trust=f"{NOTHING_YET[0].upper()}{NOTHING_YET[1:]}.",
        notes=(state.summary,),
        facts=_facts(state, 0, None),
    )  # fmt: skip


def _facts(state: Trust, missing: int, last: date | None) -> Row:
    return {
        "media_days": state.certificates,
        "missing_media_days": missing,
        "broken_checks": state.broken,
        "refused_records": state.quarantined,
        "failed_intervals": state.failed,
        "last_day": last,
        "last_run": state.last_run,
    }


def list_metrics(query: Query) -> Answer:
    """Every metric: what it means, its unit, whether it adds up, and what it can be broken down by."""
    listed = tuple(
        {
            "metric": m.name,
            "definition": m.tooltip,
            "unit": m.unit,
            "adds_up": str(m.adds),
            "source": m.source,
        }
        for m in METRICS
    )
    facts = {"dimensions": {d.name: d.doc for d in DIMENSIONS}}
    answer = Answer(("metric", "definition", "unit", "adds_up", "source"), listed, facts=facts)
    return _of_the_whole_lake(query, answer)


def list_media(query: Query) -> Answer:
    """Every media: its id, title, folder, length in seconds, labels, and first and last published day."""
    described = rows(
        query,
        "SELECT d.media_id, m.title, m.folder, m.duration_seconds, m.is_deleted, d.first_day, d.last_day FROM "
        "(SELECT media_id, min(date) AS first_day, max(date) AS last_day FROM gold.fact_media_daily "
        "GROUP BY media_id) d LEFT JOIN silver.dim_media m ON m.media_id = d.media_id ORDER BY d.media_id",
    )
    given: dict[str, list[str]] = {}
    for label, values in labels.labelled(query).items():
        for value, media in values.items():
            for media_id in media:
                given.setdefault(media_id, []).append(f"{label}={value}")
    listed = tuple(r | {"labels": given.get(r["media_id"], [])} for r in described)
    columns = (
        "media_id",
        "title",
        "folder",
        "duration_seconds",
        "is_deleted",
        "first_day",
        "last_day",
        "labels",
    )
    return _of_the_whole_lake(query, Answer(columns, listed))


def sql(query: Query, text: str, count: int, seconds: float) -> Answer:
    """The first rows of one SELECT; what numbers don't allow is said in the notes."""
    result = query.limited(text, count + 1, seconds)
    listed = plain(result.to_pylist())
    answer = Answer(
        tuple(result.column_names), tuple(listed[:count]), _definitions(result.column_names),
        notes=(*misuses(text), *([f"Only the first {count} rows."] if len(listed) > count else [])),
    )  # fmt: skip
    return _of_the_whole_lake(query, answer)


def _definitions(columns: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    units = {m.name: m.unit for m in METRICS}
    return {
        name: {"definition": definition(name), "unit": unit}
        for name, unit in units.items()
        if name in set(columns)
    }


def _of_the_whole_lake(query: Query, answer: Answer) -> Answer:
    published = extent(query)
    return trusted(query, Scope(*published), answer) if published else answer
