"""Records without what identifies a person: for samples on disk, and for bronze where it must hold none."""

from collections.abc import Mapping
from typing import Any

from wistlake.contracts.form import Privacy, Source


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
                kept[head] = record[head]
        elif isinstance(branch := record.get(head), Mapping) and rest in branch:
            kept.setdefault(head, {})[rest] = branch[rest]
    return kept
