"""Tombstones: keyed marks that recognise a forgotten person without storing who it is.

A mark is the pseudonym under the first epoch's key. It stays valid after a rotation, and every id that silver ever
stored can be computed from it, so that neither the address nor the visitor's key is stored.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wistlake.contracts.form import Privacy, Source
from wistlake.derive.pseudonym import pseudonym
from wistlake.privacy.addresses import Record, canonical, identities, without_mentions

FACTS = "tombstones"  # the ledger's name for the document
Admission = Callable[[Source, Record], Record | None]  # the part of a record that may land, if any


@dataclass(frozen=True, slots=True)
class Person:
    """The marks of one person's visitor keys (devices) and e-mail addresses. `sealed` are the marks in tombstones,
    for a person that is known from tombstones only."""

    visitors: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    sealed: frozenset[str] = frozenset()


def visitor_mark(keys: Sequence[bytes], visitor_key: str) -> str:
    """The mark of a visitor's key."""
    return pseudonym(keys[:1], visitor_key)


def address_mark(keys: Sequence[bytes], email: str) -> str:
    """The mark of an e-mail address in any spelling."""
    return pseudonym(keys[:1], f"mailto:{canonical(email)}")


def is_about(person: Person, keys: Sequence[bytes], record: Record) -> bool:
    """Whether a record, raw or redacted before landing, belongs to the person: by its visitor key, or by an address
    that identifies its person."""
    key = record.get("visitor_key") if person.visitors or person.sealed else None
    if isinstance(key, str) and _names(person, keys, key):
        return True
    if not person.addresses:
        return False
    return any(address_mark(keys, address) in person.addresses for address in identities(record))


def without(person: Person, keys: Sequence[bytes], record: Record) -> Record:
    """Another person's record with the person's address masked; the same object if it has none."""
    if not person.addresses:
        return record
    return without_mentions(record, lambda address: address_mark(keys, address) in person.addresses)


def _names(person: Person, keys: Sequence[bytes], key: str) -> bool:
    """Whether a visitor key, or the mark in its place in a redacted landing, belongs to the person."""
    ids = (key, visitor_mark(keys, key))
    return any(i in person.visitors for i in ids) or any(is_sealed(person, keys, i) for i in ids)


def is_sealed(person: Person, keys: Sequence[bytes], stored_id: str) -> bool:
    """Whether a tombstone of the person names this id."""
    return bool(person.sealed) and sealed(keys, stored_id) in person.sealed


def is_personal(source: Source) -> bool:
    """Whether the dataset's records can name a person."""
    return any(f.privacy is Privacy.PERSONAL for f in source.fields)


def stored_ids(person: Person, keys: Sequence[bytes]) -> frozenset[str]:
    """Every id of the person that silver and gold may have: of all epochs, and of redacted landings, where the visitor
    key was a mark already."""
    ids = set(person.visitors)
    for mark in person.visitors:
        for epoch in range(1, len(keys) + 1):
            ids.add(pseudonym(keys[1:epoch], mark))
            ids.add(pseudonym(keys[:epoch], mark))
    return frozenset(ids)


def sealed(keys: Sequence[bytes], mark: str) -> str:
    """A visitor's mark in the form of tombstones, which isn't an id that any table ever had."""
    return pseudonym(keys[:1], f"forgotten:{mark}")


def entry(person: Person, keys: Sequence[bytes], receipt: str, at: str) -> dict[str, Any]:
    """The tombstone in the ledger's form. It recognises the ids of all epochs so far: tables restored from a backup
    have nothing else of the visitor."""
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
    """The document with one more tombstone, in place of one with the same marks."""
    marks = ("visitors", "addresses")
    others = [e for e in entries(facts) if any(e[k] != new[k] for k in marks)]
    return {"entries": [*others, new]}


def admission(facts: Mapping[str, Any], keys: Callable[[], Sequence[bytes]]) -> Admission | None:
    """The filter for records before they land. While nobody has been forgotten it is None, and needs no key."""
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
    """All people in the document's tombstones as one; None while nobody has been forgotten."""
    visitors = frozenset(v for e in entries(facts) for v in e["visitors"])
    emails = frozenset(a for e in entries(facts) for a in e["addresses"])
    return Person(addresses=emails, sealed=visitors) if visitors or emails else None


def marks_of(records: Iterable[Record], keys: Sequence[bytes], *, redacted: bool) -> frozenset[str]:
    """The marks of the records' visitors."""
    values = {r["visitor_key"] for r in records if isinstance(r.get("visitor_key"), str)}
    return frozenset(values if redacted else {visitor_mark(keys, k) for k in values})
