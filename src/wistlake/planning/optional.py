"""Which optional datasets a run asks for: not those that the account's plan was said to lack a few days ago, and none
that costs requests for each media and day of a long list that nobody has named."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from wistlake.contracts.form import Source

FACTS = "not_in_plan"  # the ledger's document: when each dataset was refused
BELIEVED = timedelta(days=7)  # how long: then it is asked for once more, and said once more
MOST_LISTED = 200  # media of a list; more have to be named


@dataclass(frozen=True, slots=True)
class Refusal:
    """A dataset that the account's plan was said to lack, and from when on it is asked for again."""

    dataset: str
    said_at: datetime
    asked_again_at: datetime


def refusals(facts: Mapping[str, Any]) -> list[Refusal]:
    """What the document says, by dataset."""
    refused = {name: datetime.fromisoformat(at) for name, at in sorted(facts.items())}
    return [Refusal(name, at, at + BELIEVED) for name, at in refused.items()]


def left_out(
    sources: Iterable[Source], facts: Mapping[str, Any], now: datetime, media: int, *, is_listed: bool
) -> dict[str, str]:
    """The datasets that a run does not ask for, and why. `is_listed`: the media are what the account lists."""
    refused = {r.dataset: r for r in refusals(facts) if now < r.asked_again_at}
    reasons = {}
    for source in sources:
        if source.optional and source.name in refused:
            again = refused[source.name].asked_again_at
            reasons[source.name] = f"not in your plan; it is asked for again after {again:%Y-%m-%d}"
        elif source.only_played and is_listed and media > MOST_LISTED:
            reasons[source.name] = (
                f"{media:,} media cost as many requests a day, or more; name those that matter in MEDIA_IDS"
            )
    return reasons


def after(
    facts: Mapping[str, Any], refused: Iterable[str], answered: Iterable[str], now: datetime
) -> dict[str, Any]:
    """The document after a run in which some datasets were refused, and others answered."""
    remaining = {name: at for name, at in facts.items() if name not in set(answered)}
    return remaining | dict.fromkeys(sorted(refused), now.isoformat())
