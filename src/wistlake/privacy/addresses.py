"""E-mail addresses in a source's records: the address of the record's person, and mentions of anybody.

A whole value in `email`, `conversion_data` or `visitor_identity` identifies the record's person. An address anywhere
else (titles, descriptions, pages) is a mention.
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
IsForgotten = Callable[[str], bool]  # takes a `canonical` address
_WHOLE = re.compile(
    r"""("[^"@\\]+"|[^\s@<>()\[\]\\,;:"]+)@([^\s@<>()\[\]\\,;:"/?#&=.]+(?:\.[^\s@<>()\[\]\\,;:"/?#&=.]+)+)"""
)
_NAMED = re.compile(r"[^<>]*<([^<>]*)>")
_MENTION = re.compile(ADDRESS)
_BEFORE = re.compile(r"([/?=&|#!'`*{}+]|%(25)*[2-3][0-9A-Fa-f])+")  # separators, but allowed in addresses
_BEHIND = re.compile(r"[.'`*_~]|%")
_SIGN = re.compile(AT)
_SPOKEN_AT = re.compile(r" *[(\[{<] *at *[)\]}>] *", re.IGNORECASE)
_SPOKEN_DOT = re.compile(r" *[(\[{<] *dot *[)\]}>] *", re.IGNORECASE)


def canonical(text: str) -> str:
    """The normal form of a text that is an address as a whole, "" for any other: in lower case, with wide forms and
    encodings undone, and an international domain in ASCII."""
    plain = unicodedata.normalize("NFKC", _decoded(text)).strip()
    if named := _NAMED.fullmatch(plain):
        plain = named[1].strip()
    match = _WHOLE.fullmatch(plain.removeprefix("mailto:").lower())
    return f"{match[1]}@{_ascii(match[2])}" if match else ""


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
    """The `canonical` addresses that identify the record's person."""
    for name in IDENTITY:
        for text in texts(record.get(name)):
            if address := canonical(text):
                yield address


def texts(value: Any) -> Iterator[str]:
    """Every text value in a payload, at any depth; names of fields are not included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def addresses(value: Any) -> Iterator[str]:
    """Everything in a payload's texts that looks like an address, decoded."""
    for text in texts(value):
        if _SIGN.search(text):
            plain = unquote(unquote(unquote(text)))
            yield from (_BEFORE.split(match[0])[-1] for match in _MENTION.finditer(plain))


def without_mentions(record: Record, is_forgotten: IsForgotten) -> Record:
    """The record with all mentions of forgotten addresses masked; the same object if there are none."""
    masked = {
        _in_text(k, is_forgotten): _masked(v, is_forgotten, is_identity=k in IDENTITY)
        for k, v in record.items()
    }
    return record if masked == record else masked


def _masked(value: Any, is_forgotten: IsForgotten, *, is_identity: bool) -> Any:
    if isinstance(value, str):
        return value if is_identity and canonical(value) else _in_text(value, is_forgotten)
    if isinstance(value, Mapping):
        return {
            _in_text(k, is_forgotten): _masked(v, is_forgotten, is_identity=is_identity)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_masked(v, is_forgotten, is_identity=is_identity) for v in value]
    return value


def _in_text(text: str, is_forgotten: IsForgotten) -> str:
    if not _SIGN.search(text):
        return text
    return _MENTION.sub(lambda match: _in_mention(match[0], is_forgotten), text)


def _in_mention(mention: str, is_forgotten: IsForgotten) -> str:
    """Characters that an address may contain may also separate it from the text around: try every part."""
    starts = [0, *(m.end() for m in _BEFORE.finditer(mention))]
    ends = [len(mention), *(m.start() for m in _BEHIND.finditer(mention))]
    for start, end in itertools.product(starts, reversed(ends)):
        plain = unquote(unquote(unquote(mention[start:end])))
        whole = canonical(_SPOKEN_DOT.sub(".", _SPOKEN_AT.sub("@", plain)))  # (at) and (dot), too
        if whole and is_forgotten(whole):
            return f"{mention[:start]}{MASK}{mention[end:]}"
    return mention
