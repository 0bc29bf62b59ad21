"""Words that came from elsewhere: what may be repeated of them, and in which form.

A source's texts may hold a person, an order to the terminal, or a forged line of a log. Messages, manifests and
the ledger repeat a name or a fingerprint (`shown_name`, `fingerprint`); whatever people read is `one_line`, or
`printable` where our own line breaks are in it.
"""

import hashlib
import re
import unicodedata

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")
_JOINERS = "\u200c\u200d"  # parts of words in some scripts, and of emoji
_REPLACEMENT = "\ufffd"
# Straight ones, and those that word processors make of them.
_QUOTES = (('"', '"'), ("'", "'"), ("`", "`"), ("\u201c", "\u201d"), ("\u2018", "\u2019"))
_BREAKS = re.compile(r"\r\n|[\t-\r\x1c-\x1e\x85\u2028\u2029]")


def fingerprint(text: str | bytes) -> str:
    """Eight hex digits that tell one text from another, and say nothing of it."""
    data = text if isinstance(text, bytes) else text.encode(errors="replace")
    return hashlib.sha256(data).hexdigest()[:8]


def shown_name(name: object) -> str:
    """A field's name as it is if it is a plain one; otherwise `hidden_` and its fingerprint: keys may be
    addresses."""
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    return f"hidden_{fingerprint(str(name))}"


def one_line(text: str) -> str:
    """The text without anything that moves a cursor, turns the writing around or ends the line."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_REPLACEMENT if _acts(c) else c for c in _BREAKS.sub(" ", text))


def unquoted(text: str) -> str:
    """The text without blanks and one pair of quotation marks around it, which shells and files leave there."""
    bare = text.strip()
    for left, right in _QUOTES:
        inside = bare[1:-1]
        if len(bare) > 1 and bare[0] == left and bare[-1] == right and not {left, right} & set(inside):
            return inside.strip()
    return bare


def printable(text: str) -> str:
    """As `one_line`, but line breaks and tabs stay: they are those of our own sentences."""
    return re.sub(r"[^\n\t]+", lambda piece: one_line(piece[0]), text)


def _acts(character: str) -> bool:
    """Whether a character does something instead of showing: control, format, half a surrogate pair."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs") and character not in _JOINERS
