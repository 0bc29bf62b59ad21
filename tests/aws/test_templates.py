"""What the emulator can't judge, read from the templates: keys, topics, trust, boundaries, alarms."""

import json
import re
import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest

from support.aws.templates import ROOT, machine, of_type, policy, roles, template, workflows
from support.some import some
from wistlake import errors
from wistlake.adapters.aws.ledger import DynamoLedger
from wistlake.insight.cost import ALARMS
from wistlake.pipeline.run.outage import BELIEVED
from wistlake.ports import LEASE

pytestmark = pytest.mark.aws
SYSTEM, BOOTSTRAP = template("template.yaml"), template("bootstrap.yaml")
ROLES = {
    *("PlanRole", "IngestRole", "PublishRole", "BuildRole", "MachineRole", "DailyRole"),
    *("KeepRole", "KeepMachineRole", "ReleaseRole", "WatchRole", "DigestRole", "ChatRole", "ReaderRole"),
}
WHOLE_ACCOUNT = {"kms:*"}  # the key's own policy leaves it to IAM, as AWS advises


def services(statement: dict[str, Any]) -> set[str]:
    named = statement["Principal"].get("Service", [])
    named = named if isinstance(named, list) else [named]
    return {n if isinstance(n, str) else n["Fn::Sub"] for n in named}


class TestKeyAndTopic:
    """An alarm that may not use the key, or not publish, is silent on AWS and loud in no emulator."""

    statements = policy(of_type(SYSTEM, "AWS::KMS::Key")["Key"]["KeyPolicy"]["Statement"])

    @pytest.mark.parametrize(
        "service",
        [
            "cloudwatch.amazonaws.com",
            "scheduler.amazonaws.com",
            "sns.amazonaws.com",
            "budgets.amazonaws.com",
            "logs.${AWS::Region}.amazonaws.com",
        ],
    )
    def test_services_may_use_the_key(self, service: str) -> None:
        given = {a for s in self.statements if service in services(s) for a in s["Action"]}
        assert {"kms:Decrypt", "kms:GenerateDataKey*"} <= given

    def test_only_for_this_account(self) -> None:
        for statement in some(self.statements):
            if services(statement):
                assert "AWS::AccountId" in json.dumps(statement["Condition"])

    def test_alarms_may_publish(self) -> None:
        (found,) = of_type(SYSTEM, "AWS::SNS::TopicPolicy").values()
        allowed = [s for s in policy(found["PolicyDocument"]["Statement"]) if s["Effect"] == "Allow"]
        assert [(services(s), s["Action"]) for s in allowed] == [
            ({"cloudwatch.amazonaws.com", "budgets.amazonaws.com"}, ["sns:Publish"])
        ]

    def test_everything_at_rest_uses_it(self) -> None:
        at_rest = {
            "AWS::S3::Bucket": "BucketEncryption",
            "AWS::DynamoDB::Table": "SSESpecification",
            "AWS::SecretsManager::Secret": "KmsKeyId",
            "AWS::SNS::Topic": "KmsMasterKeyId",
            "AWS::SQS::Queue": "KmsMasterKeyId",
            "AWS::Logs::LogGroup": "KmsKeyId",
            "AWS::Scheduler::Schedule": "KmsKeyArn",
            "AWS::Glue::SecurityConfiguration": "EncryptionConfiguration",
            "AWS::Athena::WorkGroup": "WorkGroupConfiguration",
        }
        for kind, how in at_rest.items():
            for name, properties in some(of_type(SYSTEM, kind).items()):
                assert '"Key", "Arn"' in json.dumps(properties[how]), name


class TestKept:
    def test_buckets(self) -> None:
        closed = {"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"}
        for stack in (SYSTEM, BOOTSTRAP):
            guarded = {p["Bucket"]["Ref"]: p for p in of_type(stack, "AWS::S3::BucketPolicy").values()}
            for name, bucket in some(of_type(stack, "AWS::S3::Bucket").items()):
                assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
                assert {k for k, v in bucket["PublicAccessBlockConfiguration"].items() if v} == closed
                (only,) = guarded[name]["PolicyDocument"]["Statement"]
                assert only["Effect"] == "Deny"
                assert only["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
                assert only["Resource"] == [{"Fn::GetAtt": [name, "Arn"]}, {"Fn::Sub": f"${{{name}.Arn}}/*"}]

    def test_raw_pages_go_after_their_time(self) -> None:
        rules = of_type(SYSTEM, "AWS::S3::Bucket")["BronzeBucket"]["LifecycleConfiguration"]["Rules"]
        days = {r["Prefix"]: r["ExpirationInDays"] for r in rules if "Prefix" in r}
        kept = {"Ref": "BronzeRetentionDays"}
        assert days == {"bronze/": kept, "runs/": kept, "requests/": 1}  # receipts stay
        (older,) = (r for r in rules if "Prefix" not in r)
        assert older["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}

    def test_tables_can_be_brought_back(self) -> None:
        for table in some(of_type(SYSTEM, "AWS::DynamoDB::Table").values()):
            assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}

    def test_what_holds_data_outlives_the_stack_but_not_a_first_deployment_that_fails(self) -> None:
        holds = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::KMS::Key", "AWS::Glue::Database")
        kept = {n: r for n, r in SYSTEM["Resources"].items() if r["Type"] in holds or n == "KeySecret"}
        assert {r["Type"] for r in kept.values()} >= set(holds)
        for name, resource in kept.items():
            assert resource["DeletionPolicy"] == "RetainExceptOnCreate", name
            assert resource["UpdateReplacePolicy"] == "Retain", name
        assert not [n for n, r in SYSTEM["Resources"].items() if r.get("DeletionPolicy") == "Retain"]

    def test_logs_end(self) -> None:
        for log in some(of_type(SYSTEM, "AWS::Logs::LogGroup").values()):
            assert log["RetentionInDays"] == {"Ref": "LogRetentionDays"}


class TestRoles:
    def test_there_is_one_for_each_part(self) -> None:
        assert set(roles(SYSTEM)) == ROLES
        for function in some(of_type(SYSTEM, "AWS::Serverless::Function").values()):
            assert function["Role"]["Fn::GetAtt"][0] in ROLES

    @pytest.mark.parametrize("stack", [SYSTEM, BOOTSTRAP], ids=["system", "bootstrap"])
    def test_none_may_do_everything(self, stack: dict[str, Any]) -> None:
        for name, statements in some(roles(stack).items()):
            for action in some(a for s in statements for a in s["Action"]):
                assert name == "ExecutionRole" or "*" not in action, f"{name}: {action}"
            for statement in some(statements):
                assert statement["Effect"] == "Allow"

    def test_each_stays_within_the_boundary(self) -> None:
        boundary = of_type(BOOTSTRAP, "AWS::IAM::ManagedPolicy")["Boundary"]
        within = {a for s in policy(boundary["PolicyDocument"]["Statement"]) for a in s["Action"]}
        for name, role in some(of_type(SYSTEM, "AWS::IAM::Role").items()):
            assert role["PermissionsBoundary"] == {"Ref": "PermissionsBoundary"}
            assert {a for s in roles(SYSTEM)[name] for a in s["Action"]} <= within, name

    def test_older_versions_are_one_roles_business(self) -> None:
        may = {
            name
            for name, found in roles(SYSTEM).items()
            for s in found
            if "s3:DeleteObjectVersion" in s["Action"]
        }
        assert may == {"KeepRole"}

    def test_the_ledger_is_asked_and_never_scanned_and_one_role_takes_items_away(self) -> None:
        granted = {
            name: {a for s in statements if "LedgerTable" in json.dumps(s["Resource"]) for a in s["Action"]}
            for name, statements in roles(SYSTEM).items()
        }
        assert {n for n, actions in granted.items() if "dynamodb:Query" in actions} >= {
            "PlanRole",
            "BuildRole",
        }
        assert {n for n, actions in granted.items() if "dynamodb:Scan" in actions} == set()
        assert {n for n, actions in granted.items() if "dynamodb:DeleteItem" in actions} == {"PublishRole"}

    def test_a_plan_may_read_who_was_forgotten(self) -> None:
        """Tombstones outlive the ledger: a plan teaches one that came back from a backup."""
        may = [str(s["Resource"]) for s in roles(SYSTEM)["PlanRole"] if "s3:GetObject" in s["Action"]]
        assert any("${BronzeBucket.Arn}/tombstones/*" in where for where in may)
        assert "tombstones" not in str(of_type(SYSTEM, "AWS::S3::Bucket")["BronzeBucket"]), "none expires"

    def test_readers_see_no_raw_page_and_no_secret_and_write_only_their_answers(self) -> None:
        reads = roles(SYSTEM)["ReaderRole"]
        assert "BronzeBucket" not in str(reads)
        assert "secretsmanager" not in str(reads)
        writing = ("Put", "Create", "Update", "Delete", "Abort")
        for statement in some(
            s for s in reads if any(a.partition(":")[2].startswith(writing) for a in s["Action"])
        ):
            assert statement["Resource"] == {"Fn::Sub": "${SilverBucket.Arn}/athena-results/*"}

    def test_the_execution_role_makes_no_role_beyond_it(self) -> None:
        makes = [s for s in roles(BOOTSTRAP)["ExecutionRole"] if "iam:CreateRole" in s["Action"]]
        assert [s["Condition"] for s in makes] == [
            {"StringEquals": {"iam:PermissionsBoundary": {"Ref": "Boundary"}}}
        ]

    @pytest.mark.parametrize(
        ("role", "environment"),
        [
            ("DeployRole", "${Stage}"),
            ("ChangesetRole", "${Stage}-changeset"),
            ("ContractRole", "contract"),
        ],
    )
    def test_trust_names_repository_and_environment(self, role: str, environment: str) -> None:
        (statement,) = of_type(BOOTSTRAP, "AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"] == {
            "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": {
                    "Fn::Sub": f"repo:${{Repository}}:environment:{environment}"
                },
            }
        }

    @pytest.mark.parametrize(
        ("repository", "fits"),
        [
            ("acme/wistlake", True),
            ("acme@101/wistlake@202", True),
            ("acme@101/wistlake", False),
            ("acme/*", False),
            ("acme@*/wistlake@*", False),
        ],
    )
    def test_a_repository_is_named_as_its_tokens_name_it(self, repository: str, fits: bool) -> None:
        pattern = BOOTSTRAP["Parameters"]["Repository"]["AllowedPattern"]
        assert bool(re.fullmatch(pattern, repository)) is fits

    def test_only_the_stages_own_environment_carries_out_change_sets(self) -> None:
        may = {name for name, found in roles(BOOTSTRAP).items() for s in found if EXECUTE in s["Action"]}
        assert may == {"DeployRole", "ExecutionRole"}  # the other for the stack within the stack

    def test_what_a_stage_may_is_no_other_stages(self) -> None:
        """Every resource of an action that changes or reads anything is named by the stage, or is a key, which
        the stage's tag tells."""
        boundary = of_type(BOOTSTRAP, "AWS::IAM::ManagedPolicy")["Boundary"]["PolicyDocument"]["Statement"]
        for name, statements in some({**roles(BOOTSTRAP), "Boundary": policy(boundary)}.items()):
            for statement in some(statements):
                resources = (
                    statement["Resource"]
                    if isinstance(statement["Resource"], list)
                    else [statement["Resource"]]
                )
                for resource in some(resources):
                    if resource == "*":  # test_execution_role.py and the boundary's own list say what
                        assert name in ("ExecutionRole", "Boundary")
                    else:
                        assert _of_the_stage(resource, statement), f"{name}: {resource}"

    def test_no_stage_is_named_like_the_bootstrap_stacks(self) -> None:
        for stack in (SYSTEM, BOOTSTRAP):
            pattern = stack["Parameters"]["Stage"]["AllowedPattern"]
            assert re.fullmatch(pattern, "bootstraps")
            assert not re.fullmatch(pattern, "bootstrap")


EXECUTE = "cloudformation:ExecuteChangeSet"
OF_NO_STAGE = (  # the account's own, that all stages share
    ":transform/Serverless-2016-10-31",
    ":role/aws-service-role/*dynamodb*",
    ":role/aws-service-role/ops.emr-serverless.amazonaws.com/*",
    ":rule/StepFunctionsGetEventsForEMRServerlessJobRule",  # Step Functions' own, one an account
    ":catalog",
    ":log-group:/aws-glue/*",
    ":stack/${AWS::StackName}/*",
)


def _of_the_stage(resource: Any, statement: dict[str, Any]) -> bool:
    """Whether a resource of the bootstrap stack's policies can be of one stage only."""
    match resource:
        case {"Fn::GetAtt": _}:  # made by this very stack
            return True
        case {"Fn::Sub": str(text)} if text.endswith(":/*"):  # what is made there has no name yet
            return statement["Condition"]["StringEqualsIfExists"] == {
                "aws:RequestTag/stage": {"Ref": "Stage"}
            }
        case {"Fn::Sub": str(text)} if text.endswith((":key/*", ":/applications/*")):
            return statement["Condition"]["StringEqualsIfExists"] == {
                "aws:ResourceTag/stage": {"Ref": "Stage"}
            }
        case {"Fn::Sub": str(text)} if text.startswith("${Artifacts.Arn}") or text.endswith(OF_NO_STAGE):
            return True
        case {"Fn::Sub": str(text)}:
            return bool(re.search(r"[-_]\$\{Stage\}($|[-/:])", text))
    return False


class TestAlarms:
    alarms = of_type(SYSTEM, "AWS::CloudWatch::Alarm")

    def test_all_of_them(self) -> None:
        assert {a["MetricName"] for a in self.alarms.values()} == {
            "ExecutionsFailed",
            "ExecutionsTimedOut",
            "ExecutionsAborted",
            "ExecutionsSucceeded",
            "DataAgeHours",
            "QuarantinedRows",
            "IdentitiesBroken",
            "ApproximateNumberOfMessagesVisible",
            "Errors",
        }
        for name, alarm in some(self.alarms.items()):
            assert alarm["AlarmActions"] == [{"Ref": "Alerts"}], name

    @pytest.mark.parametrize("of", ["Machine", "KeepMachine"])
    def test_every_bad_end_of_either_machine_is_heard_of(self, of: str) -> None:
        watched = [{"Name": "StateMachineArn", "Value": {"Ref": of}}]
        bad = {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}
        assert bad <= {a["MetricName"] for a in self.alarms.values() if a["Dimensions"] == watched}

    def test_a_schedule_that_starts_nothing_is_heard_of(self) -> None:
        """What is left after all tries lies in a queue, which an alarm looks at."""
        left = {"Arn": {"Fn::GetAtt": ["NotStarted", "Arn"]}}
        for name, schedule in some(of_type(SYSTEM, "AWS::Scheduler::Schedule").items()):
            assert schedule["Target"]["DeadLetterConfig"] == left, name
            assert schedule["Target"]["RoleArn"] == {"Fn::GetAtt": ["DailyRole", "Arn"]}
        may = {(a, str(s["Resource"])) for s in roles(SYSTEM)["DailyRole"] for a in s["Action"]}
        assert ("lambda:InvokeFunction", str({"Fn::GetAtt": ["Digest", "Arn"]})) in may
        assert ("sqs:SendMessage", str(left["Arn"])) in may
        assert ("kms:GenerateDataKey", str({"Fn::GetAtt": ["Key", "Arn"]})) in may
        watched = self.alarms["NotStartedAlarm"]["Dimensions"]
        assert watched == [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["NotStarted", "QueueName"]}}]

    def test_a_digest_goes_on_the_day_that_is_named_and_else_on_none(self) -> None:
        weekly = of_type(SYSTEM, "AWS::Scheduler::Schedule")["WeeklyDigest"]
        assert weekly["Target"]["Arn"] == {"Fn::GetAtt": ["Digest", "Arn"]}
        assert weekly["State"] == {"Fn::If": ["HasDigest", {"Ref": "ScheduleState"}, "DISABLED"]}
        condition, named, _ = weekly["ScheduleExpression"]["Fn::If"]
        assert (condition, named) == ("HasDigest", {"Fn::Sub": "cron(0 8 ? * ${DigestDay} *)"})
        daily = of_type(SYSTEM, "AWS::Scheduler::Schedule")["Daily"]
        assert weekly["ScheduleExpressionTimezone"] == daily["ScheduleExpressionTimezone"]

    def test_who_reads_by_athena_and_tells_has_the_same_rights(self) -> None:
        def rights(role: str) -> list[Any]:
            return [s for s in roles(SYSTEM)[role] if "logs:PutLogEvents" not in s["Action"]]

        mails = [s for s in rights("DigestRole") if s not in rights("WatchRole")]
        assert [s for s in rights("DigestRole") if s not in mails] == rights("WatchRole")
        assert [(s["Action"], s["Resource"]) for s in mails] == [
            (["secretsmanager:GetSecretValue"], {"Ref": "SmtpSecret"})
        ]
        assert len(rights("WatchRole")) == 9

    def test_only_the_digest_knows_who_gets_mails(self) -> None:
        functions = of_type(SYSTEM, "AWS::Serverless::Function")
        for name, function in some(functions.items()):
            variables = function.get("Environment", {}).get("Variables", {})
            given = {v: variables[v] for v in variables if "MAIL" in v or "SMTP" in v}
            assert bool(given) is (name == "Digest")
        assert given | functions["Digest"]["Environment"]["Variables"] == {
            "WISTLAKE_TOPIC_ARN": {"Ref": "Alerts"}, "GLUE_DATABASE": {"Ref": "Database"},
            "ATHENA_WORKGROUP": {"Ref": "Workgroup"}, "WISTLAKE_MAIL_TO": {"Ref": "MailTo"},
            "WISTLAKE_MAIL_FROM": {"Ref": "MailFrom"}, "WISTLAKE_SMTP_SECRET": {"Ref": "SmtpSecret"},
        }  # fmt: skip

    @pytest.mark.parametrize("function", ["Watch", "Digest"])
    def test_a_function_that_no_machine_waits_for_is_heard_of_when_it_fails(self, function: str) -> None:
        (alarm,) = (
            a
            for a in self.alarms.values()
            if a["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": function}}]
        )
        assert (alarm["Namespace"], alarm["MetricName"], alarm["Threshold"]) == ("AWS/Lambda", "Errors", 1)

    @pytest.mark.parametrize("function", ["Plan", "Publish"])
    def test_who_tells_of_lineage_reads_its_key_from_a_secret(self, function: str) -> None:
        variables = of_type(SYSTEM, "AWS::Serverless::Function")[function]["Environment"]["Variables"]
        assert variables["WISTLAKE_LINEAGE_SECRET"] == {"Ref": "LineageSecret"}
        may = [s for s in roles(SYSTEM)[f"{function}Role"] if s["Resource"] == {"Ref": "LineageSecret"}]
        assert [s["Action"] for s in may] == [["secretsmanager:GetSecretValue"]]

    def test_a_budget_is_told_to_whoever_hears_of_alarms(self) -> None:
        budget = of_type(SYSTEM, "AWS::Budgets::Budget")["Budget"]
        assert budget["Budget"]["BudgetLimit"]["Amount"] == {"Ref": "BudgetDollars"}
        assert budget["Budget"]["CostFilters"] == {"TagKeyValue": [{"Fn::Sub": "user:stage$${Stage}"}]}
        told = budget["NotificationsWithSubscribers"]
        assert {n["Notification"]["NotificationType"] for n in told} == {"ACTUAL", "FORECASTED"}
        for notification in some(told):
            assert notification["Subscribers"] == [{"SubscriptionType": "SNS", "Address": {"Ref": "Alerts"}}]

    def test_slack_and_teams_hear_the_topic_and_so_every_alarm_and_the_machines_own_words(self) -> None:
        chat = of_type(SYSTEM, "AWS::Serverless::Function")["Chat"]
        (heard,) = chat["Events"].values()
        assert heard == {"Type": "SNS", "Properties": {"Topic": {"Ref": "Alerts"}}}
        told = machine()["States"]["Notify"]["Arguments"]
        assert told["TopicArn"] == "${TopicArn}"
        for name in ("Publish", "Plan"):  # nothing waits for a secret that is not there
            variables = of_type(SYSTEM, "AWS::Serverless::Function")[name]["Environment"]["Variables"]
            assert not {"WISTLAKE_SLACK_SECRET", "WISTLAKE_TEAMS_SECRET"} & variables.keys()
        assert chat["Environment"]["Variables"] == {
            "WISTLAKE_SLACK_SECRET": {"Ref": "SlackSecret"}, "WISTLAKE_TEAMS_SECRET": {"Ref": "TeamsSecret"},
        }  # fmt: skip

    @pytest.mark.parametrize("secret", ["Slack", "Teams"])
    def test_one_of_the_two_is_enough_and_the_other_ones_secret_is_not_asked_for(self, secret: str) -> None:
        assert SYSTEM["Conditions"]["HasChat"] == {
            "Fn::Or": [{"Condition": "HasSlack"}, {"Condition": "HasTeams"}]
        }
        for name in ("Chat", "ChatRole", "ChatLog"):
            assert SYSTEM["Resources"][name]["Condition"] == "HasChat"
        (policy,) = SYSTEM["Resources"]["ChatRole"]["Properties"]["Policies"]
        reads = [s["Fn::If"] for s in policy["PolicyDocument"]["Statement"] if "Fn::If" in s]
        (read,) = (s for condition, s, _ in reads if condition == f"Has{secret}")
        assert read["Resource"] == {"Ref": f"{secret}Secret"}

    def test_the_estimate_counts_each(self) -> None:
        assert len(self.alarms) == ALARMS

    def test_absence_is_an_alarm(self) -> None:
        silent = self.alarms["NoRunAlarm"]
        assert silent["TreatMissingData"] == "breaching"
        assert silent["ComparisonOperator"] == "LessThanThreshold"
        assert 24 * 3600 < silent["Period"] * silent["EvaluationPeriods"] <= 7 * 86400

    def test_the_dashboard_is_json_and_shows_the_build(self) -> None:
        (board,) = of_type(SYSTEM, "AWS::CloudWatch::Dashboard").values()
        shown = json.loads(board["DashboardBody"]["Fn::Sub"])
        assert any("Glue" in m[0] for w in shown["widgets"] for m in w["properties"]["metrics"])


class TestMachine:
    def test_it_calls_functions_by_an_alias_that_can_go_back(self) -> None:
        aliases = of_type(SYSTEM, "AWS::Lambda::Alias")
        assert {a["Name"] for a in aliases.values()} == {"live"}
        given = of_type(SYSTEM, "AWS::Serverless::StateMachine")["Machine"]["DefinitionSubstitutions"]
        functions = {
            name: value["Ref"] for name, value in given.items() if name.endswith("Arn") and name != "TopicArn"
        }
        assert set(functions.values()) == set(aliases)
        (invoke,) = (s for s in roles(SYSTEM)["MachineRole"] if s["Action"] == ["lambda:InvokeFunction"])
        assert {r["Ref"] for r in invoke["Resource"]} == set(aliases)

    def test_only_what_may_pass_by_itself_is_tried_again(self) -> None:
        named = set(re.findall(r'"([A-Z]\w+)"', json.dumps(_all_of(machine(), "ErrorEquals"))))
        waits_for_another = {errors.LeaseHeld.__name__}
        assert named - waits_for_another == {errors.SourceUnavailable.__name__, errors.StoreBusy.__name__}

    def test_a_plan_that_finds_the_lease_taken_asks_again_every_quarter_of_an_hour(self) -> None:
        """Until shortly before the next day is due, which asks for the same days."""
        retries = [r for found in _all_of(machine(), "Retry") for r in found]
        (wait,) = (r for r in retries if errors.LeaseHeld.__name__ in r["ErrorEquals"])
        assert wait in machine()["States"]["Plan"]["Retry"]
        assert (wait["IntervalSeconds"], wait["BackoffRate"]) == (900, 1)
        assert 18 * 3600 < wait["IntervalSeconds"] * wait["MaxAttempts"] < 24 * 3600

    def test_every_retry_has_jitter_and_an_end(self) -> None:
        retries = [
            r
            for found in _all_of(machine(), "Retry")
            for r in found
            if r["ErrorEquals"] != [errors.LeaseHeld.__name__]
        ]
        assert len(retries) >= 6
        for retry in retries:
            assert retry["JitterStrategy"] == "FULL"
            assert retry["BackoffRate"] > 1
            assert retry["MaxAttempts"] <= 5

    def test_a_source_that_is_down_is_tried_twice_more(self) -> None:
        """And no function that comes to it meanwhile asks at all."""
        retries = [r for found in _all_of(machine(), "Retry") for r in found]
        of_source = [r for r in retries if errors.SourceUnavailable.__name__ in r["ErrorEquals"]]
        assert len(of_source) >= 5  # of Plan, and of each state that reads
        assert {r["MaxAttempts"] for r in of_source} == {2}
        assert all(r["IntervalSeconds"] > BELIEVED.total_seconds() for r in of_source)

    def test_one_function_reads_every_dataset_in_a_state_of_its_own(self) -> None:
        """And each has what the others have, but for its name."""
        inside = machine()["States"]["EachBatch"]["ItemProcessor"]["States"]
        reads = {n: s for n, s in inside.items() if s["Type"] == "Task"}
        assert set(reads) == {"IngestEvents", "IngestByDate", "IngestMetadata", "IngestLifetime"}
        assert {s["Arguments"]["FunctionName"] for s in reads.values()} == {"${IngestArn}"}
        assert all(state == reads["IngestEvents"] for state in reads.values())
        assert inside["Through"]["Default"] == "Dataset", "another round goes to the same state"

    def test_every_task_catches_everything(self) -> None:
        states = machine()["States"]
        tasks = {**states, **states["EachBatch"]["ItemProcessor"]["States"]}
        for name, state in some(tasks.items()):
            if state["Type"] in ("Task", "Map"):
                assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name

    @pytest.mark.parametrize("step", ["Plan", "Publish"])
    def test_a_step_that_held_the_lease_and_failed_lets_go_before_anybody_is_told(self, step: str) -> None:
        states = machine()["States"]
        assert [c["Next"] for c in states[step]["Catch"]] == ["Release"]
        release = states["Release"]
        assert release["Resource"] == "arn:aws:states:::dynamodb:updateItem"
        asked = release["Arguments"]
        assert asked["TableName"] == "${LedgerTable}"
        assert asked["ConditionExpression"] == "#owner = :owner"
        assert asked["ExpressionAttributeValues"][":owner"] == {"S": "{% $states.context.Execution.Name %}"}
        assert {release["Next"], *(c["Next"] for c in release["Catch"])} == {"Notify"}
        assert release["Output"] == release["Catch"][0]["Output"] == "{% $states.input %}"

    def test_the_item_that_is_released_is_the_one_that_a_plan_takes(self) -> None:
        class Table:
            def update_item(self, **request: Any) -> dict[str, Any]:
                self.key = request["Key"]
                return {"Attributes": {"token": {"N": "1"}}}

        table = Table()
        DynamoLedger("ledger", "marks", table).take(LEASE, "r1", datetime.now(UTC), 60)
        asked = machine()["States"]["Release"]["Arguments"]
        assert asked["Key"] == table.key
        assert asked["ExpressionAttributeNames"] == {"#owner": "owner"}
        assert asked["ExpressionAttributeValues"][":nobody"] == {"S": "{% '' %}"}

    def test_an_execution_that_is_ended_by_force_lets_go(self) -> None:
        release = of_type(SYSTEM, "AWS::Serverless::Function")["Release"]
        (rule,) = release["Events"].values()
        assert rule["Type"] == "EventBridgeRule"
        pattern = rule["Properties"]["Pattern"]
        assert pattern["source"] == ["aws.states"]
        assert set(pattern["detail"]["status"]) == {"FAILED", "TIMED_OUT", "ABORTED"}
        assert pattern["detail"]["stateMachineArn"] == [{"Ref": "Machine"}, {"Ref": "KeepMachine"}]

    def test_who_takes_the_lease_says_for_which_execution(self) -> None:
        plan = machine()["States"]["Plan"]["Arguments"]["Payload"]
        assert "'execution': $states.context.Execution.Id" in plan
        keep = machine("keep")["States"]["Keep"]["Arguments"]["Arguments"]
        assert keep["--execution"] == "{% $states.context.Execution.Id %}"
        for role in ("PlanRole", "KeepRole"):  # and may ask about another's
            asks = [s for s in roles(SYSTEM)[role] if "states:DescribeExecution" in s["Action"]]
            (resources,) = (s["Resource"] for s in asks)
            ends = {r["Fn::Sub"].rsplit(":execution:", 1)[1] for r in resources}
            assert ends == {"wistlake-${Stage}:*", "wistlake-${Stage}-keep:*"}

    def test_upkeep_that_fails_is_heard_of(self) -> None:
        states = machine("keep")["States"]
        assert states["Keep"]["Catch"][-1]["Next"] == "IsHeld"
        assert states["IsHeld"]["Default"] == "Failed"
        assert states["Failed"]["Type"] == "Fail"

    def test_both_machines_try_a_job_again_for_the_same_reasons(self) -> None:
        (build,), (keep,) = machine()["States"]["Build"]["Retry"], machine("keep")["States"]["Keep"]["Retry"]
        assert keep["ErrorEquals"] == build["ErrorEquals"]
        assert "States.ALL" not in keep["ErrorEquals"]
        heard = of_type(SYSTEM, "AWS::CloudWatch::Alarm")["UpkeepFailedAlarm"]
        assert heard["Dimensions"] == [{"Name": "StateMachineArn", "Value": {"Ref": "KeepMachine"}}]

    def test_what_went_wrong_never_ends_green(self) -> None:
        states = machine()["States"]
        assert states["Notify"]["Next"] == "Failed"
        assert states["Succeeded"]["Default"] == "Failed"
        assert "['succeeded', 'partial']" in states["Succeeded"]["Choices"][0]["Condition"]
        assert states["Failed"]["Type"] == "Fail"
        assert [name for name, s in states.items() if s["Type"] == "Succeed"] == ["Done"]


class TestEngines:
    """Glue and EMR Serverless run one script, as one role, on what the machine gives them alike."""

    given = of_type(SYSTEM, "AWS::Serverless::StateMachine")["Machine"]["DefinitionSubstitutions"]
    states = machine()["States"]

    def test_the_machine_chooses_by_the_parameter(self) -> None:
        state = self.states["AnythingLanded"]
        builds = [(c["Condition"], c["Next"]) for c in state["Choices"] if c["Next"].startswith("Build")]
        assert builds == [("{% '${BuildEngine}' = 'emr-serverless' %}", "BuildOnEmr")]
        assert state["Choices"][-1]["Next"] == "BuildOnEmr"
        assert state["Default"] == "Build"
        assert SYSTEM["Parameters"]["BuildEngine"]["Default"] == "glue"
        assert self.states["BuildOnEmr"]["Next"] == self.states["Build"]["Next"] == "Publish"

    def test_both_run_the_same_script_with_the_same_arguments_as_the_same_role(self) -> None:
        job, asked = of_type(SYSTEM, "AWS::Glue::Job")["BuildJob"], self.states["BuildOnEmr"]["Arguments"]
        assert self.given["BuildScript"] == job["Command"]["ScriptLocation"]
        assert self.given["BuildRole"] == job["Role"] == {"Fn::GetAtt": ["BuildRole", "Arn"]}
        flat = asked["JobDriver"]["SparkSubmit"]["EntryPointArguments"]
        on_emr = dict(zip(flat[::2], flat[1::2], strict=True))
        of_the_run = self.states["Build"]["Arguments"]["Arguments"]
        assert {name: on_emr[name] for name in of_the_run} == of_the_run
        size = {"--workers", "--cores"}  # each engine has its own
        workers, cores = on_emr["--workers"], on_emr["--cores"]
        assert (workers, cores) == ("{% $string(1 + $number('${EmrExecutors}')) %}", "4")  # and a driver
        assert self.given["EmrExecutors"] == {"Ref": "EmrExecutors"}
        assert f"spark.executor.cores={cores}" in str(self.given["BuildSettings"])
        for name, text in on_emr.items():
            if name not in of_the_run and name not in size:
                value = self.given[text[2:-1]]
                assert value == job["DefaultArguments"][name], name
        assert set(on_emr) == of_the_run.keys() | size | {
            n for n in job["DefaultArguments"] if "_" in n or n in ("--stage", "--database")
        }

    def test_both_read_the_same_catalog_by_the_same_settings(self) -> None:
        job = of_type(SYSTEM, "AWS::Glue::Job")["BuildJob"]["DefaultArguments"]
        separator, parts = self.given["BuildSettings"]["Fn::Join"]
        assert separator == " "
        assert parts[-2:] == ["--conf", job["--conf"]]
        assert f"--py-files {job['--extra-py-files']['Fn::Sub']}" == parts[0]["Fn::Sub"]

    def test_an_application_stops_by_itself_and_has_spark_3_5(self) -> None:
        application = of_type(SYSTEM, "AWS::EMRServerless::Application")["BuildApplication"]
        assert application["AutoStopConfiguration"] == {"Enabled": True, "IdleTimeoutMinutes": 5}
        assert application["AutoStartConfiguration"] == {"Enabled": True}
        release = SYSTEM["Parameters"]["EmrRelease"]
        assert re.fullmatch(release["AllowedPattern"], release["Default"])
        assert not re.fullmatch(release["AllowedPattern"], "emr-6.15.0"), "that has Spark 3.4"

    def test_nothing_of_it_is_there_unless_it_is_asked_for(self) -> None:
        for kind in ("AWS::EMRServerless::Application",):
            for name in of_type(SYSTEM, kind):
                assert SYSTEM["Resources"][name]["Condition"] == "OnEmr"
        machines = of_type(SYSTEM, "AWS::IAM::Role")["MachineRole"]["Policies"][0]["PolicyDocument"][
            "Statement"
        ]
        for statement in some(s for s in machines if "emr-serverless" in str(s)):
            assert statement["Fn::If"][0] == "OnEmr"


def _all_of(value: Any, key: str) -> list[Any]:
    if isinstance(value, dict):
        return [v for k, v in value.items() if k == key] + [
            found for v in value.values() for found in _all_of(v, key)
        ]
    return [found for v in value for found in _all_of(v, key)] if isinstance(value, list) else []


class TestWorkflows:
    everything = workflows()

    @pytest.mark.parametrize("name", sorted(everything))
    def test_nothing_is_allowed_unless_a_job_says_so(self, name: str) -> None:
        assert self.everything[name]["permissions"] == {}

    @pytest.mark.parametrize("name", sorted(everything))
    def test_actions_are_pinned_by_commit(self, name: str) -> None:
        for used in some(_all_of(self.everything[name], "uses")):
            assert used.startswith("./") or re.search(r"@[0-9a-f]{40}$", used), used

    def test_nobody_holds_a_long_lived_key(self) -> None:
        assert "access-key" not in json.dumps(self.everything).lower()

    @pytest.mark.parametrize("name", ["deploy-stage.yml", "contract.yml"])
    def test_a_missing_variable_fails_in_the_first_step(self, name: str) -> None:
        first = next(iter(self.everything[name]["jobs"].values()))["steps"][0]
        assert first["name"] == "Every variable is set"
        assert all(variable in first["run"] for variable in ("AWS_REGION", "MEDIA_IDS"))

    def test_ci_runs_once_for_a_change(self) -> None:
        when = self.everything["ci.yml"]["on"]
        assert when["push"] == {"branches": ["main", "master"]}  # a branch is seen by its pull request
        assert when["pull_request"] is None
        assert "workflow_dispatch" in when

    def test_nothing_is_deployed_by_itself_before_the_repository_is_set_up(self) -> None:
        condition = self.everything["deploy.yml"]["jobs"]["green"]["if"]
        by_hand, _, by_itself = condition.partition("||")
        assert "AWS_REGION" not in by_hand
        assert "vars.AWS_REGION != ''" in by_itself

    def test_a_commit_by_its_id_is_one_that_was_merged(self) -> None:
        (step,) = self.everything["deploy.yml"]["jobs"]["green"]["steps"]
        assert step["env"]["ASKED"] == "${{ inputs.sha }}"
        assert "compare/$DEFAULT...$SHA" in step["run"]
        assert "behind|identical) ;; *)" in step["run"]

    def test_prod_waits_for_a_person_where_nobody_can_approve(self) -> None:
        condition = self.everything["deploy.yml"]["jobs"]["prod"]["if"]
        assert (
            condition == "vars.DEPLOY_PROD == 'true' || (vars.DEPLOY_PROD == 'manual' && inputs.prod == true)"
        )

    def test_a_pull_request_of_a_fork_gets_no_credentials(self) -> None:
        (job,) = self.everything["changeset.yml"]["jobs"].values()
        assert "pull_request.head.repo.full_name == github.repository" in job["if"]
        assert "vars.CHANGESET_COMMENTS == 'true'" in job["if"]
        assert job["environment"] == "dev-changeset"  # whose role can execute nothing
        assert "pull_request_target" not in self.everything["changeset.yml"]["on"]

    def test_a_day_is_read_again_by_one_click(self) -> None:
        workflow = self.everything["rerun.yml"]
        assert {"stage", "day", "media"} <= workflow["on"]["workflow_dispatch"]["inputs"].keys()
        (job,) = workflow["jobs"].values()
        assert job["environment"] == "${{ inputs.stage }}"
        assert "${{" not in job["steps"][-1]["run"]  # what a person typed is no part of the program

    def test_credentials_outlive_the_job_that_uses_them(self) -> None:
        job = self.everything["deploy-stage.yml"]["jobs"]["execute"]
        (login,) = (s["with"] for s in job["steps"] if "configure-aws-credentials" in s.get("uses", ""))
        allowed = of_type(BOOTSTRAP, "AWS::IAM::Role")["DeployRole"]["MaxSessionDuration"]
        assert job["timeout-minutes"] * 60 < login["role-duration-seconds"] <= allowed

    def test_the_live_api_is_asked_only_when_somebody_wants_it(self) -> None:
        (job,) = self.everything["contract.yml"]["jobs"].values()
        assert job["if"] == "vars.WISTIA_CONTRACT_TESTS == 'true'"

    def test_prod_is_approved_between_change_set_and_execution(self) -> None:
        jobs = self.everything["deploy-stage.yml"]["jobs"]
        assert jobs["execute"]["environment"] == "${{ inputs.stage }}"
        assert jobs["execute"]["needs"] == "changeset"
        prod = self.everything["deploy.yml"]["jobs"]["prod"]
        assert prod["with"]["changeset-environment"] == "prod-changeset"


def test_every_argument_of_a_job_is_a_text() -> None:
    """CloudFormation hands on what it finds in a mapping as it is written; argparse reads texts only."""
    for job in some(of_type(SYSTEM, "AWS::Glue::Job").values()):
        for name, value in job["DefaultArguments"].items():
            assert isinstance(value, str | dict), name
            for place, _, key in [value["Fn::FindInMap"]] if "Fn::FindInMap" in value else []:
                assert all(isinstance(row[key], str) for row in some(SYSTEM["Mappings"][place].values())), (
                    name
                )


class TestRelease:
    """A tag becomes a release only of what CI has passed, and everything in it is signed without a stored secret."""

    jobs = workflows()["release.yml"]["jobs"]

    def test_nothing_happens_before_ci_is_green(self) -> None:
        (step,) = self.jobs["green"]["steps"]
        assert "--workflow ci.yml --commit" in step["run"]
        assert self.jobs["build"]["needs"] == "green"
        assert all("needs" in job for name, job in self.jobs.items() if name != "green")

    def test_pypi_trusts_the_workflow_and_gets_attestations(self) -> None:
        job = self.jobs["pypi"]
        assert (job["permissions"]["id-token"], job["environment"]) == ("write", "pypi")
        assert [s for s in job["steps"] if s.get("run") == "make publish"]
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert "pypi-attestations sign" in makefile
        assert "uv publish --trusted-publishing always" in makefile
        assert "secrets." not in json.dumps(self.jobs)

    def test_wheel_and_image_are_attested_and_the_contents_are_listed(self) -> None:
        signed = [
            s["with"]
            for job in self.jobs.values()
            for s in job["steps"]
            if s.get("uses", "").startswith("actions/attest-build-provenance@")
        ]
        assert "build/dist/sbom.cdx.json" in signed[0]["subject-path"]
        assert "build/dist/*.whl" in signed[0]["subject-path"]
        assert signed[1]["subject-digest"] == "${{ steps.push.outputs.digest }}"
        assert "sbom.cdx.json" in self.jobs["release"]["steps"][-1]["run"]

    def test_the_image_holds_locked_packages_and_runs_as_nobody_special(self) -> None:
        text = (ROOT / "infra" / "Dockerfile").read_text(encoding="utf-8")
        assert "--require-hashes -r /tmp/laptop.txt" in text
        assert re.search(r"^USER [1-9]\d+$", text, re.MULTILINE)
        assert "demo --days 1" in self.jobs["image"]["steps"][-2]["run"], "it is tried before it is pushed"

    def test_ci_tries_the_wheel_with_every_python(self) -> None:
        steps = workflows()["ci.yml"]["jobs"]["tests"]["steps"]
        (versions,) = [s["with"]["python-version"] for s in steps if "setup-python" in s.get("uses", "")]
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        named = [c.rpartition(" :: ")[2] for c in project["classifiers"] if " :: Python :: " in c]
        assert versions.split() == named[::-1]
