"""Paths in Iceberg's metadata on this machine: how they are spelled, where they may lead, and moving them.

Iceberg keeps absolute paths in table metadata, manifest lists and manifests. Everybody who reads them here
(PyIceberg, DuckDB, Spark) takes them letter by letter: a percent sign is a percent sign.
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyiceberg.avro.file import AvroFile, AvroFileHeader, AvroOutputFile
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.typedef import Record

from wistlake.errors import StoreError

# Characters that mean themselves in a URL's path, whoever parses it.
_PLAIN = re.compile(r"[A-Za-z0-9/._+,;=@:~-]+")
Rename = Callable[[str], str]


def is_plain(path: Path) -> bool:
    """Whether the path looks the same as a URL."""
    return _PLAIN.fullmatch(path.as_posix()) is not None


def spelled(path: Path) -> str:
    """How metadata names an absolute path: as a URL only where nobody can read it in two ways."""
    return path.as_uri() if is_plain(path) or os.name != "posix" else str(path)


def path(location: str) -> Path:
    """The file or folder that a location names."""
    return Path(re.sub(r"^file:(//)?(?=/)", "", location))


def inside(location: str, folder: Path, what: str) -> Path:
    """The path that `location` names. StoreError, naming `what`, unless it lies below `folder`."""
    there = path(location)
    if ".." not in there.parts and there.is_relative_to(folder) and there != folder:
        return there
    raise StoreError(
        f"{what} lies at {str(there)[:200]!r}, outside of {folder}: wistlake neither reads nor changes it there; "
        "restore the lake from a backup, or `wistlake repair --catalog`"
    )


def moved(old: str, new: str) -> Rename:
    """Changes the beginning of paths from `old` to `new`, with or without a scheme."""
    to = spelled(Path(new))

    def rename(value: str) -> str:
        for scheme in ("file://", "file:", ""):
            if value == scheme + old or value.startswith(f"{scheme}{old}/"):
                return to + value[len(scheme) + len(old) :]
        return value

    return rename


def renamed(value: Any, rename: Rename) -> Any:
    """A JSON value, or an Avro record, with every text in it renamed."""
    if isinstance(value, Record):
        for place in range(len(value)):
            value[place] = renamed(value[place], rename)
        return value
    if isinstance(value, dict):
        return {k: renamed(v, rename) for k, v in value.items()}
    if isinstance(value, list):
        return [renamed(v, rename) for v in value]
    return rename(value) if isinstance(value, str) else value


def rewrite_json(file: Path, rename: Rename) -> None:
    """Rename the paths in a metadata file."""
    file.write_text(json.dumps(renamed(json.loads(file.read_text()), rename)))


def records(file: Path) -> list[Record]:
    """The records of a manifest or a manifest list."""
    with AvroFile[Record](PyArrowFileIO().new_input(str(file))) as source:
        return list(source)


def rewrite_avro(source: Path, target: Path, rename: Rename, here: Rename | None = None) -> None:
    """Write a manifest or a manifest list to `target` with its paths renamed. A list also holds its
    manifests' lengths: they are those of the files where they lie now, `here` says where that is."""
    io = PyArrowFileIO()
    with AvroFile[Record](io.new_input(str(source))) as file:
        header: AvroFileHeader = file.header
        schema = file.schema
        found = [renamed(record, rename) for record in file]
    names = [f.name for f in schema.fields]
    if "manifest_length" in names:
        place, length = names.index("manifest_path"), names.index("manifest_length")
        for record in found:
            manifest = path(here(record[place]) if here else record[place])
            if manifest.exists():
                record[length] = manifest.stat().st_size
    meta = {k: v for k, v in header.meta.items() if k not in ("avro.schema", "avro.codec")}
    name = str(json.loads(header.meta["avro.schema"]).get("name", "record"))
    with AvroOutputFile[Record](io.new_output(str(target)), schema, name, metadata=meta) as written:
        written.write_block(found)
