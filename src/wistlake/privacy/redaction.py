"""Removes personal values from records: for samples on disk, and for bronze that may hold none."""

import re
from collections.abc import Mapping
from typing import Any

from wistlake.contracts.form import Field, Privacy, Source, Type
from wistlake.derive import mask
from wistlake.foreign import shown_name

_UTM = ("source", "medium", "campaign")
_NUMBER = re.compile(r"[ 0-9.eE+-]{0,40}|[+-]?(nan|inf|infinity)", re.IGNORECASE)
_MOMENT = re.compile(r"[0-9TZtz:. +-]{0,40}")
# What a text in a field of another type may be; any other may hold anything, and silver refuses it.
_SHAPES = {
    Type.LONG: _NUMBER,
    Type.DOUBLE: _NUMBER,
    Type.BOOLEAN: re.compile("true|false|[01]?", re.IGNORECASE),
    Type.DATE: _MOMENT,
    Type.TIMESTAMP: _MOMENT,
}


def redact(source: Source, record: Mapping[str, Any], pseudonymise: Mapping[str, str]) -> dict[str, Any]:
    """The record with its allow-listed fields only, nested as served.

    Personal fields are removed, except those in `pseudonymise` (path to replacement), from which silver derives
    columns.
    """
    redacted: dict[str, Any] = {}
    for field in source.fields:
        head, _, rest = field.path.partition(".")
        if field.privacy is Privacy.PERSONAL:
            if field.path in pseudonymise:
                redacted[field.path] = pseudonymise[field.path]
        elif not rest:
            if head in record:
                redacted[head] = _shaped(field, record[head])
        elif isinstance(branch := record.get(head), Mapping) and rest in branch:
            redacted.setdefault(head, {})[rest] = _shaped(field, branch[rest])
    return redacted


def blanked(source: Source, record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with all of its plain keys, but only allow-listed, impersonal values: samples on disk show a
    response's structure. Empty values (null, "", {}, []) reveal nothing and stay."""
    return {shown_name(key): _shown(source, key, value) for key, value in record.items()}


def _shown(source: Source, path: str, value: Any) -> Any:
    fields = {field.path: field for field in source.fields}
    if value in (None, "", [], {}):
        return value
    if path == source.rows_in and isinstance(value, list):
        return [blanked(source, row) if isinstance(row, Mapping) else _blank(row) for row in value]
    if path == "embed_url" and path in fields:
        return page(str(value))
    if path in fields:
        return _blank(value) if fields[path].privacy is Privacy.PERSONAL else _shaped(fields[path], value)
    if isinstance(value, Mapping) and any(p.startswith(f"{path}.") for p in fields):
        return {shown_name(key): _shown(source, f"{path}.{key}", inner) for key, inner in value.items()}
    return _blank(value)


def _blank(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"[redacted: an object of {len(value)}]"
    if isinstance(value, list):
        return f"[redacted: a list of {len(value)}]"
    return f"[redacted: {'a text' if isinstance(value, str) else 'a value'}]"


def _shaped(field: Field, value: Any) -> Any:
    """The value if it has the contract's type, with the addresses in texts masked. An object in place of a plain value
    may contain anything: it becomes an empty one, which silver rejects as well."""
    if field.mask and isinstance(value, str):
        return mask.plain_of(field.mask, value)
    if field.items and isinstance(value, list):
        return [
            {k: _without_addresses(v[k]) for k in field.items if k in v and _is_plain(v[k])}
            for v in value
            if isinstance(v, Mapping)
        ]
    if _is_plain(value):
        is_odd = isinstance(value, str) and field.type in _SHAPES and not _SHAPES[field.type].fullmatch(value)
        return {} if is_odd else _without_addresses(value)
    if field.type in (Type.LONGS, Type.STRINGS) and isinstance(value, list):
        named = (v["name"] if _is_named(v) else v if _is_plain(v) else {} for v in value)
        return [_without_addresses(v) for v in named]
    return {}


def _without_addresses(value: Any) -> Any:
    if isinstance(value, str):
        return mask.plain_name(value)
    if isinstance(value, Mapping):
        return {shown_name(key): _without_addresses(inner) for key, inner in value.items()}
    return [_without_addresses(v) for v in value] if isinstance(value, list) else value


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float)


def _is_named(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("name"), str)


def page(url: str) -> str:
    """The page's URL with the parts that silver stores: host, masked path, masked utm values. Silver derives the same
    columns from it as from `url`."""
    host = mask.plain_host(url)
    if host is None:
        return ""
    values = {name: value for name in _UTM if (value := mask.plain_utm(url, name)) is not None}
    query = "&".join(f"utm_{name}={value.replace(' ', '%20')}" for name, value in values.items())
    return f"{url.partition(':')[0]}://{host}{mask.plain_path(url) or ''}{'?' if query else ''}{query}"
