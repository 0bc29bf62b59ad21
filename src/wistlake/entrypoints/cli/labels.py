"""`media label`: what people say of media."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wistlake.entrypoints.cli import output, session
from wistlake.entrypoints.cli.options import Json, Now, file_to_write, media_ids
from wistlake.errors import ConfigError

if TYPE_CHECKING:
    from wistlake.planning.labels import MediaLabels
    from wistlake.ports import Query

_LIST = "list"  # in place of ids: the labels as they are
_COLUMNS = ("media_id", "label", "value", "since", "by")


def label(
    ids_and_labels: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]... [LABEL=VALUE]...",
            help="Hashed ids, and the labels they get; LABEL= takes one away. `list` shows the labels there are.",
        ),
    ] = None,
    from_csv: Annotated[
        Path | None,
        typer.Option("--from-csv", help="Take the labels of a file with a column media_id, and one a label."),
    ] = None,
    to_csv: Annotated[
        Path | None,
        typer.Option("--to-csv", help="Write such a file of all media, with titles, labels and suggestions."),
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="Take away every other label of these media.")
    ] = False,
    suggest: Annotated[
        bool, typer.Option("--suggest", help="Show what titles and folders suggest; change nothing.")
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="List every change, not only what holds.")
    ] = False,
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Give media labels: their channel, campaign, audience, or others.

    `channel` comes before the channel rules; every label is a row of gold.dim_media_label, and a filter. The next run
    brings it into the tables, for all days. A mistake changes nothing.

    Example: wistlake media label abc123xyz0 channel=facebook campaign=spring-sale audience=new
    """
    words = ids_and_labels or []
    _require_one_task(words, from_csv=from_csv, to_csv=to_csv, clear=clear, suggest=suggest)
    if to_csv:
        _export(file_to_write(to_csv, "--to-csv"))
    elif suggest:
        _suggest(as_json=as_json)
    elif words[:1] == [_LIST]:
        _list(media_ids(",".join(words[1:]) or None, "media"), history=history, as_json=as_json)
    else:
        _label(words, from_csv, clear=clear, now=now, as_json=as_json)


def _require_one_task(words: Sequence[str], *, clear: bool, **tasks: object) -> None:
    named = [f"--{name.replace('_', '-')}" for name, given in tasks.items() if given]
    if (words or clear) and named not in ([], ["--from-csv"]):
        raise ConfigError(f"{named[0]} goes without ids, labels and --clear: leave them out")
    if words and named:
        raise ConfigError("--from-csv names the media and their labels: leave other ids and labels out")
    if len(named) > 1:
        raise ConfigError(f"{' and '.join(named)}: give one of them")
    if not words and not named:
        raise ConfigError(
            "name media and labels: `wistlake media label abc123xyz0 campaign=spring-sale`; "
            "`wistlake media label --suggest` says what titles and folders suggest"
        )


def _label(words: Sequence[str], from_csv: Path | None, *, clear: bool, now: Any, as_json: bool) -> None:
    from wistlake.pipeline.jobs import labels as jobs
    from wistlake.wiring.label_file import read

    lines = read(from_csv, "--from-csv") if from_csv else {}
    changes = {media_id: line.labels for media_id, line in lines.items()} or _changes(words, clear=clear)
    lake, run_id, at = session.job(now)
    changed = jobs.label(
        lake.ledger(),
        changes,
        by=session.user(),
        run_id=run_id,
        now=at,
        clear=clear,
        lines={media_id: line.number for media_id, line in lines.items()},
    )
    if as_json:
        output.print_json({"changed": [e.media_id for e in changed], "labels": _rows(changed)})
        return
    output.table("Changed", ("media_id", "labels"), [(e.media_id, _text(e)) for e in changed])
    if changed:
        build = "`wistlake run`" if lake.builds_here else "execution of the state machine"
        output.say(f"the next {build} brings this into the tables, for all days")


def _changes(words: Sequence[str], *, clear: bool) -> Mapping[str, Mapping[str, str]]:
    from wistlake.planning.labels import parsed

    labels = parsed(w for w in words if "=" in w)
    ids = media_ids(",".join(w for w in words if "=" not in w) or None, "media")
    if not ids:
        raise ConfigError("name the media by their hashed ids, before the labels")
    if not (labels or clear):
        raise ConfigError(f"say what {ids[0]} is: LABEL=VALUE, such as campaign=spring-sale, or --clear")
    return dict.fromkeys(ids, labels)


def _list(ids: Iterable[str], *, history: bool, as_json: bool) -> None:
    selected = frozenset(ids)
    entries = session.lake().ledger(read_only=True).labels()
    rows = _rows((e for e in entries if not selected or e.media_id in selected), history=history)
    if as_json:
        output.print_json({"labels": rows})
    else:
        output.table("Labels", _COLUMNS, rows)


def _rows(entries: "Iterable[MediaLabels]", *, history: bool = False) -> list[dict[str, Any]]:
    return [
        dict(zip(_COLUMNS, (e.media_id, c.label, c.value, c.at, c.by), strict=True))
        for e in entries
        for c in (e.changes if history else e.current.values())
    ]


def _text(entry: "MediaLabels") -> str:
    return ", ".join(f"{c.label}={c.value}" for c in entry.current.values()) or "none"


def _suggest(*, as_json: bool) -> None:
    from wistlake_dashboard import suggestions

    lake = session.lake()
    taken = {(e.media_id, label) for e in lake.ledger(read_only=True).labels() for label in e.current}
    suggested = suggestions.suggested(_described(lake.query()), taken)
    columns = ("media_id", "title", "label", "value", "why")
    if as_json:
        output.print_json({"suggestions": output.fields(suggested, columns)})
        return
    output.table("Suggestions", columns, output.fields(suggested, columns))
    if suggested:
        output.say(f"one of them: {suggested[0].command}")
        output.say(
            "all: `wistlake media label --to-csv labels.csv`, edit the file, then `--from-csv labels.csv`"
        )


def _described(query: "Query") -> Any:
    from wistlake_dashboard import suggestions

    described = suggestions.media(query)
    if not described:
        raise ConfigError("nothing is published yet: `wistlake run` first, then there are titles and folders")
    return described


def _export(path: Path) -> None:
    """All media with their labels, and suggestions where they have none."""
    from wistlake_dashboard.spreadsheet import to_csv
    from wistlake_dashboard.suggestions import suggested

    lake = session.lake()
    entries = lake.ledger(read_only=True).labels()
    described = _described(lake.query())
    values = {(e.media_id, c.label): c.value for e in entries for c in e.current.values()}
    proposed = {(s.media_id, s.label): s.value for s in suggested(described, values)}
    cells = proposed | values
    names = dict.fromkeys(("channel", "campaign", "audience", *sorted(label for _, label in cells)))
    rows = [
        {"media_id": m.media_id, "title": m.title, "folder": m.folder}
        | {name: cells.get((m.media_id, name), "") for name in names}
        for m in described
    ]
    path.write_text(to_csv(("media_id", "title", "folder", *names), rows), encoding="utf-8-sig")
    output.say(
        f"{path}: {len(rows)} media, {len(values)} labels, {len(proposed)} suggestions; edit it, then "
        "`wistlake media label --from-csv` takes it"
    )
