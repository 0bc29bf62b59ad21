"""Spans of a run for OpenTelemetry, where its own variables say where they go. No failure here fails a run."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from wistlake.adapters.notify import deliver_within
from wistlake.errors import WistlakeError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_SECONDS = 3.0  # that a run waits for its spans to be taken

_log = structlog.get_logger(__name__)


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether OpenTelemetry's variables ask for spans: an endpoint, and neither of the two that switch them off."""
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    none = environment.get("OTEL_TRACES_EXPORTER", "otlp") == "none"
    return not (off or none) and any(environment.get(name) for name in ENDPOINTS)


class Spans:
    """Each call is a span around a block, within the one around it. When the outermost ends all are exported, for
    which it waits a few seconds."""

    def __init__(self, exporter: "SpanExporter", service: str = "", seconds: float = _SECONDS) -> None:
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

        ended: list[ReadableSpan] = []

        class Collector(SpanProcessor):
            def on_end(self, span: "ReadableSpan") -> None:
                ended.append(span)

        resource = Resource.create({SERVICE_NAME: service} if service else {})
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(Collector())
        self._tracer = provider.get_tracer("wistlake")
        self._exporter, self._ended, self._seconds, self._depth = exporter, ended, seconds, 0

    @contextmanager
    def __call__(self, name: str, **facts: str) -> Iterator[None]:
        """A span called `name` with these facts. Of an error that is not ours only the name is told."""
        from opentelemetry.trace import Status, StatusCode

        attributes = {f"wistlake.{key}": value for key, value in facts.items()}
        self._depth += 1
        try:
            with self._tracer.start_as_current_span(
                f"wistlake.{name}",
                attributes=attributes,
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                try:
                    yield
                except BaseException as e:
                    kind = type(e).__name__
                    span.set_attribute("error.type", kind)
                    span.set_status(
                        Status(StatusCode.ERROR, str(e) if isinstance(e, WistlakeError) else kind)
                    )
                    raise
        finally:
            self._depth -= 1
            if not self._depth:
                deliver_within(self._seconds, "opentelemetry", self._export, "spans")

    def _export(self) -> None:
        from opentelemetry.sdk.trace.export import SpanExportResult

        batch = self._ended[:]
        self._ended.clear()
        if self._exporter.export(batch) is not SpanExportResult.SUCCESS:
            raise ConnectionError("the collector did not take them")


def spans(environment: Mapping[str, str]) -> Spans | None:
    """Spans to the endpoint of OpenTelemetry's variables; None, with a warning, if that can't be."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # its errors come with tracebacks
        is_named = environment.get("OTEL_SERVICE_NAME") or "service.name=" in environment.get(
            "OTEL_RESOURCE_ATTRIBUTES", ""
        )
        return Spans(OTLPSpanExporter(), "" if is_named else "wistlake")
    except ModuleNotFoundError:
        _log.warning("no spans: an OTLP endpoint is set, and needs pip install 'wistlake[otel]'")
    except Exception as e:  # a variable that the exporter does not take must not fail the run
        _log.warning("no spans: OpenTelemetry does not take its variables", reason=type(e).__name__)
    return None
