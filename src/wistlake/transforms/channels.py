"""Where a play came from: an ordered list of rules, first match wins.

Wistia has no such field. Plays on a platform's own player are invisible to it: a channel names where the
embedding page's visitor came from, or what the media was made for.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

UNCLASSIFIED = "unclassified"
EVENT_FIELDS = ("utm_source", "utm_medium", "utm_campaign", "embed_host")
MEDIA_FIELDS = ("tags", "folder", "subfolder", "title")


@dataclass(frozen=True, slots=True)
class Rule:
    """`channel` if the text of `field` matches the regular expression `pattern`, case-insensitively."""

    channel: str
    field: str
    pattern: str


_PLATFORMS = (
    ("youtube", "youtube|yt", r"youtube\.com|youtu\.be"),
    ("facebook", "facebook|fb|meta", r"facebook\.com|fb\.com"),
    ("instagram", "instagram|ig", r"instagram\.com"),
    ("linkedin", "linkedin", r"linkedin\.com|lnkd\.in"),
    ("tiktok", "tiktok", r"tiktok\.com"),
)

DEFAULT_RULES: tuple[Rule, ...] = (
    Rule("email", "utm_medium", r"^(e-?mail|newsletter)$"),
    *(Rule(name, "utm_source", rf"^({words})([^a-z0-9]|$)") for name, words, _ in _PLATFORMS),
    Rule("google", "utm_source", r"^(google|adwords|googleads)"),
    Rule("paid", "utm_medium", r"^(cpc|ppc|paid.*|display)$"),
    *(Rule(name, "embed_host", rf"(^|\.)({hosts})$") for name, _, hosts in _PLATFORMS),
    *(
        Rule(name, field, rf"(^|[^a-z0-9])({words})([^a-z0-9]|$)")
        for field in MEDIA_FIELDS
        for name, words, _ in _PLATFORMS
    ),
)


def fingerprint(rules: Iterable[Rule]) -> str:
    """The rules as text: part of what a built day depends on."""
    return json.dumps([asdict(r) for r in rules], sort_keys=True)


def event_channel(rules: Iterable[Rule]) -> str:
    """SQL over an event's utm and host columns; NULL if no rule fits."""
    return _case(rules, EVENT_FIELDS)


def media_channel(rules: Iterable[Rule]) -> str:
    """SQL over a media's columns (`tags` an array); NULL if no rule fits."""
    return _case(rules, MEDIA_FIELDS)


def _case(rules: Iterable[Rule], fields: tuple[str, ...]) -> str:
    chosen = [r for r in rules if r.field in fields]
    if not chosen:
        return "cast(null as string)"
    whens = " ".join(f"when {_text(r.field)} rlike '{_quoted(r.pattern)}' then '{r.channel}'" for r in chosen)
    return f"case {whens} end"


def _text(field: str) -> str:
    return f"lower({'array_join(tags, chr(10))' if field == 'tags' else field})"


def _quoted(pattern: str) -> str:
    """The pattern inside a SQL string: backslashes doubled, quotes refused by the settings."""
    return pattern.replace("\\", "\\\\").replace("'", "\\'")
