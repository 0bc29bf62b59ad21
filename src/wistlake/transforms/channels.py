"""Where a play came from: an ordered list of rules, first match wins.

Wistia has no such field. Plays on a platform's own player are invisible to it: a channel names where the
embedding page's visitor came from, or what the media was made for.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache

from wistlake.channel_rules import DEFAULT_RULES, EVENT_FIELDS, MEDIA_FIELDS, Rule

__all__ = ["DEFAULT_RULES", "UNCLASSIFIED", "Rule", "event_channel", "fingerprint", "media_channel"]
UNCLASSIFIED = "unclassified"


@lru_cache(maxsize=4)
def fingerprint(rules: tuple[Rule, ...]) -> str:
    """The rules as text: part of what a built day depends on, so that a run asks for it thousands of times."""
    return json.dumps([asdict(r) for r in rules], sort_keys=True)


def event_channel(rules: Iterable[Rule]) -> str:
    """SQL over an event's utm and host columns; NULL if no rule fits."""
    return _case(rules, EVENT_FIELDS)


def media_channel(rules: Iterable[Rule]) -> str:
    """SQL over a media's columns (`tags` an array); NULL if no rule fits."""
    return _case(rules, MEDIA_FIELDS)


def _case(rules: Iterable[Rule], fields: tuple[str, ...]) -> str:
    usable = [r for r in rules if r.field in fields]
    if not usable:
        return "cast(null as string)"
    # The text is in small letters: without the flag, a pattern with a capital would match nothing.
    whens = " ".join(
        f"when {_text(r.field)} rlike '(?iu){_quoted(r.pattern)}' then '{r.channel}'" for r in usable
    )
    return f"case {whens} end"


def _text(field: str) -> str:
    return f"lower({'array_join(tags, chr(10))' if field == 'tags' else field})"


def _quoted(pattern: str) -> str:
    """The pattern inside a SQL string: backslashes doubled, quotes refused by the settings."""
    return pattern.replace("\\", "\\\\").replace("'", "\\'")
