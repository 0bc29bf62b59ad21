"""The manifest of an export: what each table and column means, which publication it is of, and what lies in the folder.

It is written last, so that it never promises what is not there, and read by the next export into the same folder.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from wistlake.codec import DecodeError, decode, encode
from wistlake.errors import ConfigError
from wistlake.export.read import Part
from wistlake.export.relations import ALL, NONE, Relation, names
from wistlake.ports import Publication
from wistlake.quality.metrics import METRICS

NAME = "manifest.json"
FORMAT = 1
_PART = re.compile(rf"{ALL}|{NONE}|\d{{4}}-\d\d(-\d\d)?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One table as it lies in the folder: the publication and snapshot that it is of, when its newest row was built,
    its columns and its parts."""

    run_id: str
    published_at: datetime
    snapshot_id: int | None
    built_through: datetime | None
    columns: tuple[str, ...]
    parts: Mapping[str, Part]

    @property
    def rows(self) -> int:
        """Of all parts."""
        return sum(part.rows for part in self.parts.values())


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export has left: its form, and each table's entry by name."""

    form: str
    exported_at: datetime
    format: int = FORMAT
    entries: Mapping[str, Entry] = field(default_factory=dict)


def entry(
    relation: Relation, publication: Publication, built: datetime | None, parts: Mapping[str, Part]
) -> Entry:
    """What is to be remembered of a relation."""
    ref = publication.tables.get(relation.name)
    return Entry(
        publication.run_id, publication.published_at, ref.snapshot_id if ref else None, built, columns(relation), parts
    )  # fmt: skip


def columns(relation: Relation) -> tuple[str, ...]:
    """Names and types: files with other ones are written anew."""
    return tuple(f"{c.name} {c.type}" for c in relation.columns)


def read(folder: Path) -> Manifest | None:
    """The manifest in the folder; None without one. ConfigError if it is something else."""
    path = folder / NAME
    if not path.exists():
        return None
    try:
        plain = json.loads(path.read_bytes())
        manifest = decode(Manifest, plain["state"])
    except (OSError, ValueError, LookupError, TypeError, DecodeError):
        manifest = None
    if manifest is None or manifest.format != FORMAT or not _is_ours(manifest):
        raise ConfigError(f"{path} is no manifest that this `wistlake export` wrote: name another folder")
    return manifest


def _is_ours(manifest: Manifest) -> bool:
    """Whether names are of relations and parts: paths are made of them, of files that an export may remove."""
    parts = (part for e in manifest.entries.values() for part in e.parts)
    return manifest.entries.keys() <= set(names()) and all(_PART.fullmatch(p) for p in parts)


def text(manifest: Manifest, relations: Iterable[Relation]) -> str:
    """The manifest as JSON: definitions for people and catalogs, and the state for the next export."""
    described = [_described(r, manifest.entries[r.name]) for r in relations if r.name in manifest.entries]
    document = {
        "exported_at": manifest.exported_at.isoformat(),
        "form": manifest.form,
        "tables": described,
        "metrics": [_metric(m) for m in METRICS],
        "state": encode(Manifest, manifest),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _described(relation: Relation, of_table: Entry) -> dict[str, Any]:
    return {
        "table": relation.name,
        "holds": relation.holds,
        "grain": relation.grain,
        "key": list(relation.key),
        "publication": of_table.run_id,
        "published_at": of_table.published_at.isoformat(),
        "snapshot_id": of_table.snapshot_id,
        "rows": of_table.rows,
        "columns": [
            {
                "name": c.name,
                "type": str(c.type),
                "unit": c.unit,
                "personal_data": str(c.privacy),
                "means": c.doc,
            }
            for c in relation.columns
        ],
    }


def _metric(metric: Any) -> dict[str, Any]:
    return {
        "metric": metric.name,
        "definition": metric.doc,
        "numerator": metric.numerator,
        "denominator": metric.denominator,
        "unit": metric.unit,
        "adds_up": str(metric.adds),
        "source": metric.source,
        "bias": metric.bias,
    }
