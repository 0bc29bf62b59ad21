"""Names of media for people. A media is its id: two may have one title, and are then told apart by it."""

import unicodedata
from collections import Counter
from collections.abc import Mapping


def unique(titles: Mapping[str, str], longest: int | None = None) -> dict[str, str]:
    """A name for each media that no other has: its title on one line, of at most `longest` characters, and
    its id behind it where the title alone would name several."""
    short = {m: _cut(" ".join(title.split()), longest) for m, title in titles.items()}
    marked = {m: f"{title} ({m})" for m, title in short.items()}
    uses = Counter(map(_folded, (*short.values(), *marked.values())))
    return {m: title if title and uses[_folded(title)] == 1 else marked[m] for m, title in short.items()}


def _cut(title: str, longest: int | None) -> str:
    return title if longest is None or len(title) <= longest else f"{title[: longest - 1]}…"


def _folded(title: str) -> str:
    """Titles that look alike are alike."""
    return unicodedata.normalize("NFKC", title).casefold()
