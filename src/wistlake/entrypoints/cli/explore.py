"""`explore`: looking at Wistia's responses by hand, independently of the daily runs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from inspect import Parameter, Signature
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import From, Json, Now, To, in_order, media_ids
from wistlake.errors import ConfigError

if TYPE_CHECKING:
    from wistlake.exploration.probes import ListReport, ProbeOptions
    from wistlake.exploration.samples import Samples
    from wistlake.settings import Settings
    from wistlake.wiring.lake import Lake
    from wistlake.wistia import Stats, WistiaClient

    Probe = Callable[[WistiaClient, ProbeOptions, Samples], Awaitable[list[ListReport]]]

FOLDER = Path("exploration/samples")
SHOWN_PAGES, SHOWN_DAYS = 12, 10

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


_MEDIA = (("media_id", MediaIds, None),)
_DAYS = (("start", From, None), ("end", To, None))
_COMMON = (
    ("page", FirstPage, None),
    ("per_page", PerPage, None),
    ("max_pages", MaxPages, 5),
    ("raw", Raw, False),
    ("out", Out, FOLDER),
    ("now", Now, None),
    ("as_json", Json, False),
)
COMMANDS: tuple[tuple[str, tuple[tuple[str, Any, Any], ...], str], ...] = (
    (
        "medias",
        _COMMON,
        """The account's media.

        Example: wistlake explore medias --per-page 50
        """,
    ),
    (
        "media-stats",
        (*_MEDIA, *_COMMON),
        """Lifetime figures of media, and whether they have pages.

        Example: wistlake explore media-stats --media-id abc123def4,ghi567jkl8
        """,
    ),
    (
        "events",
        (*_MEDIA, *_DAYS, *_COMMON),
        """Viewing sessions of media, newest first.

        Example: wistlake explore events --media-id abc123def4 --from 2026-03-01 --to 2026-03-01
        """,
    ),
    (
        "analytics",
        (*_MEDIA, *_DAYS, *_COMMON),
        """What Wistia's analytics tell of media.

        Traffic, languages, pages and forms of some days, the last week if none are named. Names and addresses of people
        who sent forms are redacted.

        Example: wistlake explore analytics --media-id abc123def4 --from 2026-03-01 --to 2026-03-01
        """,
    ),
    (
        "visitors",
        (*_MEDIA, *_COMMON),
        """The account's visitors.

        Also whether a media has visitors of its own.

        Example: wistlake explore visitors --media-id abc123def4 --max-pages 2
        """,
    ),
    (
        "incremental",
        (*_MEDIA, *_DAYS, *_COMMON),
        """Which timestamps could serve as a watermark.

        Those of each list, with their oldest and newest values.

        Example: wistlake explore incremental --media-id abc123def4 --max-pages 3
        """,
    ),
)


def _add(name: str, options: Iterable[tuple[str, Any, Any]], text: str) -> None:
    """Add a command with these options to the group: typer reads them from its signature."""

    def command(**values: Any) -> None:
        lacking = {"media_id": None, "start": None, "end": None}
        _explore(name, SimpleNamespace(**lacking | values), needs_media=name != "medias")

    signature = Signature(
        [Parameter(n, Parameter.KEYWORD_ONLY, default=d, annotation=a) for n, a, d in options]
    )
    command.__dict__["__signature__"] = signature
    command.__annotations__ = {n: a for n, a, _ in options}
    command.__doc__ = text
    explore.command(name)(command)


for _command in COMMANDS:
    _add(*_command)


def _explore(name: str, options: SimpleNamespace, *, needs_media: bool) -> None:
    from wistlake.exploration import probes
    from wistlake.exploration.samples import Samples

    in_order(options.start, options.end)
    lake = session.lake(options.now)
    settings = lake.settings
    media = _media(settings, options.media_id) if needs_media else ()
    page, per_page = options.page or settings.page, options.per_page or settings.per_page
    probe_options = probes.ProbeOptions(media, page, per_page, options.max_pages, options.start, options.end)
    samples = Samples(options.out, lake.runtime.clock(), options.raw)
    probe = getattr(probes, name.replace("-", "_"))
    results, stats = asyncio.run(_probe(lake, probe, probe_options, samples))
    lists, summary = results if isinstance(results, tuple) else (results, None)
    if options.as_json:
        facts = {"requests": stats.requests, "throttled": stats.throttled}
        output.print_json(
            {"looks": [one.as_json() for one in lists], **facts} | ({"summary": summary} if summary else {})
        )
        return
    for one in lists:
        _show(one)
    if summary:
        _show_summary(summary)
    output.say(f"429s met: {stats.throttled} in {stats.requests} requests")
    privacy = "with personal values" if options.raw else "redacted"
    output.say(f"{len(samples.written)} files in {options.out}, {privacy}")


def _media(settings: "Settings", media_id: str | None) -> tuple[str, ...]:
    ids = media_ids(media_id, "--media-id") or (() if settings.all_media else settings.media_ids)
    if not ids:
        raise ConfigError(
            "name the media to look at: --media-id ID,ID (`wistlake explore medias` lists them)"
        )
    return ids


async def _probe(
    lake: "Lake", probe: "Probe", options: "ProbeOptions", samples: "Samples"
) -> "tuple[Any, Stats]":
    async with lake.here().client() as client:
        return await probe(client, options, samples), client.stats


def _show(report: "ListReport") -> None:
    pages = ", ".join(map(str, report.sizes[:SHOWN_PAGES])) + (
        ", ..." if len(report.sizes) > SHOWN_PAGES else ""
    )
    days = [f"{day}: {number}" for day, number in report.per_day.items()]
    more = f", and {len(days) - SHOWN_DAYS} more days" if len(days) > SHOWN_DAYS else ""
    output.say(f"{report.what} ({report.path}, {report.scope})")
    output.say(f"  records       {len(report.records)} on pages of {pages or 'none'}, {report.seconds:.1f} s")
    output.say(f"  ended by      {report.ended}")
    output.say(f"  first record  {', '.join(report.keys) or 'none'}")
    if days:
        cut = "; the oldest day is not whole" if report.is_cut else ""
        output.say(f"  per day       {', '.join(days[:SHOWN_DAYS])}{more}{cut}")
    for note in report.notes:
        output.say(f"  note          {note}")


def _show_summary(summary: dict[str, Any]) -> None:
    rows = [
        (name, f["field"], f["values"], f["distinct"], f["inversions"], f["minimum"], f["maximum"])
        for name, detail in summary["datasets"].items()
        for f in detail["fields"]
    ]
    head = ("list", "field", "values", "distinct", "out of order", "oldest", "newest")
    output.table("Timestamps", head, rows)
    for name, detail in summary["datasets"].items():
        field = detail["suggested_watermark_field"]
        output.say(f"watermark for {name}: {field or 'none orders the list, so it has to be read whole'}")
