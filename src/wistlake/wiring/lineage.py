"""Who hears of runs: whom the settings name."""

import os
from collections.abc import Callable
from pathlib import Path

from wistlake.adapters.lineage import OpenLineage, source_namespace, to_address, to_file
from wistlake.pipeline.run.spec import Unheard
from wistlake.ports import RunListener
from wistlake.settings import Settings


def listener(settings: Settings, key: Callable[[], str] | None = None) -> RunListener:
    """Writes or posts OpenLineage events; nobody listens unless the settings say where they go. `key` gives the
    address's key in place of the settings."""
    if not settings.lineage:
        return Unheard()
    if "://" in settings.lineage:
        set_key = settings.lineage_key.get_secret_value() if settings.lineage_key else ""
        send = to_address(settings.lineage, key or (lambda: set_key))
    else:
        send = to_file(Path(os.path.expanduser(settings.lineage)))
    return OpenLineage(send, f"wistlake-{settings.stage}", source_namespace(settings.base_url))
