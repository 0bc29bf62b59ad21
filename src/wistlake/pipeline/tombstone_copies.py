"""Copies of tombstones: an object each, beside the raw pages, on the laptop and on AWS alike.

The ledger's document is the one that ingestion reads. The copies outlive it: a ledger that was lost, replaced or
restored from a backup learns from them who was forgotten, before anything of those people can land again.

Whoever restores a lake calls, under the lake's lease and in this order:

1. `bring(source, target)` for every other lake of the same key that may have later tombstones (the lake
   that the restored one replaces, for example);
2. `reload(objects, ledger)`, which every run does as well before it asks for anything;
3. `wistlake.pipeline.jobs.forget.reapply(...)` if old raw pages or tables came back: it erases everybody whom a
   tombstone names, and needs the engine.

Objects are named by the marks they hold, and written once: doing any of this again changes nothing.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from wistlake.errors import StoreDamaged
from wistlake.ports import Ledger, ObjectStore
from wistlake.privacy import tombstones

HOME = "tombstones"


def home_key(entry: Mapping[str, Any]) -> str:
    """The object's key: it follows from the tombstone's marks."""
    marks = json.dumps([sorted(entry["visitors"]), sorted(entry["addresses"])])
    return f"{HOME}/{hashlib.sha256(marks.encode()).hexdigest()[:32]}.json"


def put(objects: ObjectStore, entry: Mapping[str, Any]) -> bool:
    """Write one tombstone, unless it is there; whether it was new."""
    if objects.exists(key := home_key(entry)):
        return False
    objects.put(key, json.dumps(dict(entry), indent=1, sort_keys=True).encode())
    return True


def mirror(objects: ObjectStore, ledger: Ledger) -> int:
    """Copy what only the ledger has, then `reload`; how many tombstones either side gained.

    For lakes whose tombstones are older than these copies."""
    written = sum(put(objects, e) for e in tombstones.entries(ledger.facts(tombstones.FACTS)))
    return written + reload(objects, ledger)


def reload(objects: ObjectStore, ledger: Ledger) -> int:
    """Add to the ledger every tombstone that only the copies have; how many.

    The caller holds the lake's lease. StoreDamaged names a copy that can't be read: nobody who was forgotten may
    come back because of it."""
    facts = ledger.facts(tombstones.FACTS)
    in_ledger = {home_key(e) for e in tombstones.entries(facts)}
    lost = [_decoded(key, objects.get(key)) for key in objects.list(f"{HOME}/") if key not in in_ledger]
    for entry in lost:
        facts = tombstones.added(facts, entry)
    if lost:
        ledger.put_facts(tombstones.FACTS, facts)
    return len(lost)


def unknown(objects: ObjectStore, ledger: Ledger) -> int:
    """How many tombstones only the copies have: the ledger, and the tables with it, are older than those."""
    in_ledger = {home_key(e) for e in tombstones.entries(ledger.facts(tombstones.FACTS))}
    return sum(key not in in_ledger for key in objects.list(f"{HOME}/"))


def bring(source: ObjectStore, target: ObjectStore) -> int:
    """Copy the tombstones of another lake that `target` lacks; how many. Both lakes must have the same first
    pseudonym key: under another one, marks recognise nobody (and harm nobody)."""
    missing = [key for key in source.list(f"{HOME}/") if not target.exists(key)]
    for key in missing:
        data = source.get(key)
        _decoded(key, data)
        target.put(key, data)
    return len(missing)


def _decoded(key: str, data: bytes) -> Mapping[str, Any]:
    try:
        entry = json.loads(data)
        plain = all(isinstance(mark, str) for mark in (*entry["visitors"], *entry["addresses"]))
    except (ValueError, KeyError, TypeError):
        plain = False
    if not plain or home_key(entry) != key:
        raise StoreDamaged(f"{key} is damaged: restore it from a backup; nobody is let back in until then")
    return dict(entry)
