"""Forgetting somebody in a lake of three landings: what goes, what is masked, what stays built, and the receipt."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from support.small import KEY, NOW, SmallLake, session, small_lake
from wistlake import bronze
from wistlake.adapters import lake_bytes
from wistlake.adapters.local.history import LocalPurge
from wistlake.contracts import source
from wistlake.contracts.form import Table
from wistlake.derive.pseudonym import pseudonym
from wistlake.errors import ErasureIncomplete
from wistlake.pipeline.jobs.forget import Search, Who, forget, reapply
from wistlake.pipeline.jobs.forget.tables import UNFINISHED
from wistlake.pipeline.run.pending import as_built, pending
from wistlake.pipeline.run.spec import LakeDependencies, MediaChoice, RunSpec
from wistlake.planning.intervals import Interval, MediaEntry, State
from wistlake.planning.plan import Window
from wistlake.ports import Publication
from wistlake.privacy import tombstones
from wistlake.privacy.tombstones import Person
from wistlake.wiring import aws_glue

pytestmark = pytest.mark.engine
JANE, DEVICES = "jane@x.example", ("jane-phone", "jane-laptop")
IDS = {pseudonym([KEY], device) for device in DEVICES}
FIRST, SECOND, THIRD = (date(2026, 3, n) for n in (1, 2, 3))
DAYS = (FIRST, SECOND, THIRD)
LATER = datetime(2026, 3, 6, 2, 15, tzinfo=UTC)


def order(run_id: str) -> RunSpec:
    window = Window(LATER, UTC, 7)
    return RunSpec(run_id, "forget", "simulated", "UTC", window, (source("events"),), MediaChoice(("m1",)))


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[SmallLake]:
    """Jane watches on the first day by phone and on the second by laptop; others on all days. One of her records
    was refused."""
    with small_lake(tmp_path / "lake") as made:
        landings = (
            made.land(
                "events",
                FIRST,
                [
                    session("session-a", "2026-03-01T10:00:00Z", visitor_key=DEVICES[0], email=JANE),
                    session("session-b", "2026-03-01T11:00:00Z"),
                    session(
                        "session-c", "2026-03-01T12:00:00Z", viewed=7, visitor_key=DEVICES[0], email=JANE
                    ),
                    session("session-d", "2026-03-01T13:00:00Z", viewed=7),
                ],
            ),
            made.land(
                "events",
                SECOND,
                [
                    session("session-e", "2026-03-02T10:00:00Z", media_name=f"Call with {JANE}"),
                    session("session-f", "2026-03-02T11:00:00Z", visitor_key=DEVICES[1], email=JANE.upper()),
                ],
            ),
            made.land("events", THIRD, [session("session-g", "2026-03-03T10:00:00Z")]),
        )
        built = made.build(*landings)
        spec = order("run-1")
        intervals = [
            Interval(
                "events", "m1", m.day, State.BUILT, "run-1", NOW, landing_id=m.landing_id, observed_at=NOW,
                content_hash=m.content_hash, steady_hash=m.steady_hash, rows=m.rows, finished=True,
            )
            for m in landings
        ]  # fmt: skip
        gold = [Interval("gold", "m1", d, State.PUBLISHED, "run-1", NOW, built_signature="UTC") for d in DAYS]
        made.ledger.put_media([MediaEntry("m1", FIRST, NOW)])
        made.ledger.record([*(as_built(i, spec, 1) for i in intervals), *gold])
        made.ledger.publish(Publication("run-1", NOW, dict(built.tables)))
        yield made


class Dying(LocalPurge):
    """Stops before the past of the tables is gone."""

    def expire(self, tables: Iterable[Table]) -> Mapping[str, list[int]]:
        raise KeyboardInterrupt


def outside(lake: SmallLake) -> tuple[LakeDependencies, Search]:
    """What the work needs: the lake itself, and a look at each of its bytes."""

    def search(texts: Iterable[str]) -> Mapping[str, int]:
        return lake_bytes.search(lake.folder, texts)

    return LakeDependencies(lake.objects, lake.ledger, lake.tables, lambda: (KEY,), lambda: LATER), search


def forgotten(
    lake: SmallLake, run_id: str, who: Who, purge: type[LocalPurge] = LocalPurge, **more: Any
) -> Any:
    parts, search = outside(lake)
    return forget(order(run_id), parts, who, purge(lake.folder), search, **more)


def landed(lake: SmallLake) -> dict[str, list[tuple[int, str]]]:
    """The (line, event_key) of every landing, by its day and run."""
    found = {}
    for key in lake.objects.list(f"{bronze.ROOT}/"):
        if key.endswith(bronze.MANIFEST):
            manifest = bronze.decode_manifest(lake.objects.get(key))
            assert [p.key for p in manifest.parts] == [bronze.part_key(manifest.landing_id, 1)]
            lines = [r for p in manifest.parts for r in bronze.decode_lines(lake.objects.get(p.key))]
            assert manifest.rows == len(lines)
            found[f"{manifest.day} {manifest.run_id}"] = [(n, r["event_key"]) for n, r in lines]
    return found


def check_everybody_else_is_there(lake: SmallLake) -> None:
    assert landed(lake) == {
        "2026-03-01 run-1-f1": [(2, "session-b"), (4, "session-d")],
        "2026-03-02 run-1-f1": [(1, "session-e")],
        "2026-03-03 run-1": [(1, "session-g")],
    }
    assert [k for k, _ in lake.rows("silver.fact_events", "event_key", "landing_id")] == [
        "session-b",
        "session-e",
        "session-g",
    ]
    places = {landing for _, landing in lake.rows("silver.fact_events", "event_key", "landing_id")}
    places |= {landing for landing, _ in lake.rows("silver.quarantine", "landing_id", "line")}
    assert places == {i.landing_id for i in lake.ledger.intervals("events")}
    assert lake.rows("silver.quarantine", "line") == [(4,)]
    assert lake.rows("gold.fact_media_daily", "date", "sessions") == [(d, 1) for d in DAYS]
    assert not IDS & {r[0] for r in lake.rows("gold.dim_visitor", "visitor_id")}
    assert not IDS & {r[0] for r in lake.rows("gold.fact_media_engagement", "visitor_id")}
    assert not lake_bytes.search(lake.folder, [JANE, *DEVICES, *IDS])
    assert pending(lake.ledger.intervals(), order("next"), 1) == ()  # nothing is built again for it
    assert lake.ledger.facts(UNFINISHED) == {}


def test_a_person_goes_from_raw_pages_tables_and_history(lake: SmallLake) -> None:
    before = lake.objects.get(bronze.manifest_key(lake.ledger.intervals("events")[2].landing_id))
    receipt = forgotten(lake, "forget-1", Who(JANE), visitors=[])
    check_everybody_else_is_there(lake)
    assert lake.objects.get(bronze.manifest_key(lake.ledger.intervals("events")[2].landing_id)) == before
    assert {k: receipt[k] for k in ("devices", "people", "asked_by", "dry_run", "source_asked")} == {
        "devices": 2, "people": 1, "asked_by": "email", "dry_run": False, "source_asked": True,
    }  # fmt: skip
    assert receipt["bronze"] == {"landings": 2, "records": 3, "mentions": 1, "objects_deleted": 4}
    assert receipt["tables"] == {
        "silver.fact_events": 2,
        "silver.visitors": 0,
        "silver.quarantine": 1,
        "gold.fact_media_engagement": 2,
        "gold.dim_visitor": 2,
    }
    assert (receipt["days_computed_anew"], receipt["days_left_as_they_were"]) == (2, 0)
    assert {"silver.fact_events", "gold.fact_media_daily"} <= receipt["expired_snapshots"].keys()
    assert receipt["files_removed"] > 0
    assert receipt["second_look"] == "nothing found"
    stored = json.loads(lake.objects.get("receipts/forget-1.json"))
    assert stored == receipt
    digest = stored.pop("sha256")
    assert hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest() == digest
    published = lake.ledger.publication()
    assert published is not None
    assert dict(published.tables) == dict(lake.store.refs())
    assert {i.state for i in lake.ledger.intervals("gold")} == {State.PUBLISHED}
    assert [(r.run_id, r.status) for r in lake.ledger.runs()] == [("forget-1", "succeeded")]


def test_counting_changes_nothing(lake: SmallLake) -> None:
    before, tables = landed(lake), lake.store.refs()
    receipt = forgotten(lake, "count", Who(visitor_key=DEVICES[0]), visitors=None, dry_run=True)
    assert (receipt["devices"], receipt["asked_by"], receipt["source_asked"]) == (1, "visitor key", False)
    assert receipt["bronze"] == {"landings": 1, "records": 2, "mentions": 0}
    assert (receipt["tables"]["silver.fact_events"], receipt["tables"]["gold.dim_visitor"]) == (1, 1)
    assert (landed(lake), lake.store.refs()) == (before, tables)
    assert list(lake.objects.list("receipts/")) == []


def test_an_order_that_died_half_way_is_ended_by_the_same_order(lake: SmallLake) -> None:
    """By then the tables name nobody any more: the days whose gold is owed are in the ledger."""
    with pytest.raises(KeyboardInterrupt):
        forgotten(lake, "forget-1", Who(JANE), Dying)
    assert lake.ledger.facts(UNFINISHED) == {"pairs": [["m1", "2026-03-01"], ["m1", "2026-03-02"]]}
    assert [(r.run_id, r.status) for r in lake.ledger.runs()] == [("forget-1", "failed")]
    stray = bronze.part_key(bronze.landing_id("events", "m1", THIRD, "run-9"), 1)
    lake.objects.put(stray, b"cut")
    receipt = forgotten(lake, "forget-2", Who(JANE))
    check_everybody_else_is_there(lake)
    assert (receipt["days_computed_anew"], receipt["bronze"]["objects_deleted"]) == (2, 5)


def test_somebody_who_is_still_there_is_an_error(lake: SmallLake) -> None:
    (lake.folder / "copy.txt").write_text(JANE)
    with pytest.raises(ErasureIncomplete, match=r"copy\.txt") as caught:
        forgotten(lake, "forget-1", Who(JANE))
    assert JANE not in str(caught.value)
    assert list(lake.objects.list("receipts/")) == []


def test_whom_a_tombstone_names_is_erased_from_a_lake_that_came_back(lake: SmallLake) -> None:
    parts, search = outside(lake)
    before = landed(lake)
    assert reapply(order("none"), parts, LocalPurge(lake.folder), search)["tombstones"] == 0
    assert landed(lake) == before
    marks = frozenset(tombstones.visitor_mark([KEY], device) for device in DEVICES)
    person = Person(marks, frozenset({tombstones.address_mark([KEY], JANE)}))
    entry = tombstones.entry(person, [KEY], "before", "then")
    lake.ledger.put_facts(tombstones.FACTS, tombstones.added({}, entry))
    receipt = reapply(order("again"), parts, LocalPurge(lake.folder), search)
    check_everybody_else_is_there(lake)
    assert (receipt["asked_by"], receipt["tombstones"], receipt["dry_run"]) == ("tombstones", 1, False)
    assert (receipt["tables"]["silver.fact_events"], receipt["days_computed_anew"]) == (2, 2)


class Bucket:
    """The lake's raw pages as a bucket has them."""

    def __init__(self, lake: SmallLake) -> None:
        self.lake = lake

    def contents(self) -> Iterator[tuple[str, Callable[[], bytes]]]:
        return ((key, partial(self.lake.objects.get, key)) for key in self.lake.objects.list("bronze/"))


def test_a_job_on_aws_looks_into_every_row_and_every_object(lake: SmallLake) -> None:
    look = partial(aws_glue.search, lake.store, {"raw": Bucket(lake)})  # type: ignore[dict-item]
    found = look([*IDS, JANE, ""])
    assert {place: n for place, n in found.items() if not place.startswith("raw/")} == {
        "silver.fact_events": 2,
        "gold.fact_media_engagement": 2,
        "gold.dim_visitor": 2,
    }
    objects = [place for place in found if place.startswith("raw/")]
    assert [
        place.count(f"dt={day}") for place, day in zip(sorted(objects), (FIRST, SECOND), strict=True)
    ] == [1, 1]
    assert look(["nobody"]) == {}
