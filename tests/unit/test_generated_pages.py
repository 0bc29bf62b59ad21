"""Pages that are written from the code are what the code says now, and how a licence is read."""

import re
from email.message import Message
from pathlib import Path

import pytest

from wistlake.contracts import TABLES
from wistlake.derive import data_model_page
from wistlake.entrypoints import licences
from wistlake.entrypoints.docs import main, pages
from wistlake.settings import env_example

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", pages())
def test_generated_pages_are_fresh(page: str) -> None:
    assert (ROOT / "docs" / page).read_text() == pages()[page], "make docs"


def test_the_example_of_settings_is_fresh() -> None:
    assert (ROOT / ".env.example").read_text() == env_example(), "make docs"


def test_pages_are_written_into_a_folder_that_may_not_be_there_yet(tmp_path: Path) -> None:
    for _ in range(2):
        main(tmp_path / "new" / "docs")
    folder = tmp_path / "new" / "docs"
    written = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*.*")}
    assert written == dict(pages())


def test_packages_of_other_platforms_are_not_shipped(tmp_path: Path) -> None:
    (tmp_path / "laptop.txt").write_text(
        "b==2.0 \\\n    --hash=sha256:x\n"
        "w==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:x\n"
        "v==1.0 ; platform_system == 'Windows' \\\n    --hash=sha256:x\n"
    )
    (tmp_path / "dashboard.txt").write_text(
        "a==1.5 ; python_version < '4' \\\n    --hash=sha256:x\nb==2.0 \\\n    --hash=sha256:x\n    # via a\n"
    )
    for name in ("handoff", "mcp", "lambda"):
        (tmp_path / f"{name}.txt").write_text("")
    found = licences.pinned(tmp_path)
    assert found == {"a": ("1.5", ("dashboard",)), "b": ("2.0", ("laptop", "dashboard"))}
    assert list(found) == ["a", "b"]


MIT, APPROVED = "License :: OSI Approved :: MIT License", "License :: OSI Approved"


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ([("License-Expression", "MIT"), ("License", "text"), ("Classifier", MIT)], "MIT"),
        ([("License", "text"), ("Classifier", "Topic :: X"), ("Classifier", MIT)], "MIT License"),
        ([("Classifier", MIT), ("Classifier", "License :: Public Domain")], "MIT License, Public Domain"),
        ([("License", "BSD\n\nCopyright"), ("Classifier", APPROVED)], "BSD"),
        ([("License", "x" * 70)], "x" * 60),
        ([("License", " ")], ""),
        ([], ""),
    ],
)
def test_a_licence_is_read_from_expression_classifiers_or_text(
    monkeypatch: pytest.MonkeyPatch, fields: list[tuple[str, str]], licence: str
) -> None:
    metadata = Message()
    for name, value in fields:
        metadata.add_header(name, value)
    monkeypatch.setattr(licences, "metadata", lambda package: metadata)
    assert licences.licence("p") == licence


def test_a_package_that_is_not_installed_has_no_licence_to_read() -> None:
    assert licences.licence("no-such-package-at-all") == ""


def test_the_data_model_shows_each_table_with_its_key_and_joins_only_what_is_there() -> None:
    text = data_model_page.page()
    entities = dict(re.findall(r"(?m)^  (\w+) \{\n((?:    .*\n)*)  \}", text))
    shown = [t for t in TABLES if t.layer != "ops" and t.name != "quarantine"]
    assert set(entities) == {t.full_name.replace(".", "_") for t in shown}
    for table in shown:
        body = entities[table.full_name.replace(".", "_")]
        assert set(re.findall(r"(\w+) PK", body)) == set(table.key)
        assert int(re.findall(r'more columns "(\d+)"', body)[0]) + body.count("\n") - 1 == len(table.columns)
    joins = re.findall(r"(\w+) \|\|--o\{ (\w+) : (\w+)", text)
    assert len(joins) > 12
    for dimension, fact, column in joins:
        assert f"{column} PK" in entities[dimension]
        assert re.search(rf"{column} .*FK", entities[fact])


def test_the_page_of_aws_names_every_service_of_the_template() -> None:
    used = set(re.findall(r"AWS::(\w+)::", (ROOT / "infra" / "template.yaml").read_text()))
    page = (ROOT / "docs" / "aws.md").read_text()
    names = {
        "Scheduler": "EventBridge Scheduler", "Events": "EventBridge", "Serverless": "Lambda", "Lambda": "Lambda",
        "StepFunctions": "Step Functions", "SecretsManager": "Secrets Manager", "Glue": "Glue", "S3": "S3",
        "DynamoDB": "DynamoDB", "Athena": "Athena", "CloudWatch": "CloudWatch", "Logs": "logs", "SNS": "SNS",
        "CloudFormation": "CloudFormation", "IAM": "OIDC", "EMRServerless": "EMR Serverless", "SQS": "SQS",
        "Budgets": "AWS Budgets",
    }  # fmt: skip
    told = {service for service in used if names.get(service, service) in page}
    assert {"DynamoDB", "Glue", "Athena", "SNS", "S3"} <= told
    assert told == used
