"""Which records are plain: of the JSON types that the contract's types have, whatever else they hold."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wistlake.contracts import SOURCES
from wistlake.contracts.form import Calendar, Field, Privacy, Source, Type
from wistlake.derive import plain
from wistlake.derive.plain import mark, types_hash

SOURCE = Source(
    name="sample",
    doc="",
    endpoint="/sample",
    calendar=Calendar.UTC,
    key=("text",),
    fields=(
        Field("text", Type.STRING, Privacy.NONE, "", required=True),
        Field("whole", Type.LONG, Privacy.NONE, ""),
        Field("number", Type.DOUBLE, Privacy.NONE, ""),
        Field("agent.mobile", Type.BOOLEAN, Privacy.NONE, ""),
        Field("at", Type.TIMESTAMP, Privacy.NONE, ""),
        Field("day", Type.DATE, Privacy.NONE, ""),
        Field("seconds", Type.LONGS, Privacy.NONE, ""),
        Field("tags", Type.STRINGS, Privacy.NONE, ""),
        Field("files", Type.STRING, Privacy.NONE, "", holds_json=True),
    ),
)
TEXTS = ("text", "at", "day", "seconds", "tags", "files")


def nested(depth: int) -> Any:
    """A number in as many lists."""
    return [nested(depth - 1)] if depth else 1


def is_plain(**record: Any) -> bool:
    return mark(SOURCE, [record]) == types_hash(SOURCE)


@pytest.mark.parametrize(
    "value", [None, 0, -1, 1, 0.0, -0.0, 0.5, 2**53, -(2**53), 5e-324, 9.9e307, -9.9e307]
)
def test_numbers_that_every_reader_takes_for_the_same(value: object) -> None:
    assert is_plain(number=value)


@pytest.mark.parametrize(
    "value", [2**53 + 1, -(2**53) - 1, 10**400, 1e308, float("inf"), float("nan"), True, "1", [], {}]
)
def test_numbers_that_some_reader_takes_otherwise(value: object) -> None:
    assert not is_plain(number=value)


@pytest.mark.parametrize(("value", "plain"), [(0, True), (2**63 - 1, True), (-(2**63), True), (2**63, False),
                                              (1.0, False), (True, False), ("1", False), ([1], False)])  # fmt: skip
def test_whole_numbers_have_no_point_and_fit(value: object, plain: bool) -> None:
    assert is_plain(whole=value) == plain


@pytest.mark.parametrize(("value", "plain"), [({"mobile": True}, True), ({"mobile": None}, True), ({}, True),
    (None, True), ({"mobile": 1}, False), ({"mobile": "true"}, False), ([], False), ("iPhone", False), (1, False),
    ({"mobile": True, "more": [1.5]}, True), ({"more": float("inf")}, False)])  # fmt: skip
def test_nested_values_are_looked_at(value: object, plain: bool) -> None:
    assert is_plain(agent=value) == plain


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(("value", "plain"), [("", True), ("[Paid] x", True), ("{x}", True), ("2026-03-02", True),
    ('{"a":1}', False), ("{}", False), ('["a"]', False), ("[{", False), (1, False), (1.5, False), (True, False),
    ([], False), ({}, False), (["a"], False)])  # fmt: skip
def test_everything_else_is_text_that_looks_like_no_json(name: str, value: object, plain: bool) -> None:
    assert is_plain(**{name: value}) == plain


@pytest.mark.parametrize(("value", "plain"), [("{}", True), (True, True), (2**63 - 1, True), (1.5, True), ({}, True),
    ({"a": {"b": [None, "x"]}}, True), (nested(16), True), (2**63, False), (float("nan"), False), (nested(17), False),
    ([{"a": float("-inf")}], False)])  # fmt: skip
def test_what_no_contract_names_may_be_anything_that_readers_can_skip(value: object, plain: bool) -> None:
    assert is_plain(unheard_of=value) == plain


def test_one_odd_record_is_enough() -> None:
    good: dict[str, Any] = {"text": "a"}
    assert mark(SOURCE, [good, good]) == types_hash(SOURCE)
    assert mark(SOURCE, [good, {"text": 1}, good]) == ""
    assert mark(SOURCE, []) == types_hash(SOURCE)
    assert mark(SOURCE, [["a"]]) == ""  # type: ignore[list-item]  # no record at all


def test_another_type_is_another_mark() -> None:
    other = replace(SOURCE, fields=(replace(SOURCE.fields[0], type=Type.LONG), *SOURCE.fields[1:]))
    assert types_hash(other) != types_hash(SOURCE)
    assert types_hash(replace(SOURCE, fields=SOURCE.fields[::-1])) == types_hash(SOURCE)
    assert types_hash(replace(SOURCE, fields=SOURCE.fields[1:])) != types_hash(SOURCE)
    assert len({types_hash(s) for s in SOURCES}) == len(SOURCES)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
records = st.lists(
    st.dictionaries(st.sampled_from(["text", "whole", "number", "agent", "at", "tags", "more"]), values, max_size=4),
    max_size=3,
)  # fmt: skip


@given(records, records)
def test_records_are_plain_together_if_each_is(
    some: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    together = bool(mark(SOURCE, some)) and bool(mark(SOURCE, others))
    assert bool(mark(SOURCE, some + others)) == together


@given(records)
def test_what_is_plain_stays_so_as_bronze_stores_it(some: list[dict[str, Any]]) -> None:
    stored = json.loads(json.dumps(some))
    assert mark(SOURCE, stored) == mark(SOURCE, some)


@given(records)
def test_plain_values_have_the_types_of_the_contract(some: list[dict[str, Any]]) -> None:
    if mark(SOURCE, some):
        for record in some:
            assert type(record.get("text")) in (str, type(None))
            assert type(record.get("whole")) in (int, type(None))
            assert type(record.get("number")) in (int, float, type(None))
            assert type(record.get("agent")) in (dict, type(None))
            json.dumps(record, allow_nan=False)


@given(records)
def test_a_record_without_values_is_plain(some: list[dict[str, Any]]) -> None:
    assert plain.mark(SOURCE, [dict.fromkeys(record) for record in some]) == types_hash(SOURCE)
