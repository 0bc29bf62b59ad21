"""A folder without a lake, and settings that name what is to be followed."""

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands run; nothing answers at the settings' address."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "WISTIA_API_TOKEN": "simulated",
        "WISTIA_BASE_URL": "http://127.0.0.1:9/modern",
        "MEDIA_IDS": "abcdef1234",
        "WISTLAKE_LOOKBACK_DAYS": "2",
        "WISTLAKE_ACCOUNT_TIMEZONE": "UTC",
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path
