"""The parts of the Lambda functions: settings from the environment, secrets from their store. Loads no engine."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import date, timedelta
from functools import cache

from wistlake.adapters.aws import secrets as aws_secrets
from wistlake.adapters.aws.budget import DynamoBudget
from wistlake.adapters.aws.ledger import DynamoLedger
from wistlake.adapters.aws.notify import SnsNotifier
from wistlake.adapters.aws.objects import S3Objects
from wistlake.adapters.aws.query import AthenaRecords
from wistlake.adapters.aws.table_files import S3TableFiles
from wistlake.adapters.mail import Attachment, MailNotifier
from wistlake.adapters.notify import Late, Several, SlackNotifier, TeamsNotifier, WebhookNotifier
from wistlake.errors import ConfigError, StoreError
from wistlake.pipeline.run.spec import Dependencies
from wistlake.ports import Notifier, Query, TableStore
from wistlake.quality.views import views
from wistlake.settings import Settings
from wistlake.wiring import athena_views, notifiers, source
from wistlake.wiring.lineage import listener
from wistlake.wiring.runtime import Runtime
from wistlake.wistia import WistiaClient

_SMTP = "WISTLAKE_SMTP_"
# A media that was deleted before the report's days must not look as if it was deleted on the first one of them.
_BEFORE = timedelta(days=2)


def ledger_table(settings: Settings) -> str:
    """The ledger's full name."""
    return _staged(settings.ledger_table, settings.stage)


def _staged(name: str, stage: str) -> str:
    return name if name.endswith(f"-{stage}") else f"{name}-{stage}"


def ledger(settings: Settings, execution: str = "") -> DynamoLedger:
    """The lake's ledger, which is also its lease: that of an `execution`, by its ARN, if one is at work."""
    marks = _staged(settings.ddb_table, settings.stage)
    shown = athena_views.shown_in(settings.glue_database)
    return DynamoLedger(ledger_table(settings), marks, execution=execution, on_publication=shown)


def objects(settings: Settings) -> S3Objects:
    """The lake's raw pages, and the documents of its runs."""
    return S3Objects(_required(settings.bronze_bucket, "BRONZE_BUCKET"))


def table_files(settings: Settings) -> S3TableFiles:
    """The files of the lake's tables."""
    bucket = _required(settings.silver_bucket, "SILVER_BUCKET")
    return S3TableFiles(bucket, S3Objects(bucket))


def dependencies(settings: Settings, outside: Runtime) -> Dependencies:
    """What planning, ingesting and publishing need; secrets are read when they are."""

    @cache
    def keys() -> tuple[bytes, ...]:
        return key_ring(settings).load().settled().keys

    return Dependencies(
        objects=objects(settings),
        ledger=ledger(settings),
        tables=_no_engine,
        client=lambda: client(settings, outside),
        notifier=notifier(settings),
        keys=keys,
        clock=outside.clock,
        monotonic=outside.monotonic,
        redact=source.redaction(settings, keys),
        listener=listener(settings, _lineage_key(settings)),
    )


def _lineage_key(settings: Settings) -> Callable[[], str] | None:
    """Reads the key of the lineage's address, if a secret holds one, when the first event is sent."""
    secret = settings.lineage_secret
    return cache(lambda: aws_secrets.read(secret)) if secret else None


def query(settings: Settings, since: date | None = None) -> Query:
    """SQL over the published tables, by Athena; the answers are plain rows. Of published intervals there are those
    `since` a day."""
    database = _required(settings.glue_database, "GLUE_DATABASE")
    workgroup = _required(settings.athena_workgroup, "ATHENA_WORKGROUP")
    return AthenaRecords(ledger(settings), database, workgroup, views(), since=since)


def key_ring(settings: Settings) -> aws_secrets.SecretKeys:
    """Where the pseudonym keys are kept."""
    return aws_secrets.SecretKeys(_required(settings.key_secret, "WISTLAKE_KEY_SECRET"))


def client(settings: Settings, outside: Runtime) -> WistiaClient:
    """The source client, on the account's own request budget. Without WISTIA_API_TOKEN in the environment
    the token is the secret's."""
    with_token = settings
    if settings.token is None:
        with_token = Settings(token=aws_secrets.read(_required(settings.token_secret, "WISTIA_TOKEN_SECRET")))
    reach = source.connection(with_token)
    budget = DynamoBudget(ledger_table(settings), reach.account, settings.requests_per_minute)
    options = dict(outside.client_options)
    return WistiaClient(reach, budget, transport=outside.transport, **options)


def notifier(settings: Settings) -> Notifier:
    """The topic: whoever wants to hear subscribes to it, Slack and Teams as well."""
    topic = settings.topic_arn
    return Several([SnsNotifier(topic, secrets=settings.secrets())] if topic else ())


def chat(settings: Settings) -> Notifier:
    """Slack and Teams, each at the address that its secret has when a notice is sent. Without one, nothing but a line
    in the log."""
    _required(
        settings.slack_secret or settings.teams_secret, "WISTLAKE_SLACK_SECRET or WISTLAKE_TEAMS_SECRET"
    )
    ways: tuple[tuple[str, str, type[WebhookNotifier]], ...] = (
        ("slack", settings.slack_secret, SlackNotifier),
        ("teams", settings.teams_secret, TeamsNotifier),
    )

    def at(secret: str, kind: type[WebhookNotifier]) -> Callable[[], Notifier]:
        return lambda: kind(aws_secrets.read(secret), secrets=settings.secrets())

    return Several(Late(way, at(secret, kind)) for way, secret, kind in ways if secret)


def mail(settings: Settings) -> MailNotifier:
    """Mails to all recipients, by the server that the secret has when this is called. ConfigError for a secret that is
    no JSON object of WISTLAKE_SMTP_..., as the settings call them."""
    secret = _required(settings.smtp_secret, "WISTLAKE_SMTP_SECRET")
    try:
        server = json.loads(aws_secrets.read(secret))
    except ValueError:
        server = None
    if not isinstance(server, dict) or not all(name.startswith(_SMTP) for name in server):
        raise ConfigError(f'the secret {secret} is no mail server: write {{"{_SMTP}HOST": "...", ...}}')
    try:
        complete = Settings(**server, mail_to=settings.mail_to, mail_from=settings.mail_from)
    except ConfigError as e:
        wrong = [name for name in server if any(name in problem for problem in e.problems)]
    else:
        return notifiers.mail(complete)
    # A problem may quote its value, and all of these are a secret's.
    raise ConfigError(f"the secret {secret} is wrong in {', '.join(wrong or server)}")


def report(settings: Settings) -> list[Attachment]:
    """The lake's report as a file of a mail; none while nothing is published."""
    from wistlake_dashboard.report import newest_scope  # of the functions, only `digest` needs it

    scope = newest_scope(query(settings))
    return [notifiers.report_file(query(settings, scope.start - _BEFORE), scope)] if scope else []


def emit_metrics(figures: Mapping[str, float], stage: str) -> None:
    """Give a run's figures to CloudWatch."""
    from wistlake.adapters.aws import metrics  # powertools: of the functions, only `publish` needs it

    metrics.emit(figures, stage)


def _no_engine() -> AbstractContextManager[TableStore]:
    raise StoreError("a Lambda function builds no tables: the Glue job does")


def _required(value: str, variable: str) -> str:
    if not value:
        raise ConfigError(f"{variable} is not set: the stack's template names it")
    return value
