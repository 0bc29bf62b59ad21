"""Suggestions: from titles and folders, with their reason, where nothing is known yet."""

from typing import Any

import pytest

from support.published import Published
from wistlake_dashboard.suggestions import Described, Suggestion, suggested, suggestions


def one(**described: str) -> list[tuple[str, str]]:
    """What is suggested for a media beside others."""
    others = [Described(f"other{n}", f"Unlike {n}") for n in range(3)]
    return [(s.label, s.value) for s in suggested([Described("m1", **described), *others])]


@pytest.mark.parametrize(
    ("described", "wanted"),
    [
        ({"title": "FBads intro"}, [("channel", "facebook")]),
        ({"title": "Instastory"}, [("channel", "instagram")]),
        ({"title": "Tour", "folder": "YTShorts"}, [("channel", "youtube")]),
        ({"title": "March newsletter"}, [("channel", "email")]),
        ({"title": "Facebook", "folder": "LinkedIn"}, [("channel", "facebook")]),
        ({"title": "FBads intro", "channel": "youtube"}, []),
        ({"title": "Cold traffic intro"}, [("audience", "new")]),
        ({"title": "Retargeting, short"}, [("audience", "returning")]),
        ({"title": "A tour of the lake"}, []),
        ({"title": "Bigger pigs, warmer days"}, []),
        ({}, []),
    ],
)
def test_by_words(described: dict[str, str], wanted: list[tuple[str, str]]) -> None:
    assert one(**described) == wanted


def test_a_campaign_is_what_several_media_share_and_others_do_not() -> None:
    media = [
        Described("m1", "Spring Sale - teaser", "Everything"),
        Described("m2", "Spring  sale - long", "Everything"),
        Described("m3", "Lake Tour", "Everything", "Summer 2026"),
        Described("m4", "Hill Tour", "Everything", "Summer 2026"),
        Described("m5", "Alone - part", "Everything", "Single"),
        Described("m6", "Post one", "Everything", "Facebook ads", channel="facebook"),
        Described("m7", "Post two", "Everything", "Facebook ads", channel="facebook"),
    ]
    assert [(s.media_id, s.value, s.why) for s in suggested(media) if s.label == "campaign"] == [
        ("m1", "spring-sale", "2 titles begin with “Spring Sale”"),
        ("m2", "spring-sale", "2 titles begin with “Spring  sale”"),
        ("m3", "summer-2026", "2 are in the subfolder “Summer 2026”"),
        ("m4", "summer-2026", "2 are in the subfolder “Summer 2026”"),
    ]


def test_what_has_the_label_gets_no_suggestion() -> None:
    media = [Described("m1", "FBads, cold"), Described("m2", "FBads, cold")]
    assert [(s.media_id, s.label) for s in suggested(media, {("m1", "channel"), ("m2", "audience")})] == [
        ("m1", "audience"),
        ("m2", "channel"),
    ]


def test_any_script_may_name_a_campaign_and_a_masked_address_may_not() -> None:
    media = [
        Described("m1", folder="वसंत 🌷 बिक्री"),
        Described("m2", folder="वसंत 🌷 बिक्री"),
        Described("m3", folder="Mail of [masked]"),
        Described("m4", folder="Mail of [masked]"),
    ]
    assert [(s.media_id, s.value) for s in suggested(media)] == [
        ("m1", "वसंत-🌷-बिक्री"),
        ("m2", "वसंत-🌷-बिक्री"),
    ]


def test_the_command_can_be_copied() -> None:
    plain = Suggestion("m1", "T", "campaign", "spring-sale", "")
    assert plain.command == "wistlake media label m1 campaign=spring-sale"
    assert Suggestion("m1", "T", "campaign", "a b", "").command == "wistlake media label m1 'campaign=a b'"


def test_published_titles_and_labels_are_asked_for() -> None:
    def media(media_id: str, title: str | None, **more: Any) -> dict[str, Any]:
        return {"media_id": media_id, "title": title, "channel": "unclassified", "is_deleted": False} | more

    query = Published(
        {
            "silver.dim_media": [
                media("m1", "FBads"),
                media("m2", "FBads"),
                media("m3", "FBads", is_deleted=True),
                media("m4", None),
            ],
            "gold.dim_media_label": [{"media_id": "m2", "label": "channel", "value": "x"}],
        }
    )
    assert [(s.media_id, s.value) for s in suggestions(query)] == [("m1", "facebook")]
