"""Where a play came from: ordered rules, first match wins."""

import pytest

from support.tables import expect, given
from wistlake.transforms.channels import DEFAULT_RULES, Rule, event_channel, fingerprint, media_channel

EVENT = "utm_source:string | utm_medium:string | utm_campaign:string | embed_host:string"
MEDIA = "tags:array<string> | folder:string | subfolder:string | title:string"


def by(spark, expression, text):
    return given(spark, None, text).selectExpr(f"{expression} as channel", "n")


def test_of_events(spark):
    frame = by(
        spark, event_channel(DEFAULT_RULES),
        f"""
        {EVENT} | n:bigint
        facebook | Email | | | 1
        fb-ads | | | | 2
        Google | cpc | | | 3
        bing | cpc | | | 4
        bing | paid_social | | | 5
        newsletter | | | | 6
        | | | m.facebook.com | 7
        | | | notfacebook.com | 8
        | | | youtu.be | 9
        | | | | 10
        metamorphosis | | | | 11
        """,
    )  # fmt: skip
    expect(
        frame, None,
        """
        n:bigint | channel:string
        1 | email
        2 | facebook
        3 | google
        4 | paid
        5 | paid
        6 |
        7 | facebook
        8 |
        9 | youtube
        10 |
        11 |
        """,
    )  # fmt: skip


def test_of_media_tags_before_folder_before_title(spark):
    frame = by(
        spark, media_channel(DEFAULT_RULES),
        f"""
        {MEDIA} | n:bigint
        ["vsl", "FB"] | Youtube | | LinkedIn | 1
        [] | Youtube ads | | LinkedIn | 2
        [] | | | Intro (YT) | 3
        [] | | | Party | 4
        | | | | 5
        """,
    )  # fmt: skip
    expect(
        frame, None,
        """
        n:bigint | channel:string
        1 | facebook
        2 | youtube
        3 | youtube
        4 |
        5 |
        """,
    )  # fmt: skip


def test_a_media_may_be_named_and_the_rule_above_wins(spark):
    rules = [Rule("facebook", "media_id", "^(abc123def4|ghi567jkl8)$"), Rule("youtube", "title", "intro")]
    frame = by(
        spark,
        media_channel(rules),
        f"media_id:string | {MEDIA} | n:bigint\n abc123def4 | | | | Intro | 1\n"
        " ghi567jkl8 | | | | | 2\n xabc123def4 | | | | Intro | 3\n other12345 | | | | | 4",
    )
    assert {r.n: r.channel for r in frame.collect()} == {1: "facebook", 2: "facebook", 3: "youtube", 4: None}


@pytest.mark.parametrize("pattern", [r"^it's$", r"a\.b", r"\d{2}\\"])
def test_patterns_reach_the_engine_as_they_are_written(spark, pattern):
    rule = Rule("found", "title", pattern)
    frame = by(
        spark,
        media_channel([rule]),
        f"{MEDIA} | n:bigint\n | | | it's | 1\n | | | a.b | 2\n | | | 12\\ | 3\n | | | axb | 4",
    )
    assert [r.n for r in frame.collect() if r.channel] == [{"^": 1, "a": 2, "\\": 3}[pattern[0]]]


@pytest.mark.parametrize("pattern", ["^Facebook$", "FACEBOOK", "[A-F]acebook", "^(Meta|FaceBook)$"])
def test_a_pattern_with_capitals_matches_whatever_the_case(spark, pattern):
    rules = [Rule("found", "utm_source", pattern), Rule("german", "utm_source", "Ölweg")]
    frame = by(
        spark,
        event_channel(rules),
        f"{EVENT} | n:bigint\n facebook | | | | 1\n FaceBook | | | | 2\n ölWEG | | | | 3\n x | | | | 4",
    )
    assert {r.n: r.channel for r in frame.collect()} == {1: "found", 2: "found", 3: "german", 4: None}


def test_without_rules_nothing_is_known(spark):
    frame = by(spark, event_channel([]), f"{EVENT} | n:bigint\n facebook | | | | 1")
    assert [r.channel for r in frame.collect()] == [None]


def test_the_order_of_the_rules_counts():
    assert fingerprint(DEFAULT_RULES) != fingerprint(DEFAULT_RULES[::-1])
