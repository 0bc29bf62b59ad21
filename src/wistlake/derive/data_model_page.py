"""The data model as a picture: an entity-relationship diagram in Mermaid, from the contracts."""

from collections.abc import Iterator

from wistlake.contracts import TABLES
from wistlake.contracts.form import Column, Table

_DIMENSIONS = {"media_id": "silver.dim_media", "visitor_id": "gold.dim_visitor"}
_LAYERS = ("silver", "gold")


def page() -> str:
    """The page, as Markdown."""
    return (
        "# Data model\n\n"
        "Generated from the contracts: each table of silver and gold with its key, and what joins them. Every column "
        "is in [datasets](datasets.md). `PK` is a part of the table's key, `FK` joins a dimension. A `date` is the "
        "account's local day.\n\n"
        + "".join(
            f"## {layer.capitalize()}\n\n```mermaid\nerDiagram\n{''.join(_diagram(layer))}```\n\n"
            for layer in _LAYERS
        )
        + "`silver.quarantine` has the refused records, `ops.*` how each day was checked; those join by `media_id` and "
        "`date`.\n"
    )


def _diagram(layer: str) -> Iterator[str]:
    tables = [t for t in TABLES if t.layer == layer and t.name != "quarantine"]
    for table in tables:
        yield f"  {_name(table.full_name)} {{\n"
        named = [c for c in table.columns if c.name in table.key or c.name in _DIMENSIONS]
        for column in named:
            yield f"    {column.type} {column.name} {_marks(table, column)}".rstrip() + "\n"
        yield f'    more columns "{len(table.columns) - len(named)}"\n  }}\n'
    for table in tables:
        for key, dimension in _DIMENSIONS.items():
            if dimension != table.full_name and any(c.name == key for c in table.columns):
                yield f"  {_name(dimension)} ||--o{{ {_name(table.full_name)} : {key}\n"


def _marks(table: Table, column: Column) -> str:
    foreign = column.name in _DIMENSIONS and _DIMENSIONS[column.name] != table.full_name
    return ", ".join(mark for mark, holds in (("PK", column.name in table.key), ("FK", foreign)) if holds)


def _name(full_name: str) -> str:
    """Mermaid takes a dot in a name for its end."""
    return full_name.replace(".", "_")
