"""The end of forgetting: search the whole lake for the person once more, and write down what was done."""

import hashlib
import json
from typing import Any

from wistlake.errors import ErasureIncomplete
from wistlake.pipeline.jobs.forget.request import Work

RECEIPTS = "receipts"


def verify(work: Work, ids: frozenset[str]) -> None:
    """ErasureIncomplete if the lake still names the person anywhere."""
    hits = work.search(work.texts | ids)
    if hits:
        places = ", ".join(f"{place} ({count})" for place, count in sorted(hits.items())[:5])
        raise ErasureIncomplete(
            f"the second look still finds the person in {places}: give the same order again"
        )
    work.facts["second_look"] = "nothing found"


def make(work: Work, *, dry_run: bool) -> dict[str, Any]:
    """The receipt; written among the lake's objects unless it is a `dry_run`."""
    content = {
        "receipt": work.spec.run_id,
        "at": work.spec.window.now.isoformat(),
        "asked_by": "tombstones" if work.who is None else "email" if work.who.email else "visitor key",
        "dry_run": dry_run,
        **work.facts,
    }
    text = json.dumps(content, sort_keys=True, default=str)
    receipt = {**json.loads(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    if not dry_run:
        key = f"{RECEIPTS}/{work.spec.run_id}.json"
        work.deps.objects.put(key, json.dumps(receipt, indent=1, sort_keys=True).encode())
    return receipt
