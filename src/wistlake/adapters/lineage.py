"""OpenLineage events of runs, to a file or an HTTP address. No failure here fails a run, or delays it for long.

The events are plain JSON: OpenLineage's own client would bring an HTTP library and its settings into each function.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from wistlake.adapters.notify import deliver_within, post
from wistlake.contracts import TABLES
from wistlake.contracts.form import Source
from wistlake.derive.spark import SPARK
from wistlake.ports import Run, RunListener

PRODUCER = "urn:wistlake"
_SPEC = "https://openlineage.io/spec"
_EVENT = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = {
    "schema": "1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
    "documentation": "1-1-0/DocumentationDatasetFacet.json#/$defs/DocumentationDatasetFacet",
    "outputStatistics": "1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet",
    "errorMessage": "1-0-1/ErrorMessageRunFacet.json#/$defs/ErrorMessageRunFacet",
    "jobType": "2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
}
_SECONDS = 3.0  # that a run waits for one event
_FAILED = "failed"
_WRITTEN = ("new", "updated")  # rows of an outcome that are in the table

Send = Callable[[dict[str, Any]], None]


class OpenLineage(RunListener):
    """Sends an event when a run begins, and one when it has ended. `namespace` is that of the job and of the tables,
    `source` is Wistia's address."""

    def __init__(self, send: Send, namespace: str, source: str, seconds: float = _SECONDS) -> None:
        self._send, self._namespace, self._source, self._seconds = send, namespace, source, seconds

    def began(self, run: Run, sources: Sequence[Source]) -> None:
        self._deliver(self._event("START", run, run.started_at, sources))

    def ended(self, run: Run, sources: Sequence[Source], changes: Mapping[str, Mapping[str, int]]) -> None:
        kind = "FAIL" if run.status == _FAILED else "COMPLETE"
        event = self._event(kind, run, run.ended_at or run.started_at, sources)
        event["outputs"] = [self._output(t, changes[t.full_name]) for t in TABLES if t.full_name in changes]
        if run.error:
            message = {"message": run.error, "programmingLanguage": "python"}
            event["run"]["facets"] = {"errorMessage": _facet("errorMessage", message)}
        self._deliver(event)

    def _deliver(self, event: dict[str, Any]) -> None:
        deliver_within(self._seconds, "lineage", lambda: self._send(event), "event")

    def _event(self, kind: str, run: Run, at: datetime, sources: Sequence[Source]) -> dict[str, Any]:
        job_type = {"processingType": "BATCH", "integration": "WISTLAKE", "jobType": "RUN"}
        return {
            "eventType": kind,
            "eventTime": at.astimezone(UTC).isoformat(),
            "producer": PRODUCER,
            "schemaURL": _EVENT,
            "run": {"runId": run_uuid(run.run_id)},
            "job": {
                "namespace": self._namespace,
                "name": f"wistlake.{run.trigger}",
                "facets": {"jobType": _facet("jobType", job_type)},
            },
            "inputs": [self._input(source) for source in sources],
            "outputs": [],
        }

    def _input(self, source: Source) -> dict[str, Any]:
        fields = [{"name": f.path, "type": str(f.type), "description": f.doc} for f in source.fields]
        return _dataset(self._source, source.name, source.doc, fields)

    def _output(self, table: Any, counts: Mapping[str, int]) -> dict[str, Any]:
        fields = [{"name": c.name, "type": SPARK[c.type], "description": c.doc} for c in table.columns]
        written = {"rowCount": sum(counts.get(name, 0) for name in _WRITTEN)}
        dataset = _dataset(self._namespace, table.full_name, table.doc, fields)
        return {**dataset, "outputFacets": {"outputStatistics": _facet("outputStatistics", written)}}


def run_uuid(run_id: str) -> str:
    """The UUID under which a catalog of lineage has the run."""
    return str(uuid5(NAMESPACE_URL, f"{PRODUCER}:{run_id}"))


def to_file(path: Path) -> Send:
    """Appends each event as a line."""

    def send(event: dict[str, Any]) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event, separators=(",", ":")) + "\n")

    return send


def to_address(url: str, key: Callable[[], str]) -> Send:
    """Posts each event, with the key as a bearer token if there is one. It is asked for with each event."""

    def send(event: dict[str, Any]) -> None:
        token = key()
        post(url, event, _SECONDS, {"Authorization": f"Bearer {token}"} if token else {})

    return send


def source_namespace(base_url: str) -> str:
    """Wistia's address without its path."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}"


def _dataset(namespace: str, name: str, doc: str, fields: list[dict[str, str]]) -> dict[str, Any]:
    facets = {
        "schema": _facet("schema", {"fields": fields}),
        "documentation": _facet("documentation", {"description": doc}),
    }
    return {"namespace": namespace, "name": name, "facets": facets}


def _facet(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"_producer": PRODUCER, "_schemaURL": f"{_SPEC}/facets/{_FACETS[name]}", **values}
