"""The tables' contracts by the Open Data Contract Standard: valid by the standard's own model and schema, and whole."""

import json

import jsonschema
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty

from support.commands import call
from support.some import some
from wistlake.contracts import TABLES
from wistlake.contracts import table as contract
from wistlake.contracts.form import Type
from wistlake.derive.odcs import document

SCHEMA = json.loads(OpenDataContractStandard.json_schema())


def printed(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert call("contract", "export", "--odcs", *options) == 0
    return capsys.readouterr().out


def test_the_standards_own_model_and_schema_take_it(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys)
    plain = yaml.safe_load(text)
    jsonschema.validate(plain, SCHEMA)
    model = OpenDataContractStandard.from_string(text)
    assert model.model_dump(by_alias=True, exclude_none=True) == plain
    assert json.loads(printed(capsys, "--json")) == plain


def test_the_schema_refuses_what_is_wrong() -> None:
    """It can: a type that the standard has not, and a key that it does not know."""
    for wrong in ({"logicalType": "text"}, {"unit": "ms"}):
        broken = document(TABLES, "1")
        broken["schema"][0]["properties"][0] |= wrong
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, SCHEMA)


def test_every_column_is_promised_as_the_contract_has_it() -> None:
    model = OpenDataContractStandard(**document(TABLES, "1"))
    objects = {o.name: {p.name: p for p in o.properties or ()} for o in some(model.schema_ or ())}
    assert {name: list(columns) for name, columns in objects.items()} == {
        t.full_name: list(t.column_names) for t in TABLES
    }
    for table in TABLES:
        columns = objects[table.full_name]
        assert [n for n, p in columns.items() if p.required] == [
            c.name for c in table.columns if not c.nullable
        ]
        assert (
            tuple(sorted((n for n in columns if columns[n].primaryKey), key=position(columns))) == table.key
        )
        for column in table.columns:
            shown = columns[column.name]
            assert (shown.description, shown.classification) == (column.doc, str(column.privacy))
            assert (shown.items is not None) == (column.type in (Type.LONGS, Type.STRINGS))


def position(columns: dict[str | None, SchemaProperty]):  # type: ignore[no-untyped-def]
    return lambda name: columns[name].primaryKeyPosition


def test_units_limits_and_rules_are_promised_too() -> None:
    model = OpenDataContractStandard(
        **document([contract("silver.fact_events"), contract("gold.fact_media_daily")], "1")
    )
    events, daily = some(model.schema_ or ())
    columns = {p.name: p for p in (*(events.properties or ()), *(daily.properties or ()))}
    assert columns["percent_viewed"].logicalTypeOptions == {"minimum": 0, "maximum": 1}
    assert [(c.property, c.value) for c in columns["watch_milliseconds"].customProperties or ()] == [
        ("unit", "ms")
    ]
    (allowed,) = columns["certificate"].quality or ()
    assert allowed.arguments == {"validValues": ["provisional", "settled", "certified"]}
    unique, rule = events.quality or ()
    assert unique.arguments == {"properties": ["event_key"]}
    assert rule.query == "SELECT count(*) FROM ${object} WHERE NOT (event_date = cast(received_at as date))"
    assert columns["event_date"].partitioned
    assert not columns["event_key"].partitioned


def test_a_form_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("contract", "export") == 2
    assert "--odcs is missing" in capsys.readouterr().err
