"""The contracts against published descriptions."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.some import some
from wistlake.contracts import SOURCES, source
from wistlake.entrypoints.cli.main import main
from wistlake.errors import ConfigError
from wistlake.quality.openapi import Difference, Kind, diff

PUBLISHED = Path(__file__).parents[2].parent / "shared/wistia-api/openapi"
_BY_DATE = {"date": {"type": "string"}, "load_count": {"type": "integer"}, "play_count": {"$ref": "#/components/n"},
            "hours_watched": {"oneOf": [{"type": "integer"}, {"type": "number"}]}}  # fmt: skip
SMALL: dict[str, Any] = {
    "openapi": "3.1.1",
    "components": {"n": {"type": ["integer"]}},
    "paths": {
        "/stats/medias/{any}/by_date": {
            "get": {
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {"type": "array", "items": {"allOf": [{"properties": _BY_DATE}]}}
                            }
                        }
                    }
                }
            }
        }
    },
}


def changed(**properties: Any) -> tuple[Difference, ...]:
    """What differs once properties are replaced; None takes one away."""
    made = copy.deepcopy(SMALL)
    answer = made["paths"]["/stats/medias/{any}/by_date"]["get"]["responses"]["200"]
    (part,) = answer["content"]["application/json"]["schema"]["items"]["allOf"]
    part["properties"] |= properties
    part["properties"] = {k: v for k, v in part["properties"].items() if v is not None}
    return diff([source("media_by_date")], made)


def test_a_description_that_says_what_the_contract_says() -> None:
    assert changed() == ()


@pytest.mark.parametrize(
    ("properties", "kind", "breaking"),
    [
        ({"play_count": None}, Kind.GONE, True),
        ({"hours_watched": None}, Kind.GONE, False),
        ({"load_count": {"type": "string"}}, Kind.RETYPED, True),
        ({"load_count": {"type": ["integer", "null"]}}, Kind.NULLABLE, False),
        ({"load_count": {"type": "integer", "nullable": True}}, Kind.NULLABLE, False),
        ({"country": {"type": "string"}}, Kind.NEW, False),
    ],
)
def test_each_kind_of_difference(properties: dict[str, Any], kind: Kind, breaking: bool) -> None:
    (found,) = changed(**properties)
    assert (found.field, found.kind, found.is_breaking) == (next(iter(properties)), kind, breaking)


def test_an_endpoint_that_is_not_described_breaks_what_is_not_optional() -> None:
    found = {d.dataset: d for d in diff(SOURCES, SMALL) if d.kind is Kind.NO_ENDPOINT}
    assert found["events"].is_breaking
    assert not found["visitors"].is_breaking


def test_a_list_with_cursors_is_compared_by_its_records() -> None:
    contract = source("conversions")
    rows = {"type": "array", "items": {"properties": {"converted_at": {"type": "integer"}}}}
    page = {"properties": {"data": rows, "page_info": {"type": "object"}}}
    content = {"application/json": {"schema": page}}
    operations = {"get": {"responses": {"200": {"content": content}}}}
    found = diff([contract], {"openapi": "3.1.1", "paths": {contract.endpoint: operations}})
    assert [(d.field, d.kind) for d in found if d.is_breaking] == [("converted_at", Kind.RETYPED)]


def test_rows_that_stand_in_an_object_are_compared_with_what_stands_around_them() -> None:
    contract = source("embed_locations_daily")
    rows = {
        "type": "array",
        "items": {"properties": {"embed_domain": {"type": "string"}, "plays": {"type": "string"}}},
    }
    schema = {"type": "array", "items": {"properties": {"timestamp": {"type": "string"}, "entries": rows}}}
    operations = {"get": {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}}
    found = diff([contract], {"openapi": "3.1.1", "paths": {contract.endpoint: operations}})
    assert [(d.field, d.kind) for d in found if d.is_breaking] == [
        ("loads", Kind.GONE), ("plays", Kind.RETYPED),
    ]  # fmt: skip
    assert not [d for d in found if d.field in ("timestamp", "embed_domain", "entries")]


@pytest.mark.parametrize("wrong", [{}, {"openapi": "3.1.1"}, {"paths": {}}])
def test_what_is_no_description(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="no OpenAPI"):
        diff(SOURCES, wrong)


def test_references_beyond_the_file_are_refused() -> None:
    with pytest.raises(ConfigError, match="not in the file"):
        changed(play_count={"$ref": "https://example.com/schema.json"})
    endless = copy.deepcopy(SMALL) | {"components": {"n": {"$ref": "#/components/n"}}}
    with pytest.raises(ConfigError, match="not in the file"):
        diff([source("media_by_date")], endless)


def test_the_command_names_what_breaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    with pytest.raises(SystemExit) as ended:
        main(["contract", "diff", "--openapi", str(path), "--json"])
    assert ended.value.code == 65
    said = capsys.readouterr()
    assert json.loads(said.out)["breaking"] == 4
    assert "events endpoint no endpoint" in said.err


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published descriptions are not on this machine")
@pytest.mark.parametrize("name", ["v1", "2026-05", "2026-09-fragment.reconstructed"])
def test_published_descriptions_break_nothing(name: str) -> None:
    found = diff(SOURCES, yaml.load((PUBLISHED / f"{name}.yaml").read_text(), yaml.CSafeLoader))
    assert [d for d in some(found) if d.is_breaking] == []
    gone = {(d.dataset, d.field) for d in found if d.kind is Kind.GONE}
    # v1's description spells the folder's id otherwise than its answers do; the dated API calls it a folder.
    assert all(
        field.split(".")[0] in ("project", "folder", "subfolder", "section", "assets") for _, field in gone
    )
