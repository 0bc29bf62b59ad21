"""One look per question: which media, their lifetime figures, their events, the visitors, what is new."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from wistlake.contracts import source
from wistlake.errors import SourceMissing, WistlakeError
from wistlake.exploration.samples import Samples
from wistlake.exploration.watermarks import candidates, moment, suggested
from wistlake.foreign import shown_name
from wistlake.wistia import WistiaClient
from wistlake.wistia.endpoints import segment

ACCOUNT, MEDIA = "account-wide", "one media"
_STOPPED = "stopped"
_IGNORED = "/stats/visitors knows no media: these are the account's visitors, not the media's"


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at. Pages are read from `page` on, `max_pages` at most."""

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
class Look:
    """What one walk showed. `sizes` are records per page; `records` hold personal data and stay here."""

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
        """Whether the walk stopped before the list's end."""
        return self.ended.startswith(_STOPPED)

    def as_json(self) -> dict[str, Any]:
        """Everything but the records."""
        names = (name for name in self.__slots__ if name != "records")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True, slots=True)
class _List:
    """One thing to walk: where it is, and under which names its pages are kept (each gets them all)."""

    what: str
    source: str
    path: str
    names: tuple[str, ...]
    params: Mapping[str, str] = field(default_factory=dict)
    scope: str = MEDIA
    day_field: str = ""


async def medias(client: WistiaClient, asked: Asked, samples: Samples) -> list[Look]:
    """The account's media."""
    listed = _List("media", "media_metadata", "/medias", ("medias_index",), {}, ACCOUNT, "created")
    return [await _walk(client, asked, samples, listed)]


async def media_stats(client: WistiaClient, asked: Asked, samples: Samples) -> list[Look]:
    """Lifetime figures of each media, asked for as if they had pages."""
    return [
        await _walk(
            client,
            asked,
            samples,
            _List(f"lifetime stats of {m}", "media_stats", path, (f"media_{m}_stats",)),
        )
        for m, path in ((m, f"/stats/medias/{segment(m, 'media id')}") for m in asked.media)
    ]


async def events(client: WistiaClient, asked: Asked, samples: Samples) -> list[Look]:
    """Viewing sessions of each media, newest first."""
    return [
        await _walk(
            client,
            asked,
            samples,
            _List(
                f"events of {m}",
                "events",
                "/stats/events",
                (f"media_{m}_events",),
                {"media_id": segment(m, "media id"), **asked.days},
                day_field="received_at",
            ),
        )
        for m in asked.media
    ]


async def visitors(client: WistiaClient, asked: Asked, samples: Samples) -> list[Look]:
    """The account's visitors: whether a media has a list of its own is asked first."""
    paths = [f"/stats/medias/{segment(m, 'media id')}/visitors" for m in asked.media]
    notes = [f"{path} answers {await _status(client, path)}" for path in paths]
    listed = _List(
        "visitors of the account",
        "visitors",
        "/stats/visitors",
        tuple(f"media_{m}_visitors" for m in asked.media),
        scope=ACCOUNT,
        day_field="last_active_at",
    )
    return [await _walk(client, asked, samples, listed, (*notes, _IGNORED))]


async def incremental(
    client: WistiaClient, asked: Asked, samples: Samples
) -> tuple[list[Look], dict[str, Any]]:
    """What a daily run could go by: the walks, and their summary as it was written."""
    by_name = {
        "events": await events(client, asked, samples),
        "visitors": await visitors(client, asked, samples),
        "medias": await medias(client, asked, samples),
    }
    details = {name: _timestamps(looks) for name, looks in by_name.items()}
    spans = [d for d in details.values() if d["num_ts_values_found"]]
    summary = {
        "pages_saved": sum(d["pages_saved"] for d in details.values()),
        "num_ts_values_found": sum(d["num_ts_values_found"] for d in details.values()),
        "min_timestamp": min((d["min_timestamp"] for d in spans), default=None),
        "max_timestamp": max((d["max_timestamp"] for d in spans), default=None),
        "suggested_watermark_field": {name: d["suggested_watermark_field"] for name, d in details.items()},
        "datasets": details,
    }
    samples.summary("incremental_probe_summary", summary)
    return [look for looks in by_name.values() for look in looks], summary


def _timestamps(looks: list[Look]) -> dict[str, Any]:
    found = candidates([look.records for look in looks])
    return {
        "pages_saved": sum(len(look.files) for look in looks),
        "num_ts_values_found": sum(c.values for c in found),
        "min_timestamp": min((c.minimum for c in found), default=None),
        "max_timestamp": max((c.maximum for c in found), default=None),
        "suggested_watermark_field": suggested(found),
        "fields": [asdict(c) for c in found],
    }


async def _status(client: WistiaClient, path: str) -> int:
    """The status that a path answers with."""
    try:
        return (await client.page(path)).status
    except WistlakeError as e:
        if not e.status:
            raise
        return e.status


async def _walk(
    client: WistiaClient, asked: Asked, samples: Samples, listed: _List, notes: tuple[str, ...] = ()
) -> Look:
    """Read pages until one says that it is the last, or `max_pages` are read; keep every one of them."""
    sizes, files, records = [], [], []
    seconds, before, ended = 0.0, None, None
    for number in range(asked.page, asked.page + asked.max_pages):
        params = {**listed.params, "page": str(number), "per_page": str(asked.per_page)}
        try:
            page = await client.page(listed.path, params)
        except SourceMissing as e:
            ended = f"{e.status}: nothing there"
            break
        request = {"path": listed.path, "params": params}
        for name in listed.names:
            kept = samples.keep(f"{name}_p{number}", source(listed.source), request, page, listed.scope)
            files.append(str(kept))
        sizes.append(len(page.records))
        seconds += page.seconds
        ended = _end(page.body, before, asked.per_page)
        if not isinstance(page.body, list) and before is not None:
            break  # the same object again, or one that moved meanwhile: it has no pages
        records += page.records
        if ended:
            break
        before = page.body
    return Look(
        listed.what,
        listed.path,
        listed.scope,
        tuple(sizes),
        ended or f"{_STOPPED} after --max-pages {asked.max_pages}, more may follow",
        tuple(map(shown_name, records[0])) if records else (),
        _volume(records, listed.day_field),
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
