"""The past of a table goes with all that describes it: a manifest keeps the first characters of the smallest and
the largest value of each file, and an entry about each file that was deleted."""

from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.expressions import EqualTo

from support.handmade import EVENTS, HandMade, rows
from support.some import some
from wistlake.adapters import avro
from wistlake.adapters.local.catalog import LocalCatalog
from wistlake.adapters.local.history import LocalPurge
from wistlake.contracts import table as contract

PREFIX = 16  # characters of a text that Iceberg keeps of a file's smallest and largest value
KEPT = "m-somebody-else-who-stays"


def told_by(folder: Path, value: str) -> list[str]:
    """The files of the table in which the value's first characters can be read."""
    start = value[:PREFIX].encode()
    files = [p for p in (folder / "warehouse").rglob("*") if p.is_file() and "fact_events" in str(p)]
    return [p.name for p in some(files) if start in _plain(p)]


def _plain(path: Path) -> bytes:
    data = path.read_bytes()
    return repr(avro.records(data)).encode() if path.suffix == ".avro" else data


def _written(lake: HandMade, *keys: str) -> None:
    """One file of rows with these keys."""
    table = LocalCatalog(lake.folder).load(EVENTS)
    plain = rows(EVENTS, "abcdef1234", len(keys))
    at = plain.schema.get_field_index("event_key")
    table.append(plain.set_column(at, plain.schema.field(at), pa.array(keys, plain.schema.field(at).type)))


@pytest.mark.parametrize("forgotten", ["000000-forgotten-person", "zzzzzz-forgotten-person"])
@pytest.mark.parametrize("beside", [(), (KEPT,)], ids=["alone in the file", "beside another"])
def test_no_part_of_what_was_deleted_is_left_in_any_file(
    made: HandMade, forgotten: str, beside: tuple[str, ...]
) -> None:
    """The extremes of the order are what a manifest keeps."""
    _written(made, forgotten, *beside)
    assert len(told_by(made.folder, forgotten)) >= 2  # the data and its manifest
    LocalCatalog(made.folder).load(EVENTS).delete(EqualTo("event_key", forgotten))
    assert told_by(made.folder, forgotten)
    purge = LocalPurge(made.folder)
    gone = purge.expire([contract(EVENTS)])
    assert len(gone[EVENTS]) >= 2
    assert purge.sweep([contract(EVENTS)]) > 0
    assert told_by(made.folder, forgotten) == []
    left = LocalCatalog(made.folder).load(EVENTS)
    keys = left.scan(selected_fields=("event_key",)).to_arrow()["event_key"].to_pylist()
    assert sorted(keys) == sorted(["abcdef1234-1", "abcdef1234-2", *beside])
    assert len(left.snapshots()) == 1


def test_a_sweep_takes_what_is_named_besides_and_what_writers_left_unfinished(made: HandMade) -> None:
    also = made.folder / "report.html"
    unfinished = made.folder / "bronze" / ".unfinished" / "page"
    for path in (also, unfinished):
        path.parent.mkdir(exist_ok=True)
        path.write_text("of somebody")
    assert LocalPurge(made.folder, also=[also, made.folder / "never-there"]).sweep([]) == 2
    assert not also.exists()
    assert not unfinished.exists()
    assert LocalPurge(made.folder, also=[also]).sweep([]) == 0


def test_a_table_without_rows_has_nothing_to_expire(made: HandMade) -> None:
    empty = contract("silver.dim_media")
    before = LocalPurge(made.folder).refs([empty])
    assert LocalPurge(made.folder).expire([empty]) == {"silver.dim_media": []}
    assert LocalPurge(made.folder).refs([empty]) == before
