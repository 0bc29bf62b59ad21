"""The definition of each number, for tooltips."""

from wistlake.quality import metrics


def definition(name: str) -> str:
    """What the metric called `name` counts, in a sentence. KeyError if there is none."""
    return metrics.definition(name)
