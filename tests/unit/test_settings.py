"""Settings: where they come from, what they refuse, and that nothing shows a secret."""

import contextlib
import os
import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wistlake.channel_rules import DEFAULT_RULES, FIELDS, read
from wistlake.contracts import SOURCES
from wistlake.errors import ConfigError
from wistlake.settings import Settings
from wistlake.settings.document import DOCS, env_example
from wistlake.settings.values import InBucket
from wistlake.settings.write import write

ROOT = Path(__file__).parents[2]
TOKEN = "0123456789abcdef" * 4
BY_DEFAULT = tuple(s.name for s in SOURCES if not s.optional)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for doc in DOCS:
        monkeypatch.delenv(doc.variable, raising=False)
    return tmp_path


def write_env(text: str, mode: int = 0o600) -> None:
    Path(".env").write_text(text)
    Path(".env").chmod(mode)


def problems(**given_settings: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        Settings(**given_settings)
    assert TOKEN not in str(refused.value)
    return refused.value.problems


class TestDefaults:
    def test_all_of_them(self, folder: Path) -> None:
        settings = Settings()
        assert settings.model_dump() == {
            "token": None,
            "base_url": "https://api.wistia.com/modern",
            "api_version": "2026-09",
            "auth": "bearer",
            "timeout_seconds": 60.0,
            "per_page": 100,
            "page": 1,
            "media_ids": (),
            "media_folder": "",
            "media_tag": "",
            "lake": folder / "lake",
            "engine": "sail",
            "account_timezone": "America/New_York",
            "lookback_days": 7,
            "start_date": None,
            "datasets": BY_DEFAULT,
            "requests_per_minute": 540,
            "max_concurrency": 16,
            "include_open_days": False,
            "report": True,
            "log": "text",
            "channels": None,
            "labels": None,
            "bronze_retention_days": 30,
            "bronze_redaction": False,
            "keep_city": False,
            "thumbnails": False,
            "notify_command": "",
            "notify_webhook": None,
            "slack_webhook_url": None,
            "lineage": "",
            "lineage_key": None,
            "alerts": (),
            "teams_webhook_url": None,
            "mail_to": (),
            "mail_from": (),
            "smtp_host": "",
            "smtp_port": 587,
            "smtp_security": "starttls",
            "smtp_user": "",
            "smtp_password": None,
            "digest_day": "",
            "bronze_bucket": "",
            "silver_bucket": "",
            "ddb_table": "WistiaWatermarks",
            "ledger_table": "WistlakeLedger",
            "token_secret": "",
            "key_secret": "",
            "topic_arn": "",
            "slack_secret": "",
            "teams_secret": "",
            "smtp_secret": "",
            "lineage_secret": "",
            "tolerated_percent": 10,
            "place": "laptop",
            "query": "duckdb",
            "glue_database": "",
            "athena_workgroup": "",
            "stage": "dev",
            "config": None,
        }
        assert str(settings.tz) == "America/New_York"

    def test_optional_datasets_are_off(self) -> None:
        assert "visitors" not in BY_DEFAULT
        assert "events" in BY_DEFAULT


class TestPrecedence:
    def test_argument_then_environment_then_dotenv_then_toml(self, monkeypatch: pytest.MonkeyPatch) -> None:
        names = ("WISTLAKE_LOOKBACK_DAYS", "WISTLAKE_MAX_CONCURRENCY", "WISTIA_PER_PAGE", "WISTIA_PAGE")
        Path("wistlake.toml").write_text("".join(f"{name} = 2\n" for name in names))
        write_env("".join(f"{name}=3\n" for name in names[:3]))
        monkeypatch.setenv("WISTLAKE_LOOKBACK_DAYS", "4")
        monkeypatch.setenv("WISTLAKE_MAX_CONCURRENCY", "4")
        settings = Settings(lookback_days=5)
        assert (settings.lookback_days, settings.max_concurrency) == (5, 4)
        assert (settings.per_page, settings.page) == (3, 2)

    def test_a_home_folder_that_is_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for variable in ("WISTLAKE_CONFIG", "WISTLAKE_LAKE", "WISTLAKE_CHANNELS"):
            with monkeypatch.context() as only:
                only.setenv(variable, "~0/there")
                with pytest.raises(ConfigError, match=variable):
                    Settings()

    def test_an_empty_value_is_no_value(self, monkeypatch: pytest.MonkeyPatch) -> None:
        write_env("WISTIA_API_TOKEN=\nMEDIA_IDS=\nWISTLAKE_LOOKBACK_DAYS=3\n")
        monkeypatch.setenv("WISTLAKE_LOOKBACK_DAYS", "")
        assert Settings().lookback_days == 3

    def test_another_toml(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("wistlake.toml").write_text("WISTLAKE_LOOKBACK_DAYS = 2")
        Path("other.toml").write_text("WISTLAKE_LOOKBACK_DAYS = 9")
        write_env("WISTLAKE_CONFIG=wistlake.toml")
        assert Settings().lookback_days == 2
        monkeypatch.setenv("WISTLAKE_CONFIG", "other.toml")
        assert Settings().lookback_days == 9
        monkeypatch.setenv("WISTLAKE_CONFIG", "absent.toml")
        assert "absent.toml" in problems()[0]

    def test_toml_has_lists_dates_and_any_case(self) -> None:
        Path("wistlake.toml").write_text(
            'media_ids = ["abcdef1234", "gskhw4w4lm"]\nWistlake_Start_Date = 2026-01-31\n'
            'WISTLAKE_BRONZE_REDACTION = true\nWISTIA_TIMEOUT = 30\nWISTLAKE_DATASETS = ["events"]\n'
        )
        settings = Settings()
        assert settings.media_ids == ("abcdef1234", "gskhw4w4lm")
        assert settings.start_date == date(2026, 1, 31)
        assert settings.bronze_redaction is True
        assert (settings.timeout_seconds, settings.datasets) == (30.0, ("events",))

    def test_dotenv_as_people_write_it(self) -> None:
        write_env(
            '\ufeff# a comment\n\nexport MEDIA_IDS = "abcdef1234, gskhw4w4lm" # two\n'
            "AWS_PROFILE=mine\nWISTLAKE_MEDIA_TAG='a # tag'\n"
        )
        settings = Settings()
        assert settings.media_ids == ("abcdef1234", "gskhw4w4lm")
        assert settings.media_tag == "a # tag"

    def test_the_same_setting_by_name_and_variable_does_not_clash(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MEDIA_IDS", "abcdef1234")
        assert Settings(media_ids="gskhw4w4lm").media_ids == ("gskhw4w4lm",)
        assert Settings(media_ids=["gskhw4w4lm"]).media_ids == ("gskhw4w4lm",)


class TestFiles:
    def test_unknown_names_get_a_suggestion(self) -> None:
        write_env("WISTLAKE_LOOKBAK_DAYS=3\nWISTIA_TOKEN=x\nWISTLAKE_ZZZ=1\nOTHER=1\n")
        Path("wistlake.toml").write_text("media_id = 'x'\nother = 1\n[wistlake]\nlookback_days = 1\n")
        told = problems()
        assert len(told) == 6
        assert told[0].endswith(
            ".env: WISTLAKE_LOOKBAK_DAYS isn't a setting, did you mean WISTLAKE_LOOKBACK_DAYS?"
        )
        assert told[1].endswith("WISTIA_TOKEN isn't a setting, did you mean WISTIA_API_TOKEN?")
        assert told[2].endswith("WISTLAKE_ZZZ isn't a setting: remove it")
        assert told[3].endswith("wistlake.toml: [WISTLAKE] is a table: write NAME = value lines only")
        assert told[4].endswith("MEDIA_ID isn't a setting, did you mean MEDIA_IDS?")
        assert told[5].endswith("OTHER isn't a setting: remove it")

    def test_lines_that_are_none(self) -> None:
        write_env("WISTLAKE_LOOKBACK_DAYS\n# fine\nMEDIA_IDS='unfinished\n")
        assert [p.rpartition(": ")[2] for p in problems()] == [
            "line 1 is not NAME=value",
            "line 3 is not NAME=value",
        ]

    def test_toml_that_is_none(self) -> None:
        Path("wistlake.toml").write_text(f'WISTIA_API_TOKEN = {TOKEN}"\n')
        assert "wistlake.toml cannot be read" in problems()[0]

    @pytest.mark.parametrize(
        ("value", "why"), [("9" * 5000, "thousands of digits"), ("[" * 5000, "too deeply")]
    )
    def test_toml_that_python_does_not_read(self, value: str, why: str) -> None:
        Path("wistlake.toml").write_text(f"WISTLAKE_LOOKBACK_DAYS = {value}\n")
        (problem,) = problems()
        assert why in problem
        assert len(problem) < 300

    def test_bytes_that_are_no_text(self) -> None:
        Path(".env").write_bytes(b"MEDIA_IDS=\xff\xfe")
        Path("wistlake.toml").write_bytes(b"\xff\xfe")
        assert len(problems()) == 2

    @pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")
    @pytest.mark.parametrize("mode", [0o644, 0o604, 0o602])
    @pytest.mark.parametrize("name", ["WISTIA_API_TOKEN", "SLACK_WEBHOOK_URL", "WISTLAKE_NOTIFY_WEBHOOK"])
    def test_an_open_file_with_a_secret_is_refused(self, folder: Path, mode: int, name: str) -> None:
        write_env(f"{name}=https://hooks.example.com/{TOKEN}", mode)
        (problem,) = problems()
        assert name in problem
        assert problem.endswith(f"chmod 600 {folder / '.env'}")

    @pytest.mark.skipif(os.name != "posix", reason="modes are a POSIX matter")
    def test_a_path_with_a_blank_is_quoted_in_the_cure(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (folder / "my lake").mkdir()
        monkeypatch.chdir(folder / "my lake")
        write_env(f"WISTIA_API_TOKEN={TOKEN}", 0o644)
        assert problems()[0].endswith(f"chmod 600 '{folder}/my lake/.env'")

    @pytest.mark.parametrize(
        ("text", "mode"), [("MEDIA_IDS=abcdef1234", 0o644), ("WISTIA_API_TOKEN=x", 0o640)]
    )
    def test_an_open_file_without_a_secret_is_fine(self, text: str, mode: int) -> None:
        write_env(text, mode)
        Settings()

    def test_each_file_is_read_once(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_env("WISTLAKE_STAGE=prod")
        (folder / "wistlake.toml").write_text("WISTLAKE_LOOKBACK_DAYS = 3")
        opened: list[str] = []
        real = Path.open

        def counting(path: Path, *args: Any, **options: Any) -> Any:
            opened.append(path.name)
            return real(path, *args, **options)

        monkeypatch.setattr(Path, "open", counting)
        settings = Settings()
        assert (settings.stage, settings.lookback_days) == ("prod", 3)
        assert sorted(opened) == [".env", "wistlake.toml"]


@pytest.mark.skipif(os.name != "posix", reason="modes and owners are a POSIX matter")
class TestFilesOfOthers:
    """Whoever writes a settings file decides where the token goes, and which command runs."""

    @pytest.mark.parametrize("name", [".env", "wistlake.toml"])
    @pytest.mark.parametrize("line", ['WISTIA_BASE_URL="https://evil.example/v1"', 'MEDIA_IDS="all"'])
    @pytest.mark.parametrize("mode", [0o777, 0o1777, 0o702])
    def test_nothing_is_read_where_everybody_may_write(
        self, folder: Path, name: str, line: str, mode: int
    ) -> None:
        (folder / name).write_text(line)
        folder.chmod(mode)
        (problem,) = problems()
        assert problem.startswith(
            f"settings files in {folder} are not read, because everybody on this machine"
        )
        assert f"chmod o-w {folder}, or" in problem

    @pytest.mark.parametrize("name", [".env", "wistlake.toml"])
    def test_a_file_that_everybody_may_change_is_not_read(self, folder: Path, name: str) -> None:
        (folder / name).write_text('MEDIA_IDS="all"')
        (folder / name).chmod(0o646)
        (problem,) = problems()
        assert problem.endswith(f"chmod o-w {folder / name}")

    def test_a_file_that_is_named_is_meant_wherever_its_folder_is(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (folder / "mounted").mkdir()
        (folder / "mounted" / "mine.toml").write_text('MEDIA_IDS = "all"')
        (folder / "mounted").chmod(0o777)
        monkeypatch.setenv("WISTLAKE_CONFIG", "mounted/mine.toml")
        assert Settings().all_media

    @pytest.mark.parametrize(
        "line",
        [
            'WISTIA_BASE_URL="https://evil.example/v1"',
            'WISTLAKE_NOTIFY_COMMAND="curl evil.example"',
            'WISTLAKE_NOTIFY_WEBHOOK="https://evil.example"',
        ],
    )
    @pytest.mark.parametrize("name", [".env", "wistlake.toml"])
    def test_what_reaches_far_beside_a_token_of_the_environment_is_said(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, line: str
    ) -> None:
        (folder / name).write_text(line)
        (folder / name).chmod(0o600)
        assert Settings().warnings == ()
        monkeypatch.setenv("WISTIA_API_TOKEN", TOKEN)
        (warning,) = Settings().warnings
        assert warning.startswith(
            f"{folder / name} sets {line.partition('=')[0]} and is used with the token of"
        )

    def test_ones_own_settings_are_no_cause_for_a_warning(self, folder: Path) -> None:
        write_env(f"WISTIA_API_TOKEN={TOKEN}\nWISTLAKE_NOTIFY_COMMAND=mail me")
        (folder / "wistlake.toml").write_text('WISTIA_BASE_URL = "http://127.0.0.1/v1"')
        assert Settings().warnings == ()

    def test_wistias_own_address_is_none_either(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WISTIA_API_TOKEN", TOKEN)
        Path("wistlake.toml").write_text('WISTIA_BASE_URL = "https://api.wistia.com/v1"')
        assert Settings().warnings == ()

    def test_a_value_that_the_environment_replaces_is_not_in_force(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WISTIA_API_TOKEN", TOKEN)
        monkeypatch.setenv("WISTIA_BASE_URL", "https://api.wistia.com/v1")
        Path("wistlake.toml").write_text('WISTIA_BASE_URL = "https://evil.example/v1"')
        assert Settings().warnings == ()

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
    def test_the_file_of_another_user_is_said(self, folder: Path) -> None:
        write_env(f"WISTIA_API_TOKEN={TOKEN}\nWISTIA_BASE_URL=https://evil.example/v1")
        os.chown(folder / ".env", 65534, -1)
        (warning,) = Settings().warnings
        assert "WISTIA_BASE_URL and belongs to another user" in warning


WRONG = [
    ("WISTIA_API_TOKEN", f"'{TOKEN}", "quotation marks"),
    ("WISTIA_API_TOKEN", f"{TOKEN}\r\n{TOKEN}", "control character"),
    ("WISTLAKE_LAKE", "la\rke", "control character"),
    ("WISTLAKE_MEDIA_TAG", "a\x1bb", "control character"),
    ("WISTIA_API_TOKEN", f"two words {TOKEN}", "copy it again"),
    ("WISTIA_API_TOKEN", f"{TOKEN}\u200b", "copy it again"),
    ("WISTIA_BASE_URL", "https://api.wistia.com", "must end in /modern or /v1"),
    ("WISTIA_BASE_URL", "https://api.wistia.com/modern?token=x", "must end in /modern or /v1"),
    ("WISTIA_BASE_URL", "http://api.wistia.com/v1", "write https://"),
    ("WISTIA_BASE_URL", f"https://api:{TOKEN}@api.wistia.com/v1", "carries credentials"),
    ("WISTIA_BASE_URL", "api.wistia.com/v1", "is no URL"),
    ("WISTIA_BASE_URL", "ftp://api.wistia.com/v1", "is no URL"),
    ("WISTIA_BASE_URL", "https://api.wistia.com:port/v1", "is no URL"),
    ("WISTIA_BASE_URL", "https:///v1", "is no URL"),
    ("WISTIA_BASE_URL", "https://api wistia.com/v1", "is no URL"),
    ("WISTIA_BASE_URL", "https://{host}/v1", "is no URL"),
    ("WISTLAKE_NOTIFY_COMMAND", '"/opt/tell me', "write it as in a shell"),
    ("WISTLAKE_NOTIFY_COMMAND", "/opt/tell\\", "write it as in a shell"),
    ("WISTIA_API_VERSION", "2026-13", "write YYYY-MM"),
    ("WISTIA_API_VERSION", "v2", "write YYYY-MM"),
    ("WISTIA_AUTH", "digest", "give bearer or basic"),
    ("WISTIA_TIMEOUT", "0", "1 to 600"),
    ("WISTIA_TIMEOUT", "nan", "1 to 600"),
    ("WISTIA_PER_PAGE", "101", "1 to 100"),
    ("WISTIA_PER_PAGE", "many", "is 'many'"),
    ("WISTIA_PAGE", "0", "from 1"),
    ("MEDIA_IDS", "abcdef1234,https://x.wistia.com/medias/abcdef1234", "isn't a hashed id"),
    ("MEDIA_IDS", TOKEN, "'01234567...'"),
    ("MEDIA_IDS", "all,abcdef1234", "beside ids"),
    ("WISTLAKE_LAKE", "s3://bucket/lake", "BRONZE_BUCKET"),
    ("WISTLAKE_ENGINE", "duckdb", "sail or spark"),
    ("WISTLAKE_ACCOUNT_TIMEZONE", "Mars/Olympus", "use an IANA name"),
    ("WISTLAKE_LOOKBACK_DAYS", "61", "1 to 60"),
    ("WISTLAKE_LOOKBACK_DAYS", "1.5", "1 to 60"),
    ("WISTLAKE_START_DATE", "31.01.2026", "YYYY-MM-DD"),
    ("WISTLAKE_START_DATE", "2026-02-30", "YYYY-MM-DD"),
    ("WISTLAKE_START_DATE", "86400", "YYYY-MM-DD"),
    ("WISTLAKE_START_DATE", "2026-01-31T00:00", "YYYY-MM-DD"),
    ("WISTLAKE_DATASETS", "events,event", "'event' is none, did you mean events?"),
    ("WISTLAKE_REQUESTS_PER_MINUTE", "601", "1 to 600"),
    ("WISTLAKE_MAX_CONCURRENCY", "0", "1 to 64"),
    ("WISTLAKE_INCLUDE_OPEN_DAYS", "perhaps", "true or false"),
    ("WISTLAKE_CHANNELS", "absent.toml", "there is no file"),
    ("WISTLAKE_BRONZE_RETENTION_DAYS", "0", "1 to 3650"),
    ("WISTLAKE_BRONZE_REDACTION", "half", "on or off"),
    ("WISTLAKE_NOTIFY_WEBHOOK", "http://hooks.example.com/x", "write https://"),
    ("SLACK_WEBHOOK_URL", "hooks.slack.com/x", "is no URL"),
    ("WISTLAKE_STAGE", "Prod!", "lower-case"),
]


class TestProblems:
    @pytest.mark.parametrize(("variable", "value", "words"), WRONG)
    def test_each_names_its_variable_and_the_cure(
        self, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
    ) -> None:
        monkeypatch.setenv(variable, value)
        (problem,) = problems()
        assert variable in problem
        assert words in problem

    def test_all_are_told_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        first = {variable: value for variable, value, _ in reversed(WRONG)}
        for variable, value in first.items():
            monkeypatch.setenv(variable, value)
        write_env("WISTLAKE_NONSENSE=1")
        told = problems(lokback_days=3)
        assert len(told) == len(first) + 2
        assert "lokback_days isn't a setting, did you mean lookback_days?" in told

    def test_a_release_beside_v1(self, monkeypatch: pytest.MonkeyPatch) -> None:
        frozen = "https://api.wistia.com/v1/"
        settings = Settings(base_url=frozen)
        assert (settings.base_url, settings.api_version) == (frozen[:-1], None)
        monkeypatch.setenv("WISTIA_API_VERSION", "2026-07")
        assert Settings().api_version == "2026-07"
        (problem,) = problems(base_url=frozen)
        assert "unset WISTIA_API_VERSION" in problem

    @pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000"])
    def test_plain_http_to_this_machine_is_fine(self, host: str) -> None:
        assert Settings(base_url=f"http://{host}/modern").base_url == f"http://{host}/modern"

    @given(st.sampled_from([doc.variable for doc in DOCS]), st.text(max_size=30))
    def test_no_text_does_worse_than_a_config_error(self, variable: str, text: str) -> None:
        with contextlib.suppress(ConfigError):
            Settings(**{variable: text})


# What each variable is, and what a value with marks around it must become.
MARKED = [
    ("WISTIA_API_TOKEN", TOKEN),
    ("WISTIA_BASE_URL", "https://api.wistia.com/v1"),
    ("WISTIA_AUTH", "basic"),
    ("MEDIA_IDS", "abcdef1234,gskhw4w4lm"),
    ("WISTLAKE_MEDIA_FOLDER", "Main Funnel"),
    ("WISTLAKE_LAKE", "/data/lake"),
    ("WISTLAKE_ACCOUNT_TIMEZONE", "Europe/Berlin"),
    ("WISTLAKE_LOOKBACK_DAYS", "9"),
    ("WISTLAKE_START_DATE", "2026-02-03"),
    ("WISTLAKE_INCLUDE_OPEN_DAYS", "true"),
    ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/x"),
    ("WISTLAKE_STAGE", "prod"),
]
MARKS = [
    ("", "\r"),
    (" ", "\t\r\n"),
    ('"', '"'),
    ("'", "'"),
    (' "', '"\r'),
    ("\u201c", "\u201d"),
    ("'  ", " '"),
]


class TestMarks:
    """Shells, files from Windows and word processors leave marks around a value: they are no part of it."""

    @pytest.mark.parametrize(("left", "right"), MARKS)
    @pytest.mark.parametrize(("variable", "value"), MARKED)
    def test_marks_around_a_value_are_no_part_of_it(
        self, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, left: str, right: str
    ) -> None:
        plain = Settings(**{variable: value}).model_dump()
        assert plain != Settings().model_dump()
        monkeypatch.setenv(variable, f"{left}{value}{right}")
        assert Settings().model_dump() == plain

    @pytest.mark.parametrize("value", ['""', "''", " ", "\r", '" "'])
    @pytest.mark.parametrize("variable", [v for v, _ in MARKED if v != "WISTIA_API_TOKEN"])
    def test_nothing_between_the_marks_is_nothing_set(
        self, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
    ) -> None:
        plain = Settings().model_dump()
        monkeypatch.setenv(variable, value)
        assert Settings().model_dump() == plain

    def test_a_command_keeps_its_own_marks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WISTLAKE_NOTIFY_COMMAND", '"/opt/my tools/mail" "me"\r\n')
        assert Settings().notify_command == '"/opt/my tools/mail" "me"'
        monkeypatch.setenv("WISTLAKE_NOTIFY_COMMAND", '"/opt/my tools/mail"')
        assert Settings().notify_command == '"/opt/my tools/mail"'

    def test_the_named_settings_file_too(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "mine.toml").write_text("WISTLAKE_MEDIA_TAG = \"'ads'\"")
        monkeypatch.setenv("WISTLAKE_CONFIG", "'mine.toml'\r")
        assert Settings().media_tag == "ads"


class TestValues:
    def test_media_keep_their_order_and_repeat_nothing(self) -> None:
        settings = Settings(media_ids=" gskhw4w4lm ,,abcdef1234,gskhw4w4lm")
        assert settings.media_ids == settings.require_media() == ("gskhw4w4lm", "abcdef1234")
        assert not settings.all_media

    @pytest.mark.parametrize("chosen", [{"media_ids": "all"}, {"media_folder": "Ads"}, {"media_tag": "x"}])
    def test_media_may_be_chosen_otherwise(self, chosen: dict[str, str]) -> None:
        settings = Settings(**chosen)
        assert settings.require_media() == ()
        assert settings.all_media == ("media_ids" in chosen)

    def test_no_media_is_a_problem_only_where_media_are_needed(self) -> None:
        with pytest.raises(ConfigError, match=r"MEDIA_IDS is empty.*MEDIA_IDS=all"):
            Settings().require_media()

    def test_no_token_is_a_problem_only_where_it_is_needed(self, folder: Path) -> None:
        with pytest.raises(ConfigError, match=r"WISTIA_API_TOKEN is not set.*chmod 600") as refused:
            Settings().require_token()
        assert str(folder / ".env") in str(refused.value)
        assert Settings(token=f" {TOKEN}\n").require_token().get_secret_value() == TOKEN

    def test_datasets_are_in_contract_order(self) -> None:
        assert Settings(datasets="visitors, events").datasets == ("events", "visitors")

    def test_the_lake_does_not_move_with_the_working_directory(self, folder: Path) -> None:
        assert Settings(lake="x/../lake").lake == folder / "lake"
        assert Settings(lake="~/lake").lake == Path.home() / "lake"

    def test_channels_must_be_there(self, folder: Path) -> None:
        (folder / "rules.toml").write_text(RULE)
        assert Settings(channels="rules.toml").channels == folder / "rules.toml"

    def test_a_file_of_labels_must_be_there(self, folder: Path) -> None:
        (folder / "labels.csv").write_text("media_id,campaign\nabc123xyz0,spring\n")
        assert Settings(labels="labels.csv").labels == folder / "labels.csv"
        with pytest.raises(
            ConfigError, match=r"WISTLAKE_LABELS: there is no file .*lost.csv: correct the path"
        ):
            Settings(labels="lost.csv")

    def test_settings_do_not_change(self) -> None:
        with pytest.raises(ValueError, match="frozen"):
            Settings().lookback_days = 3


class TestSecrets:
    def test_nothing_shows_them(self) -> None:
        hook = f"https://hooks.example.com/{TOKEN}"
        settings = Settings(
            token=TOKEN, slack_webhook_url=hook, notify_webhook=hook, notify_command=f"tell {TOKEN}"
        )
        for shown in (repr(settings), str(settings), f"{settings}", repr(settings.require_token())):
            assert TOKEN not in shown
        assert settings.secrets() == (TOKEN, hook, hook)
        assert Settings().secrets() == ()

    @pytest.mark.parametrize("variable", ["WISTIA_API_TOKEN", "SLACK_WEBHOOK_URL", "WISTIA_BASE_URL"])
    def test_a_refused_value_is_nowhere_in_the_error(self, variable: str) -> None:
        with pytest.raises(ConfigError) as refused:
            Settings(**{variable: f"http://a b:{TOKEN}@example.com/"})
        assert refused.value.__cause__ is None
        assert TOKEN not in str(refused.value) + repr(refused.value.__context__)


class TestAlerts:
    def test_entries_stand_in_the_settings_file(self) -> None:
        Path("wistlake.toml").write_text('WISTLAKE_LOOKBACK_DAYS = 3\n[[alert]]\nname = "a"\nkind = "drop"\n')
        assert [(r.name, r.kind) for r in Settings().alerts] == [("a", "drop")]

    def test_or_in_a_file_of_their_own_but_not_in_both(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path("ours.toml").write_text('[[alert]]\nname = "a"\nkind = "spike"\n')
        monkeypatch.setenv("WISTLAKE_ALERTS", "ours.toml")
        assert [r.kind for r in Settings().alerts] == ["spike"]
        monkeypatch.setenv("WISTLAKE_ALERTS", "")
        Path("wistlake.toml").write_text(
            'WISTLAKE_ALERTS = "ours.toml"\n[[alert]]\nname = "a"\nkind = "drop"\n'
        )
        assert problems()[0].endswith(
            "WISTLAKE_ALERTS names a file, and [[alert]] is here: keep one of the two"
        )

    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ({"alerts": "none.toml"}, "WISTLAKE_ALERTS: there is no file"),
            (
                {"alerts": 5},
                "WISTLAKE_ALERTS: alert is no list of tables: write [[alert]] above each of them",
            ),
            (
                {"mail_to": "ada@example.org, bob"},
                "WISTLAKE_MAIL_TO holds something that is no address, number 2 of 2",
            ),
            ({"mail_from": "Ada <a@b.c>"}, "WISTLAKE_MAIL_FROM holds something that is no address: write"),
            ({"smtp_host": "smtp://x"}, "WISTLAKE_SMTP_HOST is no host name: write it alone"),
            (
                {"smtp_host": "mail.example.org", "smtp_security": "none"},
                "WISTLAKE_SMTP_SECURITY is none, but WISTLAKE_SMTP_HOST is another machine: write starttls, or tls",
            ),
            ({"digest_day": "someday"}, "WISTLAKE_DIGEST_DAY is 'someday': give monday to sunday"),
        ],
    )
    def test_what_is_wrong_has_a_line_with_its_cure(self, given: dict[str, Any], problem: str) -> None:
        (line,) = problems(**given)
        assert line.startswith(problem)


class TestDocs:
    def test_every_field_has_a_row(self) -> None:
        assert [doc.field for doc in DOCS] == list(Settings.model_fields)
        assert len({doc.variable for doc in DOCS}) == len(DOCS)
        for doc in DOCS:
            assert doc.meaning.endswith(".")
            assert doc.accepts
        assert {doc.variable for doc in DOCS if doc.secret} == {
            "WISTIA_API_TOKEN",
            "WISTLAKE_NOTIFY_WEBHOOK",
            "SLACK_WEBHOOK_URL",
            "WISTLAKE_LINEAGE_KEY",
            "TEAMS_WEBHOOK_URL",
            "WISTLAKE_SMTP_PASSWORD",
        }

    def test_the_written_defaults_are_the_real_ones(self, monkeypatch: pytest.MonkeyPatch) -> None:
        plain = Settings().model_dump()
        for doc in DOCS:
            if doc.default and doc.variable != "WISTLAKE_CONFIG":
                monkeypatch.setenv(doc.variable, doc.default)
        assert Settings().model_dump() == plain

    def test_the_example_is_fresh(self) -> None:
        written = (ROOT / ".env.example").read_text()
        assert written == env_example(), "make docs writes .env.example anew"

    def test_the_example_works_as_it_is(self) -> None:
        plain = Settings().model_dump()
        write_env(env_example())
        assert Settings().model_dump() == plain


def test_importing_is_cheap() -> None:
    code = "import sys, wistlake.settings; print(*(m for m in sys.modules if '.' not in m))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    printed = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    assert not set(printed) & {
        "pyspark",
        "pyarrow",
        "pandas",
        "boto3",
        "httpx2",
        "structlog",
        "duckdb",
        "typer",
    }


RULE = "[[rule]]\nchannel = 'paid'\nfield = 'utm_medium'\npattern = '^CPC$'\n"


class TestChannelRules:
    def test_a_file_may_lie_in_a_bucket(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WISTLAKE_CHANNELS", "s3://lake/settings/channels.toml")
        assert Settings().channels == InBucket("lake", "settings/channels.toml")

    @pytest.mark.parametrize("place", ["s3://", "s3://lake", "s3://lake/", "s3:///rules.toml"])
    def test_a_bucket_alone_is_no_file(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, place: str
    ) -> None:
        monkeypatch.setenv("WISTLAKE_CHANNELS", place)
        (problem,) = problems()
        assert problem == f"WISTLAKE_CHANNELS is '{place}': give a file, or s3://bucket/key"

    @pytest.mark.parametrize(
        ("pattern", "why"),
        [
            ("a(", "unclosed group"),
            ("[a-", "unclosed character class"),
            ("*a", "repetition operator missing expression"),
            (r"a{2,1}", "invalid repetition count range"),
            (r"(?=facebook)", "look-around"),
            (r"(fb)\1", "backreferences are not supported"),
            ("(?P<name>fb)", "(?<name>...)"),
        ],
    )
    def test_a_pattern_that_is_none_is_named(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, pattern: str, why: str
    ) -> None:
        (folder / "rules.toml").write_text(RULE.replace("^CPC$", pattern))
        monkeypatch.setenv("WISTLAKE_CHANNELS", "rules.toml")
        (problem,) = problems()
        assert repr(pattern) in problem
        assert "'paid'" in problem
        assert why in problem

    def test_every_fault_is_told_at_once(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        wrong = RULE.replace("utm_medium", "medium") + RULE.replace("CPC", "(")
        (folder / "rules.toml").write_text(RULE + wrong + RULE.replace("'paid'", '"it\'s"'))
        monkeypatch.setenv("WISTLAKE_CHANNELS", "rules.toml")
        (problem,) = problems()
        assert "no such field medium" in problem
        assert "'^($'" in problem
        assert "it's" in problem

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"rule = 3",
            b"[rule]\nchannel = 'a'",
            b"\xff",
            b"[[rule]]\n",
            b"a = " + b"[" * 5000,
            b"a = " + b"9" * 5000,
        ],
    )
    def test_a_file_without_rules_is_said(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
    ) -> None:
        (folder / "rules.toml").write_bytes(content)
        monkeypatch.setenv("WISTLAKE_CHANNELS", "rules.toml")
        (problem,) = problems()
        assert "rules.toml has no list of [[rule]]" in problem

    def test_a_file_of_windows_is_read(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "rules.toml").write_bytes(b"\xef\xbb\xbf" + RULE.replace("\n", "\r\n").encode())
        monkeypatch.setenv("WISTLAKE_CHANNELS", "rules.toml")
        assert Path(str(Settings().channels)).name == "rules.toml"

    def test_the_built_in_rules_are_patterns_themselves(self, folder: Path) -> None:
        assert len(DEFAULT_RULES) > 20
        text = "".join(
            f"[[rule]]\nchannel = '{r.channel}'\nfield = '{r.field}'\npattern = '{r.pattern}'\n"
            for r in DEFAULT_RULES
        )
        (folder / "rules.toml").write_text(text)
        assert read(folder / "rules.toml") == DEFAULT_RULES

    def test_the_page_shows_rules_that_are_read_and_the_built_in_ones(self, folder: Path) -> None:
        page = (Path(__file__).parents[2] / "docs" / "channels.md").read_text()
        example, built_in = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
        for text in (example, built_in):
            (folder / "rules.toml").write_text(text)
            rules = read(folder / "rules.toml")
        assert rules == DEFAULT_RULES
        (folder / "rules.toml").write_text(example)
        fields = {r.field for r in read(folder / "rules.toml")}
        assert fields >= {"media_id", "folder", "tags", "title", "utm_source", "embed_host"}
        assert [field for field in FIELDS if f"| `{field}` |" not in page] == []


INIT = {"MEDIA_IDS": "abcdef1234", "WISTIA_BASE_URL": 'a "quoted" j\u00f6rg'}


class TestFilesOfInit:
    def test_both_are_written_owner_only_and_read_back(self) -> None:
        write(TOKEN, INIT)
        assert Path(".env").read_text() == f"WISTIA_API_TOKEN={TOKEN}\n"
        assert tomllib.loads(Path("wistlake.toml").read_text()) == INIT
        assert {p.name: p.stat().st_mode & 0o777 for p in Path().iterdir()} == {
            ".env": 0o600,
            "wistlake.toml": 0o600,
        }

    def test_what_was_there_is_replaced_also_what_a_killed_init_left(self) -> None:
        for name in (".env", "wistlake.toml", ".env.new"):
            Path(name).write_text("old")
        write(TOKEN, {})
        assert Path("wistlake.toml").read_text() == ""
        assert sorted(p.name for p in Path().iterdir()) == [".env", "wistlake.toml"]

    def test_neither_is_written_if_one_can_not_be(self) -> None:
        Path("wistlake.toml.new").mkdir()
        write_env("WISTIA_API_TOKEN=old\n")
        with pytest.raises(OSError):
            write(TOKEN, INIT)
        assert Path(".env").read_text() == "WISTIA_API_TOKEN=old\n"
        assert not Path(".env.new").exists()
        with pytest.raises(tomllib.TOMLDecodeError):
            write(TOKEN, {"no name": "x"})
        assert Path(".env").read_text() == "WISTIA_API_TOKEN=old\n"
