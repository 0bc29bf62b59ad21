"""Plain landings, read with the contract's types, give the rows that they give as text."""

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame

from support.odd import DERIVED, GOOD, RULES
from support.plain import DAY, SEEN, plain_records, read_both_ways
from wistlake import bronze
from wistlake.adapters.engine.tables import EngineTables
from wistlake.adapters.local.objects import LocalObjects
from wistlake.bronze import Manifest, Part
from wistlake.contracts import SOURCES, source
from wistlake.contracts.form import Source
from wistlake.derive import plain
from wistlake.pipeline.tables.context import BuildContext
from wistlake.pipeline.tables.plan import BuildPlan
from wistlake.ports import TableStore

EVENT = {**GOOD["events"], "event_key": "e", "media_id": "m1", "visitor_key": "v"}


@pytest.mark.parametrize("contract", SOURCES, ids=lambda s: s.name)
def test_rows_are_the_same_as_from_text(store: TableStore, tmp_path: Path, contract: Source) -> None:
    records = plain_records(contract, 400)
    text, typed = read_both_ways(store, tmp_path, contract, records)
    assert len(text) == len(records) >= 400
    assert [(t, r) for t, r in zip(text, typed, strict=True) if t != r] == []


@pytest.mark.parametrize("contract", SOURCES, ids=lambda s: s.name)
def test_numbers_have_the_digits_of_the_source(store: TableStore, tmp_path: Path, contract: Source) -> None:
    names = [f.column for f in contract.fields if f.type == "double" and f.privacy != "personal"]
    if not names:
        assert contract.name in ("visitors", "languages_daily", "conversions")
        return
    records = [dict.fromkeys(names, n / 977) for n in range(977)]
    text, _ = read_both_ways(store, tmp_path, contract, records)
    for n, row in enumerate(text):
        assert [json.loads(row)[name] for name in names] == [n / 977] * len(names)


class Noting(EngineTables):
    """Notes which objects are read as text, and which as typed."""

    as_text: list[str]
    as_typed: list[str]

    def lines(self, uris: Any) -> DataFrame:
        self.as_text = [Path(u).parent.name for u in uris]
        return super().lines(uris)

    def records(self, uris: Any, schema: str) -> DataFrame:
        self.as_typed = [Path(u).parent.name for u in uris]
        return super().records(uris, schema)


def landed(objects: LocalObjects, run_id: str, records: list[dict[str, Any]]) -> Manifest:
    """A landing of events, marked as ingest marks it."""
    landing = bronze.landing_id("events", "m1", DAY, run_id)
    data, key = bronze.encode_lines(landing, records), bronze.part_key(landing, 1)
    objects.put(key, data)
    parts = (Part(key, len(records), len(data), bronze.sha256(data)),)
    return Manifest(
        landing, "events", "m1", DAY, run_id, SEEN, True, len(records), 1, "hash", bronze.payload_hash(parts), parts,
        plain=plain.mark(source("events"), records),
    )  # fmt: skip


def built(store: EngineTables, objects: LocalObjects, *landings: Manifest) -> tuple[list[str], list[str]]:
    """Rows of a build's landings, and rows for quarantine."""
    plan = BuildPlan("run", SEEN, "UTC", (b"key",), landings, frozenset(), frozenset())
    context = BuildContext(plan, objects, store, lambda pairs, shared=(): None)
    context.typed({"events": (DERIVED["events"], RULES["events"])})
    frames = (context.parsed["events"], *context.rejected)
    rows, rejected = (sorted(json.dumps(r.asDict(), default=str) for r in f.collect()) for f in frames)
    return rows, rejected


def test_the_manifest_decides_how_a_landing_is_read(store: EngineTables, tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path / "lake")
    noting = Noting(store.spark, None, tmp_path / "staging")  # type: ignore[arg-type]  # no table is read
    no_key = EVENT | {"event_key": None}
    others = [EVENT | {"event_key": f"o{n}"} for n in range(40)]
    all_plain = landed(objects, "plain", [*others, no_key, EVENT | {"percent_viewed": 2}])
    odd = landed(
        objects, "odd", [*others, EVENT | {"percent_viewed": "0.5"}, EVENT | {"percent_viewed": [1]}]
    )
    assert (all_plain.plain != "", odd.plain) == (True, "")
    rows, rejected = built(noting, objects, all_plain, odd)
    assert (noting.as_typed, len(rows), len(rejected)) == (["run_id=plain"], 84, 3)
    lines = sorted((json.loads(r)["line"], json.loads(r)["reason"]) for r in rejected)
    assert lines == [(41, "missing_event_key"), (42, "bad_percent_viewed"), (42, "bad_percent_viewed")]
    assert all(json.loads(r)["record_hash"] for r in rejected)


@pytest.mark.parametrize("mark", ["", "of a contract before this one"])
def test_landings_without_the_mark_of_this_contract_are_read_as_text(
    store: EngineTables, tmp_path: Path, mark: str
) -> None:
    objects = LocalObjects(tmp_path / "lake")
    noting = Noting(store.spark, None, tmp_path / "staging")  # type: ignore[arg-type]  # no table is read
    records = [*(EVENT | {"event_key": f"e{n}"} for n in range(40)), EVENT | {"visitor_key": None}]
    manifest = landed(objects, "plain", records)
    typed = built(noting, objects, manifest)
    noting.as_typed = []
    marked = bronze.decode_manifest(
        bronze.encode_manifest(manifest).replace(manifest.plain.encode(), mark.encode())
    )
    assert built(noting, objects, marked) == typed
    assert noting.as_typed == []
