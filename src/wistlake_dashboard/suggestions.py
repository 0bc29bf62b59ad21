"""Labels that titles and folders suggest. Somebody who knows the media decides; nothing is labelled by itself."""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wistlake.quality.scope import Scope
from wistlake_dashboard.names import UNCLASSIFIED
from wistlake_dashboard.reader import rows

if TYPE_CHECKING:
    from wistlake.ports import Query

CHANNEL, CAMPAIGN, AUDIENCE = "channel", "campaign", "audience"
_MEDIA = (
    "SELECT media_id, title, folder, subfolder, channel FROM silver.dim_media WHERE NOT is_deleted"
    " ORDER BY media_id"
)
_LABELLED = "SELECT media_id, label FROM gold.dim_media_label"
# Looser than the channel rules: a person looks at what they suggest.
_CHANNELS = (
    ("facebook", r"facebook|\bfb|\bmeta\b"),
    ("instagram", r"insta|\big\b|\breels?\b"),
    ("youtube", r"you ?tube|\byt|\bshorts\b"),
    ("linkedin", r"linked ?in|lnkd"),
    ("tiktok", r"tik ?tok"),
    ("email", r"\be-?mail|newsletter|mailing"),
    ("google", r"google|adwords"),
    ("website", r"website|home ?page|landing ?page"),
)
_AUDIENCES = (
    ("returning", r"re-?target|re-?market|\bwarm\b|\bexisting\b|\breturning\b"),
    ("new", r"\bcold\b|prospecting|\bnew (customer|visitor|user|lead)s?\b|first[- ]time"),
)
_SEPARATOR = re.compile(r"\s+[-\u2013\u2014|/]\s+|:\s+")  # between the parts of a title
_SHORTEST, _LONGEST = 3, 100  # characters of a part that may name a campaign
MASK = "[masked]"  # in place of an address


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A label for a media, and why."""

    media_id: str
    title: str
    label: str
    value: str
    why: str

    @property
    def command(self) -> str:
        """The command that follows it."""
        return f"wistlake media label {self.media_id} {shlex.quote(f'{self.label}={self.value}')}"


@dataclass(frozen=True, slots=True)
class Described:
    """A media as its title and folders describe it."""

    media_id: str
    title: str = ""
    folder: str = ""
    subfolder: str = ""
    channel: str = UNCLASSIFIED

    @property
    def texts(self) -> Mapping[str, str]:
        """What is looked at, by its name, the nearest to the media first."""
        return {"title": self.title, "subfolder": self.subfolder, "folder": self.folder}

    @property
    def parts(self) -> Iterator[tuple[str, str]]:
        """What may name a campaign: the title's beginning, and the folders; with what it is."""
        first, *rest = _SEPARATOR.split(self.title)
        if rest:
            yield first.strip(), "titles begin with"
        yield self.subfolder.strip(), "are in the subfolder"
        yield self.folder.strip(), "are in the folder"


def media(query: "Query") -> tuple[Described, ...]:
    """The media that are not deleted, as they are published."""
    return tuple(Described(**{k: v or "" for k, v in row.items()}) for row in rows(query, _MEDIA))


def labelled(query: "Query") -> frozenset[tuple[str, str]]:
    """Each (media, label) that is published."""
    return frozenset((r["media_id"], r["label"]) for r in rows(query, _LABELLED))


def suggestions(query: "Query") -> tuple[Suggestion, ...]:
    """What the published titles and folders suggest for media that lack the label."""
    return suggested(media(query), labelled(query))


def of_all(query: "Query", _scope: Scope) -> tuple[Suggestion, ...]:
    """`suggestions`, as a figure."""
    return suggestions(query)


def suggested(media: Sequence[Described], labelled: Iterable[tuple[str, str]] = ()) -> tuple[Suggestion, ...]:
    """Suggestions by media and label. A channel only where no rule fits; a campaign only where several media share
    what names it, and others don't."""
    taken = frozenset(labelled)
    shared = _shared(media)
    return tuple(
        s for m in media for rule in _RULES for s in rule(m, shared) if (m.media_id, s.label) not in taken
    )


Shared = Mapping[str, int]
_Rule = Callable[[Described, Shared], Iterator[Suggestion]]


def _channel(of: Described, _shared: Shared) -> Iterator[Suggestion]:
    if of.channel == UNCLASSIFIED:
        yield from _by_words(of, CHANNEL, _CHANNELS)


def _campaign(of: Described, shared: Shared) -> Iterator[Suggestion]:
    for text, what in of.parts:
        value = _slug(text)
        if value in shared:
            yield Suggestion(of.media_id, of.title, CAMPAIGN, value, f"{shared[value]} {what} “{text}”")
            return


def _audience(of: Described, _shared: Shared) -> Iterator[Suggestion]:
    yield from _by_words(of, AUDIENCE, _AUDIENCES)


_RULES: tuple[_Rule, ...] = (_channel, _campaign, _audience)


def _by_words(of: Described, label: str, words: Iterable[tuple[str, str]]) -> Iterator[Suggestion]:
    """The first value whose words are in the title or a folder."""
    words = tuple(words)
    for name, text in of.texts.items():
        for value, pattern in words:
            if match := re.search(pattern, text, re.IGNORECASE):
                yield Suggestion(of.media_id, of.title, label, value, f"the {name} has “{match[0]}”")
                return


def _shared(media: Sequence[Described]) -> Shared:
    """How many media have a part in common, by the campaign that it would name: more than one, and not all."""
    counts: dict[str, int] = {}
    for of in media:
        for value in {_slug(text) for text, _ in of.parts}:
            counts[value] = counts.get(value, 0) + 1
    return {
        v: n for v, n in counts.items() if 1 < n < len(media) and len(v) >= _SHORTEST and not _is_channel(v)
    }


def _is_channel(value: str) -> bool:
    """Whether a part names a channel, and hence no campaign."""
    return any(
        re.fullmatch(rf"({pattern})[\W_]*(ads?|videos?)?", value, re.IGNORECASE) for _, pattern in _CHANNELS
    )


def _slug(text: str) -> str:
    """`Spring Sale` as `spring-sale`; "" for what can't be a label, such as a text with a masked address."""
    slug = re.sub(r"[\s_]+", "-", text.lower()).strip("-")
    return "" if MASK in slug or len(slug) > _LONGEST else slug
