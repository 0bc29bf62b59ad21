"""How far a published day can be trusted, in four steps."""

from collections.abc import Iterable
from enum import StrEnum

from wistlake.quality.reconciliation import Judgement, Verdict


class Certificate(StrEnum):
    """open → provisional → settled → certified. Open days are not in gold."""

    OPEN = "open"
    PROVISIONAL = "provisional"
    SETTLED = "settled"
    CERTIFIED = "certified"


def certify(*, past_lookback: bool, confirmed: bool, judgements: Iterable[Judgement]) -> Certificate:
    """The certificate of a published day.

    `past_lookback`: no later run will ask for it again. `confirmed`: its newest two observations agree.
    """
    if not (past_lookback and confirmed):
        return Certificate.PROVISIONAL
    if all(j.verdict is not Verdict.BROKEN for j in judgements):
        return Certificate.CERTIFIED
    return Certificate.SETTLED
