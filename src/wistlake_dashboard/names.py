"""Names of media and channels for people. A media is its id: two may have one title, and are then told apart by it."""

import unicodedata
from collections import Counter
from collections.abc import Mapping

from wistlake_dashboard import locales

UNCLASSIFIED = "unclassified"
OTHER = "other / unknown"
_CHANNELS = {
    UNCLASSIFIED: OTHER, "facebook": "Facebook", "youtube": "YouTube", "instagram": "Instagram",
    "linkedin": "LinkedIn", "tiktok": "TikTok", "google": "Google", "email": "Email", "paid": "Paid",
}  # fmt: skip


def channel(name: str) -> str:
    """A channel as people write it."""
    return _CHANNELS.get(name, name) or OTHER


def country(code: str) -> str:
    """A country as people write it; its code where there is no better name."""
    return locales.country(code)


def quoted(title: str, longest: int = 48) -> str:
    """A title in a sentence."""
    return f"“{_cut(' '.join(title.split()), longest)}”"


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
