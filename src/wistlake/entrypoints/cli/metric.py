"""`metric`: one figure, by whatever it is known by."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import (
    Channels,
    From,
    Json,
    Labels,
    Media,
    To,
    in_order,
    media_ids,
    names,
)
from wistlake.errors import ConfigError
from wistlake_dashboard.spreadsheet import to_csv

if TYPE_CHECKING:
    from wistlake.insight.answer import Answer


def metric(
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
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The rows as CSV on standard output.")] = False,
) -> None:
    """One metric: its figures, and how far to trust them.

    Ratios are ratios of sums, viewers are counted anew in each group. Without days: the newest four weeks.

    Example: wistlake metric unique_viewers --by channel --label campaign=spring-sale --compare
    """
    from wistlake.insight import ask

    if as_json and as_csv:
        raise ConfigError("--json and --csv: give one of them")
    in_order(start, end)
    dimensions, ids = names(by, "--by"), media_ids(media)
    query = session.lake().query()
    if name is None:
        answer = ask.list_metrics(query)
    else:
        selection = ask.Selection(start, end, ids, labels or (), channels or ())
        answer = ask.metric(query, name, selection, dimensions, compare=compare)
    if as_json:
        output.print_json(answer.as_json())
    elif as_csv:
        sys.stdout.write(to_csv(answer.columns, answer.rows))
    else:
        _show(answer)


def _show(answer: "Answer") -> None:
    output.table("", answer.columns, answer.rows)
    for name, means in answer.definitions.items():
        output.sentence(f"{name} ({means['unit']}): {means['definition']}")
    if dimensions := answer.facts.get("dimensions"):
        output.sentence(f"By: {', '.join(dimensions)}.")
    output.sentence(f"{answer.trust} Publication {answer.publication}.")
    for note in answer.notes:
        output.sentence(note)
