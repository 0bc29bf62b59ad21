"""Rewrites the paths in metadata and manifests: for a lake that moves, and for engines that see it elsewhere."""

import json
from pathlib import Path
from typing import Any

from pyiceberg.avro.file import AvroFile, AvroFileHeader, AvroOutputFile
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.typedef import Record

from wistlake.adapters.iceberg_paths import Rename, renamed, to_path


def rewrite_json(file: Path, rename: Rename) -> None:
    """Rename the paths in a metadata file."""
    file.write_text(json.dumps(renamed(json.loads(file.read_text()), rename)))


def rewrite_avro(source: Path, target: Path, rename: Rename, here: Rename = lambda value: value) -> None:
    """Write a manifest or a manifest list to `target` with its paths renamed.

    A list also stores its manifests' lengths, which are measured again; `here` maps a renamed path to the place
    where the file lies now."""
    io = PyArrowFileIO()
    with AvroFile[Record](io.new_input(str(source))) as file:
        header: AvroFileHeader = file.header
        schema = file.schema
        records = [_renamed(record, rename) for record in file]
    names = [f.name for f in schema.fields]
    if "manifest_length" in names:
        place, length = names.index("manifest_path"), names.index("manifest_length")
        for record in records:
            manifest = to_path(here(record[place]))
            if manifest.exists():
                record[length] = manifest.stat().st_size
    meta = {k: v for k, v in header.meta.items() if k not in ("avro.schema", "avro.codec")}
    name = str(json.loads(header.meta["avro.schema"]).get("name", "record"))
    with AvroOutputFile[Record](io.new_output(str(target)), schema, name, metadata=meta) as written:
        written.write_block(records)


def _renamed(value: Any, rename: Rename) -> Any:
    if isinstance(value, Record):
        for place in range(len(value)):
            value[place] = _renamed(value[place], rename)
        return value
    if isinstance(value, dict):
        return {k: _renamed(v, rename) for k, v in value.items()}
    if isinstance(value, list):
        return [_renamed(v, rename) for v in value]
    return rename(value) if isinstance(value, str) else value
