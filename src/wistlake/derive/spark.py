"""How contracts look to Spark: types, the schema of a bronze line, and `CREATE TABLE` text."""

from collections.abc import Iterable, Mapping

from wistlake.contracts.form import Column, Field, Source, Table, Type

SPARK: Mapping[Type, str] = {
    Type.STRING: "string",
    Type.LONG: "bigint",
    Type.DOUBLE: "double",
    Type.BOOLEAN: "boolean",
    Type.DATE: "date",
    Type.TIMESTAMP: "timestamp",
    Type.LONGS: "array<bigint>",
    Type.STRINGS: "array<string>",
}


FORMAT_VERSION = "format-version"
#: Types that JSON has too; values of the others are text.
JSON_TYPES = (Type.LONG, Type.DOUBLE, Type.BOOLEAN)


def envelope(source: Source, *, plain: bool = False) -> str:
    """Schema of a bronze line. Every leaf is text: a value of the wrong type stays visible and can be refused with
    its reason, where a typed schema would silently make it NULL. `plain` records have none, and are read as typed."""
    tree: dict[str, list[str]] = {}
    for f in source.fields:
        head, _, rest = f.path.partition(".")
        kind = SPARK[f.type] if plain and f.type in JSON_TYPES else "string"
        tree.setdefault(head, []).append(f"{rest}: {kind}" if rest else kind)
    record = ", ".join(
        f"{name}: struct<{', '.join(leaves)}>" if ":" in leaves[0] else f"{name}: {leaves[0]}"
        for name, leaves in tree.items()
    )
    return f"_landing string, _line {'bigint' if plain else 'string'}, record struct<{record}>"


def raw_path(field: Field) -> str:
    """Where the field's text is after parsing a line into `line`."""
    return f"line.record.{field.path}"


ENDLESS = 1e308  # "Infinity" and the like are texts that casts take for numbers
_NUMBER = "-?[0-9.]+"
#: Text of an object, of a list with a text or an object in it, or of a list of numbers: what stands in place of a plain
#: value. "[2026] Tour" is a title.
LOOKS_NESTED = (
    r'^(\{"|\{\}|\[(\[|\][ ]*,|([0-9.eE+-]+|null|true|false)[ ]*(\][ ]*)*,|[ ])*["{]'
    rf"|\[ *{_NUMBER}( *, *{_NUMBER})+ *\]$)"
)
_NESTED = LOOKS_NESTED.replace("\\", "\\\\")  # as SQL text


def unless_nested(raw: str) -> str:
    """SQL for a text; NULL where an object or list stands in place of a plain value."""
    return f"case when {raw} rlike '{_NESTED}' then null else {raw} end"


# Spark aborts when it is to write a time before 1900 into Parquet; "0001-01-01" is a usual way to say none.
_DATE = r"^(19[1-9]\\d|2\\d{3})-\\d{2}-\\d{2}"
_INSTANT = rf"{_DATE}[T ]\\d{{2}}:\\d{{2}}:\\d{{2}}"
_DAY = f"{_DATE}$"


def typed(raw: str, kind: Type) -> str:
    """SQL that turns text into `kind`, NULL if it is none. Never raises, on any engine.

    The patterns come first because engines differ in what else they take for a time ('2024', '17.5').
    """
    match kind:
        case Type.LONG:
            whole = f"try_cast({raw} as double)"
            return (
                f"coalesce(try_cast({raw} as bigint),"
                f" case when {whole} = floor({whole}) and abs({whole}) < 9e15 then cast({whole} as bigint) end)"
            )
        case Type.DOUBLE:
            number = f"try_cast({raw} as double)"
            return f"case when not isnan({number}) and abs({number}) < {ENDLESS:.0e}D then {number} end"
        case Type.TIMESTAMP:
            return f"case when {raw} rlike '{_INSTANT}' then try_cast({raw} as timestamp) end"
        case Type.DATE:
            return f"case when {raw} rlike '{_DAY}' then try_cast({raw} as date) end"
        case Type.LONGS:
            return f"from_json({raw}, 'array<bigint>')"
        case Type.STRINGS:
            name = unless_nested("coalesce(get_json_object(x, '$.name'), x)")
            named = f"transform(from_json({raw}, 'array<string>'), x -> {name})"
            # Engines differ in what they make of an object, and of a list with something behind it.
            return f"case when {raw} like '[%]' then array_sort(filter({named}, x -> x is not null)) end"
        case Type.BOOLEAN:
            return f"try_cast({raw} as boolean)"
        case Type.STRING:
            return raw


def columns_ddl(columns: Iterable[Column]) -> str:
    """`name type` for each column. Nullability is kept by the contract checks, not by Iceberg: a required
    column could not be added later."""
    return ", ".join(f"{c.name} {SPARK[c.type]}" for c in columns)


def outdated(properties: Mapping[str, str]) -> dict[str, str]:
    """What a table with these properties lacks of `TABLE_PROPERTIES`; its format stays as it is."""
    return {k: v for k, v in TABLE_PROPERTIES.items() if k != FORMAT_VERSION and properties.get(k) != v}


def create_table(table: Table, catalog_name: str, location: str = "") -> str:
    """`CREATE TABLE IF NOT EXISTS`, Iceberg v2."""
    properties = ", ".join(f"'{k}'='{v}'" for k, v in TABLE_PROPERTIES.items())
    return (
        f"CREATE TABLE IF NOT EXISTS {catalog_name} ({columns_ddl(table.columns)}) USING iceberg"
        + (f" PARTITIONED BY ({table.partition})" if table.partition else "")
        + (f" LOCATION '{location}'" if location else "")
        + f" TBLPROPERTIES ({properties})"
    )


#: Of a new table, and but for its format also of one that an older version made.
TABLE_PROPERTIES: Mapping[str, str] = {
    FORMAT_VERSION: "2",
    "write.parquet.compression-codec": "zstd",
    "write.merge.mode": "copy-on-write",
    "write.update.mode": "copy-on-write",
    "write.delete.mode": "copy-on-write",
    # a hundred daily commits made a commit five times slower until manifests were merged
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "8",
    # Readers follow the metadata of the last publication, however many commits a run makes before its own. Upkeep
    # removes what nobody follows.
    "write.metadata.delete-after-commit.enabled": "false",
    "write.metadata.previous-versions-max": "50",
    "write.distribution-mode": "none",
}
