"""Tables, views and queries as files of SQL, for whoever wants to read or run them by hand.

Names in capitals stand for what differs by stack. Athena takes one statement at a time.
"""

from collections.abc import Iterable
from itertools import chain

from wistlake.contracts.form import Table
from wistlake.derive.athena import HIVE, Columns, shown, table_name, text
from wistlake.derive.spark import create_table


def tables(declared: Iterable[Table], bucket: str) -> str:
    """The statements with which the build makes each table, in the bucket of silver and gold."""
    return _file(
        "The tables as the build makes them: Spark SQL, Iceberg format 2. Athena finds them in the Glue catalog.",
        (
            f"-- {t.doc}\n"
            + create_table(t, table_name(t.full_name), f"{bucket}/warehouse/{t.layer}/{t.name}")
            for t in declared
        ),
    )


def views(declared: Iterable[tuple[str, str, str, Columns]]) -> str:
    """The views (name, what it holds, SELECT, columns) in Athena's dialect."""
    return _file(
        "The views over the tables as they are now. The stack's own are pinned to what was published last.",
        (
            f"-- {holds}\nCREATE OR REPLACE VIEW {table_name(name)} AS {shown(select, columns)}"
            for name, holds, select, columns in declared
        ),
    )


def queries(declared: Iterable[tuple[str, str, str]]) -> str:
    """The queries (name, meaning, SQL) in Athena's dialect."""
    return _file(
        "Checks of a first look, which are also Athena's named queries.",
        (f"-- {name}: {meaning}\n{text(sql)}" for name, meaning, sql in declared),
    )


def copy(name: str, columns: Columns, day: str, bucket: str) -> str:
    """A view's rows as plain Parquet below one folder a `day`, and an external table over them."""
    rest = [(c, kind) for c, kind in columns if c != day]
    listed = ", ".join([*(c for c, _ in rest), day])
    folder, table = f"{bucket}/copies/{name}/", f"{name}_copy"
    typed = ", ".join(f"{c} {HIVE[kind]}" for c, kind in rest)
    unload = f"UNLOAD (SELECT {listed} FROM {name}) TO '{folder}' WITH"
    unload += f" (format = 'PARQUET', partitioned_by = ARRAY['{day}'])"
    create = f"CREATE EXTERNAL TABLE IF NOT EXISTS {table} ({typed}) PARTITIONED BY ({day}"
    create += f" {HIVE[dict(columns)[day]]}) STORED AS PARQUET LOCATION '{folder}'"
    meaning = f"A copy of {name} as Parquet, for tools that read no Iceberg. UNLOAD wants an empty folder."
    meaning += f" `wistlake export --to parquet --tables {name}` writes such files, too."
    return _file(meaning, (unload, create, f"MSCK REPAIR TABLE {table}"))


def _file(meaning: str, statements: Iterable[str]) -> str:
    head = f"-- Generated from the declarations: edit those. {meaning}\n"
    return "\n".join(chain([head], (f"{statement};\n" for statement in statements)))
