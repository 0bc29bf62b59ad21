"""The files of a lake's tables in S3. Imports boto3 alone: it runs inside Glue too."""

from dataclasses import dataclass

from wistlake.adapters.aws.objects import S3Objects
from wistlake.adapters.table_files import TableFiles
from wistlake.errors import StoreDamaged

WAREHOUSE = "warehouse"


@dataclass(frozen=True, slots=True)
class S3TableFiles(TableFiles):
    """Files below `warehouse/` of one bucket."""

    bucket: str
    objects: S3Objects

    def read(self, location: str) -> bytes:
        key = self._key(location)
        try:
            return self.objects.get(key)
        except StoreDamaged as e:
            raise FileNotFoundError(location) from e

    def size(self, location: str) -> int | None:
        return self.objects.size(self._key(location))

    def require_inside(self, location: str) -> None:
        self._key(location)

    def cure(self, name: str) -> str:
        return "the bucket keeps older versions, bring the file's last one back: *A damaged table* in the runbook"

    def _key(self, location: str) -> str:
        return below(location, f"s3://{self.bucket}/{WAREHOUSE}/", "a file of a table").partition("/")[2]


def below(location: str, prefix: str, what: str) -> str:
    """`bucket/key` of a location. StoreDamaged, naming `what`, unless it begins with `prefix`."""
    plain = location.replace("s3a://", "s3://", 1)
    if plain.startswith(prefix) and ".." not in plain.split("/"):
        return plain.removeprefix("s3://")
    raise StoreDamaged(
        f"{what} lies at {location[:200]!r}, outside of {prefix}: wistlake neither reads nor changes it there"
    )
