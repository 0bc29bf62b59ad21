"""`metric`, `retention`, `trust`: published figures, and how far to trust them; what assistants ask as well."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import (
    Channels,
    From,
    HashedId,
    Json,
    Labels,
    Media,
    To,
    in_order,
    media_ids,
    names,
    one_media_id,
)
from wistlake.errors import ConfigError
from wistlake_dashboard.spreadsheet import to_csv

if TYPE_CHECKING:
    from wistlake.insight.answer import Answer

MOST_POINTS = 21  # of a curve that a person is shown


def metric(  # noqa: PLR0913, PLR0917 - one parameter for each option
    name: Annotated[str | None, typer.Argument(help="A metric; none lists them.")] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME,NAME", help="Dimensions: channel, media, week, ...")
    ] = None,
    start: From = None,
    end: To = None,
    media: Media = None,
    labels: Labels = None,
    channels: Channels = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Beside the same number of days before.")
    ] = False,
    top: Annotated[
        int | None,
        typer.Option("--top", metavar="N", help="Only the N with the most of it: media unless --by.", min=1),
    ] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The rows as CSV on standard output.")] = False,
) -> None:
    """One metric: its figures, and how far to trust them.

    Ratios are ratios of sums, viewers are counted anew in each group.
    Without days: the newest four weeks; of a lake younger than eight, about half.

    Example: wistlake metric unique_viewers --by channel --label campaign=spring-sale --compare
    """
    from wistlake.insight import ask

    if as_json and as_csv:
        raise ConfigError("--json and --csv: give one of them")
    if name is None and any((by, start, end, media, labels, channels, compare, top)):
        raise ConfigError("name the metric: `wistlake metric plays`; `wistlake metric` alone lists them")
    in_order(start, end)
    dimensions, ids = names(by, "--by") or (("media",) if top else ()), media_ids(media)
    query = session.lake().query()
    if name is None:
        answer = ask.list_metrics(query)
    else:
        selection = ask.Selection(start, end, ids, labels or (), channels or ())
        answer = ask.metric(query, name, selection, dimensions, compare=compare, count=top)
    if as_json:
        output.print_json(answer.as_json())
    elif as_csv:
        sys.stdout.write(to_csv(answer.columns, answer.rows))
    else:
        _show(answer)


def retention(media_id: HashedId, start: From = None, end: To = None, as_json: Json = False) -> None:
    """Where viewers of a media leave, and what they see again.

    The share of plays that saw each second, of all time and of the days.
    Without days: the newest four weeks; of a lake younger than eight, about half.

    Example: wistlake retention abc123def4 --from 2026-03-02 --to 2026-03-08
    """
    from wistlake.insight import ask

    in_order(start, end)
    wanted = one_media_id(media_id)
    answer = ask.retention(session.lake().query(), wanted, ask.Selection(start, end))
    if as_json:
        output.print_json(answer.as_json())
    else:
        _show(answer.every(MOST_POINTS))


def trust(start: From = None, end: To = None, media: Media = None, as_json: Json = False) -> None:
    """How far to trust a period: certificates, and what is missing.

    Each day has its certificate. Without days: the newest four weeks, or all days of a younger lake, failed ones at its
    end too.

    Example: wistlake trust --from 2026-03-02 --to 2026-03-08
    """
    from wistlake.insight import ask

    in_order(start, end)
    selection = ask.Selection(start, end, media_ids(media))
    answer = ask.trust(session.lake().query(), selection)
    if as_json:
        output.print_json(answer.as_json())
        return
    days = ((run.start, run.end, run.certificate) for run in answer.certificates)
    output.table("", ("from", "to", "certificate"), days)
    _explain(answer)


def _show(answer: "Answer") -> None:
    output.table("", answer.columns, answer.rows)
    _explain(answer)


def _explain(answer: "Answer") -> None:
    """What the figures mean, and how far to trust them."""
    for name, means in answer.definitions.items():
        output.sentence(f"{name} ({means['unit']}): {means['definition']}")
    if dimensions := answer.facts.get("dimensions"):
        output.sentence(f"By: {', '.join(dimensions)}.")
    publication = f"Publication {answer.publication}." if answer.publication else ""
    if said := " ".join(filter(None, (answer.trust, publication))):
        output.sentence(said)
    for note in answer.notes:
        output.sentence(note)
