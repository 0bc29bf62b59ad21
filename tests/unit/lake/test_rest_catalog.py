"""The catalog as engines speak to it: its routes, its refusals, and who is let in."""

import http.client
import json
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from support.handmade import EVENTS, HandMade
from wistlake.adapters.iceberg_paths import to_path
from wistlake.adapters.local import rest_catalog
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.rest_catalog import MOST_BYTES, Routes
from wistlake.contracts.fact_events import TABLE as EVENTS_TABLE

FIELDS = [
    {"id": 1, "name": "day", "type": "date", "required": False},
    {"id": 2, "name": "n", "type": "long", "required": False},
]
BY_DAY = {"spec-id": 0, "fields": [{"source-id": 1, "field-id": 1000, "name": "d", "transform": "day"}]}
BY_N = {
    "order-id": 1,
    "fields": [{"source-id": 2, "transform": "identity", "direction": "asc", "null-order": "nulls-last"}],
}


def answer(routes: Routes, method: str, path: str, **body: Any) -> tuple[int, Any]:
    status, content = routes.answer(method, path, json.dumps(body).encode())
    return int(status), json.loads(content) if isinstance(content, bytes) else content


def test_a_state_of_a_table_is_read_once_and_a_newer_one_is_seen(tmp_path: Path) -> None:
    catalog, other = LocalCatalog(tmp_path), LocalCatalog(tmp_path)
    catalog.ensure([EVENTS_TABLE])
    routes, name = Routes(catalog.sql), EVENTS_TABLE.full_name
    path = "namespaces/{}/tables/{}".format(*name.split("."))
    first = answer(routes, "GET", path)
    file = to_path(first[1]["metadata-location"])
    file.rename(hidden := file.with_suffix(".hidden"))
    assert answer(routes, "GET", path) == first, "the file was read again"
    assert catalog.load(name).metadata == catalog.load(name).metadata
    hidden.rename(file)
    with other.load(name).transaction() as transaction:
        transaction.set_properties(note="by another process")
    newer = answer(routes, "GET", path)[1]
    assert newer["metadata-location"] == catalog.load(name).metadata_location != first[1]["metadata-location"]
    assert newer["metadata"]["properties"]["note"] == "by another process"
    change = {"action": "set-properties", "updates": {"note": "by an engine"}}
    committed = answer(routes, "POST", path, requirements=[], updates=[change])[1]
    assert committed["metadata"]["properties"]["note"] == "by an engine"
    assert answer(routes, "GET", path)[1] == committed
    assert other.load(name).metadata == catalog.load(name).metadata


def test_tables_are_made_found_and_listed(tmp_path: Path) -> None:
    routes = Routes(LocalCatalog(tmp_path).sql)
    assert answer(routes, "POST", "namespaces", namespace=["own"], properties={"a": "b"}) == (
        200,
        {"namespace": ["own"], "properties": {"a": "b"}},
    )
    assert answer(routes, "POST", "namespaces", namespace=["plain"])[1]["properties"] == {}
    assert ["own"] in answer(routes, "GET", "namespaces")[1]["namespaces"]
    schema = {"type": "struct", "schema-id": 0, "fields": FIELDS}
    extra = {"partition-spec": BY_DAY, "write-order": BY_N, "properties": {"x": "y"}}
    for name, more in (("plain", {}), ("cut", extra)):
        status, made = answer(routes, "POST", "namespaces/own/tables", name=name, schema=schema, **more)
        assert status == 200
        assert made["metadata-location"].endswith(".metadata.json")
        assert answer(routes, "GET", f"namespaces/own/tables/{name}") == (200, made)
        (spec,) = [
            s
            for s in made["metadata"]["partition-specs"]
            if s["spec-id"] == made["metadata"]["default-spec-id"]
        ]
        assert [f["transform"] for f in spec["fields"]] == (["day"] if more else [])
        assert [len(o["fields"]) for o in made["metadata"]["sort-orders"]][-1] == (1 if more else 0)
        assert made["metadata"]["properties"].get("x") == ("y" if more else None)
    assert answer(routes, "GET", "namespaces/own/tables")[1]["identifiers"] == [
        {"namespace": ["own"], "name": "cut"},
        {"namespace": ["own"], "name": "plain"},
    ]


def test_what_no_engine_needs_is_not_there(made: HandMade) -> None:
    routes = Routes(LocalCatalog(made.folder).sql)
    for method, path in (
        ("DELETE", "namespaces/silver/tables/fact_events"),
        ("GET", "tokens"),
        ("PUT", "config"),
    ):
        assert answer(routes, method, path)[0] == HTTPStatus.NOT_FOUND
    assert answer(routes, "HEAD", "namespaces/silver/tables/fact_events")[0] == 200
    assert answer(routes, "GET", "namespaces/silver/views") == (200, {"identifiers": []})


def test_a_catalog_for_readers_changes_nothing(made: HandMade) -> None:
    routes, before = Routes(LocalCatalog(made.folder).sql, read_only=True), made.ref(EVENTS)
    for path in ("namespaces", "namespaces/silver/tables", "namespaces/silver/tables/fact_events"):
        status, refused = answer(routes, "POST", path, namespace=["x"], name="x", updates=[], requirements=[])
        assert (status, refused["error"]["code"]) == (403, 403)
    assert answer(routes, "POST", "namespaces/silver/tables/fact_events/metrics") == (204, None)
    location = answer(routes, "GET", "namespaces/silver/tables/fact_events")[1]["metadata-location"]
    assert location == before.metadata_location


@pytest.fixture
def served(made: HandMade) -> Iterator[str]:
    with rest_catalog.serve(LocalCatalog(made.folder).sql) as uri:
        yield uri


def asked(uri: str, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    """The answer to a request; `SECRET` in its path stands for the one that engines are told."""
    where = urlsplit(uri)
    path = path.replace("SECRET", where.path.strip("/"))
    connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=10)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    try:
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:99", "[::1]"])
def test_whoever_names_this_machine_and_the_secret_is_let_in(served: str, host: str) -> None:
    assert asked(served, "/SECRET/v1/config", Host=host)[0] == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/SECRET/v1/config", {"Host": "evil.example"}),
        ("/SECRET/v1/config", {"Host": "127.0.0.1.evil.example"}),
        ("/anothersecret/v1/config", {}),
        ("/v1/config", {}),
        ("/SECRET/v1/config", {"Content-Length": str(MOST_BYTES + 1)}),
        ("/SECRET/v1/config", {"Content-Length": "-1"}),
    ],
)
def test_nobody_else_learns_anything(served: str, path: str, headers: dict[str, str]) -> None:
    status, body = asked(served, path, **headers)
    assert (status, json.loads(body)["error"]["message"]) == (404, "nothing here")


def test_what_fails_is_told_as_engines_expect_it(served: str) -> None:
    status, body = asked(served, "/SECRET/v1/namespaces/silver/tables/nothing")
    assert (status, json.loads(body)["error"]["type"]) == (404, "NoSuchTableException")
    status, body = asked(served, "/SECRET/v1/namespaces/none/tables")
    assert (status, json.loads(body)["error"]["type"]) == (404, "NoSuchNamespaceException")
    status, body = asked(served, "/SECRET/v1/namespaces/silver/tables/fact_events/", "HEAD")
    assert (status, body) == (200, b"")
