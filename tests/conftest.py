"""What every test may count on: no setting of this machine takes part."""

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("WISTIA_", "WISTLAKE_", "MEDIA_IDS")):
            monkeypatch.delenv(name)
