"""The source contracts against a published OpenAPI description. Pure: the description comes parsed."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from wistlake.contracts.form import Field, Source, Type
from wistlake.errors import ConfigError

Schema = Mapping[str, Any]
MAX_REFERENCE_DEPTH = 40  # references to references


class Kind(StrEnum):
    """What differs, and whether the lake could live with it."""

    NO_ENDPOINT = "no endpoint"  # breaking, unless the dataset is optional
    GONE = "gone"  # breaking where the contract requires the field, else a loss
    RETYPED = "retyped"  # breaking
    NULLABLE = "may be null"  # rows without it are quarantined
    NEW = "new"  # additive


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of a dataset. `field` is a dotted path, "" for the endpoint itself."""

    dataset: str
    field: str
    kind: Kind
    is_breaking: bool
    detail: str = ""


_JSON: Mapping[Type, frozenset[str]] = {
    Type.STRING: frozenset(("string", "integer", "number")),
    Type.LONG: frozenset(("integer", "number")),
    Type.DOUBLE: frozenset(("integer", "number")),
    Type.BOOLEAN: frozenset(("boolean",)),
    Type.DATE: frozenset(("string",)),
    Type.TIMESTAMP: frozenset(("string",)),
    Type.LONGS: frozenset(("array",)),
    Type.STRINGS: frozenset(("array",)),
}
_STORED_AS_JSON = frozenset(("array", "object", "string"))  # a text column may hold a whole branch


def diff(sources: Iterable[Source], description: Schema) -> tuple[Difference, ...]:
    """Every difference between the contracts and the description. ConfigError if it is no OpenAPI."""
    paths = description.get("paths")
    if not isinstance(paths, Mapping) or "openapi" not in description:
        raise ConfigError("the file is no OpenAPI description: it has no `openapi` and `paths`")
    by_shape = {_shape(path): operations for path, operations in paths.items()}
    return tuple(d for s in sources for d in _of_source(s, by_shape.get(_shape(s.endpoint)), description))


def _shape(path: str) -> str:
    """The path without the names of its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", path.removesuffix(".json"))


def _of_source(source: Source, operations: Any, description: Schema) -> Iterator[Difference]:
    schema = _response_schema(operations, description)
    if schema is None:
        yield Difference(source.name, "", Kind.NO_ENDPOINT, not source.optional, source.endpoint)
        return
    if source.rows_in:
        schema = _unfolded(source, schema, description)
    of_client = source.key if len(source.dimensions) > 1 else ()  # the dimension, written into each record
    for field in source.fields:
        if field.path not in of_client:
            yield from _of_field(source, field, schema, description)
    for name in sorted(set(_properties(schema, description)) - source.expected_keys):
        yield Difference(source.name, name, Kind.NEW, is_breaking=False)


def _unfolded(source: Source, schema: Schema, description: Schema) -> Schema:
    """The schema of a record that stands in a list of the object served, with what stands around it."""
    around = dict(_properties(schema, description))
    rows = _resolved(around.pop(source.rows_in, {}), description)
    return {"properties": {**around, **_properties(rows.get("items", {}), description)}}


def _response_schema(operations: Any, description: Schema) -> Schema | None:
    """The schema of one record in the response to GET; None if there is no description."""
    if not isinstance(operations, Mapping) or "get" not in operations:
        return None
    responses = _resolved(operations["get"], description).get("responses", {})
    good = next((r for code, r in responses.items() if str(code).startswith("2")), None)
    content = _resolved(good or {}, description).get("content", {})
    media = next((c for kind, c in content.items() if "json" in kind), None)
    if media is None:
        return None
    schema = _resolved(media.get("schema", {}), description)
    page = _properties(schema, description)
    if "page_info" in page:  # a list with cursors
        schema = _resolved(page.get("data", {}), description)
    return _resolved(schema["items"], description) if "items" in schema else schema


def _of_field(source: Source, field: Field, schema: Schema, description: Schema) -> Iterator[Difference]:
    branch: Schema | None = schema
    for name in field.path.split("."):
        branch = _properties(branch, description).get(name) if branch is not None else None
    if branch is None:
        yield Difference(
            source.name, field.path, Kind.GONE, field.required, "required" if field.required else ""
        )
        return
    types = set(_types(branch, description))
    wanted = _JSON[field.type] | (_STORED_AS_JSON if field.path == "assets" else frozenset())
    if types - {"null"} and not (types & wanted):
        detail = f"{' or '.join(sorted(types))}, where {field.type} is relied on"
        yield Difference(source.name, field.path, Kind.RETYPED, is_breaking=True, detail=detail)
    elif "null" in types and field.required and not field.nullable:
        yield Difference(source.name, field.path, Kind.NULLABLE, is_breaking=False)


def _resolved(schema: Any, description: Schema, depth: int = 0) -> Schema:
    """The schema behind a reference within the same file. ConfigError for any other reference."""
    if not isinstance(schema, Mapping):
        return {}
    reference = schema.get("$ref")
    if reference is None:
        return schema
    if depth > MAX_REFERENCE_DEPTH or not str(reference).startswith("#/"):
        raise ConfigError(f"the description refers to {str(reference)[:80]!r}, which is not in the file")
    target: Any = description
    for part in str(reference)[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        target = target.get(name) if isinstance(target, Mapping) else None
    return _resolved(target, description, depth + 1)


def _branches(schema: Schema, description: Schema, depth: int = 0) -> Iterator[Schema]:
    """The schema, and those that it is composed of."""
    whole = _resolved(schema, description)
    yield whole
    for name in ("allOf", "oneOf", "anyOf"):
        for part in whole.get(name, ()) if depth < MAX_REFERENCE_DEPTH else ():
            yield from _branches(part, description, depth + 1)


def _properties(schema: Schema, description: Schema) -> Mapping[str, Schema]:
    properties: dict[str, Schema] = {}
    for branch in _branches(schema, description):
        properties |= branch.get("properties", {})
    return properties


def _types(schema: Schema, description: Schema) -> Iterator[str]:
    """JSON types that the value may have; any type if there is none."""
    for branch in _branches(schema, description):
        types = branch.get("type", ())
        yield from [types] if isinstance(types, str) else types
        if branch.get("nullable"):
            yield "null"
