"""Every setting: its variable, its default, what it means and what it accepts. Declared once.

A value comes from the first of: an explicit argument, the environment, `.env` in the working directory,
`wistlake.toml` there (or the file that WISTLAKE_CONFIG names). Both files use the variables' own names.
Blanks and quotation marks around a value are no part of it. All problems are raised together as one ConfigError,
each with its cure; none quotes a secret.

Whoever writes these files decides where the token goes and which command runs. Files in the working directory are
therefore refused where everybody may write, and `warnings` names what one decides that may not be the user's own.
"""

import os
import re
import shlex
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from wistlake.channel_rules import read as read_rules
from wistlake.contracts import SOURCES
from wistlake.errors import ConfigError, closest
from wistlake.foreign import unquoted
from wistlake.zones import zone

DOTENV = ".env"
TOML = "wistlake.toml"
NEWEST_API = "2026-09"
ALL_MEDIA = "all"
_OURS = ("WISTLAKE_", "WISTIA_")  # names that nobody else would put into a shared .env
_PREFIX = re.compile("^WIST(LAKE|IA)_")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MEDIA_ID = re.compile(r"[A-Za-z0-9]{6,32}")
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_API_VERSION = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
_ALL, _ALL_WRITE = 0o007, 0o002  # modes: everybody may open, everybody may write
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_WISTIA_HOST = "api.wistia.com"
# What decides where the token and the notices go, and what is run.
_FAR_REACHING = ("WISTIA_BASE_URL", "WISTLAKE_NOTIFY_COMMAND", "WISTLAKE_NOTIFY_WEBHOOK", "SLACK_WEBHOOK_URL")


def _setting(variable: str, default: Any, meaning: str, accepts: str, **limits: Any) -> Any:
    return Field(
        default,
        validation_alias=variable,
        description=meaning,
        json_schema_extra={"accepts": accepts},
        **limits,
    )


def _parts(value: Any) -> Any:
    """A comma list, or a real list, as a tuple of distinct names in their order."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise ValueError("not a list")  # noqa: TRY004, pydantic collects ValueError only
    return tuple(dict.fromkeys(stripped for item in items if (stripped := str(item).strip())))


def _token(value: SecretStr) -> SecretStr:
    text = unquoted(value.get_secret_value())
    if not text or not text.isascii() or not text.isprintable() or set(text) & set(" \"'`"):
        raise ValueError(
            "WISTIA_API_TOKEN is empty, or holds blanks, quotation marks or characters that no token has: "
            "copy it again from Wistia's account settings, API access, and nothing around it"
        )
    return SecretStr(text)


def _check_url(variable: str, url: str, cure: str) -> None:
    """ValueError unless `url` is https, or http to this machine, and carries no credentials."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{variable} is no URL: {cure}") from None
    if not host or parts.scheme not in ("http", "https"):
        raise ValueError(f"{variable} is no URL: {cure}")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{variable} carries credentials: take what stands before the @ out of it")
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise ValueError(f"{variable} is not encrypted: write https:// (http:// is for this machine only)")


def _base_url(value: str) -> str:
    cure = "write https://api.wistia.com/modern, or https://api.wistia.com/v1"
    _check_url("WISTIA_BASE_URL", value, cure)
    parts = urlsplit(value)
    if parts.query or parts.fragment or not parts.path.rstrip("/").endswith(("/modern", "/v1")):
        raise ValueError(f"WISTIA_BASE_URL must end in /modern or /v1: {cure}")
    return value.rstrip("/")


def _webhook(variable: str) -> AfterValidator:
    def check(value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _check_url(variable, value.get_secret_value(), "copy the whole https:// address")
        return value

    return AfterValidator(check)


def _media_ids(value: tuple[str, ...]) -> tuple[str, ...]:
    if ALL_MEDIA in value and len(value) > 1:
        raise ValueError(f"MEDIA_IDS names `all` beside ids: keep one of the two ({', '.join(value[:5])})")
    wrong = [item for item in value if item != ALL_MEDIA and not _MEDIA_ID.fullmatch(item)]
    if wrong:
        raise ValueError(
            f"MEDIA_IDS holds {', '.join(map(_shown, wrong))}, which is no hashed id: give 6 to 32 letters "
            "and digits, as in https://ACCOUNT.wistia.com/medias/<id>, with commas between"
        )
    return value


def _datasets(value: tuple[str, ...]) -> tuple[str, ...]:
    known = tuple(source.name for source in SOURCES)
    unknown = [name for name in value if name not in known]
    if unknown:
        words = "; ".join(f"{_shown(name)} is none{_meant(name, known)}" for name in unknown)
        raise ValueError(f"WISTLAKE_DATASETS: {words} (there are {', '.join(known)})")
    if not value:
        return tuple(source.name for source in SOURCES if not source.optional)
    return tuple(name for name in known if name in value)


def _home(variable: str, value: Path) -> Path:
    """The path with its `~` in full; ValueError where that names nobody's home."""
    try:
        return value.expanduser().absolute()
    except RuntimeError:
        raise ValueError(f"{variable} is {_shown(value)}, and there is no such home folder") from None


def _lake(value: Path) -> Path:
    if str(value).startswith(("s3:", "http:", "https:")):
        raise ValueError(
            f"WISTLAKE_LAKE is {str(value)!r}: name a folder; buckets go into BRONZE_BUCKET and SILVER_BUCKET"
        )
    return Path(os.path.abspath(_home("WISTLAKE_LAKE", value)))  # one name, however it is written


def _channels(value: Path | None) -> Path | None:
    if value is None:
        return None
    path = _home("WISTLAKE_CHANNELS", value)
    if not path.is_file():
        raise ValueError(f"WISTLAKE_CHANNELS: there is no file {path}: correct the path, or unset it")
    try:
        read_rules(path)
    except ConfigError as e:
        raise ValueError(f"WISTLAKE_CHANNELS: {'; '.join(e.problems)}") from None
    return path


def _day(value: Any) -> Any:
    """Text must be a plain date: pydantic alone would also take digits as seconds since 1970."""
    if isinstance(value, str) and _ISO_DAY.fullmatch(value.strip()):
        return date.fromisoformat(value.strip())
    if value is not None and type(value) is not date:
        raise ValueError("not a plain date")
    return value


def _known_zone(value: str) -> str:
    try:
        zone(value)
    except ConfigError as e:
        raise ValueError(str(e)) from None
    return value


def _shown(value: Any) -> str:
    """A wrong value as far as it helps to find it: a token pasted into the wrong line stays unseen."""
    text = str(value)
    return repr(text if len(text) <= 20 else f"{text[:8]}...")


def _meant(name: str, known: Iterable[str]) -> str:
    # Without their prefix: it would make any two names look alike.
    bare = {_PREFIX.sub("", candidate): candidate for candidate in known}
    meant = closest(_PREFIX.sub("", name), bare)
    return f", did you mean {bare[meant]}?" if meant else ""


_Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts)]


class Settings(BaseSettings):
    """All settings of one process, checked. ConfigError lists every problem at once.

    Arguments are field names (`Settings(lookback_days=3)`) and beat the environment and the files.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        populate_by_name=True,
        env_prefix="WISTLAKE_FIELD_",  # or variables named like fields (AUTH, STAGE, TOKEN) would be read too
        env_ignore_empty=True,
        validate_default=True,
        hide_input_in_errors=True,
        extra="forbid",
    )

    token: Annotated[SecretStr, AfterValidator(_token)] | None = _setting(
        "WISTIA_API_TOKEN",
        None,
        "Wistia's API token: the permissions to read detailed stats, and all folder and media data.",
        "the token as Wistia shows it",
    )
    base_url: Annotated[str, AfterValidator(_base_url)] = _setting(
        "WISTIA_BASE_URL",
        "https://api.wistia.com/modern",
        "Which API to ask: the dated one (/modern), or the frozen one (/v1).",
        "a URL that ends in /modern or /v1; http:// to this machine only",
    )
    api_version: str | None = _setting(
        "WISTIA_API_VERSION",
        None,
        f"Release of the dated API; {NEWEST_API} unless set. Not with /v1.",
        f"YYYY-MM, such as {NEWEST_API}",
    )
    auth: Literal["bearer", "basic"] = _setting(
        "WISTIA_AUTH", "bearer", "How the token is sent; basic is Wistia's legacy way.", "bearer or basic"
    )
    timeout_seconds: float = _setting(
        "WISTIA_TIMEOUT", 60.0, "Seconds to wait for one answer of Wistia.", "seconds, 1 to 600", ge=1, le=600
    )
    per_page: int = _setting(
        "WISTIA_PER_PAGE", 100, "Records asked for per page.", "a whole number, 1 to 100", ge=1, le=100
    )
    page: int = _setting(
        "WISTIA_PAGE", 1, "Page to begin with when exploring by hand.", "a whole number from 1", ge=1
    )
    media_ids: Annotated[_Names, AfterValidator(_media_ids)] = _setting(
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
    lake: Annotated[Path, AfterValidator(_lake)] = _setting(
        "WISTLAKE_LAKE", Path("lake"), "The laptop's lake: one folder that holds everything.", "a folder"
    )
    engine: Literal["sail", "spark"] = _setting(
        "WISTLAKE_ENGINE", "sail", "What builds the tables; spark needs a Java.", "sail or spark"
    )
    account_timezone: Annotated[str, AfterValidator(_known_zone)] = _setting(
        "WISTLAKE_ACCOUNT_TIMEZONE",
        "America/New_York",
        "Whose days Wistia's daily numbers follow.",
        "an IANA name or an offset such as -05:00",
    )
    lookback_days: int = _setting(
        "WISTLAKE_LOOKBACK_DAYS",
        7,
        "Days before the last finished one that every run reads again.",
        "a whole number, 1 to 60",
        ge=1,
        le=60,
    )
    start_date: Annotated[date | None, BeforeValidator(_day)] = _setting(
        "WISTLAKE_START_DATE",
        None,
        "First day of a new lake; unset: the lookback. Wistia keeps events for two years.",
        "YYYY-MM-DD",
    )
    datasets: Annotated[_Names, AfterValidator(_datasets)] = _setting(
        "WISTLAKE_DATASETS",
        (),
        "The datasets to fetch; unset: all but the optional ones.",
        f"names with commas between, out of {', '.join(s.name for s in SOURCES)}",
    )
    requests_per_minute: int = _setting(
        "WISTLAKE_REQUESTS_PER_MINUTE",
        540,
        "Requests per minute over all processes; Wistia allows 600 per account.",
        "a whole number, 1 to 600",
        ge=1,
        le=600,
    )
    max_concurrency: int = _setting(
        "WISTLAKE_MAX_CONCURRENCY",
        16,
        "Requests under way at once.",
        "a whole number, 1 to 64",
        ge=1,
        le=64,
    )
    include_open_days: bool = _setting(
        "WISTLAKE_INCLUDE_OPEN_DAYS", False, "Also land the running day, as provisional.", "true or false"
    )
    channels: Annotated[Path | None, AfterValidator(_channels)] = _setting(
        "WISTLAKE_CHANNELS", None, "A TOML file of ordered channel rules; unset: the built-in ones.", "a file"
    )
    bronze_retention_days: int = _setting(
        "WISTLAKE_BRONZE_RETENTION_DAYS",
        30,
        "How long raw pages, and refused records, are kept; `wistlake maintain` lets them go.",
        "a whole number, 1 to 3650",
        ge=1,
        le=3650,
    )
    bronze_redaction: bool = _setting(
        "WISTLAKE_BRONZE_REDACTION",
        False,
        "Cut personal values out before landing, so that no raw copy exists.",
        "on or off",
    )
    report: bool = _setting(
        "WISTLAKE_REPORT",
        True,
        "Write report.html into the lake after every run that has news.",
        "true or false",
    )
    notify_command: str = _setting(
        "WISTLAKE_NOTIFY_COMMAND",
        "",
        "A command that gets each notice as JSON on its standard input; run without a shell.",
        "a command line",
        repr=False,
    )
    notify_webhook: Annotated[SecretStr | None, _webhook("WISTLAKE_NOTIFY_WEBHOOK")] = _setting(
        "WISTLAKE_NOTIFY_WEBHOOK", None, "Gets each notice as a JSON POST.", "an https:// address"
    )
    slack_webhook_url: Annotated[SecretStr | None, _webhook("SLACK_WEBHOOK_URL")] = _setting(
        "SLACK_WEBHOOK_URL", None, "Gets each notice as a Slack message.", "an https:// address"
    )
    place: Literal["laptop", "aws"] = _setting(
        "WISTLAKE_PLACE",
        "laptop",
        "Where the lake is that commands read; aws needs the names below.",
        "laptop or aws",
    )
    query: Literal["duckdb", "athena"] = _setting(
        "WISTLAKE_QUERY",
        "duckdb",
        "AWS only: what answers SQL; certify and explain want duckdb.",
        "duckdb or athena",
    )
    bronze_bucket: str = _setting(
        "BRONZE_BUCKET", "", "AWS only: bucket of the raw pages.", "a bucket's name"
    )
    silver_bucket: str = _setting("SILVER_BUCKET", "", "AWS only: bucket of the tables.", "a bucket's name")
    ddb_table: str = _setting(
        "DDB_TABLE",
        "WistiaWatermarks",
        "AWS only: DynamoDB table of the watermarks; `-<stage>` is appended.",
        "a table's name",
    )
    ledger_table: str = _setting(
        "LEDGER_TABLE",
        "WistlakeLedger",
        "AWS only: DynamoDB table of the ledger; `-<stage>` is appended.",
        "a table's name",
    )
    token_secret: str = _setting(
        "WISTIA_TOKEN_SECRET", "", "AWS only: the secret that holds the API token.", "a name or an ARN"
    )
    key_secret: str = _setting(
        "WISTLAKE_KEY_SECRET", "", "AWS only: the secret that holds the pseudonym key.", "a name or an ARN"
    )
    glue_database: str = _setting(
        "GLUE_DATABASE", "", "AWS only: the Glue database of the tables, for athena.", "a database's name"
    )
    athena_workgroup: str = _setting(
        "ATHENA_WORKGROUP", "", "AWS only: Athena's workgroup, for athena.", "a workgroup's name"
    )
    topic_arn: str = _setting(
        "WISTLAKE_TOPIC_ARN", "", "AWS only: the topic that gets each notice.", "an ARN"
    )
    slack_secret: str = _setting(
        "WISTLAKE_SLACK_SECRET", "", "AWS only: the secret that holds Slack's address.", "a name or an ARN"
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

    reads_files: ClassVar[bool] = True
    _warnings: tuple[str, ...] = PrivateAttr(())

    def __init__(self, **given: Any) -> None:
        environment = _environment(type(self))
        files = _files(environment) if self.reads_files else ()
        problems = [problem for file in files for problem in file.problems]
        try:
            super().__init__(**given)
        except ValidationError as e:
            problems += [_words(error) for error in e.errors(include_url=False)]
        if problems:
            # Outside of the except clause: pydantic's own text has no business in the traceback.
            raise ConfigError(list(dict.fromkeys(problems)))
        self._warnings = tuple(_doubts(files, environment))

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
                f"{_BY_FIELD[name].variable} holds a control character, such as the carriage return of a file "
                "from Windows: write it again"
            )
        return text if text or name == "token" else cls.model_fields[name].default

    @field_validator("api_version", mode="after")
    @classmethod
    def _version_beside_base(cls, value: str | None, info: Any) -> str | None:
        frozen = str(info.data.get("base_url", "")).endswith("/v1")
        if value is None:
            return None if frozen else NEWEST_API
        if frozen:
            raise ValueError(
                "WISTIA_API_VERSION is set, but WISTIA_BASE_URL ends in /v1, which has no releases: "
                "unset WISTIA_API_VERSION, or let WISTIA_BASE_URL end in /modern"
            )
        if not _API_VERSION.fullmatch(value):
            raise ValueError(f"WISTIA_API_VERSION is {_shown(value)}: write YYYY-MM, such as {NEWEST_API}")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The order of precedence: arguments, environment, `.env`, TOML."""
        environment = env_settings.env_vars if isinstance(env_settings, EnvSettingsSource) else {}
        files = _files(environment) if cls.reads_files else ()
        sources = (InitSettingsSource(settings_cls, dict(file.known)) for file in files)
        return (init_settings, env_settings, *sources)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a settings file decides that may not be the user's own, a line each."""
        return self._warnings

    @property
    def tz(self) -> tzinfo:
        """The account's zone."""
        return zone(self.account_timezone)

    @property
    def all_media(self) -> bool:
        """Whether every media of the account is followed."""
        return self.media_ids == (ALL_MEDIA,)

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
        values = (self.token, self.notify_webhook, self.slack_webhook_url)
        return tuple(value.get_secret_value() for value in values if value is not None)


class WithoutFiles(Settings):
    """The settings of arguments and environment alone: those of somebody who is about to write the files."""

    reads_files = False

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)


@dataclass(frozen=True, slots=True)
class SettingDoc:
    """One row of the table of settings. `default` is as one would write it; "" if there is none."""

    variable: str
    field: str
    default: str
    meaning: str
    accepts: str
    secret: bool


def _written(default: Any) -> str:
    if isinstance(default, bool):
        return "true" if default else "false"
    if isinstance(default, Path):
        return f"./{default}"
    return "" if default in (None, ()) else f"{default:g}" if isinstance(default, float) else str(default)


def _docs() -> Iterator[SettingDoc]:
    derived = {
        "api_version": NEWEST_API,
        "bronze_redaction": "off",
        "config": TOML,
        "datasets": ",".join(s.name for s in SOURCES if not s.optional),
    }
    for name, info in Settings.model_fields.items():
        extra = info.json_schema_extra
        yield SettingDoc(
            variable=str(info.validation_alias),
            field=name,
            default=derived.get(name, _written(info.default)),
            meaning=str(info.description),
            accepts=str(extra["accepts"]) if isinstance(extra, dict) else "",
            secret="SecretStr" in str(info.annotation),
        )


DOCS: tuple[SettingDoc, ...] = tuple(_docs())
_VARIABLES = {doc.variable: doc for doc in DOCS}
_BY_FIELD = {doc.field: doc for doc in DOCS}
_TO_FILL_IN = ("WISTIA_API_TOKEN", "MEDIA_IDS")


def env_example() -> str:
    """The text of `.env.example`: every setting with its meaning; only what must be filled in is live."""
    head = "# Copy to .env, fill in, and `chmod 600 .env`. What is commented out shows the default.\n"
    return head + "".join(
        f"\n# {doc.meaning}\n# Accepts {doc.accepts}.\n"
        f"{'' if doc.variable in _TO_FILL_IN else '# '}{doc.variable}={doc.default}\n"
        for doc in DOCS
    )


@dataclass(frozen=True, slots=True)
class _File:
    """What one settings file says: values by variable, and what is wrong with the file itself. `path` is that of
    a file that was found, and not named."""

    known: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    path: Path | None = None


def _environment(settings: type[BaseSettings]) -> Mapping[str, str | None]:
    return EnvSettingsSource(settings, case_sensitive=False).env_vars


def _files(environment: Mapping[str, str | None]) -> tuple[_File, _File]:
    """`.env`, and the TOML file that it or the environment names."""
    dotenv = _found(Path(DOTENV), _read_dotenv)
    named = unquoted(environment.get("wistlake_config") or str(dotenv.known.get("WISTLAKE_CONFIG", "")))
    if not named:
        return dotenv, _found(Path(TOML), _read_toml)
    try:
        path = _home("WISTLAKE_CONFIG", Path(named))
    except ValueError as e:
        return dotenv, _File(problems=(str(e),))
    if not path.is_file():
        missing = f"WISTLAKE_CONFIG: there is no file {path}: correct the path, or unset it"
        return dotenv, _File(problems=(missing,))
    return dotenv, _read_toml(path)


def _found(path: Path, read: Callable[[Path], _File]) -> _File:
    """The settings file of the working directory, if there is one; not where everybody may write it."""
    try:
        if not path.is_file():
            return _File()
        if problem := unsafe(path.parent):
            return _File(problems=(problem,))
    except OSError as e:
        return _File(problems=(_unreadable(path, e),))
    return replace(read(path), path=path.absolute())


def unsafe(folder: Path) -> str:
    """Why settings files in this folder are not read; "" if they are."""
    if os.name != "posix" or not folder.stat().st_mode & _ALL_WRITE:
        return ""
    return (
        f"settings files in {folder.absolute()} are not read, because everybody on this machine may write there: "
        f"chmod o-w {shlex.quote(str(folder.absolute()))}, or keep them elsewhere and name one in WISTLAKE_CONFIG"
    )


def _doubts(files: Iterable[_File], environment: Mapping[str, str | None]) -> Iterator[str]:
    """Far-reaching values of files that may not be the user's own: those of somebody else, and those that lie
    where a token happens to be in the environment, such as a folder that came from elsewhere."""
    token_is_theirs = any("WISTIA_API_TOKEN" in file.known for file in files)
    for file in files:
        reach = [n for n in _FAR_REACHING if n in file.known and n.lower() not in environment]
        if file.known.get("WISTIA_BASE_URL") and _is_wistia(str(file.known["WISTIA_BASE_URL"])):
            reach = [n for n in reach if n != "WISTIA_BASE_URL"]
        if file.path is None or not reach:
            continue
        why = ""
        if os.name == "posix" and file.path.stat().st_uid not in (os.geteuid(), 0):
            why = "belongs to another user"
        elif not token_is_theirs and environment.get("wistia_api_token"):
            why = "is used with the token of your environment"
        if why:
            yield f"{file.path} sets {', '.join(reach)} and {why}: if it is yours, name it in WISTLAKE_CONFIG"


def _is_wistia(url: str) -> bool:
    try:
        return urlsplit(unquoted(url)).hostname == _WISTIA_HOST
    except ValueError:
        return False


def _read_dotenv(path: Path) -> _File:
    from dotenv.parser import parse_stream  # loaded late: most Lambdas never see a .env

    try:
        with path.open(encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as e:
        return _File(problems=(_unreadable(path, e),))
    wrong = [b.original.line for b in bindings if b.error or (b.key and b.value is None)]
    values = {b.key.upper(): b.value for b in bindings if b.key and b.value}
    strangers = [name for name in values if name.startswith(_OURS) and name not in _VARIABLES]
    return _sorted_out(path, values, strangers, [f"line {n} is not NAME=value" for n in wrong])


def _read_toml(path: Path) -> _File:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        return _File(problems=(_unreadable(path, e),))
    values = {name.upper(): value for name, value in document.items()}
    tables = [name for name, value in values.items() if isinstance(value, dict)]
    strangers = [name for name in values if name not in _VARIABLES]
    return _sorted_out(
        path, values, strangers, [f"[{name}] is a table: write NAME = value lines only" for name in tables]
    )


def _unreadable(path: Path, error: Exception) -> str:
    # TOML errors name line and column, never the text there; the others are about the file.
    return f"{path.absolute()} cannot be read ({error}): correct it, or remove it"


def _sorted_out(path: Path, values: Mapping[str, Any], strangers: Iterable[str], wrong: list[str]) -> _File:
    problems = [f"{path.absolute()}: {text}" for text in wrong]
    problems += [
        f"{path.absolute()}: {name} is no setting{_meant(name, _VARIABLES) or ': remove it'}"
        for name in strangers
        if not isinstance(values[name], dict)
    ]
    known = {name: value for name, value in values.items() if name in _VARIABLES}
    problems += _too_open(path, [name for name in known if _VARIABLES[name].secret])
    return _File(known, tuple(problems))


def _too_open(path: Path, secrets: list[str]) -> list[str]:
    """The complaint about a file that everybody may write, or read though it holds secrets; none without modes."""
    mode = path.stat().st_mode if os.name == "posix" else 0
    if secrets and mode & _ALL:
        cure = f"chmod 600 {shlex.quote(str(path.absolute()))}"
        return [
            f"{path.absolute()} holds {', '.join(secrets)} and everybody on this machine may open it: {cure}"
        ]
    if mode & _ALL_WRITE:
        cure = f"chmod o-w {shlex.quote(str(path.absolute()))}"
        return [f"{path.absolute()} is not read, because everybody on this machine may change it: {cure}"]
    return []


def _words(error: ErrorDetails) -> str:
    """A pydantic error as a sentence: the variable, what it is, what it accepts."""
    name = str(error["loc"][0])
    doc = _VARIABLES.get(name) or _BY_FIELD.get(name)
    if doc is None:
        return f"{name} is no setting{_meant(name, _BY_FIELD) or ': remove it'}"
    if (cause := error.get("ctx", {}).get("error")) and doc.variable in str(cause):
        return str(cause)
    shown = "not understood" if doc.secret else _shown(error["input"])
    return f"{doc.variable} is {shown}: give {doc.accepts}"


if __name__ == "__main__":
    Path(".env.example").write_text(env_example(), encoding="utf-8")
