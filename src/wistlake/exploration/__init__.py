"""Examining the API by hand: what lists hold, how they end, what could serve as a watermark.

Nothing here touches the lake. Responses are saved as sample files, redacted before they are written.
"""

from wistlake.exploration.probes import (
    ListReport,
    ProbeOptions,
    events,
    incremental,
    media_stats,
    medias,
    visitors,
)
from wistlake.exploration.samples import Samples

__all__ = [
    "ListReport",
    "ProbeOptions",
    "Samples",
    "events",
    "incremental",
    "media_stats",
    "medias",
    "visitors",
]
