"""Where values come from besides arguments: the environment, `.env` and `wistlake.toml`.

Whoever writes these files decides where the token goes and which command runs. Files in the working directory are
therefore refused where everybody may write, and `warnings` names values that may not be the user's own.
"""

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wistlake import alert_rules, toml_file
from wistlake.foreign import unquoted
from wistlake.settings.declare import DOTENV, TOML
from wistlake.settings.document import BY_VARIABLE
from wistlake.settings.values import home, similar

_OURS = ("WISTLAKE_", "WISTIA_")  # names that nobody else would put into a shared .env
_ALL, _ALL_WRITE = 0o007, 0o002  # modes: everybody may open, everybody may write
_WISTIA_HOST = "api.wistia.com"
# What decides where the token and the notices go, and what is run.
_FAR_REACHING = (
    "WISTIA_BASE_URL", "WISTLAKE_NOTIFY_COMMAND", "WISTLAKE_NOTIFY_WEBHOOK", "SLACK_WEBHOOK_URL", "TEAMS_WEBHOOK_URL",
    "WISTLAKE_SMTP_HOST", "WISTLAKE_MAIL_TO",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """One file's values by variable, and what is wrong with the file itself.

    `path` is set for a file of the working directory: nobody chose that one by naming it.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    path: Path | None = None


NO_FILE = SettingsFile()


def environment() -> Mapping[str, str]:
    """The settings among the process's variables, in whatever case; an empty one is not set."""
    variables = {name.upper(): value for name, value in os.environ.items() if value}
    return {name: value for name, value in variables.items() if name in BY_VARIABLE}


def files(environment: Mapping[str, str]) -> tuple[SettingsFile, SettingsFile]:
    """`.env`, and the TOML file that it or the environment names."""
    dotenv = _in_working_directory(Path(DOTENV), _read_dotenv)
    named = unquoted(environment.get("WISTLAKE_CONFIG") or str(dotenv.values.get("WISTLAKE_CONFIG", "")))
    if not named:
        return dotenv, _in_working_directory(Path(TOML), _read_toml)
    try:
        path = home("WISTLAKE_CONFIG", Path(named))
    except ValueError as e:
        return dotenv, SettingsFile(problems=(str(e),))
    if not path.is_file():
        missing = f"WISTLAKE_CONFIG: there is no file {path}: correct the path, or unset it"
        return dotenv, SettingsFile(problems=(missing,))
    return dotenv, _read_toml(path)


def _in_working_directory(path: Path, read: Callable[[Path], SettingsFile]) -> SettingsFile:
    """The settings file of the working directory, if there is one; not where everybody may write it."""
    try:
        if not path.is_file():
            return SettingsFile()
        if problem := unsafe(path.parent):
            return SettingsFile(problems=(problem,))
    except OSError as e:
        return SettingsFile(problems=(_unreadable(path, e),))
    return replace(read(path), path=path.absolute())


def unsafe(folder: Path) -> str:
    """Why settings files in this folder are not read; "" if they are."""
    if os.name != "posix" or not folder.stat().st_mode & _ALL_WRITE:
        return ""
    return (
        f"settings files in {folder.absolute()} are not read, because everybody on this machine may write there: "
        f"chmod o-w {shlex.quote(str(folder.absolute()))}, or keep them elsewhere and name one in WISTLAKE_CONFIG"
    )


def warnings(files: Iterable[SettingsFile], environment: Mapping[str, str]) -> Iterator[str]:
    """A line for each file with far-reaching values that may not be the user's own.

    Such a file belongs to somebody else, or lies in a folder that came from elsewhere while the token is in the
    environment.
    """
    token_is_theirs = any("WISTIA_API_TOKEN" in file.values for file in files)
    for file in files:
        reach = [n for n in _FAR_REACHING if n in file.values and n not in environment]
        if file.values.get("WISTIA_BASE_URL") and _is_wistia(str(file.values["WISTIA_BASE_URL"])):
            reach = [n for n in reach if n != "WISTIA_BASE_URL"]
        if file.path is None or not reach:
            continue
        reason = ""
        if os.name == "posix" and file.path.stat().st_uid not in (os.geteuid(), 0):
            reason = "belongs to another user"
        elif not token_is_theirs and "WISTIA_API_TOKEN" in environment:
            reason = "is used with the token of your environment"
        if reason:
            yield f"{file.path} sets {', '.join(reach)} and {reason}: if it is yours, name it in WISTLAKE_CONFIG"


def _is_wistia(url: str) -> bool:
    try:
        return urlsplit(unquoted(url)).hostname == _WISTIA_HOST
    except ValueError:
        return False


def _read_dotenv(path: Path) -> SettingsFile:
    from dotenv.parser import parse_stream  # loaded late: most Lambdas never see a .env

    try:
        with path.open(encoding="utf-8-sig") as stream:
            bindings = list(parse_stream(stream))
    except (OSError, UnicodeDecodeError) as e:
        return SettingsFile(problems=(_unreadable(path, e),))
    wrong = [b.original.line for b in bindings if b.error or (b.key and b.value is None)]
    values = {b.key.upper(): b.value for b in bindings if b.key and b.value}
    unknown_names = [name for name in values if name.startswith(_OURS) and name not in BY_VARIABLE]
    return _checked(path, values, unknown_names, [f"line {n} is not NAME=value" for n in wrong])


def _read_toml(path: Path) -> SettingsFile:
    try:
        document = toml_file.read(path)
    except (OSError, ValueError) as e:
        return SettingsFile(problems=(_unreadable(path, e),))
    values = {name.upper(): value for name, value in document.items()}
    if (entries := values.pop(alert_rules.TABLE.upper(), None)) is not None:
        if "WISTLAKE_ALERTS" in values:
            twice = (
                f"{path.absolute()}: WISTLAKE_ALERTS names a file, and [[alert]] is here: keep one of the two"
            )
            return SettingsFile(problems=(twice,))
        values["WISTLAKE_ALERTS"] = entries
    tables = [name for name, value in values.items() if isinstance(value, dict)]
    unknown_names = [name for name in values if name not in BY_VARIABLE]
    return _checked(
        path,
        values,
        unknown_names,
        [f"[{name}] is a table: write NAME = value lines only" for name in tables],
    )


def _unreadable(path: Path, error: Exception) -> str:
    # TOML errors name line and column, never the text there; the others are about the file.
    return f"{path.absolute()} cannot be read ({error}): correct it, or remove it"


def _checked(
    path: Path, values: Mapping[str, Any], unknown_names: Iterable[str], wrong: list[str]
) -> SettingsFile:
    problems = [f"{path.absolute()}: {text}" for text in wrong]
    problems += [
        f"{path.absolute()}: {name} isn't a setting{similar(name, BY_VARIABLE) or ': remove it'}"
        for name in unknown_names
        if not isinstance(values[name], dict)
    ]
    settings = {name: value for name, value in values.items() if name in BY_VARIABLE}
    problems += _too_open(path, [name for name in settings if BY_VARIABLE[name].secret])
    return SettingsFile(settings, tuple(problems))


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
