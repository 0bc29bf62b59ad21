"""Text from outside: what may be quoted of it, and in which form.

A source's text may name a person, control the terminal, or forge a line of a log. Messages, manifests and the ledger
quote a name or a fingerprint (`shown_name`, `fingerprint`); text for people passes `one_line`, or `printable` where it
has line breaks of our own.
"""

import hashlib
import re
import unicodedata

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")
_JOINERS = "\u200c\u200d"  # parts of words in some scripts, and of emoji
_REPLACEMENT = "\ufffd"
# Straight ones, and those that word processors make of them.
_QUOTES = (('"', '"'), ("'", "'"), ("`", "`"), ("\u201c", "\u201d"), ("\u2018", "\u2019"))
# What a spreadsheet takes for a formula, the wide forms included that some programs read as plain ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BREAKS = re.compile(r"\r\n|[\t-\r\x1c-\x1e\x85\u2028\u2029]")


def fingerprint(text: str | bytes) -> str:
    """Eight hex digits that tell one text from another without revealing it."""
    data = text if isinstance(text, bytes) else text.encode(errors="replace")
    return hashlib.sha256(data).hexdigest()[:8]


def shown_name(name: object) -> str:
    """A field's name as it is if it is a plain one; otherwise `hidden_` and its fingerprint: keys may be
    addresses."""
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    return f"hidden_{fingerprint(str(name))}"


def one_line(text: str) -> str:
    """The text without characters that move a cursor, reverse the writing direction or end the line."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_REPLACEMENT if _has_effect(c) else c for c in _BREAKS.sub(" ", text))


def no_formula(text: str) -> str:
    """The text on one line, for CSV, with an apostrophe in front of what a spreadsheet would take for a formula. csv
    would not quote a bare carriage return, and a terminal shows what follows a line break as if it were a row."""
    return one_line(f"'{text}" if text.startswith(_FORMULA) else text)


def unquoted(text: str) -> str:
    """The text without blanks and one pair of quotation marks around it, which shells and files leave there."""
    bare = text.strip()
    for left, right in _QUOTES:
        inside = bare[1:-1]
        if len(bare) > 1 and bare[0] == left and bare[-1] == right and not {left, right} & set(inside):
            return inside.strip()
    return bare


def printable(text: str) -> str:
    """As `one_line`, but line breaks and tabs stay: they belong to our own text."""
    return re.sub(r"[^\n\t]+", lambda piece: one_line(piece[0]), text)


def _has_effect(character: str) -> bool:
    """Whether a character has an effect instead of a glyph: control, format, half a surrogate pair."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs") and character not in _JOINERS
