"""What `wistlake rebuild` does, in this process."""

from datetime import datetime

from support.lake import Lake
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.adapters.local.objects import LocalObjects
from wistlake.pipeline.jobs.rebuild import invalidate_builds
from wistlake.pipeline.run.result import RunResult


def rebuild(lake: Lake, now: datetime) -> RunResult:
    """Build every landing that bronze holds anew."""
    ledger = SqliteLedger(LakeFolder(lake.folder).ledger)
    count, expired = invalidate_builds(ledger, LocalObjects(lake.folder))
    assert count
    assert not expired
    media = tuple(m.media_id for m in ledger.media() if m.retired_at is None)
    return lake.run_day(now, build_only=True, media=media, trigger="rebuild")
