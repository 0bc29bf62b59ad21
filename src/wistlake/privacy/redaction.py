"""Records without what identifies a person: for samples on disk, and for bronze where it must hold none."""

from collections.abc import Mapping
from typing import Any

from wistlake.contracts.form import Field, Privacy, Source, Type
from wistlake.derive import mask
from wistlake.foreign import shown_name

_UTM = ("source", "medium", "campaign")


def redact(source: Source, record: Mapping[str, Any], pseudonymise: Mapping[str, str]) -> dict[str, Any]:
    """The record's allow-listed fields only, nested as served.

    Personal fields are left out, save those in `pseudonymise` (path to replacement): what silver derives
    from them must stay derivable.
    """
    kept: dict[str, Any] = {}
    for field in source.fields:
        head, _, rest = field.path.partition(".")
        if field.privacy is Privacy.PERSONAL:
            if field.path in pseudonymise:
                kept[field.path] = pseudonymise[field.path]
        elif not rest:
            if head in record:
                kept[head] = _shaped(field, record[head])
        elif isinstance(branch := record.get(head), Mapping) and rest in branch:
            kept.setdefault(head, {})[rest] = _shaped(field, branch[rest])
    return kept


def blanked(source: Source, record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with every plain key as served, but only the allow-listed, impersonal values: for samples on
    disk, which must show an answer's form. Nothing (null, "", {}, []) tells nothing and stays."""
    return {shown_name(key): _shown(source, key, value) for key, value in record.items()}


def _shown(source: Source, path: str, value: Any) -> Any:
    known = {field.path: field for field in source.fields}
    if value in (None, "", [], {}):
        return value
    if path == "embed_url" and path in known:
        return page(str(value))
    if path in known:
        return _blank(value) if known[path].privacy is Privacy.PERSONAL else _shaped(known[path], value)
    if isinstance(value, Mapping) and any(p.startswith(f"{path}.") for p in known):
        return {shown_name(key): _shown(source, f"{path}.{key}", inner) for key, inner in value.items()}
    return _blank(value)


def _blank(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"[redacted: an object of {len(value)}]"
    if isinstance(value, list):
        return f"[redacted: a list of {len(value)}]"
    return f"[redacted: {'a text' if isinstance(value, str) else 'a value'}]"


def _shaped(field: Field, value: Any) -> Any:
    """The value if it has the contract's shape, without the addresses in a text. Anything may hide in an object
    where a plain value was promised: it becomes an empty one, which silver refuses just as well."""
    if field.holds_json or _is_plain(value):
        return _without_addresses(value)
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
    """What silver keeps of a page's address, as an address: host, masked path, masked utm values. Silver makes
    the same of it as of `url`."""
    host = mask.plain_host(url)
    if host is None:
        return ""
    values = {name: value for name in _UTM if (value := mask.plain_utm(url, name)) is not None}
    kept = "&".join(f"utm_{name}={value.replace(' ', '%20')}" for name, value in values.items())
    return f"{url.partition(':')[0]}://{host}{mask.plain_path(url) or ''}{'?' if kept else ''}{kept}"
