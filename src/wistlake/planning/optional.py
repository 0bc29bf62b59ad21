"""Which optional datasets a run asks for: not those that the account's plan was said to lack a few days ago, and none
that costs requests for each media and day of a long list that nobody has named."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from wistlake.contracts.form import Source

FACTS = "not_in_plan"  # the ledger's document: when each dataset was refused
BELIEVED = timedelta(days=7)  # how long: then it is asked for once more, and said once more
MOST_LISTED = 200  # media of a list; more have to be named


def too_many(source: Source, media: int, *, is_listed: bool) -> bool:
    """Whether a dataset that costs requests for each media and day is left out of so many media."""
    return source.only_played and is_listed and media > MOST_LISTED


def asked(
    sources: Iterable[Source], facts: Mapping[str, Any], now: datetime, media: int, *, is_listed: bool
) -> tuple[Source, ...]:
    """The sources without those that a daily run leaves out. `is_listed`: the media are what the account lists."""
    return tuple(
        s
        for s in sources
        if not (s.optional and _is_refused(facts.get(s.name), now))
        and not too_many(s, media, is_listed=is_listed)
    )


def _is_refused(said: str | None, now: datetime) -> bool:
    return said is not None and now - datetime.fromisoformat(said) < BELIEVED


def after(
    facts: Mapping[str, Any], refused: Iterable[str], answered: Iterable[str], now: datetime
) -> dict[str, Any]:
    """The document after a run in which some datasets were refused, and others answered."""
    kept = {name: said for name, said in facts.items() if name not in set(answered)}
    return kept | dict.fromkeys(sorted(refused), now.isoformat())
