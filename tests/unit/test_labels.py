"""Labels: their grammar, their history, and what of them waits for a build."""

from datetime import UTC, datetime, timedelta

import pytest

from wistlake.channel_rules import Rule
from wistlake.errors import ConfigError
from wistlake.planning.labels import (
    LONGEST_VALUE,
    MOST_LABELS,
    LabelChange,
    Labels,
    MediaLabels,
    channel_rules,
    parsed,
)

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("campaign=spring-sale", ("campaign", "spring-sale")),
        (" Campaign =  Spring   Sale ", ("campaign", "Spring Sale")),
        ("channel=FaceBook", ("channel", "facebook")),
        ("audience=नए ग्राहक", ("audience", "नए ग्राहक")),
        ("mood=👩‍🚀🎉", ("mood", "👩‍🚀🎉")),
        ("formula=a=b", ("formula", "a=b")),
        ("launch=2026-03-02", ("launch", "2026-03-02")),
        ("team=Cafe\u0301", ("team", "Caf\u00e9")),
        ("campaign=", ("campaign", "")),
        (f"note={'x' * LONGEST_VALUE}", ("note", "x" * LONGEST_VALUE)),
    ],
)
def test_a_label_as_it_is_kept(text: str, label: tuple[str, str]) -> None:
    assert tuple(parsed([text]).items()) == (label,)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("=x", "can't name a label"),
        ("2nd=x", "start with a letter"),
        ("für=x", "from a to z"),
        ("a b=x", "can't name a label"),
        (f"{'a' * 41}=x", "at most 40"),
        ("title=x", "a column or an option"),
        ("folder=x", "a column or an option"),
        ("media_id=x", "a column or an option"),
        ("date=x", "a column or an option"),
        (f"note={'x' * (LONGEST_VALUE + 1)}", "101 characters: write at most 100"),
        ("owner=jane.doe@example.com", "e-mail address"),
        ("owner=Jane <jane (at) example.com>", "e-mail address"),
        ("note=a\x1b[31mb", "control character"),
        ("note=a\u202eb", "control character"),
        ("channel=it's", "quote or a backslash"),
        ("channel=a\\b", "quote or a backslash"),
    ],
)
def test_what_is_no_label_is_refused_with_its_cure(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as error:
        parsed([text])
    assert "jane" not in str(error.value).lower()


def test_an_address_in_place_of_a_name_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as error:
        parsed(["jane.doe@example.com=x"])
    assert "jane" not in str(error.value)


def test_every_mistake_is_named_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        parsed(["title=x", "ok=1", "2nd=x", "ok=2"])
    assert [p.split()[0] for p in error.value.problems] == ["title", "'2nd'", "ok"]


def test_the_history_holds_only_what_changed() -> None:
    first = MediaLabels("m1").after({"campaign": "spring", "audience": "new", "gone": ""}, NOW, "ada")
    assert first.changes == (
        LabelChange("audience", "new", NOW, "ada"),
        LabelChange("campaign", "spring", NOW, "ada"),
    )
    assert first.after({"campaign": "spring"}, LATER, "bob") == first
    second = first.after({"campaign": "summer", "audience": ""}, LATER, "bob")
    assert [(c.label, c.value, c.by) for c in second.changes[2:]] == [
        ("audience", "", "bob"),
        ("campaign", "summer", "bob"),
    ]
    assert second.current == {"campaign": LabelChange("campaign", "summer", LATER, "bob")}


def test_a_media_has_only_so_many_labels() -> None:
    full = MediaLabels("m1").after({f"l{n}": "x" for n in range(MOST_LABELS)}, NOW, "")
    with pytest.raises(ConfigError, match=r"m1 would have more than 20 labels"):
        full.after({"one-more": "x"}, LATER, "")
    assert len(full.after({"l0": "", "one-more": "x"}, LATER, "").current) == MOST_LABELS


def test_channels_by_hand_are_rules_of_media() -> None:
    facebook, other = ({"channel": "facebook"}, {"campaign": "x"})
    entries = [
        MediaLabels(media_id).after(wanted, NOW, "")
        for media_id, wanted in (
            ("a", facebook),
            ("b", {"channel": "youtube"}),
            ("c", facebook),
            ("d", other),
        )
    ]
    assert channel_rules(entries) == (
        Rule("facebook", "media_id", "^(a|c)$"),
        Rule("youtube", "media_id", "^(b)$"),
    )


def test_what_waits_is_what_the_tables_do_not_have() -> None:
    spring, summer = (MediaLabels("m1").after({"campaign": v}, NOW, "") for v in ("spring", "summer"))
    cleared = spring.after({"campaign": ""}, LATER, "")
    assert Labels([spring]).waiting == {"m1"}
    applied = Labels([spring]).signatures
    assert Labels([spring], applied).waiting == set()
    assert Labels([summer], applied).waiting == {"m1"}
    assert Labels([cleared], applied).waiting == {"m1"}
    assert Labels([cleared], Labels([cleared]).signatures).waiting == set()
    # Work that brings no labels leaves those that the tables have.
    assert Labels(applied=applied).signatures == applied
    # Set anew to the same value: the moment since when it holds is another one.
    again = cleared.after({"campaign": "spring"}, LATER, "")
    assert Labels([again], applied).waiting == {"m1"}
