"""Who has been forgotten, without saying who: keyed marks that recognise a person when they come back.

A mark is the pseudonym under the first epoch's key: it outlives rotation, and every id that silver ever
held follows from it, so that neither the address nor the visitor's key is kept.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wistlake.contracts.form import Privacy, Source
from wistlake.derive.pseudonym import pseudonym
from wistlake.privacy.addresses import Record, canonical, identities, without_mentions

FACTS = "tombstones"  # the ledger's name for the document
Admission = Callable[[Source, Record], Record | None]  # what may land of a record, if anything


@dataclass(frozen=True, slots=True)
class Person:
    """Marks of everything that names one person: visitor keys (devices) and e-mail addresses. `sealed` are
    marks as tombstones hold them, when it is a tombstone that says who."""

    visitors: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    sealed: frozenset[str] = frozenset()


def visitor_mark(keys: Sequence[bytes], visitor_key: str) -> str:
    """The mark of a visitor's key."""
    return pseudonym(keys[:1], visitor_key)


def address_mark(keys: Sequence[bytes], email: str) -> str:
    """The mark of an e-mail address, however it is spelled."""
    return pseudonym(keys[:1], f"mailto:{canonical(email)}")


def is_about(person: Person, keys: Sequence[bytes], record: Record) -> bool:
    """Whether a record, raw or redacted before landing, is the person's: by the device, or because Wistia gives
    the person's address as its identity."""
    key = record.get("visitor_key") if person.visitors or person.sealed else None
    if isinstance(key, str) and _names(person, keys, key):
        return True
    if not person.addresses:
        return False
    return any(address_mark(keys, found) in person.addresses for found in identities(record))


def without(person: Person, keys: Sequence[bytes], record: Record) -> Record:
    """A record of somebody else with the person's address masked; the same object if it mentions nobody."""
    if not person.addresses:
        return record
    return without_mentions(record, lambda address: address_mark(keys, address) in person.addresses)


def _names(person: Person, keys: Sequence[bytes], key: str) -> bool:
    """Whether a visitor's key, or the mark that a redacted landing has in its place, is the person's."""
    ids = (key, visitor_mark(keys, key))
    return any(i in person.visitors for i in ids) or any(is_sealed(person, keys, i) for i in ids)


def is_sealed(person: Person, keys: Sequence[bytes], stored_id: str) -> bool:
    """Whether a tombstone of the person names this id."""
    return bool(person.sealed) and sealed(keys, stored_id) in person.sealed


def is_personal(source: Source) -> bool:
    """Whether the dataset's records can name a person."""
    return any(f.privacy is Privacy.PERSONAL for f in source.fields)


def stored_ids(person: Person, keys: Sequence[bytes]) -> frozenset[str]:
    """Every id that silver and gold may hold of the person: all epochs, and those of redacted landings,
    whose visitor key already was a mark."""
    found = set(person.visitors)
    for mark in person.visitors:
        for epoch in range(1, len(keys) + 1):
            found.add(pseudonym(keys[1:epoch], mark))
            found.add(pseudonym(keys[:epoch], mark))
    return frozenset(found)


def sealed(keys: Sequence[bytes], mark: str) -> str:
    """A visitor's mark as a tombstone holds it: it recognises, but is no id that any table ever held."""
    return pseudonym(keys[:1], f"forgotten:{mark}")


def entry(person: Person, keys: Sequence[bytes], receipt: str, at: str) -> dict[str, Any]:
    """The tombstone as the ledger keeps it. It recognises the ids of every epoch so far: in tables that are
    restored from a backup, nothing else is left of the visitor."""
    return {
        "receipt": receipt,
        "at": at,
        "visitors": sorted(sealed(keys, i) for i in stored_ids(person, keys)),
        "addresses": sorted(person.addresses),
    }


def entries(facts: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The tombstones in the ledger's document."""
    return tuple(facts.get("entries", ()))


def added(facts: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The document with one more tombstone; one of the same marks is not repeated."""
    same = ("visitors", "addresses")
    kept = [e for e in entries(facts) if any(e[k] != new[k] for k in same)]
    return {"entries": [*kept, new]}


def admission(facts: Mapping[str, Any], keys: Callable[[], Sequence[bytes]]) -> Admission | None:
    """Tells what may land of a record; None, and no key is asked for, while nobody has been forgotten."""
    people = forgotten(facts)
    if people is None:
        return None
    first = tuple(keys())[:1]

    def admits(source: Source, record: Record) -> Record | None:
        if is_personal(source) and is_about(people, first, record):
            return None
        return without(people, first, record)

    return admits


def forgotten(facts: Mapping[str, Any]) -> Person | None:
    """Everybody whom the document's tombstones name, as one; None while nobody has been forgotten."""
    visitors = frozenset(v for e in entries(facts) for v in e["visitors"])
    emails = frozenset(a for e in entries(facts) for a in e["addresses"])
    return Person(addresses=emails, sealed=visitors) if visitors or emails else None


def marks_of(records: Iterable[Record], keys: Sequence[bytes], *, redacted: bool) -> frozenset[str]:
    """The marks of the records' visitors."""
    found = {r["visitor_key"] for r in records if isinstance(r.get("visitor_key"), str)}
    return frozenset(found if redacted else {visitor_mark(keys, k) for k in found})
