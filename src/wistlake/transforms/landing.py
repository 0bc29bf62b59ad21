"""Bronze lines become typed rows, each with the reason it is refused for, if any."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from wistlake.contracts.form import Field, Privacy, Source, Type
from wistlake.derive import mask, pseudonym
from wistlake.derive.spark import JSON_TYPES, SPARK, envelope, raw_path, typed, unless_nested
from wistlake.transforms.conform import local

LANDINGS = "landing_id string, media_id string, dt date, observed_at timestamp, dataset string"
_LANDING = 'regexp_extract(value, \'"_landing":"([^"]+)"\', 1)'
_LINE = "try_cast(regexp_extract(value, '\"_line\":([0-9]+)', 1) as bigint)"
_PLACE = (
    "landing_id string, line bigint, landing_media_id string, landing_dt date, "
    "observed_at timestamp, dataset string"
)
LandingRow = tuple[str, str, date, datetime, str]


def landing_frame(spark: SparkSession, rows: Iterable[LandingRow]) -> DataFrame:
    """The landings of a build as a frame: one row a landing."""
    return local(spark, rows, LANDINGS)


def pads_frame(spark: SparkSession, keys: list[bytes]) -> DataFrame:
    """One row with the pads of every key. Cross-join it: literals would show up in plans and errors."""
    pads = pseudonym.pads(keys)
    return local(spark, [tuple(pads.values())], ", ".join(f"{name} string" for name in pads))


def _text(field: Field) -> str:
    """The field's raw text; NULL where an object or list stands in place of a plain value."""
    raw = raw_path(field)
    if field.type is not Type.STRING or field.holds_json:
        return raw
    return unless_nested(raw)


def value(field: Field, *, plain: bool = False) -> str:
    """SQL for the field's typed value over a parsed line; of `plain` records, some have their type already."""
    if field.mask:
        return mask.of(field.mask, raw_path(field) if plain else _text(field))
    if plain and (field.type is Type.STRING or field.type in JSON_TYPES):
        return raw_path(field)
    return typed(_text(field), field.type)


# How far beyond its ends floating point may have carried a share of a whole: 1.0000000000000002 is 1.
HAIR = 1e-9
_LOW, _HIGH = f"{-HAIR:.9f}D", f"{1 + HAIR:.9f}D"


def share(field: Field) -> str:
    """SQL for a share of a whole, without what floating point added beyond 0 and 1."""
    raw = value(field)
    return (
        f"case when ({raw}) > 1 and ({raw}) <= {_HIGH} then 1D"
        f" when ({raw}) < 0 and ({raw}) >= {_LOW} then 0D else {raw} end"
    )


def no_share(field: Field) -> str:
    """SQL that holds on a number that isn't a share of a whole."""
    return f"({value(field)}) < {_LOW} or ({value(field)}) > {_HIGH}"


def below_zero(source: Source, *paths: str) -> str:
    """SQL that holds if one of these numbers is below zero."""
    return " or ".join(f"({value(source.field(path))}) < 0" for path in paths)


def _refusal(field: Field, first: str, *, plain: bool) -> str:
    raw = raw_path(field)
    good = value(field, plain=plain) if not field.mask else raw if plain else _text(field)
    is_typed = plain and field.type in JSON_TYPES
    absent = f"{raw} is null" if is_typed else f"({raw} is null or {raw} = '')"
    bad = f"when not {absent} and ({good}) is null then 'bad_{field.column}'" if good != raw else ""
    must = field.required and not field.nullable
    missing = f"when {absent} then 'missing_{field.column}'" if must else ""
    return f"{first} {missing} {bad}"


def reason(source: Source, rules: Mapping[str, str], *, plain: bool = False) -> str:
    """SQL for the reason code of a parsed line, NULL if it keeps the contract.

    `rules` maps further reason codes to the SQL condition (over the parsed line and its landing) that
    breaks them.
    """
    cases = "case when line.record is null then 'malformed_json'"
    for field in source.fields:
        if field.required or not (field.cosmetic or field.privacy is Privacy.PERSONAL):
            cases = _refusal(field, cases, plain=plain)
    for code, condition in rules.items():
        cases += f" when {condition} then '{code}'"
    return f"{cases} end"


def line_schema(
    source: Source, derived: Mapping[str, str], rules: Mapping[str, str], *, plain: bool = False
) -> str:
    """The schema of the lines that `parse` takes, less the personal values that nothing is made of: they are not
    even read."""
    return envelope(_read(source, (*derived.values(), *rules.values())), plain=plain)


def parse(
    lines: DataFrame,
    source: Source,
    landings: DataFrame,
    pads: DataFrame,
    derived: Mapping[str, str],
    rules: Mapping[str, str],
    *,
    plain: bool = False,
) -> DataFrame:
    """Lines to one row a line: typed public fields, `derived` columns (SQL over the parsed line), `reason`, and
    where the line came from. Lines are text (`value`), those of `plain` records are read with their `line_schema`.

    One projection without a filter: a filter above from_json would have Spark parse once a column. What is
    not named by the contract, or is of class PERSONAL, is not in the result.
    """
    if plain:
        placed = lines.select("_landing", F.col("_line").alias("_number"), F.struct("record").alias("line"))
    else:
        line = F.from_json("value", line_schema(source, derived, rules))
        for f in source.fields:
            if (
                f.type is Type.DOUBLE and f.privacy is not Privacy.PERSONAL
            ):  # Sail's from_json rounds their digits
                line = line.withField(f"record.{f.path}", F.get_json_object("value", f"$.record.{f.path}"))
        parsed = lines.select("value", F.expr(_LANDING).alias("_landing"), line.alias("line"))
        # The text ends here: it is most of what would go through the join.
        number = F.expr(f"coalesce(cast(line._line as bigint), {_LINE})")
        placed = parsed.select("_landing", number.alias("_number"), "line")
    # The pads ride on the landings: engines hold one side of a cross join in memory, and not the small one.
    names = ("media_id", "dt", "observed_at", "dataset")
    placed_landings = pads.crossJoin(
        landings.select(F.col("landing_id").alias("_landing"), *(F.col(c).alias(f"_{c}") for c in names))
    )
    joined = placed.join(F.broadcast(placed_landings), on="_landing", how="left")
    public = {f.column: value(f, plain=plain) for f in _public(source) if f.column not in derived}
    return joined.select(
        F.col("_landing").alias("landing_id"),
        F.col("_number").alias("line"),
        F.col("_media_id").alias("landing_media_id"),
        F.col("_dt").alias("landing_dt"),
        F.col("_observed_at").alias("observed_at"),
        F.col("_dataset").alias("dataset"),
        *(F.expr(sql).alias(name) for name, sql in (public | dict(derived)).items()),
        F.expr(reason(source, rules, plain=plain)).alias("reason"),
    )


def parsed_schema(source: Source, derived: Mapping[str, str]) -> str:
    """The columns of `parse`, as DDL: known without asking the engine. What is derived is of its field's type, else
    text."""
    kinds = {f.column: SPARK[f.type] for f in _public(source)}
    columns = [*(c for c in kinds if c not in derived), *derived]
    return f"{_PLACE}, {', '.join(f'{c} {kinds.get(c, SPARK[Type.STRING])}' for c in columns)}, reason string"


def _public(source: Source) -> list[Field]:
    return [f for f in source.fields if f.privacy is not Privacy.PERSONAL]


def accepted(rows: DataFrame) -> DataFrame:
    """Parsed rows that keep the contract."""
    return rows.where("reason is null")


def counts(rows: DataFrame, name: str) -> DataFrame:
    """Parsed rows of one dataset (`counted`: its name), counted by landing and reason (`count`)."""
    counted = rows.groupBy(F.col("landing_id"), F.col("reason")).count()
    return counted.withColumn("counted", F.lit(name))


def without(rows: DataFrame, landing_ids: Sequence[str]) -> DataFrame:
    """`rows` that came from other landings."""
    return rows.where(~F.col("landing_id").isin(landing_ids)) if landing_ids else rows


def _read(source: Source, sqls: Sequence[str]) -> Source:
    """The contract without the personal values that nothing is made of: they are not even read."""
    fields = tuple(
        f
        for f in source.fields
        if f.privacy is not Privacy.PERSONAL or f.required or any(raw_path(f) in sql for sql in sqls)
    )
    return replace(source, fields=fields)


def fingerprints(lines: DataFrame, pads: DataFrame, epochs: int) -> DataFrame:
    """Text lines (`value`) to what may be known of any of them: landing, line, keyed hash and length.

    Apart from `parse` because engines would hash every line for the sake of the few that are refused.
    """
    return pads.crossJoin(lines).select(
        F.expr(_LANDING).alias("landing_id"),
        F.expr(_LINE).alias("line"),
        F.expr(pseudonym.sql("value", epochs)).alias("record_hash"),
        F.length("value").cast("bigint").alias("record_length"),
    )
