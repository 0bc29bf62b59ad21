"""Upkeep where there is much to keep: it lists what lies in the buckets, and does not read it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from support.memory import MemoryObjects
from support.small import land
from wistlake import bronze
from wistlake.pipeline.jobs.maintain import drop_raw_pages, expired

pytestmark = pytest.mark.aws
MEDIA, RETENTION, LOOKBACK = 200, 30, 7
NOW = datetime(2026, 3, 20, 2, 15, tzinfo=UTC)
LIMIT = NOW - timedelta(days=RETENTION)


class Counted(MemoryObjects):
    """Objects that count what is asked of them."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def get(self, key: str) -> bytes:
        self.calls["get"] += 1
        return super().get(key)

    def exists(self, key: str) -> bool:
        self.calls["exists"] += 1
        return super().exists(key)

    def list(self, prefix: str) -> Iterator[str]:
        self.calls["list"] += 1
        return super().list(prefix)

    def delete(self, keys: Iterable[str]) -> int:
        self.calls["delete"] += 1
        return super().delete(keys)


@pytest.fixture(scope="module")
def weeks() -> dict[str, bytes]:
    """Raw pages of 37 daily runs, each of the day before; every media's older days are read again now and then."""
    objects = MemoryObjects()
    for n in range(RETENTION + LOOKBACK):
        at = NOW - timedelta(days=n)
        again = [at.date() - timedelta(days=1 + LOOKBACK * of) for of in range(1 if n % 5 else 3)]
        for media in range(MEDIA):
            for day in again:
                land(objects, "events", day, [], media_id=f"m{media:04}", run_id=f"run-{n}", at=at)
    return objects._objects


def counted(weeks: dict[str, bytes]) -> Counted:
    objects = Counted()
    objects._objects = dict(weeks)
    return objects


def test_what_has_expired_is_known_from_the_list_and_one_manifest_a_run(weeks: dict[str, bytes]) -> None:
    objects = counted(weeks)
    going = dict(expired(objects, LIMIT))
    manifests = [key for key in weeks if key.endswith(bronze.MANIFEST)]
    runs = {key.split("run_id=")[1].split("/")[0] for key in manifests}
    assert (len(manifests), len(runs)) == (10_600, 37)
    assert objects.calls["list"] == 1
    assert objects.calls["exists"] == 0
    assert objects.calls["get"] <= len(runs)
    observed = {k.rpartition("/")[0]: bronze.decode_manifest(weeks[k]).observed_at for k in manifests}
    assert set(going) == {folder for folder, at in observed.items() if at < LIMIT}


def test_what_has_expired_goes_in_three_requests_to_the_store(weeks: dict[str, bytes]) -> None:
    objects = counted(weeks)
    assert drop_raw_pages(objects, LIMIT) == 1_600
    assert objects.calls["delete"] == 3  # manifests, parts, readings that only confirmed
    assert objects.calls["list"] == 2
    assert drop_raw_pages(objects, LIMIT) == 0


def test_pages_about_days_after_the_limit_are_not_even_asked_for() -> None:
    objects = Counted()
    for n in range(9):
        day = date(2026, 3, 1) + timedelta(days=n)
        land(objects, "events", day, [], run_id=f"run-{n}", at=NOW)
    assert list(expired(objects, LIMIT)) == []
    assert objects.calls["get"] == 0
