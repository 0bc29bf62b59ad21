"""Whether a run is traced: what OpenTelemetry's own variables say."""

from collections.abc import Mapping

from wistlake.adapters import tracing
from wistlake.pipeline.run.spec import Trace, untraced


def trace(environment: Mapping[str, str]) -> Trace:
    """Spans for OpenTelemetry, or none unless its variables ask for them."""
    wanted = tracing.spans(environment) if tracing.is_wanted(environment) else None
    return wanted or untraced
