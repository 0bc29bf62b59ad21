"""Objects in an S3 bucket."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from wistlake.adapters.aws.client import client, code_of, explained
from wistlake.adapters.local.objects import check_key, check_prefix
from wistlake.errors import StoreBusy, StoreDamaged, StoreError

PART_BYTES = 16 << 20
_ABSENT = ("404", "NoSuchKey", "NotFound")
_TAKEN = ("412", "PreconditionFailed")
_RACING = ("409", "ConditionalRequestConflict")  # another writer of the same key is under way: ask again
_ATTEMPTS = 20
_MOST_DELETED = 1000  # objects that one request can remove


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one object. `data` is False for a mark that the key was deleted; `written` is when S3
    got it."""

    key: str
    version_id: str
    is_latest: bool
    data: bool
    written: datetime

    @property
    def is_seen(self) -> bool:
        """Whether readers see it."""
        return self.is_latest and self.data


class S3Objects:
    """ObjectStore in `bucket`. Objects above `part_bytes` travel in parts."""

    def __init__(self, bucket: str, s3: Any = None, part_bytes: int = PART_BYTES) -> None:
        self._bucket = bucket
        self._s3 = s3 or client("s3")
        self._part_bytes = part_bytes

    def put(self, key: str, data: bytes, *, if_absent: bool = False) -> None:
        """Store `data`; with `if_absent`, StoreError if the key is taken."""
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
        raise StoreBusy(f"{self.uri(key)}: other writers of the key did not let go: run again")

    def get(self, key: str) -> bytes:
        """The object's bytes; StoreError naming the key if there is none."""
        with explained(self.uri(key)):
            try:
                body: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except ClientError as e:
                if code_of(e) in _ABSENT:
                    raise StoreDamaged(f"there is no object {key} in {self._bucket}") from e
                raise
            return body

    def exists(self, key: str) -> bool:
        """Whether the key is taken."""
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
        """All keys that begin with `prefix`, ascending."""
        pages = self._s3.get_paginator("list_objects_v2")
        with explained(f"s3://{self._bucket}/{check_prefix(prefix)}"):
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                yield from (found["Key"] for found in page.get("Contents", ()))

    def delete(self, keys: Iterable[str]) -> int:
        """Remove the objects, with every older version; absent ones are no error. How many were there."""
        return self.remove(
            found
            for key in dict.fromkeys(map(check_key, keys))
            for found in self.versions(key)
            if found.key == key
        )

    def remove(self, versions: Iterable[Version]) -> int:
        """Remove these versions for good; how many of them readers saw."""
        seen = 0
        chosen = iter(versions)
        while some := list(islice(chosen, _MOST_DELETED)):
            self._delete([{"Key": v.key, "VersionId": v.version_id} for v in some])
            seen += sum(v.is_seen for v in some)
        return seen

    def versions(self, prefix: str) -> Iterator[Version]:
        """Every version of what begins with `prefix`, marks of deletion included."""
        pages = self._s3.get_paginator("list_object_versions")
        with explained(f"s3://{self._bucket}/{check_prefix(prefix)}"):
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                for kind in ("Versions", "DeleteMarkers"):
                    for found in page.get(kind, ()):
                        yield Version(
                            found["Key"],
                            found["VersionId"],
                            bool(found["IsLatest"]),
                            kind == "Versions",
                            found["LastModified"],
                        )

    def read(self, version: Version) -> bytes:
        """The bytes of one version; none if it went meanwhile, as the bucket's own rules let versions go."""
        which = {"Bucket": self._bucket, "Key": version.key, "VersionId": version.version_id}
        with explained(self.uri(version.key)):
            try:
                body: bytes = self._s3.get_object(**which)["Body"].read()
            except ClientError as e:
                if code_of(e) in (*_ABSENT, "NoSuchVersion"):
                    return b""
                raise
            return body

    def contents(self) -> Iterator[tuple[str, Callable[[], bytes]]]:
        """Every version of every object: its key, and what reads it."""
        for version in self.versions(""):
            if version.data:
                yield version.key, partial(self.read, version)

    def clear(self, prefix: str) -> None:
        """Remove what begins with `prefix` from view; older versions go by the bucket's own rules."""
        self.hide(self.list(prefix))

    def hide(self, keys: Iterable[str]) -> None:
        """Remove the objects from view; their versions go by the bucket's own rules."""
        chosen = iter(keys)
        while some := list(islice(chosen, _MOST_DELETED)):
            self._delete([{"Key": key} for key in some])

    def uri(self, key: str) -> str:
        """s3://bucket/key."""
        return f"s3://{self._bucket}/{check_key(key)}"

    def _delete(self, wanted: Sequence[Mapping[str, str]]) -> None:
        with explained(f"s3://{self._bucket}"):
            said = self._s3.delete_objects(Bucket=self._bucket, Delete={"Objects": wanted, "Quiet": True})
        for failed in said.get("Errors", ()):
            raise StoreError(f"{self.uri(failed['Key'])} was not removed: {failed.get('Code')}")

    def _put_in_parts(self, at: dict[str, str], data: bytes, condition: dict[str, str]) -> None:
        """Nobody sees the object before it is complete; what was sent in vain is given up."""
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
