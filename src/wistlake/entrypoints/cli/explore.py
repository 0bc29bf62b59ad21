"""`explore`: looking at Wistia's answers by hand, before and beside the daily runs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import From, Json, Now, To, in_order, media_ids
from wistlake.errors import ConfigError

if TYPE_CHECKING:
    from wistlake.exploration import ListReport, ProbeOptions, Samples
    from wistlake.settings import Settings
    from wistlake.wistia import Stats, WistiaClient

    Looking = Callable[[WistiaClient, ProbeOptions, Samples], Awaitable[list[ListReport]]]

FOLDER = Path("exploration/samples")
SHOWN_DAYS = 10

MediaIds = Annotated[
    str | None, typer.Option("--media-id", metavar="ID,ID", help="Which media; default: MEDIA_IDS.")
]
FirstPage = Annotated[
    int | None, typer.Option("--page", min=1, help="Page to begin with; default: WISTIA_PAGE.")
]
PerPage = Annotated[
    int | None, typer.Option(min=1, max=100, help="Records per page; default: WISTIA_PER_PAGE.")
]
MaxPages = Annotated[int, typer.Option(min=1, help="Pages to read at most, of each list.")]
Raw = Annotated[bool, typer.Option("--raw", help="Keep personal values in the samples.")]
Out = Annotated[Path, typer.Option("--out", help="Folder of the samples.")]

explore = typer.Typer(
    help="Look at Wistia's answers. Counts, fields, paging, volume; samples go to a folder.",
    no_args_is_help=True,
)


@explore.command()
def medias(
    page: FirstPage = None,
    per_page: PerPage = None,
    max_pages: MaxPages = 5,
    raw: Raw = False,
    out: Out = FOLDER,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """The account's media.

    Example: wistlake explore medias --per-page 50
    """
    from wistlake.exploration import medias as look

    _explore(look, _How(page, per_page, max_pages, raw, out, now, as_json))


@explore.command("media-stats")
def media_stats(
    media_id: MediaIds = None,
    page: FirstPage = None,
    per_page: PerPage = None,
    max_pages: MaxPages = 5,
    raw: Raw = False,
    out: Out = FOLDER,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Lifetime figures of media, and whether they have pages.

    Example: wistlake explore media-stats --media-id abc123def4,ghi567jkl8
    """
    from wistlake.exploration import media_stats as look

    _explore(look, _How(page, per_page, max_pages, raw, out, now, as_json), media_id, needs_media=True)


@explore.command()
def events(
    media_id: MediaIds = None,
    start: From = None,
    end: To = None,
    page: FirstPage = None,
    per_page: PerPage = None,
    max_pages: MaxPages = 5,
    raw: Raw = False,
    out: Out = FOLDER,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Viewing sessions of media, newest first.

    Example: wistlake explore events --media-id abc123def4 --from 2026-03-01 --to 2026-03-01
    """
    from wistlake.exploration import events as look

    how = _How(page, per_page, max_pages, raw, out, now, as_json, start, end)
    _explore(look, how, media_id, needs_media=True)


@explore.command()
def visitors(
    media_id: MediaIds = None,
    page: FirstPage = None,
    per_page: PerPage = None,
    max_pages: MaxPages = 5,
    raw: Raw = False,
    out: Out = FOLDER,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """The account's visitors.

    Also whether a media has visitors of its own.

    Example: wistlake explore visitors --media-id abc123def4 --max-pages 2
    """
    from wistlake.exploration import visitors as look

    _explore(look, _How(page, per_page, max_pages, raw, out, now, as_json), media_id, needs_media=True)


@explore.command()
def incremental(
    media_id: MediaIds = None,
    start: From = None,
    end: To = None,
    page: FirstPage = None,
    per_page: PerPage = None,
    max_pages: MaxPages = 5,
    raw: Raw = False,
    out: Out = FOLDER,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Which timestamps could serve as a watermark.

    Those of each list, with their oldest and newest values.

    Example: wistlake explore incremental --media-id abc123def4 --max-pages 3
    """
    from wistlake.exploration import incremental as look

    how = _How(page, per_page, max_pages, raw, out, now, as_json, start, end)
    _explore(look, how, media_id, needs_media=True)


@dataclass(frozen=True, slots=True)
class _How:
    """The options that every look takes."""

    page: int | None
    per_page: int | None
    max_pages: int
    raw: bool
    out: Path
    now: datetime | None
    as_json: bool
    start: date | None = None
    end: date | None = None


def _explore(look: Any, how: _How, media_id: str | None = None, *, needs_media: bool = False) -> None:
    from wistlake.exploration import ProbeOptions, Samples

    in_order(how.start, how.end)
    settings = session.settings()
    media = _chosen(settings, media_id) if needs_media else ()
    page, per_page = how.page or settings.page, how.per_page or settings.per_page
    asked = ProbeOptions(media, page, per_page, how.max_pages, how.start, how.end)
    samples = Samples(how.out, session.clock(how.now)(), how.raw)
    found, stats = asyncio.run(_look(settings, how.now, look, asked, samples))
    looks, summary = found if isinstance(found, tuple) else (found, None)
    if how.as_json:
        facts = {"requests": stats.requests, "throttled": stats.throttled}
        output.as_json(
            {"looks": [one.as_json() for one in looks], **facts} | ({"summary": summary} if summary else {})
        )
        return
    for one in looks:
        _show(one)
    if summary:
        _show_summary(summary)
    output.say(f"429s met: {stats.throttled} in {stats.requests} requests")
    kept = "with personal values" if how.raw else "redacted"
    output.say(f"{len(samples.written)} files in {how.out}, {kept}")


def _chosen(settings: "Settings", media_id: str | None) -> tuple[str, ...]:
    chosen = media_ids(media_id) or (() if settings.all_media else settings.media_ids)
    if not chosen:
        raise ConfigError(
            "name the media to look at: --media-id ID,ID (`wistlake explore medias` lists them)"
        )
    return chosen


async def _look(
    settings: "Settings", now: datetime | None, look: "Looking", asked: "ProbeOptions", samples: "Samples"
) -> "tuple[Any, Stats]":
    from wistlake.wiring import laptop

    async with laptop.client(settings, session.outside(now)) as client:
        found = await look(client, asked, samples)
        return found, client.stats


def _show(look: "ListReport") -> None:
    pages = ", ".join(str(n) for n in look.sizes[:12]) + (", ..." if len(look.sizes) > 12 else "")
    days = [f"{day}: {number}" for day, number in look.per_day.items()]
    more = f", and {len(days) - SHOWN_DAYS} more days" if len(days) > SHOWN_DAYS else ""
    output.say(f"{look.what} ({look.path}, {look.scope})")
    output.say(f"  records       {len(look.records)} on pages of {pages or 'none'}, {look.seconds:.1f} s")
    output.say(f"  ended by      {look.ended}")
    output.say(f"  first record  {', '.join(look.keys) or 'none'}")
    if days:
        cut = "; the oldest day is not whole" if look.is_cut else ""
        output.say(f"  per day       {', '.join(days[:SHOWN_DAYS])}{more}{cut}")
    for note in look.notes:
        output.say(f"  note          {note}")


def _show_summary(summary: dict[str, Any]) -> None:
    rows = [
        (name, f["field"], f["values"], f["distinct"], f["inversions"], f["minimum"], f["maximum"])
        for name, detail in summary["datasets"].items()
        for f in detail["fields"]
    ]
    head = ("list", "field", "values", "distinct", "out of order", "oldest", "newest")
    output.table("Timestamps", head, rows)
    for name, chosen in summary["suggested_watermark_field"].items():
        output.say(f"watermark for {name}: {chosen or 'none orders the list, so it has to be read whole'}")
