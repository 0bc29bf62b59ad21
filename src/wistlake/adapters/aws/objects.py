"""Objects in an S3 bucket."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from wistlake.adapters.aws.client import client, code_of, explained
from wistlake.errors import StoreBusy, StoreDamaged, StoreError
from wistlake.object_keys import check_key, check_prefix
from wistlake.pool import in_order
from wistlake.ports import ObjectStore

PART_BYTES = 16 << 20
_T = TypeVar("_T")
_ABSENT = ("404", "NoSuchKey", "NoSuchVersion", "NotFound")
_TAKEN = ("412", "PreconditionFailed")
_RACING = ("409", "ConditionalRequestConflict")  # another write of the same key is under way: try again
_ATTEMPTS = 20
_DELETE_LIMIT = 1000  # objects in one request


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one object. `data` is False for a delete marker; `written` is when S3 stored it."""

    key: str
    version_id: str
    is_latest: bool
    data: bool
    written: datetime

    @property
    def is_seen(self) -> bool:
        """Whether readers see this version."""
        return self.is_latest and self.data


class S3Objects(ObjectStore):
    """ObjectStore in `bucket`. Objects larger than `part_bytes` are uploaded in parts."""

    def __init__(self, bucket: str, s3: Any = None, part_bytes: int = PART_BYTES) -> None:
        self._bucket = bucket
        self._s3 = s3 or client("s3")
        self._part_bytes = part_bytes

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        at = {"Bucket": self._bucket, "Key": check_key(key)}
        condition = {"IfNoneMatch": "*"} if if_absent else {}
        with explained(self.uri(key)):
            for _ in range(_ATTEMPTS):
                try:
                    if len(data) > self._part_bytes:
                        self._put_in_parts(at, data, condition)
                    else:
                        self._s3.put_object(**at, Body=data, **condition)
                except ClientError as e:
                    if code_of(e) in _TAKEN:
                        raise StoreBusy(f"{key} is already there, and is written only once") from e
                    if code_of(e) not in _RACING:
                        raise
                else:
                    return
        raise StoreBusy(f"{self.uri(key)}: other writers keep writing the same key: run again")

    def get(self, key: str) -> bytes:
        data = self._bytes(key)
        if data is None:
            raise StoreDamaged(f"there is no object {key} in {self._bucket}")
        return data

    def exists(self, key: str) -> bool:
        return self.size(key) is not None

    def size(self, key: str) -> int | None:
        """How many bytes the object has; None if there is none."""
        with explained(self.uri(key)):
            try:
                return int(self._s3.head_object(Bucket=self._bucket, Key=key)["ContentLength"])
            except ClientError as e:
                if code_of(e) in _ABSENT:
                    return None
                raise

    def list(self, prefix: str) -> Iterator[str]:
        pages = self._s3.get_paginator("list_objects_v2")
        with explained(f"s3://{self._bucket}/{check_prefix(prefix)}"):
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                yield from (entry["Key"] for entry in page.get("Contents", ()))

    def delete(self, keys: Iterable[str]) -> int:
        distinct = dict.fromkeys(map(check_key, keys))
        return self.remove(version for of_key in in_order(self._of_key, distinct) for version in of_key)

    def _of_key(self, key: str) -> tuple[Version, ...]:
        return tuple(version for version in self.versions(key) if version.key == key)

    def remove(self, versions: Iterable[Version]) -> int:
        """Remove these versions permanently; how many of them readers saw."""
        visible = 0
        for batch in _batches(versions):
            self._delete([{"Key": v.key, "VersionId": v.version_id} for v in batch])
            visible += sum(v.is_seen for v in batch)
        return visible

    def versions(self, prefix: str) -> Iterator[Version]:
        """Every version of every object whose key begins with `prefix`, delete markers included."""
        pages = self._s3.get_paginator("list_object_versions")
        with explained(f"s3://{self._bucket}/{check_prefix(prefix)}"):
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                for kind in ("Versions", "DeleteMarkers"):
                    for entry in page.get(kind, ()):
                        yield Version(
                            entry["Key"],
                            entry["VersionId"],
                            bool(entry["IsLatest"]),
                            kind == "Versions",
                            entry["LastModified"],
                        )

    def read(self, version: Version) -> bytes:
        """The bytes of one version; none if the bucket's lifecycle rules have removed it meanwhile."""
        return self._bytes(version.key, VersionId=version.version_id) or b""

    def contents(self) -> Iterator[tuple[str, Callable[[], bytes]]]:
        """Every version of every object: its key, and a function that reads it."""
        for version in self.versions(""):
            if version.data:
                yield version.key, partial(self.read, version)

    def hide(self, keys: Iterable[str]) -> None:
        """Hide the objects by delete markers; the bucket's lifecycle rules remove their versions."""
        for batch in _batches(keys):
            self._delete([{"Key": key} for key in batch])

    def uri(self, key: str) -> str:
        return f"s3://{self._bucket}/{check_key(key)}"

    def _bytes(self, key: str, **options: str) -> bytes | None:
        """The object's bytes; None if there is none."""
        with explained(self.uri(key)):
            try:
                body: bytes = self._s3.get_object(Bucket=self._bucket, Key=key, **options)["Body"].read()
            except ClientError as e:
                if code_of(e) in _ABSENT:
                    return None
                raise
            return body

    def _delete(self, objects: Sequence[Mapping[str, str]]) -> None:
        with explained(f"s3://{self._bucket}"):
            response = self._s3.delete_objects(
                Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True}
            )
        for failed in response.get("Errors", ()):
            raise StoreError(f"{self.uri(failed['Key'])} was not removed: {failed.get('Code')}")

    def _put_in_parts(self, at: dict[str, str], data: bytes, condition: dict[str, str]) -> None:
        """Nobody sees the object before it is complete; a failed upload leaves no parts behind."""
        upload = self._s3.create_multipart_upload(**at)["UploadId"]
        try:
            parts = [
                {
                    "PartNumber": number,
                    "ETag": self._s3.upload_part(
                        **at, UploadId=upload, PartNumber=number, Body=data[first : first + self._part_bytes]
                    )["ETag"],
                }
                for number, first in enumerate(range(0, len(data), self._part_bytes), 1)
            ]
            self._s3.complete_multipart_upload(
                **at, UploadId=upload, MultipartUpload={"Parts": parts}, **condition
            )
        except BaseException:
            self._s3.abort_multipart_upload(**at, UploadId=upload)
            raise


def _batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    rest = iter(items)
    while batch := list(islice(rest, _DELETE_LIMIT)):
        yield batch
