"""The allow-list: nothing personal has a column, and the page about it is what the contracts say."""

from pathlib import Path

from wistlake.contracts import SOURCES, TABLES
from wistlake.contracts.form import Privacy
from wistlake.derive.privacy_page import page
from wistlake.privacy.redaction import page as masked_page
from wistlake.privacy.redaction import redact
from wistlake.privacy.tombstones import is_personal

ROOT = Path(__file__).parents[2]


def test_no_table_has_a_personal_column() -> None:
    assert not [c for t in TABLES for c in t.columns if c.privacy is Privacy.PERSONAL]


def test_people_are_named_by_sessions_and_by_the_list_of_visitors() -> None:
    """Nothing else is searched for a person, nor kept from landing because of one."""
    assert {s.name for s in SOURCES if is_personal(s)} == {"events", "visitors", "conversions"}


def test_what_a_contract_does_not_name_is_not_kept() -> None:
    events = next(s for s in SOURCES if s.name == "events")
    record = {"event_key": "k", "email": "a@example.org", "ip": "198.51.100.7", "new_field": "x", "lat": 1.5}
    assert redact(events, record, {}) == {"event_key": "k"}


def test_an_object_in_place_of_a_plain_value_is_not_kept() -> None:
    events = next(s for s in SOURCES if s.name == "events")
    record = {
        "event_key": {"email": "a@example.org"},
        "country": ["x"],
        "user_agent_details": {"browser": {"a": 1}},
    }
    assert redact(events, record, {}) == {
        "event_key": {},
        "country": {},
        "user_agent_details": {"browser": {}},
    }


def test_tags_keep_their_names_only() -> None:
    media = next(s for s in SOURCES if s.name == "media_metadata")
    record = {"tags": ["a", {"name": "b", "by": "c@example.org"}, {"of": 1}], "assets": [{"url": "u"}]}
    assert redact(media, record, {}) == {"tags": ["a", "b", {}], "assets": [{"url": "u"}]}


def test_a_masked_page_keeps_host_path_and_campaign() -> None:
    url = "https://user:pw@site.example/a@b.example/page?email=a%40b.example&utm_source=mail&gclid=1"
    assert masked_page(url) == "https://site.example/[masked]/page?utm_source=mail"
    assert masked_page("https://site.example/a%2540b.example") == "https://site.example/[masked]"


def test_a_masked_page_keeps_a_campaign_behind_the_hash() -> None:
    assert masked_page("https://site.example/p#utm_source=fb") == "https://site.example/p?utm_source=fb"
    behind = "https://site.example/p?x=1#/route?utm_source=a+b&utm_medium=jane%40b.example&utm_campaign="
    assert masked_page(behind) == "https://site.example/p?utm_source=a%20b&utm_medium=[masked]"
    assert (
        masked_page("https://site.example/p?utm_source=mail#utm_source=fb")
        == "https://site.example/p?utm_source=mail"
    )


def test_the_page_is_fresh() -> None:
    assert (ROOT / "docs" / "privacy.md").read_text() == page(SOURCES, TABLES)
