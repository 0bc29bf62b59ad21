"""A source that answers nobody is noticed once: not by every listing of a run, nor by every function.

Each dataset is an endpoint of its own, which may be down alone.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from wistlake.errors import SourceNotInPlan, SourceUnavailable
from wistlake.ports import Ledger

IN_A_ROW = 5  # listings that nobody answered: each was tried again for minutes
BELIEVED = timedelta(minutes=5)  # how long other processes take its word
_FACTS = "outage"  # the ledger's document: until when each dataset is believed to be down


@dataclass(slots=True)
class Outage:
    """How many listings of each dataset in a row had no answer. `told` are datasets that another process found down."""

    told: frozenset[str] = frozenset()
    unanswered: Counter[str] = field(default_factory=Counter)
    not_in_plan: dict[str, str] = field(default_factory=dict)  # what Wistia said, by dataset

    def require(self, dataset: str) -> None:
        """Without asking: SourceUnavailable if the dataset is down, SourceNotInPlan if the plan lacks it."""
        if refusal := self.not_in_plan.get(dataset):
            raise SourceNotInPlan(refusal)
        if self.is_down(dataset):
            raise SourceUnavailable(
                f"Wistia did not answer {IN_A_ROW} listings of {dataset} in a row: the others were not asked for. "
                "Run again later"
            )

    def is_down(self, dataset: str) -> bool:
        """Whether asking again would be in vain."""
        return dataset in self.told or self.unanswered[dataset] >= IN_A_ROW

    def note(self, dataset: str, *, answered: bool) -> None:
        """A listing has ended: any answer, a refusal too, begins the count anew."""
        self.unanswered[dataset] = 0 if answered else self.unanswered[dataset] + 1

    @property
    def found(self) -> frozenset[str]:
        """The datasets that this process found down by itself: what it was told, it does not repeat."""
        return frozenset(d for d, n in self.unanswered.items() if n >= IN_A_ROW) - self.told


def told(ledger: Ledger, wall: datetime) -> frozenset[str]:
    """The datasets that some process has found down lately."""
    until = ledger.facts(_FACTS)
    return frozenset(d for d, moment in until.items() if datetime.fromisoformat(moment) > wall)


def tell(ledger: Ledger, datasets: Iterable[str], wall: datetime) -> None:
    """Let other processes know that these are down."""
    if fresh := dict.fromkeys(datasets, (wall + BELIEVED).isoformat()):
        ledger.put_facts(_FACTS, {**ledger.facts(_FACTS), **fresh})
