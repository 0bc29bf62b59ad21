"""Pseudonyms and masks: the engine computes what Python computes, and lets nothing personal through."""

import pytest

from wistlake.derive import mask, pseudonym
from wistlake.transforms.landing import pads_frame


@pytest.mark.parametrize(
    "keys", [[b"k" * 32], [b"k" * 32, b"long" * 40], [b"\x00\xff" * 16, b"b" * 64, b"c" * 32]]
)
def test_the_engines_pseudonym_is_pythons(spark, keys):
    values = ["", "a", "1733874_0f0e-é-日本", "x" * 300]
    frame = spark.createDataFrame([(v,) for v in values], "value string").crossJoin(pads_frame(spark, keys))
    rows = frame.selectExpr("value", f"{pseudonym.sql('value', len(keys))} as id").collect()
    assert {r.value: r.id for r in rows} == {v: pseudonym.pseudonym(keys, v) for v in values}


def test_the_key_is_in_no_plan(spark):
    key = b"an open secret that is no secret"
    frame = spark.createDataFrame([("v",)], "value string").crossJoin(pads_frame(spark, [key]))
    ids = frame.selectExpr(f"{pseudonym.sql('value', 1)} as id")
    pads = pseudonym.pads([key]).values()
    plan = ids._jdf.toString() if hasattr(ids, "_jdf") else ids._explain_string(extended=True)
    assert not [p for p in pads if p in plan]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/training", "/training"),
        ("/u/jane.doe@example.com/x", "/u/[masked]/x"),
        ("/u/jane%40example.com", "/u/[masked]"),
        ("/r/0f0e0d0c-1111-2222-3333-444455556666/x", "/r/[masked]/x"),
        ("/t/abcdefghijklmnopqrstuvwxyz012345", "/t/[masked]"),
        ("/call/+49 170 1234567", "/call/+[masked]"),
    ],
)
def test_paths(spark, path, shown):
    frame = spark.createDataFrame([(f"https://h{path}?q=1#x",)], "url string")
    assert frame.selectExpr(mask.path("url")).collect()[0][0] == shown


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://WWW.Example.com/x", "www.example.com"),
        ("https://user:pw@host.example:8443/x", "host.example"),
        ("http://host.example", "host.example"),
        ("", None),
        ("about:blank", None),
    ],
)
def test_hosts(spark, url, host):
    frame = spark.createDataFrame([(url,)], "url string")
    assert frame.selectExpr(mask.host("url")).collect()[0][0] == host
