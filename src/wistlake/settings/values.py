"""What a single value may be: each function returns the value as the program uses it, or raises ValueError.

The message of the ValueError names the variable and the cure, and quotes no secret.
"""

import os
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr

from wistlake import alert_rules
from wistlake.alert_rules import Rule
from wistlake.channel_rules import read as read_rules
from wistlake.contracts import SOURCES
from wistlake.errors import ConfigError, closest
from wistlake.foreign import unquoted
from wistlake.zones import zone

NEWEST_API = "2026-09"
ALL_MEDIA = "all"
_PREFIX = re.compile("^WIST(LAKE|IA)_")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NO_HOST = re.compile(r"[\s\"<>\\^`{|}]")  # characters that urlsplit lets pass, and no host name has
_MEDIA_ID = re.compile(r"[A-Za-z0-9]{6,32}")
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&*+/=?^_`{|}~-]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|::1")
_API_VERSION = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


def as_list(value: Any) -> Any:
    """A comma list, or a real list, as a tuple of distinct names in their order."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise ValueError("not a list")  # noqa: TRY004, pydantic collects ValueError only
    return tuple(dict.fromkeys(stripped for item in items if (stripped := str(item).strip())))


def token(value: SecretStr) -> SecretStr:
    """The token without what a copy leaves around it."""
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
    if not host or _NO_HOST.search(host) or parts.scheme not in ("http", "https"):
        raise ValueError(f"{variable} is no URL: {cure}")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{variable} carries credentials: take what stands before the @ out of it")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise ValueError(f"{variable} is not encrypted: write https:// (http:// is for this machine only)")


def base_url(value: str) -> str:
    """The API's address without a slash at its end."""
    cure = "write https://api.wistia.com/modern, or https://api.wistia.com/v1"
    _check_url("WISTIA_BASE_URL", value, cure)
    parts = urlsplit(value)
    if parts.query or parts.fragment or not parts.path.rstrip("/").endswith(("/modern", "/v1")):
        raise ValueError(f"WISTIA_BASE_URL must end in /modern or /v1: {cure}")
    return value.rstrip("/")


def webhook(variable: str) -> AfterValidator:
    """The check of an address that is a secret by itself."""

    def check(value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _check_url(variable, value.get_secret_value(), "copy the whole https:// address")
        return value

    return AfterValidator(check)


def lineage(value: str) -> str:
    """An address of a collector, or a file."""
    if "://" in value:
        _check_url("WISTLAKE_LINEAGE", value, "copy the whole https:// address")
    return value


def command_line(value: str) -> str:
    """A command as a shell would split it."""
    try:
        shlex.split(value)
    except ValueError:
        raise ValueError(
            "WISTLAKE_NOTIFY_COMMAND ends within quotation marks or after a backslash: write it as in a shell"
        ) from None
    return value


def media_ids(value: tuple[str, ...]) -> tuple[str, ...]:
    """Hashed ids, or `all` alone."""
    if ALL_MEDIA in value and len(value) > 1:
        raise ValueError(f"MEDIA_IDS names `all` beside ids: keep one of the two ({', '.join(value[:5])})")
    wrong = [item for item in value if item != ALL_MEDIA and not _MEDIA_ID.fullmatch(item)]
    if wrong:
        raise ValueError(
            f"MEDIA_IDS holds {', '.join(map(shown, wrong))}, which isn't a hashed id: give 6 to 32 letters "
            "and digits, as in https://ACCOUNT.wistia.com/medias/<id>, with commas between"
        )
    return value


def datasets(value: tuple[str, ...]) -> tuple[str, ...]:
    """Names in the order of the contracts; all but the optional ones if there are none."""
    names = tuple(source.name for source in SOURCES)
    unknown = [name for name in value if name not in names]
    if unknown:
        words = "; ".join(f"{shown(name)} is none{similar(name, names)}" for name in unknown)
        raise ValueError(f"WISTLAKE_DATASETS: {words} (there are {', '.join(names)})")
    if not value:
        return tuple(source.name for source in SOURCES if not source.optional)
    return tuple(name for name in names if name in value)


def home(variable: str, value: Path) -> Path:
    """The path with its `~` in full; ValueError where that names nobody's home."""
    try:
        return value.expanduser().absolute()
    except RuntimeError:
        raise ValueError(f"{variable} is {shown(value)}, and there is no such home folder") from None


def lake(value: Path) -> Path:
    """The absolute path of the lake."""
    if str(value).startswith(("s3:", "http:", "https:")):
        raise ValueError(
            f"WISTLAKE_LAKE is {str(value)!r}: name a folder; buckets go into BRONZE_BUCKET and SILVER_BUCKET"
        )
    return Path(os.path.abspath(home("WISTLAKE_LAKE", value)))  # one name, however it is written


@dataclass(frozen=True, slots=True)
class InBucket:
    """An object of S3."""

    bucket: str
    key: str

    def __str__(self) -> str:
        """Its address."""
        return f"s3://{self.bucket}/{self.key}"


def object_or_file(value: Any) -> Any:
    """An `s3://` address as what it names; anything else as it is."""
    if not (isinstance(value, str) and value.startswith("s3://")):
        return value
    bucket, _, key = value.removeprefix("s3://").partition("/")
    if not (bucket and key):
        raise ValueError("neither a file nor an s3://bucket/key")
    return InBucket(bucket, key)


def channels(value: Path | InBucket | None) -> Path | InBucket | None:
    """A file of channel rules that can be read; an object, when a run reads it."""
    if isinstance(value, InBucket):
        return value
    if (path := _file("WISTLAKE_CHANNELS", value)) is None:
        return None
    try:
        read_rules(path)
    except ConfigError as e:
        raise ValueError(f"WISTLAKE_CHANNELS: {'; '.join(e.problems)}") from None
    return path


def labels(value: Path | None) -> Path | None:
    """A file that is there; a run reads it."""
    return _file("WISTLAKE_LABELS", value)


def alerts(value: Any) -> tuple[Rule, ...]:
    """The goals and alerts of a settings file's `[[alert]]` tables, or of the file that is named."""
    if isinstance(value, Path | str):
        value = str(value).strip()
        path = _file("WISTLAKE_ALERTS", Path(value)) if value else None
    try:
        if isinstance(value, str):
            return alert_rules.read(path) if path else ()
        return alert_rules.parsed(value)
    except ConfigError as e:
        raise ValueError("\n".join(f"WISTLAKE_ALERTS: {problem}" for problem in e.problems)) from None


def mail_addresses(variable: str) -> AfterValidator:
    """The check of addresses to write to, or from."""

    def check(value: tuple[str, ...]) -> tuple[str, ...]:
        if wrong := [n for n, address in enumerate(value, 1) if not _ADDRESS.fullmatch(address)]:
            where = "" if len(value) == 1 else f", number {wrong[0]} of {len(value)}"
            raise ValueError(
                f"{variable} holds something that is no address{where}: write name@example.org, with commas between"
            )
        return value

    return AfterValidator(check)


def host(value: str) -> str:
    """A mail server's name, without scheme and port."""
    if value and not _HOST.fullmatch(value):
        raise ValueError("WISTLAKE_SMTP_HOST is no host name: write it alone, such as smtp.example.org")
    return value


def smtp_security(value: str, server: str) -> str:
    """How mails travel: in the clear to this machine only."""
    if value == "none" and server not in ("", *LOOPBACK):
        raise ValueError(
            "WISTLAKE_SMTP_SECURITY is none, but WISTLAKE_SMTP_HOST is another machine: write starttls, or tls"
        )
    return value


def _file(variable: str, value: Path | None) -> Path | None:
    if value is None:
        return None
    path = home(variable, value)
    if not path.is_file():
        raise ValueError(f"{variable}: there is no file {path}: correct the path, or unset it")
    return path


def day(value: Any) -> Any:
    """Text must be a plain date: pydantic alone would also take digits as seconds since 1970."""
    if isinstance(value, str) and _ISO_DAY.fullmatch(value.strip()):
        return date.fromisoformat(value.strip())
    if value is not None and type(value) is not date:
        raise ValueError("not a plain date")
    return value


def account_zone(value: str) -> str:
    """A zone that this machine's database knows."""
    try:
        zone(value)
    except ConfigError as e:
        raise ValueError(str(e)) from None
    return value


def shown(value: Any) -> str:
    """A wrong value as far as it helps to find it: a token pasted into the wrong line stays unseen."""
    text = str(value)
    return repr(text if len(text) <= 20 else f"{text[:8]}...")


def similar(name: str, names: Iterable[str]) -> str:
    """The question whether another name was meant; "" if none is like `name`."""
    # Without their prefix: it would make any two names look alike.
    bare = {_PREFIX.sub("", candidate): candidate for candidate in names}
    match = closest(_PREFIX.sub("", name), bare)
    return f", did you mean {bare[match]}?" if match else ""


def api_version(value: str | None, base: str) -> str | None:
    """The release to ask `base` for: the newest one unless set; /v1 has none."""
    frozen = base.endswith("/v1")
    if value is None:
        return None if frozen else NEWEST_API
    if frozen:
        raise ValueError(
            "WISTIA_API_VERSION is set, but WISTIA_BASE_URL ends in /v1, which has no releases: "
            "unset WISTIA_API_VERSION, or let WISTIA_BASE_URL end in /modern"
        )
    if not _API_VERSION.fullmatch(value):
        raise ValueError(f"WISTIA_API_VERSION is {shown(value)}: write YYYY-MM, such as {NEWEST_API}")
    return value
