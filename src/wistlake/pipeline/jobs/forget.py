"""Forgetting a person: a tombstone, then bronze, silver, gold and history, then a second look, a receipt.

Every step may be repeated: a crash anywhere is cured by giving the same order again. What has been read of
the person (address, visitor keys) stays in this process's memory; the receipt and the ledger hold counts
and keyed marks.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from wistlake import bronze
from wistlake.bronze import Manifest, Part
from wistlake.contracts import SOURCES, TABLES, source
from wistlake.contracts.form import Removal, Table
from wistlake.errors import ConfigError, ErasureIncomplete, SourceMissing, StoreError, WistlakeError
from wistlake.pipeline import tombstone_copies as tombstone_home
from wistlake.pipeline.run import record
from wistlake.pipeline.run.outcome import publish_build
from wistlake.pipeline.run.pending import signature
from wistlake.pipeline.run.spec import Client, LakeDependencies, RunSpec
from wistlake.pipeline.tables.plan import BuildPlan, Pair
from wistlake.planning.calendar import zone
from wistlake.planning.intervals import Interval
from wistlake.planning.publishing import BY_DATE, EVENTS, publishing
from wistlake.ports import LEASE, LEASE_SECONDS, Publication, TableRef, TableStore
from wistlake.privacy import tombstones
from wistlake.privacy.addresses import canonical, identities
from wistlake.privacy.tombstones import Person

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

UNFINISHED = "forgetting"  # the ledger's name for the days whose gold must still be computed anew
RECEIPTS = "receipts"
ALL = tuple(s.name for s in SOURCES)
PERSONAL = tuple(s.name for s in SOURCES if tombstones.is_personal(s))
NAMED = ("dim_media", "dim_media_history", "quarantine")  # they hold texts that people wrote
FEW = 5  # devices and people; an order about more says how many
PER_PAGE, MOST_PAGES = 100, 1000
_COPY = re.compile(r"-f(\d+)$")
Hits = Mapping[str, int]


class Purge(Protocol):
    """Takes the past away from Iceberg tables."""

    def expire(self, tables: Iterable[Table]) -> Mapping[str, list[int]]:
        """Keep each table's current snapshot alone; the ids of those that are gone, by full name."""

    def refs(self, tables: Iterable[Table]) -> Mapping[str, TableRef]:
        """The tables' current state."""

    def sweep(self, tables: Iterable[Table]) -> int:
        """Remove every file that the current state does not need, older versions included; how many."""


Search = Callable[[Iterable[str]], Hits]  # texts to the places that hold one of them, and how often
Visitors = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Who:
    """The person, by address or by visitor key: exactly one of them. `devices`: how many devices may go, where
    more than a few do."""

    email: str = field(default="", repr=False)
    visitor_key: str = field(default="", repr=False)
    devices: int | None = None

    def __post_init__(self) -> None:
        if bool(self.email) == bool(self.visitor_key):
            raise ConfigError("name one person: --email ADDRESS, or --visitor-key KEY")
        if self.email and not canonical(self.email):
            raise ConfigError("--email takes one whole address, such as person@example.com")


@dataclass(frozen=True, slots=True)
class Copy:
    """A landing that names the person, and the one that takes its place. `lines` are the person's, `mentions`
    those of others that hold the person's address."""

    old: Manifest
    new: str
    lines: frozenset[int]
    mentions: frozenset[int]


async def ask_source(client: Callable[[], AbstractAsyncContextManager[Client]], who: Who) -> Visitors | None:
    """Visitors that Wistia itself finds by the person's address or key; None if it can't be asked.

    Raw pages are kept for a while only, so that an older visitor's key is known to Wistia alone. StoreError
    if the request budget can't be used: that is a fault on this side.
    """
    try:
        async with client() as wistia:
            return await (_by_address(wistia, who.email) if who.email else _by_key(wistia, who.visitor_key))
    except StoreError:
        raise
    except SourceMissing:
        return []
    except WistlakeError:
        return None


async def _by_address(wistia: Client, email: str) -> Visitors:
    """The search is for a part of a name or an address, so that it may have many pages."""
    wanted, found, before = canonical(email), [], None
    for number in range(1, MOST_PAGES + 1):
        asked = {"search": email, "page": str(number), "per_page": str(PER_PAGE)}
        page = (await wistia.page("/stats/visitors", asked)).records
        if page == before:
            break
        found += [r for r in page if wanted in identities(r) and isinstance(r.get("visitor_key"), str)]
        if len(page) < PER_PAGE:
            break
        before = page
    return found


async def _by_key(wistia: Client, visitor_key: str) -> Visitors:
    page = await wistia.page(f"/stats/visitors/{visitor_key}")
    return [r for r in page.records if r.get("visitor_key") == visitor_key]


def forget(
    spec: RunSpec,
    parts: LakeDependencies,
    who: Who,
    purge: Purge,
    search: Search,
    *,
    asked: Visitors | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Forget `who` under the lake's lease; the receipt. With `dry_run` nothing is written but counted.
    `asked` is what `ask_source` said.

    ConfigError if nobody is known by that name, StoreError if the second look still finds the person.
    """
    with parts.ledger.lease(LEASE, spec.run_id, parts.clock(), LEASE_SECONDS):
        work = _Forgetting(spec, parts, who, purge, search, asked)
        if dry_run:
            return work.go(who, dry_run=True)
        return _recorded(spec, parts, lambda: work.go(who))


def reapply(spec: RunSpec, parts: LakeDependencies, purge: Purge, search: Search) -> dict[str, Any]:
    """Erase everybody whom a tombstone names once more, under the lake's lease; the receipt.

    For a lake that came back from a backup older than a tombstone: its raw pages, tables and history may hold
    people who were forgotten since. First `tombstone_home.bring` the tombstones of the lake that it replaces.
    The engine starts only if there is a tombstone at all. Safe to repeat; StoreError if the second look still
    finds somebody.
    """
    with parts.ledger.lease(LEASE, spec.run_id, parts.clock(), LEASE_SECONDS):
        tombstone_home.mirror(parts.objects, parts.ledger)
        forgotten = tombstones.forgotten(parts.ledger.facts(tombstones.FACTS))
        if forgotten is None:
            return {"receipt": spec.run_id, "asked_by": "tombstones", "tombstones": 0}
        work = _Forgetting(spec, parts, None, purge, search, None)
        return _recorded(spec, parts, lambda: work.again(forgotten))


def _recorded(spec: RunSpec, parts: LakeDependencies, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """`work`, as a run of the ledger."""
    running = record.begin(parts.ledger, record.record_of(spec), parts.clock())
    try:
        receipt = work()
    except BaseException as e:
        record.fail(parts.ledger, running, parts.clock(), e)
        raise
    record.end(parts.ledger, running, parts.clock(), receipt)
    return receipt


class _Forgetting:
    """One order at work, under the lease."""

    def __init__(
        self,
        spec: RunSpec,
        parts: LakeDependencies,
        who: Who | None,
        purge: Purge,
        search: Search,
        asked: Visitors | None,
    ) -> None:
        self.spec, self.parts, self.who, self.purge, self.search = spec, parts, who, purge, search
        self.asked = asked
        self.keys = parts.keys()
        self.texts: set[str] = {who.visitor_key, who.email, canonical(who.email)} - {""} if who else set()
        self.where: dict[str, Any] = {}

    def go(self, who: Who, *, dry_run: bool = False) -> dict[str, Any]:
        """Forget one person."""
        person = self._person(who)
        copies = self._copies(person)
        ids = tombstones.stored_ids(person, self.keys)
        if dry_run:
            with self.parts.tables() as store:
                store.ensure(TABLES)
                self.where["tables"] = {t.full_name: self._count(store, t, ids) for t in _of_visitors()}
            self._check_known(who, person, self.where["tables"].values())
            return self._receipt(dry_run=True)
        self._check_extent(who, person)
        if who.visitor_key and not self._is_known(person):
            with self.parts.tables() as store:
                store.ensure(TABLES)
                self._check_known(who, person, [self._count(store, t, ids) for t in _of_visitors()])
        self._put_tombstone(person)
        return self._erase(person, copies, ids)

    def again(self, forgotten: Person) -> dict[str, Any]:
        """Erase everybody whom a tombstone names, if anything of theirs is here."""
        self.where["tombstones"] = len(tombstones.entries(self.parts.ledger.facts(tombstones.FACTS)))
        copies = self._copies(forgotten)
        marks = self._marks(forgotten)
        with self.parts.tables() as store:
            store.ensure(TABLES)
            ids = tombstones.stored_ids(Person(marks), self.keys) | self._sealed_ids(store, forgotten)
        return self._erase(forgotten, copies, ids)

    def _erase(self, person: Person, copies: list[Copy], ids: frozenset[str]) -> dict[str, Any]:
        self._land_copies(copies, person)
        tables = self._tables(ids, copies)
        self.where["expired_snapshots"] = {n: ids for n, ids in self.purge.expire(TABLES).items() if ids}
        current = dict(self.purge.refs(TABLES))
        self._publish(current)
        self.where["files_removed"] = self.purge.sweep(TABLES)
        self.where["tables"] = tables
        self.where["snapshots"] = {n: r.snapshot_id for n, r in current.items() if r.snapshot_id is not None}
        self.where["bronze"]["objects_deleted"] = self._delete_old(copies) + self._delete_strays(person)
        self.parts.ledger.put_facts(UNFINISHED, {})
        self._look_again(ids)
        return self._receipt(dry_run=False)

    # who it is

    def _person(self, who: Who) -> Person:
        """The marks of the person: from bronze, from an earlier order, and by asking the source."""
        self.where["source_asked"] = self.asked is not None
        marks = set(tombstones.marks_of(self.asked or (), self.keys, redacted=False))
        self.texts |= {r["visitor_key"] for r in self.asked or ()}
        if who.visitor_key:
            return Person(frozenset({tombstones.visitor_mark(self.keys, who.visitor_key)}))
        address = tombstones.address_mark(self.keys, who.email)
        named = Person(addresses=frozenset({address}))
        marks |= self._marks(named)
        if not marks and not self._was_forgotten(named):
            raise ConfigError(
                "nobody is known by that address: neither the raw pages that are kept nor Wistia's own "
                "search name a visitor; if you know the visitor's key, give --visitor-key"
            )
        return Person(frozenset(marks), named.addresses)

    def _check_extent(self, who: Who, person: Person) -> None:
        """ConfigError if more than a few would go, and the order does not say how many. An order that is given
        again, after a crash, finds fewer than it began with."""
        before = self._forgotten()
        news = [v for v in person.visitors if not tombstones.is_sealed(before, self.keys, v)]
        if self._was_forgotten(person) and not news:
            return
        devices, people = self.where["devices"], self.where["people"]
        would = f"{devices} devices of {people} people would be forgotten"
        if who.devices is None and max(devices, people) > FEW:
            raise ConfigError(
                f"{would}: look at --dry-run, and if that is right, give the order with --devices {devices}"
            )
        if who.devices not in (None, devices):
            raise ConfigError(f"--devices {who.devices} does not fit, {would}: look at --dry-run once more")

    def _check_known(self, who: Who, person: Person, rows: Iterable[int]) -> None:
        """ConfigError if a visitor's key is known to nobody: it is probably mistyped."""
        if who.visitor_key and not self._is_known(person) and not any(rows):
            asked = "Wistia" if self.asked is not None else "an earlier order (Wistia could not be asked)"
            raise ConfigError(
                f"nobody is known by that key, neither to the raw pages that are kept, nor to the tables, nor to "
                f"{asked}: copy it whole, as Wistia serves `visitor_key`"
            )

    def _is_known(self, person: Person) -> bool:
        """Whether something but the tables knows the person."""
        return bool(self.asked or self.where["bronze"]["records"] or self._was_forgotten(person))

    def _was_forgotten(self, person: Person) -> bool:
        """Whether an earlier order was about the person: what it did not end, this one does."""
        before = self._forgotten()
        sealed = any(tombstones.is_sealed(before, self.keys, v) for v in person.visitors)
        return sealed or bool(person.addresses & before.addresses)

    def _forgotten(self) -> Person:
        """Everybody of earlier orders."""
        return tombstones.forgotten(self.parts.ledger.facts(tombstones.FACTS)) or Person()

    # bronze

    def _landings(
        self, datasets: Iterable[str] = ALL
    ) -> Iterator[tuple[Manifest, list[tuple[int, dict[str, Any]]]]]:
        objects = self.parts.objects
        for dataset in datasets:
            for key in objects.list(f"{bronze.ROOT}/{dataset}/"):
                if key.endswith(f"/{bronze.MANIFEST}"):
                    manifest = bronze.decode_manifest(objects.get(key))
                    yield manifest, [line for p in manifest.parts for line in self._lines(p.key)]

    def _lines(self, key: str) -> list[tuple[int, dict[str, Any]]]:
        return list(bronze.decode_lines(self.parts.objects.get(key)))

    def _copies(self, person: Person) -> list[Copy]:
        """What becomes of the landings that name the person, and how many devices and people that is."""
        copies, devices, people = [], set(person.visitors), set[str]()
        for manifest, records in self._landings():
            theirs = {n: r for n, r in records if self._is_theirs(person, manifest, r)}
            mentions = frozenset(
                n for n, r in records if n not in theirs and self._without(person, r) is not r
            )
            if theirs or mentions:
                copies.append(Copy(manifest, _next(manifest.landing_id), frozenset(theirs), mentions))
            devices |= tombstones.marks_of(theirs.values(), self.keys, redacted=manifest.redacted)
            people |= {a for r in theirs.values() for a in identities(r)}
            self.texts |= _texts(theirs.values())
        people |= {a for r in self.asked or () for a in identities(r)}
        self.where |= {
            "devices": len(devices),
            "people": max(1, len(people)),
            "bronze": {
                "landings": len(copies),
                "records": sum(len(c.lines) for c in copies),
                "mentions": sum(len(c.mentions) for c in copies),
            },
        }
        return copies

    def _is_theirs(self, person: Person, manifest: Manifest, record: Mapping[str, Any]) -> bool:
        return manifest.dataset in PERSONAL and tombstones.is_about(person, self.keys, record)

    def _without(self, person: Person, record: dict[str, Any]) -> Mapping[str, Any]:
        return tombstones.without(person, self.keys, record)

    def _marks(self, person: Person) -> frozenset[str]:
        """The marks of the visitors whom raw pages show to be the person's."""
        marks: set[str] = set()
        for manifest, records in self._landings(PERSONAL):
            theirs = [r for _, r in records if tombstones.is_about(person, self.keys, r)]
            marks |= tombstones.marks_of(theirs, self.keys, redacted=manifest.redacted)
        return frozenset(marks)

    def _sealed_ids(self, store: TableStore, person: Person) -> frozenset[str]:
        """The ids in the tables that a tombstone names."""
        columns = [store.read(t).select("visitor_id").distinct() for t in _of_visitors()]
        ids = {row[0] for rows in columns for row in rows.collect() if row[0] is not None}
        return frozenset(i for i in ids if tombstones.is_sealed(person, self.keys, i))

    def _land_copies(self, copies: Sequence[Copy], person: Person) -> None:
        """Each landing again without the person, and the ledger's intervals on the new ones."""
        landed = {c.old.landing_id: self._land_copy(c, person) for c in copies}
        moved = []
        for interval in self.parts.ledger.intervals():
            new = landed.get(interval.landing_id)
            while new is not None and new.landing_id in landed:
                new = landed[new.landing_id]
            if new is not None:
                moved.append(self._on(interval, new))
        self.parts.ledger.record(moved)

    def _land_copy(self, copy: Copy, person: Person) -> Manifest:
        objects, key = self.parts.objects, bronze.manifest_key(copy.new)
        if objects.exists(key):  # this was done before a crash
            return bronze.decode_manifest(objects.get(key))
        parts: list[Part] = []
        kept: list[dict[str, Any]] = []
        for number, part in enumerate(copy.old.parts, 1):
            lines = [
                (n, dict(self._without(person, r)) if n in copy.mentions else r)
                for n, r in self._lines(part.key)
                if n not in copy.lines
            ]
            data = bronze.encode_numbered(copy.new, lines)
            objects.put(bronze.part_key(copy.new, number), data)
            parts.append(Part(bronze.part_key(copy.new, number), len(lines), len(data), bronze.sha256(data)))
            kept += [r for _, r in lines]
        content, steady = bronze.hashes(source(copy.old.dataset), kept)
        manifest = replace(
            copy.old,
            landing_id=copy.new,
            run_id=copy.new.rpartition("run_id=")[2],
            rows=len(kept),
            content_hash=content,
            steady_hash=steady,
            payload_sha256=bronze.payload_hash(parts),
            parts=tuple(parts),
            supersedes=copy.old.landing_id,
        )
        objects.put(key, bronze.encode_manifest(manifest), if_absent=True)
        return manifest

    def _on(self, interval: Interval, new: Manifest) -> Interval:
        """The interval on its new landing; what silver was built from stays true, for the rows go as well."""
        moved = replace(
            interval,
            landing_id=new.landing_id,
            content_hash=new.content_hash,
            steady_hash=new.steady_hash or new.content_hash,
            rows=new.rows,
        )
        return resigned(interval, moved, self.spec, len(self.keys), len(self.keys))

    def _remember(self, pairs: set[Pair]) -> None:
        """What a repetition after a crash could no longer find out: the person's rows are gone by then. The
        old landings, which tell who it is, are the last to go."""
        self.parts.ledger.put_facts(UNFINISHED, {"pairs": sorted([m, d.isoformat()] for m, d in pairs)})

    def _delete_old(self, copies: Iterable[Copy]) -> int:
        """Manifests first: parts without one do not exist."""
        objects = self.parts.objects
        return sum(
            objects.delete([bronze.manifest_key(c.old.landing_id)])
            + objects.delete(p.key for p in c.old.parts)
            for c in copies
        )

    def _delete_strays(self, person: Person) -> int:
        """Parts that no manifest names, left by a run that died, if they name the person or can't be read."""
        objects = self.parts.objects
        keys = [k for dataset in ALL for k in objects.list(f"{bronze.ROOT}/{dataset}/")]
        manifests = [
            bronze.decode_manifest(objects.get(k)) for k in keys if k.endswith(f"/{bronze.MANIFEST}")
        ]
        promised = {p.key for m in manifests for p in m.parts}
        strays = (k for k in keys if not k.endswith(f"/{bronze.MANIFEST}") and k not in promised)
        return objects.delete([k for k in strays if self._names(person, k)])

    def _names(self, person: Person, key: str) -> bool:
        try:
            records = [r for _, r in self._lines(key)]
        except StoreError:
            return True
        return any(
            tombstones.is_about(person, self.keys, r) or self._without(person, r) is not r for r in records
        )

    # tables

    def _count(self, store: TableStore, table: Table, ids: frozenset[str]) -> int:
        return int(_theirs(store, table, ids).count())

    def _tables(self, ids: frozenset[str], copies: Sequence[Copy]) -> dict[str, int]:
        """Silver without the person, the gold of the days they were seen on, and no row of theirs."""
        from wistlake.pipeline.tables import build

        ledger = self.parts.ledger
        moved = {c.old.landing_id: c.new for c in copies}
        with self.parts.tables() as store:
            store.ensure(TABLES)
            pairs = self._affected(store, ids)
            self._remember(pairs)
            silver = [t for t in _of_visitors() if t.layer == "silver"]
            removed = {t.full_name: _erase(store, t, ids, moved) for t in silver}
            removed["silver.quarantine"] = _erase_quarantine(store, copies, moved)
            for table in (t for t in TABLES if t not in silver):
                theirs = {old: new for old, new in moved.items() if old.partition("/")[0] in table.sources}
                if theirs or table.name in NAMED:
                    _tidy(store, table, theirs)
            gold = [t for t in _of_visitors() if t.layer == "gold"]
            removed |= {t.full_name: self._count(store, t, ids) for t in gold}
            plan = self._plan(pairs)
            result = build(plan, self.parts.objects, store)
            for table in gold:  # days that could not be computed anew lose the person all the same
                _erase(store, table, ids, {})
            result = replace(result, tables=store.refs())
        publish_build(self.spec, ledger, ledger.media(), {i.key: i for i in ledger.intervals()}, plan, result)
        self.where["days_computed_anew"] = len(result.published)
        self.where["days_left_as_they_were"] = len(result.blocked)
        return removed

    def _affected(self, store: TableStore, ids: frozenset[str]) -> set[Pair]:
        unfinished = self.parts.ledger.facts(UNFINISHED).get("pairs", ())
        pairs = {(media_id, date.fromisoformat(day)) for media_id, day in unfinished}
        for name, day in (("silver.fact_events", "event_date_local"), ("gold.fact_media_engagement", "date")):
            rows = _theirs(store, _table(name), ids).select("media_id", day).distinct().collect()
            pairs |= {(r[0], r[1]) for r in rows}
        known = {(i.media_id, i.day) for i in self.parts.ledger.intervals("gold")}
        return pairs & known

    def _plan(self, pairs: set[Pair]) -> BuildPlan:
        spec, ledger = self.spec, self.parts.ledger
        intervals = ledger.intervals()
        media = {m for m, _ in pairs}
        of_media = [i for i in intervals if i.media_id in media and i.dataset in (EVENTS, BY_DATE)]
        days = publishing(
            [m for m in ledger.media() if m.media_id in media],
            intervals,
            of_media,
            datasets=frozenset(i.dataset for i in intervals),
            now=spec.window.now,
            tz=zone(spec.zone_name),
            lookback_days=spec.window.lookback_days,
        )
        return BuildPlan(
            run_id=spec.run_id,
            started_at=spec.window.now,
            zone=spec.zone_name,
            keys=self.keys,
            landings=(),
            publishable=frozenset(pairs),
            refresh=frozenset(pairs),
            past_lookback=days.past_lookback & pairs,
            confirmed=days.confirmed & pairs,
            listed=days.listed & pairs,
            rules=spec.rules,
        )

    def _publish(self, current: Mapping[str, TableRef]) -> None:
        ledger = self.parts.ledger
        if ledger.publication() is not None:
            ledger.publish(Publication(self.spec.run_id, self.spec.window.now, current))

    # proof

    def _put_tombstone(self, person: Person) -> None:
        ledger = self.parts.ledger
        new = tombstones.entry(person, self.keys, self.spec.run_id, self.spec.window.now.isoformat())
        tombstone_home.mirror(self.parts.objects, ledger)
        tombstone_home.put(self.parts.objects, new)
        ledger.put_facts(tombstones.FACTS, tombstones.added(ledger.facts(tombstones.FACTS), new))

    def _look_again(self, ids: frozenset[str]) -> None:
        found = self.search(self.texts | ids)
        if found:
            places = ", ".join(f"{place} ({count})" for place, count in sorted(found.items())[:5])
            raise ErasureIncomplete(
                f"the second look still finds the person in {places}: give the same order again"
            )
        self.where["second_look"] = "nothing found"

    def _receipt(self, *, dry_run: bool) -> dict[str, Any]:
        said = {
            "receipt": self.spec.run_id,
            "at": self.spec.window.now.isoformat(),
            "asked_by": _asked_by(self.who),
            "dry_run": dry_run,
            **self.where,
        }
        text = json.dumps(said, sort_keys=True, default=str)
        receipt = {**json.loads(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
        if not dry_run:
            key = f"{RECEIPTS}/{self.spec.run_id}.json"
            self.parts.objects.put(key, json.dumps(receipt, indent=1, sort_keys=True).encode())
        return receipt


def _asked_by(who: Who | None) -> str:
    if who is None:
        return "tombstones"
    return "email" if who.email else "visitor key"


def resigned(before: Interval, after: Interval, spec: RunSpec, was_epoch: int, epoch: int) -> Interval:
    """`after`, signed as built if `before` was: what happened to it happened to the tables as well."""
    if before.built_signature != signature(before, spec, was_epoch):
        return after
    return replace(after, built_signature=signature(after, spec, epoch))


def _next(landing: str) -> str:
    """The landing's id with a run id that sorts right after its own."""
    found = _COPY.search(landing)
    return f"{landing[: found.start()]}-f{int(found[1]) + 1}" if found else f"{landing}-f1"


def _texts(records: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """What a byte scan can look for: keys of devices and of sessions."""
    found = (r.get(name) for r in records for name in ("visitor_key", "event_key"))
    return frozenset(v for v in found if isinstance(v, str) and v)


def _table(name: str) -> Table:
    return next(t for t in TABLES if t.full_name == name)


def _of_visitors() -> tuple[Table, ...]:
    return tuple(t for t in TABLES if t.has("visitor_id"))


def _theirs(store: TableStore, table: Table, ids: frozenset[str]) -> "DataFrame":
    wanted = store.spark.createDataFrame([(i,) for i in sorted(ids)], "visitor_id string")
    return store.read(table).join(wanted, on="visitor_id", how="left_semi")


def _erase(store: TableStore, table: Table, ids: frozenset[str], moved: Mapping[str, str]) -> int:
    """Delete the person's rows in one commit, which also puts the others on their new landings; how many
    rows were the person's."""
    from pyspark.sql import functions as F

    gone = _theirs(store, table, ids).select(*table.column_names).withColumn("_change", F.lit("removed"))
    changes = gone
    if table.has("landing_id") and moved:
        wanted = store.spark.createDataFrame([(i,) for i in sorted(ids)], "visitor_id string")
        others = store.read(table).join(wanted, on="visitor_id", how="left_anti")
        placed = _on_new_landings(store, table, others, moved)
        changes = gone.unionByName(placed.withColumn("_change", F.lit("updated")))
    return _merge(store, table, changes)


def _on_new_landings(
    store: TableStore, table: Table, rows: "DataFrame", moved: Mapping[str, str]
) -> "DataFrame":
    from pyspark.sql import functions as F

    renamed = store.spark.createDataFrame(sorted(moved.items()), "landing_id string, _new string")
    placed = rows.join(F.broadcast(renamed), on="landing_id", how="inner")
    return placed.withColumn("landing_id", F.col("_new")).select(*table.column_names)


def _tidy(store: TableStore, table: Table, moved: Mapping[str, str]) -> None:
    """Mask the addresses in texts about media, which rows of older versions hold as served, and put rows on
    their new landings."""
    from pyspark.sql import functions as F

    from wistlake.transforms import dim_media, quarantine

    masks = {
        "dim_media": dim_media.named,
        "dim_media_history": dim_media.named,
        "quarantine": quarantine.named,
    }
    named = masks.get(table.name, lambda rows: rows)
    state = F.to_json(F.struct(*(c for c in table.column_names if c not in ("landing_id", "built_at"))))
    rows = named(store.read(table).withColumn("_before", state)).withColumn("_after", state)
    changed = F.col("_before") != F.col("_after")
    if table.has("landing_id"):
        renamed = store.spark.createDataFrame(sorted(moved.items()), "landing_id string, _new string")
        rows = rows.join(F.broadcast(renamed), on="landing_id", how="left")
        changed = changed | F.col("_new").isNotNull()
        rows = rows.where(changed).withColumn("landing_id", F.coalesce("_new", "landing_id"))
    else:
        rows = rows.where(changed)
    _merge(store, table, rows.select(*table.column_names).withColumn("_change", F.lit("updated")))


def _erase_quarantine(store: TableStore, copies: Sequence[Copy], moved: Mapping[str, str]) -> int:
    """Refused records of the person go; the others follow their landing."""
    from pyspark.sql import functions as F

    table = _table("silver.quarantine")
    if not copies or store.refs()[table.full_name].snapshot_id is None:
        return 0
    names = store.spark.createDataFrame([(old,) for old in sorted(moved)], "landing_id string")
    rows = store.read(table).join(F.broadcast(names), on="landing_id", how="left_semi")
    lines = [(c.old.landing_id, n) for c in copies for n in sorted(c.lines)]
    theirs = store.spark.createDataFrame(lines, "landing_id string, line bigint")
    kept = rows.join(F.broadcast(theirs), on=["landing_id", "line"], how="left_anti")
    count = rows.join(F.broadcast(theirs), on=["landing_id", "line"], how="left_semi").count()
    gone = rows.select(*table.column_names).withColumn("_change", F.lit("removed"))
    again = _on_new_landings(store, table, kept, moved).withColumn("_change", F.lit("new"))
    _merge(store, table, gone.unionByName(again))
    return int(count)


def _merge(store: TableStore, table: Table, changes: "DataFrame") -> int:
    """One MERGE of staged changes that may delete, whatever the contract says of removal: this is erasure.
    How many rows were deleted."""
    from pyspark.sql import functions as F

    from wistlake.derive.merge import days_in

    staged = store.stage(f"erased_{table.layer}_{table.name}", changes)
    day = F.col(table.day_column) if table.day_column else F.lit(None).cast("date")
    counted = staged.groupBy("_change", day.alias("_day")).count().collect()
    if not counted:
        return 0
    prune = days_in(table.day_column, {r["_day"] for r in counted}, "t") if table.day_column else ""
    store.merge(replace(table, removal=Removal.DELETE), staged, prune)
    tally: Counter[str] = Counter()
    for row in counted:
        tally[row["_change"]] += int(row["count"])
    return tally["removed"]
