"""The documentation of all datasets, from their contracts, as Markdown."""

from wistlake.contracts import SOURCES, TABLES
from wistlake.contracts.form import Field, Source, Table


def page() -> str:
    """Every table, then every source, in the contracts' order."""
    head = "# Datasets\n\nGenerated from the contracts; edit those.\n"
    return "\n".join([head, *map(_table, TABLES), "# Sources\n", *map(_source, SOURCES)])


def _table(table: Table) -> str:
    rows = [
        f"| `{c.name}` | {c.type} | {c.unit or '-'} | {'yes' if c.nullable else 'no'}"
        f" | {c.privacy} | {c.doc} |"
        for c in table.columns
    ]
    return "\n".join(
        [
            f"## {table.full_name}\n",
            f"{table.doc}\n",
            f"Grain: {table.grain}. Key: {', '.join(table.key)}. Partition: {table.partition or 'none'}.\n",
            "| column | type | unit | may be NULL | personal-data class | meaning |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _source(source: Source) -> str:
    rows = [f"| `{f.path}` | {f.type} | {_presence(f)} | {f.privacy} | {f.doc} |" for f in source.fields]
    return "\n".join(
        [
            f"## {source.name}\n",
            f"{source.doc} `{source.endpoint}`\n",
            "| field | type | required | personal-data class | meaning |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _presence(field: Field) -> str:
    """Whether a record may be without the field."""
    if field.required:
        return "yes, may be null" if field.nullable else "yes"
    return "no, describes only" if field.cosmetic else "no"
