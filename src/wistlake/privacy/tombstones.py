"""Who has been forgotten, without saying who: keyed marks that recognise a person when they come back.

A mark is the pseudonym under the first epoch's key: it outlives rotation, and every id that silver ever
held follows from it, so that neither the address nor the visitor's key is kept.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from wistlake.contracts.form import Privacy, Source
from wistlake.derive.pseudonym import pseudonym

FACTS = "tombstones"  # the ledger's name for the document
Record = Mapping[str, Any]
Admission = Callable[[Source, Record], bool]
_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


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
    """The mark of an e-mail address, however its letters are cased."""
    return pseudonym(keys[:1], f"mailto:{email.strip().lower()}")


def addresses(value: Any) -> Iterator[str]:
    """Every e-mail address in a payload's texts, however deep, percent-encoded ones (up to three times) included."""
    if isinstance(value, str):
        if "@" in value or "%" in value:
            yield from _ADDRESS.findall(unquote(unquote(unquote(value))))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from addresses(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from addresses(inner)


def is_about(person: Person, keys: Sequence[bytes], record: Record) -> bool:
    """Whether a record, raw or redacted before landing, is the person's."""
    key = record.get("visitor_key") if person.visitors or person.sealed else None
    if isinstance(key, str) and _names(person, keys, key):
        return True
    if not person.addresses:
        return False
    return any(address_mark(keys, found) in person.addresses for found in addresses(record))


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
    """Tells which records may land; None, and no key is asked for, while nobody has been forgotten."""
    people = forgotten(facts)
    if people is None:
        return None
    first = tuple(keys())[:1]

    def admits(source: Source, record: Record) -> bool:
        return not (is_personal(source) and is_about(people, first, record))

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
