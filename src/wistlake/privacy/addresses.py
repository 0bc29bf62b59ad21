"""E-mail addresses in a source's records: whose the record is, and where somebody is only mentioned.

Identity is what Wistia gives as such: `email`, `conversion_data`, `visitor_identity`, where a whole value is an
address. Anywhere else (titles, descriptions, pages) an address makes nobody that person.
"""

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from wistlake.derive.mask import ADDRESS, AT, MASK

IDENTITY = ("email", "conversion_data", "visitor_identity")
Record = Mapping[str, Any]
IsThisOne = Callable[[str], bool]  # takes a `canonical` address
_WHOLE = re.compile(
    r"""("[^"@\\]+"|[^\s@<>()\[\]\\,;:"]+)@([^\s@<>()\[\]\\,;:"/?#&=.]+(?:\.[^\s@<>()\[\]\\,;:"/?#&=.]+)+)"""
)
_NAMED = re.compile(r"[^<>]*<([^<>]*)>")
_MENTION = re.compile(ADDRESS)
_BEFORE = re.compile(r"([/?=&|#!'`*{}+]|%(25)*[2-3][0-9A-Fa-f])+")  # may be in an address; mostly before one
_BEHIND = re.compile(r"[.'`*_~]|%")
_SIGN = re.compile(AT)
_SPOKEN_AT = re.compile(r" *[(\[{<] *at *[)\]}>] *", re.IGNORECASE)
_SPOKEN_DOT = re.compile(r" *[(\[{<] *dot *[)\]}>] *", re.IGNORECASE)


def canonical(text: str) -> str:
    """The one spelling of a whole address, "" if `text` is none: in lower case, wide forms and encodings undone,
    an international domain as the network writes it."""
    plain = unicodedata.normalize("NFKC", _decoded(text)).strip()
    if named := _NAMED.fullmatch(plain):
        plain = named[1].strip()
    found = _WHOLE.fullmatch(plain.removeprefix("mailto:").lower())
    return f"{found[1]}@{_ascii(found[2])}" if found else ""


def _decoded(text: str) -> str:
    for _ in range(3):
        if "@" in text or "\uff20" in text:
            break
        text = unquote(text)
    return text


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


def identities(record: Record) -> Iterator[str]:
    """The addresses that Wistia gives as the record's person, `canonical`."""
    for name in IDENTITY:
        for text in texts(record.get(name)):
            if found := canonical(text):
                yield found


def texts(value: Any) -> Iterator[str]:
    """Every text in a payload, however deep; names of fields are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def addresses(value: Any) -> Iterator[str]:
    """Everything in a payload's texts that looks like an address, encoded ones undone."""
    for text in texts(value):
        if _SIGN.search(text):
            plain = unquote(unquote(unquote(text)))
            yield from (_BEFORE.split(found[0])[-1] for found in _MENTION.finditer(plain))


def without_mentions(record: Record, is_this_one: IsThisOne) -> Record:
    """The record with the address masked wherever it is no identity; the same object if it is nowhere."""
    kept = {
        _in_text(k, is_this_one): _masked(v, is_this_one, is_identity=k in IDENTITY)
        for k, v in record.items()
    }
    return record if kept == record else kept


def _masked(value: Any, is_this_one: IsThisOne, *, is_identity: bool) -> Any:
    if isinstance(value, str):
        return value if is_identity and canonical(value) else _in_text(value, is_this_one)
    if isinstance(value, Mapping):
        return {
            _in_text(k, is_this_one): _masked(v, is_this_one, is_identity=is_identity)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_masked(v, is_this_one, is_identity=is_identity) for v in value]
    return value


def _in_text(text: str, is_this_one: IsThisOne) -> str:
    if not _SIGN.search(text):
        return text
    return _MENTION.sub(lambda found: _in_mention(found[0], is_this_one), text)


def _in_mention(mention: str, is_this_one: IsThisOne) -> str:
    """The address may begin behind, and end before, characters that addresses may hold as well."""
    starts = [0, *(m.end() for m in _BEFORE.finditer(mention))]
    ends = [len(mention), *(m.start() for m in _BEHIND.finditer(mention))]
    for start, end in itertools.product(starts, reversed(ends)):
        whole = canonical(_spoken(mention[start:end]))
        if whole and is_this_one(whole):
            return f"{mention[:start]}{MASK}{mention[end:]}"
    return mention


def _spoken(text: str) -> str:
    """With @ and dots for (at) and (dot)."""
    return _SPOKEN_DOT.sub(".", _SPOKEN_AT.sub("@", unquote(unquote(unquote(text)))))
