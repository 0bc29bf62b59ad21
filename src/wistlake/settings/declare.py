"""The declaration of every setting: its variable, its default, what it means and what it accepts."""

import re
from datetime import date, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from wistlake.alert_rules import Rule
from wistlake.contracts import SOURCES
from wistlake.errors import ConfigError
from wistlake.foreign import unquoted
from wistlake.settings import values
from wistlake.zones import zone

DOTENV = ".env"
TOML = "wistlake.toml"
_NAME_OR_ARN = "a name or an ARN"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _setting(variable: str, default: Any, meaning: str, accepts: str, **limits: Any) -> Any:
    return Field(
        default,
        validation_alias=variable,
        description=meaning,
        json_schema_extra={"accepts": accepts},
        **limits,
    )


def _number(variable: str, default: float, meaning: str, least: int, most: int | None, of: str = "") -> Any:
    """A number between two limits; a whole one unless `of` names its unit."""
    accepts = f"{of or 'a whole number'}{f', {least} to {most}' if most else f' from {least}'}"
    return _setting(variable, default, meaning, accepts, ge=least, le=most)


def _of_aws(variable: str, meaning: str, accepts: str, default: str = "") -> Any:
    return _setting(variable, default, f"AWS only: {meaning}", accepts)


_Names = Annotated[tuple[str, ...], BeforeValidator(values.as_list)]


class Declaration(BaseModel):
    """All settings, each checked by itself. Where the values come from is `Settings`' part."""

    model_config = ConfigDict(
        defer_build=True,
        frozen=True,
        validate_default=True,
        hide_input_in_errors=True,
        extra="forbid",
    )

    token: Annotated[SecretStr, AfterValidator(values.token)] | None = _setting(
        "WISTIA_API_TOKEN",
        None,
        "Wistia's API token: the permissions to read detailed stats, and all folder and media data.",
        "the token as Wistia shows it",
    )
    base_url: Annotated[str, AfterValidator(values.base_url)] = _setting(
        "WISTIA_BASE_URL",
        "https://api.wistia.com/modern",
        "Which API to ask: the dated one (/modern), or the frozen one (/v1).",
        "a URL that ends in /modern or /v1; http:// to this machine only",
    )
    api_version: str | None = _setting(
        "WISTIA_API_VERSION",
        None,
        f"Release of the dated API; {values.NEWEST_API} unless set. Not with /v1.",
        f"YYYY-MM, such as {values.NEWEST_API}",
    )
    auth: Literal["bearer", "basic"] = _setting(
        "WISTIA_AUTH", "bearer", "How the token is sent; basic is Wistia's legacy way.", "bearer or basic"
    )
    timeout_seconds: float = _number(
        "WISTIA_TIMEOUT", 60.0, "Seconds to wait for one answer of Wistia.", 1, 600, "seconds"
    )
    per_page: int = _number("WISTIA_PER_PAGE", 100, "Records asked for per page.", 1, 100)
    page: int = _number("WISTIA_PAGE", 1, "Page to begin with when exploring by hand.", 1, None)
    media_ids: Annotated[_Names, AfterValidator(values.media_ids)] = _setting(
        "MEDIA_IDS",
        (),
        "The media to follow: hashed ids, or `all`.",
        "ids of letters and digits with commas between, or all",
    )
    media_folder: str = _setting(
        "WISTLAKE_MEDIA_FOLDER",
        "",
        "Follow the media of this Wistia folder; not beside ids.",
        "its name or id",
    )
    media_tag: str = _setting(
        "WISTLAKE_MEDIA_TAG", "", "Follow the media that carry this tag; not beside ids.", "a text"
    )
    lake: Annotated[Path, AfterValidator(values.lake)] = _setting(
        "WISTLAKE_LAKE", Path("lake"), "The laptop's lake: one folder that holds everything.", "a folder"
    )
    engine: Literal["sail", "spark"] = _setting(
        "WISTLAKE_ENGINE",
        "sail",
        "What builds the tables; spark has an environment of its own (`make spark`).",
        "sail or spark",
    )
    account_timezone: Annotated[str, AfterValidator(values.account_zone)] = _setting(
        "WISTLAKE_ACCOUNT_TIMEZONE",
        "America/New_York",
        "Whose days Wistia's daily numbers follow.",
        "an IANA name or an offset such as -05:00",
    )
    lookback_days: int = _number(
        "WISTLAKE_LOOKBACK_DAYS", 7, "Days before the last finished one that every run reads again.", 1, 60
    )
    tolerated_percent: float = _number(
        "WISTLAKE_TOLERATED_PERCENT",
        10,
        "Share of the media that may fail: a run of which more failed is failed, not partial.",
        0,
        100,
        "percent",
    )
    start_date: Annotated[date | None, BeforeValidator(values.day)] = _setting(
        "WISTLAKE_START_DATE",
        None,
        "First day of a new lake; unset: the lookback. Wistia keeps events for two years.",
        "YYYY-MM-DD",
    )
    datasets: Annotated[_Names, AfterValidator(values.datasets)] = _setting(
        "WISTLAKE_DATASETS",
        (),
        "The datasets to fetch; unset: all but the optional ones.",
        f"names with commas between, out of {', '.join(s.name for s in SOURCES)}",
    )
    requests_per_minute: int = _number(
        "WISTLAKE_REQUESTS_PER_MINUTE",
        540,
        "Requests per minute over all processes; Wistia allows 600 per account.",
        1,
        600,
    )
    max_concurrency: int = _number("WISTLAKE_MAX_CONCURRENCY", 16, "Requests under way at once.", 1, 64)
    include_open_days: bool = _setting(
        "WISTLAKE_INCLUDE_OPEN_DAYS", False, "Also land the running day, as provisional.", "true or false"
    )
    channels: Annotated[
        Path | values.InBucket | None,
        BeforeValidator(values.object_or_file),
        AfterValidator(values.channels),
    ] = _setting(
        "WISTLAKE_CHANNELS",
        None,
        "A TOML file of ordered channel rules, as docs/channels.md has them; unset: the built-in ones.",
        "a file, or s3://bucket/key",
    )
    labels: Annotated[Path | None, AfterValidator(values.labels)] = _setting(
        "WISTLAKE_LABELS",
        None,
        "A CSV file of labels, as `wistlake media label --to-csv` writes it: each run gives media what it says.",
        "a file",
    )
    alerts: Annotated[tuple[Rule, ...], BeforeValidator(values.alerts)] = _setting(
        "WISTLAKE_ALERTS",
        (),
        "Goals and alerts: `[[alert]]` tables at the end of wistlake.toml, or a file of them (docs/alerts.md).",
        "[[alert]] tables, or a file",
    )
    bronze_retention_days: int = _number(
        "WISTLAKE_BRONZE_RETENTION_DAYS",
        30,
        "How long raw pages, and refused records, are kept; `wistlake maintain` lets them go.",
        1,
        3650,
    )
    bronze_redaction: bool = _setting(
        "WISTLAKE_BRONZE_REDACTION",
        False,
        "Cut personal values out before landing, so that no raw copy exists.",
        "on or off",
    )
    keep_city: bool = _setting(
        "WISTLAKE_CITY",
        False,
        "Keep each session's city in silver.fact_events. It may single a person out, and else ends in bronze.",
        "on or off",
    )
    report: bool = _setting(
        "WISTLAKE_REPORT",
        True,
        "Write report.html into the lake after every run that has news.",
        "true or false",
    )
    thumbnails: bool = _setting(
        "WISTLAKE_THUMBNAILS",
        False,
        "Show videos' pictures in report and dashboard: whoever opens those then asks Wistia for them.",
        "true or false",
    )
    log: Literal["text", "json"] = _setting(
        "WISTLAKE_LOG",
        "text",
        "How messages on standard error are written. In the environment only: it counts before files are read.",
        "text (warnings as lines), or json (each step an object)",
    )
    notify_command: Annotated[str, AfterValidator(values.command_line)] = _setting(
        "WISTLAKE_NOTIFY_COMMAND",
        "",
        "A command that gets each notice as JSON on its standard input; run without a shell.",
        "a command line",
        repr=False,
    )
    notify_webhook: Annotated[SecretStr | None, values.webhook("WISTLAKE_NOTIFY_WEBHOOK")] = _setting(
        "WISTLAKE_NOTIFY_WEBHOOK", None, "Gets each notice as a JSON POST.", "an https:// address"
    )
    slack_webhook_url: Annotated[SecretStr | None, values.webhook("SLACK_WEBHOOK_URL")] = _setting(
        "SLACK_WEBHOOK_URL", None, "Gets each notice as a Slack message.", "an https:// address"
    )
    lineage: Annotated[str, AfterValidator(values.lineage)] = _setting(
        "WISTLAKE_LINEAGE",
        "",
        "Where OpenLineage events of each run go: a line each, or a POST.",
        "a file (not on AWS), or the https:// address of a collector's lineage API",
        repr=False,
    )
    lineage_key: SecretStr | None = _setting(
        "WISTLAKE_LINEAGE_KEY", None, "Sent to that address as a bearer token.", "the collector's API key"
    )
    teams_webhook_url: Annotated[SecretStr | None, values.webhook("TEAMS_WEBHOOK_URL")] = _setting(
        "TEAMS_WEBHOOK_URL",
        None,
        "Gets each notice as a card: the address of a Teams workflow (“when a webhook request is received”).",
        "an https:// address",
    )
    mail_to: Annotated[_Names, values.mail_addresses("WISTLAKE_MAIL_TO")] = _setting(
        "WISTLAKE_MAIL_TO",
        (),
        "Who gets alerts, failures and the digest by e-mail; on AWS the digest. Taking an address out unsubscribes it.",
        "addresses with commas between",
    )
    mail_from: Annotated[_Names, values.mail_addresses("WISTLAKE_MAIL_FROM")] = _setting(
        "WISTLAKE_MAIL_FROM",
        (),
        "Whose address these mails carry; unset: the first of WISTLAKE_MAIL_TO.",
        "an address",
    )
    smtp_host: Annotated[str, AfterValidator(values.host)] = _setting(
        "WISTLAKE_SMTP_HOST", "", "The mail server that sends them.", "a host name"
    )
    smtp_port: int = _number("WISTLAKE_SMTP_PORT", 587, "Its port.", 1, 65535)
    smtp_security: Literal["starttls", "tls", "none"] = _setting(
        "WISTLAKE_SMTP_SECURITY",
        "starttls",
        "How the way to it is encrypted; none for a server on this machine only.",
        "starttls, tls or none",
    )
    smtp_user: str = _setting("WISTLAKE_SMTP_USER", "", "Who signs in there; unset: nobody.", "a name")
    smtp_password: SecretStr | None = _setting(
        "WISTLAKE_SMTP_PASSWORD", None, "The password of WISTLAKE_SMTP_USER.", "a password"
    )
    digest_day: Literal["", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] = (
        _setting(
            "WISTLAKE_DIGEST_DAY",
            "",
            "The weekday (UTC) whose first run sends the digest to all of these; on AWS a schedule does, to the topic "
            "and by mail; unset: none does.",
            "monday to sunday",
        )
    )
    place: Literal["laptop", "aws"] = _setting(
        "WISTLAKE_PLACE",
        "laptop",
        "Where the lake is that commands read; aws needs the names below.",
        "laptop or aws",
    )
    query: Literal["duckdb", "athena"] = _of_aws(
        "WISTLAKE_QUERY", "what answers SQL.", "duckdb or athena", "duckdb"
    )
    bronze_bucket: str = _of_aws("BRONZE_BUCKET", "bucket of the raw pages.", "a bucket's name")
    silver_bucket: str = _of_aws("SILVER_BUCKET", "bucket of the tables.", "a bucket's name")
    ddb_table: str = _of_aws(
        "DDB_TABLE",
        "DynamoDB table of the watermarks; `-<stage>` is appended.",
        "a table's name",
        "WistiaWatermarks",
    )
    ledger_table: str = _of_aws(
        "LEDGER_TABLE",
        "DynamoDB table of the ledger; `-<stage>` is appended.",
        "a table's name",
        "WistlakeLedger",
    )
    token_secret: str = _of_aws("WISTIA_TOKEN_SECRET", "the secret that holds the API token.", _NAME_OR_ARN)
    key_secret: str = _of_aws("WISTLAKE_KEY_SECRET", "the secret that holds the pseudonym key.", _NAME_OR_ARN)
    glue_database: str = _of_aws(
        "GLUE_DATABASE", "the Glue database of the tables, for athena.", "a database's name"
    )
    athena_workgroup: str = _of_aws(
        "ATHENA_WORKGROUP", "Athena's workgroup, for athena.", "a workgroup's name"
    )
    topic_arn: str = _of_aws("WISTLAKE_TOPIC_ARN", "the topic that gets each notice.", "an ARN")
    slack_secret: str = _of_aws(
        "WISTLAKE_SLACK_SECRET", "the secret that holds Slack's address.", _NAME_OR_ARN
    )
    teams_secret: str = _of_aws(
        "WISTLAKE_TEAMS_SECRET", "the secret that holds Teams' address.", _NAME_OR_ARN
    )
    smtp_secret: str = _of_aws(
        "WISTLAKE_SMTP_SECRET", "the secret that holds the mail server's settings.", _NAME_OR_ARN
    )
    lineage_secret: str = _of_aws(
        "WISTLAKE_LINEAGE_SECRET", "the secret that holds WISTLAKE_LINEAGE_KEY.", _NAME_OR_ARN
    )
    stage: str = _setting(
        "WISTLAKE_STAGE",
        "dev",
        "Name of the deployment, in logs and notices.",
        "1 to 20 lower-case letters, digits and -",
        pattern=r"^[a-z0-9-]{1,20}$",
    )
    config: Path | None = _setting(
        "WISTLAKE_CONFIG", None, f"Another settings file instead of {TOML}.", "a file"
    )

    @field_validator("*", mode="before")
    @classmethod
    def _as_meant(cls, value: Any, info: ValidationInfo) -> Any:
        """Values as they were meant: files from Windows and copied lines leave their marks."""
        if not isinstance(value, str):
            return value
        name = str(info.field_name)
        # A command may begin and end with two different words in quotation marks.
        text = value.strip() if name == "notify_command" else unquoted(value)
        if _CONTROL.search(text):
            raise ValueError(
                f"{cls.model_fields[name].validation_alias} holds a control character, such as the carriage return "
                "of a file from Windows: write it again"
            )
        return text if text or name == "token" else cls.model_fields[name].default

    @field_validator("api_version", mode="after")
    @classmethod
    def _version_beside_base(cls, value: str | None, info: ValidationInfo) -> str | None:
        return values.api_version(value, str(info.data.get("base_url", "")))

    @field_validator("smtp_security", mode="after")
    @classmethod
    def _encrypted_beyond_this_machine(cls, value: str, info: ValidationInfo) -> str:
        return values.smtp_security(value, str(info.data.get("smtp_host", "")))

    @property
    def tz(self) -> tzinfo:
        """The account's zone."""
        return zone(self.account_timezone)

    @property
    def all_media(self) -> bool:
        """Whether every media of the account is followed."""
        return self.media_ids == (values.ALL_MEDIA,)

    def require_token(self) -> SecretStr:
        """The token; ConfigError if there is none."""
        if self.token is None:
            raise ConfigError(
                "WISTIA_API_TOKEN is not set: create a token in Wistia (Account settings, API access) and "
                f"put WISTIA_API_TOKEN=<token> into {Path(DOTENV).absolute()}, then `chmod 600` that file"
            )
        return self.token

    def require_media(self) -> tuple[str, ...]:
        """The ids that are named; () where `all`, a folder or a tag chooses. ConfigError if nothing does."""
        if not (self.media_ids or self.media_folder or self.media_tag):
            raise ConfigError(
                "MEDIA_IDS is empty: name the media to follow (MEDIA_IDS=<id>,<id>), or write MEDIA_IDS=all, "
                "or set WISTLAKE_MEDIA_FOLDER or WISTLAKE_MEDIA_TAG"
            )
        filters = {"WISTLAKE_MEDIA_FOLDER": self.media_folder, "WISTLAKE_MEDIA_TAG": self.media_tag}
        if self.media_ids and not self.all_media and any(filters.values()):
            named = " and ".join(name for name, value in filters.items() if value)
            raise ConfigError(f"MEDIA_IDS names media, and {named} would choose others: keep one of them")
        return () if self.all_media else self.media_ids

    def require_source(self, media: tuple[str, ...] = ()) -> None:
        """What asking Wistia needs: a token, and media unless some are named. ConfigError lists both."""
        problems: list[str] = []
        for need in (self.require_token, *(() if media else (self.require_media,))):
            try:
                need()
            except ConfigError as e:
                problems += e.problems
        if problems:
            raise ConfigError(problems)

    def secrets(self) -> tuple[str, ...]:
        """Every secret value that is set, for those who must keep them out of a text."""
        secrets = (
            self.token, self.notify_webhook, self.slack_webhook_url, self.lineage_key, self.teams_webhook_url,
            self.smtp_password,
        )  # fmt: skip
        return tuple(secret.get_secret_value() for secret in secrets if secret is not None)
