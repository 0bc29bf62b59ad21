"""Whether the raw pages are what their manifests promise."""

from collections.abc import Iterator

from wistlake import bronze
from wistlake.errors import StoreError
from wistlake.ports import ObjectStore


def damaged(objects: ObjectStore) -> Iterator[StoreError]:
    """What is wrong with a landing's manifest or parts, the first of each landing."""
    for key in objects.list(f"{bronze.ROOT}/"):
        if key.endswith(f"/{bronze.MANIFEST}"):
            try:
                for part in bronze.decode_manifest(objects.get(key)).parts:
                    bronze.check_part(part, objects.get(part.key))
            except StoreError as e:
                yield e
