"""Small lakes without an engine."""

from pathlib import Path

import pytest

from support.handmade import HandMade, make
from wistlake.adapters.local import lake_archive


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    """One lake, for those who only read it."""
    return make(tmp_path_factory.mktemp("made") / "lake")


@pytest.fixture
def made(original: HandMade, tmp_path: Path) -> HandMade:
    """A copy to break."""
    lake_archive.restore(original.folder, tmp_path / "lake")
    return HandMade(tmp_path / "lake")
