"""Report and digest by way of Athena: what they say of a lake is what they say of the same lake on a laptop."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from support.aws_copy import Copy
from support.emulated import Account
from support.lake import START, Lake, Scenario
from support.mailbox import Mailbox
from support.some import some
from wistia_simulator import MediaChange, Profile
from wistlake.adapters.aws.query import AthenaQuery
from wistlake.adapters.duckdb_query import DuckDBQuery
from wistlake.adapters.local.lake_folder import LakeFolder
from wistlake.adapters.local.ledger import SqliteLedger
from wistlake.planning.intervals import State
from wistlake.quality.views import views
from wistlake_dashboard import changes, health
from wistlake_dashboard.digest import digest
from wistlake_dashboard.report import newest_scope, page

pytestmark = [pytest.mark.aws, pytest.mark.engine]
DAYS = 4
GONE = MediaChange(1, START + timedelta(days=1), "delete")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Three media, one of which is deleted on the way."""
    profile = Profile(media=3, sessions_per_day=10, history_days=10, changes=(GONE,))
    made = Lake(tmp_path_factory.mktemp("report") / "lake", Scenario(profile=profile))
    made.run_days(DAYS)
    return made


@pytest.fixture(scope="module")
def copied(lake: Lake, account: Account) -> Copy:
    return Copy(account, lake)


@pytest.fixture(scope="module")
def both(lake: Lake, account: Account, copied: Copy) -> tuple[DuckDBQuery, AthenaQuery]:
    athena = account.client("athena")
    return (
        DuckDBQuery(lake.ledger, views()),
        AthenaQuery(copied.ledger, copied.database, copied.database, views(), athena),
    )


def test_the_report_is_the_laptops(both: tuple[DuckDBQuery, AthenaQuery]) -> None:
    here, there = both
    scope = newest_scope(here)
    assert scope
    assert newest_scope(there) == scope
    expected, found = page(here, scope), page(there, scope)
    assert "followed media are" in expected
    assert "deleted at Wistia" in expected
    assert some(re.findall(r">([^<]+)<", expected)) == re.findall(r">([^<]+)<", found)


def test_the_account_and_the_deleted_media(both: tuple[DuckDBQuery, AthenaQuery]) -> None:
    """What joins the ledger with published tables."""
    here, there = both
    scope = newest_scope(here)
    assert scope
    days = health.account(here, scope)
    assert any(day.account_plays and day.plays for day in some(days))
    assert health.account(there, scope) == days
    what = changes.changes(here, scope)
    assert any("deleted" in row["what"] for row in some(what))
    assert changes.changes(there, scope) == what


_WITHOUT = """
import sys

class Refusing:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] in ("pyarrow", "duckdb", "pandas", "numpy"):
            raise ModuleNotFoundError(f"{name} is not there on Lambda")

sys.meta_path.insert(0, Refusing)
from wistlake.entrypoints.aws.digest import handler
import json
print(json.dumps([handler({}, None) for _ in range(2)]))
"""


def test_the_digest_is_the_laptops_word_by_word(lake: Lake, account: Account, copied: Copy) -> None:
    """Out of a process that has neither Arrow nor DuckDB, by the topic and by mail, and once. Two days of it failed."""
    failed = [i for i in lake.ledger.intervals("events") if i.day == START.date()][:2]
    writable = SqliteLedger(LakeFolder(lake.folder).ledger)
    for ledger in (writable, copied.ledger):
        ledger.record(replace(i, state=State.FAILED, reason="it's away") for i in failed)
    week = digest(DuckDBQuery(lake.ledger, views()))
    assert len(failed) == 2
    assert "2 failed intervals" in week.text
    assert "Deleted at Wistia" in week.text
    sns, sqs = account.client("sns"), account.client("sqs")
    topic = sns.create_topic(Name=copied.database)["TopicArn"]
    queue = sqs.create_queue(QueueName=copied.database)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    with Mailbox().listening() as mailbox:
        server = {"HOST": "127.0.0.1", "PORT": mailbox.port, "SECURITY": "none"}
        text = json.dumps({f"WISTLAKE_SMTP_{name}": value for name, value in server.items()})
        secret = account.client("secretsmanager").create_secret(Name=copied.database, SecretString=text)[
            "ARN"
        ]
        told = {
            "WISTLAKE_TOPIC_ARN": topic, "WISTLAKE_SMTP_SECRET": secret, "WISTLAKE_MAIL_TO": "ada@example.org",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", _WITHOUT],
            env={**os.environ, **copied.environment, **told, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True, text=True, check=True, timeout=300,
        )  # fmt: skip
    heard = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
    said = [json.loads(json.loads(message["Body"])["Message"]) for message in heard]
    assert [(n["title"], n["text"], n["failed"]) for n in said] == [(week.title, week.text, True)], (
        done.stderr
    )
    assert json.loads(done.stdout) == [{"sent": True}, {"sent": False}]
    (mail,) = mailbox.mails
    (report,) = mail.iter_attachments()
    query = DuckDBQuery(lake.ledger, views())
    expected = page(query, newest_scope(query))
    assert some(re.findall(r">([^<]+)<", expected)) == re.findall(r">([^<]+)<", report.get_content())
