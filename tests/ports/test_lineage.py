"""OpenLineage events of runs: valid by OpenLineage's own model, alike on both kinds of lake; a dead collector changes
nothing."""

import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, RunEvent, RunState
from openlineage.client.event_v2 import Run as LineageRun
from openlineage.client.facet_v2 import (
    documentation_dataset,
    error_message_run,
    job_type_job,
    output_statistics_output_dataset,
    schema_dataset,
)
from openlineage.client.serde import Serde
from structlog.testing import capture_logs

from support.lake import Lake, Scenario
from support.memory import MemoryLedger, MemoryObjects, RecordingNotifier
from support.receiver import Receiver
from support.some import some
from wistia_simulator import Profile
from wistlake.adapters.lineage import OpenLineage, Send, run_uuid, source_namespace, to_address, to_file
from wistlake.contracts import source
from wistlake.contracts import table as contract
from wistlake.errors import SourceRefused, StoreError
from wistlake.pipeline.run import driver
from wistlake.pipeline.run.handover import Verdicts, encode_verdicts, verdicts_key
from wistlake.pipeline.run.spec import Dependencies, MediaChoice, RunSpec, Unheard
from wistlake.pipeline.run.stages import StepFailed, end_idle, plan_run, publish_run
from wistlake.pipeline.tables import BuildResult
from wistlake.planning.intervals import MediaEntry
from wistlake.planning.plan import Window
from wistlake.ports import Run, TableRef
from wistlake.settings import ArgumentsOnly
from wistlake.wiring import aws
from wistlake.wiring.lineage import listener
from wistlake.wiring.runtime import Runtime
from wistlake.zones import zone

NOW = datetime(2026, 3, 4, 2, 15, tzinfo=UTC)
SPEC = RunSpec(
    "now", "scheduled", "live", "UTC", Window(NOW, zone("UTC"), 7), (source("events"),), MediaChoice(("abcdef1234",)),
    build_only=True,
)  # fmt: skip
BUILT = BuildResult(
    counts={"silver.fact_events": {"new": 5, "updated": 2, "removed": 1, "unchanged": 9}},
    by_interval={}, judgements=(), stopped={}, published={}, blocked=frozenset(),
    tables={"silver.fact_events": TableRef("s3://x", 7)},
)  # fmt: skip


class Lease:
    """A lease that is always to be had."""

    def take(self, *_: object) -> None: ...

    def renew(self, *_: object) -> None: ...

    def release(self, *_: object) -> None: ...


def parts(listens: Any, tables: Any = None) -> Dependencies:
    @asynccontextmanager
    async def nobody() -> AsyncIterator[Any]:
        raise SourceRefused("the token is refused")
        yield

    ledger = MemoryLedger()
    ledger.put_media([MediaEntry("abcdef1234", NOW.date(), NOW)])
    return Dependencies(
        MemoryObjects(), ledger, tables, lambda: (b"k" * 32,), lambda: NOW + timedelta(minutes=4), nobody,
        RecordingNotifier(), time.monotonic, listener=listens,
    )  # fmt: skip


def lineage(send: Send, seconds: float = 3.0) -> OpenLineage:
    return OpenLineage(send, "wistlake-dev", "https://api.wistia.com", seconds)


def laptop_succeeds(deps: Dependencies) -> None:
    driver.run(SPEC, deps)


def laptop_fails(deps: Dependencies) -> None:
    with pytest.raises(SourceRefused):
        driver.run(replace(SPEC, build_only=False), replace(deps, on_the_network=True))


def aws_succeeds(deps: Dependencies) -> None:
    lease: Any = Lease()
    plan = plan_run(SPEC, deps, lease, NOW)
    deps.objects.put(verdicts_key("now"), encode_verdicts(Verdicts(BUILT, ())))
    publish_run(plan, deps, lease, NOW + timedelta(minutes=4), [], None)


def aws_fails(deps: Dependencies) -> None:
    lease: Any = Lease()
    plan = plan_run(SPEC, deps, lease, NOW)
    publish_run(
        plan, deps, lease, NOW + timedelta(minutes=4), [], StepFailed("StoreError", "the disk is full")
    )


def aws_fails_at_once(deps: Dependencies) -> None:
    lease: Any = Lease()
    with pytest.raises(SourceRefused):
        plan_run(replace(SPEC, build_only=False, choice=MediaChoice()), deps, lease, NOW)


def aws_is_idle(deps: Dependencies) -> None:
    lease: Any = Lease()
    end_idle(plan_run(SPEC, deps, lease, NOW), deps, lease)


RUNS: dict[Callable[[Dependencies], None], str] = {
    laptop_succeeds: "COMPLETE", laptop_fails: "FAIL", aws_succeeds: "COMPLETE", aws_fails: "FAIL",
    aws_fails_at_once: "FAIL", aws_is_idle: "COMPLETE",
}  # fmt: skip
FACETS: dict[str, Any] = {
    "errorMessage": error_message_run.ErrorMessageRunFacet,
    "jobType": job_type_job.JobTypeJobFacet,
    "documentation": documentation_dataset.DocumentationDatasetFacet,
    "outputStatistics": output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
}


def facet(name: str, plain: dict[str, Any]) -> Any:
    given = {k: v for k, v in plain.items() if k not in ("_producer", "_schemaURL")}
    if name == "schema":
        fields = [schema_dataset.SchemaDatasetFacetFields(**f) for f in given["fields"]]
        return schema_dataset.SchemaDatasetFacet(fields=fields, producer=plain["_producer"])
    return FACETS[name](**given, producer=plain["_producer"])


def facets(plain: dict[str, Any]) -> dict[str, Any]:
    return {
        k: {n: facet(n, f) for n, f in v.items()} if k.lower().endswith("facets") else v
        for k, v in plain.items()
    }


def as_modelled(event: dict[str, Any]) -> dict[str, Any]:
    """The event, built of OpenLineage's own classes, which know no other names and check times, ids and addresses."""
    model = RunEvent(
        eventType=RunState(event["eventType"]),
        eventTime=event["eventTime"],
        producer=event["producer"],
        run=LineageRun(**facets(event["run"])),
        job=Job(**facets(event["job"])),
        inputs=[InputDataset(**facets(d)) for d in event["inputs"]],
        outputs=[OutputDataset(**facets(d)) for d in event["outputs"]],
    )
    return without_empty(Serde.to_dict(model))


def without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_empty(v) for k, v in value.items() if v not in ({}, [], None)}
    return [without_empty(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("run", RUNS)
def test_a_run_is_told_by_two_events_that_openlineages_model_takes(
    run: Callable[[Dependencies], None],
) -> None:
    told: list[dict[str, Any]] = []
    deps = parts(lineage(told.append))
    run(deps)
    (record,) = deps.ledger.runs()
    began, ended = told
    assert (began["eventType"], ended["eventType"]) == ("START", RUNS[run])
    assert (began["eventTime"], ended["eventTime"]) == (
        NOW.isoformat(),
        (NOW + timedelta(minutes=4)).isoformat(),
    )
    assert record.ended_at == NOW + timedelta(minutes=4)
    for event in (began, ended):
        assert as_modelled(json.loads(json.dumps(event))) == without_empty(event)
        assert event["run"]["runId"] == run_uuid("now")
        assert (event["job"]["namespace"], event["job"]["name"]) == ("wistlake-dev", "wistlake.scheduled")
    message = ended["run"].get("facets", {}).get("errorMessage", {}).get("message", "")
    assert message == record.error
    assert bool(message) == (RUNS[run] == "FAIL")


def test_inputs_are_wistias_datasets_and_outputs_are_tables_with_their_columns() -> None:
    told: list[dict[str, Any]] = []
    aws_succeeds(parts(lineage(told.append)))
    (read,) = told[-1]["inputs"]
    assert (read["namespace"], read["name"]) == ("https://api.wistia.com", "events")
    assert [f["name"] for f in read["facets"]["schema"]["fields"]] == [
        f.path for f in source("events").fields
    ]
    (written,) = told[-1]["outputs"]
    assert written["name"] == "silver.fact_events"
    assert written["outputFacets"]["outputStatistics"]["rowCount"] == 7
    columns = contract("silver.fact_events").column_names
    assert [f["name"] for f in written["facets"]["schema"]["fields"]] == list(columns)


def test_a_killed_run_is_closed_in_the_catalog_too() -> None:
    told: list[dict[str, Any]] = []
    deps = parts(lineage(told.append))
    deps.ledger.put_run(Run("dead", "backfill", "live", "running", NOW - timedelta(days=1)))
    laptop_succeeds(deps)
    closed = told[0]
    assert (closed["eventType"], closed["run"]["runId"]) == ("FAIL", run_uuid("dead"))
    assert as_modelled(closed) == without_empty(closed)


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def silent(drip: bytes = b"") -> Iterator[str]:
    """A collector that takes connections and gives no answer, or one byte at a time."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while not ended.is_set():
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=answer, args=(client,), daemon=True).start()

        def answer(client: socket.socket) -> None:
            with client:
                while not ended.wait(0.02):
                    try:
                        client.sendall(drip)
                    except OSError:
                        return

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/api/v1/lineage"
        finally:
            ended.set()


@pytest.mark.parametrize("run", [laptop_succeeds, laptop_fails, aws_succeeds, aws_fails])
def test_a_dead_collector_changes_nothing(run: Callable[[Dependencies], None], tmp_path: Path) -> None:
    def outcome(listens: Any) -> tuple[Any, ...]:
        deps = parts(listens)
        run(deps)
        notices: Any = deps.notifier
        return deps.ledger.runs(), deps.ledger.publication(), notices.notices

    expected = outcome(Unheard())
    with (
        silent() as mute,
        silent(b"H") as dripping,
        Receiver().listening() as receiver,
        capture_logs() as logs,
    ):
        receiver.status = 500
        gone = f"http://127.0.0.1:{closed_port()}/x"
        sends = [
            *(to_address(url, lambda: "") for url in (gone, mute, dripping, receiver.url)),
            to_file(tmp_path),
        ]
        for send in sends:
            began = time.monotonic()
            assert outcome(lineage(send, seconds=0.3)) == expected
            assert time.monotonic() - began < 2
    warned = [line for line in logs if line["log_level"] == "warning"]
    assert [line["event"] for line in warned] == ["event_not_delivered"] * 2 * len(sends)
    assert not any("127.0.0.1" in str(line) for line in warned)


def test_a_collector_gets_each_event_with_the_key(tmp_path: Path) -> None:
    with Receiver().listening() as receiver:
        settings = ArgumentsOnly(lineage=receiver.url, lineage_key="k3y", stage="prod")
        aws_succeeds(parts(listener(settings)))
    assert [e["eventType"] for e in receiver.received] == ["START", "COMPLETE"]
    assert receiver.authorized == ["Bearer k3y"] * 2
    assert {e["job"]["namespace"] for e in receiver.received} == {"wistlake-prod"}
    assert settings.secrets() == ("k3y",)
    assert "k3y" not in repr(settings)


def test_on_aws_the_key_is_a_secret_that_is_read_with_the_first_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(aws.aws_secrets, "read", lambda secret: asked.append(secret) or "k3y")
    with Receiver().listening() as receiver:
        settings = ArgumentsOnly(
            lineage=receiver.url, lineage_secret="wistlake-prod/lineage", bronze_bucket="b"
        )
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        listens = aws.dependencies(settings, Runtime(lambda: NOW, time.monotonic)).listener
        assert asked == []
        aws_succeeds(parts(listens))
    assert receiver.authorized == ["Bearer k3y"] * 2
    assert asked == ["wistlake-prod/lineage"]


def test_a_secret_that_can_t_be_read_fails_no_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_secret: str) -> str:
        raise StoreError("no")

    with Receiver().listening() as receiver, capture_logs() as logs:
        aws_succeeds(parts(listener(ArgumentsOnly(lineage=receiver.url), lambda: denied("x"))))
    assert receiver.received == []
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["event_not_delivered"] * 2


def test_a_file_gets_a_line_an_event_and_keeps_those_before(tmp_path: Path) -> None:
    file = tmp_path / "lineage.ndjson"
    for _ in range(2):
        laptop_succeeds(parts(listener(ArgumentsOnly(lineage=str(file)))))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [e["eventType"] for e in lines] == ["START", "COMPLETE"] * 2


def test_nobody_listens_unless_the_settings_say_so() -> None:
    assert isinstance(listener(ArgumentsOnly()), Unheard)
    assert source_namespace("https://api.wistia.com/modern") == "https://api.wistia.com"


@pytest.mark.parametrize(
    "url", ["http://collector.example/x", "https://", "https://me:pw@collector.example/x"]
)
def test_an_address_that_would_tell_a_secret_is_refused(url: str) -> None:
    from wistlake.errors import ConfigError

    with pytest.raises(ConfigError, match="WISTLAKE_LINEAGE"):
        ArgumentsOnly(lineage=url)


@pytest.mark.engine
def test_a_days_run_tells_what_it_wrote(tmp_path: Path) -> None:
    profile = replace(Profile.calm(), media=1, sessions_per_day=5.0, history_days=3)
    settings = {"lookback_days": 2, "lineage": str(tmp_path / "lineage.ndjson")}
    lake = Lake(tmp_path / "lake", Scenario(profile, settings=settings))
    result = lake.run_day(lake.scenario.starts)
    began, ended = (json.loads(line) for line in (tmp_path / "lineage.ndjson").read_text().splitlines())
    assert began["outputs"] == []
    assert as_modelled(ended) == without_empty(ended)
    rows = {d["name"]: d["outputFacets"]["outputStatistics"]["rowCount"] for d in some(ended["outputs"])}
    assert set(rows) == set(result.tables)
    for name in ("silver.fact_events", "gold.fact_media_daily"):
        assert rows[name] == len(lake.rows(name)) > 0
