"""Pseudonyms and masks: the engine computes what Python computes, and lets nothing personal through."""

import json

import pytest

from support.masks import LINKS, NAMES, PAGES, WORDS, kinds_of, names_of, pages_of
from support.some import some
from wistlake.contracts.form import Type
from wistlake.derive import mask, plain, pseudonym
from wistlake.derive.spark import typed, unless_nested
from wistlake.transforms.landing import pads_frame


@pytest.mark.parametrize(
    "keys", [[b"k" * 32], [b"k" * 32, b"long" * 40], [b"\x00\xff" * 16, b"b" * 64, b"c" * 32]]
)
def test_the_engines_pseudonym_is_pythons(spark, keys):
    values = ["", "a", "1733874_0f0e-é-日本", "x" * 300]
    frame = spark.createDataFrame([(v,) for v in values], "value string").crossJoin(pads_frame(spark, keys))
    rows = frame.selectExpr("value", f"{pseudonym.sql('value', len(keys))} as id").collect()
    assert {r.value: r.id for r in rows} == {v: pseudonym.pseudonym(keys, v) for v in values}


def test_many_rotations_do_not_double_the_time_each(spark):
    """With sixteen keys a build took half a minute more, with twenty it would take eight."""
    keys = [bytes([n]) * 32 for n in range(20)]
    frame = spark.createDataFrame([("v",)], "value string").crossJoin(pads_frame(spark, keys))
    rows = frame.selectExpr(f"{pseudonym.sql('value', len(keys))} as id").collect()
    assert [r.id for r in rows] == [pseudonym.pseudonym(keys, "v")]


def test_the_key_is_in_no_plan(spark):
    key = b"an open secret that is no secret"
    frame = spark.createDataFrame([("v",)], "value string").crossJoin(pads_frame(spark, [key]))
    ids = frame.selectExpr(f"{pseudonym.sql('value', 1)} as id")
    pads = pseudonym.pads([key]).values()
    plan = ids._jdf.toString() if hasattr(ids, "_jdf") else ids._explain_string(extended=True)
    assert not [p for p in some(pads) if p in plan]


@pytest.fixture(scope="module")
def shown(spark):
    return pages_of(spark)


@pytest.mark.parametrize("url", PAGES)
def test_what_stays_of_a_page_is_the_same_to_the_engine_and_to_python(url, shown):
    of_url, of_redacted = shown[url]
    assert of_url == PAGES[url]
    assert (mask.plain_host(url), mask.plain_path(url), mask.plain_utm(url, "source")) == PAGES[url]
    nowhere = PAGES[url][0] is None
    assert of_redacted == ((None, None, None) if nowhere else PAGES[url])


def test_an_address_in_a_title_is_masked_the_same_by_the_engine_and_by_python(spark):
    assert names_of(spark) == NAMES
    assert {text: mask.plain_name(text) for text in NAMES} == NAMES


@pytest.mark.parametrize(("kind", "values"), [("word", WORDS), ("link", LINKS)])
def test_words_and_links_are_masked_the_same_by_the_engine_and_by_python(spark, kind, values):
    assert kinds_of(spark, kind, values) == values
    assert {text: mask.plain_of(kind, text) for text in values} == values


NESTED = ('{"a": 1}', "{}", '["a"]', '[["a"]]', '[null,{"a":1}]', '[1, "a"]', '[[1],["a"]]', "[true , {}]".replace("{}", '{"a":1}'),
          "[52.12, -13.4]", "[1,2]")  # fmt: skip
PLAIN = ("[2026] Tour", '[2026] "Tour"', "[2026]", "[]", "[x]", "a [1, 2]", "[1] {x}", "")


def test_lists_in_place_of_texts_are_told_from_titles_in_brackets(spark):
    frame = spark.createDataFrame([(text,) for text in (*NESTED, *PLAIN)], "text string")
    rows = frame.selectExpr("text", unless_nested("text")).collect()
    assert {r[0]: r[1] for r in rows} == dict.fromkeys(NESTED) | {text: text for text in PLAIN}
    assert [text for text in (*NESTED, *PLAIN) if plain._is_text(text)] == [*PLAIN]


def test_of_tags_only_texts_and_names_stay(spark):
    given = [
        {"email": "jane@x.example", "nick": "Jane"},
        {"name": {"full": "Jane"}},
        {"name": "b"},
        "a",
        ["c"],
        None,
    ]
    frame = spark.createDataFrame([(json.dumps(given),)], "raw string")
    assert frame.selectExpr(typed("raw", Type.STRINGS)).collect()[0][0] == ["a", "b"]
