"""Labels as a filter: of one label any value, of different labels all."""

from datetime import date

import pytest

from support.published import Published
from wistlake.errors import ConfigError
from wistlake.quality.scope import Scope
from wistlake_dashboard.blocks import Table
from wistlake_dashboard.labels import labelled, media_with
from wistlake_dashboard.reader import Reader
from wistlake_dashboard.sections import view
from wistlake_dashboard.sections.labels import BY_LABEL

LABELS = [
    ("m1", "campaign", "Spring Sale"),
    ("m2", "campaign", "summer"),
    ("m3", "campaign", "Spring Sale"),
    ("m1", "audience", "new"),
    ("m3", "audience", "नए 🎉"),
]
QUERY = Published(
    {"gold.dim_media_label": [dict(zip(("media_id", "label", "value"), row, strict=True)) for row in LABELS]}
)


def test_media_by_label_and_value_in_order() -> None:
    assert labelled(QUERY) == {
        "audience": {"new": {"m1"}, "नए 🎉": {"m3"}},
        "campaign": {"Spring Sale": {"m1", "m3"}, "summer": {"m2"}},
    }
    assert list(labelled(QUERY)) == ["audience", "campaign"]


@pytest.mark.parametrize(
    ("wanted", "media"),
    [
        (["campaign=Spring Sale"], {"m1", "m3"}),
        (["Campaign=spring  sale"], {"m1", "m3"}),
        (["campaign=spring sale", "campaign=summer"], {"m1", "m2", "m3"}),
        (["campaign=spring sale", "audience=new"], {"m1"}),
        (["audience=नए 🎉"], {"m3"}),
    ],
)
def test_media_with_labels(wanted: list[str], media: set[str]) -> None:
    assert media_with(labelled(QUERY), wanted) == media


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (["mood=good"], "no media has the label 'mood': there are audience, campaign"),
        (["campaign=autumn"], "no media has campaign=autumn: campaign is one of Spring Sale, summer"),
        (
            ["campaign=summer", "audience=new"],
            "no media has all of these labels: campaign=summer, audience=new",
        ),
    ],
)
def test_what_is_not_there_is_named_with_what_is(wanted: list[str], why: str) -> None:
    with pytest.raises(ConfigError) as error:
        media_with(labelled(QUERY), wanted)
    assert str(error.value) == why


def test_without_any_label_suggestions_are_the_way() -> None:
    with pytest.raises(ConfigError, match="media label --suggest"):
        media_with(labelled(Published({})), ["campaign=x"])


@pytest.mark.parametrize(("chosen", "videos"), [((), 2), (("m1",), 1), (("m1", "m2"), 1), (("m1", "m3"), 2)])
def test_only_the_videos_that_are_looked_at_are_counted(chosen: tuple[str, ...], videos: int) -> None:
    shown = view(Reader(QUERY), Scope(date(2026, 3, 1), date(2026, 3, 7), chosen))
    row = {"label": "campaign", "value": "Spring Sale", "plays": 9}
    (table,) = BY_LABEL.arrange(shown, labelled(QUERY), [row], [])
    assert isinstance(table, Table)
    assert [r["videos"] for r in table.rows] == [videos]
