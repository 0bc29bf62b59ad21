"""Every kind of value there and back; what does not fit is refused by name, without its value."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wistlake.codec import DecodeError, decode, encode
from wistlake.planning.intervals import Interval, State


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Inner:
    day: date
    share: float | None = None


class Ref(NamedTuple):
    place: str
    day: date | None


@dataclass(frozen=True, slots=True)
class Outer:
    name: str
    color: Color
    at: datetime
    inner: tuple[Inner, ...] = ()
    pairs: Mapping[tuple[str, date], int] = field(default_factory=dict)
    names: Mapping[str, Color] = field(default_factory=dict)
    members: frozenset[str] = frozenset()
    point: tuple[str, int] = ("", 0)
    refs: Mapping[str, Ref] = field(default_factory=dict)
    free: Mapping[str, Any] = field(default_factory=dict)


AT = datetime(2026, 2, 1, 3, 4, 5, tzinfo=timezone(timedelta(hours=-5)))
WHOLE = Outer(
    "n",
    Color.BLUE,
    AT,
    (Inner(date(2026, 1, 2), 0.5), Inner(date(2026, 1, 3))),
    {("b", date(2026, 1, 1)): 2, ("a", date(2026, 1, 1)): 1},
    {"x": Color.RED},
    frozenset({"q", "p"}),
    ("z", 7),
    {"r": Ref("s3://x", date(2026, 1, 2))},
    {"any": [1, {"deep": None}]},
)
PLAIN = {
    "name": "n",
    "color": "blue",
    "at": "2026-02-01T08:04:05.000000+00:00",
    "inner": [{"day": "2026-01-02", "share": 0.5}, {"day": "2026-01-03", "share": None}],
    "pairs": [[["a", "2026-01-01"], 1], [["b", "2026-01-01"], 2]],
    "names": {"x": "red"},
    "members": ["p", "q"],
    "point": ["z", 7],
    "refs": {"r": ["s3://x", "2026-01-02"]},
    "free": {"any": [1, {"deep": None}]},
}


def test_a_value_becomes_plain_json_and_comes_back_equal() -> None:
    assert encode(Outer, WHOLE) == PLAIN
    assert decode(Outer, json.loads(json.dumps(PLAIN))) == WHOLE


def test_absent_fields_take_their_default() -> None:
    assert decode(Outer, {"name": "n", "color": "red", "at": AT.isoformat()}) == Outer("n", Color.RED, AT)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 5}, "Outer.name: int instead of str"),
        ({"name": None}, "Outer.name: NoneType instead of str"),
        ({"color": "secret green"}, "Outer.color: not a value of its type"),
        ({"at": "2026-02-01T08:04:05"}, "Outer.at: a moment without a zone"),
        ({"inner": "abc"}, "Outer.inner: str instead of a list"),
        ({"inner": [{"share": 1.0}]}, "Outer.inner: Inner lacks its day"),
        ({"inner": [{"day": "secret"}]}, "Outer.inner: Inner.day: not a value of its type"),
        ({"point": ["z", True]}, "Outer.point: bool instead of int"),
        ({"point": ["z"]}, "Outer.point: not a value of its type"),
        ({"refs": {"r": ["x"]}}, "Outer.refs: not a value of its type"),
        ({"names": ["x"]}, "Outer.names: list instead of an object"),
        ({"later": 1}, "Outer has no field 'later'"),
    ],
)
def test_what_does_not_fit_is_named_and_never_quoted(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(Outer, {**PLAIN, **change})
    assert str(caught.value) == message


def test_a_document_that_is_no_object_is_refused() -> None:
    with pytest.raises(DecodeError, match="list instead of an object"):
        decode(Outer, [])


@pytest.mark.parametrize("kind", [bytes, int | str, set[bytes]])
def test_a_type_without_a_form_is_refused_when_it_is_declared(kind: Any) -> None:
    with pytest.raises(TypeError, match="no JSON form"):
        encode(kind, None)


@given(
    st.builds(
        Interval,
        dataset=st.text(),
        media_id=st.text(),
        day=st.dates(),
        state=st.sampled_from(State),
        run_id=st.text(),
        updated_at=st.datetimes(timezones=st.just(UTC)),
        observed_at=st.none() | st.datetimes(timezones=st.just(UTC)),
        rows=st.integers(),
        finished=st.booleans(),
    )
)
def test_any_interval_there_and_back(interval: Interval) -> None:
    assert decode(Interval, json.loads(json.dumps(encode(Interval, interval)))) == interval


def test_the_text_of_moments_sorts_as_time_does() -> None:
    later = AT + timedelta(microseconds=1)
    assert encode(datetime, AT) < encode(datetime, later) < encode(datetime, AT + timedelta(seconds=1))
