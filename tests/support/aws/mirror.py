"""Buckets as folders, and PyIceberg's way to them. A module of its own: `MirrorIO` is named by its path, and a
job's script is `__main__` while it runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pyiceberg.io import InputFile, OutputFile
from pyiceberg.io.pyarrow import PyArrowFileIO

ROOT = "mirror.root"


class MirrorIO(PyArrowFileIO):
    """`s3://bucket/key` as a file below the mirror."""

    def new_input(self, location: str) -> InputFile:
        """The file of `location`."""
        return super().new_input(self._path(location))

    def new_output(self, location: str) -> OutputFile:
        """The file to be of `location`."""
        path = self._path(location)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return super().new_output(path)

    def delete(self, location: "str | InputFile | OutputFile") -> None:
        """Remove the file of `location`."""
        super().delete(self._path(location if isinstance(location, str) else location.location))

    def _path(self, location: str) -> str:
        address = urlsplit(location)
        return f"{self.properties[ROOT]}/{address.netloc}{address.path}" if address.netloc else location


@dataclass(frozen=True)
class _Same:
    """What a bucket and its folder agreed on: the object's ETag, and when the file was written."""

    etag: str
    written: int


class Mirror:
    """Folders below `root` that are kept equal to buckets: Spark writes to the ones, boto3 to the others."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._same: dict[tuple[str, str], _Same] = {}

    def begin(self, client: Any, buckets: Iterable[str]) -> None:
        """Make the folders equal to the buckets, whatever a job before has left."""
        for bucket in buckets:
            there = dict(_objects(client, bucket))
            for key in _files(self.root / bucket).keys() - there.keys():
                (self.root / bucket / key).unlink()
                self._same.pop((bucket, key), None)
            self.sync(client, [bucket])

    def sync(self, client: Any, buckets: Iterable[str]) -> None:
        """Bring to each side what has changed on the other since."""
        for bucket in buckets:
            there, here = dict(_objects(client, bucket)), _files(self.root / bucket)
            for key in there.keys() | here.keys():
                self._one(client, bucket, key, there.get(key), here.get(key))

    def _one(self, client: Any, bucket: str, key: str, etag: str | None, written: int | None) -> None:
        at, path = (bucket, key), self.root / bucket / key
        same = self._same.get(at)
        if etag is not None and (same is None or same.etag != etag):  # written by boto3
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
            self._same[at] = _Same(etag, path.stat().st_mtime_ns)
        elif written is not None and (same is None or same.written != written):  # by Spark
            etag = client.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())["ETag"]
            self._same[at] = _Same(str(etag), written)
        elif written is None:  # removed by Spark
            client.delete_object(Bucket=bucket, Key=key)
            self._same.pop(at, None)
        elif etag is None:  # by boto3
            path.unlink()
            self._same.pop(at, None)


def _objects(client: Any, bucket: str) -> Iterator[tuple[str, str]]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from ((o["Key"], o["ETag"]) for o in page.get("Contents", []) if not o["Key"].endswith("/"))


def _files(folder: Path) -> dict[str, int]:
    folder.mkdir(parents=True, exist_ok=True)
    return {
        path.relative_to(folder).as_posix(): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".crc")
    }
