"""Videos by label; while there is none, what titles and folders suggest, and how to take it."""

from collections.abc import Sequence

from wistlake_dashboard import labels, suggestions
from wistlake_dashboard.blocks import Block, Column, Kind, Table, Text, measure
from wistlake_dashboard.labels import Labelled
from wistlake_dashboard.reader import Row
from wistlake_dashboard.sections.section import MEDIA, Section, View
from wistlake_dashboard.suggestions import Suggestion

MOST_SUGGESTED = 5
NONE_YET = (
    "No video has a label yet. A label says what Wistia can't: for which channel, campaign or audience a video is. "
    "Give one with `wistlake media label ID channel=facebook campaign=spring-sale`; it holds for all days from the "
    "next run on, and figures can be compared by it."
)
NOTHING_PLAYED = "No video with a label was played in these days."
SUGGESTED = "Titles and folders suggest these; `wistlake media label --to-csv labels.csv` writes all of them."
COLUMNS = (
    Column("label", "Label"), Column("value", "Value"), Column("videos", "Videos", Kind.COUNT),
    *(measure(name, title, name) for name, title in (
        ("plays", "Plays"), ("average_viewed_share", "Average share watched"), ("completion_share", "Completion"),
    )),
)  # fmt: skip


def _videos(view: View, labelled: Labelled, row: Row) -> int:
    """How many of the videos that are looked at have the label."""
    having, chosen = labelled[row["label"]][row["value"]], view.scope.media
    return len(having & set(chosen) if chosen else having)


def _by_label(
    view: View, labelled: Labelled, rows: Sequence[Row], suggested: Sequence[Suggestion]
) -> list[Block]:
    if labelled:
        counted = [
            r | {"videos": _videos(view, labelled, r), "named": f"{r['label']}={r['value']}"} for r in rows
        ]
        table = Table("labels", "By label", COLUMNS, counted, opens="named")
        return [table if counted else Text(NOTHING_PLAYED)]
    shown: list[Row] = [
        {
            "media": view.name(s.media_id),
            "label": f"{s.label}={s.value}",
            "why": s.why,
            "media_id": s.media_id,
        }
        for s in suggested[:MOST_SUGGESTED]
    ]
    columns = (MEDIA, Column("label", "Suggested label"), Column("why", "Why"))
    proposed: list[Block] = [Text(SUGGESTED), Table("suggestions", "Suggested labels", columns, shown)]
    return [Text(NONE_YET), *proposed] if shown else []


BY_LABEL = Section(
    "By label",
    (labels.of_all, labels.by_label, suggestions.of_all),
    _by_label,
    empty=NONE_YET,
    by_channel=False,
)
