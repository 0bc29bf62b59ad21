"""Spans of a run for OpenTelemetry: off unless its variables are set, and never in a run's way."""

import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from support.memory import MemoryLedger, MemoryObjects, RecordingNotifier
from wistlake.adapters.tracing import ENDPOINTS, Spans, is_wanted
from wistlake.contracts import source
from wistlake.errors import SourceRefused
from wistlake.pipeline.run import driver
from wistlake.pipeline.run.spec import Dependencies, MediaChoice, RunSpec, Trace, untraced
from wistlake.planning.plan import Window
from wistlake.wiring.tracing import trace
from wistlake.zones import zone

NOW = datetime(2026, 3, 4, 2, 15, tzinfo=UTC)
SPEC = RunSpec(
    "now", "scheduled", "live", "UTC", Window(NOW, zone("UTC"), 7), (source("events"),), MediaChoice(), build_only=True
)  # fmt: skip


class Listing:
    """A client whose account has no media, or which fails."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def list_media(self, folder: str | None = None, tag: str | None = None) -> list[dict[str, Any]]:
        raise self._error or SourceRefused("the token is refused")


def parts(traced: Trace, error: Exception | None = None) -> Dependencies:
    @asynccontextmanager
    async def client() -> AsyncIterator[Any]:
        yield Listing(error)

    engine: Any = None
    return Dependencies(
        MemoryObjects(), MemoryLedger(), engine, lambda: (b"k" * 32,), lambda: NOW, client, RecordingNotifier(),
        time.monotonic, trace=traced,
    )  # fmt: skip


def test_a_run_and_its_steps_are_spans_of_one_trace() -> None:
    exporter = InMemorySpanExporter()
    driver.run(SPEC, parts(Spans(exporter, "wistlake")))
    ended = {span.name: span for span in exporter.get_finished_spans()}
    run = ended.pop("wistlake.run")
    assert dict(run.attributes or {}) == {"wistlake.run_id": "now", "wistlake.trigger": "scheduled"}
    assert run.resource.attributes["service.name"] == "wistlake"
    assert set(ended) == {"wistlake.build", "wistlake.publish"}
    assert {span.parent and span.parent.span_id for span in ended.values()} == {
        run.context and run.context.span_id
    }
    assert run.status.is_ok


@pytest.mark.parametrize(
    ("error", "told"),
    [(None, "the token is refused"), (RuntimeError("of jane@example.com"), "RuntimeError")],
)
def test_a_failure_is_told_without_what_others_say_of_it(error: Exception | None, told: str) -> None:
    exporter = InMemorySpanExporter()
    with pytest.raises((SourceRefused, RuntimeError)):
        driver.run(replace(SPEC, build_only=False), parts(Spans(exporter), error))
    ended = {span.name: span for span in exporter.get_finished_spans()}
    assert set(ended) == {"wistlake.run", "wistlake.select"}
    for span in ended.values():
        assert (span.status.is_ok, span.status.description, span.events) == (False, told, ())


class Broken(SpanExporter):
    """Refuses, breaks or never ends."""

    def __init__(self, way: Any) -> None:
        self.way = way

    def export(self, spans: Any) -> SpanExportResult:
        result: SpanExportResult = self.way()
        return result


def breaks() -> SpanExportResult:
    raise OSError("no route")


@pytest.mark.parametrize("way", [lambda: SpanExportResult.FAILURE, breaks, lambda: Event().wait(30)])
def test_a_dead_collector_changes_nothing(way: Any) -> None:
    plain, traced = parts(untraced), parts(Spans(Broken(way), seconds=0.3))
    began = time.monotonic()
    with capture_logs() as logs:
        assert driver.run(SPEC, traced).status == driver.run(SPEC, plain).status
    assert time.monotonic() - began < 3
    assert traced.ledger.runs() == plain.ledger.runs()
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["spans_not_delivered"]


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        *(({name: "http://127.0.0.1:4318"}, True) for name in ENDPOINTS),
        ({ENDPOINTS[1]: "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({ENDPOINTS[1]: "http://127.0.0.1:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({ENDPOINTS[1]: ""}, False),
    ],
)
def test_the_standard_variables_switch_it(environment: dict[str, str], wanted: bool) -> None:
    assert is_wanted(environment) is wanted
    assert (trace(environment) is not untraced) is wanted


def test_without_the_packages_a_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with capture_logs() as logs:
        assert trace({ENDPOINTS[1]: "http://127.0.0.1:4318"}) is untraced
    assert "wistlake[otel]" in logs[0]["event"]


@pytest.fixture
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """A collector of OTLP over HTTP."""
    taken: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(
                ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
            )
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", taken
        server.shutdown()


def test_spans_reach_a_collector_under_the_service_name_that_is_set(
    collector: tuple[str, list[ExportTraceServiceRequest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, taken = collector
    for service in ("", "nightly"):
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_SERVICE_NAME": service}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        driver.run(SPEC, parts(trace(environment)))
    sent = [resource for request in taken for resource in request.resource_spans]
    names = [{a.key: a.value.string_value for a in r.resource.attributes}["service.name"] for r in sent]
    assert names == ["wistlake", "nightly"]
    assert {s.name for r in sent for scope in r.scope_spans for s in scope.spans} == {
        "wistlake.run", "wistlake.build", "wistlake.publish",
    }  # fmt: skip
