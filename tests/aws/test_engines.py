"""Thirty media whose tables EMR Serverless builds, of which one has trouble; then Glue builds again."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from support.aws.cloud import Execution
from support.aws.stage import Stage, stage
from support.lake import START, Scenario
from wistia_simulator import Profile

pytestmark = [pytest.mark.aws, pytest.mark.spark, pytest.mark.timeout(3600)]
THIRTY = Scenario(Profile(media=30, sessions_per_day=1, history_days=2), settings={"lookback_days": 1})
EMR, GLUE = "arn:aws:states:::emr-serverless:startJobRun.sync", "arn:aws:states:::glue:startJobRun.sync"


@pytest.fixture(scope="module")
def thirty(deployed: Stage) -> Iterator[Stage]:
    """The stage, deployed with the other engine and a budget."""
    cloud = deployed.cloud
    cloud.bootstrap("thirty")
    with stage(cloud, THIRTY, "thirty") as made:
        cloud.deploy("thirty", made.variables | {"BUILD_ENGINE": "emr-serverless", "BUDGET_DOLLARS": "50"})
        yield made


def day(on: Stage, number: int) -> tuple[Execution, set[str]]:
    """The run of the nth day, and which engines built."""
    before = len(on.cloud.calls())
    ended = on.day(START + timedelta(days=number))
    return ended, {c["resource"] for c in on.cloud.calls()[before:] if "startJobRun" in c["resource"]}


def test_one_media_of_thirty_that_fails_leaves_a_partial_run_which_is_no_failure(thirty: Stage) -> None:
    poisoned, *others = (m.media_id for m in thirty.world.truth.medias())
    queue = thirty.cloud.listen(thirty.outputs["TopicArn"])
    thirty.trouble.poisoned = poisoned
    ended, engines = day(thirty, 1)
    thirty.trouble.poisoned = ""
    assert ended.status == "SUCCEEDED", ended.cause
    assert (ended.output["verdict"], ended.output["failed"]) == ("partial", 1)
    assert engines == {EMR}
    assert poisoned in str(thirty.cloud.heard(queue))
    published = {media for dataset, media in thirty.watermarks() if dataset == "media_stats"}
    assert published >= set(others)
    assert poisoned not in published


def test_a_variable_that_is_unset_returns_the_build_to_glue_and_the_next_day_makes_good(
    thirty: Stage,
) -> None:
    before = thirty.tables()["silver.fact_events"]
    thirty.cloud.deploy("thirty", thirty.variables, "v2")
    ended, engines = day(thirty, 2)
    assert ended.status == "SUCCEEDED", ended.cause
    assert (ended.output["verdict"], engines) == ("succeeded", {GLUE})
    after = {row["event_key"] for row in thirty.tables()["silver.fact_events"]}
    assert {row["event_key"] for row in before} <= after
    assert {m for dataset, m in thirty.watermarks() if dataset == "media_stats"} == {
        m.media_id for m in thirty.world.truth.medias()
    }
