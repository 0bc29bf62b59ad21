"""Labels of media: as a filter, and the figures of each."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from wistlake.errors import ConfigError
from wistlake.quality.metric_query import plan
from wistlake.quality.scope import Scope
from wistlake_dashboard.reader import Row, rows

if TYPE_CHECKING:
    from wistlake.ports import Query

Labelled = Mapping[str, Mapping[str, frozenset[str]]]  # media by value, by label
_SELECT = "SELECT media_id, label, value FROM gold.dim_media_label ORDER BY label, value, media_id"
_MOST_NAMED = 10
_METRICS = ("loads", "plays", "average_viewed_share", "completion_share")


def labelled(query: "Query") -> Labelled:
    """The media of each value of each label, in order."""
    media: dict[str, dict[str, frozenset[str]]] = {}
    for row in rows(query, _SELECT):
        of_label = media.setdefault(row["label"], {})
        of_label[row["value"]] = of_label.get(row["value"], frozenset()) | {row["media_id"]}
    return media


def media_with(labelled: Labelled, wanted: Iterable[str]) -> frozenset[str]:
    """The media that have one of the values (`label=value`) wanted of each label, whatever their case. ConfigError
    names the labels and values that there are."""
    values: dict[str, set[str]] = {}
    for text in wanted:
        label, _, value = text.partition("=")
        values.setdefault(label.strip().lower(), set()).add(" ".join(value.split()).casefold())
    sets = [_media_of(labelled, label, of_label) for label, of_label in values.items()]
    media = frozenset.intersection(*sets)
    if not media:
        raise ConfigError(f"no media has all of these labels: {', '.join(wanted)}")
    return media


def left(labelled: Labelled, wanted: Iterable[str]) -> frozenset[str]:
    """As `media_with`; none where there is no such label any more."""
    try:
        return media_with(labelled, wanted)
    except ConfigError:
        return frozenset()


def names(labelled: Labelled) -> list[str]:
    """Each `label=value` that there is, in order."""
    return [f"{label}={value}" for label, values in labelled.items() for value in values]


def _media_of(labelled: Labelled, label: str, values: Iterable[str]) -> frozenset[str]:
    if not labelled:
        raise ConfigError(
            "no media has a label yet: `wistlake media label --suggest` says what titles and folders suggest"
        )
    if label not in labelled:
        raise ConfigError(f"no media has the label {label[:40]!r}: there are {_some(labelled)}")
    media = {value.casefold(): of_value for value, of_value in labelled[label].items()}
    if unknown := [value for value in values if value not in media]:
        raise ConfigError(
            f"no media has {label}={unknown[0][:100]}: {label} is one of {_some(labelled[label])}"
        )
    return frozenset().union(*(media[value] for value in values))


def _some(names: Iterable[str]) -> str:
    first = list(names)
    return ", ".join(first[:_MOST_NAMED]) + (", ..." if len(first) > _MOST_NAMED else "")


def by_label(query: "Query", scope: Scope) -> list[Row]:
    """The plays of each label, most plays first; a video counts once for each of its labels."""
    figures = []
    for row in rows(query, plan(_METRICS, replace(scope, channels=()), ("label",))):
        label, _, value = row.pop("label").partition("=")
        figures.append({"label": label, "value": value, **row})
    return sorted(figures, key=lambda r: (r["label"], -(r["plays"] or 0), r["value"]))


def of_all(query: "Query", _scope: Scope) -> Labelled:
    """`labelled`, as a figure."""
    return labelled(query)
