"""One probe per question: which media, their lifetime figures, their events, the visitors, what is new."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

from wistlake.contracts import source
from wistlake.errors import SourceMissing, SourceRefused, WistlakeError
from wistlake.exploration.samples import Samples
from wistlake.exploration.watermarks import candidates, moment, suggested
from wistlake.foreign import shown_name
from wistlake.wistia import WistiaClient
from wistlake.wistia.client import NOT_IN_PLAN
from wistlake.wistia.endpoints import ENDPOINTS, EVENTS, MEDIA_LIST, VISITORS, by_dimension, path, segment

ACCOUNT, MEDIA = "account-wide", "one media"
_STOPPED = "stopped"
_IGNORED = f"{VISITORS} knows no media: these are the account's visitors, not the media's"


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """What to read: pages from `page` on, at most `max_pages` of each list."""

    media: tuple[str, ...] = ()
    page: int = 1
    per_page: int = 100
    max_pages: int = 5
    start: date | None = None
    end: date | None = None

    @property
    def days(self) -> dict[str, str]:
        """The day window as Wistia's parameters."""
        given = {"start_date": self.start, "end_date": self.end}
        return {name: day.isoformat() for name, day in given.items() if day is not None}


@dataclass(frozen=True, slots=True)
class ListReport:
    """One list as it was read. `sizes` are records per page; `records` hold personal data and are never printed."""

    what: str
    path: str
    scope: str
    sizes: tuple[int, ...]
    ended: str
    keys: tuple[str, ...]
    per_day: Mapping[str, int]
    files: tuple[str, ...]
    seconds: float
    notes: tuple[str, ...] = ()
    records: list[dict[str, Any]] = field(default_factory=list, repr=False)

    @property
    def is_cut(self) -> bool:
        """Whether reading stopped before the list's end."""
        return self.ended.startswith(_STOPPED)

    def as_json(self) -> dict[str, Any]:
        """Everything but the records."""
        names = (name for name in self.__slots__ if name != "records")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class _Target:
    """One list to read, and the names of its sample files: each name gets every page."""

    what: str
    source: str
    path: str
    names: tuple[str, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    scope: str = MEDIA
    day_field: str = ""


async def medias(client: WistiaClient, options: ProbeOptions, samples: Samples) -> list[ListReport]:
    """The account's media."""
    target = _Target("media", "media_metadata", MEDIA_LIST, ("medias_index",), {}, ACCOUNT, "created")
    return [await _read_pages(client, options, samples, target)]


async def media_stats(client: WistiaClient, options: ProbeOptions, samples: Samples) -> list[ListReport]:
    """Lifetime figures of each media, requested as if they had pages."""
    targets = (
        _Target(
            f"lifetime stats of {m}", "media_stats", path(source("media_stats"), m), (f"media_{m}_stats",)
        )
        for m in options.media
    )
    return [await _read_pages(client, options, samples, target) for target in targets]


async def events(client: WistiaClient, options: ProbeOptions, samples: Samples) -> list[ListReport]:
    """Viewing sessions of each media, newest first."""
    targets = (
        _Target(
            f"events of {m}",
            "events",
            EVENTS,
            (f"media_{m}_events",),
            {"media_id": segment(m, "media id"), **options.days},
            day_field="received_at",
        )
        for m in options.media
    )
    return [await _read_pages(client, options, samples, target) for target in targets]


async def analytics(client: WistiaClient, options: ProbeOptions, samples: Samples) -> list[ListReport]:
    """What Wistia's analytics tell of each media: of the named days, or of the week before."""
    end = options.end or samples.now.date() - timedelta(days=1)
    start = options.start or end - timedelta(days=6)
    targets = [
        _Target(
            f"{' by '.join((name, *dimension.values()))} of {m}",
            name,
            path(source(name), m),
            ("_".join((f"media_{m}", name, *dimension.values())),),
            {**e.params(m, start, end), **dimension},
        )
        for m in options.media
        for name, e in ENDPOINTS.items()
        if e.dated_only
        for dimension in by_dimension(source(name))
    ]
    return [await _read_pages(client, options, samples, target) for target in targets]


async def visitors(client: WistiaClient, options: ProbeOptions, samples: Samples) -> list[ListReport]:
    """The account's visitors, after a test whether a media has a list of its own."""
    paths = [f"{path(source('media_stats'), m)}/visitors" for m in options.media]
    notes = [f"{tried} answers {await _status(client, tried)}" for tried in paths]
    target = _Target(
        "visitors of the account",
        "visitors",
        VISITORS,
        tuple(f"media_{m}_visitors" for m in options.media),
        scope=ACCOUNT,
        day_field="last_active_at",
    )
    return [await _read_pages(client, options, samples, target, (*notes, _IGNORED))]


async def incremental(
    client: WistiaClient, options: ProbeOptions, samples: Samples
) -> tuple[list[ListReport], dict[str, Any]]:
    """What a daily run could use as a watermark: the reports, and the summary that was written."""
    by_name = {
        "events": await events(client, options, samples),
        "visitors": await visitors(client, options, samples),
        "medias": await medias(client, options, samples),
    }
    details = {name: _timestamps(reports) for name, reports in by_name.items()}
    # One name for a reader: that of the first list which can be read incrementally. Sessions come first.
    of_list = next((name for name, d in details.items() if d["suggested_watermark_field"]), None)
    proposed = details[of_list] if of_list else _timestamps([])
    summary = {
        "pages_saved": sum(d["pages_saved"] for d in details.values()),
        "num_ts_values_found": sum(d["num_ts_values_found"] for d in details.values()),
        "suggested_watermark_list": of_list,
        **{name: proposed[name] for name in ("suggested_watermark_field", "min_timestamp", "max_timestamp")},
        "datasets": details,
    }
    samples.summary("incremental_probe_summary", summary)
    return [report for reports in by_name.values() for report in reports], summary


def _timestamps(reports: list[ListReport]) -> dict[str, Any]:
    fields = candidates([report.records for report in reports])
    field = suggested(fields)
    of_field = next((c for c in fields if c.field == field), None)
    return {
        "pages_saved": sum(len(report.files) for report in reports),
        "num_ts_values_found": sum(c.values for c in fields),
        "suggested_watermark_field": field,
        "min_timestamp": of_field.minimum if of_field else None,
        "max_timestamp": of_field.maximum if of_field else None,
        "fields": [asdict(c) for c in fields],
    }


async def _status(client: WistiaClient, path: str) -> int:
    """The status that a path answers with."""
    try:
        return (await client.page(path)).status
    except WistlakeError as e:
        if not e.status:
            raise
        return e.status


async def _read_pages(
    client: WistiaClient,
    options: ProbeOptions,
    samples: Samples,
    target: _Target,
    notes: tuple[str, ...] = (),
) -> ListReport:
    """Read pages up to the last one or `max_pages`, and save each of them."""
    sizes, files, records = [], [], []
    seconds, before, ended = 0.0, None, None
    for number in range(options.page, options.page + options.max_pages):
        params = {**target.params, "page": str(number), "per_page": str(options.per_page)}
        try:
            page = await client.page(target.path, params)
        except SourceMissing as e:
            ended = f"{e.status}: nothing there"
            break
        except SourceRefused as e:
            if e.status != NOT_IN_PLAN:
                raise
            ended = f"{e.status}: not in your plan"
            break
        request = {"path": target.path, "params": params}
        for name in target.names:
            file = samples.save(f"{name}_p{number}", source(target.source), request, page, target.scope)
            files.append(str(file))
        sizes.append(len(page.records))
        seconds += page.seconds
        ended = _end(page.body, before, options.per_page)
        if not isinstance(page.body, list) and before is not None:
            break  # the same object again, perhaps updated meanwhile: it has no pages
        records += page.records
        if ended:
            break
        before = page.body
    return ListReport(
        target.what,
        target.path,
        target.scope,
        tuple(sizes),
        ended or f"{_STOPPED} after --max-pages {options.max_pages}, more may follow",
        tuple(map(shown_name, records[0])) if records else (),
        _volume(records, target.day_field),
        tuple(files),
        round(seconds, 3),
        notes,
        records,
    )


def _end(body: Any, before: Any, per_page: int) -> str | None:
    """Why a page is the last one; None if another may follow."""
    if not isinstance(body, list):
        return "one unpaged object: every page number answers with the whole" if before is not None else None
    if not body:
        return "an empty page"
    if len(body) < per_page:
        return f"a short page: {len(body)} of {per_page}"
    return "the same page again: the page number is ignored" if body == before else None


def _volume(records: list[dict[str, Any]], day_field: str) -> dict[str, int]:
    """Records per UTC day, newest day first."""
    moments = (moment(r.get(day_field)) for r in records)
    counted = Counter(m.date().isoformat() for m in moments if m is not None)
    return dict(sorted(counted.items(), reverse=True))
