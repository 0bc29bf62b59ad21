"""Finding a person: the marks of their devices and address, the landings that name them, and how many that is."""

from collections.abc import Iterable, Mapping
from typing import Any

from wistlake.errors import ConfigError
from wistlake.pipeline.jobs.forget import landings
from wistlake.pipeline.jobs.forget.landings import COUNTED, PERSONAL, LandingCopy
from wistlake.pipeline.jobs.forget.request import Who, Work
from wistlake.privacy import tombstones
from wistlake.privacy.addresses import identities
from wistlake.privacy.tombstones import Person

FEW = 5  # devices and people; a request about more has to say how many


def person(work: Work, who: Who) -> Person:
    """The marks of the person: from raw pages, from an earlier request, and from Wistia."""
    visitors = work.visitors or ()
    work.facts["source_asked"] = work.visitors is not None
    work.texts |= {r["visitor_key"] for r in visitors}
    devices = tombstones.marks_of(visitors, work.keys, redacted=False)
    if who.visitor_key:
        return Person(frozenset({tombstones.visitor_mark(work.keys, who.visitor_key)}))
    named = Person(addresses=frozenset({tombstones.address_mark(work.keys, who.email)}))
    devices |= marks(work, named)
    if not devices and not _was_forgotten(work, named) and not _sent_a_form(work, named):
        raise ConfigError(
            "nobody is known by that address: neither the raw pages that are kept nor Wistia's own "
            "search name a visitor; if you know the visitor's key, give --visitor-key"
        )
    return Person(devices, named.addresses)


def _sent_a_form(work: Work, named: Person) -> bool:
    """Whether raw pages hold a form with the person's address: such a record names no visitor."""
    return any(
        tombstones.is_about(named, work.keys, record)
        for _, lines in landings.each(work, (COUNTED,))
        for _, record in lines
    )


def marks(work: Work, person: Person) -> frozenset[str]:
    """The marks of the visitors whom raw pages show to be the person's."""
    devices: set[str] = set()
    for manifest, lines in landings.each(work, PERSONAL):
        theirs = [r for _, r in lines if tombstones.is_about(person, work.keys, r)]
        devices |= tombstones.marks_of(theirs, work.keys, redacted=manifest.redacted)
    return frozenset(devices)


def copies(work: Work, person: Person) -> list[LandingCopy]:
    """The landings that name the person, each with the one to take its place; notes how many devices, people and
    records that is."""
    named, devices, people = [], set(person.visitors), set[str]()
    for manifest, lines in landings.each(work):
        is_personal = manifest.dataset in PERSONAL
        theirs = {n: r for n, r in lines if is_personal and tombstones.is_about(person, work.keys, r)}
        mentions = {n for n, r in lines if n not in theirs and landings.is_mentioned(work, person, r)}
        if theirs or mentions:
            named.append(LandingCopy.of(manifest, theirs, mentions))
        devices |= tombstones.marks_of(theirs.values(), work.keys, redacted=manifest.redacted)
        people |= {a for r in theirs.values() for a in identities(r)}
        work.texts |= _searchable(theirs.values())
    people |= {a for r in work.visitors or () for a in identities(r)}
    work.facts |= {
        "devices": len(devices),
        "people": max(1, len(people)),
        "bronze": {
            "landings": len(named),
            "records": sum(len(c.lines) for c in named),
            "mentions": sum(len(c.mentions) for c in named),
        },
    }
    return named


def _searchable(records: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The keys of devices and of sessions: a search over bytes can look for them."""
    texts = (r.get(name) for r in records for name in ("visitor_key", "event_key"))
    return frozenset(v for v in texts if isinstance(v, str) and v)


def require_extent(work: Work, who: Who, person: Person) -> None:
    """ConfigError if more than a few devices or people would go, and the request does not say how many. A request
    that is repeated after a crash finds fewer than it began with."""
    before = _forgotten(work)
    news = [v for v in person.visitors if not tombstones.is_sealed(before, work.keys, v)]
    if _was_forgotten(work, person) and not news:
        return
    devices, people = work.facts["devices"], work.facts["people"]
    would = f"{devices} devices of {people} people would be forgotten"
    if who.devices is None and max(devices, people) > FEW:
        raise ConfigError(
            f"{would}: look at --dry-run, and if that is right, give the order with --devices {devices}"
        )
    if who.devices not in (None, devices):
        raise ConfigError(f"--devices {who.devices} does not fit, {would}: look at --dry-run once more")


def require_evidence(work: Work, who: Who, person: Person, rows: Iterable[int]) -> None:
    """ConfigError if nothing names the visitor's key, nor any of the `rows` counted in tables: it is probably
    mistyped."""
    if who.visitor_key and not has_evidence(work, person) and not any(rows):
        source = "Wistia" if work.visitors is not None else "an earlier order (Wistia could not be asked)"
        raise ConfigError(
            f"nobody is known by that key, neither to the raw pages that are kept, nor to the tables, nor to "
            f"{source}: copy it whole, as Wistia serves `visitor_key`"
        )


def has_evidence(work: Work, person: Person) -> bool:
    """Whether something but the tables names the person."""
    return bool(work.visitors or work.facts["bronze"]["records"] or _was_forgotten(work, person))


def _was_forgotten(work: Work, person: Person) -> bool:
    """Whether an earlier request was about the person: this one ends what it left undone."""
    before = _forgotten(work)
    sealed = any(tombstones.is_sealed(before, work.keys, v) for v in person.visitors)
    return sealed or bool(person.addresses & before.addresses)


def _forgotten(work: Work) -> Person:
    """Everybody of earlier requests."""
    return tombstones.forgotten(work.deps.ledger.facts(tombstones.FACTS)) or Person()
