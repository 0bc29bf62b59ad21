"""The ledger of a thousand media after four hundred days, made up as it is read: the days that rest are compacted."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from support.aws.twin import Item, Twin
from wistlake.adapters.aws.interval_items import _to_columns
from wistlake.adapters.aws.items import document, text, to_item
from wistlake.codec import encode
from wistlake.contracts import source
from wistlake.pipeline.run.pending import built_from, signature
from wistlake.pipeline.run.spec import MediaChoice, RunSpec
from wistlake.planning.compacted import Compacted, month_of, to_number
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.plan import Window

NOW = datetime(2026, 3, 20, 2, 15, tzinfo=UTC)
DAYS = 400
FIRST = NOW.date() - timedelta(days=DAYS)
OPEN_DAYS = 15  # a week in the lookback, and up to another one that waits to be compacted
DAILY, SNAPSHOTS = ("events", "media_by_date", "gold"), ("media_engagement", "media_metadata", "media_stats")
EPOCH = 1
SPEC = RunSpec(
    "run", "scheduled", "live", "UTC", Window(NOW, UTC, 7),
    tuple(source(name) for name in ("events", "media_by_date", *SNAPSHOTS)), MediaChoice(("m0000",)),
)  # fmt: skip
_HASHES = {n: hashlib.sha256(str(n).encode()).hexdigest() for n in range(1_000)}


def media(count: int) -> list[MediaEntry]:
    """The followed media."""
    return [MediaEntry(f"m{n:04}", FIRST, NOW - timedelta(days=DAYS)) for n in range(count)]


def day(back: int) -> date:
    """So many days ago."""
    return NOW.date() - timedelta(days=back)


def read_at(of: date) -> datetime:
    """When a day was last read: at the end of its lookback, or yesterday."""
    return min(
        datetime(of.year, of.month, of.day, 2, 15, tzinfo=UTC) + timedelta(days=9), NOW - timedelta(days=1)
    )


def interval(dataset: str, media_id: str, of: date) -> Interval:
    """One that is published; the younger ones of gold are provisional."""
    at = read_at(of)
    if dataset == "gold":
        reason = "provisional" if of >= day(9) else "final"
        return Interval(
            "gold", media_id, of, State.PUBLISHED, f"run-{of}", at, reason, finished=True, published_at=at,
            built_signature="UTC",
        )  # fmt: skip
    n = int(media_id[1:]) + of.toordinal()
    landed = Interval(
        dataset, media_id, of, State.PUBLISHED, f"run-{of}", at, published_at=at, observed_at=at, finished=True,
        landing_id=f"{dataset}/dt={of}/media_id={media_id}/run_id=20260101T021500Z-abcdef", rows=n % 50,
        content_hash=_HASHES[n % 1_000], steady_hash=_HASHES[(n + 1) % 1_000], confirmations=3,
    )  # fmt: skip
    return replace(landed, built_signature=signature(landed, SPEC, EPOCH))


def open_intervals(media_id: str) -> Iterator[Interval]:
    """Two weeks of days, and of snapshots those of the last one."""
    for back in range(1, OPEN_DAYS + 1):
        for dataset in DAILY:
            yield interval(dataset, media_id, day(back))
    for back in range(1, 8):
        for dataset in SNAPSHOTS:
            yield interval(dataset, media_id, day(back))


def compacted(media_id: str) -> Compacted:
    """What is known of all the others."""
    daily, snapshots = ((FIRST, day(OPEN_DAYS + 1)),), ((FIRST, day(8)),)
    days = [day(back) for back in range(DAYS, OPEN_DAYS, -1)]
    months = {month_of(d): read_at(d) for d in [day(back) for back in range(DAYS, 7, -1)]}
    names = ("events", "media_by_date", *SNAPSHOTS)
    return Compacted(
        media_id,
        days={**dict.fromkeys(DAILY, daily), **dict.fromkeys(SNAPSHOTS, snapshots)},
        built={name: built_from(name, SPEC, EPOCH) for name in names},
        months=months,
        certificates={"final": daily},
        changed_at=read_at(day(OPEN_DAYS + 1)),
        rows=tuple((int(media_id[1:]) + d.toordinal()) % 50 for d in days),
        read_at=tuple(to_number(read_at(d)) for d in days),
    )


def twin(count: int, *, signed: bool = True) -> Twin:
    """The ledger of so many media; alike unless they are `signed`, which takes longer to make up."""
    followed = media(count)
    first = followed[0].media_id
    known_text = json.dumps(encode(Compacted, compacted(first)))
    open_text = json.dumps(
        [{"sk": text(f"{i.dataset}#{i.day}"), **to_item(i)} for i in open_intervals(first)]
    )

    def made(pk: str) -> Iterator[Item]:
        kind, _, media_id = pk.partition("#")
        match kind:
            case "media":
                yield from ({"pk": text(pk), "sk": text(m.media_id), **to_item(m)} for m in followed)
            case "roster":
                yield from ({"pk": text(pk), "sk": text(m.media_id)} for m in followed)
            case "compacted":
                for m in followed:
                    known = document(json.loads(known_text.replace(first, m.media_id)))
                    yield {"pk": text(pk), "sk": text(m.media_id), "document": known}
            case "intervals" if media_id.startswith("m") and not signed:
                yield from ({"pk": text(pk), **i} for i in json.loads(open_text.replace(first, media_id)))
            case "intervals" if media_id.startswith("m"):
                for i in open_intervals(media_id):
                    yield {"pk": text(pk), "sk": text(f"{i.dataset}#{i.day}"), **to_item(i)}
            case "months" if media_id.startswith("m"):
                yield from _months(pk, media_id)

    return Twin(made)


def _months(pk: str, media_id: str) -> Iterator[Item]:
    by_month: dict[str, list[Interval]] = {}
    for back in range(DAYS, 7, -1):
        for dataset in (*(DAILY if back > OPEN_DAYS else ()), *SNAPSHOTS):
            by_month.setdefault(month_of(day(back)), []).append(interval(dataset, media_id, day(back)))
    for month, intervals in by_month.items():
        columns = document(_to_columns(sorted(intervals, key=lambda i: i.key)))
        yield {"pk": text(pk), "sk": text(month), "intervals": columns}
