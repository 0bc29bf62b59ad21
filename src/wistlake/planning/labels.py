"""What people say of a media and Wistia does not: labels, their history, and which of them no table has yet."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from wistlake.channel_rules import Rule
from wistlake.contracts.dim_media import TABLE as DIM_MEDIA
from wistlake.derive.mask import plain_name
from wistlake.errors import ConfigError
from wistlake.foreign import one_line

CHANNEL = "channel"  # the label that takes the place of the channel rules
FACTS = "labels"  # the ledger's document: which labels the tables have
MOST_LABELS = 20  # of one media
LONGEST_NAME, LONGEST_VALUE = 40, 100
# A filter by a column of the media, and one by a label, must not have the same name.
RESERVED = frozenset((*DIM_MEDIA.column_names, "media", "id", "date", "label", "value")) - {CHANNEL}
_NAME = re.compile(rf"[a-z][a-z0-9_-]{{0,{LONGEST_NAME - 1}}}")
_CHANNEL_LACKS = re.compile(r"['\\]")  # a channel is part of SQL text


@dataclass(frozen=True, slots=True)
class LabelChange:
    """From the moment `at` on, `label` has had this `value`; "" if it was taken away. `by` is who said so."""

    label: str
    value: str
    at: datetime
    by: str = ""


@dataclass(frozen=True, slots=True)
class MediaLabels:
    """The labels of one media: every change of them, oldest first."""

    media_id: str
    changes: tuple[LabelChange, ...] = ()

    @property
    def current(self) -> Mapping[str, LabelChange]:
        """The newest change of each label that the media has, by label in order."""
        newest = {c.label: c for c in self.changes}
        return {label: newest[label] for label in sorted(newest) if newest[label].value}

    @property
    def signature(self) -> str:
        """What the tables depend on: other labels, another signature. "" without any label."""
        parts = [(c.label, c.value, c.at.isoformat()) for c in self.current.values()]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16] if parts else ""

    def after(self, given: Mapping[str, str], at: datetime, by: str) -> "MediaLabels":
        """The same with the `given` values, "" to take a label away. What is so already is no change.

        ConfigError if there are too many."""
        values = {label: c.value for label, c in self.current.items()}
        changes = (LabelChange(n, v, at, by) for n, v in sorted(given.items()) if v != values.get(n, ""))
        labelled = replace(self, changes=(*self.changes, *changes))
        if len(labelled.current) > MOST_LABELS:
            raise ConfigError(f"{self.media_id} would have more than {MOST_LABELS} labels: take some away")
        return labelled


def parsed(assignments: Iterable[str]) -> dict[str, str]:
    """`name=value` texts as checked labels; ConfigError names everything that is wrong with them."""
    labels: dict[str, str] = {}
    problems: list[str] = []
    for text in assignments:
        name, _, value = text.partition("=")
        name, value = cleaned(name, value)
        if name in labels and labels[name] != value:
            problems.append(f"{name} is given twice: a media has one value for each label")
        problems += mistakes(name, value)
        labels[name] = value
    if problems:
        raise ConfigError(problems)
    return labels


def cleaned(name: str, value: str) -> tuple[str, str]:
    """A label as it is kept: names and channels in lower case, values in one line without blanks around them."""
    name = name.strip().lower()
    value = unicodedata.normalize("NFC", " ".join(value.split()))
    return name, value.lower() if name == CHANNEL else value


def mistakes(name: str, value: str) -> Iterator[str]:
    """What is wrong with a cleaned label, each with its cure. A value that names a person is not repeated."""
    if not _NAME.fullmatch(name):
        yield (
            f"{one_line(plain_name(name))[:LONGEST_NAME]!r} can't name a label: start with a letter from a to z, then "
            f"letters, digits, - or _, at most {LONGEST_NAME}"
        )
    elif name in RESERVED:
        yield f"{name} can't name a label: the lake has a column or an option of that name; choose another one"
    elif plain_name(value) != value:
        yield f"{name} holds an e-mail address, and labels must not name a person: use another value"
    elif one_line(value) != value:
        yield f"{name} holds a control character: leave it out"
    elif len(value) > LONGEST_VALUE:
        yield f"{name} has {len(value)} characters: write at most {LONGEST_VALUE}"
    elif name == CHANNEL and _CHANNEL_LACKS.search(value):
        yield f"{name} holds a quote or a backslash, which a channel can't have: leave it out"


def channel_rules(entries: Iterable[MediaLabels]) -> tuple[Rule, ...]:
    """The channels that were given by hand, as rules to stand above all others."""
    media: dict[str, list[str]] = {}
    for entry in entries:
        if change := entry.current.get(CHANNEL):
            media.setdefault(change.value, []).append(entry.media_id)
    return tuple(Rule(c, "media_id", f"^({'|'.join(ids)})$") for c, ids in sorted(media.items()))


@dataclass(frozen=True, slots=True)
class Labels:
    """All labels of a lake, and by media the signature of those that the tables have."""

    entries: Sequence[MediaLabels] = ()
    applied: Mapping[str, str] = field(default_factory=dict)

    @property
    def waiting(self) -> frozenset[str]:
        """Media whose tables have other labels."""
        return frozenset(e.media_id for e in self.entries if e.signature != self.applied.get(e.media_id, ""))

    @property
    def applied_all(self) -> "Labels":
        """The same once the tables have them."""
        return Labels(self.entries, self.signatures)

    @property
    def signatures(self) -> dict[str, str]:
        """What is applied once the tables have these labels."""
        signatures = {**self.applied, **{e.media_id: e.signature for e in self.entries}}
        return {media_id: signature for media_id, signature in signatures.items() if signature}
