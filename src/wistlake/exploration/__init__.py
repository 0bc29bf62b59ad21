"""Looking at the API before trusting it: what lists hold, how they end, what could serve as a watermark.

Nothing here touches the lake. Answers are kept as sample files, redacted on their way to the disk.
"""

from wistlake.exploration.probes import Asked, Look, events, incremental, media_stats, medias, visitors
from wistlake.exploration.samples import Samples

__all__ = ["Asked", "Look", "Samples", "events", "incremental", "media_stats", "medias", "visitors"]
