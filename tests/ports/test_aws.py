"""What only AWS can get wrong."""

import gzip
import json
import random
import secrets
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from structlog.testing import capture_logs

from ports.clock import Clock
from ports.test_budget import busiest_minute
from ports.test_ledger import DAY, NOW
from support.emulated import Account
from wistlake.adapters.aws import jobs as aws_jobs
from wistlake.adapters.aws import secrets as aws_secrets
from wistlake.adapters.aws.budget import DynamoBudget
from wistlake.adapters.aws.ledger import DynamoLedger
from wistlake.adapters.aws.notify import SnsNotifier
from wistlake.adapters.aws.objects import S3Objects
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.errors import ConfigError, LeaseHeld, StoreDamaged, StoreError
from wistlake.planning.compacted import Compacted
from wistlake.planning.intervals import Interval, State, Watermark
from wistlake.ports import Notice, Publication, Run
from wistlake.privacy.keys import KeyChain, encode

pytestmark = pytest.mark.aws
MIB = 1 << 20


@pytest.fixture
def ledger(account: Account) -> DynamoLedger:
    return DynamoLedger(
        account.table("pk", "sk"), account.table("dataset", "media_id"), account.client("dynamodb")
    )


class TestS3:
    def test_large_objects_travel_in_parts(self, account: Account) -> None:
        store = S3Objects(account.bucket(), account.client("s3"), part_bytes=5 * MIB)
        data = random.Random(1).randbytes(11 * MIB)
        store.put("large", data, if_absent=True)
        assert store.get("large") == data
        with pytest.raises(StoreError, match="written only once"):
            store.put("large", data, if_absent=True)
        assert account.client("s3").list_multipart_uploads(Bucket=store._bucket).get("Uploads", []) == []

    def test_deleting_leaves_no_older_version(self, account: Account) -> None:
        bucket, s3 = account.bucket(), account.client("s3")
        store = S3Objects(bucket, s3)
        for data in (b"first", b"second"):
            store.put("a/b", data)
        store.put("a/bc", b"stays")
        s3.delete_object(Bucket=bucket, Key="a/b")
        store.put("a/b", b"third")
        assert store.delete(["a/b"]) == 1
        left = s3.list_object_versions(Bucket=bucket)
        assert [v["Key"] for v in left["Versions"]] == ["a/bc"]
        assert left.get("DeleteMarkers", []) == []

    def test_every_version_can_be_read_and_only_the_chosen_ones_go(self, account: Account) -> None:
        store = S3Objects(account.bucket(), account.client("s3"))
        for data in (b"first", b"second"):
            store.put("a/b", data)
        store.put("a/c", b"third")
        store.hide(["a/c"])
        found = {(v.key, store.read(v) if v.data else None): v for v in store.versions("a/")}
        assert found.keys() == {("a/b", b"first"), ("a/b", b"second"), ("a/c", b"third"), ("a/c", None)}
        assert [key for key, v in found.items() if v.is_seen] == [("a/b", b"second")]
        held = {(key, read()) for key, read in store.contents()}
        assert held == {("a/b", b"first"), ("a/b", b"second"), ("a/c", b"third")}
        assert store.remove(found[chosen] for chosen in (("a/b", b"first"), ("a/c", b"third"))) == 0
        left = {(v.key, v.data) for v in store.versions("a/")}
        assert left == {("a/b", True), ("a/c", False)}
        assert store.get("a/b") == b"second"

    def test_pages_of_keys_are_followed(self, account: Account) -> None:
        store = S3Objects(account.bucket(), account.client("s3"))
        keys = [f"k/{n:04}" for n in range(1050)]
        for key in keys:
            store.put(key, b"")
        assert list(store.list("k/")) == keys
        assert store.delete(keys) == 1050
        assert list(store.list("")) == []

    def test_a_bucket_that_is_not_there_is_named_with_its_cure(self, account: Account) -> None:
        store = S3Objects("no-such-bucket-at-all", account.client("s3"))
        with pytest.raises(StoreError, match=r"no-such-bucket-at-all/k: NoSuchBucket.*deploy"):
            store.put("k", b"")

    def test_uri_is_what_spark_reads(self, account: Account) -> None:
        assert S3Objects("b", account.client("s3")).uri("a/c") == "s3://b/a/c"


class TestLedger:
    def test_watermarks_are_an_item_that_others_can_read(
        self, account: Account, ledger: DynamoLedger
    ) -> None:
        ledger.advance([Watermark("events", "alphaalpha", DAY, NOW)])
        (item,) = account.client("dynamodb").scan(TableName=ledger._marks)["Items"]
        assert {name: item[name]["S"] for name in ("dataset", "media_id", "last_date", "updated_at")} == {
            "dataset": "events",
            "media_id": "alphaalpha",
            "last_date": "2026-11-19",
            "updated_at": "2026-11-20T02:15:00.123456+00:00",
        }

    def test_the_summary_of_many_media_fits(self, ledger: DynamoLedger) -> None:
        lines = [
            {"dataset": "events", "media_id": f"media{n:05}", "rows": n, "pages": 1} for n in range(9000)
        ]
        run = Run("r1", "manual", "live", "succeeded", NOW)
        assert len(json.dumps(lines)) > 600_000  # an item holds 400 KB
        ledger.put_run(run, {"intervals": lines})
        assert ledger.runs() == [run]
        assert ledger.summary(run) == {"intervals": lines}

    def test_items_of_older_versions_are_read(self, account: Account, ledger: DynamoLedger) -> None:
        """Nothing compacted, no roster, and the summary in the run's own item."""
        at = {"S": "2026-11-20T02:15:00.123456+00:00"}
        interval = {
            "dataset": {"S": "events"}, "media_id": {"S": "m"}, "day": {"S": "2026-11-19"}, "state": {"S": "landed"},
            "run_id": {"S": "r1"}, "updated_at": at, "reason": {"S": ""}, "landing_id": {"S": "l"},
            "observed_at": at, "content_hash": {"S": "c0"}, "rows": {"N": "3"}, "finished": {"BOOL": True},
            "missing": {"BOOL": False}, "confirmations": {"N": "2"}, "built_signature": {"S": ""},
        }  # fmt: skip
        summary = gzip.compress(b'{"checks": {"holds": 3}}', mtime=0)
        run = {
            "run_id": {"S": "r1"}, "trigger": {"S": "scheduled"}, "origin": {"S": "live"},
            "status": {"S": "succeeded"}, "started_at": at, "error": {"S": ""}, "summary": {"B": summary},
        }  # fmt: skip
        media = {
            "media_id": {"S": "m"},
            "first_day": {"S": "2026-11-19"},
            "added_at": at,
            "reason": {"S": ""},
        }
        for pk, sk, item in (
            ("intervals#m", "events#2026-11-19", interval),
            ("runs", f"{at['S']}#r1", run),
            ("media", "m", media),
        ):
            account.client("dynamodb").put_item(
                TableName=ledger._table, Item={"pk": {"S": pk}, "sk": {"S": sk}, **item}
            )
        expected = Interval(
            "events", "m", DAY, State.LANDED, "r1", NOW, "", "l", NOW, "c0", 3, finished=True, confirmations=2
        )
        assert (
            ledger.open_intervals()
            == ledger.intervals()
            == ledger.intervals("events", "m", DAY, DAY)
            == [expected]
        )
        assert ledger.compacted() == {}
        assert ledger.runs() == [Run("r1", "scheduled", "live", "succeeded", NOW)]
        assert ledger.summary(ledger.runs()[0]) == {"checks": {"holds": 3}}
        ledger.compact([(Compacted("m"), [expected])])
        assert ledger.open_intervals() == []
        assert ledger.intervals() == [expected]

    def test_a_month_that_is_none_is_told(self, account: Account, ledger: DynamoLedger) -> None:
        for columns in (b'{"day": ["yesterday"]}', b'{"day": 7}', b"["):
            item = {
                "pk": {"S": "months#m"},
                "sk": {"S": "2026-11"},
                "intervals": {"B": gzip.compress(columns)},
            }
            account.client("dynamodb").put_item(TableName=ledger._table, Item=item)
            with pytest.raises(StoreDamaged, match="wistlake never wrote"):
                ledger.intervals(media_id="m")
            ledger.record([Interval("events", "m", DAY, State.LANDED, "r1", NOW)])
            with pytest.raises(StoreDamaged, match="wistlake never wrote"):
                DuckDBQuery(ledger).sql("SELECT * FROM ops.intervals")

    def test_a_month_of_an_older_version_is_read(self, account: Account, ledger: DynamoLedger) -> None:
        old = {
            "dataset": ["events"], "media_id": ["m"], "day": [DAY.isoformat()], "state": ["published"],
            "run_id": ["r1"], "updated_at": [NOW.isoformat()], "rows": [3], "finished": [True],
        }  # fmt: skip
        item = {"intervals": {"B": gzip.compress(json.dumps(old).encode())}}
        account.client("dynamodb").put_item(
            TableName=ledger._table, Item={"pk": {"S": "months#m"}, "sk": {"S": "2026-11"}, **item}
        )
        ledger.record([Interval("events", "m", DAY - timedelta(days=1), State.LANDED, "r1", NOW)])
        select = 'SELECT day, "rows", finished, reason, moved_at FROM ops.intervals ORDER BY day DESC LIMIT 1'
        (row,) = DuckDBQuery(ledger).sql(select).to_pylist()
        assert row == {"day": DAY, "rows": 3, "finished": True, "reason": "", "moved_at": None}

    def test_many_may_publish_at_once(self, account: Account, ledger: DynamoLedger) -> None:
        class Slow:
            """Somebody else publishes between our look and our write, twice."""

            left = 2

            def __getattr__(self, name: str) -> Any:
                return getattr(ledger._db, name)

            def put_item(self, **given: Any) -> Any:
                if self.left:
                    self.left -= 1
                    ledger.publish(Publication(f"other-{self.left}", NOW, {}))
                return ledger._db.put_item(**given)

        DynamoLedger(ledger._table, ledger._marks, Slow()).publish(Publication("mine", NOW, {}))
        found = ledger.publications(datetime(2020, 1, 1, tzinfo=UTC))
        assert [p.run_id for p in found] == ["mine", "other-0", "other-1"]

    def test_damage_is_told(self, account: Account, ledger: DynamoLedger) -> None:
        account.client("dynamodb").put_item(
            TableName=ledger._table, Item={"pk": {"S": "media"}, "sk": {"S": "x"}, "media_id": {"S": "x"}}
        )
        with pytest.raises(StoreError, match="MediaEntry that wistlake never wrote"):
            ledger.media()

    def test_a_table_that_is_not_there_is_named_with_its_cure(self, account: Account) -> None:
        lost = DynamoLedger("lost", "gone", account.client("dynamodb"))
        with pytest.raises(StoreError, match=r"lost: ResourceNotFoundException.*deploy"):
            lost.facts("lake")


class States:
    """Step Functions: what it says of executions; of those it has forgotten, None."""

    def __init__(self, status: dict[str, str | None]) -> None:
        self.status = status

    def describe_execution(self, **asked: str) -> dict[str, str]:
        if (status := self.status[asked["executionArn"]]) is None:
            raise ClientError({"Error": {"Code": "ExecutionDoesNotExist"}}, "DescribeExecution")
        return {"status": status}


class TestSharedLease:
    def test_its_owner_may_take_it_again_and_others_wait_for_its_end(self, ledger: DynamoLedger) -> None:
        assert ledger.take("lake", "r1", NOW, 60).token == 1
        ledger.take("lake", "r1", NOW, 60)
        with pytest.raises(LeaseHeld, match="r1"):
            ledger.take("lake", "r2", NOW + timedelta(seconds=59), 60)
        assert ledger.take("lake", "r2", NOW + timedelta(seconds=60), 60).token == 3
        with pytest.raises(LeaseHeld, match="r2"):
            ledger.renew("lake", "r1", NOW, 60)

    def test_renewing_moves_its_end(self, ledger: DynamoLedger) -> None:
        ledger.take("lake", "r1", NOW, 60)
        ledger.renew("lake", "r1", NOW + timedelta(seconds=50), 60)
        with pytest.raises(LeaseHeld):
            ledger.take("lake", "r2", NOW + timedelta(seconds=100), 60)

    def test_only_its_owner_lets_it_go(self, ledger: DynamoLedger) -> None:
        ledger.take("lake", "r1", NOW, 60)
        ledger.release("lake", "r2")
        with pytest.raises(LeaseHeld):
            ledger.take("lake", "r2", NOW, 60)
        ledger.release("lake", "r1")
        ledger.take("lake", "r2", NOW, 60)

    def test_an_execution_holds_it_until_it_is_over_and_no_longer(self, ledger: DynamoLedger) -> None:
        """However late it is: only Step Functions knows whether the owner is at work."""
        states = States({"arn:first": "RUNNING", "arn:second": "RUNNING"})
        first, second, outsider = (
            DynamoLedger(ledger._table, ledger._marks, ledger._db, execution=execution, states=states)
            for execution in ("arn:first", "arn:second", "")
        )
        later = NOW + timedelta(days=3)
        assert first.take("lake", "r1", NOW, 60).token == 1
        for other in (second, outsider):
            with pytest.raises(LeaseHeld, match="r1 has held it"):
                other.take("lake", "r2", later, 60)
        for n, ended in enumerate(("FAILED", "TIMED_OUT", "ABORTED", "SUCCEEDED", None)):
            states.status["arn:first"] = ended
            assert second.take("lake", "r2", NOW, 60).token == 2 + 2 * n
            with pytest.raises(LeaseHeld, match="r2"):
                first.renew("lake", "r1", NOW, 60)
            first.release("lake", "r1")
            with pytest.raises(LeaseHeld, match="r2"):
                first.take("lake", "r1", later, 60)
            second.release("lake", "r2")
            first.take("lake", "r1", NOW, 60)
        with outsider.lease("lake", "by hand", NOW, 60):
            states.status["arn:first"] = states.status["arn:second"] = "FAILED"
            with pytest.raises(LeaseHeld, match="by hand"):
                second.take("lake", "r2", NOW, 60)
        assert second.take("lake", "r2", NOW, 60).owner == "r2"

    def test_of_two_who_find_it_left_by_the_dead_one_gets_it(self, ledger: DynamoLedger) -> None:
        class Slow(States):
            def describe_execution(self, **asked: str) -> dict[str, str]:
                both.wait(30)
                return super().describe_execution(**asked)

        both, outcomes = threading.Barrier(2), []
        DynamoLedger(ledger._table, ledger._marks, ledger._db, execution="arn:dead").take(
            "lake", "r0", NOW, 60
        )

        def take(owner: str) -> None:
            states = Slow({"arn:dead": "ABORTED"})
            mine = DynamoLedger(
                ledger._table, ledger._marks, ledger._db, execution=f"arn:{owner}", states=states
            )
            try:
                outcomes.append(mine.take("lake", owner, NOW, 60).token)
            except LeaseHeld:
                outcomes.append(0)

        threads = [threading.Thread(target=take, args=(owner,)) for owner in ("r1", "r2")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(outcomes) == [0, 2]

    def test_a_block_keeps_it_for_as_long_as_it_runs(self, ledger: DynamoLedger) -> None:
        with ledger.lease("lake", "r1", NOW, 0.6):
            time.sleep(1.5)
            with pytest.raises(LeaseHeld, match="r1"):
                ledger.take("lake", "r2", NOW + timedelta(seconds=1.2), 60)
        ledger.take("lake", "r2", NOW, 60)

    def test_a_block_that_outlived_its_lease_frees_nothing(self, ledger: DynamoLedger) -> None:
        with ledger.lease("lake", "same name", NOW, 60):
            ledger.take("lake", "same name", NOW + timedelta(seconds=61), 60)
        with pytest.raises(LeaseHeld):
            ledger.take("lake", "r2", NOW + timedelta(seconds=62), 60)


class TestBudget:
    def budgets(self, account: Account, clocks: list[Clock]) -> list[DynamoBudget]:
        table, dynamodb = account.table("pk", "sk"), account.client("dynamodb")
        return [DynamoBudget(table, "account", 60, 5, clock, dynamodb) for clock in clocks]

    def test_several_never_pass_the_limit(self, account: Account, clock: Clock) -> None:
        budgets = self.budgets(account, [clock] * 3)
        dice, sent = random.Random(3), []
        ready = [clock.now] * 3
        while len(sent) < 130:
            who = min(range(3), key=lambda n: ready[n])
            clock.now = max(clock.now, ready[who])
            sent.append(clock.now + budgets[who].reserve())
            ready[who] = sent[-1] + dice.choice([0.001, 0.3])
        assert busiest_minute(sent) <= 60
        assert sent[-1] - sent[0] < 150  # and the allowance is used

    def test_a_clock_that_is_a_little_behind_gains_nothing(self, account: Account) -> None:
        ahead, behind = Clock(), Clock()
        behind.now -= 0.2
        budgets = self.budgets(account, [ahead, behind])
        waits = [budgets[n % 2].reserve() for n in range(40)]
        assert waits[-1] == pytest.approx(35 * 60 / 56, abs=0.01)

    def test_the_loser_of_a_race_computes_anew(self, account: Account, clock: Clock) -> None:
        one, other = self.budgets(account, [clock] * 2)
        for _ in range(4):
            one.reserve()
        for _ in range(4):
            other.reserve()
        assert one.reserve() == pytest.approx(4 * 60 / 56, abs=1e-4)


class TestSecrets:
    def stored(self, account: Account, text: str) -> tuple[str, Any]:
        manager = account.client("secretsmanager")
        name = f"secret-{secrets.token_hex(4)}"
        manager.create_secret(Name=name, SecretString=text)
        return name, manager

    def test_the_key_is_a_chain_or_a_generated_text(self, account: Account) -> None:
        chain = KeyChain((b"k" * 32, b"l" * 32))
        assert aws_secrets.SecretKeys(*self.stored(account, encode(chain))).load().settled() == chain
        generated = "x" * 64
        found = aws_secrets.SecretKeys(*self.stored(account, json.dumps({"key": generated}))).load().settled()
        assert found.keys == (generated.encode(),)

    @pytest.mark.parametrize("text", ["hush", '{"key": "short"}', '{"key": 7}', '["hush"]'])
    def test_a_damaged_key_is_told_and_never_quoted(self, account: Account, text: str) -> None:
        with pytest.raises(StoreError) as told:
            aws_secrets.SecretKeys(*self.stored(account, text)).load().settled()
        assert "hush" not in str(told.value)
        assert "short" not in str(told.value)

    def test_a_rotation_that_was_begun_stops_the_run(self, account: Account) -> None:
        text = encode(KeyChain((b"k" * 32,), b"p" * 32))
        with pytest.raises(StoreError, match="rotation"):
            aws_secrets.SecretKeys(*self.stored(account, text)).load().settled()

    def test_a_rotation_ends_what_it_began(self, account: Account) -> None:
        name, manager = self.stored(account, json.dumps({"key": "x" * 64}))
        ring = aws_secrets.SecretKeys(name, manager)
        begun = ring.load().begun()
        ring.save(begun)
        assert ring.load() == begun
        with pytest.raises(StoreError, match="wistlake key rotate"):
            ring.load().settled()
        ring.save(begun.rotated())
        assert ring.load().settled().keys == (b"x" * 64, begun.pending)

    def test_an_empty_secret_names_its_cure(self, account: Account) -> None:
        with pytest.raises(ConfigError, match="store its value"):
            aws_secrets.read(*self.stored(account, " "))

    def test_a_secret_that_is_not_there(self, account: Account) -> None:
        with pytest.raises(StoreError, match=r"the secret lost: ResourceNotFoundException"):
            aws_secrets.read("lost", account.client("secretsmanager"))


class Topic:
    """Keeps what is published, as `publish` gets it."""

    def __init__(self) -> None:
        self.got: list[Mapping[str, Any]] = []

    def publish(self, **given: Any) -> None:
        self.got.append(given)


class TestSns:
    NOTICE = Notice(
        "run\nfailed – " + "x" * 200, "token t0ken of jane@example.com", failed=True, facts={"n": 1}
    )

    def test_people_get_a_subject_and_nothing_private(self) -> None:
        topic = Topic()
        SnsNotifier("arn", secrets=("t0ken",), sns=topic).notify(self.NOTICE)
        (got,) = topic.got
        assert got["Subject"].startswith("run failed ? xx")
        assert len(got["Subject"]) == 100
        said = json.loads(got["Message"])
        assert (said["text"], said["failed"], said["facts"]) == ("token [masked] of [masked]", True, {"n": 1})

    def test_the_topic_takes_it(self, account: Account) -> None:
        sns, sqs = account.client("sns"), account.client("sqs")
        topic = sns.create_topic(Name="notices")["TopicArn"]
        queue = sqs.create_queue(QueueName="notices")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        with capture_logs() as logs:
            SnsNotifier(topic, sns=sns).notify(self.NOTICE)
        assert logs == []
        (got,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
        heard = json.loads(got["Body"])
        assert heard["Subject"].startswith("run failed ? xx")
        assert json.loads(heard["Message"])["facts"] == {"n": 1}

    def test_a_topic_that_is_not_there_fails_no_run(self, account: Account) -> None:
        with capture_logs() as logs:
            lost = "arn:aws:sns:us-east-1:000000000000:lost"
            SnsNotifier(lost, sns=account.client("sns")).notify(self.NOTICE)
        assert [log["event"] for log in logs] == ["notice_not_delivered"]


class _Glue:
    """A job that is in these states, one after the other."""

    def __init__(self, *states: str, message: str = "") -> None:
        self.states, self.message, self.started = list(states), message, dict[str, Any]()

    def start_job_run(self, **given: Any) -> dict[str, str]:
        self.started = given
        return {"JobRunId": "jr_1"}

    def get_job_run(self, **asked: str) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"JobRun": {"JobRunState": state, "ErrorMessage": self.message}}


class TestJobs:
    def test_a_job_is_waited_for(self) -> None:
        glue, slept = _Glue("STARTING", "RUNNING", "SUCCEEDED"), list[float]()
        aws_jobs.run("job", {"--task": "maintain"}, slept.append, glue)
        assert glue.started == {"JobName": "job", "Arguments": {"--task": "maintain"}}
        assert len(slept) == 2

    def test_one_that_fails_says_why(self) -> None:
        with pytest.raises(StoreError, match="job jr_1 ended FAILED: LeaseHeld: run x"):
            aws_jobs.run("job", {}, lambda _: None, _Glue("FAILED", message="LeaseHeld: run x"))

    def test_patience_ends(self) -> None:
        with pytest.raises(StoreError, match="still RUNNING"):
            aws_jobs.run("job", {}, lambda _: None, _Glue("RUNNING"))
